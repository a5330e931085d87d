// an optional of an optional has two kinds of nothing
#include "evercore/evercore.h"
struct Event {
  std::optional<std::optional<int>> maybe;
};
auto text = evercore::encode(Event{});
