// takes this event by a reference that is not const, so it would never be called
#include "evercore/aggregate.h"
struct Counted {
  int by = 1;
};
struct Counter {
  int by = 0;
  void apply(Counted& event) { by += event.by; }
};
evercore::StateAggregate<Counter, Counted> counter;
