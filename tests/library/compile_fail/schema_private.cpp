// evercore: schema() cannot be called
#include "evercore/evercore.h"
class Keeps {
 public:
  struct Event {
    int amount = 0;
    std::string_view schema() const { return "{}"; }
  };
};
struct State {
  void apply(const Keeps::Event&) {}
};
evercore::StateAggregate<State, Keeps::Event> aggregate;
