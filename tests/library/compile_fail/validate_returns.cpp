// what the state's validate() returns would be dropped
#include "evercore/aggregate.h"
struct Counted {
  int by = 1;
};
struct Counter {
  int by = 0;
  bool validate(const Counted& event) const { return event.by >= 0; }
};
evercore::StateAggregate<Counter, Counted> counter;
