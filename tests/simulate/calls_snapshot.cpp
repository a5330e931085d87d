// Snapshots, by call and by policy, and compaction.
#include <algorithm>

#include "simulate/call.h"

namespace evercore::simulate {

namespace {

Rows snapshot(Scene& scene, const Arguments& arguments) {
  Aggregate& aggregate = scene.store.open(number(arguments[0]));
  if (aggregate.version > 0)
    aggregate.snapshots[aggregate.version] = scene.store.state(aggregate, aggregate.version);
  return {cell(aggregate.version)};
}

Rows save_snapshot(Scene& scene, const Arguments& arguments) {
  Aggregate& aggregate = scene.store.open(number(arguments[0]));
  const Number sequence = *number(arguments[1]);
  if (sequence < 1 || sequence > aggregate.version) {
    refuse(2, "aggregate " + cell(aggregate.id) + " has no sequence " + cell(sequence) +
                  ": it is at " + cell(aggregate.version));
  }
  if (sequence < aggregate.base) {
    refuse(2, "sequence " + cell(sequence) + " of aggregate " + cell(aggregate.id) +
                  " was compacted: the oldest that can be read is " + cell(aggregate.base));
  }
  aggregate.own_snapshots[*number(arguments[3])][sequence] = parse_json(*text(arguments[2]));
  return {cell(sequence)};
}

Rows policy(Scene& scene, const Arguments& arguments) {
  const Text type = text(arguments[0]);
  const Number every = *number(arguments[1]), keep = *number(arguments[2]);
  check_name(type, "aggregate_type", longest_type);
  if (every < 0) refuse(9, "every is out of range: " + cell(every));
  if (every > 0 && keep < 1) refuse(9, "keep is out of range: " + cell(keep));
  scene.store.policies[*type] = {every, every > 0 ? keep : 1};
  return {*type};
}

std::size_t count_snapshots(const Aggregate& aggregate) {
  std::size_t count = aggregate.snapshots.size();
  for (const auto& [version, states] : aggregate.own_snapshots) count += states.size();
  return count;
}

/// Custom events that are to go must be held by a snapshot of the application's.
void require_cover(Store& store, const Aggregate& aggregate, const std::vector<Event*>& removed) {
  Number last = 0;
  for (const Event* event : removed) {
    if (store.folds.at(event->type) == Fold::custom) last = event->sequence;
  }
  if (aggregate.erased || (last == 0 && !store.has_custom(aggregate))) return;
  for (const auto& [version, states] : aggregate.own_snapshots) {
    if (states.rbegin()->first >= removed.back()->sequence) return;
  }
  refuse(10, "aggregate " + cell(aggregate.id) + " has custom events up to sequence " +
                 cell(last > 0 ? last : aggregate.base) + " that no application snapshot covers");
}

struct Compacted {
  Number events;
  bool anything;
};

Compacted compact_one(Store& store, Aggregate& aggregate, std::optional<Number> keep) {
  const Number base = keep ? std::max(aggregate.version - *keep, aggregate.base) : aggregate.base;
  std::vector<Event*> removed = store.kept(aggregate);
  std::erase_if(removed, [&](const Event* event) { return event->sequence > base; });
  if (!removed.empty()) {
    require_cover(store, aggregate, removed);
    store.require_read(aggregate, base);
    for (const Event* event : removed) {
      if (!event->tags.empty())
        refuse(10, "event " + cell(event->position) + " bears tags and stays");
    }
    if (!aggregate.erased) aggregate.snapshots[base] = store.state(aggregate, base);
    for (Event* event : removed) {
      event->removed = true;
      aggregate.compacted[event->type] = event->position;
      aggregate.compacted_time =
          std::max(event->time, aggregate.compacted_time.value_or(event->time));
    }
    aggregate.base = base;
  }
  const std::size_t before = count_snapshots(aggregate);
  store.drop_engine_snapshots(aggregate, 1);
  for (auto& [version, states] : aggregate.own_snapshots)
    states.erase(states.begin(), std::prev(states.end()));
  return {static_cast<Number>(removed.size()),
          !removed.empty() || count_snapshots(aggregate) < before};
}

std::optional<Number> keep_of(const Argument& argument) {
  const auto keep = number(argument);
  if (keep && *keep < 0) refuse(9, "keep_events is out of range: " + cell(keep));
  return keep;
}

Rows compact(Scene& scene, const Arguments& arguments) {
  const auto keep = keep_of(arguments[1]);
  return {cell(compact_one(scene.store, scene.store.known(number(arguments[0])), keep).events)};
}

Rows compact_type(Scene& scene, const Arguments& arguments) {
  const auto keep = keep_of(arguments[1]);
  const auto most = number(arguments[2]);
  Store& store = scene.store;
  if (most && *most < 1) refuse(9, "max is out of range: " + cell(most));
  if (store.policies.count(*text(arguments[0])) == 0)
    refuse(2, "no aggregate type \"" + *text(arguments[0]) + "\"");
  std::vector<Aggregate*> longest_first;
  for (auto& [id, aggregate] : store.aggregates) {
    if (aggregate.type == *text(arguments[0])) longest_first.push_back(&aggregate);
  }
  std::stable_sort(longest_first.begin(), longest_first.end(),
                   [](const Aggregate* a, const Aggregate* b) {
                     return a->version - a->base > b->version - b->base;
                   });
  Number done = 0;
  for (Aggregate* aggregate : longest_first) {
    if (most && done == *most) break;
    try {
      if (compact_one(store, *aggregate, keep).anything) ++done;
    } catch (const Refusal&) {  // protected
    }
  }
  return {cell(done)};
}

}  // namespace

std::vector<Call> snapshot_calls() {
  return {
      {"evercore_snapshot", 2, true, "", "t", [](Maker& m) { return Arguments{m.id()}; }, snapshot},
      {"evercore_save_snapshot", 2, true, "", "t",
       [](Maker& m) {
         const Argument id = m.id();
         return Arguments{id, m.sequence(id), m.object(1), m.some({Number{1}, Number{2}})};
       },
       save_snapshot},
      {"evercore_snapshot_policy", 3, true, "", "t",
       [](Maker& m) {
         return Arguments{m.type(),
                          m.some({Number{0}, Number{2}, Number{3}, Number{5}, Number{-1}}),
                          m.some({Number{1}, Number{2}, Number{0}})};
       },
       policy},
      {"evercore_compact", 4, true, "", "t",
       [](Maker& m) {
         return Arguments{m.id(), m.some({{}, Number{0}, Number{1}, Number{3}, Number{-1}})};
       },
       compact},
      {"evercore_compact_type", 1, true, "", "t",
       [](Maker& m) {
         return Arguments{m.some({"T", "U", "none"}), m.some({{}, Number{0}, Number{2}}),
                          m.some({{}, {}, Number{1}, Number{0}})};
       },
       compact_type},
  };
}

}  // namespace evercore::simulate
