// every_apply_must_be_public
#include "evercore/aggregate.h"
struct Counted {
  int by = 1;
};
struct Doubled {
  int by = 2;
};
class Counter {
  void apply(const Doubled& event) { by *= event.by; }

 public:
  void apply(const Counted& event) { by += event.by; }
  int by = 0;
};
evercore::StateAggregate<Counter, Counted, Doubled> counter;
