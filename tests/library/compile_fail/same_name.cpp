// two events of an aggregate have one name
#include "evercore/evercore.h"
struct First {
  static constexpr std::string_view event_type = "thing";
};
struct Second {
  static constexpr std::string_view event_type = "other";
  static constexpr std::string_view aliases[] = {"thing"};
};
struct Thing {
  int count = 0;
};
evercore::StateAggregate<Thing, First, Second> thing;
