#include "log.h"

#include <algorithm>
#include <limits>

#include "error.h"
#include "head.h"
#include "subscription.h"
#include "value.h"

namespace evercore::ext {

namespace {

constexpr std::int64_t most_integer = std::numeric_limits<std::int64_t>::max();

std::unique_ptr<Rows> open_follow(Connection& connection, const TableArguments& arguments) {
  const std::int64_t after = arguments[0] == nullptr ? 0 : integer_of(arguments[0], "after");
  const std::int64_t limit = limit_of(arguments[1]);
  const std::int64_t upto =
      arguments[3] == nullptr ? most_integer : integer_of(arguments[3], "upto");
  Filter filter;
  if (arguments[2] != nullptr) {
    filter = parse_filter(connection, document_of(arguments[2], "filter"));
  }
  const Head head = load_head(connection);
  if (after > head.newest) throw out_of_range("after", after);
  const std::int64_t last = std::min(head.committed, upto);
  if (!filter.passes_everything()) {
    return filtered_rows(connection, filter, after, limit, last, arguments.columns_used);
  }
  Statement statement = events_by_position(connection, after, last, limit, arguments.columns_used);
  return std::make_unique<LogRows>(connection, std::move(statement));
}

/// Events of one aggregate, which may be compacted or erased while they are read. A hole in a damaged
/// store is shown as it is: who looks at one comes here.
class AggregateRows : public LogRows {
 public:
  AggregateRows(Connection& connection, Statement statement, const Succession& succession)
      : LogRows(connection, std::move(statement)),
        connection_(connection),
        succession_(succession) {}

 protected:
  void blank() override { succession_.blank(connection_); }

  Connection& connection_;
  Succession succession_;
};

class EventRows : public AggregateRows {
 public:
  EventRows(Connection& connection, Statement statement, const Succession& succession,
            std::int64_t limit)
      : AggregateRows(connection, std::move(statement), succession), left_(limit) {}

  bool next() override {
    if (!LogRows::next()) {
      if (left_ != 0 && !succession_.complete()) succession_.refuse_if_changed(connection_);
      return false;
    }
    --left_;
    if (!succession_.follows(statement_.integer(log_sequence))) {
      succession_.refuse_if_changed(connection_);
    }
    succession_.moved_to(statement_.integer(log_sequence));
    return true;
  }

 private:
  std::int64_t left_;
};

/// The newest events of one aggregate, from the newest on.
class BackwardRows : public AggregateRows {
 public:
  BackwardRows(Connection& connection, Statement statement, const Succession& succession,
               std::int64_t after, std::int64_t upto)
      : AggregateRows(connection, std::move(statement), succession), after_(after), next_(upto) {}

  bool next() override {
    const bool more = LogRows::next();
    const std::int64_t sequence = more ? statement_.integer(log_sequence) : after_;
    if (sequence != next_) succession_.refuse_if_changed(connection_);
    next_ = sequence - 1;
    return more;
  }

 private:
  std::int64_t after_;
  std::int64_t next_;
};

/// The events after one sequence and up to another, the newest first.
std::unique_ptr<Rows> open_backward(Connection& connection, const Aggregate& aggregate,
                                    std::int64_t after, std::int64_t upto) {
  Statement statement =
      connection.prepare(EVERCORE_LOG_BY_SEQUENCE
                         " WHERE e.aggregate_id = ?1 AND e.sequence > ?2 AND e.sequence <= ?3"
                         " ORDER BY e.sequence DESC");
  statement.bind(1, aggregate.id).bind(2, after).bind(3, upto);
  const Succession succession(aggregate, after, upto);
  return std::make_unique<BackwardRows>(connection, std::move(statement), succession, after, upto);
}

std::unique_ptr<Rows> open_events(Connection& connection, const TableArguments& arguments) {
  const auto aggregate = find_for_rows(connection, arguments[0]);
  if (!aggregate) return nullptr;
  std::int64_t after = arguments[1] == nullptr ? 0 : integer_of(arguments[1], "after");
  std::int64_t limit = arguments[2] == nullptr ? most_integer : integer_of(arguments[2], "limit");
  const std::int64_t upto =
      std::min(aggregate->version,
               arguments[3] == nullptr ? most_integer : integer_of(arguments[3], "upto"));
  after = std::max(after, aggregate->base);
  if (after >= upto) return nullptr;
  if (limit < 0) {
    // Where SQLite counts on the ascending order, the last so many are found from their first.
    if (limit > after - upto) after = upto + limit;
    if (!arguments.ascending) return open_backward(connection, *aggregate, after, upto);
    limit = most_integer;
  }
  Statement statement =
      connection.prepare(EVERCORE_LOG_BY_SEQUENCE
                         " WHERE e.aggregate_id = ?1 AND e.sequence > ?2 AND e.sequence <= ?3 "
                         "ORDER BY e.sequence"
                         " LIMIT ?4");
  statement.bind(1, aggregate->id).bind(2, after).bind(3, upto).bind(4, limit);
  const Succession succession(*aggregate, after, upto);
  return std::make_unique<EventRows>(connection, std::move(statement), succession, limit);
}

}  // namespace

const std::string& TypeNames::at(std::int64_t type_id) {
  if (type_id == last_id_) return *last_;
  auto name = names_.find(type_id);
  if (name == names_.end()) {
    Statement load = connection_.prepare(sql_);
    const bool found = load.bind(1, type_id).step();
    name = names_.emplace(type_id, found ? std::string(load.text(0)) : std::string()).first;
  }
  last_id_ = type_id;
  last_ = &name->second;
  return *last_;
}

LogRows::LogRows(Connection& connection, Statement statement)
    : statement_(std::move(statement)),
      aggregate_types_(connection,
                       "SELECT name FROM main.evercore_aggregate_type WHERE type_id = ?1"),
      event_types_(connection, "SELECT name FROM main.evercore_event_type WHERE type_id = ?1") {}

void LogRows::column(sqlite3_context* context, int column) {
  sqlite3_value* value = statement_.value(column);
  switch (column) {
    case log_aggregate_type:
      return give_name(context, aggregate_types_.at(sqlite3_value_int64(value)));
    case log_event_type:
      return give_name(context, event_types_.at(sqlite3_value_int64(value)));
    case log_data:
      if (!is_null(value)) return give_value(context, value);
      blank();
      return give_text(context, "{}");
    case log_recorded_at:
      if (is_null(value)) value = statement_.value(log_event_time);
      [[fallthrough]];
    case log_event_time:
      return sqlite3_result_text(context, time_.at(sqlite3_value_int64(value)), -1,
                                 SQLITE_TRANSIENT);
    default:
      return give_value(context, value);
  }
}

Statement events_by_position(Connection& connection, std::int64_t after, std::int64_t last,
                             std::int64_t limit, std::uint64_t columns_used) {
  Statement statement = connection.prepare(
      (columns_used & log_aggregate_columns) != 0
          ? Sql(EVERCORE_LOG_BY_POSITION
                " WHERE e.position > ?1 AND e.position <= ?2 ORDER BY e.position LIMIT ?3")
          : Sql(EVERCORE_ALONE_BY_POSITION
                " WHERE e.position > ?1 AND e.position <= ?2 AND e.aggregate_id <> 0"
                " ORDER BY e.position LIMIT ?3"));
  statement.bind(1, after).bind(2, last).bind(3, limit);
  return statement;
}

const TableFunction follow_table = {"evercore_follow",
                                    "CREATE TABLE x(" EVERCORE_LOG_COLUMNS
                                    ", \"after\" INTEGER HIDDEN, \"limit\" INTEGER HIDDEN,"
                                    " filter TEXT HIDDEN, upto INTEGER HIDDEN)",
                                    log_columns,
                                    4,
                                    0,
                                    log_position,
                                    open_follow};

const TableFunction events_table = {
    "evercore_events",
    "CREATE TABLE x(" EVERCORE_LOG_COLUMNS
    ", id INTEGER HIDDEN, \"after\" INTEGER HIDDEN, \"limit\" INTEGER HIDDEN,"
    " upto INTEGER HIDDEN)",
    log_columns,
    4,
    1,
    log_sequence,
    open_events};

}  // namespace evercore::ext
