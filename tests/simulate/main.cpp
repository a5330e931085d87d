// A simulator of everything that can happen to a store, from one seed.
//
// "Nothing is lost" is a claim until somebody can try to break it. This program tries: it drives the
// real extension and the real SQLite through random calls of the whole surface, on several connections,
// in and out of transactions, on a disk that fails, fills up, tears writes and loses power, under a
// clock that jumps. Beside them goes a model (model.h): a plain program of some hundred lines that reads
// like the contract. After each step the answer of the engine must be the model's, word by word; after
// each crash all that was acknowledged must be there, and nothing half.
//
// A run is cut into episodes of some hundred steps, each on a machine of its own with settings of its
// own. Episode n of seed S is the first of seed S + n, so that a failure is run again by its own seed:
//
//   make simulate SEED=4711 STEPS=1
//
// What failed is made smaller by leaving steps out, and printed as text for the sqlite3 shell.
#include <sqlite3.h>

#include <memory>

#include "simulate/program.h"
#include "simulate/world.h"

int main(int argc, char** argv) {
  using namespace evercore::simulate;
  constexpr std::uint64_t episode_steps = 300;
  // There is one thread, and nobody asks how much memory there is: counting and locking took a seventh of the time.
  sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  const Program program{
      "simulate [--seed N] [--steps N]: random calls and faults on a simulated machine, beside a "
      "model",
      30000, episode_steps, [] { return World(Settings(1)).never_called(); },
      [](std::uint64_t seed) {
        const Settings settings(seed);
        const auto make_world = [&] { return std::make_unique<World>(settings); };
        return run_episode<Step>(
            seed, episode_steps, make_world,
            "-- " + settings.pragmas() + "\n.load ./evercore\nSELECT evercore_migrate();\n");
      }};
  return run(program, argc, argv);
}
