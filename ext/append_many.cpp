// evercore_append_many: one JSON array, many events, many aggregates, one atomic call.
#include <algorithm>
#include <forward_list>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "aggregate.h"
#include "append.h"
#include "append_batch.h"
#include "append_json.h"
#include "data_schema_check.h"
#include "error.h"
#include "query.h"
#include "snapshot.h"
#include "state_schema.h"
#include "time.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

/// Counts what is new and what is a repeat; a call may not mix them.
struct Mixture {
  bool any_new = false;
  std::string repeated_id;  // the first repeat's; empty: none

  void add(bool repeated, const NewEvent& event) {
    if (!repeated) {
      any_new = true;
    } else if (repeated_id.empty()) {
      repeated_id = event.event_id.value_or("");
    }
    if (!any_new || repeated_id.empty()) return;
    throw error(
        7, "event_id \"" + repeated_id + "\" exists: one call cannot mix repeats and new events");
  }
};

/// Inside atomically(): one call. A conflict goes behind what is wrong with an event_id: it is kept
/// until the others have been looked at. Behind both goes what is wrong with declared tags, then what
/// refused the call's condition, then data that a schema does not take, and then such states.
class Writer {
 public:
  Writer(Connection& connection, const JsonAppends& call, std::optional<Error> refusal,
         bool together)
      : connection_(connection), call_(call), refusal_(std::move(refusal)), states_(connection) {
    if (together) batch_.emplace(connection);
  }

  std::string write() {
    find_targets();
    if (refusal_ && nothing_goes_before()) throw *refusal_;
    std::string result = "[";
    for (std::size_t i = 0; i < call_.appends.size(); ++i) {
      const Answer answer = append(call_.appends[i], targets_[i]);
      result += i > 0 ? ",{" : "{";
      result.append("\"aggregate_id\":").append(std::to_string(targets_[i]));
      result.append(",\"first_position\":").append(std::to_string(answer.first_position));
      result.append(",\"sequence\":").append(std::to_string(answer.last.sequence));
      result.append(",\"position\":").append(std::to_string(answer.last.position));
      result += answer.repeated ? ",\"repeated\":true}" : "}";
    }
    if (conflict_) throw *conflict_;
    if (untaggable_) throw *untaggable_;
    if (refusal_ && any_new_) throw *refusal_;
    if (untaken_) throw *untaken_;
    states_.require_taken();
    if (batch_) batch_->write();
    states_.write();
    return result += "]";
  }

 private:
  /// EV002 of all of them, before anything is said of an event.
  void find_targets() {
    targets_.reserve(call_.appends.size());
    for (const JsonAppend& append : call_.appends) {
      if (append.target.id) require_open(connection_, *append.target.id);
      targets_.push_back(append.target.id.value_or(0));
    }
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      const Target& target = call_.appends[i].target;
      if (!target.id) targets_[i] = ensure_aggregate(connection_, target.type, target.key);
    }
  }

  /// Whether no event can be a repeat or be at fault by what its type declares, and no version be another
  /// than expected.
  [[nodiscard]] bool nothing_goes_before() const {
    const auto& [appends, events, tags] = call_;
    return std::none_of(appends.begin(), appends.end(),
                        [](const JsonAppend& append) { return append.expected.has_value(); }) &&
           std::none_of(events.begin(), events.end(), [&](const NewEvent& event) {
             return event.event_id.has_value() ||
                    connection_.declared.find(connection_, event.event_type) != nullptr;
           });
  }

  struct Answer {
    Appended last;
    std::int64_t first_position = 0;  ///< of the first new event, or of all where none is
    bool repeated = true;             ///< all of them
  };

  Answer append(const JsonAppend& append, std::int64_t aggregate_id) {
    std::optional<std::int64_t> expected = append.expected;
    Answer answer;
    Appended& last = answer.last;
    std::int64_t first = 0;
    std::int64_t newest = 0;
    for (const NewEvent& event : std::span(call_.events).subspan(append.first, append.count)) {
      const auto repeat = find(aggregate_id, event);
      if (!repeat || !append.skips_repeats) mixture_.add(repeat.has_value(), event);
      if (repeat) {
        last = *repeat;
        if (answer.first_position == 0) answer.first_position = last.position;
        if (append.skips_repeats && expected && first == 0) ++*expected;
        continue;
      }
      last = append_new(aggregate_id, expected, event);
      expected.reset();  // it is for the state before the first event; nobody can come between
      if (answer.repeated) answer.first_position = last.position;
      answer.repeated = false;
      if (first == 0) first = last.sequence;
      newest = last.sequence;
    }
    if (newest > 0) snapshot_if_crossed(aggregate_id, first, newest);
    return answer;
  }

  /// The event that this one repeats: in the store, or of this call where a conflict kept it out.
  std::optional<Appended> find(std::int64_t aggregate_id, const NewEvent& event) {
    if (!event.event_id) return std::nullopt;
    if (const auto repeat = find_repeat(connection_, aggregate_id, event)) return repeat;
    const auto kept_out = kept_out_.find(*event.event_id);
    if (kept_out == kept_out_.end()) return std::nullopt;
    const auto& [first_id, first] = kept_out->second;
    if (first_id == aggregate_id && first->event_type == event.event_type &&
        first->data == event.data) {
      return Appended{0, 0, true};
    }
    throw other_content(*event.event_id);
  }

  Appended append_new(std::int64_t aggregate_id, std::optional<std::int64_t> expected,
                      const NewEvent& event) {
    any_new_ = true;
    if (!conflict_) {
      if (!untaken_) untaken_ = refusal_by_schema(connection_, event);
      try {
        if (!batch_) {
          return ext::append_new(connection_, aggregate_id, expected, with_tags(event), states_);
        }
        const NewEvent& tagged = with_tags(event);
        if (&tagged != &event && !Batch::holds(tagged)) throw Batch::Refused{};
        const Place place = take_place(connection_, aggregate_id, expected, tagged);
        const std::int64_t recorded_at = now();
        if (place.checked_type != 0) states_.apply(aggregate_id, place, tagged, recorded_at);
        return Appended{place.sequence, batch_->add(aggregate_id, place, tagged, recorded_at),
                        false};
      } catch (const Error& failure) {
        if (failure.code != Code::conflict) throw;
        if (batch_) throw Batch::Refused{};  // what is staged is in no table yet
        conflict_ = failure;
      }
    }
    if (event.event_id) kept_out_.emplace(*event.event_id, std::pair(aggregate_id, &event));
    return {};
  }

  /// The event with what its type declares, for as long as this call.
  const NewEvent& with_tags(const NewEvent& event) {
    if (connection_.declared.find(connection_, event.event_type) == nullptr) return event;
    try {
      auto tags = with_declared(connection_, event);
      if (!tags) return event;
      auto& [tagged, all] = tagged_.emplace_front(event, std::move(*tags));
      tagged.tags = &all;
      return tagged;
    } catch (const Error& failure) {
      if (failure.code == Code::engine) throw;
      if (!untaggable_) untaggable_ = failure;
      return event;
    }
  }

  /// Stores the snapshot that the events from `first` to `last` made due.
  void snapshot_if_crossed(std::int64_t aggregate_id, std::int64_t first, std::int64_t last) {
    const AggregateInfo* info = connection_.transaction.aggregate(aggregate_id);
    const std::int64_t every = info == nullptr ? 0 : info->snapshot_every;
    if (conflict_ || every <= 0 || last / every <= (first - 1) / every) return;
    if (batch_) batch_->write();
    store_snapshot_by_policy(connection_, aggregate_id);
  }

  Connection& connection_;
  const JsonAppends& call_;
  std::optional<Batch> batch_;  // where the events are written together
  std::vector<std::int64_t> targets_;
  Mixture mixture_;
  std::optional<Error> conflict_;
  std::optional<Error> refusal_;  // by the condition
  std::optional<Error> untaggable_;
  std::optional<Error> untaken_;  // by its schema
  CheckedStates states_;
  std::forward_list<std::pair<NewEvent, Tags>> tagged_;
  bool any_new_ = false;
  std::unordered_map<std::string_view, std::pair<std::int64_t, const NewEvent*>> kept_out_;
};

/// Fewer events are as fast one by one.
constexpr std::size_t least_together = 4;

/// An event_id is looked for in the table, and a trigger of the user's may look there too.
bool go_together(Connection& connection, const JsonAppends& appends) {
  return appends.events.size() >= least_together && !connection.has_user_triggers() &&
         std::none_of(appends.events.begin(), appends.events.end(), [](const NewEvent& event) {
           return event.event_id.has_value() || !Batch::holds(event);
         });
}

}  // namespace

void append_many(const Call& call) {
  Connection& connection = call.connection;
  const JsonAppends appends =
      read_appends(connection.payload, required_document(call.arguments[0], "appends"));
  std::optional<Condition> condition;
  if (sqlite3_value* value = call.optional(1)) {
    condition.emplace();
    condition->query = parse_condition(connection, document_of(value, "condition"));
    if (sqlite3_value* after = call.optional(2)) {
      condition->after = integer_of(after, "after");
    }
  }
  const auto write = [&](bool together) {
    atomically(connection, [&] {
      std::optional<Error> refused;
      if (condition) {
        check_positions(connection, *condition);
        refused = refusal(connection, *condition);
      }
      together = together && go_together(connection, appends);
      call.result_json(Writer(connection, appends, std::move(refused), together).write());
    });
  };
  try {
    write(true);
  } catch (const Batch::Refused&) {
    connection.forget_schema();
    write(false);
  }
}

}  // namespace evercore::ext
