// Types that get another name.
#include <algorithm>

#include "simulate/call.h"

namespace evercore::simulate {

namespace {

void rename_event_type(Store& store, const std::string& from, const std::string& to) {
  for (Event& event : store.events) {
    if (event.type == from) event.type = to;
  }
  for (auto& [id, aggregate] : store.aggregates) {
    auto entry = aggregate.compacted.extract(from);
    if (entry.empty()) continue;
    entry.key() = to;
    aggregate.compacted.insert(std::move(entry));
  }
  for (auto& [name, subscription] : store.subscriptions) {
    auto& types = subscription.filter.event_types;
    std::replace(types.begin(), types.end(), from, to);
  }
  auto declared = store.declared.extract(from);
  if (!declared.empty()) {
    declared.key() = to;
    store.declared.insert(std::move(declared));
  }
  auto schema = store.schemas.extract(from);
  if (!schema.empty()) {
    schema.key() = to;
    store.schemas.insert(std::move(schema));
  }
  auto upcast = store.upcasts.extract(from);
  if (!upcast.empty()) {
    upcast.key() = to;
    store.upcasts.insert(std::move(upcast));
  }
  if (store.merges.erase(from) > 0) store.merges.insert(to);
  auto fold = store.folds.extract(from);
  fold.key() = to;
  const bool by_rules = fold.mapped() == Fold::rules;
  store.folds.insert(std::move(fold));
  for (auto& [id, aggregate] : store.aggregates) {
    const auto kept = store.kept(aggregate);
    if (!by_rules || std::none_of(kept.begin(), kept.end(),
                                  [&](const Event* event) { return event->type == to; })) {
      continue;
    }
    aggregate.snapshots.erase(aggregate.snapshots.upper_bound(aggregate.base),
                              aggregate.snapshots.end());
  }
}

void rename_aggregate_type(Store& store, const std::string& from, const std::string& to) {
  for (auto& [id, aggregate] : store.aggregates) {
    if (aggregate.type == from) aggregate.type = to;
  }
  for (auto& [name, subscription] : store.subscriptions) {
    if (subscription.filter.aggregate_type == from) subscription.filter.aggregate_type = to;
  }
  auto schema = store.state_schemas.extract(from);
  if (!schema.empty()) {
    schema.key() = to;
    store.state_schemas.insert(std::move(schema));
  }
  auto policy = store.policies.extract(from);
  policy.key() = to;
  store.policies.insert(std::move(policy));
}

bool is_taken(const Store& store, bool of_events, const std::string& name) {
  if (of_events) return store.folds.count(name) > 0;
  return store.policies.count(name) > 0 ||
         std::any_of(store.subscriptions.begin(), store.subscriptions.end(),
                     [&](const auto& named) {
                       return !named.second.removed && named.second.filter.aggregate_type == name;
                     });
}

Rows rename_type(Scene& scene, const Arguments& arguments) {
  const bool of_events = *text(arguments[0]) == "event";
  const std::string from = *text(arguments[1]), to = *text(arguments[2]);
  const std::string what = of_events ? "event type \"" : "aggregate type \"";
  Store& store = scene.store;
  if (of_events ? store.folds.count(from) == 0 : store.policies.count(from) == 0) {
    refuse(2, "no " + what + from + "\"");
  }
  if (from == to) return {to};
  if (is_taken(store, of_events, to)) refuse(10, what + to + "\" is there already");
  of_events ? rename_event_type(store, from, to) : rename_aggregate_type(store, from, to);
  return {to};
}

Arguments make(Maker& maker) {
  if (maker.random.chance(50)) {
    return {"event", maker.some({"M", "P", "X"}), maker.some({"M", "N", "X"})};
  }
  return {"aggregate", maker.some({"T", "U", "V"}), maker.some({"T", "U", "V"})};
}

}  // namespace

std::vector<Call> rename_calls() {
  return {{"evercore_rename_type", 1, true, "", "t", make, rename_type}};
}

}  // namespace evercore::simulate
