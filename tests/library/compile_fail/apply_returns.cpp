// what the state's apply() returns would be dropped
#include "evercore/aggregate.h"
struct Counted {
  int by = 1;
};
struct Counter {
  int by = 0;
  Counter apply(const Counted& event) { return {by + event.by}; }
};
evercore::StateAggregate<Counter, Counted> counter;
