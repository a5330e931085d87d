// One runner of a durable subscription: claim, fetch, handle, acknowledge, and over again.
//
// It holds one partition at a time. When that has nothing more to give, or after some batches, it
// claims the next free one, which is the one that was given the longest time ago, and only then
// gives its own up: so any number of runners goes through all partitions, and a runner that finds
// none free keeps what it has.
#ifndef EVERCORE_SRC_SUBSCRIPTION_RUNNER_H
#define EVERCORE_SRC_SUBSCRIPTION_RUNNER_H

#include <exception>

#include "evercore/store.h"
#include "lease.h"
#include "retry.h"

namespace evercore::detail {

class SubscriptionRunner {
 public:
  SubscriptionRunner(std::function<std::shared_ptr<UnitOfWork>()> begin, StorageEngine& engine,
                     std::string_view name, const SubscriptionOptions& options,
                     const Handler& handler);
  ~SubscriptionRunner();
  SubscriptionRunner(const SubscriptionRunner&) = delete;
  SubscriptionRunner& operator=(const SubscriptionRunner&) = delete;
  SubscriptionEnd run(const Filter& filter, const Start& start);

 private:
  // One turn of the loop; a value when the run is over.
  std::optional<SubscriptionEnd> turn();
  std::optional<SubscriptionEnd> without_partition();
  std::optional<SubscriptionEnd> without_events(bool stuck);
  void handle(const std::vector<RecordedEvent>& events);
  void handle_and_ack(const std::vector<RecordedEvent>& events);
  void handle_in_context(const std::vector<RecordedEvent>& events);
  void acknowledge();
  // Hands events over one by one or together; gives how many were handled before a stop.
  std::size_t call(Context* context, std::span<const RecordedEvent> events);
  void recover(const std::exception_ptr& fault, const std::string& text);
  bool is_removed() noexcept;
  [[noreturn]] void give_up(const std::exception_ptr& fault, const std::string& text);
  bool move_on();
  void hold(std::int64_t token);
  void lose();
  void drop() noexcept;
  void idle(bool stuck);

  const std::function<std::shared_ptr<UnitOfWork>()> begin_;
  const SubscriptionOptions options_;
  const Handler& handler_;
  SubscriptionCalls calls_;
  std::unique_ptr<Watch> watch_;
  Retry retry_;
  Renewer renewer_;

  std::optional<std::int64_t> token_;
  std::optional<std::int64_t> owed_;  // handled up to there, not acknowledged yet
  std::int64_t partitions_ = 0;       // 0: to be asked for
  std::int64_t to_visit_ = 0;         // partitions to look into before going idle
  std::int64_t seen_ = 0;             // how far the partition at hand was looked through
  std::int64_t furthest_ = 0;         // how far any was
  std::int64_t limit_;                // of the next fetch
  int conflicts_ = 0;                 // retryable errors in a row
  int batches_ = 0;                   // handled since the partition was claimed
  std::size_t done_ = 0;              // events of the batch at hand that were handled
  std::chrono::milliseconds pause_;
  std::chrono::milliseconds stuck_pause_{0};
  const std::chrono::milliseconds look_interval_;  // for partitions whose runner died
  std::chrono::steady_clock::time_point look_around_{};
};

}  // namespace evercore::detail

#endif  // EVERCORE_SRC_SUBSCRIPTION_RUNNER_H
