#include "store.h"

#include <array>
#include <string>

#include "head.h"
#include "time.h"
#include "value.h"

namespace evercore::ext {

namespace {

void version(const Call& call) {
  call.result(std::string_view(EVERCORE_VERSION));
}

void head(const Call& call) {
  call.result(load_head(call.connection).committed);
}

/// evercore_time(value): a time as the log shows it, to compare with.
void time(const Call& call) {
  if (is_null(call.arguments[0])) return call.result_null();
  std::array<char, time_text_size> text;
  format_time(time_of(call.arguments[0], "value"), text);
  call.result(std::string_view(text.data(), text.size()));
}

// The figures in the order of their rows; times are microseconds.
constexpr Sql stats_query =
    "SELECT (SELECT count(*) FROM main.evercore_aggregate), e.events,"
    " (SELECT count(*) FROM main.evercore_snapshot),"
    " (SELECT count(*) FROM main.evercore_subscription WHERE removed = 0),"
    " (SELECT coalesce(max(position), 0) FROM main.evercore_event),"
    " e.oldest, e.newest, e.bytes"
    "   FROM (SELECT count(*) AS events, min(coalesce(recorded_at, event_time)) AS oldest,"
    "           max(coalesce(recorded_at, event_time)) AS newest,"
    "           coalesce(sum(length(CAST(coalesce(data, '{}') AS BLOB))"
    "             + coalesce(length(CAST(metadata AS BLOB)), 0)), 0) AS bytes"
    "           FROM main.evercore_event WHERE aggregate_id <> 0) e";

constexpr std::array<const char*, 8> stats_names = {"aggregates",         "events",
                                                    "snapshots",          "subscriptions",
                                                    "head_position",      "oldest_recorded_at",
                                                    "newest_recorded_at", "data_bytes"};

class Stats : public Rows {
 public:
  explicit Stats(Connection& connection) : figures_(connection.prepare(stats_query)) {
    figures_.step();
  }
  bool next() override { return ++row_ < static_cast<int>(stats_names.size()); }
  [[nodiscard]] std::int64_t rowid() const override { return row_; }

  void column(sqlite3_context* context, int column) override {
    if (column == 0) return give_text(context, stats_names[static_cast<std::size_t>(row_)]);
    if (figures_.is_null(row_)) return sqlite3_result_null(context);
    const bool time = row_ == 5 || row_ == 6;
    if (time) return give_time(context, figures_.integer(row_));
    give_text(context, std::to_string(figures_.integer(row_)));
  }

 private:
  Statement figures_;
  int row_ = -1;
};

std::unique_ptr<Rows> open_stats(Connection& connection, const TableArguments&) {
  return std::make_unique<Stats>(connection);
}

}  // namespace

const Function version_function = {"evercore_version", 0, 0, Access::pure, version};
const Function time_function = {"evercore_time", 1, 1, Access::pure, time};

const Function head_function = {"evercore_head", 0, 0, Access::reads, head};

const TableFunction stats_table = {
    "evercore_stats", "CREATE TABLE x(name TEXT, value TEXT)", 2, 0, 0, -1, open_stats};

}  // namespace evercore::ext
