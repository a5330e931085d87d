// Compaction and erasure over random histories: what the surface promises is the same before and
// after, or the call was EV010 and changed nothing.
#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "state.h"
#include "support/database.h"

using namespace evercore::test;
using evercore::ext::same_json;

namespace {

/// A member's value: a scalar, or an object of scalars.
struct Value {
  std::string scalar;
  std::optional<std::map<std::string, std::string>> object;

  [[nodiscard]] std::string text() const {
    if (!object) return scalar;
    std::string out;
    for (const auto& [key, value] : *object)
      out += (out.empty() ? "" : ",") + ("\"" + key + "\":" + value);
    return "{" + out + "}";
  }
};
using Object = std::map<std::string, Value>;

std::string text_of(const Object& object) {
  std::string out;
  for (const auto& [key, value] : object)
    out += (out.empty() ? "" : ",") + ("\"" + key + "\":" + value.text());
  return "{" + out + "}";
}

/// The folds as the surface words them, written a second time.
Object merge(Object state, const Object& data) {
  for (const auto& [key, value] : data) {
    if (value.object || value.scalar != "null") state[key] = value;
  }
  return state;
}

Object patch(Object state, const Object& data) {
  for (const auto& [key, value] : data) {
    if (!value.object && value.scalar == "null") {
      state.erase(key);
    } else if (!value.object) {
      state[key] = value;
    } else {
      std::map<std::string, std::string> inner =
          state[key].object.value_or(std::map<std::string, std::string>{});
      for (const auto& [name, scalar] : *value.object) {
        if (scalar == "null") {
          inner.erase(name);
        } else {
          inner[name] = scalar;
        }
      }
      state[key] = Value{"", inner};
    }
  }
  return state;
}

struct Event {
  std::string type;
  Object data;
};

/// What the engine folds and what the application does, which alone knows custom events.
Object fold(const Object& state, const Event& event, bool application) {
  if (event.type[0] == 'M') return merge(state, event.data);
  if (event.type[0] == 'P') return patch(state, event.data);
  if (!application) return state;
  Object next = state;
  next["custom"] = Value{
      next.contains("custom") ? std::to_string(std::stoi(next["custom"].scalar) + 1) : "1", {}};
  return next;
}

class History {
 public:
  explicit History(unsigned seed) : random_(seed) {
    db.must("SELECT evercore_ensure('Other','o'), evercore_ensure('T','a')");
    db.must(
        "SELECT evercore_event_type('P1','patch'), evercore_event_type('P2','patch'), "
        "evercore_event_type('C1','custom')");
    if (random_() % 3 == 0)
      db.must("SELECT evercore_snapshot_policy('T', " + std::to_string(2 + random_() % 4) + ", " +
              std::to_string(1 + random_() % 2) + ")");
    custom_ = random_() % 2 == 0;
  }

  Database db;
  std::vector<Event> events;
  std::vector<Object> engine{{}}, application{{}};  // the states after each sequence

  unsigned random(unsigned below) { return random_() % below; }

  void append() {
    Event event;
    const unsigned kinds = custom_ ? 5 : 4;
    static constexpr const char* types[] = {"M1", "M2", "P1", "P2", "C1"};
    event.type = types[random(kinds)];
    for (unsigned i = random(4); i > 0; --i)
      event.data[std::string(1, static_cast<char>('a' + random(5)))] = value();
    const std::string n = std::to_string(events.size() + 1);
    const std::string time =
        random(3) == 0 ? "NULL" : "'2026-01-0" + std::to_string(1 + random(9)) + "T00:00:00Z'";
    const std::string id = random(3) == 0 ? "'id-" + n + "'" : "NULL";
    REQUIRE(db.must("SELECT evercore_append(2, NULL, '" + event.type + "', '" +
                    text_of(event.data) + "', 'ref', '{\"m\":1}', " + time + ", " + id + ")") == n);
    if (random(3) == 0) db.must("SELECT evercore_append(1, NULL, 'M1', '{}')");
    engine.push_back(fold(engine.back(), event, false));
    application.push_back(fold(application.back(), event, true));
    events.push_back(std::move(event));
  }

  void snapshot() {
    if (events.empty()) return;
    if (random(2) == 0) {
      db.must("SELECT evercore_snapshot(2)");
    } else {
      const std::size_t at = 1 + random(static_cast<unsigned>(events.size()));
      (void)db.run("SELECT evercore_save_snapshot(2, " + std::to_string(at) + ", '" +
                   text_of(application[at]) + "', " + std::to_string(1 + random(2)) + ")");
    }
  }

  /// The whole store as text; equal texts are equal stores.
  std::string dump() {
    return db.must("SELECT * FROM evercore_event") + "\n--\n" +
           db.must("SELECT * FROM evercore_snapshot") + "\n--\n" +
           db.must("SELECT * FROM evercore_aggregate") + "\n--\n" +
           db.must("SELECT * FROM evercore_event_id") + "\n--\n" +
           db.must("SELECT * FROM evercore_compacted_type");
  }

  std::int64_t number(const std::string& sql) { return std::stoll(db.must(sql)); }

 private:
  Value value() {
    switch (random(5)) {
      case 0:
        return {"null", {}};
      case 1:
        return {"", std::map<std::string, std::string>{{"x", random(2) == 0 ? "null" : "1"},
                                                       {"y", std::to_string(random(9))}}};
      case 2:
        return {"\"t\"", {}};
      default:
        return {std::to_string(random(100)), {}};
    }
  }

  std::mt19937 random_;
  bool custom_ = false;
};

/// The application's state from evercore_replay(2, version), or the error.
std::string replayed(History& history, const std::string& arguments, bool application) {
  Query rows(history.db.handle(),
             "SELECT sequence, event_type, data FROM evercore_replay(" + arguments + ")");
  if (rows.step() != SQLITE_ROW) return sqlite3_errmsg(history.db.handle());
  auto at = static_cast<std::size_t>(rows.integer(0));
  const auto& states = application ? history.application : history.engine;
  CHECK(rows.text(1) == "NULL");
  // The base row's data has to be the state there; from it on the events have to follow one by one.
  if (!same_json(rows.text(2), text_of(states[at])))
    return "base at " + std::to_string(at) + " is " + rows.text(2);
  while (rows.step() == SQLITE_ROW) {
    ++at;
    if (rows.integer(0) != static_cast<std::int64_t>(at)) return "hole at " + std::to_string(at);
    if (rows.text(2) != text_of(history.events[at - 1].data))
      return "other data at " + std::to_string(at);
  }
  return at == history.events.size() ? "whole" : "ends at " + std::to_string(at);
}

void check_promises(History& history) {
  Database& db = history.db;
  const auto version = static_cast<std::int64_t>(history.events.size());
  const std::int64_t base =
      history.number("SELECT base FROM evercore_aggregate WHERE aggregate_id = 2");
  REQUIRE(db.must("SELECT * FROM evercore_check()").empty());
  REQUIRE(history.number("SELECT evercore_sequence(2)") == version);
  REQUIRE(same_json(db.must("SELECT evercore_state(2)"), text_of(history.engine.back())));
  for (std::int64_t at = 0; at <= version; ++at) {
    const Outcome state = db.run("SELECT evercore_state(2, " + std::to_string(at) + ")");
    if (at >= base) {
      REQUIRE(state.ok());
      REQUIRE(same_json(state.rows, text_of(history.engine[static_cast<std::size_t>(at)])));
    } else {
      REQUIRE(state.message ==
              "EV002: sequence " + std::to_string(at) +
                  " of aggregate 2 was compacted: the oldest that can be read is " +
                  std::to_string(base));
    }
  }
  Query kept(db.handle(), "SELECT sequence, data, state FROM evercore_history(2)");
  std::int64_t at = base;
  while (kept.step() == SQLITE_ROW) {
    ++at;
    REQUIRE(kept.integer(0) == at);
    REQUIRE(kept.text(1) == text_of(history.events[static_cast<std::size_t>(at) - 1].data));
    REQUIRE(same_json(kept.text(2), text_of(history.engine[static_cast<std::size_t>(at)])));
  }
  REQUIRE(at == version);
  REQUIRE(replayed(history, "2", false) == "whole");
  const bool custom_gone =
      history.number(
          "SELECT count(*) FROM evercore_compacted_type c JOIN evercore_event_type t USING "
          "(type_id) WHERE t.fold = 2 AND c.aggregate_id = 2") > 0;
  for (const char* app_version : {"1", "2", "3"}) {
    const bool own =
        history.number(std::string("SELECT count(*) FROM evercore_snapshot WHERE aggregate_id = 2 "
                                   "AND application = 1 AND sequence >= ") +
                       std::to_string(base) + " AND version = " + app_version) > 0;
    const std::string result = replayed(history, std::string("2, ") + app_version, true);
    if (own || !custom_gone) {
      REQUIRE(result == "whole");
    } else {
      REQUIRE(result == "EV002: aggregate 2 was compacted to sequence " + std::to_string(base) +
                            " under an application snapshot of another version");
    }
  }
}

/// One compaction between two looks at everything.
void compact(History& history) {
  Database& db = history.db;
  const std::string keep = history.random(4) == 0 ? "" : ", " + std::to_string(history.random(6));
  const std::string before = history.dump();
  const std::string promised =
      "SELECT sequence, first_event_time, last_event_time, natural_key FROM evercore_aggregates "
      "WHERE aggregate_id = 2";
  const std::string aggregate = db.must(promised);
  const std::string newest = db.must(
      "SELECT max(sequence) FROM evercore_snapshot WHERE aggregate_id = 2 GROUP BY application, "
      "version");
  const std::string newest_application = db.must(
      "SELECT version, max(sequence) FROM evercore_snapshot WHERE aggregate_id = 2 AND application "
      "= 1 GROUP BY version");
  std::vector<std::string> times;
  for (int day = 0; day <= 10; ++day)
    times.push_back("2026-01-" + std::string(day < 9 ? "0" : "") + std::to_string(day + 1) +
                    "T00:00:00Z");
  std::vector<Outcome> sequences;
  for (const auto& time : times)
    sequences.push_back(db.run("SELECT evercore_sequence(2, '" + time + "')"));
  const std::int64_t head = history.number("SELECT max(position) FROM evercore_event");

  const Outcome outcome = db.run("SELECT evercore_compact(2" + keep + ")");
  if (!outcome.ok()) {
    REQUIRE(outcome.message.starts_with("EV010: aggregate 2 has custom events up to sequence "));
    REQUIRE(history.dump() == before);
    return;
  }
  REQUIRE(db.must(promised) == aggregate);
  REQUIRE(db.must("SELECT version, max(sequence) FROM evercore_snapshot WHERE aggregate_id = 2 AND "
                  "application = 1 GROUP BY version") == newest_application);
  REQUIRE(history.number("SELECT max(position) FROM evercore_event") == head);
  for (std::size_t i = 0; i < times.size(); ++i) {
    const Outcome now = db.run("SELECT evercore_sequence(2, '" + times[i] + "')");
    REQUIRE(
        (now.rows == sequences[i].rows || now.message.find("were compacted") != std::string::npos));
  }
  const std::string again = db.must("SELECT evercore_compact(2" + keep + ")");
  REQUIRE(again == "0");
}

void check_event_ids(History& history) {
  for (std::size_t i = 0; i < history.events.size(); ++i) {
    const std::string n = std::to_string(i + 1);
    if (history.number("SELECT (SELECT count(*) FROM evercore_event WHERE event_id = 'id-" + n +
                       "') + (SELECT count(*) FROM evercore_event_id WHERE event_id = 'id-" + n +
                       "')") == 0)
      continue;
    const std::string call = "SELECT evercore_append(2, NULL, '" + history.events[i].type + "', '" +
                             text_of(history.events[i].data);
    REQUIRE(history.db.must(call + "', NULL, NULL, NULL, 'id-" + n + "')") == n);
    REQUIRE(history.db.fails(call + " ', NULL, NULL, NULL, 'id-" + n + "')").starts_with("EV007"));
  }
}

void check_erased(History& history) {
  Database& db = history.db;
  const std::string tombstones =
      "SELECT position, sequence, event_type, event_time, recorded_at, event_id FROM evercore_log "
      "WHERE aggregate_id = 2";
  const std::string before = db.must(tombstones);
  const std::string kept = db.must("SELECT count(*) FROM evercore_events(2)");
  const std::string others = db.must("SELECT * FROM evercore_log WHERE aggregate_id = 1");
  const std::string version = db.must("SELECT evercore_sequence(2)");
  REQUIRE(db.must("SELECT evercore_erase(2)") == kept);
  REQUIRE(db.must("SELECT evercore_erase(2)") == "0");
  REQUIRE(db.must(tombstones) == before);
  REQUIRE(db.must("SELECT * FROM evercore_log WHERE aggregate_id = 1") == others);
  REQUIRE(db.must("SELECT count(*) FROM evercore_log WHERE aggregate_id = 2 AND (data <> '{}' OR "
                  "reference IS NOT NULL OR metadata IS NOT NULL)") == "0");
  REQUIRE(db.must("SELECT count(*) FROM evercore_snapshot WHERE aggregate_id = 2") == "0");
  REQUIRE(db.must("SELECT evercore_state(2), evercore_sequence(2), evercore_find('T','a')") ==
          "{}|" + version + "|NULL");
  REQUIRE(db.must("SELECT count(*) FROM evercore_history(2) WHERE state <> '{}' OR data <> '{}'") ==
          "0");
  REQUIRE(db.must("SELECT count(*) FROM evercore_replay(2) WHERE data <> '{}'") == "0");
  REQUIRE(db.fails("SELECT evercore_append(2, NULL, 'M1', '{}')") ==
          "EV002: aggregate 2 was erased");
  REQUIRE(db.must("SELECT * FROM evercore_check()").empty());
}

}  // namespace

TEST_CASE("200 random histories keep what the surface promises through compaction and erasure") {
  int compacted = 0, refused = 0;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    History history(seed);
    for (int round = 0; round < 3; ++round) {
      for (unsigned i = 2 + history.random(8); i > 0; --i) {
        history.append();
        if (history.random(4) == 0) history.snapshot();
      }
      check_promises(history);
      const std::string before = history.dump();
      compact(history);
      history.dump() == before ? ++refused : ++compacted;
      check_promises(history);
    }
    check_event_ids(history);
    check_erased(history);
    REQUIRE(history.db.close() == SQLITE_OK);
  }
  CHECK(compacted > 200);
  CHECK(refused > 30);
}

TEST_CASE("after compacting the newest aggregate to nothing a position is larger than any before") {
  Database db;
  db.must("SELECT evercore_ensure('T','a'), evercore_ensure('T','b')");
  db.must("SELECT " + append_call() + ", " + append_call("2") + ", " + append_call("2"));
  CHECK(db.must("SELECT evercore_compact(2, 0)") == "2");
  CHECK(db.must("SELECT position FROM evercore_log") == "1");
  CHECK(db.must("SELECT " + append_call("2")) == "3");
  CHECK(db.must("SELECT position FROM evercore_events(2)") == "4");
  CHECK(db.must("SELECT evercore_compact(2, 0), evercore_compact(1, 0)") == "1|1");
  CHECK(db.events() == 0);
  CHECK(db.must("SELECT count(*) FROM evercore_follow()") == "0");
  CHECK(db.must("SELECT value FROM evercore_stats() WHERE name IN ('events','head_position')") ==
        "0\n4");
  CHECK(db.must("SELECT evercore_erase(1), evercore_erase(2)") == "0|0");
  db.must("SELECT evercore_append(evercore_ensure('T','c'), 0, 'E', '{}')");
  CHECK(db.must("SELECT position FROM evercore_log") == "5");
  CHECK(db.must("SELECT * FROM evercore_check()").empty());
}

TEST_CASE("a compaction that a rollback took back leaves the log as append-only as before") {
  Database db;
  db.must("SELECT evercore_ensure('T','a'), " + append_call() + ", " + append_call());
  db.must("BEGIN; SELECT evercore_compact(1, 0); ROLLBACK");
  CHECK(db.events() == 2);
  CHECK(db.fails("DELETE FROM evercore_event") == "EV010: events are append-only");
  db.must("SELECT evercore_compact(1, 1), evercore_erase(1)");
  CHECK(db.fails("UPDATE evercore_event SET reference = 'x'") == "EV010: events are append-only");
  CHECK(db.count("_evercore_maintenance") == 0);
}

TEST_CASE("what was erased is not in the file any more") {
  const Directory directory;
  const std::string file = directory.file("s.db");
  const std::string secret = "top-secret-of-ann-" + std::string(8, 'Z');
  {
    Database db(file);
    db.must("PRAGMA secure_delete = ON; PRAGMA journal_mode = DELETE");
    db.must("SELECT evercore_ensure('T','" + secret + "')");
    for (int i = 0; i < 40; ++i) {
      db.must("SELECT evercore_append(1, NULL, 'E', '{\"s\":\"" + secret +
              std::string(static_cast<std::size_t>(i) * 150, 'x') + "\"}', '" + secret +
              "', '{\"m\":\"" + secret + "\"}')");
    }
    db.must("SELECT evercore_snapshot(1), evercore_save_snapshot(1, 3, '{\"s\":\"" + secret +
            "\"}', 1)");
    db.must("SELECT evercore_erase(1)");
  }
  std::ifstream in(file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  REQUIRE(bytes.size() > 4096);
  CHECK(bytes.find("top-secret") == std::string::npos);
}

TEST_CASE("changing a fold drops the engine snapshots concerned and is EV010 after compaction") {
  Database db;
  db.must("SELECT evercore_ensure('T','a'), evercore_ensure('T','b')");
  db.must(
      "SELECT evercore_append(1,0,'X','{\"a\":{\"b\":1}}'), "
      "evercore_append(1,1,'X','{\"a\":{\"c\":2}}'), evercore_append(2,0,'Y','{\"a\":1}')");
  db.must("SELECT evercore_snapshot(1), evercore_snapshot(2)");
  CHECK(db.must("SELECT evercore_state(1)") == "{\"a\":{\"c\":2}}");
  CHECK(db.must("SELECT evercore_event_type('X','patch')") == "X");
  CHECK(db.must("SELECT aggregate_id FROM evercore_snapshot") == "2");
  CHECK(db.must("SELECT evercore_state(1)") == "{\"a\":{\"b\":1,\"c\":2}}");
  db.must("SELECT evercore_compact(1, 0)");
  CHECK(db.fails("SELECT evercore_event_type('X','merge')") ==
        "EV010: event type \"X\" folded into compacted aggregate 1");
  CHECK(db.must("SELECT evercore_event_type('X','patch'), evercore_event_type('Y','custom')") ==
        "X|Y");
}

TEST_CASE("compact_type takes the longest first, no more than it may, and ends with 0") {
  Database db;
  for (int a = 1; a <= 5; ++a) {
    db.must("SELECT evercore_ensure('T','k" + std::to_string(a) + "')");
    for (int i = 0; i < a; ++i) db.must("SELECT " + append_call(std::to_string(a)));
  }
  db.must("SELECT evercore_event_type('C','custom'), evercore_append(5, NULL, 'C', '{}')");
  CHECK(db.must("SELECT evercore_compact_type('T', 0, 2)") == "2");
  CHECK(db.must("SELECT aggregate_id FROM evercore_aggregate WHERE base > 0") == "3\n4");
  CHECK(db.must("SELECT evercore_compact_type('T', 0, 2)") == "2");
  CHECK(db.must("SELECT evercore_compact_type('T', 0)") == "0");
  CHECK(db.must("SELECT count(*) FROM evercore_events(5)") == "6");
  CHECK(db.fails("SELECT evercore_compact_type('Nope')") == "EV002: no aggregate type \"Nope\"");
  CHECK(db.fails("SELECT evercore_compact_type('T', 0, 0)") == "EV009: max is out of range: 0");
}

TEST_CASE("a type is not compacted past a subscription of which nobody knows what it has read") {
  for (const char* damage : {"DELETE FROM evercore_subscription_partition",
                             "UPDATE evercore_subscription SET partitions = 7",
                             "UPDATE evercore_subscription SET type_ids = 'x'"}) {
    CAPTURE(damage);
    Database db;
    for (int i = 0; i < 12; ++i) {
      db.must("SELECT evercore_append(evercore_ensure('T','k" + std::to_string(i % 3) +
              "'), NULL, 'E', '{}')");
    }
    db.must("SELECT evercore_subscribe('s', '{\"event_types\":[\"Other\"]}')");
    db.must(damage);
    CHECK(db.must("SELECT evercore_compact_type('T', 4)") == "0");  // nothing to remove
    CHECK(db.fails("SELECT evercore_compact_type('T', 1)").starts_with("EV010: "));
    CHECK(db.fails("SELECT evercore_compact(1, 1)").starts_with("EV010: "));
    CHECK(db.must("SELECT count(*) FROM evercore_log") == "12");
  }
}
