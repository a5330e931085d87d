// evercore: the state's fold_rules() would never be called for this event
#include "evercore/evercore.h"
struct Event {
  int amount = 0;
};
struct State {
  int amount = 0;
  void apply(const Event& event) { amount += event.amount; }
  constexpr std::string_view fold_rules(const Event&) const { return "[]"; }
};
evercore::StateAggregate<State, Event> aggregate;
