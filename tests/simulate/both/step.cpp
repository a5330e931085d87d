// Steps by chance.
#include <algorithm>

#include "simulate/both/world.h"
#include "simulate/disk.h"

namespace evercore::simulate::both {

namespace {

using Kind = Action::Kind;

Kind of_transaction(Random& random, const std::vector<Store>& before) {
  if (before.empty()) return Kind::begin;
  if (before.size() > 1 && random.chance(50))
    return random.pick({Kind::rollback_to, Kind::release, Kind::savepoint});
  return random.pick({Kind::commit, Kind::commit, Kind::commit, Kind::rollback, Kind::savepoint});
}

/// In a transaction what a fetch has seen is noted by one engine at once and by the other at its end, and life after
/// a restore begins for followers at once or after it.
bool is_left_out(const Call& call, bool in_transaction) {
  return !call.runs_on_postgres ||
         (in_transaction && (call.name == "evercore_fetch" || call.name == "evercore_restored"));
}

}  // namespace

Action World::make(Random& random) {
  Action step;
  const auto at = random.below(100);
  if (at < 3) {
    step.move_clock(random);
  } else if (at < 4) {
    step.kind = Kind::maintain;
    step.sql = "ANALYZE";
  } else if (at < (before_.empty() ? 12 : 20)) {
    step.kind = of_transaction(random, before_);
    const auto levels = static_cast<Number>(before_.size());
    step.number =
        step.kind == Kind::savepoint ? levels - 1 : random.below(std::max<Number>(1, levels - 1));
  } else {
    do step.call = &pick_call(random, declarations_);
    while (is_left_out(*step.call, !before_.empty()));
    Maker maker{random, store_, machine_time};
    step.arguments = step.call->make(maker);
  }
  return step;
}

}  // namespace evercore::simulate::both
