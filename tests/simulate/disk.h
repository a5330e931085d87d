// A disk that forgets: a VFS of SQLite that keeps its files in memory and fails when it is told to.
//
// What is written stands in the file at once, as in the page cache of an operating system. Only a
// sync makes it durable. When the power goes, each sector written since then is there, is not, or is
// there in part, whatever the order of the writes was; a file that was made or removed without a
// sync may be there or not. When only the process dies, what was written stays.
//
// arm(), peace(), restart() and settle() are called while nothing else is. Locks and the shared memory of the write-ahead log are kept here too, so that the
// connections of one process meet each other as those of several would.
#pragma once

#include <sqlite3.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "simulate/random.h"

namespace evercore::simulate {

/// What happens at an I/O call.
enum class Trouble {
  none,
  fail,   ///< the call fails, and leaves nothing
  tear,   ///< a write is cut in the middle, and fails
  full,   ///< no file can grow, until peace()
  death,  ///< the process dies: from here on every call fails
  power   ///< so does the machine
};

/// Bytes that were written and not yet synced, or a new size.
struct Pending {
  std::int64_t offset;
  std::string bytes;
  bool is_size;  ///< then offset is it
};

struct Handle;

struct File {
  std::string bytes;    ///< what reads give
  std::string durable;  ///< what is on the platter
  std::vector<Pending> pending;
  bool listed = false;  ///< its name is on the platter
  std::vector<Handle*> handles;
  std::vector<std::unique_ptr<char[]>> shared;  ///< regions of shared memory
};

class Disk {
 public:
  explicit Disk(std::uint64_t seed);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  [[nodiscard]] const char* vfs() const { return vfs_.zName; }

  /// At the `calls`-th call from now (1: the next) this happens.
  void arm(Trouble trouble, std::int64_t calls);
  /// Nothing more will fail; whether anything did since arm().
  bool peace();
  [[nodiscard]] bool is_dead() const { return dead_; }

  /// A new process on what is left: call when all connections are closed. After `power` each
  /// unsynced sector survives by `random`.
  void restart(Trouble how, Random random);
  /// All that was written is on the platter now, as some minutes later.
  void settle();
  /// Puts a copy of one file in the place of another, which loses its journals.
  void replace(const std::string& name, const std::string& by);

  /// Whether the next I/O call fails; for the VFS below.
  Trouble trip(bool grows = false);
  std::map<std::string, std::shared_ptr<File>> files;
  std::map<std::string, std::shared_ptr<File>> removed;  ///< whose removal was not synced
  Random noise;
  std::mutex mutex;  ///< held in each call of a file; for the VFS below

 private:
  sqlite3_vfs vfs_;
  std::string name_;
  Trouble armed_ = Trouble::none;
  std::int64_t calls_left_ = 0;
  bool happened_ = false;
  bool full_ = false;
  bool dead_ = false;
};

/// The one clock of the simulated machine, in microseconds since 1970. The extension reads it through
/// a function that the linker puts in place of its own; SQLite through the VFS.
inline std::atomic<std::int64_t> machine_time = 0;

}  // namespace evercore::simulate
