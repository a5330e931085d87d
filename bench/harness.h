// The harness of the benchmarks: every question is a ratio of evercore's speed to a baseline's,
// measured in one run, round by round in turns, so that a noisy machine is noisy for both.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace bench {

/// One question. `baseline` and `evercore` do the same work once and give the seconds it took; the
/// ratio is baseline ÷ evercore, so above 1 evercore is the faster.
struct Question {
  std::string name;
  double least;  ///< the ratio to reach; 0: only reported
  double units;  ///< events (or calls) in one round
  std::function<double()> baseline;
  std::function<double()> evercore;
};

/// A figure that is no ratio of two speeds, such as bytes an event.
struct Figure {
  std::string name;
  double value;
  double most;  ///< the most it may be; 0: only reported
  std::string unit;
};

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
  void add(const Figure& figure);
  /// Takes two speeds that were measured elsewhere, in turns, without printing them.
  void record(const std::string& name, double least, double baseline_rate, double evercore_rate);

  /// Writes bench/out/<title>.json, for bench/plot. Gives 0 when every ratio was reached, else 1.
  int finish() const;

 private:
  struct Row {
    std::string name;
    double least;
    double ratio;
    double baseline_rate;
    double evercore_rate;
  };
  std::string title_;
  std::string only_;
  std::vector<Row> rows_;
  std::vector<Figure> figures_;
};

/// The seconds that `work` takes.
[[nodiscard]] double seconds(const std::function<void()>& work);

}  // namespace bench
