// How runners learn of new events without asking the database all the time.
//
// A runner that has nothing to do waits on its Watch, which the driver made for it
// (StorageEngine::watch). SQLite's looks at the file's change counter every 1 to 20 milliseconds,
// and PostgreSQL's is woken when a notification comes; both are woken by a Signal too, which the
// engine raises after each commit of this process that appended events. A Watch says that it is
// worth looking, never that there is an event: whoever is woken fetches, and waits again when
// nothing came.
//
//   auto watch = engine.watch();  // before the first look, so that nothing comes between
//   while (!stop.stop_requested()) {
//     if (!fetch_and_handle()) watch->wait(std::chrono::seconds{1}, stop);
//   }
#ifndef EVERCORE_WATCH_H
#define EVERCORE_WATCH_H

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>

#include "evercore/detail/language.h"

namespace evercore {

// Wakes the threads of this process that wait for something to happen. It is a counter: each who
// waits keeps the count that he saw last, so that what is raised between two waits is not lost.
// Safe to use from many threads; it must outlive those who wait.
class Signal {
 public:
  // Wakes all who wait, and those who begin to wait with an older count.
  void raise() noexcept {
    {
      const std::lock_guard lock(mutex_);
      ++count_;
    }
    raised_.notify_all();
  }

  // How often it was raised: what a first wait() begins with.
  std::uint64_t count() const noexcept {
    const std::lock_guard lock(mutex_);
    return count_;
  }

  // Waits until it was raised more often than `seen`, but for `longest` at most and not beyond a
  // request to stop. Gives whether it was raised, at once where it already is. Brings `seen` up to
  // date in any case: several raises between are one. `longest` may be 0 or less: then it only
  // looks.
  bool wait(std::uint64_t& seen, std::chrono::microseconds longest, const std::stop_token& stop);

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any raised_;
  std::uint64_t count_ = 0;
};

// One runner's way of waiting for events. Belongs to one thread, and must not outlive the engine
// that made it. News that comes after it was made and before the first wait ends that wait at once.
class Watch {
 public:
  virtual ~Watch() = default;
  // Returns when events may have been appended since the last call (or since the watch was made),
  // after `longest`, or at a request to stop; which of these it was it does not say. It may also
  // return for no reason. Throws engine_error when the engine cannot be asked, such as for a file
  // that cannot be read; a driver that only listens, as PostgreSQL's, throws nothing.
  virtual void wait(std::chrono::milliseconds longest, const std::stop_token& stop) = 0;
};

}  // namespace evercore

#endif  // EVERCORE_WATCH_H
