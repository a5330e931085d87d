// Aggregates: made, found, renamed, erased.
#include "simulate/call.h"

namespace evercore::simulate {

namespace {

[[noreturn]] void refuse_taken(const std::string& type, const std::string& key) {
  refuse(3, "natural key \"" + key + "\" is taken in aggregate type \"" + type + "\"");
}

Rows create(Scene& scene, const Arguments& arguments) {
  const Text type = text(arguments[0]), key = text(arguments[1]);
  check_name(type, "aggregate_type", longest_type);
  if (key) check_name(key, "natural_key", longest_key);
  if (key && scene.store.find(*type, *key) != nullptr) refuse_taken(*type, *key);
  return {cell(scene.store.add(*type, key))};
}

Rows ensure(Scene& scene, const Arguments& arguments) {
  check_name(text(arguments[0]), "aggregate_type", longest_type);
  check_name(text(arguments[1]), "natural_key", longest_key);
  return {cell(scene.store.ensure(*text(arguments[0]), *text(arguments[1])))};
}

Rows find(Scene& scene, const Arguments& arguments) {
  const Aggregate* found = scene.store.find(*text(arguments[0]), *text(arguments[1]));
  return {found == nullptr ? "NULL" : cell(found->id)};
}

Rows rekey(Scene& scene, const Arguments& arguments) {
  const Text key = text(arguments[1]);
  check_name(key, "natural_key", longest_key);
  Aggregate& aggregate = scene.store.open(number(arguments[0]));
  const Aggregate* holder = scene.store.find(aggregate.type, *key);
  if (holder != nullptr && holder != &aggregate) refuse_taken(aggregate.type, *key);
  aggregate.key = key;
  return {cell(aggregate.id)};
}

Rows sequence(Scene& scene, const Arguments& arguments) {
  std::optional<Number> time;
  if (const Text at = text(arguments[1])) time = require_time(*at, "at_time");
  const Aggregate& aggregate = scene.store.known(number(arguments[0]));
  if (!time) return {cell(aggregate.version)};
  Number found = 0;
  for (const Event* event : scene.store.kept(aggregate)) {
    if (event->time <= *time) found = event->sequence;
  }
  if (found > 0 || aggregate.base == 0) return {cell(found)};
  if (*time >= *aggregate.compacted_time) return {cell(aggregate.base)};
  refuse(2, "times before " + time_text(*aggregate.compacted_time) + " of aggregate " +
                cell(aggregate.id) + " were compacted");
}

Rows erase(Scene& scene, const Arguments& arguments) {
  Aggregate& aggregate = scene.store.known(number(arguments[0]));
  if (aggregate.erased) return {"0"};
  if (!scene.again) scene.store.require_read(aggregate, aggregate.version);
  for (Event* event : scene.store.kept(aggregate)) {
    event->data = "{}";
    event->value = std::make_shared<const Json>(Json{true, {}, {}});
    event->reference.reset();
    event->metadata.reset();
    event->tags.clear();
    event->declared = 0;
  }
  aggregate.erased = true;
  aggregate.key.reset();
  aggregate.snapshots.clear();
  aggregate.own_snapshots.clear();
  return {cell(aggregate.version - aggregate.base)};
}

Rows relation(Scene& scene, const Arguments&) {
  Rows rows;
  const auto time = [](std::optional<Number> at) { return at ? time_text(*at) : "NULL"; };
  for (const auto& [id, a] : scene.store.aggregates) {
    rows.push_back(row({cell(a.id), a.type, cell(a.key), cell(a.version), time(a.first_time),
                        time(a.last_time), a.erased ? "1" : "0"}));
  }
  return rows;
}

Arguments type_and_key(Maker& maker) {
  return {maker.type(), maker.key()};
}

}  // namespace

std::vector<Call> aggregate_calls() {
  return {
      {"evercore_create", 2, true, "", "t",
       [](Maker& m) {
         return Arguments{m.type(), m.random.chance(50) ? Argument(m.key()) : Argument()};
       },
       create},
      {"evercore_ensure", 2, true, "", "t", type_and_key, ensure},
      {"evercore_find", 1, false, "", "t", type_and_key, find},
      {"evercore_rekey", 2, true, "", "t",
       [](Maker& m) {
         return Arguments{m.id(), m.key()};
       },
       rekey},
      {"evercore_sequence", 2, false, "", "t",
       [](Maker& m) {
         return Arguments{m.id(), m.time()};
       },
       sequence},
      {"evercore_erase", 1, true, "", "t", [](Maker& m) { return Arguments{m.id()}; }, erase},
      {"evercore_aggregates", 2, false, "", "ttttttt", [](Maker&) { return Arguments{}; }, relation,
       [](const Arguments&) {
         return "SELECT aggregate_id, aggregate_type, natural_key, sequence, first_event_time, "
                "last_event_time, erased "
                "FROM evercore_aggregates ORDER BY aggregate_id";
       }},
  };
}

}  // namespace evercore::simulate
