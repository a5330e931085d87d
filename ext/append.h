// Appending events: the checks, the fast statement and the full procedure behind all three ways.
//
//   SELECT evercore_append(evercore_ensure('User', 'ann'), 0, 'UserCreated', '{"name":"Ann"}');
//   INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)
//     SELECT 'User', name, 'UserCreated', json_object('name', name) FROM people;
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "connection.h"
#include "function.h"
#include "tag.h"

namespace evercore::ext {

class CheckedStates;  // state_schema.h

/// One event as a caller gave it. The texts belong to the caller.
struct NewEvent {
  std::string_view event_type;
  std::string_view data;
  std::optional<std::string_view> reference;
  std::optional<std::string_view> metadata;
  std::optional<std::string_view> event_id;
  std::optional<std::int64_t> event_time;  ///< microseconds; by default when the store takes it
  const Tags* tags = nullptr;              ///< the caller's too; until it is written, those given
};

struct Appended {
  std::int64_t sequence = 0;
  std::int64_t position = 0;
  bool repeated = false;  ///< its event_id was there already: nothing was written
};

/// Appends where the running write transaction takes part (see Transaction) and one INSERT does it:
/// the event type exists and declares no tags, its schema takes the data, states are not checked, no
/// snapshot is due, no event_id and no tags are given, and no trigger of the user's could leave half of it
/// behind. Gives nothing where one INSERT is not enough. Throws EV001, EV002 and EV011.
std::optional<Appended> append_simply(Connection& connection, std::int64_t aggregate_id,
                                      std::optional<std::int64_t> expected, const NewEvent& event);

/// Inside atomically() only: the whole procedure. Throws EV002, then EV007, then EV001, then what is
/// wrong with the tags that the event's type declares, then EV011 of its data, then of the state.
Appended append_fully(Connection& connection, std::int64_t aggregate_id,
                      std::optional<std::int64_t> expected, const NewEvent& event);
/// The last part of append_fully(), for an event that is no repeat and has all its tags. Where the
/// aggregate's states are checked, `states` is given the event. Stores no snapshot.
Appended append_new(Connection& connection, std::int64_t aggregate_id,
                    std::optional<std::int64_t> expected, const NewEvent& event,
                    CheckedStates& states);

/// Where the next event of an aggregate goes.
struct Place {
  std::int64_t sequence = 0;
  std::int64_t type_id = 0;
  std::int64_t checked_type = 0;  ///< see AggregateInfo
};
/// The first part of append_new: checks, and counts the event as appended. Throws EV002 and EV001.
Place take_place(Connection& connection, std::int64_t aggregate_id,
                 std::optional<std::int64_t> expected, const NewEvent& event);

/// Throws EV002 where there is no such aggregate, or it was erased.
void require_open(Connection& connection, std::int64_t aggregate_id);

/// The event with this event_id as it was first appended, if there is one; EV007 with other
/// content.
std::optional<Appended> find_repeat(Connection& connection, std::int64_t aggregate_id,
                                    const NewEvent& event);

/// EV007: the event_id stands for something else.
[[nodiscard]] Error other_content(std::string_view event_id);

/// evercore_append_many; in append_many.cpp.
void append_many(const Call& call);

extern const Function append_functions[2];

}  // namespace evercore::ext
