// Schemas of states: what the states of an aggregate type must be, checked after each event.
//
//   SELECT evercore_aggregate_type('Account', '{"schema":{"properties":{"balance":{"minimum":0}}}}');
//   SELECT evercore_append(1, NULL, 'Withdrawn', '{"amount":60}');
//     EV011: state of "Account" "A-1" at sequence 7: /balance: minimum
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "append.h"
#include "connection.h"
#include "error.h"
#include "fold.h"
#include "state.h"

namespace evercore::ext {

/// EV008.
[[nodiscard]] Error damaged_state_schema(std::string_view aggregate_type);

/// The current states of the aggregates that one call appends to. Inside atomically() only.
class CheckedStates {
 public:
  explicit CheckedStates(Connection& connection) : connection_(connection), types_(connection) {}

  /// Applies the event that goes to a place of an aggregate whose type declares a schema. The first state
  /// that is not taken is kept as the refusal, and nothing is applied after it. EV008 is thrown where the
  /// schema, or what folds the event, is damaged.
  void apply(std::int64_t aggregate_id, const Place& place, const NewEvent& event,
             std::int64_t recorded_at);
  /// Throws EV011 where a state was not taken.
  void require_taken() const {
    if (refusal_) throw *refusal_;
  }
  /// Writes the new states.
  void write();

 private:
  struct Held {
    State state{"{}"};
    std::string text;
    std::int64_t sequence = 0;
    bool is_kept = false;
  };
  /// The most bytes of states held at once; beyond that they are written and forgotten.
  static constexpr std::size_t most_bytes = std::size_t{16} << 20;

  Held& held(std::int64_t aggregate_id, std::int64_t version);

  Connection& connection_;
  EventTypes types_;
  std::unordered_map<std::int64_t, Held> held_;
  std::size_t bytes_ = 0;  // of their texts
  std::optional<Error> refusal_;
};

}  // namespace evercore::ext
