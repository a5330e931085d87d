// evercore: the state has fold_rules() for this event and no apply()
#include "evercore/evercore.h"
struct Event {
  int amount = 0;
};
struct State {
  int amount = 0;
  static constexpr std::string_view fold_rules(const Event&) { return "[]"; }
};
evercore::StateAggregate<State, Event> aggregate;
