// a pointer cannot be stored; use the value itself, or std::optional
#include "evercore/evercore.h"
struct Event {
  std::shared_ptr<int> number;
};
auto text = evercore::encode(Event{});
