// the state has an apply() that none of the aggregate's events reaches; make it public
#include "evercore/aggregate.h"
struct Counted {
  int by = 1;
};
class Counter {
  void apply(const Counted& event) { by += event.by; }

 public:
  int by = 0;
};
evercore::StateAggregate<Counter, Counted> counter;
