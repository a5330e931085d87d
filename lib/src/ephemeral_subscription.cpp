// A subscription that leaves no trace in the store: it follows the log.
#include <algorithm>

#include "evercore/error.h"
#include "evercore/store.h"
#include "filter.h"
#include "recorded_event.h"
#include "retry.h"
#include "statements.h"
#include "unit_of_work.h"

namespace evercore::detail {

namespace {

// Positions that one call looks at, at most, where the filter lets nothing through: a stop waits for its end.
constexpr std::int64_t most_examined = 1'000'000;

// After everything that is in the store. First the newest event, then what is still under way: an
// append that commits between the two is below the first.
std::int64_t end_of_log(StorageEngine& engine) {
  std::int64_t position = 0;
  auto last_sink = [&](const Row& row) { position = row.integer(0); };
  auto floor_sink = [&](const Row& row) {
    if (!row.is_null(0)) position = std::min(position, row.integer(0));
  };
  const SessionHandle session = engine.session();
  session->run(Command(statements::last_position, {}, last_sink));
  session->run(Command(statements::first_in_flight, {}, floor_sink));
  return position;
}

// What a handler threw, apart from what the store throws around it.
struct HandlerFault {
  std::exception_ptr fault;
};

class EphemeralRunner {
 public:
  EphemeralRunner(StorageEngine& engine, const Filter& filter, const SubscriptionOptions& options,
                  const Handler& handler)
      : engine_(engine),
        filter_(filter_as_json(filter)),
        options_(bounded(options)),
        handler_(handler),
        watch_(engine.watch()),
        retry_(options_),
        pause_(options_.poll_shortest) {}

  SubscriptionEnd run(const Start& start) {
    begin_at(start);
    while (!options_.stop.stop_requested()) {
      try {
        const bool any = turn();
        retry_.succeeded();
        if (any) continue;
        if (options_.until_caught_up) return SubscriptionEnd::caught_up;
        watch_->wait(pause_, options_.stop);
        pause_ = std::min(pause_ * 2, options_.poll_longest);
      } catch (const HandlerFault& thrown) {
        if (!retry_.failed()) std::rethrow_exception(thrown.fault);
      } catch (const connection_error&) {
        retry_.wait_for_server();
      } catch (...) {
        if (!retry_.failed()) throw;
      }
    }
    return SubscriptionEnd::stopped;
  }

 private:
  void begin_at(const Start& start) {
    const std::string place = start.place();
    if (place == "beginning") return;
    if (place == "end") {
      after_ = end_of_log(engine_);
    } else if (Time time{}; parse_time(place, time)) {
      begins_at_ = time;
    } else {
      after_ = std::stoll(place);
      if (after_ < 0) throw argument_error("EV009: start is out of range: " + place);
    }
  }

  // Looks for the first event of begins_at_ or later, whether it passes the filter or not. False when
  // there was nothing to look at.
  bool find_begin() {
    bool any = false;
    auto sink = [&](const Row& row) {
      any = true;
      if (!begins_at_) return;
      const RecordedEvent event = recorded_event(row);
      if (event.event_time >= *begins_at_) {
        begins_at_.reset();
      } else {
        after_ = event.position;
      }
    };
    engine_.session()->run(Command(statements::follow, {after_, events_at_a_time()}, sink));
    return any;
  }

  // Reads the next events that pass the filter. Gives up to where the log was looked at.
  std::int64_t read(std::vector<RecordedEvent>& events) {
    const std::int64_t limit = events_at_a_time();
    const SessionHandle session = engine_.session();
    auto sink = [&](const Row& row) { events.push_back(recorded_event(row)); };
    std::int64_t upto = after_;
    if (filter_.empty()) {
      session->run(Command(statements::follow, {after_, limit}, sink));
    } else {
      auto head_sink = [&](const Row& row) { upto = row.integer(0); };
      session->run(Command(statements::head, {}, head_sink));
      if (upto == after_) return after_;
      if (upto - after_ > most_examined) upto = after_ + most_examined;
      session->run(Command(statements::follow_filtered, {after_, limit, filter_, upto}, sink));
      if (events.size() < static_cast<std::size_t>(limit)) return std::max(after_, upto);
    }
    return events.empty() ? after_ : events.back().position;
  }

  // Reads and handles a batch, or looks for the begin. False when there was nothing.
  bool turn() {
    if (begins_at_) {
      const bool any = find_begin();
      if (any) pause_ = options_.poll_shortest;
      return any;
    }
    std::vector<RecordedEvent> events;
    const std::int64_t last = read(events);
    if (last == after_) return false;
    pause_ = options_.poll_shortest;
    hand_over(events);
    after_ = last;
    return true;
  }

  // A filter that lets little through is not to cost a round trip an event.
  std::int64_t events_at_a_time() const { return std::max<std::int64_t>(options_.batch_size, 100); }

  void hand_over(std::span<const RecordedEvent> events) {
    const std::size_t most =
        handler_.takes_batch ? static_cast<std::size_t>(options_.batch_size) : 1;
    for (std::size_t at = 0; at < events.size(); at += most) {
      if (options_.stop.stop_requested()) return;
      const auto some = events.subspan(at, std::min(most, events.size() - at));
      try {
        handler_.call(nullptr, some);
      } catch (...) {
        throw HandlerFault{std::current_exception()};
      }
      after_ = some.back().position;
      retry_.succeeded();
    }
  }

  StorageEngine& engine_;
  const std::string filter_;  // empty: everything passes
  const SubscriptionOptions options_;
  const Handler& handler_;
  std::unique_ptr<Watch> watch_;
  Retry retry_;
  std::chrono::milliseconds pause_;
  std::int64_t after_ = 0;
  std::optional<Time> begins_at_;
};

}  // namespace
}  // namespace evercore::detail

namespace evercore {

SubscriptionEnd EventStore::run_ephemeral_handler(const Filter& filter, const Start& start,
                                                  const SubscriptionOptions& options,
                                                  const detail::Handler& handler) {
  detail::require_valid(options);
  // The store says so too, where it is asked: not of an empty log.
  if (!filter.natural_key.empty() && filter.aggregate_type.empty()) {
    throw argument_error("EV009: filter: natural_key needs aggregate_type");
  }
  detail::EphemeralRunner runner(*core_->engine, filter, options, handler);
  return runner.run(start);
}

}  // namespace evercore
