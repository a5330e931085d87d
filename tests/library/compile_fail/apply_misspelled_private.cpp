// the state has an Apply(), and the library calls apply()
#include "evercore/aggregate.h"
struct Counted {
  int by = 1;
};
class Counter {
  void Apply(const Counted& event) { by += event.by; }

 public:
  int by = 0;
};
evercore::StateAggregate<Counter, Counted> counter;
