// What event types declare: how they fold, and their tags.
#include <algorithm>

#include "simulate/call.h"

namespace evercore::simulate {

namespace {

bool uses(Store& store, const Aggregate& aggregate, const std::string& type) {
  if (aggregate.compacted.count(type) > 0) return true;
  const auto kept = store.kept(aggregate);
  return std::any_of(kept.begin(), kept.end(),
                     [&](const Event* event) { return event->type == type; });
}

Rows event_type(Scene& scene, const Arguments& arguments) {
  const Text type = text(arguments[0]);
  check_name(type, "event_type", longest_type);
  const std::string word = *text(arguments[1]);
  const std::map<std::string, Fold> folds = {{"merge", Fold::merge},
                                             {"patch", Fold::patch},
                                             {"custom", Fold::custom},
                                             {declared_rules, Fold::rules}};
  if (folds.count(word) == 0)
    refuse(9, "fold is not merge, patch, custom or rules: \"" + word + "\"");
  Store& store = scene.store;
  Fold& fold = store.folds.try_emplace(*type, Fold::merge).first->second;
  if (fold != folds.at(word)) change_states_of(store, *type);
  fold = folds.at(word);
  if (fold == Fold::merge) {
    store.merges.insert(*type);
  } else {
    store.merges.erase(*type);
  }
  return {*type};
}

/// EV010 where an event of it was compacted, but for erased aggregates.
void refuse_compacted(const Store& store, const std::string& type) {
  Number newest = 0;
  for (const auto& [id, aggregate] : store.aggregates) {
    const auto found = aggregate.compacted.find(type);
    if (!aggregate.erased && found != aggregate.compacted.end())
      newest = std::max(newest, found->second);
  }
  if (newest > 0)
    refuse(10, "events of \"" + type + "\" up to " + cell(newest) + " were compacted");
}

/// With the name, a fold or NULL, and the tags or NULL.
Rows declare(Scene& scene, const Arguments& arguments) {
  const Text type = text(arguments[0]), tags = text(arguments[2]);
  check_name(type, "event_type", longest_type);
  if (text(arguments[1])) event_type(scene, arguments);
  if (!tags) return {*type};
  Store& store = scene.store;
  const auto found = store.declared.find(*type);
  if (*tags == "null") {
    store.declared.erase(*type);
  } else if (found == store.declared.end() || found->second != *tags) {
    refuse_compacted(store, *type);
    store.folds.try_emplace(*type, Fold::merge);
    store.declared[*type] = *tags;
    for (Event& event : store.events) {
      if (event.type == *type && !event.removed) store.tag(event);
    }
  }
  return {*type};
}

std::string declare_sql(const Arguments& a) {
  const Text tags = text(a[2]);
  return "SELECT evercore_event_type(" + literal(a[0]) + ", " + literal(a[1]) + ", " +
         literal(tags ? Argument("{\"tags\":" + *tags + "}") : Argument()) + ")";
}

Rows event_types(Scene& scene, const Arguments&) {
  Rows rows;
  const char* const words[] = {"merge", "patch", "custom", declared_rules};
  for (const auto& [name, fold] : scene.store.folds) {
    const auto found = scene.store.declared.find(name);
    const Text tags = found == scene.store.declared.end() ? Text() : Text(found->second);
    const auto upcast = scene.store.upcasts.find(name);
    const Text shape = upcast == scene.store.upcasts.end() ? Text() : Text(upcast->second);
    const auto declared = scene.store.schemas.find(name);
    const Text schema = declared == scene.store.schemas.end() ? Text() : Text(declared->second);
    const bool declares_fold = fold != Fold::merge || scene.store.merges.count(name) > 0;
    if (!declares_fold && !schema && !shape && !tags) continue;
    rows.push_back(row({name, declares_fold ? words[static_cast<int>(fold)] : "NULL", cell(schema),
                        cell(shape), cell(tags), "1"}));
  }
  return rows;
}

Rows nothing_left(Scene&, const Arguments&) {
  return {"0"};
}

}  // namespace

void change_states_of(Store& store, const std::string& type) {
  for (auto& [id, aggregate] : store.aggregates) {
    if (!uses(store, aggregate, type)) continue;
    if (aggregate.base > 0 && !aggregate.erased) {
      refuse(10,
             "event type \"" + type + "\" folded into compacted aggregate " + cell(aggregate.id));
    }
    aggregate.snapshots.clear();
  }
}

std::vector<Call> fold_calls() {
  return {
      {"evercore_event_type", 2, true, "", "t",
       [](Maker& m) {
         return Arguments{m.event_type(), m.some({"merge", "patch", "patch", "custom", "other",
                                                  declared_rules, declared_rules})};
       },
       event_type},
      {"evercore_event_type", 2, true, "", "t",
       [](Maker& m) {
         return Arguments{
             m.event_type(), m.some({{}, {}, "merge", "patch"}),
             m.some({{}, "null", "null", "{\"a\":\"/a\"}", "{\"a\":\"/b\",\"deep\":\"/b/a\"}"})};
       },
       declare, declare_sql},
      {"evercore_event_types", 1, false, "", "tttttt", [](Maker&) { return Arguments{}; },
       event_types,
       [](const Arguments&) {
         return std::string(
             "SELECT event_type, fold, schema, upcast, tags, filled FROM evercore_event_types"
             " ORDER BY event_type");
       }},
      {"evercore_fill", 1, true, "", "t",
       [](Maker& m) {
         return Arguments{m.some({{}, Number{7}})};
       },
       nothing_left},
  };
}

}  // namespace evercore::simulate
