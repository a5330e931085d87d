// two alternatives of a variant have one name in JSON
#include "evercore/evercore.h"
struct Event {
  std::variant<int, long> number;
};
auto text = evercore::encode(Event{});
