// evercore: the state's fold_rules() gives no rules
#include "evercore/evercore.h"
struct Event {
  int amount = 0;
};
struct State {
  int amount = 0;
  void apply(const Event& event) { amount += event.amount; }
  static constexpr std::string_view fold_rules(const Event&) { return "merge"; }
};
evercore::StateAggregate<State, Event> aggregate;
