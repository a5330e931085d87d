// cannot be assigned to the state's member of the same name without loss
#include "evercore/evercore.h"
struct Counted {
  std::int64_t count = 0;
};
struct Thing {
  std::int8_t count = 0;
};
evercore::StateAggregate<Thing, Counted> thing;
