#include "schema_version.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "connection.h"
#include "migrate.h"

namespace evercore::ext {

namespace {

/// The virtual tables of the extension: a table or view of such a name would hide ours.
constexpr std::string_view module_names[] = {
    "evercore_append",  "evercore_follow",  "evercore_events", "evercore_replay",
    "evercore_history", "evercore_fetch",   "evercore_query",  "evercore_check",
    "evercore_stats",   "_evercore_anchor", "_evercore_staged"};

/// The tables of a store. Where one of them is there, it must be a table with rows of its own.
constexpr std::string_view table_names[] = {
    "evercore_schema",
    "evercore_aggregate_type",
    "evercore_event_type",
    "evercore_aggregate",
    "evercore_event",
    "evercore_event_id",
    "evercore_tag",
    "evercore_event_tag",
    "evercore_compacted_type",
    "evercore_snapshot",
    "evercore_kept_state",
    "_evercore_maintenance",
    "evercore_subscription",
    "evercore_subscription_partition",
};

template <std::size_t count>
bool is_among(const std::string_view (&names)[count], std::string_view name) {
  return std::any_of(std::begin(names), std::end(names), [&](std::string_view ours) {
    return ours.size() == name.size() &&
           sqlite3_strnicmp(ours.data(), name.data(), static_cast<int>(name.size())) == 0;
  });
}

std::int64_t read_version(Connection& connection) {
  try {
    Statement version = connection.prepare_once(
        "SELECT count(*), max(version), count(*) FILTER (WHERE typeof(version) <> 'integer')"
        " FROM (SELECT version FROM main.evercore_schema ORDER BY version DESC LIMIT 2)");
    version.step();
    const std::int64_t newest = version.integer(1);
    const bool sound = version.integer(2) == 0 && newest >= 1;
    if (sound && newest > newest_schema_version()) return newest;
    if (sound && version.integer(0) == 1) return newest;
  } catch (const Error& failure) {
    if (failure.sqlite_code != SQLITE_ERROR) throw;  // BUSY and the like
  }
  throw error(8, "evercore_schema is damaged: it should hold one row, the version of the store");
}

}  // namespace

std::int64_t schema_version(Connection& connection) {
  Statement names = connection.prepare_once(
      "SELECT name, type = 'table' AND rootpage > 0 FROM main.sqlite_schema"
      " WHERE type IN ('table', 'view')");
  bool there = false;
  bool others = false;
  while (names.step()) {
    const std::string_view name = names.text(0);
    if (is_among(module_names, name)) {
      throw error(8,
                  "a table or view named " + std::string(name) + " hides the one of the extension");
    }
    if (!is_among(table_names, name)) continue;
    if (names.integer(1) == 0) {
      throw error(
          8, std::string(name) + " is not the table of a store: something else bears its name");
    }
    const bool is_schema = is_among({table_names[0]}, name);
    there = there || is_schema;
    others = others || !is_schema;
  }
  if (others && !there) {
    throw error(8,
                "the store is damaged: evercore_schema is missing, and its other tables are there");
  }
  return there ? read_version(connection) : 0;
}

}  // namespace evercore::ext
