// the keys of a map become member names; use std::string or an enum
#include "evercore/evercore.h"
struct Event {
  std::map<double, int> counts;
};
auto text = evercore::encode(Event{});
