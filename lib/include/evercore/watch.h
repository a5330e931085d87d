// How runners learn of new events without asking the database all the time.
//
// A runner that has nothing to do waits on its Watch, which the driver made for it (StorageEngine::watch).
// SQLite's looks at the file's change counter every few milliseconds and PostgreSQL's listens for a
// notification; both are woken by a Signal too, which the engine raises after each commit that appended events.
// A Watch says that it is worth looking, never that there is an event: whoever is woken fetches, and waits
// again when nothing came.
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

// Wakes the threads of this process that wait for something to happen. Safe to use from many
// threads.
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

  // How often it was raised.
  std::uint64_t count() const noexcept {
    const std::lock_guard lock(mutex_);
    return count_;
  }

  // Waits until it was raised more often than `seen`, which is brought up to date, but for `longest`
  // at most and not beyond a request to stop. Gives whether it was raised.
  bool wait(std::uint64_t& seen, std::chrono::microseconds longest, const std::stop_token& stop);

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any raised_;
  std::uint64_t count_ = 0;
};

// One runner's way of waiting for events. Belongs to one thread.
class Watch {
 public:
  virtual ~Watch() = default;
  // Returns when events may have been appended since the last call, after `longest`, or at a request
  // to stop. It may also return for no reason.
  virtual void wait(std::chrono::milliseconds longest, const std::stop_token& stop) = 0;
};

}  // namespace evercore

#endif  // EVERCORE_WATCH_H
