// What the simulators of both engines are as programs: episodes by seed, the least steps of a failure, the closing
// line.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "simulate/random.h"

namespace evercore::simulate {

struct Program {
  const char* help;
  std::uint64_t steps;          ///< where the command line names none
  std::uint64_t episode_steps;  ///< after them the world begins anew
  /// Functions and relations of the surface that no call names: a capability that the simulator does not know has not
  /// been tried.
  std::function<std::vector<std::string>()> never_called;
  /// A number made of all answers of the episode of that seed, or nothing where one was wrong.
  std::function<std::optional<std::uint64_t>(std::uint64_t)> run_episode;
};

/// Runs it as the command line says (`--seed N --steps N`). Gives the exit code.
int run(const Program& program, int argc, char** argv);

/// Leaves out what the failure does not need: ever smaller pieces, as long as anything can go.
template <typename Step, typename Fails>
std::vector<Step> shrunk(std::vector<Step> steps, const Fails& fails) {
  for (std::size_t piece = steps.size() / 2; piece > 0; piece = piece == 1 ? 0 : (piece + 1) / 2) {
    for (std::size_t at = 0; at < steps.size();) {
      const auto from = steps.begin() + static_cast<std::ptrdiff_t>(at);
      const auto to =
          steps.begin() + static_cast<std::ptrdiff_t>(std::min(at + piece, steps.size()));
      std::vector<Step> fewer(steps.begin(), from);
      fewer.insert(fewer.end(), to, steps.end());
      if (fails(fewer)) {
        steps = std::move(fewer);
      } else {
        at += piece;
      }
    }
  }
  return steps;
}

/// Makes and takes `count` steps in a world. One that looks at the whole store now and then does so after fewer, too. `head` goes before the steps of a failure.
template <typename Step, typename MakeWorld>
std::optional<std::uint64_t> run_episode(std::uint64_t seed, std::uint64_t count,
                                         const MakeWorld& make_world, const std::string& head) {
  Random random(seed);
  std::vector<Step> steps;
  std::optional<std::string> complaint;
  {
    const auto world = make_world();
    while (steps.size() < count && !complaint) {
      steps.push_back(world->make(random));
      complaint = world->take(steps.back());
    }
    if (!complaint) return world->digest();
  }
  std::printf("-- seed %llu, step %zu: %s\n-- %s\n", static_cast<unsigned long long>(seed),
              steps.size(), spelled(steps.back()).c_str(), complaint->c_str());
  const auto replay = [&](const std::vector<Step>& some) -> std::optional<std::string> {
    const auto world = make_world();
    for (const Step& step : some) {
      if (auto fault = world->take(step)) return fault;
    }
    if constexpr (requires { world->look(); }) return world->look();
    return std::nullopt;
  };
  const auto least =
      shrunk(steps, [&](const std::vector<Step>& fewer) { return replay(fewer).has_value(); });
  std::printf("-- %zu steps of these:\n%s", least.size(), head.c_str());
  for (const Step& step : least) std::printf("%s\n", spelled(step).c_str());
  std::printf("-- %s\n", replay(least).value_or("not again").c_str());
  return std::nullopt;
}

}  // namespace evercore::simulate
