// Every n-th write, truncation or sync fails, torn in the middle: what the file holds afterwards is
// a whole call or none of it.
#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "faults/fault_workload.h"
#include "support/database.h"
#include "support/failing_vfs.h"

using namespace evercore::test;

namespace {

/// A connection whose writes may fail; closed whatever happens.
struct Faulty {
  sqlite3* db = nullptr;
  explicit Faulty(const std::string& file) {
    sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE, failing_vfs::name);
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
  failing_vfs::fail_from(n);
  const Outcome outcome = run(faulty.db, work.call);
  const bool any = failing_vfs::failed;
  // The machine goes down here: what stands in the files is all there is.
  const std::string copy = directory.file("copy.db");
  copy_store(file, copy);
  failing_vfs::heal();
  CAPTURE(std::string(work.name));
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
  failing_vfs::add();
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

TEST_CASE("a write that fails alone where OR IGNORE skips a row takes all rows with it, or none") {
  failing_vfs::add();
  constexpr const char* call =
      "INSERT OR IGNORE INTO evercore_append (aggregate_type, natural_key, event_type, data,"
      " event_id) VALUES ('T','a','E','{\"n\":101}',NULL), ('New','k','E','{\"n\":2}','taken'),"
      " ('T','a','E','{\"n\":103}',NULL)";
  const Directory directory;
  const std::string filled_file = directory.file("filled.db");
  {
    Database db(filled_file);
    db.must(filled);
    db.must("SELECT evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, 'taken')");
  }
  int refused = 0;
  for (const char* journal : {"DELETE", "TRUNCATE", "PERSIST", "WAL"}) {
    for (const char* begin : {"", "BEGIN IMMEDIATE;"}) {
      bool any = true;
      for (long n = 1; any; ++n) {
        CAPTURE(journal);
        CAPTURE(begin);
        CAPTURE(n);
        const std::string file = directory.file("s.db");
        copy_store(filled_file, file);
        Faulty faulty(file);
        REQUIRE(run(faulty.db, std::string("PRAGMA journal_mode = ") + journal +
                                   "; PRAGMA synchronous = FULL; PRAGMA cache_size = 5")
                    .ok());
        failing_vfs::fail_once(n);
        bool written = run(faulty.db, std::string(begin) + call).ok();
        if (written && *begin != '\0') written = run(faulty.db, "COMMIT").ok();
        any = failing_vfs::failed;
        failing_vfs::heal();
        REQUIRE(sqlite3_close(faulty.db) == SQLITE_OK);
        Database db(file);
        const std::string count =
            db.must("SELECT count(*) FROM evercore_log WHERE data ->> 'n' IN (101, 103)");
        if (written) CHECK(count == "2");
        if (!written) CHECK((count == "0" || count == "2"));
        refused += written ? 0 : 1;
      }
    }
  }
  CHECK(refused > 20);
}

TEST_CASE("a call that began in a transaction never ends without it, whatever fails alone") {
  failing_vfs::add();
  const Directory directory;
  const std::string filled_file = directory.file("filled.db"), file = directory.file("s.db");
  // A call reads the schema anew before all else.
  const long most = std::getenv("EVERCORE_SOAK") == nullptr ? 12 : 1000;
  int refused = 0;
  const char* journal = "DELETE";
  std::vector<Work> calls = works();
  for (const char* read :
       {"SELECT evercore_find('T', 'a')", "SELECT evercore_sequence(1)", "SELECT evercore_state(1)",
        "SELECT evercore_head()", "SELECT evercore_validate('E', '{}')",
        "SELECT evercore_append(1, 99, 'E', '{}')", "SELECT evercore_state(99)"})
    calls.push_back({read, "", read});
  for (const Work& work : calls) {
    if (std::string(work.call).starts_with("INSERT")) continue;  // prepared by SQLite itself
    journal = journal == std::string("WAL") ? "DELETE" : "WAL";
    std::filesystem::remove(filled_file);
    std::string before;
    {
      Database db(filled_file);
      db.must(filled);
      if (*work.setup != '\0') db.must(work.setup);
      db.must(std::string("PRAGMA journal_mode = ") + journal + "; ANALYZE");
      before = db.must(contents);
    }
    bool any = true;
    for (long n = 1; any && n <= most; ++n) {
      CAPTURE(std::string(work.name));
      CAPTURE(std::string(journal));
      CAPTURE(n);
      copy_store(filled_file, file);
      Faulty faulty(file);
      REQUIRE(run(faulty.db, "PRAGMA synchronous = FULL; PRAGMA cache_size = 5").ok());
      Database(file).must("CREATE TABLE another (n)");
      REQUIRE(run(faulty.db, "BEGIN IMMEDIATE").ok());
      failing_vfs::fail_once(n);
      failing_vfs::reads_too = true;
      const Outcome outcome = run(faulty.db, work.call);
      any = failing_vfs::failed;
      failing_vfs::heal();
      if (sqlite3_get_autocommit(faulty.db) != 0) {
        CHECK_FALSE(outcome.ok());
        CHECK(outcome.message.find("EV00") == std::string::npos);  // it says what was lost
      }
      refused += outcome.ok() ? 0 : 1;
      run(faulty.db, "ROLLBACK");
      REQUIRE(sqlite3_close(faulty.db) == SQLITE_OK);
      CHECK(Database(file).must(contents) == before);
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("a migration where one read fails is done as a whole or not at all") {
  failing_vfs::add();
  const Directory directory;
  const std::string old_file = directory.file("old.db"), file = directory.file("s.db");
  {
    Database db(old_file);
    db.must("SELECT evercore_migrate(3); CREATE TABLE mine (n); CREATE INDEX by_n ON mine (n)");
    db.must("INSERT INTO mine VALUES (1); ANALYZE");
  }
  const long stride = std::getenv("EVERCORE_SOAK") == nullptr ? 3 : 1;
  int refused = 0;
  for (const char* begin : {"SELECT 1", "BEGIN IMMEDIATE"}) {
    bool any = true;
    for (long n = 1; any; n += stride) {
      CAPTURE(std::string(begin));
      CAPTURE(n);
      copy_store(old_file, file);
      Faulty faulty(file);
      REQUIRE(run(faulty.db, "PRAGMA cache_size = 5").ok());
      REQUIRE(run(faulty.db, begin).ok());
      failing_vfs::fail_once(n);
      failing_vfs::reads_too = true;
      const bool done = run(faulty.db, "SELECT evercore_migrate()").ok();
      any = failing_vfs::failed;
      failing_vfs::heal();
      refused += done ? 0 : 1;
      if (begin == std::string("BEGIN IMMEDIATE")) {
        CHECK((!done || sqlite3_get_autocommit(faulty.db) == 0));
        run(faulty.db, "ROLLBACK");
      }
      REQUIRE(sqlite3_close(faulty.db) == SQLITE_OK);
      Database db(file);
      CHECK(db.must("SELECT evercore_migrate()") == "4");
      CHECK(db.must("SELECT evercore_append(evercore_create('T'), 0, 'E', '{}')") == "1");
      CHECK(db.must("SELECT * FROM evercore_check()").empty());
    }
  }
  CHECK(refused > 50);
}

TEST_CASE("where no temporary file can be made the fault names the cure, and the cure works") {
  failing_vfs::add();
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
  failing_vfs::without_temporary_files = true;
  REQUIRE(run(faulty.db, "PRAGMA cache_size = 5; PRAGMA temp_store = FILE").ok());
  const Outcome refused = run(faulty.db, "SELECT evercore_compact(1, 10)");
  CHECK_MESSAGE(refused.message.find("PRAGMA temp_store = MEMORY") != std::string::npos,
                refused.message);
  CHECK((run(faulty.db, contents).rows == before));
  const Outcome cured =
      run(faulty.db, "PRAGMA temp_store = MEMORY; SELECT evercore_compact(1, 10)");
  CHECK_MESSAGE(cured.rows == "590", cured.message);
  failing_vfs::without_temporary_files = false;
  REQUIRE(sqlite3_close(faulty.db) == SQLITE_OK);
}
