// upcast() cannot be called; make it one public static function
#include "evercore/aggregate.h"
struct Old {
  int n = 0;
};
class Event {
  static Event upcast(const Old& old) { return {old.n}; }

 public:
  int n = 0;
  static constexpr std::string_view event_type = "event-2";
};
struct Thing {
  int n = 0;
};
evercore::StateAggregate<Thing, Event> thing;
