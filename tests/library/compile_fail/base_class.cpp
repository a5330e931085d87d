// a struct with a base class cannot be reflected; make the base a member
#include "evercore/evercore.h"
struct Common {
  std::string who;
};
struct Event : Common {
  int number = 0;
};
auto text = evercore::encode(Event{});
