// How event types fold.
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
  const std::map<std::string, Fold> folds = {
      {"merge", Fold::merge}, {"patch", Fold::patch}, {"custom", Fold::custom}};
  if (folds.count(word) == 0) refuse(9, "fold is not merge, patch or custom: \"" + word + "\"");
  Store& store = scene.store;
  Fold& fold = store.folds.try_emplace(*type, Fold::merge).first->second;
  if (fold == folds.at(word)) return {*type};
  for (auto& [id, aggregate] : store.aggregates) {
    if (!uses(store, aggregate, *type)) continue;
    if (aggregate.base > 0 && !aggregate.erased) {
      refuse(10,
             "event type \"" + *type + "\" folded into compacted aggregate " + cell(aggregate.id));
    }
    aggregate.snapshots.clear();
  }
  fold = folds.at(word);
  return {*type};
}

}  // namespace

std::vector<Call> fold_calls() {
  return {
      {"evercore_event_type", 2, true, "", "t",
       [](Maker& m) {
         return Arguments{m.event_type(), m.some({"merge", "patch", "patch", "custom", "other"})};
       },
       event_type},
  };
}

}  // namespace evercore::simulate
