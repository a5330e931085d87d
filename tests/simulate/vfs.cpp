// The functions that SQLite calls: each asks the disk whether it may.
#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "simulate/disk.h"

namespace evercore::simulate {

/// An open file of one connection.
struct Handle {
  sqlite3_file base;
  Disk* disk;
  std::shared_ptr<File>* file;
  int lock;
  unsigned shared_locks;     ///< of the shared memory, a bit each
  unsigned exclusive_locks;  ///< likewise
};

namespace {

Disk& disk_of(sqlite3_vfs* vfs) {
  return *static_cast<Disk*>(vfs->pAppData);
}

Handle* handle(sqlite3_file* file) {
  return reinterpret_cast<Handle*>(file);
}
File& data(sqlite3_file* file) {
  return **handle(file)->file;
}
bool trips(sqlite3_file* file) {
  return handle(file)->disk->trip() != Trouble::none;
}

int close_file(sqlite3_file* file) {
  std::erase(data(file).handles, handle(file));
  delete handle(file)->file;
  return SQLITE_OK;
}

int read_file(sqlite3_file* file, void* out, int size, sqlite3_int64 at) {
  if (trips(file)) return SQLITE_IOERR_READ;
  const std::string& bytes = data(file).bytes;
  const auto there =
      std::clamp<sqlite3_int64>(static_cast<sqlite3_int64>(bytes.size()) - at, 0, size);
  if (there > 0) std::memcpy(out, bytes.data() + at, static_cast<std::size_t>(there));
  if (there == size) return SQLITE_OK;
  std::memset(static_cast<char*>(out) + there, 0, static_cast<std::size_t>(size - there));
  return SQLITE_IOERR_SHORT_READ;
}

void store(File& file, sqlite3_int64 at, const char* bytes, std::size_t size) {
  const auto end = static_cast<std::size_t>(at) + size;
  if (file.bytes.size() < end) file.bytes.resize(end, '\0');
  std::memcpy(file.bytes.data() + at, bytes, size);
  file.pending.push_back({at, std::string(bytes, size), false});
}

int write_file(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
  File& target = data(file);
  const bool grows = static_cast<std::size_t>(at + size) > target.bytes.size();
  const Trouble trouble = handle(file)->disk->trip(grows);
  const auto* from = static_cast<const char*>(bytes);
  switch (trouble) {
    case Trouble::none:
      store(target, at, from, static_cast<std::size_t>(size));
      return SQLITE_OK;
    case Trouble::full:
      return SQLITE_FULL;
    case Trouble::tear:
      store(target, at, from, static_cast<std::size_t>(handle(file)->disk->noise.below(size)));
      return SQLITE_IOERR_WRITE;
    default:
      return SQLITE_IOERR_WRITE;
  }
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  if (trips(file)) return SQLITE_IOERR_TRUNCATE;
  data(file).bytes.resize(static_cast<std::size_t>(size), '\0');
  data(file).pending.push_back({size, {}, true});
  return SQLITE_OK;
}

int sync_file(sqlite3_file* file, int) {
  if (trips(file)) return SQLITE_IOERR_FSYNC;
  File& target = data(file);
  target.durable = target.bytes;
  target.pending.clear();
  // As SQLite's own VFS does for a new journal: with its name go those that were taken away.
  if (!std::exchange(target.listed, true)) handle(file)->disk->removed.clear();
  return SQLITE_OK;
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  if (trips(file)) return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>(data(file).bytes.size());
  return SQLITE_OK;
}

bool another(sqlite3_file* file, int least) {
  const auto& handles = data(file).handles;
  return std::any_of(handles.begin(), handles.end(), [&](const Handle* other) {
    return other != handle(file) && other->lock >= least;
  });
}

int lock_file(sqlite3_file* file, int wanted) {
  if (handle(file)->lock >= wanted) return SQLITE_OK;
  if (trips(file)) return SQLITE_IOERR_LOCK;
  if (wanted == SQLITE_LOCK_SHARED) {
    if (another(file, SQLITE_LOCK_PENDING)) return SQLITE_BUSY;
  } else if (another(file, SQLITE_LOCK_RESERVED)) {
    return SQLITE_BUSY;
  } else if (wanted == SQLITE_LOCK_EXCLUSIVE && another(file, SQLITE_LOCK_SHARED)) {
    handle(file)->lock = SQLITE_LOCK_PENDING;
    return SQLITE_BUSY;
  }
  handle(file)->lock = wanted;
  return SQLITE_OK;
}
int unlock_file(sqlite3_file* file, int lock) {
  handle(file)->lock = std::min(handle(file)->lock, lock);
  return SQLITE_OK;
}
int check_lock(sqlite3_file* file, int* out) {
  if (trips(file)) return SQLITE_IOERR_CHECKRESERVEDLOCK;
  *out = handle(file)->lock >= SQLITE_LOCK_RESERVED || another(file, SQLITE_LOCK_RESERVED);
  return SQLITE_OK;
}

int control_file(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
  return 512;
}
int characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int map_shared(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
  if (trips(file)) return SQLITE_IOERR_SHMMAP;
  auto& regions = data(file).shared;
  while (extend != 0 && regions.size() <= static_cast<std::size_t>(region)) {
    regions.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
  }
  *out = regions.size() > static_cast<std::size_t>(region)
             ? regions[static_cast<std::size_t>(region)].get()
             : nullptr;
  return SQLITE_OK;
}

int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  Handle& own = *handle(file);
  const unsigned bits = ((1U << count) - 1) << offset;
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    own.shared_locks &= ~bits;
    own.exclusive_locks &= ~bits;
    return SQLITE_OK;
  }
  if (trips(file)) return SQLITE_IOERR_SHMLOCK;
  for (const Handle* other : data(file).handles) {
    if (other == &own) continue;
    if ((other->exclusive_locks & bits) != 0) return SQLITE_BUSY;
    if ((flags & SQLITE_SHM_EXCLUSIVE) != 0 && (other->shared_locks & bits) != 0)
      return SQLITE_BUSY;
  }
  ((flags & SQLITE_SHM_EXCLUSIVE) != 0 ? own.exclusive_locks : own.shared_locks) |= bits;
  return SQLITE_OK;
}

void barrier(sqlite3_file* file) {
  const std::lock_guard lock(handle(file)->disk->mutex);
}

int unmap_shared(sqlite3_file* file, int remove) {
  handle(file)->shared_locks = handle(file)->exclusive_locks = 0;
  if (remove != 0) data(file).shared.clear();
  return SQLITE_OK;
}

/// Whatever threads there are, the disk does one thing at a time.
template <auto function>
struct Alone;
template <class... Arguments, int (*function)(sqlite3_file*, Arguments...)>
struct Alone<function> {
  static int call(sqlite3_file* file, Arguments... arguments) {
    const std::lock_guard lock(handle(file)->disk->mutex);
    return function(file, arguments...);
  }
};
template <class... Arguments, int (*function)(sqlite3_vfs*, Arguments...)>
struct Alone<function> {
  static int call(sqlite3_vfs* vfs, Arguments... arguments) {
    const std::lock_guard lock(disk_of(vfs).mutex);
    return function(vfs, arguments...);
  }
};

const sqlite3_io_methods methods = {2,
                                    Alone<close_file>::call,
                                    Alone<read_file>::call,
                                    Alone<write_file>::call,
                                    Alone<truncate_file>::call,
                                    Alone<sync_file>::call,
                                    Alone<size_of_file>::call,
                                    Alone<lock_file>::call,
                                    Alone<unlock_file>::call,
                                    Alone<check_lock>::call,
                                    control_file,
                                    sector_size,
                                    characteristics,
                                    Alone<map_shared>::call,
                                    Alone<lock_shared>::call,
                                    barrier,
                                    Alone<unmap_shared>::call,
                                    nullptr,
                                    nullptr};

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
  Disk& disk = disk_of(vfs);
  file->pMethods = nullptr;
  if (disk.trip() != Trouble::none) return SQLITE_CANTOPEN;
  std::shared_ptr<File> opened = std::make_shared<File>();
  if (name != nullptr) {
    const auto there = disk.files.find(name);
    if (there == disk.files.end() && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    opened = there != disk.files.end() ? there->second : (disk.files[name] = opened);
  }
  *handle(file) = {{&methods}, &disk, new std::shared_ptr<File>(opened), SQLITE_LOCK_NONE, 0, 0};
  opened->handles.push_back(handle(file));
  if (out != nullptr) *out = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync) {
  Disk& disk = disk_of(vfs);
  if (disk.trip() != Trouble::none) return SQLITE_IOERR_DELETE;
  const auto there = disk.files.find(name);
  if (there == disk.files.end()) return SQLITE_IOERR_DELETE_NOENT;
  if (sync == 0 && there->second->listed) disk.removed[name] = there->second;
  disk.files.erase(there);
  return SQLITE_OK;
}

int has_file(sqlite3_vfs* vfs, const char* name, int, int* out) {
  Disk& disk = disk_of(vfs);
  if (disk.trip() != Trouble::none) return SQLITE_IOERR_ACCESS;
  const auto there = disk.files.find(name);
  *out = there != disk.files.end() && !there->second->bytes.empty();
  return SQLITE_OK;
}

int full_name(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}
int noise(sqlite3_vfs* vfs, int size, char* out) {
  for (int i = 0; i < size; ++i) out[i] = static_cast<char>(disk_of(vfs).noise.next());
  return size;
}
int sleep(sqlite3_vfs*, int microseconds) {
  machine_time += microseconds;
  return microseconds;
}
int days(sqlite3_vfs*, double* out) {
  *out = static_cast<double>(machine_time) / 86400e6 + 2440587.5;
  return SQLITE_OK;
}
int milliseconds(sqlite3_vfs*, sqlite3_int64* out) {
  *out = machine_time / 1000 + 210866760000000;  // from the Julian epoch
  return SQLITE_OK;
}
int last_error(sqlite3_vfs*, int, char*) {
  return 0;
}

}  // namespace

Disk::Disk(std::uint64_t seed) : noise(seed), vfs_(), name_("simulated") {
  vfs_.iVersion = 2;
  vfs_.szOsFile = sizeof(Handle);
  vfs_.mxPathname = 100;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = Alone<open_file>::call;
  vfs_.xDelete = Alone<delete_file>::call;
  vfs_.xAccess = Alone<has_file>::call;
  vfs_.xFullPathname = full_name;
  vfs_.xRandomness = Alone<evercore::simulate::noise>::call;
  vfs_.xSleep = sleep;
  vfs_.xCurrentTime = days;
  vfs_.xGetLastError = last_error;
  vfs_.xCurrentTimeInt64 = milliseconds;
  sqlite3_vfs_register(&vfs_, 1);
  sqlite3_randomness(0, nullptr);  // its generator starts anew, from this disk's noise
}

Disk::~Disk() {
  sqlite3_vfs_unregister(&vfs_);
}

}  // namespace evercore::simulate
