// Every n-th write, truncation or sync fails, torn in the middle: what the file holds afterwards is
// a whole call or none of it.
#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "faults/fault_workload.h"
#include "support/database.h"

using namespace evercore::test;

namespace {

long writes_left = -1;  // -1: none fails
bool failing = false;
bool without_temporary_files = false;

bool write_fails() {
  if (failing) return true;
  if (writes_left < 0 || --writes_left > 0) return false;
  writes_left = -1;
  return failing = true;
}

/// A file of the real VFS behind one of ours.
struct File {
  sqlite3_file base;
  sqlite3_file* real;
};
sqlite3_file* real(sqlite3_file* file) {
  return reinterpret_cast<File*>(file)->real;
}

sqlite3_vfs* real_vfs() {
  return sqlite3_vfs_find("unix");
}

int close_file(sqlite3_file* file) {
  return real(file)->pMethods->xClose(real(file));
}
int read_file(sqlite3_file* file, void* data, int size, sqlite3_int64 at) {
  return real(file)->pMethods->xRead(real(file), data, size, at);
}
int write_file(sqlite3_file* file, const void* data, int size, sqlite3_int64 at) {
  if (!write_fails()) return real(file)->pMethods->xWrite(real(file), data, size, at);
  real(file)->pMethods->xWrite(real(file), data, size / 2, at);  // torn
  return SQLITE_IOERR_WRITE;
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  return write_fails() ? SQLITE_IOERR_TRUNCATE : real(file)->pMethods->xTruncate(real(file), size);
}
int sync_file(sqlite3_file* file, int flags) {
  return write_fails() ? SQLITE_IOERR_FSYNC : real(file)->pMethods->xSync(real(file), flags);
}
int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}
int lock_file(sqlite3_file* file, int lock) {
  return real(file)->pMethods->xLock(real(file), lock);
}
int unlock_file(sqlite3_file* file, int lock) {
  return real(file)->pMethods->xUnlock(real(file), lock);
}
int check_lock(sqlite3_file* file, int* out) {
  return real(file)->pMethods->xCheckReservedLock(real(file), out);
}
int control_file(sqlite3_file* file, int op, void* argument) {
  return real(file)->pMethods->xFileControl(real(file), op, argument);
}
int sector_size(sqlite3_file* file) {
  return real(file)->pMethods->xSectorSize(real(file));
}
int characteristics(sqlite3_file*) {
  return 0;
}
int map_shm(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}
int lock_shm(sqlite3_file* file, int offset, int n, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}
void barrier_shm(sqlite3_file* file) {
  real(file)->pMethods->xShmBarrier(real(file));
}
int unmap_shm(sqlite3_file* file, int remove) {
  return real(file)->pMethods->xShmUnmap(real(file), remove);
}

const sqlite3_io_methods methods = {
    2,         close_file,  read_file,  write_file,   truncate_file, sync_file,       size_of_file,
    lock_file, unlock_file, check_lock, control_file, sector_size,   characteristics, map_shm,
    lock_shm,  barrier_shm, unmap_shm,  nullptr,      nullptr};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  auto* own = reinterpret_cast<File*>(file);
  own->real = reinterpret_cast<sqlite3_file*>(own + 1);
  own->base.pMethods = nullptr;
  if (name == nullptr && without_temporary_files) return SQLITE_CANTOPEN;
  const int rc = real_vfs()->xOpen(real_vfs(), name, own->real, flags, out);
  if (own->real->pMethods != nullptr) own->base.pMethods = &methods;
  return rc;
}
int delete_file(sqlite3_vfs*, const char* name, int sync) {
  return write_fails() ? SQLITE_IOERR_DELETE : real_vfs()->xDelete(real_vfs(), name, sync);
}

sqlite3_vfs make_vfs() {
  sqlite3_vfs vfs = *real_vfs();
  vfs.szOsFile = static_cast<int>(sizeof(File)) + real_vfs()->szOsFile;
  vfs.pNext = nullptr;
  vfs.zName = "faulty";
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  return vfs;
}

void register_vfs() {
  static sqlite3_vfs vfs = make_vfs();
  sqlite3_vfs_register(&vfs, 0);
}

/// A connection whose writes may fail; closed whatever happens.
struct Faulty {
  sqlite3* db = nullptr;
  explicit Faulty(const std::string& file) {
    sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE, "faulty");
    sqlite3_evercore_init(db, nullptr, nullptr);
  }
};

void copy_store(const std::string& from, const std::string& to) {
  for (const char* suffix : {"", "-wal", "-journal", "-shm"}) {
    std::error_code ignored;
    std::filesystem::remove(to + suffix, ignored);
    if (std::string(suffix) != "-shm" && std::filesystem::exists(from + suffix))
      std::filesystem::copy_file(from + suffix, to + suffix);
  }
}

std::string contents_of(const std::string& file) {
  Database db(file);
  REQUIRE(db.must("PRAGMA integrity_check") == "ok");
  REQUIRE(db.must("SELECT * FROM evercore_check()").empty());
  return db.must(contents);
}

/// One work with the n-th write failing, and all after it. Gives whether any failed.
bool fail_at(const Work& work, const std::string& filled_file, const std::string& journal, long n,
             const std::string& before, const std::string& after, int& durable) {
  const Directory directory;
  const std::string file = directory.file("s.db");
  std::filesystem::copy_file(filled_file, file);
  Faulty faulty(file);
  REQUIRE(run(faulty.db, "PRAGMA journal_mode = " + journal +
                             "; PRAGMA synchronous = FULL; PRAGMA cache_size = 5")
              .ok());
  writes_left = n;
  const Outcome outcome = run(faulty.db, work.call);
  const bool any = failing;
  // The machine goes down here: what stands in the files is all there is.
  const std::string copy = directory.file("copy.db");
  copy_store(file, copy);
  failing = false;
  writes_left = -1;
  CAPTURE(work.name);
  CAPTURE(journal);
  CAPTURE(n);
  const std::string found = contents_of(copy);
  REQUIRE((found == before || found == after));
  if (outcome.ok()) {
    REQUIRE(found == after);
  } else {
    REQUIRE_FALSE(outcome.message.starts_with("EV"));
    if (found == after && before != after) ++durable;
  }
  // The connection itself is usable once writes work again.
  const Outcome rest =
      run(faulty.db, "SELECT evercore_append(evercore_ensure('After','x'), NULL, 'After', '{}')");
  CHECK_MESSAGE(rest.ok(), rest.message);
  REQUIRE(sqlite3_close(faulty.db) == SQLITE_OK);
  Database db(file);
  REQUIRE(db.must("PRAGMA integrity_check") == "ok");
  REQUIRE(db.must("SELECT * FROM evercore_check()").empty());
  return any;
}

void fail_each(const std::string& journal) {
  register_vfs();
  const Directory directory;
  int durable = 0, runs = 0;
  const long stride = std::getenv("EVERCORE_SOAK") == nullptr ? 2 : 1;
  for (const Work& work : works()) {
    const std::string file = directory.file("filled.db");
    std::filesystem::remove(file);
    std::string before, after;
    {
      Database db(file);
      db.must(filled);
      if (*work.setup != '\0') db.must(work.setup);
      before = db.must(contents);
    }
    std::filesystem::copy_file(file, directory.file("after.db"),
                               std::filesystem::copy_options::overwrite_existing);
    {
      Database db(directory.file("after.db"));
      db.must(work.call);
      after = db.must(contents);
    }
    for (long n = 1; fail_at(work, file, journal, n, before, after, durable); n += stride) ++runs;
  }
  std::printf("%s: %d faults, %d of them after the call was durable\n", journal.c_str(), runs,
              durable);
  CHECK(runs > 30);
}

}  // namespace

TEST_CASE("with a rollback journal a failed write leaves a whole call or none of it") {
  fail_each("DELETE");
}

TEST_CASE("with a write-ahead log a failed write leaves a whole call or none of it") {
  fail_each("WAL");
}

TEST_CASE("where no temporary file can be made the fault names the cure, and the cure works") {
  register_vfs();
  const Directory directory;
  const std::string file = directory.file("s.db");
  std::string before;
  {
    Database db(file);
    db.must("PRAGMA journal_mode = WAL; SELECT evercore_event_type('E', 'merge')");
    db.must(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) "
        "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) "
        "SELECT 'T', 'a', 'E', json_object('n', i, 'text', printf('%03000d', i)) FROM n");
    before = db.must(contents);
  }
  Faulty faulty(file);
  without_temporary_files = true;
  REQUIRE(run(faulty.db, "PRAGMA cache_size = 5; PRAGMA temp_store = FILE").ok());
  const Outcome refused = run(faulty.db, "SELECT evercore_compact(1, 10)");
  CHECK_MESSAGE(refused.message.find("PRAGMA temp_store = MEMORY") != std::string::npos,
                refused.message);
  CHECK((run(faulty.db, contents).rows == before));
  const Outcome cured =
      run(faulty.db, "PRAGMA temp_store = MEMORY; SELECT evercore_compact(1, 10)");
  CHECK_MESSAGE(cured.rows == "590", cured.message);
  without_temporary_files = false;
  REQUIRE(sqlite3_close(faulty.db) == SQLITE_OK);
}
