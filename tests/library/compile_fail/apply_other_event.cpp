// the state has an apply() that none of the aggregate's events reaches
#include "evercore/aggregate.h"
struct Counted {
  int by = 1;
};
struct Recounted {
  int by = 1;
};
struct Counter {
  int by = 0;
  void apply(const Recounted& event) { by += event.by; }
};
evercore::StateAggregate<Counter, Counted> counter;
