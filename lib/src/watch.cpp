#include "evercore/watch.h"

#include <algorithm>
#include <utility>

#include "evercore/engine.h"
#include "evercore/error.h"
#include "pool.h"
#include "sqlite_watch.h"

namespace evercore {

bool Signal::wait(std::uint64_t& seen, std::chrono::microseconds longest,
                  const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const bool raised = raised_.wait_until(lock, stop, detail::WaitClock::now() + longest,
                                         [&] { return count_ > seen; });
  seen = count_;
  return raised;
}

namespace {

class SignalWatch final : public Watch {
 public:
  explicit SignalWatch(Signal& signal) : signal_(signal), seen_(signal.count()) {}
  void wait(std::chrono::milliseconds longest, const std::stop_token& stop) override {
    signal_.wait(seen_, longest, stop);
  }

 private:
  Signal& signal_;
  std::uint64_t seen_;
};

}  // namespace

std::unique_ptr<Watch> StorageEngine::watch() {
  return std::make_unique<SignalWatch>(signal_);
}

namespace detail {

std::int64_t SqliteWatch::data_version() {
  constexpr Statement statement{"PRAGMA data_version", ""};
  std::int64_t version = 0;
  auto sink = [&](const Row& row) { version = row.integer(0); };
  session_.run(Command(statement, {}, sink));
  return version;
}

void SqliteWatch::wait(std::chrono::milliseconds longest, const std::stop_token& stop) {
  using std::chrono::microseconds;
  constexpr microseconds shortest_look{1'000}, longest_look{20'000};
  const auto until = std::chrono::steady_clock::now() + longest;
  for (microseconds look = shortest_look;; look = std::min(look * 2, longest_look)) {
    const auto left = std::chrono::ceil<microseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0 || stop.stop_requested()) return;
    const bool raised = signal_.wait(seen_, std::min(look, left), stop);
    std::int64_t version = version_;
    try {
      version = data_version();
    } catch (const busy_error&) {
      version = version_ + 1;  // the file is being written: that counts as news
    }
    if (std::exchange(version_, version) != version || raised) return;
  }
}

}  // namespace detail
}  // namespace evercore
