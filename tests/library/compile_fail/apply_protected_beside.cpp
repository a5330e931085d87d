// the state has an apply() for this event that is protected
#include "evercore/aggregate.h"
struct Counted {
  int by = 1;
};
struct Doubled {
  int by = 2;
};
class Counter {
 protected:
  void apply(const Doubled& event) { by *= event.by; }

 public:
  void apply(const Counted& event) { by += event.by; }
  int by = 0;
};
evercore::StateAggregate<Counter, Counted, Doubled> counter;
