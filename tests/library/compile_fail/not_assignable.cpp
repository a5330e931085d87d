// a state event has a member whose type cannot be assigned to the state's member of the same name
#include "evercore/evercore.h"
struct Renamed {
  std::string name;
};
struct Thing {
  int name = 0;
};
evercore::StateAggregate<Thing, Renamed> thing;
