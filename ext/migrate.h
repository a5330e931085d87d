// The schema: its migrations, compiled in from migrations/sqlite, and the function that runs them.
//
//   SELECT evercore_migrate();       -- to the newest; gives the version the store is at
//   SELECT evercore_migrate(0);      -- back to nothing; EV010 while there are events
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "function.h"

namespace evercore::ext {

/// One file of migrations/sqlite, in goose's form: an Up part, then a Down part.
struct Migration {
  std::int64_t version;
  const char* text;
};

/// Whether their versions are 1, 2, 3 … as they stand: the file of version n is at n - 1.
template <std::size_t count>
consteval bool are_dense(const Migration (&table)[count]) {
  for (std::size_t i = 0; i < count; ++i) {
    if (table[i].version != static_cast<std::int64_t>(i) + 1) return false;
  }
  return true;
}

/// All of them, in order of version from 1. Made at build time.
extern const std::span<const Migration> migrations;

[[nodiscard]] std::string up_part(const Migration& migration);
[[nodiscard]] std::int64_t newest_schema_version();

extern const Function migrate_function;

}  // namespace evercore::ext
