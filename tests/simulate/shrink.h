// What both simulators do with a failure, and with their command line.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace evercore::simulate {

/// Leaves out what the failure does not need: ever smaller pieces, as long as anything can go.
template <typename Step, typename Fails>
std::vector<Step> shrunk(std::vector<Step> steps, const Fails& fails) {
  for (std::size_t piece = steps.size() / 2; piece > 0; piece = piece == 1 ? 0 : (piece + 1) / 2) {
    for (std::size_t at = 0; at < steps.size();) {
      std::vector<Step> fewer = steps;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(at),
                  fewer.begin() + static_cast<std::ptrdiff_t>(std::min(at + piece, steps.size())));
      if (fails(fewer)) {
        steps = std::move(fewer);
      } else {
        at += piece;
      }
    }
  }
  return steps;
}

inline std::uint64_t number_after(int argc, char** argv, const char* name,
                                  std::uint64_t otherwise) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], name) == 0) return std::strtoull(argv[i + 1], nullptr, 10);
  }
  return otherwise;
}

}  // namespace evercore::simulate
