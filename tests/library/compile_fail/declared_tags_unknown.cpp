// `declared_tags` names a member that the struct does not have
#include "evercore/evercore.h"
struct Event {
  std::string course;
  static constexpr std::string_view declared_tags[][2] = {{"course", "cours"}};
};
struct State {
  void apply(const Event&) {}
};
evercore::StateAggregate<State, Event> aggregate;
