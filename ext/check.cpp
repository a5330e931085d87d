// evercore_check: walks the whole store and names what is wrong, a row at a time. What it holds in
// memory at once is one state, one event and one snapshot, however much is wrong.
#include "check.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "check_states.h"
#include "check_store.h"
#include "event_row.h"
#include "fold.h"
#include "payload_dom.h"
#include "state.h"
#include "tag.h"
#include "time.h"
#include "value.h"

namespace evercore::ext {

namespace {

/// The position is selected first, so that the numbers of the written columns are also those of the row.
constexpr int position_column = 0;

/// Without the index where that is damaged or missing; another check reports it.
Statement events_of_aggregate(Connection& connection) {
#define SELECT_EVENTS "SELECT position, " EVERCORE_WRITTEN_NAMES " FROM main.evercore_event"
#define OF_AGGREGATE " WHERE aggregate_id = ?1 ORDER BY sequence"
  try {
    return connection.prepare(SELECT_EVENTS " INDEXED BY evercore_event_sequence" OF_AGGREGATE);
  } catch (const Error& failure) {
    if (failure.sqlite_code != SQLITE_ERROR) throw;  // BUSY and the like
    return connection.prepare(SELECT_EVENTS OF_AGGREGATE);
  }
#undef OF_AGGREGATE
#undef SELECT_EVENTS
}

/// Folds aggregate by aggregate and compares what it finds with what is promised.
class Walk {
 public:
  Walk(Connection& connection, Problems& problems)
      : connection_(connection),
        problems_(problems),
        types_(connection),
        aggregates_(connection.prepare(
            "SELECT aggregate_id, base, erased, natural_key, base_first_time, base_last_time,"
            " base_max_time FROM main.evercore_aggregate"
            " WHERE aggregate_id <> 0 ORDER BY aggregate_id")),
        events_(events_of_aggregate(connection)),
        snapshots_(connection),
        kept_(connection) {}

  /// Does a little of the work; false at the end.
  bool step() {
    switch (at_) {
      case At::next_aggregate:
        if (!aggregates_.step()) return false;
        start_aggregate();
        at_ = At::base;
        return true;
      case At::base:
        if (pass_snapshot_below(base_)) return true;
        take_base();
        at_ = At::next_event;
        return true;
      case At::next_event:
        at_ = events_.step() ? At::event : At::rest;
        if (at_ == At::event) check_event();
        return true;
      case At::event:
        if (pass_snapshot_below(events_.integer(written_sequence))) return true;
        check_snapshot(events_.integer(written_sequence), events_.integer(position_column));
        check_kept(events_.integer(written_sequence), events_.integer(position_column));
        at_ = At::next_event;
        return true;
      case At::rest:
        if (snapshots_.there()) {
          pass_snapshot();
        } else {
          if (kept_.there()) report_kept(std::nullopt);
          at_ = At::next_aggregate;
        }
        return true;
    }
    return false;
  }

 private:
  enum class At { next_aggregate, base, next_event, event, rest };

  void report(std::optional<std::int64_t> position, std::string_view text) {
    Problem& problem = problems_.emplace_back();
    problem.aggregate_id = aggregate_id_;
    problem.position = position;
    problem.text = text;
  }

  void start_aggregate() {
    aggregate_id_ = aggregates_.integer(0);
    const std::int64_t base = aggregates_.integer(1);
    const bool sound = base >= 0 && base <= most_sequence;
    base_ = sound ? base : 0;
    erased_ = aggregates_.integer(2) != 0;
    if (aggregate_id_ < 0) report(std::nullopt, "aggregate id is out of range");
    if (!sound) report(std::nullopt, "base is out of range: " + std::to_string(base));
    snapshots_.start(aggregate_id_);
    kept_.start(aggregate_id_);
    check_aggregate(base);
    last_sequence_ = base_;
    last_position_ = 0;
    events_.reset();
    events_.bind(1, aggregate_id_);
  }

  void check_aggregate(std::int64_t base) {
    if (aggregates_.integer(2) != 0 && aggregates_.integer(2) != 1) {
      report(std::nullopt, "erased is out of range");
    }
    if (const std::string_view key = aggregates_.nullable_text(3); key.data() != nullptr) {
      if (erased_) report(std::nullopt, "natural_key is left of an erased aggregate");
      report_fault(std::nullopt, fault_of_name(key, "natural_key", max_natural_key));
    }
    if (erased_ && snapshots_.there()) {
      report(std::nullopt, "snapshots are left of an erased aggregate");
    }
    if (erased_ && kept_.there()) {
      report(std::nullopt, "a kept state is left of an erased aggregate");
      kept_.pass();
    }
    constexpr const char* times[] = {"base_first_time", "base_last_time", "base_max_time"};
    for (int i = 0; base > 0 && i < 3; ++i) check_time(std::nullopt, times[i], aggregates_, 4 + i);
  }

  void check_time(std::optional<std::int64_t> position, const char* name, const Statement& row,
                  int column) {
    const std::int64_t time = row.integer(column);
    if (time < least_time || time > most_time) {
      report(position, std::string(name) + " is out of range");
    }
  }

  /// The state below the oldest kept event. Its events are gone, so it cannot be checked against them.
  void take_base() {
    state_ = State("{}");
    unknown_ = false;
    if (base_ == 0 || erased_) return;
    if (!snapshots_.there() || snapshots_.sequence() != base_) {
      report(std::nullopt, "base snapshot at sequence " + std::to_string(base_) + " is missing");
      return;
    }
    const std::string text(snapshots_.state());
    snapshots_.next();
    const auto root = connection_.payload.dom().parse(text);
    if (root && root->is_object()) {
      state_ = State(text);
    } else {
      report_snapshot(base_, std::nullopt);
    }
    check_kept(base_, std::nullopt);
  }

  void check_event() {
    const std::int64_t position = events_.integer(position_column);
    const std::int64_t sequence = events_.integer(written_sequence);
    check_place(sequence, position);
    const EventTypes::Entry& type = types_.at(events_.integer(written_type_id));
    if (type.name.empty() && missing_types_.insert(events_.integer(written_type_id)).second) {
      problems_.push_back(
          {std::nullopt, std::nullopt,
           "event type " + std::to_string(events_.integer(written_type_id)) + " is missing"});
    }
    check_beside(position);
    const bool legal = check_payloads(position);
    if (legal && !erased_) check_declared(position, type.name);
    if (legal && sequence > last_sequence_) {
      fold(type, sequence);
    }
    last_sequence_ = std::max(last_sequence_, sequence);
    last_position_ = position;
  }

  /// After an event whose rules or upcast are damaged the state is unknown.
  void fold(const EventTypes::Entry& type, std::int64_t sequence) {
    unknown_ = unknown_ || type.is_unknown();
    if (unknown_ || events_.is_null(written_data)) return;
    type.apply(state_, events_.text(written_data),
               {events_.integer(written_event_time), type.name,
                events_.nullable_text(written_reference), sequence});
  }

  /// Checks an event's columns other than its place and payloads. recorded_at is NULL where it equals event_time.
  void check_beside(std::int64_t position) {
    check_time(position, "event_time", events_, written_event_time);
    check_time(position, "recorded_at", events_, written_recorded_at);
    const std::string_view reference = events_.nullable_text(written_reference);
    const std::string_view event_id = events_.nullable_text(written_event_id);
    const std::string_view tags = events_.nullable_text(written_tags);
    if (reference.data() != nullptr) report_fault(position, fault_of_reference(reference));
    if (event_id.data() != nullptr) {
      report_fault(position, fault_of_name(event_id, "event_id", max_event_id));
    }
    if (tags.data() != nullptr || !events_.is_null(written_declared_tags))
      check_tags(position, tags);
    if (!erased_) {
      if (events_.is_null(written_data)) report(position, "data is missing");
    } else if (!events_.is_null(written_data) || !events_.is_null(written_metadata) ||
               reference.data() != nullptr) {
      report(position, "data, metadata or reference is left of an erased aggregate");
    } else if (tags.data() != nullptr) {
      report(position, "tags are left of an erased aggregate");
    }
  }
  void check_tags(std::int64_t position, std::string_view text) {
    const auto tags = stored_tags(connection_.payload, text);
    const std::int64_t declared = events_.integer(written_declared_tags);
    const bool counted = events_.is_null(written_declared_tags) || declared > 0;
    if (!tags || !counted || declared < 0 ||
        declared > static_cast<std::int64_t>(tags->names.size())) {
      report(position, "tags are damaged");
    } else if (!is_indexed(connection_, *tags, events_.integer(written_type_id), position)) {
      report(position, "tags differ from their index");
    }
  }
  /// Checks the declared tags of an event whose type has tagged all its old events.
  void check_declared(std::int64_t position, const std::string& event_type) {
    const DeclaredTypes::Type* type = connection_.declared.type(connection_, event_type);
    if (type == nullptr || !type->tags || !type->filled || type->upcast.damaged) return;
    const std::string_view text = events_.nullable_text(written_tags);
    const auto tags = stored_tags(connection_.payload, text);
    if (text.data() != nullptr && !tags) return;
    bool lacks = false;
    std::string buffer;
    const std::string_view data =
        type->upcast.apply(event_type, events_.text(written_data), buffer);
    type->tags->derive(data, [&](std::string_view tag) {
      lacks = lacks || !tags ||
              std::find(tags->names.begin(), tags->names.end(), tag) == tags->names.end();
    });
    if (lacks) report(position, "tags lack what is declared");
  }
  void report_fault(std::optional<std::int64_t> position, std::string_view fault) {
    if (!fault.empty()) report(position, fault);
  }

  void check_place(std::int64_t sequence, std::int64_t position) {
    const auto at = [&](const char* what) { return "sequence " + std::to_string(sequence) + what; };
    if (sequence > last_sequence_) {
      check_hole(last_sequence_, sequence);
    } else if (sequence <= base_) {
      report(position, at(" is at or below the base"));
    } else {
      report(position, at(" is there twice"));
    }
    if (sequence > most_sequence) report(position, at(" is out of range"));
    if (position < 1 || position > most_position) {
      report(position, "position is out of range");
    } else if (position <= last_position_) {
      report(position, "position is not above that of sequence " + std::to_string(last_sequence_));
    }
  }

  /// Reports the sequences that are missing between two events in a row.
  void check_hole(std::int64_t last, std::int64_t next) {
    if (next - 1 == last) return;
    if (next - 1 == last + 1) {
      report(std::nullopt, "sequence " + std::to_string(next - 1) + " is missing");
    } else {
      report(std::nullopt, "sequences " + std::to_string(last + 1) + " to " +
                               std::to_string(next - 1) + " are missing");
    }
  }

  bool check_payloads(std::int64_t position) {
    bool legal = true;
    if (!events_.is_null(written_data)) {
      const std::string word = connection_.payload.verdict(events_.text(written_data));
      if (!word.empty()) report(position, "payload: " + word);
      legal = word.empty();
    }
    if (!events_.is_null(written_metadata)) {
      const std::string word = connection_.payload.verdict(events_.text(written_metadata));
      if (!word.empty()) report(position, "metadata: " + word);
    }
    return legal;
  }

  void check_snapshot(std::int64_t sequence, std::int64_t position) {
    if (!snapshots_.there() || snapshots_.sequence() != sequence) return;
    if (!unknown_ && !same_json(snapshots_.state(), state_.text()))
      report_snapshot(sequence, position);
    snapshots_.next();
  }

  /// Checks the kept state once the fold has reached its sequence.
  void check_kept(std::int64_t sequence, std::optional<std::int64_t> position) {
    if (!kept_.there() || kept_.sequence() != sequence) return;
    if (!unknown_ && !same_json(kept_.state(), state_.text())) report_kept(position);
    kept_.pass();
  }
  void report_kept(std::optional<std::int64_t> position) {
    report(position,
           "kept state at sequence " + std::to_string(kept_.sequence()) + " differs from the fold");
  }

  /// Reports one snapshot that has no event at its sequence; false where there is none.
  bool pass_snapshot_below(std::int64_t sequence) {
    if (!snapshots_.there() || snapshots_.sequence() >= sequence) return false;
    pass_snapshot();
    return true;
  }
  void pass_snapshot() {
    report_snapshot(snapshots_.sequence(), std::nullopt);
    snapshots_.next();
  }

  void report_snapshot(std::int64_t sequence, std::optional<std::int64_t> position) {
    report(position,
           "engine snapshot at sequence " + std::to_string(sequence) + " differs from the fold");
  }

  Connection& connection_;
  Problems& problems_;
  EventTypes types_;
  Statement aggregates_;
  Statement events_;
  Snapshots snapshots_;
  Kept kept_;
  At at_ = At::next_aggregate;
  std::int64_t aggregate_id_ = 0;
  std::int64_t base_ = 0;
  bool erased_ = false;
  State state_{"{}"};
  bool unknown_ = false;  // the state, since an event before
  std::int64_t last_sequence_ = 0;
  std::int64_t last_position_ = 0;
  std::unordered_set<std::int64_t> missing_types_;
};

/// The schema, the looks before the walk, the walk, the looks after it.
class CheckRows : public Rows {
 public:
  explicit CheckRows(Connection& connection) : connection_(connection) {
    whole_ = check_schema(connection, problems_);
    if (whole_) open_looks(looks_before_walk);
  }

  bool next() override {
    ++row_;
    if (!problems_.empty() && row_ > 1) problems_.pop_front();
    while (problems_.empty()) {
      if (!whole_ || !step()) return false;
    }
    return true;
  }

  [[nodiscard]] std::int64_t rowid() const override { return row_; }

  void column(sqlite3_context* context, int column) override {
    const Problem& problem = problems_.front();
    if (column == 2) return give_text(context, problem.text);
    const auto& number = column == 0 ? problem.aggregate_id : problem.position;
    if (number) return sqlite3_result_int64(context, *number);
    sqlite3_result_null(context);
  }

 private:
  void open_looks(std::span<const Look> looks) {
    looks_ = looks;
    rows_.reset();
  }

  /// Does one step of the current check; false when all are done.
  bool step() {
    if (!looks_.empty()) {
      if (!rows_) rows_.emplace(connection_.prepare(looks_.front().sql));
      if (rows_->step()) {
        looks_.front().report(connection_, *rows_, problems_);
      } else {
        open_looks(looks_.subspan(1));
      }
      return true;
    }
    if (!walked_) {
      if (!walk_) walk_.emplace(connection_, problems_);
      if (walk_->step()) return true;
      walk_.reset();
      walked_ = true;
      open_looks(looks_after_walk);
      return true;
    }
    return false;
  }

  Connection& connection_;
  Problems problems_;
  std::span<const Look> looks_;
  std::optional<Statement> rows_;
  std::optional<Walk> walk_;
  bool walked_ = false;
  bool whole_ = false;
  std::int64_t row_ = 0;
};

std::unique_ptr<Rows> open_check(Connection& connection, const TableArguments&) {
  connection.require_store();
  return std::make_unique<CheckRows>(connection);
}

}  // namespace

const TableFunction check_table = {
    "evercore_check",
    "CREATE TABLE x(aggregate_id INTEGER, position INTEGER, problem TEXT)",
    3,
    0,
    0,
    -1,
    open_check};

}  // namespace evercore::ext
