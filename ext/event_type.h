// Event types: how they fold, what shape their data have and must have, and the tags that the store gives their events.
//
//   SELECT evercore_event_type('AddressChanged', 'patch');
//   SELECT evercore_event_type('Deposited', '[{"add":{"/balance":"/amount"}}]');
//   SELECT evercore_event_type('StudentSubscribed', NULL, '{"tags":{"course":"/course_id"}}');
//   SELECT evercore_event_type('Deposited', NULL, '{"schema":{"required":["amount"]}}');
//   SELECT evercore_event_type('Deposited', NULL, '{"upcast":[{"rename":{"/sum":"amount"}}]}');
//   SELECT evercore_fill();      -- tags what a declaration left: 0 events are left
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "connection.h"
#include "declared_tags.h"
#include "function.h"

namespace evercore::ext {

/// A declaration tags so many old events at once; where there are more, all are left to evercore_fill().
inline constexpr std::int64_t most_at_once = 100'000;

/// Inside atomically() only: gives the events of a type that are there the tags that it declares, or leaves
/// them to evercore_fill(). Throws EV009 where one cannot bear its tags.
void tag_old_events(Connection& connection, std::int64_t type_id);

/// What options try in place of a declaration: nothing where a member is not there, "null" where it takes
/// that part away.
struct TriedOptions {
  std::optional<std::string_view> schema;
  std::optional<std::string_view> upcast;
};
TriedOptions options_to_try(const Call& call, std::size_t argument);

/// evercore_fill; in fill.cpp.
void fill(const Call& call);

extern const Function event_type_functions[2];

}  // namespace evercore::ext
