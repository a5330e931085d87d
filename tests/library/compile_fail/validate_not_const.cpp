// the state's validate() would never be called for this event
#include "evercore/aggregate.h"
struct Counted {
  int by = 1;
};
struct Counter {
  int by = 0;
  void validate(const Counted& event) {
    if (event.by < 0) throw evercore::refused_error("less than nothing");
  }
};
evercore::StateAggregate<Counter, Counted> counter;
