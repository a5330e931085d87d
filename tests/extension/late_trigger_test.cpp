// A trigger that comes when the connection has appended already, whichever way, is obeyed by the next
// append, whichever way.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/database.h"

using namespace evercore::test;

namespace {

const std::string function = "SELECT evercore_append(1, NULL, 'E', '{\"n\":N}')";
const std::string insert =
    "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{\"n\":N}')";
const std::string many =
    "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\","
    "\"data\":{\"n\":N}},{\"event_type\":\"E\",\"data\":{\"n\":N}},{\"event_type\":\"E\",\"data\":"
    "{\"n\":N}},{\"event_type\":\"E\",\"data\":{\"n\":N}},{\"event_type\":\"E\",\"data\":{\"n\":N}}"
    "]}]')";

const std::string quick = "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; ";

/// The text with its numbers, N, filled in.
std::string with(std::string text, const std::string& number) {
  for (auto at = text.find(":N"); at != std::string::npos; at = text.find(":N", at)) {
    text.replace(at + 1, 1, number);
  }
  return text;
}

struct Step {
  std::string sql;
  bool refused = false;
};

using Steps = std::vector<Step>;

const std::vector<Steps> warm_ups = {
    {},
    {{function}},
    {{insert}},
    {{many}},
    {{function}, {"BEGIN IMMEDIATE"}, {function}, {function}, {"COMMIT"}},
    {{"BEGIN IMMEDIATE"}, {function}, {function}, {"COMMIT"}},
    {{"BEGIN IMMEDIATE"}, {insert}, {function}, {"COMMIT"}},
    {{insert}, {"SELECT evercore_compact_type('A', 100)"}, {"SELECT evercore_snapshot(1)"}},
};

const std::vector<Steps> afterwards = {
    {{function, true}},
    {{function, true}, {function, true}},
    {{insert, true}, {function, true}},
    {{many, true}, {function, true}},
    {{function, true}, {insert, true}, {many, true}},
    {{"BEGIN IMMEDIATE"}, {function, true}, {function, true}, {"COMMIT"}},
    {{"BEGIN IMMEDIATE"}, {insert, true}, {"COMMIT"}},
    {{"BEGIN IMMEDIATE"}, {many, true}, {function, true}, {"COMMIT"}},
    {{"BEGIN"}, {function, true}, {"COMMIT"}},
    {{"BEGIN"}, {insert, true}, {function, true}, {"COMMIT"}},
    {{"SAVEPOINT s"}, {function, true}, {"RELEASE s"}},
};

struct Refusal {
  std::string body, message;
};

const std::vector<Refusal> refusals = {
    {"INSERT INTO stock VALUES (json_extract(NEW.data, '$.n'))", "CHECK constraint failed: x >= 0"},
    {"INSERT INTO once VALUES (json_extract(NEW.data, '$.n'))", "UNIQUE constraint failed: once.x"},
    {"SELECT RAISE(FAIL, 'no') WHERE json_extract(NEW.data, '$.n') < 0", "no"},
};

enum class By { same_connection, other_connection, same_for_itself };

void make(const Refusal& refusal, By by, Database& db, const std::string& path) {
  const std::string trigger =
      "TRIGGER late AFTER INSERT ON main.evercore_event BEGIN " + refusal.body + "; END";
  if (by == By::other_connection) {
    Database other(path, Database::Store::none);
    other.must(quick + "CREATE " + trigger);
  } else {
    db.must((by == By::same_for_itself ? "CREATE TEMP " : "CREATE ") + trigger);
  }
}

/// What an append was like that should have been refused; empty where all were.
std::string taken(Database& db, const Steps& steps, const std::string& message) {
  std::string done;
  for (const Step& step : steps) {
    const std::string sql = with(step.sql, "-1");
    done += sql + "; ";
    if (!step.refused) {
      db.must(sql);
    } else if (const std::string said = db.fails(sql); said != message) {
      return done + "-- " + said;
    }
  }
  return "";
}

}  // namespace

TEST_CASE("a trigger that came after other appends is obeyed by the next append") {
  const Directory directory;
  const std::string fresh = directory.file("fresh.db");
  const std::string used = directory.file("used.db");
  Database(fresh).must(
      "SELECT evercore_ensure('A', 'k'); SELECT evercore_event_type('E', 'merge');"
      "CREATE TABLE stock (x CHECK (x >= 0));"
      "CREATE TABLE once (x UNIQUE); INSERT INTO once VALUES (-1)");
  for (std::size_t warm_up = 0; warm_up < warm_ups.size(); ++warm_up) {
    for (const Steps& steps : afterwards) {
      for (const Refusal& refusal : refusals) {
        for (const By by : {By::same_connection, By::other_connection, By::same_for_itself}) {
          std::filesystem::copy_file(fresh, used,
                                     std::filesystem::copy_options::overwrite_existing);
          Database db(used, Database::Store::none);
          db.must(quick);
          for (const Step& step : warm_ups[warm_up]) db.must(with(step.sql, "1"));
          const auto before = db.events();
          make(refusal, by, db, used);
          CAPTURE(warm_up);
          CAPTURE(refusal.body);
          CAPTURE(static_cast<int>(by));
          CHECK(taken(db, steps, refusal.message) == "");
          if (!db.autocommit()) db.must("COMMIT");
          CHECK(db.events() == before);
        }
      }
    }
  }
}
