// this type is not a plain struct, because it has constructors, private or virtual members
#include "evercore/evercore.h"
class Money {
  int cents_ = 0;
};
struct Event {
  Money price;
};
auto text = evercore::encode(Event{});
