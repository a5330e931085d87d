// Steps by chance, and as text.
#include "simulate/postgres/world.h"

namespace evercore::simulate {

std::string spelled(const Action& action) {
  const std::string limit = action.limit.empty() ? "" : ", " + action.limit;
  return "/* session " + std::to_string(action.session) + limit + " */ " + sql_of(action);
}

}  // namespace evercore::simulate

namespace evercore::simulate::postgres {

using Kind = Action::Kind;

Action World::make(Random& random) {
  Action step;
  step.session = static_cast<std::size_t>(random.below(static_cast<Number>(clients_.size())));
  const Client& client = clients_[step.session];
  const auto& transaction = client.transaction;
  const auto at = random.below(1000);
  if (at < 30) {
    step.move_clock(random);
  } else if (at < 35) {
    step.kind = Kind::maintain;
    step.sql = random.pick<std::string>(
        {"ANALYZE", "VACUUM evercore_event", "VACUUM evercore_aggregate", "CHECKPOINT"});
  } else if (at < 40) {
    step.kind = Kind::kill;
  } else if (at < 41) {
    step.kind = Kind::crash;
  } else if (at < 43 && !server_.has_standby()) {
    step.kind = Kind::standby;
  } else if (at < 60 && server_.has_standby()) {
    step.kind = Kind::fail_over;
  } else if (transaction && transaction->failed) {
    step.kind = transaction->savepoints.empty() ? Kind::rollback
                                                : random.pick({Kind::rollback_to, Kind::rollback});
    step.number = random.below(static_cast<Number>(transaction->savepoints.size()) + 1);
  } else if (at < (transaction ? 200 : 100)) {
    if (!transaction) {
      step.kind = Kind::begin;
    } else if (!transaction->savepoints.empty() && random.chance(50)) {
      step.kind = random.pick({Kind::rollback_to, Kind::release, Kind::savepoint});
      step.number = random.below(static_cast<Number>(transaction->savepoints.size()));
    } else {
      step.kind =
          random.pick({Kind::commit, Kind::commit, Kind::commit, Kind::rollback, Kind::savepoint});
    }
  } else {
    do step.call = &pick_call(random, declarations_);
    while (!step.call->runs_on_postgres);
    const State seen = seen_by(client);
    Maker maker{random, seen.store, now_};
    step.arguments = step.call->make(maker);
    step.limit = random.pick<std::string>({"", "", "", "lock_timeout", "statement_timeout"});
  }
  if (step.kind == Kind::savepoint)
    step.number = static_cast<Number>(transaction->savepoints.size());
  return step;
}

std::vector<std::string> World::never_called() {
  const Reply all = witness_->run(
      "SELECT DISTINCT p.proname::text COLLATE \"C\" FROM pg_proc p WHERE p.pronamespace = "
      "'evercore'::regnamespace AND p.prokind = 'f'"
      " AND p.proname LIKE 'evercore\\_%' UNION SELECT c.relname FROM pg_class c"
      " WHERE c.relnamespace = 'evercore'::regnamespace AND c.relkind = 'v' AND c.relname LIKE "
      "'evercore\\_%' ORDER BY 1");
  return never_called_of(all.rows);
}

}  // namespace evercore::simulate::postgres
