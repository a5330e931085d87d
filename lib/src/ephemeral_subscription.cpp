// A subscription that leaves no trace in the store: follows the log and filters here.
#include <algorithm>

#include "evercore/error.h"
#include "evercore/store.h"
#include "recorded_event.h"
#include "retry.h"
#include "statements.h"
#include "unit_of_work.h"

namespace evercore::detail {

namespace {

bool passes(const Filter& filter, const RecordedEvent& event) {
  if (!filter.aggregate_type.empty() && event.aggregate_type != filter.aggregate_type) return false;
  if (!filter.natural_key.empty() && event.natural_key != filter.natural_key) return false;
  return filter.event_types.empty() ||
         std::find(filter.event_types.begin(), filter.event_types.end(), event.event_type) !=
             filter.event_types.end();
}

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

class EphemeralRunner {
 public:
  EphemeralRunner(StorageEngine& engine, const Filter& filter, const SubscriptionOptions& options,
                  const Handler& handler)
      : engine_(engine),
        filter_(filter),
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
      } catch (const connection_error&) {
        retry_.wait_for_server();
        continue;
      } catch (...) {
        if (!retry_.failed()) throw;
        continue;
      }
      if (options_.until_caught_up) return SubscriptionEnd::caught_up;
      watch_->wait(pause_, options_.stop);
      pause_ = std::min(pause_ * 2, options_.poll_longest);
    }
    return SubscriptionEnd::stopped;
  }

 private:
  void begin_at(const Start& start) {
    if (!filter_.natural_key.empty() && filter_.aggregate_type.empty()) {
      throw argument_error("EV009: filter: natural_key needs aggregate_type");
    }
    if (start.text() == "beginning") return;
    if (start.text() == "end") {
      after_ = end_of_log(engine_);
    } else if (Time time{}; parse_time(start.text(), time)) {
      begins_at_ = time;
    } else {
      after_ = std::stoll(start.text());
      if (after_ < 0) throw argument_error("EV009: start is out of range: " + start.text());
    }
  }

  bool is_early(const RecordedEvent& event) {
    if (begins_at_ && event.event_time >= *begins_at_) {
      begins_at_.reset();
      after_ = event.position - 1;  // from where a handler that fails is tried again
    }
    return begins_at_.has_value();
  }

  // Reads and handles a batch. False when there was none.
  bool turn() {
    std::vector<RecordedEvent> events;
    std::int64_t last = after_;
    auto sink = [&](const Row& row) {
      RecordedEvent event = recorded_event(row);
      last = event.position;
      if (!is_early(event) && passes(filter_, event)) events.push_back(std::move(event));
    };
    const std::int64_t limit = events_at_a_time();
    engine_.session()->run(Command(statements::follow, {after_, limit}, sink));
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
      handler_.call(nullptr, some);
      after_ = some.back().position;
      retry_.succeeded();
    }
  }

  StorageEngine& engine_;
  const Filter& filter_;
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
  detail::EphemeralRunner runner(*core_->engine, filter, options, handler);
  return runner.run(start);
}

}  // namespace evercore
