// The same steps on SQLite, on PostgreSQL and on the model, from one seed: rows, values, errors and messages must be
// the same, letter by letter.
//
// The simulators of the two engines let each meet its own troubles: failing disks there, sessions that wait for each
// other here. This one meets none. It shows that what a program sees does not depend on the engine, call after call
// of the whole surface, in and out of transactions and savepoints.
//
//   make simulate-both SEED=4711 STEPS=1
#include <memory>

#include "simulate/both/world.h"
#include "simulate/program.h"

int main(int argc, char** argv) {
  using namespace evercore::simulate;
  constexpr std::uint64_t episode_steps = 500;
  std::unique_ptr<postgres::Server> server;
  const Program program{
      "simulate-both [--seed N] [--steps N]: random calls on SQLite and PostgreSQL, beside a model",
      5000, episode_steps,
      [] { return std::vector<std::string>{}; },  // the simulators of each engine look
      [&](std::uint64_t seed) {
        if (!server) server = std::make_unique<postgres::Server>();
        const auto make_world = [&] { return std::make_unique<both::World>(*server, seed); };
        return run_episode<Action>(seed, episode_steps, make_world, "");
      }};
  return run(program, argc, argv);
}
