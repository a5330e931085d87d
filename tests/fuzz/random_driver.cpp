// Runs the fuzz target over so many mutated seeds, where libFuzzer is not at hand.
//   fuzz_driver [runs [seed]], and so file_and_sql_driver
//   fuzz_driver --seeds DIRECTORY     writes the seeds there, for libFuzzer to begin with
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "fuzz/seeds.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

int write_seeds(const std::string& directory) {
  std::size_t number = 0;
  for (const std::string& seed : evercore::fuzz::seeds())
    std::ofstream(directory + "/seed-" + std::to_string(number++), std::ios::binary) << seed;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--seeds") return write_seeds(argv[2]);
  const long runs = argc > 1 ? std::atol(argv[1]) : 50'000;
  const unsigned seed =
      argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : std::random_device{}();
  std::printf("seed %u\n", seed);
  std::fflush(stdout);
  std::mt19937 random(seed);
  const std::vector<std::string> all = evercore::fuzz::seeds();
  const std::string alphabet = std::string("{}[]\",:\\u0d8fnte+-.19TZ \x01\xc3\xa9\xff") + '\0';
  for (long run = 0; run < runs; ++run) {
    std::string input = all[random() % all.size()];
    for (unsigned edits = random() % 5; edits > 0 && input.size() > 1; --edits) {
      const std::size_t at = 1 + random() % (input.size() - 1);
      switch (random() % 4) {
        case 0:
          input.erase(at, 1 + random() % 4);
          break;
        case 1:
          input.insert(at, 1, alphabet[random() % alphabet.size()]);
          break;
        case 2:
          input[at] = alphabet[random() % alphabet.size()];
          break;
        default:
          input.insert(at, input.substr(1 + random() % (input.size() - 1), random() % 24));
          break;
      }
    }
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  }
  std::printf("%ld runs\n", runs);
}
