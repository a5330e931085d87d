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
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "simulate/shrink.h"
#include "simulate/world.h"

namespace {

using namespace evercore::simulate;

constexpr std::size_t episode_steps = 300;

std::optional<std::string> replay(const Settings& settings, const std::vector<Step>& steps) {
  World world(settings);
  for (const Step& step : steps) {
    if (auto complaint = world.take(step)) return complaint;
  }
  return std::nullopt;
}

void report(const Settings& settings, const std::vector<Step>& steps) {
  const std::vector<Step> least = shrunk(
      steps, [&](const std::vector<Step>& fewer) { return replay(settings, fewer).has_value(); });
  std::printf("-- seed %llu: %s", static_cast<unsigned long long>(settings.seed),
              settings.pragmas().c_str());
  std::printf("\n-- %zu steps of %zu:\n.load ./evercore\nSELECT evercore_migrate();\n",
              least.size(), steps.size());
  for (const Step& step : least) std::printf("%s\n", spelled(step).c_str());
  std::printf("-- %s\n", replay(settings, least).value_or("not again").c_str());
}

struct Episode {
  bool passed = false;
  std::uint64_t digest = 0;
};

Episode run_episode(std::uint64_t seed) {
  const Settings settings(seed);
  Random random(seed);
  std::vector<Step> steps;
  {
    World world(settings);
    std::optional<std::string> complaint;
    while (steps.size() < episode_steps && !complaint) {
      steps.push_back(world.make(random));
      complaint = world.take(steps.back());
    }
    if (!complaint) return {true, world.digest()};
  }
  report(settings, steps);
  return {};
}

/// A capability that the simulator does not know has not been tried.
bool knows_all() {
  World world(Settings(1));
  const auto left_out = world.never_called();
  for (const std::string& name : left_out)
    std::printf("no call of the simulator names %s\n", name.c_str());
  return left_out.empty();
}

bool is_the_same_again(std::uint64_t seed) {
  const bool same = run_episode(seed).digest == run_episode(seed).digest;
  if (!same)
    std::printf("seed %llu gives another run the second time\n",
                static_cast<unsigned long long>(seed));
  return same;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--help") == 0) {
    std::puts(
        "simulate [--seed N] [--steps N]: random calls and faults on a simulated machine, beside a "
        "model");
    return 0;
  }
  const std::uint64_t seed = number_after(argc, argv, "--seed", 1);
  const std::uint64_t wanted = number_after(argc, argv, "--steps", 30000);
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t steps = 0, episode = 0, failed = 0;
  const std::uint64_t others = (knows_all() ? 0 : 1) + (is_the_same_again(seed) ? 0 : 1);
  for (auto told = begin; steps < wanted && failed < 3; ++episode) {
    failed += run_episode(seed + episode).passed ? 0 : 1;
    steps += episode_steps;
    if (std::chrono::steady_clock::now() - told > std::chrono::seconds(10)) {
      told = std::chrono::steady_clock::now();
      std::fprintf(stderr, "%llu of %llu steps\n", static_cast<unsigned long long>(steps),
                   static_cast<unsigned long long>(wanted));
    }
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%llu steps in %llu episodes from seed %llu, %.0f a second\n",
              static_cast<unsigned long long>(steps), static_cast<unsigned long long>(episode),
              static_cast<unsigned long long>(seed), static_cast<double>(steps) / seconds);
  std::printf("%llu passed, %llu failed\n",
              static_cast<unsigned long long>(episode - failed + 2 - others),
              static_cast<unsigned long long>(failed + others));
  return failed + others == 0 ? 0 : 1;
}
