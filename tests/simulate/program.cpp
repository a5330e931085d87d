#include "simulate/program.h"

#include <chrono>
#include <cstdlib>
#include <cstring>

namespace evercore::simulate {

namespace {

std::uint64_t number_after(int argc, char** argv, const char* name, std::uint64_t otherwise) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], name) == 0) return std::strtoull(argv[i + 1], nullptr, 10);
  }
  return otherwise;
}

bool knows_all(const Program& program) {
  const auto left_out = program.never_called();
  for (const std::string& name : left_out)
    std::printf("no call of the simulator names %s\n", name.c_str());
  return left_out.empty();
}

bool is_the_same_again(const Program& program, std::uint64_t seed) {
  const bool same = program.run_episode(seed) == program.run_episode(seed);
  if (!same)
    std::printf("seed %llu gives another run the second time\n",
                static_cast<unsigned long long>(seed));
  return same;
}

}  // namespace

int run(const Program& program, int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--help") == 0) {
    std::puts(program.help);
    return 0;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::uint64_t seed = number_after(argc, argv, "--seed", 1);
  const std::uint64_t wanted = number_after(argc, argv, "--steps", program.steps);
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t steps = 0, episode = 0, failed = 0, answers = 0;
  const std::uint64_t others =
      (knows_all(program) ? 0 : 1) + (is_the_same_again(program, seed) ? 0 : 1);
  for (auto told = begin; steps < wanted && failed < 3; ++episode) {
    const auto digest = program.run_episode(seed + episode);
    failed += digest ? 0 : 1;
    answers = answers * 31 + digest.value_or(0);
    steps += program.episode_steps;
    if (std::chrono::steady_clock::now() - told > std::chrono::seconds(10)) {
      told = std::chrono::steady_clock::now();
      std::fprintf(stderr, "%llu of %llu steps\n", static_cast<unsigned long long>(steps),
                   static_cast<unsigned long long>(wanted));
    }
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf(
      "%llu steps in %llu episodes from seed %llu, %.0f a second; the answers' digest is %016llx\n",
      static_cast<unsigned long long>(steps), static_cast<unsigned long long>(episode),
      static_cast<unsigned long long>(seed), static_cast<double>(steps) / seconds,
      static_cast<unsigned long long>(answers));
  std::printf("%llu passed, %llu failed\n",
              static_cast<unsigned long long>(episode - failed + 2 - others),
              static_cast<unsigned long long>(failed + others));
  return failed + others == 0 ? 0 : 1;
}

}  // namespace evercore::simulate
