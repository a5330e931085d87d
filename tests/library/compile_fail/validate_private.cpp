// the state has a validate() that none of the aggregate's events reaches
#include "evercore/aggregate.h"
struct Counted {
  int by = 1;
};
class Counter {
  void validate(const Counted& event) const {
    if (event.by < 0) throw evercore::refused_error("less than nothing");
  }

 public:
  int by = 0;
};
evercore::StateAggregate<Counter, Counted> counter;
