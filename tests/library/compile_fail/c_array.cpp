// a C array cannot be a member; use std::array or std::vector
#include "evercore/evercore.h"
struct Event {
  int numbers[3];
};
auto text = evercore::encode(Event{});
