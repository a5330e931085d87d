// a const member cannot be decoded into; drop the const
#include "evercore/evercore.h"
struct Event {
  const int number = 0;
};
auto event = evercore::decode<Event>("{}");
