// the state has a Validate(), and the library calls validate()
#include "evercore/aggregate.h"
struct Counted {
  int by = 1;
};
class Counter {
  void Validate(const Counted& event) const { static_cast<void>(event); }

 public:
  int by = 0;
};
evercore::StateAggregate<Counter, Counted> counter;
