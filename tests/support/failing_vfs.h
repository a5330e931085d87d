// A VFS of real files whose n-th write, truncation, sync or removal fails, a write torn in its middle. For the
// extension's tests, and for those of the library, whose threads write at once.
#pragma once

#include <sqlite3.h>

#include <atomic>

namespace failing_vfs {

inline constexpr const char* name = "failing";

inline std::atomic<long> calls_left = -1;    ///< -1: none fails
inline std::atomic<bool> failed = false;     ///< whether one did
inline std::atomic<bool> goes_on = false;    ///< failing, after the first
inline std::atomic<bool> reads_too = false;  ///< reads count as well
inline std::atomic<bool> without_temporary_files = false;

/// The n-th call from now on fails, and all behind it.
inline void fail_from(long n) {
  failed = false;
  goes_on = true;
  calls_left = n;
}
/// The n-th call from now on fails alone.
inline void fail_once(long n) {
  failed = goes_on = false;
  calls_left = n;
}
inline void heal() {
  calls_left = -1;
  failed = goes_on = reads_too = false;
}

inline bool write_fails() {
  if (failed && goes_on) return true;
  if (calls_left < 0 || --calls_left != 0) return false;
  return failed = true;
}

/// A file of the real VFS behind one of ours.
struct File {
  sqlite3_file base;
  sqlite3_file* real;
};
inline sqlite3_file* real(sqlite3_file* file) {
  return reinterpret_cast<File*>(file)->real;
}

inline sqlite3_vfs* real_vfs() {
  return sqlite3_vfs_find("unix");
}

inline int close_file(sqlite3_file* file) {
  return real(file)->pMethods->xClose(real(file));
}
inline int read_file(sqlite3_file* file, void* data, int size, sqlite3_int64 at) {
  if (reads_too && write_fails()) return SQLITE_IOERR_READ;
  return real(file)->pMethods->xRead(real(file), data, size, at);
}
inline int write_file(sqlite3_file* file, const void* data, int size, sqlite3_int64 at) {
  if (!write_fails()) return real(file)->pMethods->xWrite(real(file), data, size, at);
  real(file)->pMethods->xWrite(real(file), data, size / 2, at);  // torn
  return SQLITE_IOERR_WRITE;
}
inline int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  return write_fails() ? SQLITE_IOERR_TRUNCATE : real(file)->pMethods->xTruncate(real(file), size);
}
/// Nothing is synced: the machine itself stays up, and tests are many.
inline int sync_file(sqlite3_file*, int) {
  return write_fails() ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}
inline int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}
inline int lock_file(sqlite3_file* file, int lock) {
  return real(file)->pMethods->xLock(real(file), lock);
}
inline int unlock_file(sqlite3_file* file, int lock) {
  return real(file)->pMethods->xUnlock(real(file), lock);
}
inline int check_lock(sqlite3_file* file, int* out) {
  return real(file)->pMethods->xCheckReservedLock(real(file), out);
}
inline int control_file(sqlite3_file* file, int op, void* argument) {
  return real(file)->pMethods->xFileControl(real(file), op, argument);
}
inline int sector_size(sqlite3_file* file) {
  return real(file)->pMethods->xSectorSize(real(file));
}
inline int characteristics(sqlite3_file*) {
  return 0;
}
inline int map_shm(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}
inline int lock_shm(sqlite3_file* file, int offset, int n, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}
inline void barrier_shm(sqlite3_file* file) {
  real(file)->pMethods->xShmBarrier(real(file));
}
inline int unmap_shm(sqlite3_file* file, int remove) {
  return real(file)->pMethods->xShmUnmap(real(file), remove);
}

inline const sqlite3_io_methods methods = {
    2,         close_file,  read_file,  write_file,   truncate_file, sync_file,       size_of_file,
    lock_file, unlock_file, check_lock, control_file, sector_size,   characteristics, map_shm,
    lock_shm,  barrier_shm, unmap_shm,  nullptr,      nullptr};

inline int open_file(sqlite3_vfs*, const char* file_name, sqlite3_file* file, int flags, int* out) {
  auto* own = reinterpret_cast<File*>(file);
  own->real = reinterpret_cast<sqlite3_file*>(own + 1);
  own->base.pMethods = nullptr;
  if (file_name == nullptr && without_temporary_files) return SQLITE_CANTOPEN;
  const int rc = real_vfs()->xOpen(real_vfs(), file_name, own->real, flags, out);
  if (own->real->pMethods != nullptr) own->base.pMethods = &methods;
  return rc;
}
inline int delete_file(sqlite3_vfs*, const char* file_name, int sync) {
  return write_fails() ? SQLITE_IOERR_DELETE : real_vfs()->xDelete(real_vfs(), file_name, sync);
}

inline sqlite3_vfs make_vfs() {
  sqlite3_vfs vfs = *real_vfs();
  vfs.szOsFile = static_cast<int>(sizeof(File)) + real_vfs()->szOsFile;
  vfs.pNext = nullptr;
  vfs.zName = name;
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  return vfs;
}

/// Makes it known to SQLite; as the one that is taken where none is named, if that is wanted.
inline void add(bool as_default = false) {
  static sqlite3_vfs vfs = make_vfs();
  sqlite3_vfs_register(&vfs, as_default ? 1 : 0);
}
/// SQLite's own is taken again where none is named.
inline void step_back() {
  sqlite3_vfs_register(real_vfs(), 1);
}

}  // namespace failing_vfs
