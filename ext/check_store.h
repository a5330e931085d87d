// What evercore_check looks at beside the walk over the events: the schema, and single questions to
// the tables, each a statement that gives a row for each thing that is wrong.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>

#include "connection.h"

namespace evercore::ext {

/// One row of evercore_check.
struct Problem {
  std::optional<std::int64_t> aggregate_id;
  std::optional<std::int64_t> position;
  std::string text;
};
using Problems = std::deque<Problem>;  ///< found and not yet given

struct Look {
  Sql sql;
  void (*report)(Connection&, const Statement& row, Problems&);
};

/// Names where the schema is not what the migrations make. False where a table or a column is
/// missing, so that nothing more can be looked at.
bool check_schema(Connection& connection, Problems& problems);

extern const std::span<const Look> looks_before_walk;
extern const std::span<const Look> looks_after_walk;

}  // namespace evercore::ext
