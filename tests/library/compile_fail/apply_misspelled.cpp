// the state has an Apply() for this event, and the library calls apply()
#include "evercore/aggregate.h"
struct Counted {
  int by = 1;
};
struct Counter {
  int by = 0;
  void Apply(const Counted& event) { by += event.by; }
};
evercore::StateAggregate<Counter, Counted> counter;
