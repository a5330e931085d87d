#include "declarations.h"

#include "constants.h"

namespace evercore::gen {

namespace {

// Whose fold of an event it is.
struct Folds {
  const Aggregate* aggregate;
  Event* event;
};

// An event type has one fold, whatever aggregates it is of.
void set_rules(const Folds& folds, const Aggregate* before, const std::string& fold,
               std::vector<Fault>& faults) {
  const std::string rules = fold == "custom" ? "" : fold;
  if (before != nullptr && folds.event->rules != rules) {
    faults.push_back({folds.event->where, folds.event->name + " has other fold_rules() in " +
                                              before->name + " than in " + folds.aggregate->name +
                                              "; an event type folds in one way"});
  }
  folds.event->rules = rules;
}

}  // namespace

void read_declarations(std::span<const std::string> headers, std::span<const std::string> flags,
                       Model& model, std::vector<Fault>& faults) {
  std::vector<std::string> expressions;
  std::vector<std::string*> schemas;
  std::vector<Folds> folds;
  const auto ask_schema = [&](auto& described) {
    if (!described.has_schema) return;
    schemas.push_back(&described.schema);
    expressions.push_back("evercore::detail::declared_schema<" + described.cpp + ">()");
  };
  for (Event& event : model.events) ask_schema(event);
  for (Aggregate& aggregate : model.aggregates) ask_schema(aggregate);
  bool any_rules = false;
  for (const Aggregate& aggregate : model.aggregates) any_rules = any_rules || aggregate.has_rules;
  for (const Aggregate& aggregate : model.aggregates) {
    for (const std::size_t index : aggregate.events) {
      Event& event = model.events[index];
      if (!any_rules || event.fold != Fold::custom) continue;
      folds.push_back({&aggregate, &event});
      expressions.push_back("evercore::detail::declared_fold<" + aggregate.cpp + ", " + event.cpp +
                            ">()");
    }
  }
  const auto texts = constant_texts(headers, flags, expressions, faults);
  if (texts.size() != expressions.size()) return;
  for (std::size_t i = 0; i < schemas.size(); ++i) *schemas[i] = texts[i];
  for (std::size_t i = 0; i < folds.size(); ++i) {
    const Aggregate* before = nullptr;
    for (std::size_t j = 0; j < i; ++j) {
      if (folds[j].event == folds[i].event) before = folds[j].aggregate;
    }
    set_rules(folds[i], before, texts[schemas.size() + i], faults);
  }
}

}  // namespace evercore::gen
