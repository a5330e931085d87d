#include "subscription_runner.h"

#include <unistd.h>

#include <algorithm>

#include "evercore/error.h"
#include "unit_of_work.h"

namespace evercore::detail {

namespace {

// Batches of one partition before another gets its turn: enough to make up for claiming.
constexpr int batches_of_a_turn = 16;
// How often, at most and at least, a runner looks when nothing wakes it.
constexpr std::chrono::milliseconds shortest_look{10}, longest_look{1'000};

std::string owner_of(const SubscriptionOptions& options) {
  if (!options.owner.empty()) return options.owner;
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  return std::string(host).substr(0, 200) + ":" + std::to_string(getpid());
}

// What a handler threw, apart from what the store throws around it.
struct HandlerFault {
  std::exception_ptr fault;
  std::string text;
};

}  // namespace

SubscriptionRunner::SubscriptionRunner(std::function<std::shared_ptr<UnitOfWork>()> begin,
                                       StorageEngine& engine, std::string_view name,
                                       const SubscriptionOptions& options, const Handler& handler)
    : begin_(std::move(begin)),
      options_(bounded(options)),
      handler_(handler),
      calls_(engine, std::string(name), owner_of(options), options.lease),
      watch_(engine.watch()),
      retry_(options_),
      renewer_(calls_, options_.lease, options_.renew_for),
      limit_(options_.batch_size),
      pause_(options_.poll_shortest),
      look_interval_(std::max(options_.lease / 2, shortest_look)) {}

SubscriptionRunner::~SubscriptionRunner() {
  drop();
}

SubscriptionEnd SubscriptionRunner::run(const Filter& filter, const Start& start) {
  calls_.subscribe(filter, start, options_.partitions);
  while (!options_.stop.stop_requested()) {
    try {
      const auto end = turn();
      conflicts_ = 0;
      if (end) return *end;
    } catch (const HandlerFault& thrown) {
      recover(thrown.fault, thrown.text);
    } catch (const lease_lost_error&) {
      lose();
    } catch (const not_found_error& fault) {
      if (is_removed()) return SubscriptionEnd::removed;
      recover(std::current_exception(), fault.what());
    } catch (const connection_error&) {
      retry_.wait_for_server();
    } catch (const error& fault) {
      if (fault.retryable() && ++conflicts_ < RetryOptions{}.attempts) {
        wait_before(conflicts_ + 1, RetryOptions{}.first_wait, RetryOptions{}.max_wait);
      } else {
        recover(std::current_exception(), fault.what());
      }
    }
  }
  return SubscriptionEnd::stopped;
}

// After a failure: those before the one that failed go through first, it is then tried again by
// itself.
void SubscriptionRunner::recover(const std::exception_ptr& fault, const std::string& text) {
  limit_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(done_));
  if (done_ == 0 && !retry_.failed()) give_up(fault, text);
}

bool SubscriptionRunner::is_removed() noexcept {
  try {
    return calls_.partitions() == 0;
  } catch (...) {
    return false;  // the next turn tells
  }
}

std::optional<SubscriptionEnd> SubscriptionRunner::turn() {
  done_ = 0;
  if (!token_) {
    const auto token = calls_.claim();
    if (!token) return without_partition();
    hold(*token);
  }
  if (partitions_ == 0) {
    partitions_ = calls_.partitions();
    to_visit_ = partitions_ - 1;
  }
  acknowledge();
  const auto fetched = calls_.fetch(*token_, limit_, seen_);
  if (fetched.events.empty()) {
    retry_.succeeded();
    if (fetched.moved) return std::nullopt;
    if (seen_ > furthest_) to_visit_ = partitions_ - 1;
    furthest_ = std::max(furthest_, seen_);
    return without_events(fetched.stuck);
  }
  renewer_.batch_begins();
  handle(fetched.events);
  renewer_.batch_ends();
  retry_.succeeded();
  limit_ = limit_ > options_.batch_size / 2 ? options_.batch_size : limit_ * 2;
  pause_ = options_.poll_shortest;
  to_visit_ = partitions_ - 1;
  if (partitions_ > 1 && ++batches_ >= batches_of_a_turn) move_on();
  return std::nullopt;
}

// All are taken, or the subscription is paused.
std::optional<SubscriptionEnd> SubscriptionRunner::without_partition() {
  retry_.succeeded();
  if (!options_.wait_for_lease && !calls_.is_paused()) {
    const auto token = calls_.claim();  // it may have been resumed after the first claim
    if (!token) return SubscriptionEnd::owned_by_another;
    hold(*token);
    return std::nullopt;
  }
  retry_.wait(std::min(pause_, look_interval_));
  pause_ = std::min(pause_ * 2, options_.poll_longest);
  return std::nullopt;
}

std::optional<SubscriptionEnd> SubscriptionRunner::without_events(bool stuck) {
  const auto now = std::chrono::steady_clock::now();
  if (to_visit_ > 0) {
    --to_visit_;
    if (move_on()) return std::nullopt;
    to_visit_ = 0;
  }
  if (options_.until_caught_up && !calls_.is_paused()) return SubscriptionEnd::caught_up;
  // A partition whose runner died comes free without any news.
  if (partitions_ > 1 && now >= look_around_) {
    look_around_ = now + look_interval_;
    to_visit_ = partitions_ - 1;
    return std::nullopt;
  }
  idle(stuck);
  return std::nullopt;
}

// The watch reports any change of the store. While the runner is stuck its own ack is such a change, and
// would wake it.
void SubscriptionRunner::idle(bool stuck) {
  if (stuck) {
    retry_.wait(stuck_pause_);
    stuck_pause_ = std::clamp(stuck_pause_ * 2, shortest_look, longest_look);
    return;
  }
  stuck_pause_ = {};
  watch_->wait(partitions_ > 1 ? std::min(pause_, look_interval_) : pause_, options_.stop);
  pause_ = std::min(pause_ * 2, options_.poll_longest);
}

void SubscriptionRunner::hold(std::int64_t token) {
  token_ = token;
  renewer_.keep(token);
  owed_.reset();
  seen_ = 0;
  batches_ = 0;
}

// Claims another partition and releases the current one. False when none is free.
bool SubscriptionRunner::move_on() {
  const auto next = calls_.claim();
  batches_ = 0;
  if (!next) return false;
  const std::int64_t old = *token_;
  hold(*next);
  try {
    calls_.release(old, std::nullopt);
  } catch (const lease_lost_error&) {
    partitions_ = 0;  // it may be that there are more now, or fewer
  }
  return true;
}

// Another has the partition, or the subscription was reset.
void SubscriptionRunner::lose() {
  renewer_.keep(std::nullopt);
  token_.reset();
  owed_.reset();
  partitions_ = 0;
}

// Gives the partition up, if there is one, so that others need not wait for the lease's end.
void SubscriptionRunner::drop() noexcept {
  if (!token_) return;
  renewer_.keep(std::nullopt);
  try {
    acknowledge();
    calls_.release(*token_, std::nullopt);
  } catch (...) {
    // The lease runs out by itself.
  }
  token_.reset();
}

void SubscriptionRunner::give_up(const std::exception_ptr& fault, const std::string& text) {
  renewer_.keep(std::nullopt);
  try {
    if (token_) calls_.release(*token_, text);
  } catch (...) {
    // The fault itself goes to the caller.
  }
  std::rethrow_exception(fault);
}

std::size_t SubscriptionRunner::call(Context* context, std::span<const RecordedEvent> events) {
  const std::size_t step = handler_.takes_batch ? events.size() : 1;
  for (done_ = 0; done_ < events.size(); done_ += step) {
    if (done_ > 0 && (options_.stop.stop_requested() || renewer_.is_lost())) break;
    try {
      handler_.call(context, events.subspan(done_, step));
    } catch (...) {
      const RecordedEvent& event = events[done_];
      const std::exception_ptr fault = std::current_exception();
      throw HandlerFault{fault, "event \"" + event.event_type + "\" at position " +
                                    std::to_string(event.position) + ": " + text_of(fault)};
    }
  }
  return done_;
}

void SubscriptionRunner::handle(const std::vector<RecordedEvent>& events) {
  if (handler_.takes_context) {
    handle_in_context(events);
  } else {
    handle_and_ack(events);
  }
}

// Events handled before a failure are acknowledged all the same. An ack that fails is made up for later:
// what was handled is not handed over again because of it.
void SubscriptionRunner::handle_and_ack(const std::vector<RecordedEvent>& events) {
  try {
    call(nullptr, events);
  } catch (const HandlerFault&) {
    if (done_ > 0) owed_ = events[done_ - 1].position;
    throw;
  }
  owed_ = events[std::exchange(done_, 0) - 1].position;
  acknowledge();
}

void SubscriptionRunner::acknowledge() {
  if (owed_) calls_.ack(*token_, *owed_);
  owed_.reset();
}

void SubscriptionRunner::handle_in_context(const std::vector<RecordedEvent>& events) {
  Context context(begin_());
  const std::size_t count = call(&context, events);
  context.work_->stage_ack(calls_.name(), *token_, events[count - 1].position);
  done_ = 0;  // a commit that fails has handled none
  commit(*context.work_);
}

}  // namespace evercore::detail

namespace evercore {

SubscriptionEnd EventStore::run_handler(std::string_view name, const Filter& filter,
                                        const Start& start, const SubscriptionOptions& options,
                                        const detail::Handler& handler) {
  detail::require_valid(options);
  detail::SubscriptionRunner runner([this] { return begin(false); }, *core_->engine, name, options,
                                    handler);
  return runner.run(filter, start);
}

}  // namespace evercore
