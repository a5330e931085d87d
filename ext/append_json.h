// The JSON array of evercore_append_many, read and checked as a whole before anything is written.
#pragma once

#include <forward_list>
#include <string>
#include <string_view>
#include <vector>

#include "append_request.h"

namespace evercore::ext {

/// One element of the array: an aggregate and its events, the `count` ones from `first` on.
struct JsonAppend {
  Target target;
  std::optional<std::int64_t> expected;
  bool skips_repeats = false;
  std::size_t first = 0;
  std::size_t count = 0;
};

/// Everything that one call asks for. Its texts live as long as the argument, and no longer than until the
/// parser reads its next document.
struct JsonAppends {
  std::vector<JsonAppend> appends;
  std::vector<NewEvent> events;
  std::forward_list<Tags> tags;  ///< of the events
};

/// Throws what is wrong with the first event at fault: EV004, EV005 or EV009, in this order.
[[nodiscard]] JsonAppends read_appends(Payload& payload, std::string_view text);

}  // namespace evercore::ext
