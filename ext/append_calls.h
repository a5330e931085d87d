// What SQLite calls while the INSERT of an append runs, under its lock.
//
// Neither is a scalar function: SQLite expects that a statement with one can fail in the middle, and opens a
// statement journal for it wherever the table has a trigger.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "connection.h"

namespace evercore::ext {

/// What the fast statement is about to do.
enum class Decision {
  none,  ///< it was not asked: the statement did nothing at all
  no_aggregate,
  appended,
  conflicts,
  erased,
  checks_state,  ///< the aggregate's type declares a schema of states
  needs_snapshot,
  schema_changed,
  declared,  ///< somebody has declared something since it was looked at
};

struct FastAppend {
  const Statement& insert;
  std::optional<std::int64_t> expected;
  Decision decision = Decision::none;
  std::int64_t version = 0;
};

/// Whether a snapshot is due once the aggregate's next event is appended.
[[nodiscard]] bool snapshot_due(const AggregateInfo& info);

/// Registers
/// - the aggregate _evercore_next_sequence(erased, every, version, checks), which decides for
///   Connection::fast_append and gives the next sequence or NULL;
/// - the collation _evercore_same_schema, under which all texts are equal as long as
///   Connection::inserting was not prepared again.
/// Gives a SQLite result code.
int register_append_calls(const std::shared_ptr<Connection>& connection);
/// Takes them back, for a load that fails half way.
void unregister_append_calls(sqlite3* db);

}  // namespace evercore::ext
