#include "check.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fold.h"
#include "state.h"

namespace evercore::ext {

namespace {

struct Problem {
  std::optional<std::int64_t> aggregate_id;
  std::optional<std::int64_t> position;
  std::string text;
};

/// Walks the store aggregate by aggregate, folding as it goes, and collects what is wrong.
class Checker {
 public:
  explicit Checker(Connection& connection)
      : connection_(connection),
        types_(connection),
        events_(connection.prepare(
            "SELECT position, sequence, type_id, data, metadata FROM main.evercore_event"
            " WHERE aggregate_id = ?1 ORDER BY sequence")),
        snapshots_(connection.prepare(
            "SELECT sequence, state FROM main.evercore_snapshot WHERE aggregate_id = ?1"
            " AND application = 0 ORDER BY sequence")) {}

  std::vector<Problem> run() {
    Statement aggregates = connection_.prepare(
        "SELECT aggregate_id, base, erased FROM main.evercore_aggregate ORDER BY aggregate_id");
    while (aggregates.step()) {
      Aggregate aggregate;
      aggregate.id = aggregates.integer(0);
      aggregate.base = aggregates.integer(1);
      aggregate.erased = aggregates.integer(2) != 0;
      check_aggregate(aggregate);
    }
    check_orphans();
    check_cursors();
    return std::move(problems_);
  }

 private:
  void report(const Aggregate& aggregate, std::optional<std::int64_t> position, std::string text) {
    problems_.push_back(Problem{aggregate.id, position, std::move(text)});
  }

  std::map<std::int64_t, std::string> load_snapshots(const Aggregate& aggregate) {
    std::map<std::int64_t, std::string> snapshots;
    snapshots_.reset();
    snapshots_.bind(1, aggregate.id);
    while (snapshots_.step()) {
      snapshots.emplace(snapshots_.integer(0), std::string(snapshots_.text(1)));
    }
    return snapshots;
  }

  void check_aggregate(const Aggregate& aggregate) {
    auto snapshots = load_snapshots(aggregate);
    State state = take_base(aggregate, snapshots);
    std::int64_t last_sequence = aggregate.base;
    std::int64_t last_position = 0;
    events_.reset();
    events_.bind(1, aggregate.id);
    while (events_.step()) {
      const std::int64_t position = events_.integer(0);
      const std::int64_t sequence = events_.integer(1);
      for (std::int64_t missing = last_sequence + 1; missing < sequence; ++missing) {
        report(aggregate, std::nullopt, "sequence " + std::to_string(missing) + " is missing");
      }
      if (position <= last_position) {
        report(aggregate, position,
               "position is not above that of sequence " + std::to_string(last_sequence));
      }
      if (check_payloads(aggregate, position)) {
        state.apply(types_.at(events_.integer(2)).fold,
                    events_.is_null(3) ? "{}" : events_.text(3));
      }
      check_snapshot(aggregate, snapshots, sequence, state, position);
      last_sequence = sequence;
      last_position = position;
    }
    for (const auto& [sequence, text] : snapshots)
      report_snapshot(aggregate, sequence, std::nullopt);
  }

  /// The state below the oldest kept event. Its events are gone, so it can only be taken as it is.
  State take_base(const Aggregate& aggregate, std::map<std::int64_t, std::string>& snapshots) {
    if (aggregate.base == 0 || aggregate.erased) return State("{}");
    const auto base = snapshots.find(aggregate.base);
    if (base == snapshots.end()) {
      report(aggregate, std::nullopt,
             "base snapshot at sequence " + std::to_string(aggregate.base) + " is missing");
      return State("{}");
    }
    const std::string text = std::move(base->second);
    snapshots.erase(base);
    if (connection_.payload.verdict(text).empty()) return State(text);
    report_snapshot(aggregate, aggregate.base, std::nullopt);
    return State("{}");
  }

  bool check_payloads(const Aggregate& aggregate, std::int64_t position) {
    bool legal = true;
    if (!events_.is_null(3)) {
      const std::string word = connection_.payload.verdict(events_.text(3));
      if (!word.empty()) report(aggregate, position, "payload: " + word);
      legal = word.empty();
    }
    if (!events_.is_null(4)) {
      const std::string word = connection_.payload.verdict(events_.text(4));
      if (!word.empty()) report(aggregate, position, "metadata: " + word);
    }
    return legal;
  }

  void check_snapshot(const Aggregate& aggregate, std::map<std::int64_t, std::string>& snapshots,
                      std::int64_t sequence, const State& state, std::int64_t position) {
    const auto snapshot = snapshots.find(sequence);
    if (snapshot == snapshots.end()) return;
    if (!same_json(snapshot->second, state.text())) report_snapshot(aggregate, sequence, position);
    snapshots.erase(snapshot);
  }

  void report_snapshot(const Aggregate& aggregate, std::int64_t sequence,
                       std::optional<std::int64_t> position) {
    report(aggregate, position,
           "engine snapshot at sequence " + std::to_string(sequence) + " differs from the fold");
  }

  void check_orphans() {
    Statement orphans = connection_.prepare(
        "SELECT aggregate_id, position FROM main.evercore_event e WHERE aggregate_id <> 0"
        " AND NOT EXISTS (SELECT 1 FROM main.evercore_aggregate a"
        " WHERE a.aggregate_id = e.aggregate_id) ORDER BY position");
    while (orphans.step()) {
      problems_.push_back(Problem{orphans.integer(0), orphans.integer(1), "no such aggregate"});
    }
  }

  void check_cursors() {
    Statement ahead = connection_.prepare(
        "SELECT DISTINCT s.name FROM main.evercore_subscription s"
        " JOIN main.evercore_subscription_partition p ON p.subscription_id = s.subscription_id"
        " WHERE p.position > (SELECT coalesce(max(position), 0) FROM main.evercore_event)"
        " ORDER BY s.name");
    while (ahead.step()) {
      problems_.push_back(Problem{
          std::nullopt, std::nullopt,
          "cursor of subscription \"" + std::string(ahead.text(0)) + "\" is beyond the head"});
    }
  }

  Connection& connection_;
  EventTypes types_;
  Statement events_;
  Statement snapshots_;
  std::vector<Problem> problems_;
};

class Problems : public Rows {
 public:
  explicit Problems(std::vector<Problem> problems) : problems_(std::move(problems)) {}
  bool next() override { return ++row_ <= problems_.size(); }
  [[nodiscard]] std::int64_t rowid() const override { return static_cast<std::int64_t>(row_); }

  void column(sqlite3_context* context, int column) override {
    const Problem& problem = problems_[row_ - 1];
    if (column == 2) return give_text(context, problem.text);
    const auto& number = column == 0 ? problem.aggregate_id : problem.position;
    if (number) return sqlite3_result_int64(context, *number);
    sqlite3_result_null(context);
  }

 private:
  std::vector<Problem> problems_;
  std::size_t row_ = 0;
};

std::unique_ptr<Rows> open_check(Connection& connection, const TableArguments&) {
  return std::make_unique<Problems>(Checker(connection).run());
}

}  // namespace

const TableFunction check_table = {
    "evercore_check",
    "CREATE TABLE x(aggregate_id INTEGER, position INTEGER, problem TEXT)",
    3,
    0,
    0,
    -1,
    open_check};

}  // namespace evercore::ext
