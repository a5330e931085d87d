// std::string_view does not own its text; use std::string
#include "evercore/evercore.h"
struct Event {
  std::string_view name;
};
auto event = evercore::decode<Event>("{}");
