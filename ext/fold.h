// Folding: how event types change the state, states, and histories.
//
//   SELECT evercore_state(7), evercore_state(7, 3);           -- now, and as it was at sequence 3
//   SELECT sequence, event_type, state FROM evercore_history(7);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "aggregate.h"
#include "connection.h"
#include "function.h"
#include "state.h"
#include "table_function.h"

namespace evercore::ext {

/// EV009 where it is not the name of one.
[[nodiscard]] Fold fold_of(sqlite3_value* value);
/// Inside atomically() only. Throws EV010 where an event of the type was compacted.
void change_fold(Connection& connection, std::string_view name, std::int64_t type_id, Fold fold);

[[nodiscard]] std::optional<std::int64_t> find_event_type(Connection& connection,
                                                          std::string_view name);
/// Inside atomically() only: the id of an event type, made where it is missing.
std::int64_t ensure_event_type(Connection& connection, std::string_view name);

/// Event types by id: their names and folds, each looked up once. As short-lived as one call.
class EventTypes {
 public:
  struct Entry {
    std::string name;
    Fold fold;
  };
  explicit EventTypes(Connection& connection) : connection_(connection) {}
  const Entry& at(std::int64_t type_id);

 private:
  Connection& connection_;
  std::unordered_map<std::int64_t, Entry> entries_;
};

/// A state and the sequence at which it holds.
struct StateAt {
  State state{"{}"};
  std::int64_t sequence = 0;
};

/// The newest engine snapshot at or below `sequence`, or the empty state at 0.
[[nodiscard]] StateAt nearest_snapshot(Connection& connection, const Aggregate& aggregate,
                                       std::int64_t sequence);

/// The state at `sequence`, which lies between the aggregate's base and its version.
[[nodiscard]] State state_at(Connection& connection, const Aggregate& aggregate,
                             std::int64_t sequence);

extern const Function state_function;
extern const TableFunction history_table;

}  // namespace evercore::ext
