// The shared library: uses the program's aggregate, and one of its own that bears the same name.
#include "types.h"

namespace other {
struct Account {
  std::string name;
};
}  // namespace other

void use_account(evercore::EventStore& store) {
  store.warmup<AccountAggregate>();
}
void use_other_account(evercore::EventStore& store) {
  store.warmup<evercore::StateAggregate<other::Account>>();
}
