// a duration has no text of its own; store its count()
#include "evercore/evercore.h"
struct Event {
  std::chrono::seconds waited{};
};
auto text = evercore::encode(Event{});
