// the state has a Validate() for this event, and the library calls validate()
#include "evercore/aggregate.h"
struct Counted {
  int by = 1;
};
struct Counter {
  int by = 0;
  void Validate(const Counted& event) const { static_cast<void>(event); }
};
evercore::StateAggregate<Counter, Counted> counter;
