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

/// The columns of the log, in the order of the surface.
#define EVERCORE_LOG_COLUMNS                                                       \
  "position INTEGER, aggregate_id INTEGER, aggregate_type TEXT, natural_key TEXT," \
  " sequence INTEGER, event_type TEXT, data TEXT, reference TEXT, metadata TEXT,"  \
  " event_time TEXT, recorded_at TEXT, event_id TEXT"

inline constexpr int log_columns = 12;

enum LogColumn {
  log_position,
  log_aggregate_id,
  log_aggregate_type,
  log_natural_key,
  log_sequence,
  log_event_type,
  log_data,
  log_reference,
  log_metadata,
  log_event_time,
  log_recorded_at,
  log_event_id,
};

// What a LogRows statement selects. Which way it goes is said, and not left to what ANALYZE found when
// the store was another one: `index` is NOT INDEXED, by position, or INDEXED BY. CROSS JOIN keeps the
// order: events first, their aggregate by its id.
#define EVERCORE_SELECT_LOG(index)                                                              \
  "SELECT e.position, e.aggregate_id, a.type_id, a.natural_key, e.sequence, e.type_id, e.data," \
  " e.reference, e.metadata, e.event_time, e.recorded_at, e.event_id"                           \
  " FROM main.evercore_event e " index                                                          \
  " CROSS JOIN main.evercore_aggregate a ON a.aggregate_id = e.aggregate_id"

// The same where neither the aggregate's type nor its key is asked for.
#define EVERCORE_SELECT_LOG_ALONE                                                 \
  "SELECT e.position, e.aggregate_id, NULL, NULL, e.sequence, e.type_id, e.data," \
  " e.reference, e.metadata, e.event_time, e.recorded_at, e.event_id"             \
  " FROM main.evercore_event e NOT INDEXED"

#define EVERCORE_LOG_BY_POSITION EVERCORE_SELECT_LOG("NOT INDEXED")
#define EVERCORE_LOG_BY_SEQUENCE EVERCORE_SELECT_LOG("INDEXED BY evercore_event_sequence")

/// The bits of TableArguments::columns_used that need the join.
inline constexpr std::uint64_t log_aggregate_columns =
    std::uint64_t{1} << log_aggregate_type | std::uint64_t{1} << log_natural_key;

/// The bits beyond data: what a program that folds has mostly no use for.
inline constexpr std::uint64_t log_trailing_columns =
    std::uint64_t{1} << log_reference | std::uint64_t{1} << log_metadata |
    std::uint64_t{1} << log_event_time | std::uint64_t{1} << log_recorded_at |
    std::uint64_t{1} << log_event_id;

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
  Statement statement_;

 private:
  TypeNames aggregate_types_;
  TypeNames event_types_;
  TimeWriter time_;
};

extern const TableFunction follow_table;
extern const TableFunction events_table;
extern const TableFunction replay_table;

}  // namespace evercore::ext
