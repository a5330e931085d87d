// bit-field
#include "evercore/evercore.h"
struct Event {
  int narrow : 3;
  int other : 5;
};
auto text = evercore::encode(Event{});
