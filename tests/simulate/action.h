// What can be done to a simulated store, whatever the engine, and how it is spelled.
#pragma once

#include <string>

#include "simulate/call.h"

namespace evercore::simulate {

/// All that chance decides stands in it, so that a run of them is the same when others are left out.
struct Action {
  enum class Kind {
    call,
    begin,
    begin_immediate,
    commit,
    rollback,
    savepoint,
    rollback_to,
    release,
    reopen,  ///< the connection is closed and opened again
    maintain,
    clock,
    backup,
    restore,
    kill,      ///< the session's server process is terminated
    crash,     ///< the server loses all its processes at once, and is started again
    standby,   ///< another server follows this one, and from now on who commits waits for it
    fail_over  ///< the server is killed, and the one that followed it takes its place
  };
  Kind kind = Kind::call;
  std::size_t session = 0;
  const Call* call = nullptr;
  Arguments arguments = {};
  std::string sql = {};    ///< of maintain
  std::string limit = {};  ///< the setting that ends the call where it waits
  Number number = 0;       ///< microseconds of clock; the level of a savepoint

  /// Makes it a step of the clock: up to three seconds on, or at times up to an hour to and fro.
  void move_clock(Random& random);
};

/// What a shell takes, or a comment where no SQL does it.
std::string sql_of(const Action& action);

}  // namespace evercore::simulate
