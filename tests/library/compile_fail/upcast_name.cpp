// an event with an upcast() needs a name of its own
#include "evercore/evercore.h"
struct Old {
  static constexpr std::string_view event_type = "thing";
};
struct New {
  static constexpr std::string_view event_type = "thing";
  static New upcast(const Old&) { return {}; }
};
struct Thing {
  int count = 0;
};
evercore::StateAggregate<Thing, New> thing;
