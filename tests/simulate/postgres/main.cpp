// The simulator of a PostgreSQL store: the calls and the model of tests/simulate/main.cpp, over real sessions of a
// real server.
//
// A seed gives the same run again, though the sessions are processes that run side by side: one step is done at
// a time, and it is over when its call has answered or, by the server's table of locks, waits for another
// session. One may wait; a second one is cancelled. The clock is the simulator's. Server processes are
// terminated in the middle of their transactions, and now and then the whole server crashes.
//
//   make simulate-postgres SEED=4711 STEPS=1
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>

#include "simulate/postgres/world.h"
#include "simulate/shrink.h"

namespace {

using namespace evercore::simulate;
using postgres::Server;
using postgres::Step;
using postgres::World;

constexpr std::size_t episode_steps = 500;

std::optional<std::string> replay(Server& server, std::uint64_t seed,
                                  const std::vector<Step>& steps) {
  World world(server, seed);
  for (const Step& step : steps) {
    if (auto complaint = world.take(step)) return complaint;
  }
  return std::nullopt;
}

void report(Server& server, std::uint64_t seed, const std::vector<Step>& steps) {
  const std::vector<Step> least = shrunk(steps, [&](const std::vector<Step>& fewer) {
    return replay(server, seed, fewer).has_value();
  });
  std::printf("-- seed %llu, %zu steps of %zu:\n", static_cast<unsigned long long>(seed),
              least.size(), steps.size());
  for (const Step& step : least) std::printf("%s\n", postgres::spelled(step).c_str());
  std::printf("-- %s\n", replay(server, seed, least).value_or("not again").c_str());
}

/// A number made of all answers, or nothing where one was wrong.
std::optional<std::uint64_t> run_episode(Server& server, std::uint64_t seed) {
  Random random(seed);
  std::vector<Step> steps;
  std::optional<std::string> complaint;
  {
    World world(server, seed);
    while (steps.size() < episode_steps && !complaint) {
      steps.push_back(world.make(random));
      complaint = world.take(steps.back());
    }
    if (!complaint) return world.digest();
  }
  std::printf("-- seed %llu, step %zu: %s\n", static_cast<unsigned long long>(seed), steps.size(),
              complaint->c_str());
  report(server, seed, steps);
  return std::nullopt;
}

/// A capability that the simulator does not know has not been tried.
bool knows_all(Server& server) {
  const auto left_out = World(server, 1).never_called();
  for (const std::string& name : left_out)
    std::printf("no call of the simulator names %s\n", name.c_str());
  return left_out.empty();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--help") == 0) {
    std::puts(
        "simulate-postgres [--seed N] [--steps N]: random calls, kills and crashes on a PostgreSQL "
        "server, beside a model");
    return 0;
  }
  const std::uint64_t seed = number_after(argc, argv, "--seed", 1);
  const std::uint64_t wanted = number_after(argc, argv, "--steps", 5000);
  const auto begin = std::chrono::steady_clock::now();
  auto told = begin;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  Server server;
  std::uint64_t steps = 0, episode = 0, failed = 0;
  std::uint64_t others = knows_all(server) ? 0 : 1;
  const auto first = run_episode(server, seed);
  if (first && first != run_episode(server, seed)) {
    std::printf("seed %llu gives another run the second time\n",
                static_cast<unsigned long long>(seed));
    ++others;
  }
  for (; steps < wanted && failed < 3; ++episode, steps += episode_steps) {
    failed += run_episode(server, seed + episode) ? 0 : 1;
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
