// The JSON array of evercore_append_many, from ext/append_json.h, for functions that the server may leave by longjmp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace evercore::native {

/// A text that may be absent.
struct Text {
  bool given = false;
  std::string_view text;
};

/// An integer that may be absent.
struct Integer {
  bool given = false;
  std::int64_t value = 0;
};

struct AppendView {
  Integer id;
  Text type;  ///< with its key, where no id is given
  Text key;
  Integer expected;
  std::size_t first = 0;  ///< of its events
  std::size_t count = 0;
};

struct EventView {
  std::string_view event_type;
  std::string_view data;
  Text reference;
  Text metadata;
  Integer event_time;  ///< microseconds since 1970
};

/// Reads an array. False where it is no right one, is empty, or has events with ids or tags. What the two functions
/// below give lives until the next document is read.
bool read_plain_appends(std::string_view document) noexcept;
std::size_t append_count() noexcept;
std::size_t event_count() noexcept;
AppendView append_at(std::size_t index) noexcept;
EventView event_at(std::size_t index) noexcept;

}  // namespace evercore::native
