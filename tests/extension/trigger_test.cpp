// Triggers and authorizers of others: what they refuse is refused whole, and what they make vanish
// is no success.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/database.h"

using namespace evercore::test;

namespace {

struct Form {
  std::string before, after;  ///< of the data
  int kept;                   ///< events of the same call that stay when the bad one fails

  [[nodiscard]] std::string with(const std::string& data) const { return before + data + after; }
};

const std::vector<Form> forms = {
    {"SELECT evercore_append(1, NULL, 'E', '{\"n\":\"", "\"}')", 0},
    {"SELECT evercore_append(1, NULL, 'E', '{\"n\":\"",
     "\"}', NULL, NULL, NULL, hex(randomblob(9)))", 0},
    {"INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES"
     " (1,'E','{}'),(1,'E','{\"n\":\"",
     "\"}'),(1,'E','{}')", 0},
    {"INSERT OR IGNORE INTO evercore_append (aggregate_id, event_type, data) VALUES"
     " (1,'E','{}'),(1,'E','{\"n\":\"",
     "\"}'),(1,'E','{}')", 0},
    {"INSERT OR FAIL INTO evercore_append (aggregate_id, event_type, data) VALUES"
     " (1,'E','{}'),(1,'E','{\"n\":\"",
     "\"}'),(1,'E','{}')", 1},
    {"SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\","
     "\"data\":{}},{\"event_type\":\"E\",\"data\":{\"n\":\"",
     "\"}}]}]')", 0},
};

struct Store : Database {
  Store() {
    must("SELECT evercore_ensure('T','a'); CREATE TABLE mine (n); CREATE TABLE seen (n)");
    must(forms[0].with("first"));
  }
  /// A trigger that does `what` about events with the word bad in them.
  void hang(const std::string& when, const std::string& what, bool temporary) {
    must("CREATE " + std::string(temporary ? "TEMP " : "") + "TRIGGER theirs " + when +
         " INSERT ON main.evercore_event WHEN NEW.data LIKE '%bad%' BEGIN " +
         (temporary ? "" : "INSERT INTO seen VALUES (NEW.position); ") + "SELECT " + what +
         "; END");
  }
};

int ignore_inserts(void* table, int action, const char* first, const char*, const char*,
                   const char*) {
  const bool hit = action == SQLITE_INSERT && first != nullptr &&
                   std::string(first) == *static_cast<const std::string*>(table);
  return hit ? SQLITE_IGNORE : SQLITE_OK;
}

}  // namespace

TEST_CASE("a trigger of the user's that refuses or ignores an event leaves nothing half done") {
  for (const auto& hook :
       std::vector<std::pair<std::string, std::string>>{{"BEFORE", "RAISE(IGNORE)"},
                                                        {"BEFORE", "RAISE(FAIL,'no')"},
                                                        {"AFTER", "RAISE(FAIL,'no')"},
                                                        {"AFTER", "RAISE(ABORT,'no')"},
                                                        {"AFTER", "RAISE(ROLLBACK,'no')"}}) {
    const std::string& when = hook.first;
    const std::string& what = hook.second;
    for (const Form& form : forms) {
      for (const char* begin : {"", "BEGIN", "BEGIN IMMEDIATE"}) {
        for (const bool temporary : {false, true}) {
          CAPTURE(when);
          CAPTURE(what);
          CAPTURE(form.before);
          CAPTURE(begin);
          CAPTURE(temporary);
          Store db;
          db.hang(when, what, temporary);
          db.must(begin);
          const std::string message = db.fails(form.with("bad"));
          CHECK(message == (what == "RAISE(IGNORE)" ? "EV010: an event was not written: a trigger "
                                                      "or rule of evercore_event kept it back"
                                                    : "no"));
          const bool rolled_back = what == "RAISE(ROLLBACK,'no')";
          CHECK(db.autocommit() == (rolled_back || *begin == '\0'));
          if (!db.autocommit()) db.must("COMMIT");
          const bool ends_the_row = what == "RAISE(FAIL,'no')" || what == "RAISE(ABORT,'no')";
          CHECK(db.events() == 1 + (ends_the_row ? form.kept : 0));
          CHECK(db.count("seen") == 0);
          db.must(form.with("good"));
          CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
        }
      }
    }
  }
}

TEST_CASE("a trigger of the user's that speaks of a conflict makes none") {
  Store db;
  db.must("SELECT evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, 'i')");
  db.hang("BEFORE", "RAISE(ABORT, 'EV001: of my own')", false);
  // After a conflict the other events are looked at still, and the last would be EV007.
  CHECK(db.fails(
            "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\","
            "\"data\":{\"n\":\"bad\"}},{\"event_type\":\"E\",\"data\":{\"n\":1},"
            "\"event_id\":\"i\"}]}]')") == "EV001: of my own");
}

TEST_CASE("a trigger that reads on from the log sees what is committed") {
  for (const Form& form : forms) {
    CAPTURE(form.before);
    Store db;
    db.must(
        "CREATE TRIGGER theirs AFTER INSERT ON evercore_event BEGIN"
        " INSERT INTO seen SELECT count(*) FROM evercore_follow(); END");
    db.must(form.with("x"));
    CHECK(db.must("SELECT DISTINCT n FROM seen") == "1");
  }
}

TEST_CASE("an authorizer that ignores a write makes it fail") {
  for (const std::string table : {"evercore_event", "evercore_aggregate", "evercore_event_type",
                                  "evercore_aggregate_type", "evercore_snapshot"}) {
    CAPTURE(table);
    Store db;
    std::string ignored = table;
    sqlite3_set_authorizer(db.handle(), ignore_inserts, &ignored);
    if (table == "evercore_event") {
      for (const Form& form : forms) {
        CAPTURE(form.before);
        CHECK(db.fails(form.with("x")).starts_with("EV010: an event was not written"));
      }
    } else if (table == "evercore_snapshot") {
      CHECK(db.fails("SELECT evercore_snapshot(1)").starts_with("EV010"));
      CHECK(db.fails("SELECT evercore_compact(1, 0)").starts_with("EV010"));
    } else {
      CHECK(db.fails("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)"
                     " VALUES ('New','n','NewType','{}')")
                .starts_with("EV010: a row was not written"));
    }
    sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
    CHECK(db.events() == 1);
    CHECK(db.count("evercore_aggregates") == 1);
    CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
  }
}

TEST_CASE("an authorizer that ignores what compaction and erasure write makes them fail whole") {
  Store db;
  const auto ignore_update = [](void*, int action, const char* table, const char*, const char*,
                                const char*) {
    const bool hit = action == SQLITE_UPDATE && std::string(table) == "evercore_aggregate";
    return hit ? SQLITE_IGNORE : SQLITE_OK;
  };
  sqlite3_set_authorizer(db.handle(), ignore_update, nullptr);
  const std::string cut = "EV010: a trigger or an authorizer cut it short: ";
  CHECK(db.fails("SELECT evercore_compact(1, 0)") == cut + "aggregate 1 was compacted in part");
  CHECK(db.fails("SELECT evercore_erase(1)") == cut + "aggregate 1 was erased in part");
  sqlite3_set_authorizer(
      db.handle(),
      [](void*, int, const char*, const char*, const char*, const char*) { return SQLITE_OK; },
      nullptr);
  CHECK(db.must("SELECT data FROM evercore_log") == "{\"n\":\"first\"}");
  CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
  CHECK(db.must("SELECT evercore_compact(1, 0), evercore_erase(1)") == "1|0");
}

TEST_CASE("an authorizer that ignores a column of a claim or an ack makes them fail whole") {
  const std::string cut = "EV010: a trigger or an authorizer cut it short: ";
  for (const std::string column :
       {"last_token", "token", "owner", "lease_expires_at", "position"}) {
    CAPTURE(column);
    Store db;
    db.must("SELECT evercore_subscribe('s', NULL, 'beginning', 2)");
    const std::string token = db.must("SELECT evercore_claim('s', 'w', 60)");
    const std::string rows = "SELECT * FROM evercore_subscription_partition";
    const std::string before = db.must(rows);
    std::string ignored = column;
    sqlite3_set_authorizer(
        db.handle(),
        [](void* of, int action, const char*, const char* what, const char*, const char*) {
          const bool hit = action == SQLITE_UPDATE && what == *static_cast<std::string*>(of);
          return hit ? SQLITE_IGNORE : SQLITE_OK;
        },
        &ignored);
    const bool of_claim = column != "position";
    CHECK(db.fails(of_claim ? "SELECT evercore_claim('s', 'v', 60)"
                            : "SELECT evercore_ack('s', " + token + ", 1)") ==
          cut + (of_claim ? "subscription \"s\" was claimed in part"
                          : "the cursor of subscription \"s\" did not move"));
    sqlite3_set_authorizer(
        db.handle(),
        [](void*, int, const char*, const char*, const char*, const char*) { return SQLITE_OK; },
        nullptr);
    CHECK(db.must(rows) == before);
    CHECK(db.must("SELECT evercore_claim('s', 'v', 60)") != token);
  }
}

TEST_CASE("a trigger that came in the transaction of the append is met by the next one") {
  for (const char* temporary : {"", "TEMP "}) {
    for (const char* what :
         {"SELECT RAISE(FAIL, 'no')", "INSERT INTO seen VALUES (1), (1)", "SELECT RAISE(IGNORE)"}) {
      for (const Form& form : forms) {
        CAPTURE(temporary);
        CAPTURE(what);
        CAPTURE(form.before);
        Store db;
        db.must("CREATE UNIQUE INDEX once ON seen (n); BEGIN IMMEDIATE");
        db.must(form.with("good"));
        db.must(form.with("good"));
        const int before = db.events();
        const bool ignores = std::string(what) == "SELECT RAISE(IGNORE)";
        db.must(std::string("CREATE ") + temporary + "TRIGGER theirs " +
                (ignores ? "BEFORE" : "AFTER") +
                " INSERT ON main.evercore_event WHEN NEW.data LIKE '%bad%' BEGIN " + what +
                "; END");
        db.fails(form.with("bad"));
        CHECK(db.events() == before + (ignores ? 0 : form.kept));
        CHECK(db.count("seen") == 0);
        db.must(form.with("good"));
        db.must("COMMIT");
        CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
      }
    }
  }
}
