// Reading: the log, following it, one aggregate's events, replay, state and history.
#include <algorithm>
#include <cstdlib>

#include "simulate/call.h"

namespace evercore::simulate {

namespace {

Rows log(Scene& scene, const Arguments&) {
  Rows rows;
  for (const Event& event : scene.store.events) {
    if (!event.removed) rows.push_back(log_row(scene.store, event));
  }
  return rows;
}

Number limit_of(const Argument& argument) {
  const Number limit = number(argument).value_or(INT64_MAX);
  if (limit < 0) refuse(9, "limit is out of range: " + cell(limit));
  return limit;
}

/// What evercore_follow and evercore_events take for no bound.
Number bound(const Argument& argument) {
  return number(argument).value_or(INT64_MAX);
}

Rows follow(Scene& scene, const Arguments& arguments) {
  const Number after = number(arguments[0]).value_or(0);
  const Number limit = limit_of(arguments[1]);
  const Filter filter = read_filter(text(arguments[2]));
  if (after > scene.store.head) refuse(9, "after is out of range: " + cell(after));
  const Number last = std::min(scene.safe, bound(arguments[3]));
  Rows rows;
  for (const Event& event : scene.store.events) {
    if (static_cast<Number>(rows.size()) == limit) break;
    if (event.position <= after || event.position > last || event.removed) continue;
    if (scene.store.passes(filter, scene.store.of(event), event.type) && event.bears(filter.tags))
      rows.push_back(log_row(scene.store, event));
  }
  return rows;
}

Rows head(Scene& scene, const Arguments&) {
  return {cell(scene.safe)};
}

/// The aggregate of a table function, which takes one that there is not for no rows.
const Aggregate* of_rows(Scene& scene, const Argument& id) {
  const auto at = number(id);
  if (!at || !scene.store.aggregates.contains(*at)) return nullptr;
  return &scene.store.known(at);
}

Rows events(Scene& scene, const Arguments& arguments) {
  const Number limit = bound(arguments[2]);
  const Aggregate* aggregate = of_rows(scene, arguments[0]);
  Rows rows;
  if (aggregate == nullptr) return rows;
  std::vector<Event*> found = scene.store.kept(*aggregate, number(arguments[1]).value_or(0));
  std::erase_if(found, [&](const Event* event) { return event->sequence > bound(arguments[3]); });
  if (limit < 0) std::reverse(found.begin(), found.end());
  for (const Event* event : found) {
    if (static_cast<Number>(rows.size()) == std::abs(limit)) break;
    rows.push_back(log_row(scene.store, *event));
  }
  return rows;
}

struct Base {
  Number sequence = 0;
  Json state = {true, {}, {}};
};

Base newest(const std::map<Number, Json>& snapshots) {
  if (snapshots.empty()) return {};
  return {snapshots.rbegin()->first, snapshots.rbegin()->second};
}

Base base_of(Scene& scene, const Aggregate& aggregate, std::optional<Number> version) {
  if (aggregate.erased) return {aggregate.base, {true, {}, {}}};
  if (!version) return newest(aggregate.snapshots);
  const auto own = aggregate.own_snapshots.find(*version);
  if (own != aggregate.own_snapshots.end()) {
    Base base = newest(own->second);
    if (base.sequence >= aggregate.base && base.sequence > 0) return base;
  }
  if (aggregate.base == 0) return {};
  if (scene.store.has_custom(aggregate)) {
    refuse(2, "aggregate " + cell(aggregate.id) + " was compacted to sequence " +
                  cell(aggregate.base) + " under an application snapshot of another version");
  }
  return {aggregate.base, aggregate.snapshots.at(aggregate.base)};
}

Rows replay(Scene& scene, const Arguments& arguments) {
  const Aggregate& aggregate = scene.store.known(number(arguments[0]));
  const Base base = base_of(scene, aggregate, number(arguments[1]));
  Rows rows = {row({cell(base.sequence), "NULL", canonical(base.state)})};
  for (const Event* event : scene.store.kept(aggregate, base.sequence)) {
    rows.push_back(
        row({cell(event->sequence), event->type, canonical(*scene.store.today(*event))}));
  }
  return rows;
}

Rows state(Scene& scene, const Arguments& arguments) {
  const auto asked = number(arguments[1]);
  const Aggregate& aggregate = scene.store.known(number(arguments[0]));
  const Number sequence = asked.value_or(aggregate.version);
  if (sequence < 0) refuse(9, "at_sequence is out of range: " + cell(sequence));
  if (sequence > aggregate.version) {
    refuse(2, "aggregate " + cell(aggregate.id) + " has no sequence " + cell(sequence) +
                  ": it is at " + cell(aggregate.version));
  }
  if (sequence < aggregate.base) {
    refuse(2, "sequence " + cell(sequence) + " of aggregate " + cell(aggregate.id) +
                  " was compacted: the oldest that can be read is " + cell(aggregate.base));
  }
  return {canonical(scene.store.state(aggregate, sequence))};
}

Rows history(Scene& scene, const Arguments& arguments) {
  const Aggregate* aggregate = of_rows(scene, arguments[0]);
  Rows rows;
  if (aggregate == nullptr) return rows;
  for (const Event* event : scene.store.kept(*aggregate)) {
    rows.push_back(
        row({cell(event->sequence), event->type, time_text(event->time), cell(event->reference),
             event->data, canonical(scene.store.state(*aggregate, event->sequence))}));
  }
  return rows;
}

}  // namespace

std::vector<Call> read_calls() {
  return {
      {"evercore_log", 2, false, "", "ttttttttttttt", [](Maker&) { return Arguments{}; }, log,
       [](const Arguments&) {
         return "SELECT " + std::string(log_columns) + " FROM evercore_log ORDER BY position";
       }},
      {"evercore_follow", 4, false, log_columns, "ttttttttttttt",
       [](Maker& m) {
         return Arguments{
             m.random.between(0, m.store.head + (m.random.chance(3) ? 1 : 0)),
             m.some({{}, {}, Number{3}, Number{-1}}), m.filter(),
             m.random.chance(50) ? Argument() : Argument(m.random.between(0, m.store.head))};
       },
       follow},
      {"evercore_head", 2, false, "", "t", [](Maker&) { return Arguments{}; }, head},
      {"evercore_events", 2, false, log_columns, "ttttttttttttt",
       [](Maker& m) {
         const Argument id = m.id();
         return Arguments{id, m.sequence(id), m.some({{}, Number{0}, Number{2}, Number{-2}}),
                          m.random.chance(50) ? Argument() : m.sequence(id)};
       },
       events},
      {"evercore_replay", 3, false, "sequence, event_type, data", "ttj",
       [](Maker& m) {
         return Arguments{m.id(), m.some({{}, {}, Number{1}, Number{2}})};
       },
       replay},
      {"evercore_state", 4, false, "", "j",
       [](Maker& m) {
         const Argument id = m.id();
         return Arguments{id, m.random.chance(50) ? Argument() : m.sequence(id)};
       },
       state},
      {"evercore_history", 2, false, "sequence, event_type, event_time, reference, data, state",
       "tttttj", [](Maker& m) { return Arguments{m.id()}; }, history},
  };
}

}  // namespace evercore::simulate
