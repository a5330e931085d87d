#include "simulate/action.h"

namespace evercore::simulate {

void Action::move_clock(Random& random) {
  kind = Kind::clock;
  number = random.chance(30) ? random.between(-3600, 3600) * 1000000 : random.below(3000000);
}

std::string sql_of(const Action& action) {
  using Kind = Action::Kind;
  const std::string level = " level" + std::to_string(action.number);
  switch (action.kind) {
    case Kind::call:
      return sql_of(*action.call, action.arguments) + ";";
    case Kind::begin:
      return "BEGIN;";
    case Kind::begin_immediate:
      return "BEGIN IMMEDIATE;";
    case Kind::commit:
      return "COMMIT;";
    case Kind::rollback:
      return "ROLLBACK;";
    case Kind::savepoint:
      return "SAVEPOINT" + level + ";";
    case Kind::rollback_to:
      return "ROLLBACK TO" + level + ";";
    case Kind::release:
      return "RELEASE" + level + ";";
    case Kind::maintain:
      return action.sql + ";";
    case Kind::reopen:
      return "-- the connection is closed and opened again";
    case Kind::clock:
      return "-- the clock moves by " + std::to_string(action.number) + " microseconds";
    case Kind::backup:
      return "-- a backup is made";
    case Kind::restore:
      return "-- the last backup takes the store's place; SELECT evercore_restored();";
    case Kind::kill:
      return "-- its process is terminated, and it connects again";
    case Kind::crash:
      return "-- the server crashes and starts again; all connect again";
    case Kind::standby:
      return "-- a standby follows the server, and commits wait for it; all connect again";
    case Kind::fail_over:
      return "-- the server is killed, and its standby takes over; all connect again";
  }
  return "";
}

}  // namespace evercore::simulate
