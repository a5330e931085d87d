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

const char* verdict(double least, double ratio) {
  if (least <= 0) return "";
  return ratio >= least ? "reached" : "MISSED";
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
  if (rows_.empty()) {
    std::printf("%-58s %12s %12s %7s %7s\n", title_.c_str(), "baseline/s", "evercore/s", "ratio",
                "least");
  }
  std::vector<double> baseline;
  std::vector<double> evercore;
  std::vector<double> ratios;
  question.baseline();
  question.evercore();
  for (int round = 0; round < rounds; ++round) {
    baseline.push_back(question.baseline());
    evercore.push_back(question.evercore());
    ratios.push_back(baseline.back() / evercore.back());
  }
  const Row row{question.name, question.least, median(ratios), question.units / median(baseline),
                question.units / median(evercore)};
  std::printf("%-58s %12.0f %12.0f %7.2f %7.2f %s\n", row.name.c_str(), row.baseline_rate,
              row.evercore_rate, row.ratio, row.least, verdict(row.least, row.ratio));
  std::fflush(stdout);
  rows_.push_back(row);
}

void Report::add(const Figure& figure) {
  const bool reached = figure.most <= 0 || figure.value <= figure.most;
  std::printf("%-58s %12.2f %s%s\n", figure.name.c_str(), figure.value, figure.unit.c_str(),
              figure.most <= 0 ? ""
              : reached        ? "  reached"
                               : "  MISSED");
  std::fflush(stdout);
  figures_.push_back(figure);
}

void Report::record(const std::string& name, double least, double baseline_rate,
                    double evercore_rate) {
  rows_.push_back({name, least, evercore_rate / baseline_rate, baseline_rate, evercore_rate});
}

int Report::finish() const {
  std::filesystem::create_directories("bench/out");
  std::ofstream out("bench/out/" + title_ + ".json");
  out << "{\"title\":\"" << title_ << "\",\"questions\":[";
  bool all = true;
  const char* comma = "";
  for (const Row& row : rows_) {
    out << comma << "\n  {\"name\":\"" << row.name << "\",\"least\":" << row.least
        << ",\"ratio\":" << row.ratio << ",\"baseline_per_second\":" << row.baseline_rate
        << ",\"evercore_per_second\":" << row.evercore_rate << "}";
    comma = ",";
    all = all && (row.least <= 0 || row.ratio >= row.least);
  }
  out << "],\n\"figures\":[";
  comma = "";
  for (const Figure& figure : figures_) {
    out << comma << "\n  {\"name\":\"" << figure.name << "\",\"value\":" << figure.value
        << ",\"most\":" << figure.most << ",\"unit\":\"" << figure.unit << "\"}";
    comma = ",";
    all = all && (figure.most <= 0 || figure.value <= figure.most);
  }
  out << "]}\n";
  return all ? 0 : 1;
}

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace bench
