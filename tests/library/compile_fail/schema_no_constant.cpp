// evercore: schema() gives no constant
#include "evercore/evercore.h"
struct Event {
  int amount = 0;
  static std::string schema() { return "{}"; }
};
struct State {
  void apply(const Event&) {}
};
evercore::StateAggregate<State, Event> aggregate;
