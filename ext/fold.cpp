#include "fold.h"

#include <array>
#include <optional>
#include <vector>

#include "error.h"
#include "json.h"
#include "kept_state.h"
#include "succession.h"
#include "time.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

constexpr std::string_view fold_names[] = {"merge", "patch", "custom"};

/// The compacted aggregate with the smallest id that has, or had, an event of this type. Erased ones
/// have no state that a fold could change.
std::optional<std::int64_t> compacted_with(Connection& connection, std::int64_t type_id) {
  Statement find = connection.prepare(
      "SELECT min(aggregate_id) FROM (SELECT c.aggregate_id FROM main.evercore_compacted_type c"
      " CROSS JOIN main.evercore_aggregate a ON a.aggregate_id = c.aggregate_id"
      " WHERE c.type_id = ?1 AND a.erased = 0"
      " UNION ALL SELECT a.aggregate_id FROM main.evercore_aggregate a"
      " WHERE a.base > 0 AND a.erased = 0 AND EXISTS (SELECT 1 FROM main.evercore_event e"
      " INDEXED BY evercore_event_sequence WHERE e.aggregate_id = a.aggregate_id AND e.type_id = "
      "?1))");
  find.bind(1, type_id).step();
  return find.is_null(0) ? std::nullopt : std::optional(find.integer(0));
}

/// The engine snapshots of an aggregate above its base.
#define FOLDED                                                                           \
  " main.evercore_snapshot WHERE aggregate_id = ?1"                                      \
  " AND application = 0 AND sequence > (SELECT base FROM main.evercore_aggregate WHERE " \
  "aggregate_id = ?1)"

void state(const Call& call) {
  const Aggregate aggregate = load_aggregate(call.connection, aggregate_id_of(call.arguments[0]));
  std::int64_t sequence = aggregate.version;
  if (sqlite3_value* value = call.optional(1)) {
    sequence = integer_from(value, "at_sequence", 0);
    if (sequence > aggregate.version) {
      throw no_sequence(aggregate.id, sequence, aggregate.version);
    }
    if (sequence < aggregate.base) throw compacted_sequence(aggregate.id, sequence, aggregate.base);
  }
  call.result_json(state_at(call.connection, aggregate, sequence).text());
}

/// The state below the oldest kept event.
State base_state(Connection& connection, const Aggregate& aggregate) {
  StateAt at = nearest_snapshot(connection, aggregate, aggregate.base);
  if (at.sequence != aggregate.base) {
    require_events(connection, aggregate, at.sequence, aggregate.base);
  }
  return std::move(at.state);
}

/// Each event kept, with the state after it.
class History : public Rows {
 public:
  History(Connection& connection, const Aggregate& aggregate)
      : connection_(connection),
        succession_(aggregate, aggregate.base, aggregate.version),
        types_(connection),
        state_(base_state(connection, aggregate)),
        events_(connection.prepare(
            "SELECT sequence, type_id, event_time, reference, data FROM main.evercore_event"
            " INDEXED BY evercore_event_sequence WHERE aggregate_id = ?1 AND sequence > ?2 AND "
            "sequence <= ?3 ORDER BY sequence")) {
    events_.bind(1, aggregate.id).bind(2, aggregate.base).bind(3, aggregate.version);
  }

  bool next() override {
    if (!events_.step()) {
      succession_.end(connection_);
      return false;
    }
    succession_.next(connection_, events_.integer(0));
    type_ = &types_.at(events_.integer(1));
    if (events_.is_null(4)) {
      succession_.blank(connection_);
    } else {
      type_->apply(state_, events_.text(4),
                   {events_.integer(2), type_->name, events_.nullable_text(3), events_.integer(0)});
    }
    return true;
  }

  [[nodiscard]] std::int64_t rowid() const override { return events_.integer(0); }

  void column(sqlite3_context* context, int column) override {
    switch (column) {
      case 1:
        return give_text(context, type_->name);
      case 2:
        return give_time(context, events_.integer(2));
      case 4:
        if (events_.is_null(4)) return give_text(context, "{}");
        return sqlite3_result_value(context, events_.value(4));
      case 5:
        give_text(context, state_.text());
        return sqlite3_result_subtype(context, 'J');
      default:
        return sqlite3_result_value(context, events_.value(column));
    }
  }

 private:
  Connection& connection_;
  Succession succession_;
  EventTypes types_;
  State state_;
  Statement events_;
  const EventTypes::Entry* type_ = nullptr;
};

std::unique_ptr<Rows> open_history(Connection& connection, const TableArguments& arguments) {
  const auto aggregate = find_for_rows(connection, arguments[0]);
  if (!aggregate) return nullptr;
  return std::make_unique<History>(connection, *aggregate);
}

}  // namespace

bool DeclaredFold::same_as(const DeclaredFold& other) const {
  if (!rules || !other.rules) return rules == other.rules && fold == other.fold;
  return rules->same_as(*other.rules);
}

DeclaredFold fold_of(Connection& connection, sqlite3_value* value) {
  const std::string_view text = required_text(value, "fold");
  for (std::size_t i = 0; i < std::size(fold_names); ++i) {
    if (fold_names[i] == text) return {static_cast<Fold>(i), nullptr, {}};
  }
  if (!trim(text).starts_with('[')) {
    throw error(9, "fold is not merge, patch, custom or rules: \"" + std::string(text) + "\"");
  }
  connection.payload.check_value("fold", text);
  auto rules = std::make_shared<const Rules>(text);
  if (rules->only_merge()) return {};
  return {Fold::merge, std::move(rules), text};
}

Error damaged_rules(std::string_view event_type) {
  return error(8, "rules of \"" + std::string(event_type) + "\" are damaged");
}

void drop_folded(Connection& connection, std::int64_t type_id) {
  Statement find = connection.prepare(
      "SELECT DISTINCT s.aggregate_id FROM main.evercore_snapshot s WHERE s.application = 0"
      " AND EXISTS (SELECT 1 FROM main.evercore_event e INDEXED BY evercore_event_sequence"
      "  WHERE e.aggregate_id = s.aggregate_id AND e.type_id = ?1)");
  find.bind(1, type_id);
  std::vector<std::int64_t> ids;
  while (find.step()) ids.push_back(find.integer(0));
  Statement drop = connection.prepare("DELETE FROM" FOLDED);
  Statement left = connection.prepare("SELECT 1 FROM" FOLDED);
  for (const std::int64_t id : ids) {
    drop.bind(1, id).run();
    if (left.bind(1, id).step()) throw vanished();
    left.reset();
  }
  drop_kept_of_event_type(connection, type_id);
}

void refuse_compacted_folds(Connection& connection, std::string_view name, std::int64_t type_id) {
  if (const auto aggregate_id = compacted_with(connection, type_id)) {
    throw error(10, "event type \"" + std::string(name) + "\" folded into compacted aggregate " +
                        std::to_string(*aggregate_id));
  }
}

void change_fold(Connection& connection, std::string_view name, std::int64_t type_id,
                 const DeclaredFold& fold) {
  refuse_compacted_folds(connection, name, type_id);
  drop_folded(connection, type_id);
  const auto bind = [&](Statement& statement) -> Statement& {
    if (fold.rules) statement.bind(3, fold.text);
    return statement.bind(1, type_id)
        .bind(2, static_cast<std::int64_t>(fold.fold))
        .bind(4, static_cast<std::int64_t>(fold.is_merge()));
  };
  Statement store = connection.prepare(
      "UPDATE main.evercore_event_type SET fold = ?2, rules = ?3, declares_merge = ?4"
      " WHERE type_id = ?1");
  bind(store).run();
  Statement look = connection.prepare(
      "SELECT 1 FROM main.evercore_event_type WHERE type_id = ?1 AND fold = ?2 AND rules IS ?3"
      " AND declares_merge = ?4");
  require_written(bind(look));
  keep_states(connection);
}

void declare_merge(Connection& connection, std::int64_t type_id) {
  connection.prepare("UPDATE main.evercore_event_type SET declares_merge = 1 WHERE type_id = ?1")
      .bind(1, type_id)
      .run();
  Statement look = connection.prepare(
      "SELECT 1 FROM main.evercore_event_type WHERE type_id = ?1 AND declares_merge = 1");
  require_written(look.bind(1, type_id));
}

std::optional<std::int64_t> find_event_type(Connection& connection, std::string_view name) {
  if (const auto id = connection.transaction.event_type(name)) return id;
  Statement find =
      connection.prepare("SELECT type_id FROM main.evercore_event_type WHERE name = ?1");
  if (!find.bind(1, name).step()) return std::nullopt;
  connection.transaction.learn_event_type(name, find.integer(0));
  return find.integer(0);
}

std::int64_t ensure_event_type(Connection& connection, std::string_view name) {
  if (const auto id = find_event_type(connection, name)) return *id;
  const Arrival arrival(connection.db());
  connection.prepare("INSERT INTO main.evercore_event_type (name) VALUES (?1)").bind(1, name).run();
  const std::int64_t id = arrival.rowid();
  connection.transaction.learn_event_type(name, id);
  return id;
}

const EventTypes::Entry& EventTypes::at(std::int64_t type_id) {
  const auto found = entries_.find(type_id);
  if (found != entries_.end()) return found->second;
  Statement load = connection_.prepare(
      "SELECT name, fold, rules, upcast FROM main.evercore_event_type WHERE type_id = ?1");
  Entry entry;
  if (load.bind(1, type_id).step()) {
    entry.name = load.text(0);
    entry.fold = static_cast<Fold>(load.integer(1));
    if (const std::string_view rules = load.nullable_text(2); rules.data() != nullptr) {
      entry.rules = connection_.rules.find(connection_.payload, rules);
      entry.damaged = !entry.rules || entry.fold != Fold::merge;
    }
    entry.upcast = stored_upcast(connection_, load.nullable_text(3));
  }
  return entries_.emplace(type_id, std::move(entry)).first->second;
}

/// At the newest event it also looks above: a snapshot there shows that the store is damaged.
StateAt nearest_snapshot(Connection& connection, const Aggregate& aggregate,
                         std::int64_t sequence) {
  const std::int64_t upto = sequence == aggregate.version ? most_sequence : sequence;
  Statement find = connection.prepare(
      "SELECT sequence, state FROM main.evercore_snapshot WHERE aggregate_id = ?1"
      " AND application = 0 AND version = 0 AND sequence <= ?2 ORDER BY sequence DESC LIMIT 1");
  if (find.bind(1, aggregate.id).bind(2, upto).step()) {
    require_snapshot_in(aggregate, find.integer(0));
    return StateAt{State(find.text(1)), find.integer(0)};
  }
  return StateAt{State("{}"), aggregate.erased ? aggregate.base : 0};
}

#define FOLDED_EVENTS                                            \
  " FROM main.evercore_event INDEXED BY evercore_event_sequence" \
  " WHERE aggregate_id = ?1 AND sequence > ?2"                   \
  " AND sequence <= ?3 ORDER BY sequence"

namespace {

/// Folds the events above `after` but for the first `count` of them, with all that rules may read. Gives how
/// many events there are above `after`.
std::int64_t fold_rows(Connection& connection, std::int64_t aggregate_id, std::int64_t after,
                       std::int64_t sequence, std::int64_t count, EventTypes& types, State& state) {
  Statement rows = connection.prepare(
      "SELECT type_id, data, event_time, reference, sequence" FOLDED_EVENTS " LIMIT -1 OFFSET ?4");
  rows.bind(1, aggregate_id).bind(2, after).bind(3, sequence).bind(4, count);
  for (; rows.step(); ++count) {
    const std::string_view data = rows.nullable_text(1);
    if (data.data() == nullptr) continue;  // erased
    const EventTypes::Entry& type = types.at(rows.integer(0));
    type.apply(state, data, {rows.integer(2), type.name, rows.nullable_text(3), rows.integer(4)});
  }
  return count;
}

}  // namespace

State state_at(Connection& connection, const Aggregate& aggregate, std::int64_t sequence) {
  StateAt at = nearest_snapshot(connection, aggregate, sequence);
  EventTypes types(connection);
  Statement events = connection.prepare("SELECT type_id, data" FOLDED_EVENTS);
  events.bind(1, aggregate.id).bind(2, at.sequence).bind(3, sequence);
  std::int64_t type_id = 0;
  std::int64_t count = 0;
  Fold fold = Fold::merge;
  const EventTypes::Entry* by_type = nullptr;  // where the fold is not all
  for (; events.step(); ++count) {
    const std::string_view data = events.nullable_text(1);
    if (data.data() == nullptr) continue;  // erased
    if (const std::int64_t next_type = events.integer(0); next_type != type_id) {
      type_id = next_type;
      const EventTypes::Entry& type = types.at(type_id);
      if (type.rules && type.rules->reads_row()) {
        count = fold_rows(connection, aggregate.id, at.sequence, sequence, count, types, at.state);
        break;
      }
      fold = type.fold;
      by_type = type.is_more_than_fold() ? &type : nullptr;
    }
    if (by_type != nullptr) {
      by_type->apply(at.state, data, {0, by_type->name, {}, 0});
    } else {
      at.state.apply(fold, data);
    }
  }
  if (count != sequence - at.sequence) {
    require_events(connection, aggregate, at.sequence, sequence);
  }
  return std::move(at.state);
}

const Function state_function = {"evercore_state", 1, 2, Access::reads, state};

const TableFunction history_table = {
    "evercore_history",
    "CREATE TABLE x(sequence INTEGER, event_type TEXT, event_time TEXT, reference TEXT, data TEXT,"
    " state TEXT, id INTEGER HIDDEN)",
    6,
    1,
    1,
    0,
    open_history};

}  // namespace evercore::ext
