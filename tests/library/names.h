// Structs that two files of the tests use.
#pragma once

#include "evercore/evercore.h"

namespace names {

struct Named {
  std::string name;
};
struct Renamed {
  std::string name;
};
struct Shared {
  std::string name;
};
using SharedAggregate = evercore::StateAggregate<Shared, Named, Renamed>;

// In names_elsewhere_test.cpp: uses the same aggregate there, and one of that file's own whose structs
// are called as some in names_test.cpp are.
void use_shared(evercore::EventStore& store);
void use_hidden(evercore::EventStore& store);

}  // namespace names
