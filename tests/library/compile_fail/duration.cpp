// a duration is stored exactly, in nanoseconds at the finest; use a duration of integers
#include "evercore/codec.h"
struct Event {
  std::chrono::duration<double> waited{};
};
auto text = evercore::encode(Event{});
