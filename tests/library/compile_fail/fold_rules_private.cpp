// evercore: the state has fold_rules() that none of the aggregate's events reaches
#include "evercore/evercore.h"
struct Event {
  int amount = 0;
};
struct State {
  int amount = 0;
  void apply(const Event& event) { amount += event.amount; }

 private:
  static constexpr std::string_view fold_rules(const Event&) { return "[]"; }
};
evercore::StateAggregate<State, Event> aggregate;
