#include "lease.h"

#include <system_error>

#include "evercore/error.h"
#include "filter.h"
#include "pool.h"
#include "recorded_event.h"
#include "statements.h"
#include "unit_of_work.h"

namespace evercore::detail {

void SubscriptionCalls::write(const Command& command) {
  engine_.write({}, std::span(&command, 1));
}

void SubscriptionCalls::subscribe(const Filter& filter, const Start& start,
                                  std::optional<std::int64_t> partitions) {
  const std::string json = filter_as_json(filter);
  write(Command(statements::subscribe,
                {name_, json.empty() ? Parameter() : Parameter(json), start.text(),
                 partitions ? Parameter(*partitions) : Parameter()}));
}

std::int64_t SubscriptionCalls::partitions() {
  std::int64_t count = 0;
  auto sink = [&](const Row& row) { count = row.integer(0); };
  engine_.session()->run(Command(statements::subscription, {name_}, sink));
  return count;
}

bool SubscriptionCalls::is_paused() {
  bool paused = false;
  auto sink = [&](const Row& row) { paused = row.integer(0) > row.integer(1); };
  engine_.session()->run(Command(statements::subscription, {name_}, sink));
  return paused;
}

std::optional<std::int64_t> SubscriptionCalls::claim() {
  std::optional<std::int64_t> token;
  auto sink = [&](const Row& row) {
    if (!row.is_null(0)) token = row.integer(0);
  };
  write(Command(statements::claim, {name_, owner_, lease_}, sink));
  return token;
}

void SubscriptionCalls::ack(std::int64_t token, std::int64_t position) {
  write(Command(statements::ack, {name_, token, position}));
}

void SubscriptionCalls::renew(std::int64_t token) {
  write(Command(statements::renew, {name_, token, lease_}));
}

void SubscriptionCalls::release(std::int64_t token, const std::optional<std::string>& error) {
  write(Command(statements::release, {name_, token, error ? Parameter(*error) : Parameter()}));
}

SubscriptionCalls::Fetched SubscriptionCalls::fetch(std::int64_t token, std::int64_t limit,
                                                    std::int64_t& seen) {
  Fetched fetched;
  bool news = false;
  const SessionHandle session = engine_.session();
  auto event_sink = [&](const Row& row) {
    const std::int64_t position = row.integer(0);
    if (position > 0) {
      fetched.events.push_back(recorded_event(row));
    } else {
      news = position < 0;
    }
  };
  session->run(Command(statements::fetch, {seen, name_, token, limit}, event_sink));
  if (!news) return fetched;
  // On the session of the empty fetch: only that connection knows how far the fetch has looked.
  auto cursor_sink = [&](const Row& row) {
    fetched.stuck = row.integer(0) <= seen;
    seen = std::max(seen, row.integer(0));
  };
  session->run(Command(statements::ack, {name_, token, nullptr}, cursor_sink));
  fetched.moved = !fetched.stuck;
  return fetched;
}

Renewer::Renewer(SubscriptionCalls& calls, std::chrono::milliseconds lease,
                 std::chrono::milliseconds renew_for)
    : calls_(calls), interval_(lease / 3 + std::chrono::milliseconds{1}), renew_for_(renew_for) {
  try {
    thread_ = std::thread([this] { work(); });
  } catch (const std::system_error&) {
    throw engine_error("no thread can be started", {});
  }
}

Renewer::~Renewer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Renewer::keep(std::optional<std::int64_t> token) {
  const std::lock_guard lock(mutex_);
  token_ = token;
  lost_ = false;
  renew_until_ = renew_until_.max();
}

void Renewer::batch_begins() {
  const std::lock_guard lock(mutex_);
  renew_until_ = std::chrono::steady_clock::now() + renew_for_;
}

void Renewer::batch_ends() {
  const std::lock_guard lock(mutex_);
  renew_until_ = renew_until_.max();
}

bool Renewer::is_lost() {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void Renewer::work() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_until(lock, WaitClock::now() + interval_, [&] { return stopping_; })) {
    if (!token_ || lost_ || std::chrono::steady_clock::now() > renew_until_) continue;
    const std::int64_t token = *token_;
    bool lost = false;
    lock.unlock();
    try {
      calls_.renew(token);
    } catch (const lease_lost_error&) {
      lost = true;
    } catch (const not_found_error&) {
      lost = true;  // the subscription is gone
    } catch (...) {
      // Busy or unreachable: the next time, or the runner's own calls will tell.
    }
    lock.lock();
    if (lost && token_ == token) lost_ = true;
  }
}

}  // namespace evercore::detail
