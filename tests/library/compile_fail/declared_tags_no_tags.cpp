// `declared_tags` names a member that gives no tags
#include "evercore/evercore.h"
struct Event {
  double weight = 0;
  static constexpr std::string_view declared_tags[][2] = {{"weight", "weight"}};
};
struct State {
  void apply(const Event&) {}
};
evercore::StateAggregate<State, Event> aggregate;
