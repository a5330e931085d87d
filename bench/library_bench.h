// What the benches of the C++ library share: the events, and running contenders in turns.
#pragma once

#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/harness.h"
#include "evercore/evercore.h"

using namespace evercore;

struct Noted {
  std::string author;
  std::string text;
  std::int64_t number = 0;
  std::optional<std::string> place{};
};
template <std::int64_t Every>
struct Notebook {
  std::string author;
  std::string text;
  std::int64_t number = 0;
  static constexpr std::int64_t snapshot_every = Every;
  // Each struct its own, as the library asks.
  static constexpr std::string_view aggregate_type = Every == 0     ? "Notebook"
                                                     : Every == 10  ? "Notebook10"
                                                     : Every == 50  ? "Notebook50"
                                                     : Every == 100 ? "Notebook100"
                                                     : Every == 200 ? "Notebook200"
                                                                    : "Notebook500";
};
template <std::int64_t Every>
using NotebookEvery = StateAggregate<Notebook<Every>, Noted>;
using NotebookAggregate = NotebookEvery<0>;

inline Noted note(std::int64_t number) {
  return {"somebody with a name", "a text that makes the event a hundred and twenty bytes", number};
}

inline double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Contender {
  const char* name;
  double count;
  std::function<void()> work;
  std::vector<double> rates{};
};

// Runs the contenders in turns, five times; the first is the baseline of the others.
inline void compare(bench::Report& report, const std::string& question,
                    std::vector<Contender> contenders) {
  if (!report.asks(question)) return;
  for (int round = 0; round < 5; ++round) {
    for (auto& contender : contenders) {
      contender.rates.push_back(contender.count / seconds(contender.work));
    }
  }
  for (std::size_t i = 1; i < contenders.size(); ++i) {
    report.compare(question + ": " + contenders[i].name, contenders[0].rates, contenders[i].rates);
  }
}
