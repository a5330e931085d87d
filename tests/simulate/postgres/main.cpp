// The simulator of a PostgreSQL store: the calls and the model of tests/simulate/main.cpp, over real sessions of a
// real server.
//
// A seed gives the same run again, though the sessions are processes that run side by side: one step is done at
// a time, and it is over when its call has answered or, by the server's table of locks, waits for another
// session. One may wait; a second one is cancelled. Some calls are under a lock_timeout or statement_timeout, which
// ends them where they would wait. The clock is the simulator's. Server processes are
// terminated in the middle of their transactions, now and then the whole server crashes, and at times a standby
// that commits have waited for takes its place.
//
//   make simulate-postgres SEED=4711 STEPS=1
#include <memory>

#include "simulate/postgres/world.h"
#include "simulate/program.h"

int main(int argc, char** argv) {
  using namespace evercore::simulate;
  constexpr std::uint64_t episode_steps = 500;
  std::unique_ptr<postgres::Server> server;
  const auto started = [&]() -> postgres::Server& {
    if (!server) server = std::make_unique<postgres::Server>();
    return *server;
  };
  const Program program{
      "simulate-postgres [--seed N] [--steps N]: random calls, kills and crashes on a PostgreSQL "
      "server, beside a model",
      5000, episode_steps, [&] { return postgres::World(started(), 1).never_called(); },
      [&](std::uint64_t seed) {
        const auto make_world = [&] { return std::make_unique<postgres::World>(started(), seed); };
        return run_episode<Action>(seed, episode_steps, make_world, "");
      }};
  return run(program, argc, argv);
}
