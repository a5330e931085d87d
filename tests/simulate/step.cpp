// Steps by chance, and as text.
#include "simulate/world.h"

namespace evercore::simulate {

namespace {

using Kind = Step::Kind;

std::string maintenance(Random& random) {
  return random.pick<std::string>(
      {"ANALYZE", "PRAGMA optimize", "VACUUM", "PRAGMA wal_checkpoint(PASSIVE)",
       "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA wal_checkpoint(RESTART)", "REINDEX"});
}

}  // namespace

Step World::make(Random& random) {
  Step step;
  step.session = static_cast<std::size_t>(random.below(static_cast<Number>(sessions_.size())));
  const auto& transaction = sessions_[step.session].transaction;
  const auto at = random.below(100);
  if (at < 4) {
    step.move_clock(random);
  } else if (at < 6) {
    step.kind = Kind::maintain;
    step.sql = maintenance(random);
  } else if (at < 7) {
    step.kind = random.pick({Kind::reopen, Kind::reopen, Kind::backup, Kind::restore});
  } else if (at < (transaction ? 22 : 12)) {
    if (!transaction) {
      step.kind =
          random.pick({Kind::begin, Kind::begin_immediate, Kind::begin_immediate, Kind::savepoint});
    } else if (!transaction->savepoints.empty() && random.chance(50)) {
      step.kind = random.pick({Kind::rollback_to, Kind::release, Kind::savepoint});
      step.number = random.below(static_cast<Number>(transaction->savepoints.size()));
    } else {
      step.kind =
          random.pick({Kind::commit, Kind::commit, Kind::commit, Kind::rollback, Kind::savepoint});
    }
  } else {
    step.call = &pick_call(random, has_declarations(settings_.seed));
    Maker maker{random, transaction && transaction->started ? transaction->view : committed_,
                machine_time};
    step.arguments = step.call->make(maker);
  }
  if (step.kind == Kind::savepoint) {
    step.number = transaction ? static_cast<Number>(transaction->savepoints.size()) : 0;
  }
  if (random.chance(settings_.trouble_percent)) {
    step.trouble = random.pick({Trouble::fail, Trouble::fail, Trouble::tear, Trouble::full,
                                Trouble::death, Trouble::power});
    step.trouble_at = random.chance(70) ? random.between(1, 12) : random.between(1, 60);
    step.chance = random.next();
  }
  return step;
}

std::string spelled(const Step& step) {
  const char* const names[] = {"",
                               "fails",
                               "is torn and fails",
                               "finds the disk full",
                               "is the process's last",
                               "is the machine's last"};
  std::string out = ".connection " + std::to_string(step.session) + "\n" + sql_of(step);
  if (step.trouble != Trouble::none) {
    out += "  -- I/O call " + std::to_string(step.trouble_at) + " " +
           names[static_cast<int>(step.trouble)];
  }
  return out;
}

}  // namespace evercore::simulate
