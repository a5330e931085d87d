// A store of accounts whose states have a schema.
#pragma once

#include <string>

#include "support/database.h"

namespace evercore::test {

inline std::string declare(const std::string& schema, const std::string& type = "Account") {
  return "SELECT evercore_aggregate_type('" + type + "', '{\"schema\":" + schema + "}')";
}

inline const std::string no_debt = declare(R"({"properties":{"balance":{"minimum":0}}})");

/// Account a, the aggregate 1, and its events, which say by how much it changes.
struct Bank : Database {
  explicit Bank(const std::string& path = ":memory:") : Database(path) {
    must("SELECT evercore_event_type('Changed', '[{\"add\":{\"/balance\":\"/by\"}}]')");
    must("SELECT evercore_ensure('Account', 'a')");
  }
  std::string problems() {
    return must("SELECT coalesce(position, '') || ' ' || problem FROM evercore_check()");
  }
  /// Another connection sees what is changed past the functions by the mark alone.
  void spoil(const std::string& sql) {
    must(sql + "; UPDATE evercore_schema SET declared_mark = declared_mark + 1");
  }
  std::string kept() {
    return must("SELECT sequence || state FROM evercore_kept_state ORDER BY aggregate_id");
  }
};

inline std::string change(int by, int id = 1) {
  return "SELECT evercore_append(" + std::to_string(id) +
         ", NULL, 'Changed', '{\"by\":" + std::to_string(by) + "}')";
}

}  // namespace evercore::test
