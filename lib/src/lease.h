// A runner's hold on one partition of a subscription, and the thread that keeps it while a handler
// is slow.
#ifndef EVERCORE_SRC_LEASE_H
#define EVERCORE_SRC_LEASE_H

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "evercore/engine.h"
#include "evercore/subscription.h"

namespace evercore::detail {

// The calls of the surface that a runner makes, each on a session of the pool. Texts are by value:
// the renewing thread uses them too.
class SubscriptionCalls {
 public:
  SubscriptionCalls(StorageEngine& engine, std::string name, std::string owner,
                    std::chrono::milliseconds lease)
      : engine_(engine), name_(std::move(name)), owner_(std::move(owner)), lease_(lease.count()) {}

  const std::string& name() const noexcept { return name_; }
  void subscribe(const Filter& filter, const Start& start, std::optional<std::int64_t> partitions);
  // How many partitions there are: 0 when there is no such subscription any more.
  std::int64_t partitions();
  bool is_paused();

  std::optional<std::int64_t> claim();
  void ack(std::int64_t token, std::int64_t position);
  void renew(std::int64_t token);
  void release(std::int64_t token, const std::optional<std::string>& error);

  struct Fetched {
    std::vector<RecordedEvent> events;
    bool stuck = false;  // there is news, but the cursor has not moved past it: a pause, or a race
    bool moved = false;  // the cursor has moved past news: there may be more of it
  };
  // The next events, by one call. When there are none, but news after `seen` that the filter keeps out,
  // another moves the cursor past it; `seen` then says how far the runner has looked.
  Fetched fetch(std::int64_t token, std::int64_t limit, std::int64_t& seen);

 private:
  void write(const Command& command);

  StorageEngine& engine_;
  const std::string name_;
  const std::string owner_;
  const std::int64_t lease_;  // milliseconds
};

// Renews the current lease each third of its length, from a thread of its own.
class Renewer {
 public:
  Renewer(SubscriptionCalls& calls, std::chrono::milliseconds lease,
          std::chrono::milliseconds renew_for);
  ~Renewer();
  Renewer(const Renewer&) = delete;
  Renewer& operator=(const Renewer&) = delete;

  // From now on this token is renewed; nothing to renew when empty.
  void keep(std::optional<std::int64_t> token);
  // While a batch is handled the lease is renewed for at most renew_for. Between batches there is no bound.
  void batch_begins();
  void batch_ends();
  // Whether the token being kept was found to be stale.
  bool is_lost();

 private:
  void work();

  SubscriptionCalls& calls_;
  const std::chrono::milliseconds interval_;
  const std::chrono::milliseconds renew_for_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::int64_t> token_;
  std::chrono::steady_clock::time_point renew_until_;
  bool lost_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace evercore::detail

#endif  // EVERCORE_SRC_LEASE_H
