// Transactions and savepoints: no hole, no stale version, no name that a rollback took back.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "support/database.h"

using namespace evercore::test;

namespace {

/// What the store must hold: versions by key, in the order of nesting of open savepoints.
class Model {
 public:
  std::map<std::string, std::int64_t> now;

  void begin() { stack_.assign(1, now); }
  void savepoint() { stack_.push_back(now); }
  void roll_back_to(std::size_t depth) {
    now = stack_[depth];
    stack_.resize(depth + 1);
  }
  void release(std::size_t depth) { stack_.resize(depth); }
  void rollback() {
    now = stack_[0];
    stack_.clear();
  }
  void commit() { stack_.clear(); }
  [[nodiscard]] bool open() const { return !stack_.empty(); }
  [[nodiscard]] std::size_t depth() const { return stack_.size(); }

 private:
  std::vector<std::map<std::string, std::int64_t>> stack_;
};

std::string versions(const Model& model) {
  std::string text;
  for (const auto& [key, version] : model.now) {
    if (!text.empty()) text += '\n';
    text += key + "|" + std::to_string(version);
  }
  return text;
}

/// One random step on the database and on the model alike.
class Walk {
 public:
  Walk(Database& db, unsigned seed) : db_(db), random_(seed) {}

  void step() {
    switch (random_() % 12) {
      case 0:
        return begin();
      case 1:
        return savepoint();
      case 2:
        return roll_back_to();
      case 3:
        return release();
      case 4:
        return end();
      case 5:
        return stale();
      case 6:
        return rows(true);
      case 7:
        return rows(false);
      case 8:
        return many();
      case 9:
        return statement_error();
      default:
        return append();
    }
  }
  void check() {
    REQUIRE(
        db_.must("SELECT natural_key, sequence FROM evercore_aggregates ORDER BY natural_key") ==
        versions(model_));
    REQUIRE(db_.must("SELECT count(*) FROM evercore_check()") == "0");
  }
  void finish() {
    if (model_.open()) {
      db_.must("COMMIT");
      model_.commit();
    }
    check();
  }

 private:
  std::string key() { return "k" + std::to_string(random_() % 4); }
  std::string type() { return "E" + std::to_string(random_() % 6); }
  std::int64_t version(const std::string& k) { return model_.now.contains(k) ? model_.now[k] : 0; }

  void begin() {
    if (model_.open()) return;
    if (random_() % 3 == 0) {
      db_.must("SAVEPOINT s1");  // opens the transaction itself
      model_.begin();
      model_.savepoint();
      outermost_savepoint_ = true;
    } else {
      db_.must(random_() % 2 == 0 ? "BEGIN" : "BEGIN IMMEDIATE");
      model_.begin();
      outermost_savepoint_ = false;
    }
  }
  void savepoint() {
    if (!model_.open()) return;
    db_.must("SAVEPOINT s" + std::to_string(model_.depth()));
    model_.savepoint();
  }
  void roll_back_to() {
    if (model_.depth() < 2) return;
    const std::size_t depth = 1 + random_() % (model_.depth() - 1);
    db_.must("ROLLBACK TO s" + std::to_string(depth));
    model_.roll_back_to(depth);
  }
  void release() {
    if (model_.depth() < 2) return;
    const std::size_t depth = 1 + random_() % (model_.depth() - 1);
    db_.must("RELEASE s" + std::to_string(depth));
    model_.release(depth);
    if (outermost_savepoint_ && depth == 1) model_.commit();
  }
  void end() {
    if (!model_.open()) return;
    if (random_() % 2 == 0) {
      db_.must("COMMIT");
      model_.commit();
    } else {
      db_.must("ROLLBACK");
      model_.rollback();
    }
  }
  void append() {
    const std::string k = key();
    if (!model_.now.contains(k)) {
      const std::string id = db_.must("SELECT evercore_ensure('T','" + k + "')");
      model_.now[k] = 0;
    }
    REQUIRE(db_.must("SELECT evercore_append(evercore_find('T','" + k + "')," +
                     std::to_string(version(k)) + ",'" + type() + "','{\"a\":1}')") ==
            std::to_string(version(k) + 1));
    ++model_.now[k];
  }
  void stale() {
    const std::string k = key();
    const std::string call = "SELECT evercore_append(evercore_ensure('T','" + k + "')," +
                             std::to_string(version(k) + 1) + ",'" + type() + "','{}')";
    REQUIRE(db_.fails(call).starts_with("EV001"));
    model_.now.try_emplace(k, 0);
  }
  void rows(bool good) {
    const std::string a = key(), b = key();
    std::string sql =
        "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES "
        "('T','" +
        a + "','" + type() + "','{}'), ('T','" + b + "','" + type() + "','{}'), ('T','" + a +
        "','" + type() + "','" + (good ? "{}" : "[]") + "')";
    const Outcome outcome = db_.run(sql);
    REQUIRE(outcome.ok() == good);
    if (!good) return;
    model_.now[a] += 2;
    model_.now[b] += 1;
  }
  void many() {
    const std::string a = key();
    const bool good = random_() % 2 == 0;
    const std::string event = "{\"event_type\":\"" + type() + "\",\"data\":{}}";
    const Outcome outcome =
        db_.run("SELECT evercore_append_many('[{\"aggregate_type\":\"T\",\"natural_key\":\"" + a +
                "\",\"events\":[" + event + "," + event +
                "]},{\"aggregate_type\":\"T\",\"natural_key\":\"" + key() +
                "\",\"expected\":" + (good ? "null" : "999") + ",\"events\":[" + event + "]}]')");
    REQUIRE(outcome.ok() == good);
    if (!good) return;
    model_.now[a] += 2;
    for (const char* k : {"k0", "k1", "k2", "k3"}) {
      const std::string sequence = db_.must(
          std::string(
              "SELECT coalesce((SELECT sequence FROM evercore_aggregates WHERE natural_key='") +
          k + "'), -1)");
      if (sequence != "-1") model_.now[k] = std::stoll(sequence);
    }
  }
  void statement_error() { REQUIRE_FALSE(db_.run("SELECT nonsense").ok()); }

  Database& db_;
  Model model_;
  std::mt19937 random_;
  bool outermost_savepoint_ = false;
};

}  // namespace

TEST_CASE("ROLLBACK TO a savepoint and an append after it leave no hole and no stale version") {
  Database db;
  db.must("SELECT evercore_ensure('T','a')");
  db.must("BEGIN; SELECT " + append_call() + "; SELECT " + append_call() +
          "; SAVEPOINT s; SELECT " + append_call() + "; SELECT " + append_call());
  db.must("ROLLBACK TO s");
  CHECK(db.must("SELECT " + append_call("1", "2")) == "3");
  db.must(
      "INSERT INTO evercore_append (aggregate_id, event_type, data, expected) VALUES "
      "(1,'E','{}',3)");
  db.must("ROLLBACK TO s");
  CHECK(db.must("SELECT " + append_call("1", "2")) == "3");
  db.must("COMMIT");
  CHECK(db.must("SELECT group_concat(sequence) FROM evercore_log") == "1,2,3");
  CHECK(db.must("SELECT group_concat(position) FROM evercore_log") == "1,2,3");
}

TEST_CASE(
    "a rolled-back first use of a type, a key or an event type leaves no trace in any cache") {
  for (const char* how : {"BEGIN;ROLLBACK", "SAVEPOINT s;ROLLBACK TO s; RELEASE s",
                          "BEGIN; SAVEPOINT s;ROLLBACK TO s"}) {
    CAPTURE(how);
    Database db;
    const std::string text = how;
    const std::size_t at = text.rfind(';', text.find("ROLLBACK"));
    db.must(text.substr(0, at));
    for (int i = 0; i < 3; ++i) {
      db.must("SELECT evercore_append(evercore_ensure('Gone','g'), NULL, 'GoneType', '{}')");
      db.must(
          "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES "
          "('Gone','g','GoneType','{}'),('Gone','h','Other','{}')");
      db.must(
          "SELECT "
          "evercore_append_many('[{\"aggregate_type\":\"Gone\",\"natural_key\":\"i\",\"events\":[{"
          "\"event_type\":\"Third\",\"data\":{}}]}]')");
    }
    db.must(text.substr(at + 1));
    CHECK(db.must("SELECT evercore_find('Gone','g')") == "NULL");
    // Others take the ids that the rollback set free.
    db.must("SELECT evercore_append(evercore_ensure('Kept','k'), 0, 'KeptType', '{\"n\":1}')");
    db.must("SELECT evercore_append(evercore_ensure('Gone','g'), 0, 'GoneType', '{\"n\":2}')");
    db.must(
        "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES "
        "('Gone','h','Other','{\"n\":3}'),('Kept','k','GoneType','{\"n\":4}')");
    if (!db.autocommit()) db.must("COMMIT");
    CHECK(db.must(
              "SELECT aggregate_type, natural_key, sequence, event_type, data FROM evercore_log") ==
          "Kept|k|1|KeptType|{\"n\":1}\nGone|g|1|GoneType|{\"n\":2}\nGone|h|1|Other|{\"n\":3}"
          "\nKept|k|2|GoneType|{\"n\":4}");
    CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
  }
}

TEST_CASE("names that another connection made meanwhile are found") {
  const Directory directory;
  Database one(directory.file("s.db"));
  Database two(directory.file("s.db"));
  one.must(
      "PRAGMA journal_mode = WAL; BEGIN; SELECT evercore_append(evercore_ensure('A','x'), 0, "
      "'First', '{}'); ROLLBACK");
  two.must("SELECT evercore_append(evercore_ensure('B','y'), 0, 'Second', '{}')");
  one.must(
      "BEGIN IMMEDIATE; SELECT evercore_append(evercore_ensure('A','x'), 0, 'First', '{}'), "
      "evercore_append(evercore_ensure('B','y'), 1, 'Second', '{}'); COMMIT");
  CHECK(two.must("SELECT aggregate_type, natural_key, sequence, event_type FROM evercore_log") ==
        "B|y|1|Second\nA|x|1|First\nB|y|2|Second");
}

TEST_CASE("natural keys are unique within a type only") {
  Database db;
  CHECK(db.must("SELECT evercore_create('A','k'), evercore_create('B','k'), evercore_create('A'), "
                "evercore_create('A')") == "1|2|3|4");
  CHECK(db.fails("SELECT evercore_create('A','k')") ==
        "EV003: natural key \"k\" is taken in aggregate type \"A\"");
  CHECK(db.fails("SELECT evercore_rekey(3,'k')") ==
        "EV003: natural key \"k\" is taken in aggregate type \"A\"");
  CHECK(db.must("SELECT evercore_rekey(3,'K'), evercore_rekey(1,'k'), evercore_rekey(1,'free'), "
                "evercore_rekey(3,'k')") == "3|1|1|3");
  CHECK(
      db.must("SELECT evercore_find('A','k'), evercore_find('B','k'), evercore_find('A','free')") ==
      "3|2|1");
}

TEST_CASE("inside one transaction a new key, erasure or policy holds at once") {
  Database db;
  db.must("BEGIN; SELECT evercore_ensure('T','a'), " + append_call() + "; SELECT " + append_call());
  db.must(
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES "
      "('T','a','E','{}')");
  db.must("SELECT evercore_rekey(1,'b')");
  db.must(
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES "
      "('T','a','E','{}'),('T','b','E','{}')");
  CHECK(db.must("SELECT natural_key, sequence FROM evercore_aggregates") == "b|4\na|1");
  db.must("SELECT evercore_snapshot_policy('T', 5, 1)");
  db.must("SELECT " + append_call());
  CHECK(db.count("evercore_snapshot") == 1);
  db.must("SELECT evercore_erase(1)");
  CHECK(db.fails("SELECT " + append_call()) == "EV002: aggregate 1 was erased");
  CHECK(db.fails(
            "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1,'E','{}')") ==
        "EV002: aggregate 1 was erased");
  db.must(
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES "
      "('T','b','E','{}')");
  db.must("COMMIT");
  CHECK(db.must("SELECT aggregate_id FROM evercore_aggregates WHERE natural_key = 'b'") == "3");
  CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
}

TEST_CASE("40 random walks over transactions and savepoints keep the store as a model has it") {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Database db;
    Walk walk(db, seed);
    for (int i = 0; i < 120; ++i) {
      CAPTURE(i);
      walk.step();
      if (i % 10 == 0) walk.check();
    }
    walk.finish();
    REQUIRE(db.close() == SQLITE_OK);
  }
}

TEST_CASE("a call that finds no journal open does not look at the schema again") {
  Database db;  // in memory, as with a rollback journal: it opens with the first write
  int looks = 0;
  sqlite3_set_authorizer(
      db.handle(),
      [](void* seen, int action, const char* table, const char*, const char*, const char*) {
        if (action == SQLITE_READ && std::string_view(table).starts_with("sqlite_")) {
          ++*static_cast<int*>(seen);
        }
        return SQLITE_OK;
      },
      &looks);
  for (int i = 0; i < 3; ++i) {
    looks = 0;
    db.must("SELECT evercore_create('T')");
    db.must("INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{}')");
    db.must(
        "BEGIN; SELECT evercore_append(1, NULL, 'E', '{}'); SELECT evercore_append(1, NULL, 'E', "
        "'{}'); COMMIT");
  }
  CHECK(looks == 0);
  sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
}

// SQLite takes a file that was empty when the connection read it last for empty still when a savepoint
// begins the transaction, and rolling back to that savepoint empties it. The append table is found without
// reading the file.
TEST_CASE(
    "a store that another connection made is not lost by rolling back to an outermost savepoint") {
  const std::string good =
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES"
      " ('T', 'a', 'E', '{}')";
  for (const char* mode : {"DELETE", "WAL"}) {
    for (const char* more : {"", ", ('T', 'b', 'E', '[]')", ", (NULL, NULL, NULL, NULL)"}) {
      for (const char* end : {"COMMIT", "RELEASE s", "ROLLBACK", "SELECT evercore_migrate()"}) {
        CAPTURE(mode);
        CAPTURE(more);
        CAPTURE(end);
        const Directory directory;
        const std::string file = directory.file("s.db");
        Database early(file, Database::Store::none);
        early.must("PRAGMA synchronous = OFF");  // reads the file, which is empty
        Database other(file);
        other.must(std::string("PRAGMA journal_mode = ") + mode);
        other.must(good);
        early.must("SAVEPOINT s");
        static_cast<void>(early.run(good + more));
        CHECK(early.fails("ROLLBACK TO s") == "abort due to ROLLBACK");
        CHECK(early.autocommit());
        static_cast<void>(early.run(end));
        CHECK(other.must("SELECT count(*) FROM evercore_log") == "1");
        CHECK(other.must("SELECT * FROM evercore_check()").empty());
        early.must(good);
        CHECK(early.must("SELECT evercore_sequence(1)") == "2");
      }
    }
  }
}

TEST_CASE("a savepoint in which a store was made may be rolled back") {
  Database db(":memory:", Database::Store::none);
  const std::string make = "SAVEPOINT s; SELECT evercore_migrate(); SELECT evercore_create('T'); ";
  db.must(make + "ROLLBACK TO s; RELEASE s");
  CHECK(db.must("SELECT count(*) FROM sqlite_schema") == "0");
  db.must(make + "RELEASE s");
  CHECK(db.must("SELECT evercore_create('T')") == "2");
}

TEST_CASE("a transaction that renames an event type goes on with the new name") {
  Database db;
  db.must("SELECT evercore_ensure('T', 'a')");
  db.must(
      "BEGIN; SELECT evercore_append(1, 0, 'Old', '{}'); SELECT evercore_append(1, 1, 'Old', "
      "'{}')");
  db.must(
      "SELECT evercore_rename_type('event', 'Old', 'New'); SELECT evercore_append(1, 2, 'Old', "
      "'{}')");
  db.must("SELECT evercore_append(1, 3, 'New', '{}'); COMMIT");
  CHECK(
      db.must(
          "SELECT group_concat(event_type, ' ') FROM (SELECT event_type FROM evercore_log ORDER BY "
          "position)") == "New New Old New");
}
