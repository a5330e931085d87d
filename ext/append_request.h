// What a caller asks to append: its arguments, checked in the order of refusals that the surface
// fixes. EV004 of the payloads comes first, then EV005 of the names, then EV009 of all else; what
// the store has to say (EV002, EV007, EV001) comes after them.
#pragma once

#include <cstdint>
#include <forward_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "append.h"
#include "connection.h"

namespace evercore::ext {

/// Which aggregate is meant: an id, or a type and key.
struct Target {
  std::optional<std::int64_t> id;
  std::string_view type;
  std::string_view key;
};

struct AppendRequest {
  Target target;
  std::optional<std::int64_t> expected;
  NewEvent event;
  std::forward_list<std::string> digits;  ///< of reals that stand for texts: those above lie here
  std::unique_ptr<const Tags> tags;       ///< those of the event
};

/// The arguments as SQLite gives them; null where this call has no such argument.
struct AppendArguments {
  sqlite3_value* aggregate_type = nullptr;
  sqlite3_value* natural_key = nullptr;
  sqlite3_value* event_type = nullptr;
  sqlite3_value* data = nullptr;
  sqlite3_value* aggregate_id = nullptr;
  sqlite3_value* expected = nullptr;
  sqlite3_value* reference = nullptr;
  sqlite3_value* metadata = nullptr;
  sqlite3_value* event_time = nullptr;
  sqlite3_value* event_id = nullptr;
  sqlite3_value* tags = nullptr;
};

/// Of evercore_append: the target is an id, absent where it is NULL.
[[nodiscard]] AppendRequest read_call(Connection& connection, const AppendArguments& arguments);
/// Of a row of the INSERT form: the target is an id, or a type and key. An empty text is no way to
/// leave off an optional column: CSV has nothing else for NULL.
[[nodiscard]] AppendRequest read_row(Connection& connection, const AppendArguments& arguments);

/// Throws EV004 where data and metadata are too large together.
void check_size(const NewEvent& event);
/// Throws EV005 where a type and a key that are needed are missing.
void require_key(bool has_type, bool has_key);
/// EV009: the target is named twice.
[[nodiscard]] Error named_twice();

}  // namespace evercore::ext
