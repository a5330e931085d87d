// a character is neither text nor a number; use std::string
#include "evercore/evercore.h"
struct Event {
  char initial = 'a';
};
auto text = evercore::encode(Event{});
