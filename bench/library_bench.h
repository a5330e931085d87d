// What the benches of the C++ library share: the events, and running contenders in turns.
#pragma once

#include <algorithm>
#include <cstdio>
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
  double least = 0;  // times the baseline's rate; 0: only reported
  std::vector<double> rates{};
};

// Runs the contenders in turns, five times, and prints the medians; the first is the baseline.
inline void compare(bench::Report& report, const std::string& question,
                    std::vector<Contender> contenders) {
  if (!report.asks(question)) return;
  for (int round = 0; round < 5; ++round) {
    for (auto& contender : contenders) {
      contender.rates.push_back(contender.count / seconds(contender.work));
    }
  }
  std::printf("%s\n", question.c_str());
  double baseline = 0;
  for (auto& contender : contenders) {
    std::sort(contender.rates.begin(), contender.rates.end());
    const double rate = contender.rates[contender.rates.size() / 2];
    const bool is_baseline = &contender == &contenders.front();
    if (is_baseline) baseline = rate;
    const double ratio = rate / baseline;
    const char* verdict = contender.least <= 0       ? ""
                          : ratio >= contender.least ? "  reached"
                                                     : "  MISSED";
    std::printf("  %-46s %10.0f /s %9.2f us %6.2f x%s\n", contender.name, rate, 1e6 / rate, ratio,
                verdict);
    if (!is_baseline) {
      report.record(question + ": " + contender.name, contender.least, baseline, rate);
    }
  }
  std::fflush(stdout);
}
