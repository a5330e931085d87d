// A bounded pool of connections, made when they are first needed.
#ifndef EVERCORE_SRC_POOL_H
#define EVERCORE_SRC_POOL_H

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "evercore/error.h"

namespace evercore::detail {

// Something that differs from thread to thread, for jitter. (std::random_device may throw.)
inline unsigned thread_seed() noexcept {
  const auto thread = std::hash<std::thread::id>{}(std::this_thread::get_id());
  const auto time = std::chrono::steady_clock::now().time_since_epoch().count();
  return static_cast<unsigned>(thread ^ static_cast<std::size_t>(time));
}

// The clock that waits are measured by. ThreadSanitizer of gcc 12 does not know the call that waits by
// the steady clock, and would report races that are none.
#ifdef __SANITIZE_THREAD__
using WaitClock = std::chrono::system_clock;
#else
using WaitClock = std::chrono::steady_clock;
#endif

template <class Connection>
class Pool {
 public:
  Pool(std::size_t size, std::chrono::milliseconds patience) : size_(size), patience_(patience) {
    idle_.reserve(size + 1);
  }

  // An idle connection, or nothing: then the caller makes one, and later passes it to give_back() or calls
  // forget(). `beside` is for a caller that holds a connection and needs another for a moment. One is set
  // aside for those, since all others may be held by callers that wait here.
  enum class For { itself, beside };
  std::unique_ptr<Connection> take(For purpose = For::itself) {
    std::unique_lock lock(mutex_);
    const std::size_t most = purpose == For::beside ? size_ + 1 : size_;
    const auto free = [&] { return taken_ < most; };
    if (!freed_.wait_until(lock, WaitClock::now() + patience_, free)) {
      throw busy_error(
          "no connection came free: all " + std::to_string(size_) +
              " of the pool are in use (a context inside a context needs a second one)",
          "SQLITE_BUSY");
    }
    ++taken_;
    if (idle_.empty()) return nullptr;
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
  }

  void give_back(std::unique_ptr<Connection> connection) noexcept {
    {
      const std::lock_guard lock(mutex_);
      --taken_;
      idle_.push_back(std::move(connection));  // within the memory reserved
    }
    freed_.notify_all();  // one waiter alone might be one that cannot use the place that came free
  }

  // A connection that was taken is closed and will not come back.
  void forget() noexcept {
    {
      const std::lock_guard lock(mutex_);
      --taken_;
    }
    freed_.notify_all();
  }

 private:
  const std::size_t size_;
  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t taken_ = 0;
};

}  // namespace evercore::detail

#endif  // EVERCORE_SRC_POOL_H
