// every_validate_must_be_public
#include "evercore/aggregate.h"
struct Counted {
  int by = 1;
};
struct Doubled {
  int by = 2;
};
class Counter {
  void validate(const Doubled&) const {}

 public:
  void validate(const Counted&) const {}
  int by = 0;
};
evercore::StateAggregate<Counter, Counted, Doubled> counter;
