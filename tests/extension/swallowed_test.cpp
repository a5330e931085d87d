// A user's trigger can ignore a row and a host's authorizer a row or a column, and SQLite says nothing.
// Of every call, each write to each of our tables is swallowed once: the call does all the same what it
// would have done, or it is EV010 and has done nothing.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "support/database.h"

using namespace evercore::test;

namespace {

/// What one statement does to a table; the column is that of an UPDATE.
struct Write {
  int action;
  std::string table, column;
  auto operator<=>(const Write&) const = default;

  [[nodiscard]] std::string verb() const {
    return action == SQLITE_INSERT ? "INSERT" : action == SQLITE_UPDATE ? "UPDATE" : "DELETE";
  }
};

constexpr const char* setup =
    "SELECT evercore_snapshot_policy('P', 2, 1);"
    "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) VALUES"
    " ('T','a','E','{\"n\":1}',NULL),('T','a','F','{\"n\":2}','id "
    "1'),('T','a','E','{\"n\":3}',NULL),"
    " ('T','b','E','{}',NULL),('P','p','G','{}',NULL),('P','p','G','{\"g\":1}',NULL),"
    " ('P','p','G','{}',NULL),('T','c','E','{\"n\":1}',NULL),('T','c','E','{\"n\":2}',NULL);"
    "SELECT evercore_compact(4, 1);"
    "SELECT evercore_snapshot(1);"
    "SELECT evercore_save_snapshot(1, 1, '{}', 1), evercore_save_snapshot(1, 2, '{}', 1);"
    "SELECT evercore_subscribe('s', NULL, 'end'), evercore_subscribe('t', NULL, 'end', 2),"
    " evercore_subscribe('f', '{\"aggregate_type\":\"T\",\"event_types\":[\"F\"]}', 'end'),"
    " evercore_subscribe('r', NULL, 'end', 2), evercore_subscribe('p', "
    "'{\"aggregate_type\":\"P\"}', 'end');"
    "SELECT evercore_claim('s', 'w', 86400), evercore_claim('p', 'w', 86400);"
    "SELECT evercore_reset('p', 'kept'), evercore_claim('p', 'w', 86400), evercore_pause('p');"
    "SELECT evercore_release('p', 2, 'no'), evercore_resume('p'), evercore_claim('p', 'w', 86400);"
    "SELECT evercore_claim('r', 'w', 86400), evercore_unsubscribe('r'), evercore_unsubscribe('t');"
    // A type with old events that are left to fill.
    "SELECT evercore_append(evercore_ensure('T','d'), 0, 'D', '{\"d\":1}'),"
    " evercore_append(evercore_ensure('T','d'), 1, 'D', '{\"d\":2}');"
    "SELECT evercore_event_type('D', NULL, '{\"tags\":{\"old\":\"/d\"}}');"
    "UPDATE evercore_event_type SET tags = '{\"d\":\"/d\"}', filled_to = 0, fill_upto = 99, "
    "unfilled = 2"
    " WHERE name = 'D'; UPDATE evercore_schema SET declared_mark = declared_mark + 1;"
    // A type with states that are kept, and one of them that is left to fill.
    "SELECT evercore_aggregate_type('S', '{\"schema\":{\"maxProperties\":2}}');"
    "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES"
    " ('S','s','S','{\"s\":1}'),('S','t','S','{\"s\":2}'),('S','u','S','{}');"
    "DELETE FROM evercore_kept_state WHERE aggregate_id > (SELECT min(aggregate_id)"
    "  FROM evercore_kept_state); UPDATE evercore_aggregate_type SET filled_to = 0, fill_upto = "
    "99,"
    " unfilled = 2 WHERE name = 'S'; UPDATE evercore_schema SET declared_mark = declared_mark + 1;"
    // An ack renews these; the next claim of one is that of another's.
    "UPDATE evercore_subscription_partition SET lease_expires_at = lease_expires_at - 86000000000;";

constexpr const char* calls[] = {
    "SELECT evercore_create('N', 'k')",
    "SELECT evercore_create('T')",
    "SELECT evercore_ensure('N', 'k')",
    "SELECT evercore_rekey(1, 'z')",
    "SELECT evercore_erase(1)",
    "SELECT evercore_append(1, 3, 'E', '{}', NULL, NULL, '2026-01-01')",
    "SELECT evercore_append(1, 3, 'N', '{}', 'r', '{}', '2026-01-01', 'id 2')",
    "SELECT evercore_append(3, 3, 'G', '{\"g\":2}', NULL, NULL, '2026-01-01')",
    "SELECT "
    "evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{},"
    "\"event_time\":\"2026-01-01\"},{\"event_type\":\"H\",\"data\":{},\"event_time\":\"2026-01-"
    "01\"}]},"
    "{\"aggregate_type\":\"N\",\"natural_key\":\"k\",\"events\":[{\"event_type\":\"E\",\"data\":{},"
    "\"event_time\":\"2026-01-01\"}]}]')",
    "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time) VALUES"
    " ('T','a','E','{}','2026-01-01'),('N','k','H','{}','2026-01-01')",
    "SELECT evercore_event_type('G', 'custom')",
    "SELECT evercore_event_type('F', 'patch')",
    "SELECT evercore_event_type('new', 'patch')",
    "SELECT evercore_event_type('F', 'merge', '{\"tags\":{\"n\":\"/n\"}}')",
    "SELECT evercore_event_type('D', NULL, '{\"tags\":null}')",
    "SELECT evercore_fill()",
    "SELECT evercore_append(1, 3, 'D', '{\"d\":1}', NULL, NULL, '2026-01-01')",
    "SELECT "
    "evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"D\",\"data\":{\"d\":"
    "1},"
    "\"event_time\":\"2026-01-01\"},{\"event_type\":\"D\",\"data\":{\"d\":2},\"event_time\":\"2026-"
    "01-"
    "01\"},{\"event_type\":\"E\",\"data\":{},\"event_time\":\"2026-01-01\"},{\"event_type\":\"E\","
    "\"data\":{},\"event_time\":\"2026-01-01\"}]}]')",
    "SELECT evercore_aggregate_type('T', '{\"schema\":true}')",
    "SELECT evercore_aggregate_type('S', '{\"schema\":{\"maxProperties\":1}}')",
    "SELECT evercore_aggregate_type('S', '{\"schema\":null}')",
    "SELECT evercore_event_type('S', 'patch')",
    "SELECT evercore_unsubscribe('s'); SELECT evercore_erase(evercore_find('S', 's'))",
    "SELECT evercore_append(evercore_find('S', 's'), 1, 'S', '{\"t\":1}', NULL, NULL, "
    "'2026-01-01')",
    "SELECT evercore_append(evercore_find('S', 't'), 1, 'S', '{\"t\":1}', NULL, NULL, "
    "'2026-01-01')",
    "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time) VALUES"
    " ('S','s','S','{\"t\":1}','2026-01-01'),('S','n','E','{}','2026-01-01')",
    "SELECT "
    "evercore_append_many('[{\"aggregate_type\":\"S\",\"natural_key\":\"s\",\"events\":["
    "{\"event_type\":\"S\",\"data\":{},\"event_time\":\"2026-01-01\"},"
    "{\"event_type\":\"S\",\"data\":{},\"event_time\":\"2026-01-01\"}]},"
    "{\"aggregate_type\":\"S\",\"natural_key\":\"u\",\"events\":["
    "{\"event_type\":\"S\",\"data\":{},\"event_time\":\"2026-01-01\"},"
    "{\"event_type\":\"S\",\"data\":{\"u\":1},\"event_time\":\"2026-01-01\"}]}]')",
    "SELECT evercore_snapshot(2)",
    "SELECT evercore_save_snapshot(1, 2, '{\"other\":1}', 1)",
    "SELECT evercore_save_snapshot(1, 2, '{}', 2)",
    "SELECT evercore_snapshot_policy('T', 10, 3)",
    "SELECT evercore_compact(1)",
    "SELECT evercore_compact(1, 1)",
    "SELECT evercore_compact(4, 0)",
    "SELECT evercore_compact_type('T', 0)",
    "SELECT evercore_rename_type('event', 'F', 'new')",
    "SELECT evercore_rename_type('aggregate', 'T', 'new')",
    "SELECT evercore_subscribe('new', '{\"aggregate_type\":\"T\",\"natural_key\":\"a\"}', 'end', "
    "2)",
    "SELECT evercore_subscribe('r', '{\"event_types\":[\"E\",\"new\"]}', 'end')",
    "SELECT evercore_subscribe('f', '{\"aggregate_type\":\"P\",\"natural_key\":\"p\"}', 'kept')",
    "SELECT evercore_subscribe('p', '{\"aggregate_type\":\"T\"}', 'kept', 3)",
    "SELECT evercore_claim('f', 'w', 86400)",
    "SELECT evercore_ack('s', 1, NULL)",
    "SELECT evercore_ack('p', 3, 7)",
    "SELECT evercore_renew('s', 1, 86400)",
    "SELECT evercore_release('s', 1, 'why')",
    "SELECT evercore_release('p', 3)",
    "SELECT evercore_pause('s')",
    "SELECT evercore_pause('s'); SELECT evercore_resume('s')",
    "SELECT evercore_reset('s', 'kept')",
    "SELECT evercore_unsubscribe('p')",
    "SELECT evercore_restored()",
};

/// All that the calls may write, but for the times of the clock.
std::string contents(Database& db) {
  return db.must(
      "SELECT version, least_token FROM evercore_schema;"
      "SELECT * FROM evercore_aggregate_type; SELECT * FROM evercore_event_type;"
      "SELECT * FROM evercore_aggregate ORDER BY aggregate_id;"
      "SELECT position, aggregate_id, sequence, type_id, recorded_at IS NULL, data, reference,"
      " metadata, event_id, tags, declared_tags FROM evercore_event;"
      "SELECT * FROM evercore_tag; SELECT * FROM evercore_event_tag;"
      "SELECT * FROM evercore_event_id; SELECT * FROM evercore_compacted_type;"
      "SELECT * FROM evercore_snapshot; SELECT * FROM evercore_kept_state; SELECT * FROM "
      "_evercore_maintenance;"
      "SELECT * FROM evercore_subscription;"
      "SELECT subscription_id, partition, position, token, owner, lease, last_error,"
      " lease_expires_at / 1000000 > strftime('%s', 'now') + 3600"
      " FROM evercore_subscription_partition");
}

bool is_ours(const char* table) {
  const std::string name(table == nullptr ? "" : table);
  return (name.starts_with("evercore_") || name.starts_with("_evercore_")) &&
         name != "evercore_append";
}

/// Every write that the calls make, as an authorizer is asked for them.
std::set<Write> writes_of(Database& db, const std::string& call) {
  std::set<Write> writes;
  sqlite3_set_authorizer(
      db.handle(),
      [](void* found, int action, const char* table, const char* column, const char*, const char*) {
        if ((action == SQLITE_INSERT || action == SQLITE_UPDATE || action == SQLITE_DELETE) &&
            is_ours(table)) {
          static_cast<std::set<Write>*>(found)->insert(
              {action, table, action == SQLITE_UPDATE ? column : ""});
        }
        return SQLITE_OK;
      },
      &writes);
  CHECK(db.fails(call) == "");
  sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
  return writes;
}

void swallow_by_authorizer(Database& db, const Write& write) {
  sqlite3_set_authorizer(
      db.handle(),
      [](void* swallowed, int action, const char* table, const char* column, const char*,
         const char*) {
        const Write& one = *static_cast<const Write*>(swallowed);
        const bool is = action == one.action && table == one.table &&
                        (action != SQLITE_UPDATE || column == one.column);
        return is ? SQLITE_IGNORE : SQLITE_OK;
      },
      const_cast<Write*>(&write));
}

struct Expected {
  std::string before, after, rows;
};

void check(Database& db, const std::string& call, bool inside, const Expected& expected) {
  if (inside) db.must("BEGIN IMMEDIATE");
  const Outcome outcome = db.run(call);
  sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
  if (inside) db.must("COMMIT");
  if (outcome.ok()) {
    CHECK(outcome.rows == expected.rows);
    CHECK(contents(db) == expected.after);
  } else {
    CHECK(outcome.message.starts_with("EV010: "));
    if (call.find(';') == std::string::npos) CHECK(contents(db) == expected.before);
  }
}

}  // namespace

TEST_CASE("a call of which a trigger or an authorizer swallows a write is EV010 or is done whole") {
  Database made;
  made.must(setup);
  made.must("CREATE TABLE noise (n)");
  const Image image = made.image();
  for (const std::string call : calls) {
    CAPTURE(call);
    Database whole(image);
    Expected expected{contents(whole), "", ""};
    const std::set<Write> writes = writes_of(whole, call);
    CHECK(writes.size() > 0);
    expected.after = contents(whole);
    expected.rows = Database(image).must(call);
    std::set<std::string> triggers;
    for (const Write& write : writes) {
      CAPTURE(write.verb());
      CAPTURE(write.table);
      CAPTURE(write.column);
      {
        Database db(image);
        swallow_by_authorizer(db, write);
        check(db, call, false, expected);
      }
      if (!triggers.insert(write.verb() + write.table).second) continue;
      for (const char* noise : {"", "INSERT INTO noise VALUES (1);"}) {
        for (const bool inside : {false, true}) {
          Database db(image);
          db.must("CREATE TRIGGER swallow BEFORE " + write.verb() + " ON " + write.table +
                  " BEGIN " + noise + " SELECT RAISE(IGNORE); END");
          check(db, call, inside, expected);
        }
      }
    }
  }
}

TEST_CASE("what a user's trigger writes keeps its own conflict clause under every call") {
  Database made;
  made.must(setup);
  made.must("CREATE TABLE seen (what UNIQUE); INSERT INTO seen VALUES ('once')");
  const Image image = made.image();
  for (const std::string call : calls) {
    CAPTURE(call);
    Database whole(image);
    const std::set<Write> writes = writes_of(whole, call);
    const std::string after = contents(whole);
    std::set<std::string> triggers;
    for (const Write& write : writes) {
      const std::string on = write.verb() + " ON " + write.table;
      if (!triggers.insert(on).second) continue;
      CAPTURE(on);
      {
        Database db(image);
        db.must("CREATE TRIGGER note AFTER " + on +
                " BEGIN INSERT OR IGNORE INTO seen VALUES ('once'); END");
        CHECK(db.fails(call) == "");
        CHECK(contents(db) == after);
      }
      Database db(image);
      const std::string before = contents(db);
      db.must("CREATE TRIGGER note AFTER " + on + " BEGIN INSERT INTO seen VALUES ('once'); END");
      const Outcome outcome = db.run(call);
      if (outcome.ok()) continue;  // where it never came by that place
      CHECK(outcome.message == "UNIQUE constraint failed: seen.what");
      if (call.find(';') == std::string::npos) CHECK(contents(db) == before);
    }
  }
}
