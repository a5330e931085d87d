// Runs the fuzz target over so many mutated seeds, where libFuzzer is not at hand.
//   fuzz_driver [runs [seed]]
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::string> seeds() {
  std::vector<std::string> texts = {
      R"({"name":"Ann","tags":["a",null],"o":{"x":1.5e3,"y":"\u00e9\ud83d\ude00"}})",
      "2026-11-21T22:10:41.123456+01:30",
      "7",
      "-1",
      "1e300",
      std::string("{\"a\":1,\"o\":{\"x\":1}}") + '\0' + "{\"o\":{\"x\":null,\"y\":[2]},\"a\":null}",
      R"([{"rename":{"/a":"b"}},{"move":{"/c/d":"/e/f~1"}},{"default":{"/g/h":[1]}},{"remove":["/i"]}])" +
          (std::string() + '\0') + R"({"a":1,"c":{"d":null},"i":{"\u0061":2},"g":{"x":[]}})",
      R"([{"aggregate_id":1,"expected":1,"events":[{"event_type":"E","data":{"n":1},"metadata":{},"reference":"r","event_time":"2026-01-01T00:00:00Z","event_id":"i"}]},{"aggregate_type":"T","natural_key":"b","events":[{"event_type":"F","data":{}}]}])"};
  std::vector<std::string> all;
  for (int choice = 0; choice < 64; ++choice) {
    for (const std::string& text : texts) all.push_back(static_cast<char>(choice) + text);
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  const long runs = argc > 1 ? std::atol(argv[1]) : 50'000;
  const unsigned seed =
      argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : std::random_device{}();
  std::printf("seed %u\n", seed);
  std::fflush(stdout);
  std::mt19937 random(seed);
  const std::vector<std::string> all = seeds();
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
