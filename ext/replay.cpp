// evercore_replay: all that a program needs to rebuild an aggregate, in one round trip.
//
// The base row is where to start: a snapshot, or nothing at sequence 0. Which snapshot it may be
// depends on who folds. Without a version the engine's newest will do. With one, the application
// folds events of its own, which no engine snapshot holds: its own newest snapshot, or every event
// from the start. Where those were compacted, the engine's base snapshot stands in, as long as no
// custom event is in it.
//
// Data are given upcast: the base was folded from them so.
#include <optional>
#include <string>

#include "error.h"
#include "fold.h"
#include "log.h"
#include "value.h"

namespace evercore::ext {

namespace {

struct Base {
  std::int64_t sequence = 0;
  std::string data = "{}";
};

std::optional<Base> newest_snapshot(Connection& connection, std::int64_t aggregate_id,
                                    std::optional<std::int64_t> version, std::int64_t least) {
  Statement find = connection.prepare(
      "SELECT sequence, state FROM main.evercore_snapshot WHERE aggregate_id = ?1"
      " AND application = ?2 AND version = ?3 AND sequence >= ?4 ORDER BY sequence DESC LIMIT 1");
  find.bind(1, aggregate_id).bind(2, std::int64_t{version ? 1 : 0}).bind(3, version.value_or(0));
  if (!find.bind(4, least).step()) return std::nullopt;
  return Base{find.integer(0), std::string(find.text(1))};
}

bool custom_was_compacted(Connection& connection, std::int64_t aggregate_id) {
  Statement find = connection.prepare(
      "SELECT 1 FROM main.evercore_compacted_type c"
      " JOIN main.evercore_event_type t ON t.type_id = c.type_id"
      " WHERE c.aggregate_id = ?1 AND t.fold = 2");
  return find.bind(1, aggregate_id).step();
}

Base application_base(Connection& connection, const Aggregate& aggregate, std::int64_t version) {
  if (auto own = newest_snapshot(connection, aggregate.id, version, aggregate.base)) return *own;
  if (aggregate.base == 0) return {};
  if (custom_was_compacted(connection, aggregate.id)) {
    throw error(2, "aggregate " + std::to_string(aggregate.id) + " was compacted to sequence " +
                       std::to_string(aggregate.base) +
                       " under an application snapshot of another version");
  }
  Statement find = connection.prepare(
      "SELECT state FROM main.evercore_snapshot WHERE aggregate_id = ?1 AND application = 0"
      " AND version = 0 AND sequence = ?2");
  if (find.bind(1, aggregate.id).bind(2, aggregate.base).step()) {
    return Base{aggregate.base, std::string(find.text(0))};
  }
  return {};  // the events that it stood for are missed
}

Base base_of(Connection& connection, const Aggregate& aggregate,
             std::optional<std::int64_t> version) {
  if (aggregate.erased) return Base{aggregate.base, "{}"};
  Base base = version ? application_base(connection, aggregate, *version)
                      : newest_snapshot(connection, aggregate.id, std::nullopt, 0).value_or(Base{});
  require_snapshot_in(aggregate, base.sequence);
  return base;
}

class ReplayRows : public LogRows {
 public:
  ReplayRows(Connection& connection, const Aggregate& aggregate, Base base, Statement events)
      : LogRows(connection, std::move(events)),
        connection_(connection),
        aggregate_(aggregate),
        base_(std::move(base)),
        succession_(aggregate, base_.sequence, aggregate.version) {
    Statement names = connection.prepare(
        "SELECT t.name, a.natural_key FROM main.evercore_aggregate a"
        " JOIN main.evercore_aggregate_type t ON t.type_id = a.type_id WHERE a.aggregate_id = ?1");
    if (connection.declared.upcasts(connection)) types_.emplace(connection);
    if (!names.bind(1, aggregate.id).step()) return;
    type_ = names.text(0);
    if (!names.is_null(1)) key_ = std::string(names.text(1));
  }

  bool next() override {
    at_base_ = !started_;
    started_ = true;
    if (at_base_) return true;
    if (!LogRows::next()) {
      succession_.end(connection_);
      return false;
    }
    succession_.next(connection_, statement_.integer(log_sequence));
    return true;
  }

  void column(sqlite3_context* context, int column) override {
    if (column == log_aggregate_type) return give_text(context, type_);
    if (column == log_natural_key) {
      return key_ ? give_text(context, *key_) : sqlite3_result_null(context);
    }
    if (!at_base_) {
      // Taken out of its row once, not twice.
      if (column == log_sequence) return sqlite3_result_int64(context, succession_.last());
      if (column == log_data && types_ && !statement_.is_null(log_data)) return upcast(context);
      return LogRows::column(context, column);
    }
    switch (column) {
      case log_aggregate_id:
        return sqlite3_result_int64(context, aggregate_.id);
      case log_sequence:
        return sqlite3_result_int64(context, base_.sequence);
      case log_data:
        return give_text(context, base_.data);
      default:
        return sqlite3_result_null(context);
    }
  }

  [[nodiscard]] std::int64_t rowid() const override { return at_base_ ? 0 : LogRows::rowid(); }

 protected:
  void blank() override { succession_.blank(connection_); }

 private:
  /// The base is a fold of data upcast, and so what follows it is given.
  void upcast(sqlite3_context* context) {
    const EventTypes::Entry& type = types_->at(statement_.integer(log_event_type));
    if (!type.upcast.declared()) return LogRows::column(context, log_data);
    std::string buffer;
    give_text(context, type.upcast.apply(type.name, statement_.text(log_data), buffer));
  }

  Connection& connection_;
  Aggregate aggregate_;
  Base base_;
  std::optional<EventTypes> types_;  ///< where any declares an upcast
  Succession succession_;
  std::string type_;
  std::optional<std::string> key_;
  bool started_ = false;
  bool at_base_ = false;
};

#define AFTER_BASE                                 \
  " WHERE e.aggregate_id = ?1 AND e.sequence > ?2" \
  " AND e.sequence <= ?3 ORDER BY e.sequence"

std::unique_ptr<Rows> open_replay(Connection& connection, const TableArguments& arguments) {
  if (arguments[0] == nullptr) throw null_aggregate();
  const Aggregate aggregate = load_aggregate(connection, integer_of(arguments[0], "aggregate_id"));
  std::optional<std::int64_t> version;
  if (arguments[1] != nullptr) version = integer_of(arguments[1], "version");
  Base base = base_of(connection, aggregate, version);
  Statement events = connection.prepare((arguments.columns_used & log_trailing_columns) == 0
                                            ? Sql(EVERCORE_LEADING_BY_SEQUENCE AFTER_BASE)
                                            : Sql(EVERCORE_ALONE_BY_SEQUENCE AFTER_BASE));
  events.bind(1, aggregate.id).bind(2, base.sequence).bind(3, aggregate.version);
  return std::make_unique<ReplayRows>(connection, aggregate, std::move(base), std::move(events));
}

}  // namespace

const TableFunction replay_table = {"evercore_replay",
                                    "CREATE TABLE x(" EVERCORE_LOG_COLUMNS
                                    ", id INTEGER HIDDEN, version INTEGER HIDDEN)",
                                    log_columns,
                                    2,
                                    1,
                                    log_sequence,
                                    open_replay};

}  // namespace evercore::ext
