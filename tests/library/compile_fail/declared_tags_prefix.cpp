// a prefix in `declared_tags` has 1 to 254 characters
#include "evercore/evercore.h"
struct Event {
  std::string course;
  static constexpr std::string_view declared_tags[][2] = {{"", "course"}};
};
struct State {
  void apply(const Event&) {}
};
evercore::StateAggregate<State, Event> aggregate;
