// `declared_tags` has one prefix twice
#include "evercore/evercore.h"
struct Event {
  std::string course, other;
  static constexpr std::string_view declared_tags[][2] = {{"c", "course"}, {"c", "other"}};
};
struct State {
  void apply(const Event&) {}
};
evercore::StateAggregate<State, Event> aggregate;
