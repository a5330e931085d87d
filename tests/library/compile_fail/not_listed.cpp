// this event is not among the aggregate's events; add it to the list
#include "evercore/evercore.h"
struct Listed {};
struct Foreign {};
struct Thing {
  int count = 0;
};
void apply(evercore::StateAggregate<Thing, Listed>& thing) {
  thing.apply(Foreign{});
}
