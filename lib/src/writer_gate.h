// Who of this program writes to a SQLite file next.
#ifndef EVERCORE_SRC_WRITER_GATE_H
#define EVERCORE_SRC_WRITER_GATE_H

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "writer_queue.h"

namespace evercore::detail {

// Lets one thread of the process write at a time. Unlike SQLite's own lock it is handed over at once and
// wakes those who wait. With a queue, whoever is let in has its turn among the writers of all programs too.
class WriterGate {
 public:
  explicit WriterGate(std::chrono::milliseconds patience) : patience_(patience) {}
  // Before the first enter().
  void queue_up(const std::string& database) { queue_ = std::make_unique<WriterQueue>(database); }

  void enter() {
    const auto until = WaitClock::now() + patience_;
    {
      std::unique_lock lock(mutex_);
      if (!freed_.wait_until(lock, until, [&] { return !held_; })) {
        throw busy_error("another context of this program held the write lock for too long",
                         "SQLITE_BUSY");
      }
      held_ = true;
    }
    try {
      if (queue_ && !queue_->enter(until)) {
        throw busy_error("SQLITE_BUSY: database is locked: no turn came in the queue of writers",
                         "SQLITE_BUSY");
      }
    } catch (...) {
      open();
      throw;
    }
  }
  void leave() noexcept {
    if (queue_) queue_->leave();
    open();
  }

 private:
  void open() noexcept {
    {
      const std::lock_guard lock(mutex_);
      held_ = false;
    }
    freed_.notify_one();
  }

  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable freed_;
  bool held_ = false;
  std::unique_ptr<WriterQueue> queue_;
};

}  // namespace evercore::detail

#endif  // EVERCORE_SRC_WRITER_GATE_H
