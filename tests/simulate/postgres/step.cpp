// Steps by chance, and as text.
#include "simulate/postgres/world.h"

namespace evercore::simulate::postgres {

using Kind = Step::Kind;

Step World::make(Random& random) {
  Step step;
  step.session = static_cast<std::size_t>(random.below(static_cast<Number>(clients_.size())));
  const Client& client = clients_[step.session];
  const auto& transaction = client.transaction;
  const auto at = random.below(1000);
  if (at < 30) {
    step.kind = Kind::clock;
    step.number = random.chance(30) ? random.between(-3600, 3600) * 1000000 : random.below(3000000);
  } else if (at < 35) {
    step.kind = Kind::maintain;
    step.sql = random.pick<std::string>(
        {"ANALYZE", "VACUUM evercore_event", "VACUUM evercore_aggregate", "CHECKPOINT"});
  } else if (at < 40) {
    step.kind = Kind::kill;
  } else if (at < 41) {
    step.kind = Kind::crash;
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
    do step.call = &pick_call(random);
    while (!step.call->runs_on_postgres);
    const State seen = seen_by(client);
    Maker maker{random, seen.store, now_};
    step.arguments = step.call->make(maker);
  }
  return step;
}

std::string spelled(const Step& step) {
  const auto sql = [&]() -> std::string {
    const std::string level = " level" + std::to_string(step.number);
    switch (step.kind) {
      case Kind::call:
        return sql_of(*step.call, step.arguments) + ";";
      case Kind::begin:
        return "BEGIN;";
      case Kind::commit:
        return "COMMIT;";
      case Kind::rollback:
        return "ROLLBACK;";
      case Kind::savepoint:
        return "SAVEPOINT a level more;";
      case Kind::rollback_to:
        return "ROLLBACK TO" + level + ";";
      case Kind::release:
        return "RELEASE" + level + ";";
      case Kind::kill:
        return "-- its process is terminated, and it connects again";
      case Kind::crash:
        return "-- the server crashes and starts again; all connect again";
      case Kind::maintain:
        return step.sql + ";";
      case Kind::clock:
        return "-- the clock moves by " + std::to_string(step.number) + " microseconds";
    }
    return "";
  };
  return "/* session " + std::to_string(step.session) + " */ " + sql();
}

std::vector<std::string> World::never_called() {
  const Reply all = witness_->run(
      "SELECT DISTINCT p.proname::text COLLATE \"C\" FROM pg_proc p WHERE p.pronamespace = "
      "'evercore'::regnamespace AND p.prokind = 'f'"
      " AND p.proname LIKE 'evercore\\_%' UNION SELECT c.relname FROM pg_class c"
      " WHERE c.relnamespace = 'evercore'::regnamespace AND c.relkind = 'v' AND c.relname LIKE "
      "'evercore\\_%' ORDER BY 1");
  std::vector<std::string> left_out;
  for (const std::string& name : all.rows) {
    bool called = false;
    for (const Call& call : calls()) called = called || call.name == name;
    if (!called) left_out.push_back(name);
  }
  return left_out;
}

}  // namespace evercore::simulate::postgres
