// this event has no member in common with the state and no apply() there, so it would change nothing
#include "evercore/aggregate.h"
struct Registered {
  std::string emial;
};
struct Customer {
  std::string email;
};
evercore::StateAggregate<Customer, Registered> customer;
