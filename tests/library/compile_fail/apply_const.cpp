// apply() is const or static, so it cannot change the state
#include "evercore/aggregate.h"
struct Counted {
  int by = 1;
};
struct Counter {
  int by = 0;
  void apply(const Counted&) const {}
};
evercore::StateAggregate<Counter, Counted> counter;
