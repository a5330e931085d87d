// A store with something of each kind in it, for tests that spoil it, and every call that may meet it then.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "support/database.h"

namespace evercore::test {

inline constexpr const char* filled =
    "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES"
    " ('T','a','E','{\"n\":1}'),('T','a','E','{\"n\":2}'),('T','b','E','{}');"
    "SELECT evercore_snapshot(1), evercore_subscribe('s', '{\"event_types\":[\"E\"]}');"
    "SELECT evercore_claim('s', 'w', 60)";

/// Two aggregates of three events, with a snapshot and a subscription.
struct FilledStore : Database {
  explicit FilledStore(const std::string& path = ":memory:") : Database(path) { must(filled); }
  /// Writes past evercore.
  void damage(const std::string& sql) {
    must(
        "INSERT INTO _evercore_maintenance VALUES ('damage'); PRAGMA ignore_check_constraints = 1");
    must(sql);
    must("DELETE FROM _evercore_maintenance; PRAGMA ignore_check_constraints = 0");
  }
  std::string problems() { return must("SELECT * FROM evercore_check()"); }
};

inline const std::vector<std::string>& writes() {
  static const std::vector<std::string> all = {
      "SELECT " + append_call(),
      "INSERT INTO main.evercore_append (aggregate_id, event_type, data) VALUES (1,'Added','{}')",
      "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\""
      ":{}}]}]')",
      "SELECT evercore_append(1,NULL,'Added','{}',NULL,NULL,NULL,'id')",
      "SELECT evercore_create('T','k')",
      "SELECT evercore_ensure('T','k')",
      "SELECT evercore_rekey(1,'z')",
      "SELECT evercore_snapshot(2)",
      "SELECT evercore_save_snapshot(1,1,'{}',1)",
      "SELECT evercore_snapshot_policy('T',5,1)",
      "SELECT evercore_event_type('Other','patch')",
      "SELECT evercore_event_type('Added',NULL,'{\"tags\":{\"n\":\"/n\"}}')",
      "SELECT evercore_fill()",
      "SELECT evercore_ack('s',1,2)",
      "SELECT evercore_renew('s',1,60)",
      "SELECT evercore_release('s',1)",
      "SELECT evercore_claim('s','w',60)",
      "SELECT evercore_pause('s')",
      "SELECT evercore_reset('s','end')",
      "SELECT evercore_subscribe('t')",
      "SELECT evercore_unsubscribe('s')",
      "SELECT evercore_compact(2,0)",
      "SELECT evercore_compact_type('T',0)",
      "SELECT evercore_erase(2)"};
  return all;
}

inline const std::vector<std::string>& reads() {
  static const std::vector<std::string> all = {
      "SELECT evercore_state(1)",
      "SELECT * FROM evercore_history(1)",
      "SELECT * FROM evercore_follow()",
      "SELECT * FROM evercore_events(1)",
      "SELECT * FROM evercore_replay(1)",
      "SELECT * FROM evercore_fetch('s', 1)",
      "SELECT * FROM evercore_stats()",
      "SELECT evercore_find('T','a')",
      "SELECT evercore_sequence(1, '2026-01-01T00:00:00Z')",
      "SELECT * FROM evercore_check()"};
  return all;
}

/// Every call, each on a copy of what `make` builds: what it gives is of no matter, that it ends is.
inline void call_everything(const std::function<void(FilledStore&)>& spoil) {
  for (const auto* calls : {&reads(), &writes()}) {
    for (const std::string& call : *calls) {
      CAPTURE(call);
      FilledStore db;
      spoil(db);
      (void)db.run(call);
      (void)db.run(call);
      (void)db.run("SELECT * FROM evercore_check()");
      CHECK(db.autocommit());
      CHECK(db.close() == SQLITE_OK);
    }
  }
}

}  // namespace evercore::test
