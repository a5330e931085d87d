// The harness of the benchmarks: every question is a ratio of evercore's speed to a baseline's,
// measured in one run, round by round in turns, so that a noisy machine is noisy for both.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "processors.h"

namespace bench {

/// One question. `baseline` and `evercore` do the same work once and give the seconds it took; the
/// ratio is baseline ÷ evercore, so above 1 evercore is the faster.
struct Question {
  std::string name;
  double units;  ///< events (or calls) in one round
  std::function<double()> baseline;
  std::function<double()> evercore;
};

/// A figure that is no ratio of two speeds, such as bytes an event.
struct Figure {
  std::string name;
  double value;
  std::string unit;
};

/// The answers of one program. What each must reach stands in bench/targets.json under the report's title, and
/// bench/check looks at it.
class Report {
 public:
  /// With EVERCORE_BENCH_ONLY in the environment, only questions whose name holds that text are
  /// measured.
  explicit Report(std::string title);

  /// Whether a question of this name is asked at all; to leave out costly preparations.
  [[nodiscard]] bool asks(const std::string& name) const;

  /// Measures `question`: `rounds` of each side in turns after one that does not count; prints its
  /// row.
  void measure(const Question& question, int rounds = 5);
  /// What evercore's side takes more than the baseline for each unit, in microseconds: the difference of
  /// the medians, as a figure.
  void measure_cost(const Question& question, const std::string& unit, int rounds = 7);
  /// Takes what was measured elsewhere, in turns: units a second of each round; prints its row.
  void compare(const std::string& name, const std::vector<double>& baseline,
               const std::vector<double>& evercore);
  void add(const Figure& figure);
  /// The same for a figure that the program prints by itself.
  void keep(const Figure& figure) { figures_.push_back(figure); }

  /// Writes bench/out/<title>.json, for bench/plot and bench/check. Gives 0.
  int finish() const;

 private:
  struct Row {
    std::string name;
    double ratio, lowest, highest;
    double baseline_rate, evercore_rate;
    double foreign;  ///< load of others since the row before, in processors
  };

  std::string title_;
  std::string only_;
  ForeignLoad foreign_;
  std::vector<Row> rows_;
  std::vector<Figure> figures_;
};

/// The seconds that `work` takes.
[[nodiscard]] double seconds(const std::function<void()>& work);

}  // namespace bench
