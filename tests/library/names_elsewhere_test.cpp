// The other file that names_test.cpp speaks of.
#include "names.h"

namespace {
struct Hidden {
  std::string there;
};
struct HiddenSet {
  std::string there;
};
}  // namespace

namespace names {

void use_shared(evercore::EventStore& store) {
  store.warmup<SharedAggregate>();
}

void use_hidden(evercore::EventStore& store) {
  store.warmup<evercore::StateAggregate<HiddenSet, Hidden>>();
}

}  // namespace names
