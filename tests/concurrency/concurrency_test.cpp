// Eight real processes at one file: nothing lost, nothing doubled, no error that a caller must see.
#include <doctest/doctest.h>

#include <string>

#include "support/database.h"
#include "support/process.h"

using namespace evercore::test;

namespace {

constexpr int processes = 8;

/// A store in WAL mode with `aggregates` aggregates of type T.
void make_store(const std::string& file, int aggregates) {
  Database db(file);
  db.must("PRAGMA journal_mode = WAL");
  for (int i = 1; i <= aggregates; ++i)
    db.must("SELECT evercore_ensure('T','" + std::to_string(i) + "')");
}

/// A connection as a program has it: busy_timeout 5 s, synchronous NORMAL.
struct Client : Database {
  explicit Client(const std::string& file) : Database(file, Store::none) {
    must("PRAGMA synchronous = NORMAL");
  }
};

void check_store(const std::string& file, std::int64_t events) {
  Database db(file);
  CHECK(db.events() == events);
  CHECK(db.must("SELECT * FROM evercore_check()").empty());
  CHECK(db.must("PRAGMA integrity_check") == "ok");
}

void append_2000_each(int aggregates) {
  const Directory directory;
  const std::string file = directory.file("s.db");
  make_store(file, aggregates);
  CHECK(in_processes(processes, [&](int process) {
          Client db(file);
          Query append(db.handle(), "SELECT evercore_append(?1, NULL, 'Added', ?2)");
          std::int64_t last = 0;
          for (int i = 0; i < 2000; ++i) {
            append.bind(1, (i * processes + process) % aggregates + 1);
            append.bind(2,
                        "{\"p\":" + std::to_string(process) + ",\"i\":" + std::to_string(i) + "}");
            if (append.step() != SQLITE_ROW) throw std::runtime_error(sqlite3_errmsg(db.handle()));
            if (aggregates == 1 && append.integer(0) <= last)
              throw std::runtime_error("a sequence came twice");
            last = append.integer(0);
            append.reset();
          }
        }) == 0);
  check_store(file, 16000);
  Database db(file);
  CHECK(db.must("SELECT count(DISTINCT data) FROM evercore_log") == "16000");
  CHECK(db.must("SELECT sum(sequence) FROM evercore_aggregates") == "16000");
}

}  // namespace

TEST_CASE(
    "8 processes append 2,000 each to one aggregate: 16,000 events, none lost, none doubled") {
  append_2000_each(1);
}

TEST_CASE(
    "8 processes append 2,000 each to 100 aggregates: 16,000 events, none lost, none doubled") {
  append_2000_each(100);
}

TEST_CASE("8 processes with the exact version expected retry on EV001 and lose nothing") {
  const Directory directory;
  const std::string file = directory.file("s.db");
  make_store(file, 1);
  CHECK(in_processes(processes, [&](int) {
          Client db(file);
          for (int i = 0; i < 200; ++i) {
            for (;;) {
              const std::string version = db.must("SELECT evercore_sequence(1)");
              const Outcome outcome =
                  db.run("SELECT evercore_append(1," + version + ",'Added','{}')");
              if (outcome.ok()) {
                if (std::stoll(outcome.rows) != std::stoll(version) + 1)
                  throw std::runtime_error("not the next sequence");
                break;
              }
              if (!outcome.message.starts_with("EV001")) throw std::runtime_error(outcome.message);
            }
          }
        }) == 0);
  check_store(file, processes * 200);
  CHECK(Database(file).must("SELECT evercore_sequence(1)") == std::to_string(processes * 200));
}

TEST_CASE("the same event_ids from 8 processes are one event each, with one sequence for all") {
  const Directory directory;
  const std::string file = directory.file("s.db");
  make_store(file, 1);
  CHECK(in_processes(processes, [&](int) {
          Client db(file);
          for (int i = 1; i <= 100; ++i) {
            const std::string call =
                "SELECT evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, 'id-" +
                std::to_string(i) + "')";
            const std::string sequence = db.must(call);
            if (db.must("SELECT sequence FROM evercore_log WHERE event_id = 'id-" +
                        std::to_string(i) + "'") != sequence) {
              throw std::runtime_error("another sequence");
            }
          }
        }) == 0);
  check_store(file, 100);
}

TEST_CASE("8 processes ensure the same keys and all get the same ids") {
  const Directory directory;
  const std::string file = directory.file("s.db");
  make_store(file, 0);
  CHECK(in_processes(processes, [&](int) {
          Client db(file);
          for (int i = 0; i < 100; ++i) {
            const std::string key =
                "'Type" + std::to_string(i % 5) + "','key " + std::to_string(i) + "'";
            const std::string id = db.must("SELECT evercore_ensure(" + key + ")");
            if (db.must("SELECT evercore_find(" + key + ")") != id)
              throw std::runtime_error("another id");
          }
        }) == 0);
  Database db(file);
  CHECK(db.must("SELECT count(*), count(DISTINCT natural_key), count(DISTINCT aggregate_type) FROM "
                "evercore_aggregates") == "100|100|5");
}

TEST_CASE("batches, rows, snapshots and compaction of 8 processes keep one store whole") {
  const Directory directory;
  const std::string file = directory.file("s.db");
  make_store(file, 8);
  Database(file).must("SELECT evercore_snapshot_policy('T', 10, 2)");
  CHECK(
      in_processes(processes, [&](int process) {
        Client db(file);
        const std::string own = std::to_string(process + 1),
                          shared = std::to_string((process + 1) % 8 + 1);
        for (int i = 0; i < 60; ++i) {
          db.must("SELECT evercore_append_many('[{\"aggregate_id\":" + own +
                  ",\"events\":[{\"event_type\":\"A\",\"data\":{\"i\":1}},{\"event_type\":\"B\","
                  "\"data\":{}}]},{\"aggregate_id\":" +
                  shared + ",\"events\":[{\"event_type\":\"C\",\"data\":{}}]}]')");
          db.must("INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (" + own +
                  ",'D','{\"d\":1}'), (" + shared + ",'E','{}')");
          if (i % 20 == 19) db.must("SELECT evercore_compact(" + own + ", 5)");
          if (!db.must("SELECT * FROM evercore_follow((SELECT max(position) FROM evercore_event))")
                   .empty()) {
            // another process may have appended meanwhile: reading it must simply work
            continue;
          }
        }
      }) == 0);
  Database db(file);
  CHECK(db.must("SELECT sum(sequence) FROM evercore_aggregates") ==
        std::to_string(processes * 60 * 5));
  CHECK(db.must("SELECT * FROM evercore_check()").empty());
}

TEST_CASE(
    "of 8 processes that each withdraw 60 from 100, by every form of append, one is admitted") {
  const Directory directory;
  const std::string file = directory.file("s.db");
  constexpr int accounts = 60;
  make_store(file, accounts);
  {
    Database db(file);
    db.must(
        "SELECT evercore_event_type('Withdrawn', '[{\"subtract\":{\"/balance\":\"/amount\"}}]')");
    db.must(
        "SELECT evercore_aggregate_type('T',"
        " '{\"schema\":{\"properties\":{\"balance\":{\"minimum\":0}}}}')");
    for (int i = 1; i <= accounts; ++i) {
      db.must("SELECT evercore_append(" + std::to_string(i) +
              ", 0, 'Opened', '{\"balance\":100}')");
    }
  }
  const std::string data = "{\"amount\":60}";
  const std::string event = "{\"event_type\":\"Withdrawn\",\"data\":" + data + "}";
  const std::string note = "{\"event_type\":\"Noted\",\"data\":{}}";
  const auto form = [&](int which, const std::string& id) {
    const auto many = [&](const std::string& events) {
      return "SELECT evercore_append_many('[{\"aggregate_id\":" + id + ",\"events\":[" + events +
             "]}]')";
    };
    switch (which) {
      case 0:
        return "SELECT evercore_append(" + id + ", NULL, 'Withdrawn', '" + data + "')";
      case 1:
        return "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (" + id +
               ", 'Withdrawn', '" + data + "')";
      case 2:
        return many(event);
      case 3:
        return many(note + "," + event + "," + note + "," + note);
      default:
        return many(event + "," + event);  // by itself too much
    }
  };
  CHECK(in_processes(processes, [&](int process) {
          Client db(file);
          for (int i = 1; i <= accounts; ++i) {
            const Outcome outcome = db.run(form((process + i) % 5, std::to_string(i)));
            if (!outcome.ok() && !outcome.message.starts_with("EV011: state of \"T\""))
              throw std::runtime_error(outcome.message);
          }
        }) == 0);
  Database db(file);
  CHECK(db.must("SELECT DISTINCT evercore_state(aggregate_id) FROM evercore_aggregates") ==
        "{\"balance\":40}");
  CHECK(db.must("SELECT count(*) FROM evercore_log WHERE event_type = 'Withdrawn'") ==
        std::to_string(accounts));
  CHECK(db.must("SELECT * FROM evercore_check()").empty());
}
