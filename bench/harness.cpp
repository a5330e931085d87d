#include "harness.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace bench {

namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

Report::Report(std::string title) : title_(std::move(title)) {
  if (const char* only = std::getenv("EVERCORE_BENCH_ONLY")) only_ = only;
}

bool Report::asks(const std::string& name) const {
  return name.find(only_) != std::string::npos;
}

void Report::measure(const Question& question, int rounds) {
  if (!asks(question.name)) return;
  std::vector<double> baseline;
  std::vector<double> evercore;
  question.baseline();
  question.evercore();
  for (int round = 0; round < rounds; ++round) {
    baseline.push_back(question.units / question.baseline());
    evercore.push_back(question.units / question.evercore());
  }
  compare(question.name, baseline, evercore);
}

void Report::measure_cost(const Question& question, const std::string& unit, int rounds) {
  if (!asks(question.name)) return;
  std::vector<double> baseline;
  std::vector<double> evercore;
  question.baseline();
  question.evercore();
  for (int round = 0; round < rounds; ++round) {
    baseline.push_back(question.baseline());
    evercore.push_back(question.evercore());
  }
  const double more = median(evercore) - median(baseline);
  add({question.name, more / question.units * 1e6, unit});
}

void Report::compare(const std::string& name, const std::vector<double>& baseline,
                     const std::vector<double>& evercore) {
  if (!asks(name)) return;
  std::vector<double> ratios;
  for (std::size_t i = 0; i < evercore.size(); ++i) ratios.push_back(evercore[i] / baseline[i]);
  const auto [lowest, highest] = std::minmax_element(ratios.begin(), ratios.end());
  if (rows_.empty()) {
    std::printf("%-70s %11s %11s %6s %6s %7s %6s\n", title_.c_str(), "baseline/s", "evercore/s",
                "ratio", "lowest", "highest", "others");
  }
  const Row row{name,
                median(ratios),
                *lowest,
                *highest,
                median(baseline),
                median(evercore),
                foreign_.since_last()};
  std::printf("%-70s %11.0f %11.0f %6.2f %6.2f %7.2f %6.2f\n", name.c_str(), row.baseline_rate,
              row.evercore_rate, row.ratio, row.lowest, row.highest, row.foreign);
  std::fflush(stdout);
  rows_.push_back(row);
}

void Report::add(const Figure& figure) {
  if (!asks(figure.name)) return;
  std::printf("%-70s %11.2f %s\n", figure.name.c_str(), figure.value, figure.unit.c_str());
  std::fflush(stdout);
  keep(figure);
}

int Report::finish() const {
  std::filesystem::create_directories("bench/out");
  std::ofstream out("bench/out/" + title_ + ".json");
  out << "{\"title\":\"" << title_ << "\",\"questions\":[";
  const char* comma = "";
  for (const Row& row : rows_) {
    out << comma << "\n  {\"name\":\"" << row.name << "\",\"ratio\":" << row.ratio
        << ",\"lowest\":" << row.lowest << ",\"highest\":" << row.highest
        << ",\"baseline_per_second\":" << row.baseline_rate
        << ",\"evercore_per_second\":" << row.evercore_rate << ",\"foreign_load\":" << row.foreign
        << "}";
    comma = ",";
  }
  out << "],\n\"figures\":[";
  comma = "";
  for (const Figure& figure : figures_) {
    out << comma << "\n  {\"name\":\"" << figure.name << "\",\"value\":" << figure.value
        << ",\"unit\":\"" << figure.unit << "\"}";
    comma = ",";
  }
  out << "]}\n";
  return 0;
}

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace bench
