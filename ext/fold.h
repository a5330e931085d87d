// Folding: how event types change the state, states, and histories.
//
//   SELECT evercore_state(7), evercore_state(7, 3);           -- now, and as it was at sequence 3
//   SELECT sequence, event_type, state FROM evercore_history(7);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "aggregate.h"
#include "connection.h"
#include "function.h"
#include "rules.h"
#include "state.h"
#include "table_function.h"

namespace evercore::ext {

/// How an event type folds, as it is declared.
struct DeclaredFold {
  Fold fold = Fold::merge;
  std::shared_ptr<const Rules> rules;  ///< they fold its events, and `fold` is merge
  std::string_view text;               ///< of the rules, as it was given

  [[nodiscard]] bool same_as(const DeclaredFold& other) const;
  [[nodiscard]] bool is_merge() const { return fold == Fold::merge && !rules; }
};

/// Reads the name of a fold, or rules; rules that only merge become `merge`. Throws EV004 and EV009.
[[nodiscard]] DeclaredFold fold_of(Connection& connection, sqlite3_value* value);
/// Throws EV010 where an event of the type was compacted.
void refuse_compacted_folds(Connection& connection, std::string_view name, std::int64_t type_id);
/// Inside atomically() only. Throws EV010 as refuse_compacted_folds().
void change_fold(Connection& connection, std::string_view name, std::int64_t type_id,
                 const DeclaredFold& fold);
/// Inside atomically() only: records that merging was declared for the type.
void declare_merge(Connection& connection, std::int64_t type_id);
/// Inside atomically() only: drops the engine snapshots that hold an event of the type, except the base
/// snapshots of compacted aggregates. Drops the kept states too; keep_states() makes them again.
void drop_folded(Connection& connection, std::int64_t type_id);

/// EV008.
[[nodiscard]] Error damaged_rules(std::string_view event_type);

[[nodiscard]] std::optional<std::int64_t> find_event_type(Connection& connection,
                                                          std::string_view name);
/// Inside atomically() only: the id of an event type, made where it is missing.
std::int64_t ensure_event_type(Connection& connection, std::string_view name);

/// Event types by id: their names and folds, each looked up once. As short-lived as one call.
class EventTypes {
 public:
  struct Entry {
    std::string name;
    Fold fold = Fold::merge;
    std::shared_ptr<const Rules> rules;  ///< they fold its events, if there are any
    bool damaged = false;                ///< what is stored of the rules
    StoredUpcast upcast;

    [[nodiscard]] bool is_custom() const { return fold == Fold::custom && !rules; }
    /// Whether a damaged declaration hides what its events do to the state.
    [[nodiscard]] bool is_unknown() const { return damaged || (upcast.damaged && !is_custom()); }
    /// Whether folding its events takes more than the name of its fold.
    [[nodiscard]] bool is_more_than_fold() const {
      return rules || damaged || (upcast.declared() && !is_custom());
    }
    /// EV008 where rules or upcast are damaged.
    void apply(State& state, std::string_view data, const EventFields& fields) const {
      if (damaged) throw damaged_rules(name);
      if (is_custom()) return;
      std::string buffer;
      data = upcast.apply(name, data, buffer);
      rules ? rules->apply(state, data, fields) : state.apply(fold, data);
    }
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
