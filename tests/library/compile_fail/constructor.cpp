// this type is not a plain struct, because it has constructors
#include "evercore/evercore.h"
struct Event {
  explicit Event(int start) : number(start) {}
  int number;
};
auto text = evercore::encode(Event{1});
