// The store itself: its version, its health, its figures, and life after a restore.
#include "simulate/call.h"

namespace evercore::simulate {

namespace {

constexpr Number jump = 1 << 20;

Rows stats(Scene& scene, const Arguments&) {
  const Store& store = scene.store;
  Number events = 0, snapshots = 0, bytes = 0, subscriptions = 0;
  std::optional<Number> oldest, newest;
  for (const Event& event : store.events) {
    if (event.removed) continue;
    ++events;
    bytes += static_cast<Number>(event.data.size() + event.metadata.value_or("").size());
    newest = std::max(event.recorded, newest.value_or(event.recorded));
    oldest = std::min(event.recorded, oldest.value_or(event.recorded));
  }
  for (const auto& [id, aggregate] : store.aggregates) {
    snapshots += static_cast<Number>(aggregate.snapshots.size());
    for (const auto& [version, states] : aggregate.own_snapshots)
      snapshots += static_cast<Number>(states.size());
  }
  for (const auto& [name, subscription] : store.subscriptions)
    subscriptions += subscription.removed ? 0 : 1;
  return {row({"aggregates", cell(static_cast<Number>(store.aggregates.size()))}),
          row({"events", cell(events)}),
          row({"snapshots", cell(snapshots)}),
          row({"subscriptions", cell(subscriptions)}),
          row({"head_position", cell(store.head)}),
          row({"oldest_recorded_at", oldest ? time_text(*oldest) : "NULL"}),
          row({"newest_recorded_at", newest ? time_text(*newest) : "NULL"}),
          row({"data_bytes", cell(bytes)})};
}

Rows restored(Scene& scene, const Arguments&) {
  Store& store = scene.store;
  store.head += jump;
  for (auto& [name, subscription] : store.subscriptions) {
    store.least_token = std::max(store.least_token, subscription.last_token);
  }
  store.least_token += jump;
  for (auto& [name, subscription] : store.subscriptions) subscription.last_token += jump;
  return {cell(store.head)};
}

Rows time(Scene&, const Arguments& arguments) {
  const Text value = text(arguments[0]);
  return {value ? time_text(require_time(*value, "value")) : "NULL"};
}

}  // namespace

std::vector<Call> store_calls() {
  const auto none = [](Maker&) { return Arguments{}; };
  const auto nothing = [](Scene&, const Arguments&) { return Rows{}; };
  return {
      {"evercore_version", 1, false, "", "t", none,
       [](Scene&, const Arguments&) { return Rows{EVERCORE_VERSION}; }},
      {"evercore_time", 1, false, "", "t", [](Maker& m) { return Arguments{m.time()}; }, time},
      {"evercore_check", 1, false, "aggregate_id, position, problem", "ttt", none, nothing},
      {"evercore_in_flight", 1, false, "position, holder, since", "ttt", none, nothing,
       [](const Arguments&) { return "SELECT position, holder, since FROM evercore_in_flight"; },
       false},
      {"evercore_stats", 1, false, "name, value", "tt", none, stats},
      {"evercore_restored", 1, true, "", "t", none, restored},
      {"evercore_migrate", 1, true, "", "t", none,
       [](Scene&, const Arguments&) { return Rows{"4"}; }},
  };
}

}  // namespace evercore::simulate
