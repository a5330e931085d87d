// Reading the log: by position for followers, by sequence for one aggregate, and to rebuild an
// aggregate.
//
//   SELECT * FROM evercore_follow(100, 50);             -- up to 50 events after position 100
//   SELECT * FROM evercore_events(7, 3);                -- aggregate 7 after sequence 3
//   SELECT * FROM evercore_replay(7);                   -- a base row, then the events after it
#pragma once

#include <string>
#include <unordered_map>

#include "succession.h"
#include "table_function.h"
#include "time.h"

namespace evercore::ext {

// The columns of the log, in the order of the surface. Each line says which table holds the value ("owner"
// is the event's aggregate_id, which is a parameter where one aggregate is read), the column's name and
// type, and the stored column: ids for types, microseconds for times. All that is below follows from this
// list, and tests/extension/log_test.cpp compares the view evercore_log with it. A program that folds
// needs the leading ones only. `first` is `column` without a comma before it.
// clang-format off
#define EVERCORE_LOG_LEADING(first, column)          \
  first(event, position, INTEGER, position)          \
  column(owner, aggregate_id, INTEGER, aggregate_id) \
  column(aggregate, aggregate_type, TEXT, type_id)   \
  column(aggregate, natural_key, TEXT, natural_key)  \
  column(event, sequence, INTEGER, sequence)         \
  column(event, event_type, TEXT, type_id)           \
  column(event, data, TEXT, data)
#define EVERCORE_LOG_TRAILING(column)           \
  column(event, reference, TEXT, reference)     \
  column(event, metadata, TEXT, metadata)       \
  column(event, event_time, TEXT, event_time)   \
  column(event, recorded_at, TEXT, recorded_at) \
  column(event, event_id, TEXT, event_id)       \
  column(event, tags, TEXT, tags)
// clang-format on
#define EVERCORE_LOG(first, column) \
  EVERCORE_LOG_LEADING(first, column) EVERCORE_LOG_TRAILING(column)

#define EVERCORE_DECLARE_FIRST(table, name, type, stored) #name " " #type
#define EVERCORE_DECLARE(table, name, type, stored) ", " #name " " #type
/// The columns as a table function declares them.
#define EVERCORE_LOG_COLUMNS EVERCORE_LOG(EVERCORE_DECLARE_FIRST, EVERCORE_DECLARE)

#define EVERCORE_NAME(table, name, type, stored) log_##name,
enum LogColumn { EVERCORE_LOG(EVERCORE_NAME, EVERCORE_NAME) log_columns };
#undef EVERCORE_NAME

// What a LogRows statement selects: all columns (WHOLE); all but the aggregate's type and key (ALONE); the
// leading ones of these, of aggregate ?1 (LEADING). SQLite reads every column that a statement names,
// even when the query above it does not use it.
#define EVERCORE_OF_event(stored) "e." #stored
#define EVERCORE_OF_owner(stored) "e." #stored
#define EVERCORE_OF_aggregate(stored) "a." #stored
#define EVERCORE_GIVE_FIRST(table, name, type, stored) EVERCORE_OF_##table(stored)
#define EVERCORE_GIVE(table, name, type, stored) ", " EVERCORE_OF_##table(stored)
#define EVERCORE_WHOLE EVERCORE_LOG(EVERCORE_GIVE_FIRST, EVERCORE_GIVE)

#define EVERCORE_ALONE_event(stored) "e." #stored
#define EVERCORE_ALONE_owner(stored) "e." #stored
#define EVERCORE_ALONE_aggregate(stored) "NULL"
#define EVERCORE_GIVE_ALONE_FIRST(table, name, type, stored) EVERCORE_ALONE_##table(stored)
#define EVERCORE_GIVE_ALONE(table, name, type, stored) ", " EVERCORE_ALONE_##table(stored)
#define EVERCORE_ALONE EVERCORE_LOG(EVERCORE_GIVE_ALONE_FIRST, EVERCORE_GIVE_ALONE)

#define EVERCORE_OF_ONE_event(stored) "e." #stored
#define EVERCORE_OF_ONE_owner(stored) "?1"
#define EVERCORE_OF_ONE_aggregate(stored) "NULL"
#define EVERCORE_GIVE_OF_ONE_FIRST(table, name, type, stored) EVERCORE_OF_ONE_##table(stored)
#define EVERCORE_GIVE_OF_ONE(table, name, type, stored) ", " EVERCORE_OF_ONE_##table(stored)
#define EVERCORE_LEADING EVERCORE_LOG_LEADING(EVERCORE_GIVE_OF_ONE_FIRST, EVERCORE_GIVE_OF_ONE)

// Statements name their index: what ANALYZE found once may no longer be true and must not choose it.
// CROSS JOIN keeps the order: events first, then their aggregate by its id.
#define EVERCORE_FROM_EVENTS " FROM main.evercore_event e "
#define EVERCORE_SELECT_LOG(index)                    \
  "SELECT " EVERCORE_WHOLE EVERCORE_FROM_EVENTS index \
  " CROSS JOIN main.evercore_aggregate a ON a.aggregate_id = e.aggregate_id"
#define EVERCORE_BY_POSITION "NOT INDEXED"
#define EVERCORE_BY_SEQUENCE "INDEXED BY evercore_event_sequence"
#define EVERCORE_LOG_BY_POSITION EVERCORE_SELECT_LOG(EVERCORE_BY_POSITION)
#define EVERCORE_LOG_BY_SEQUENCE EVERCORE_SELECT_LOG(EVERCORE_BY_SEQUENCE)
#define EVERCORE_ALONE_BY_POSITION \
  "SELECT " EVERCORE_ALONE EVERCORE_FROM_EVENTS EVERCORE_BY_POSITION
#define EVERCORE_ALONE_BY_SEQUENCE \
  "SELECT " EVERCORE_ALONE EVERCORE_FROM_EVENTS EVERCORE_BY_SEQUENCE
#define EVERCORE_LEADING_BY_SEQUENCE \
  "SELECT " EVERCORE_LEADING EVERCORE_FROM_EVENTS EVERCORE_BY_SEQUENCE

#define EVERCORE_JOINED_event 0
#define EVERCORE_JOINED_owner 0
#define EVERCORE_JOINED_aggregate 1
#define EVERCORE_JOINED_BIT(table, name, type, stored) \
  | std::uint64_t{EVERCORE_JOINED_##table} << log_##name
/// The bits of TableArguments::columns_used that need the join.
inline constexpr std::uint64_t log_aggregate_columns =
    0 EVERCORE_LOG(EVERCORE_JOINED_BIT, EVERCORE_JOINED_BIT);
/// The bits of the columns after data, which a program that folds mostly does not ask for.
inline constexpr std::uint64_t log_trailing_columns =
    (std::uint64_t{1} << log_columns) - (std::uint64_t{1} << (log_data + 1));

/// Names of interned types by id, each read once; as short-lived as one cursor.
class TypeNames {
 public:
  TypeNames(Connection& connection, Sql sql) : connection_(connection), sql_(sql) {}
  const std::string& at(std::int64_t type_id);

 private:
  Connection& connection_;
  Sql sql_;  // SELECT name … WHERE type_id = ?1
  std::unordered_map<std::int64_t, std::string> names_;
  std::int64_t last_id_ = -1;
  const std::string* last_ = nullptr;
};

/// Rows of the log from a statement that gives, in the order of LogColumn, the stored values: ids
/// for types and microseconds for times.
class LogRows : public Rows {
 public:
  LogRows(Connection& connection, Statement statement);

  bool next() override { return statement_.step(); }
  void column(sqlite3_context* context, int column) override;
  [[nodiscard]] std::int64_t rowid() const override { return statement_.integer(log_position); }

 protected:
  /// Called when the data of an event without data are asked for.
  virtual void blank() {}

  Statement statement_;

 private:
  TypeNames aggregate_types_;
  TypeNames event_types_;
  TimeWriter time_;
};

/// Up to `limit` events after a position and up to another, in order of position.
[[nodiscard]] Statement events_by_position(Connection& connection, std::int64_t after,
                                           std::int64_t last, std::int64_t limit,
                                           std::uint64_t columns_used);

extern const TableFunction follow_table;
extern const TableFunction events_table;
extern const TableFunction replay_table;

}  // namespace evercore::ext
