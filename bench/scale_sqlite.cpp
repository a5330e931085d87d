// What becomes of a SQLite store as it grows? 10 M events of 1 M aggregates beside tables by hand that hold the same, and
// both beside themselves with 100,000 events.
//   build/bench/scale_sqlite          EVERCORE_BENCH_EVENTS=200000 for a look at the program
//   build/bench/scale_sqlite --memory evercore|hand FILE EVENTS [check]   what a process of its own takes, in megabytes
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include "memory.h"
#include "scale.h"
#include "sqlite_store.h"

namespace {

using bench::Side;
using bench::Size;
using bench::Stmt;
using bench::Store;

void bind_text(const Stmt& stmt, int at, const std::string& text) {
  sqlite3_bind_text(stmt.get(), at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

/// Steps to the end, reading all; gives the number of rows, and of the last its first column.
struct Page {
  std::int64_t rows = 0;
  std::int64_t last = 0;
};
Page read_page(const Stmt& stmt) {
  Page page;
  while (sqlite3_step(stmt.get()) == SQLITE_ROW) {
    ++page.rows;
    page.last = sqlite3_column_int64(stmt.get(), 0);
    for (int column = 1; column < sqlite3_column_count(stmt.get()); ++column) {
      if (sqlite3_column_type(stmt.get(), column) == SQLITE_TEXT) {
        sqlite3_column_text(stmt.get(), column);
      } else {
        sqlite3_column_int64(stmt.get(), column);
      }
    }
  }
  sqlite3_reset(stmt.get());
  return page;
}

/// Keeps one prepared statement of each text.
class OfSqlite : public Side {
 public:
  OfSqlite(const Store& store, Size size) : Side(size), store_(store) {}
  void append(std::int64_t aggregate) override {
    sqlite3_bind_int64(append_.get(), 1, aggregate);
    bind_text(append_, 2, data_);
    bench::step_once(append_.get());
  }
  void state(std::int64_t aggregate) override {
    sqlite3_bind_int64(state_.get(), 1, aggregate);
    bench::read_all(state_.get());
  }
  std::int64_t follow(std::int64_t after) override {
    sqlite3_bind_int64(follow_.get(), 1, after);
    return bench::read_all(follow_.get());
  }
  std::int64_t head() override { return store_.integer("SELECT max(position) FROM " + events_); }

 protected:
  const Store& store_;
  std::string events_;
  Stmt append_, state_, follow_, query_;

 private:
  std::string data_ = bench::payload(7);
};

class Evercore : public OfSqlite {
 public:
  Evercore(const Store& store, Size size) : OfSqlite(store, size) {
    events_ = "evercore_event";
    append_ = store.prepare("SELECT evercore_append(?1, NULL, 'Changed', ?2)");
    state_ = store.prepare("SELECT evercore_state(?1)");
    follow_ = store.prepare("SELECT * FROM evercore_follow(?1, 1000)");
    query_ = store.prepare("SELECT * FROM evercore_query(?1)");
  }
  std::int64_t query(std::int64_t tag) override {
    bind_text(query_, 1, "[{\"tags\":[\"course:" + std::to_string(tag) + "\"]}]");
    return bench::read_all(query_.get());
  }
  std::int64_t catch_up(std::int64_t from) override {
    store_.run("SELECT evercore_subscribe('s')");
    store_.run("SELECT evercore_reset('s', " + std::to_string(from) + ")");
    const std::string token =
        std::to_string(store_.integer("SELECT evercore_claim('s', 'bench', 600)"));
    const Stmt fetch = store_.prepare("SELECT * FROM evercore_fetch('s', " + token + ", 1000)");
    const Stmt ack = store_.prepare("SELECT evercore_ack('s', " + token + ", ?1)");
    std::int64_t read = 0;
    for (Page page = read_page(fetch); page.rows > 0; page = read_page(fetch)) {
      read += page.rows;
      sqlite3_bind_int64(ack.get(), 1, page.last);
      bench::step_once(ack.get());
    }
    return read;
  }
  std::int64_t check() override { return store_.integer("SELECT count(*) FROM evercore_check()"); }
  void stats() override { bench::read_all(store_.prepare("SELECT * FROM evercore_stats()").get()); }
};

class ByHand : public OfSqlite {
 public:
  ByHand(const Store& store, Size size) : OfSqlite(store, size) {
    events_ = "event";
    append_ = store.prepare(
        "INSERT INTO event (aggregate_id, sequence, type, time, data) VALUES (?1, (SELECT"
        " coalesce(max(sequence), 0) + 1 FROM event WHERE aggregate_id = ?1), 'Changed',"
        " CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), ?2)");
    state_ = store.prepare(
        "WITH RECURSIVE fold(sequence, state) AS (SELECT 0, '{}' UNION ALL"
        " SELECT f.sequence + 1, json_patch(f.state, e.data) FROM fold f"
        " JOIN event e ON e.aggregate_id = ?1 AND e.sequence = f.sequence + 1)"
        " SELECT state FROM fold ORDER BY sequence DESC LIMIT 1");
    follow_ = store.prepare(columns + " WHERE e.position > ?1 ORDER BY e.position LIMIT 1000");
    query_ = store.prepare(columns +
                           " JOIN event_tag g ON g.position = e.position WHERE g.tag = ?1"
                           " ORDER BY g.position");
  }
  std::int64_t query(std::int64_t tag) override {
    bind_text(query_, 1, "course:" + std::to_string(tag));
    return bench::read_all(query_.get());
  }
  std::int64_t catch_up(std::int64_t from) override {
    const Stmt ack = store_.prepare("UPDATE cursor SET position = ?1 WHERE name = 's'");
    std::int64_t read = 0;
    sqlite3_bind_int64(follow_.get(), 1, from);
    for (Page page = read_page(follow_); page.rows > 0; page = read_page(follow_)) {
      read += page.rows;
      sqlite3_bind_int64(ack.get(), 1, page.last);
      bench::step_once(ack.get());
      sqlite3_bind_int64(follow_.get(), 1, page.last);
    }
    return read;
  }
  std::int64_t check() override {
    return store_.integer(
        "SELECT (SELECT count(*) FROM (SELECT sequence, lag(sequence, 1, 0) OVER (PARTITION BY"
        " aggregate_id ORDER BY sequence) AS previous, json_valid(data) AS valid FROM event)"
        " WHERE sequence <> previous + 1 OR NOT valid)"
        " + (SELECT count(*) FROM event e LEFT JOIN aggregate a ON a.aggregate_id = e.aggregate_id"
        " WHERE a.aggregate_id IS NULL)");
  }
  void stats() override {
    bench::read_all(store_
                        .prepare("SELECT (SELECT count(*) FROM aggregate), count(*),"
                                 " max(position), min(time), max(time), sum(length(data))"
                                 " FROM event")
                        .get());
  }

 private:
  inline static const std::string columns =
      "SELECT e.position, e.aggregate_id, a.type, a.key, e.sequence, e.type, e.data, e.reference,"
      " e.metadata, e.time, e.recorded_at, e.event_id, e.tags FROM event e JOIN aggregate a ON "
      "a.aggregate_id = e.aggregate_id";
};

constexpr const char* tables_by_hand =
    "CREATE TABLE aggregate (aggregate_id INTEGER PRIMARY KEY, type TEXT NOT NULL, key TEXT NOT"
    " NULL, UNIQUE (type, key));"
    "CREATE TABLE event (position INTEGER PRIMARY KEY, aggregate_id INTEGER NOT NULL, sequence"
    " INTEGER NOT NULL, type TEXT NOT NULL, time INTEGER NOT NULL, recorded_at INTEGER, data TEXT"
    " NOT NULL, reference TEXT, metadata TEXT, event_id TEXT, tags TEXT, UNIQUE (aggregate_id,"
    " sequence));"
    "CREATE UNIQUE INDEX event_id ON event (event_id) WHERE event_id IS NOT NULL;"
    "CREATE TABLE event_tag (tag TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (tag,"
    " position)) WITHOUT ROWID;"
    "CREATE TABLE cursor (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO cursor VALUES ('s', 0);";

std::string series(std::int64_t first, std::int64_t end) {
  return "WITH RECURSIVE n(i) AS (SELECT " + std::to_string(first) +
         " UNION ALL SELECT i + 1 FROM n WHERE i + 1 < " + std::to_string(end) + ") ";
}

/// Events from 0 on by `insert`, which takes them from n(i), a hundred thousand a transaction.
void fill_events(const Store& store, const std::string& name, Size size,
                 const std::string& insert) {
  constexpr std::int64_t step = 100'000;
  for (std::int64_t done = 0; done < size.events; done += step) {
    bench::progress(name, done, size.events);
    store.run(series(done, std::min(size.events, done + step)) + insert);
  }
  bench::progress(name, size.events, size.events);
}

/// What event `i` is, in SQL: its aggregate, sequence, time, data and tags.
struct Columns {
  std::string aggregate, sequence, tags;
  std::string time = "1763763000000000 + i";
  std::string data =
      R"(printf('{"username":"user-%06d","email":"user%06d@example.org","is_active":%s,)"
      R"("logins":%07d,"city":"Springfield-%03d"}', i % 1000000, i % 1000000,)"
      R"( iif(i % 2 = 0, 'true ', 'false'), 1000000 + i % 1000000, i % 1000))";
  explicit Columns(Size size)
      : aggregate("1 + i % " + std::to_string(size.aggregates())),
        sequence("1 + i / " + std::to_string(size.aggregates())),
        tags(", iif(i % 10 = 0, '[\"course:' || (i / 10 % " + std::to_string(size.tags()) +
             ") || '\"]', NULL)") {}
};

void fill_evercore(const Store& store, Size size) {
  const Columns of(size);
  store.add_aggregates(static_cast<int>(size.aggregates()));
  fill_events(store, "evercore", size,
              "INSERT INTO evercore_event (aggregate_id, sequence, type_id, event_time, data, tags)"
              " SELECT " +
                  of.aggregate + ", " + of.sequence + ", 1, " + of.time + ", " + of.data + of.tags +
                  " FROM n");
  const std::string tags = std::to_string(size.tags());
  store.run(series(0, size.tags()) +
            "INSERT INTO evercore_tag (tag_id, tag) SELECT 1 + i, 'course:' || i FROM n");
  store.run(
      "WITH RECURSIVE m(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM m WHERE j < 99)"
      " INSERT INTO evercore_event_tag SELECT t.tag_id, 1, 1 + 10 * (t.tag_id - 1 + j * " +
      tags + ") FROM evercore_tag t CROSS JOIN m ORDER BY 1, 3");
}

void fill_by_hand(const Store& store, Size size) {
  const Columns of(size);
  store.run(tables_by_hand + series(1, size.aggregates() + 1) +
            "INSERT INTO aggregate SELECT i, 'User', 'key' || i FROM n");
  fill_events(store, "tables by hand", size,
              "INSERT INTO event (aggregate_id, sequence, type, time, data, tags) SELECT " +
                  of.aggregate + ", " + of.sequence + ", 'Changed', " + of.time + ", " + of.data +
                  of.tags + " FROM n");
  store.run(series(0, size.events / 10) + "INSERT INTO event_tag SELECT 'course:' || (i % " +
            std::to_string(size.tags()) + "), 1 + 10 * i FROM n ORDER BY 1, 2");
}

template <typename Fill>
void filled(const Store& store, Size size, Fill fill) {
  store.run("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;");
  fill(store, size);
  store.run(
      "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous = NORMAL;"
      "PRAGMA cache_size = -2000; PRAGMA shrink_memory;");
}

/// The other use of this program: uses a store once, and prints how much memory was resident at most.
int show_memory(char** words, bool check) {
  const Store store = Store::of_another(words[1]);
  const Size size{std::atoll(words[2])};
  std::unique_ptr<Side> side;
  if (std::strcmp(words[0], "evercore") == 0) {
    side = std::make_unique<Evercore>(store, size);
  } else {
    side = std::make_unique<ByHand>(store, size);
  }
  check ? static_cast<void>(side->check()) : bench::use_once(*side);
  std::printf("%.2f\n", bench::megabytes("self", "VmHWM"));
  return 0;
}

void ask_memory(bench::Report& report, const std::string& program, const std::string& kind,
                const Store& store, Size size) {
  for (const char* use : {"", " check"}) {
    const std::string name = "memory high-water, " +
                             std::string(*use == 0 ? "use of " : "check of ") +
                             bench::spelled(size.events) + " events, " + kind;
    if (!report.asks(name)) continue;
    const std::string command = program + " --memory " + kind.substr(kind.rfind(' ') + 1) + " " +
                                store.path() + " " + std::to_string(size.events) + use;
    report.add({name, bench::told_by(command), "MB"});
  }
}

void ask_size(bench::Report& report, const std::string& kind, const Store& store, Size size) {
  report.add({"bytes an event, " + bench::spelled(size.events) + " events, " + kind,
              static_cast<double>(store.file_size()) / static_cast<double>(size.events), "bytes"});
}

int measure(const std::string& program) {
  bench::Report report("scale_sqlite");
  const Size size = Size::large();
  const Store hand_small = Store::by_hand("hand-small"), hand = Store::by_hand("hand");
  const Store small("evercore-small"), large("evercore");
  filled(hand_small, Size::small(), fill_by_hand);
  filled(small, Size::small(), fill_evercore);
  filled(hand, size, fill_by_hand);
  filled(large, size, fill_evercore);
  ask_size(report, "tables by hand", hand, size);
  ask_size(report, "evercore", large, size);
  {
    ByHand their_small(hand_small, Size::small()), their_large(hand, size);
    Evercore our_small(small, Size::small()), our_large(large, size);
    bench::ask_all(report, {their_small, their_large}, {our_small, our_large});
  }
  ask_memory(report, program, "tables by hand", hand, size);
  ask_memory(report, program, "evercore", large, size);
  return report.finish();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc >= 5 && std::strcmp(argv[1], "--memory") == 0) return show_memory(argv + 2, argc > 5);
    if (argc == 1) return measure(argv[0]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "scale_sqlite: %s\n", error.what());
    return 1;
  }
  std::printf("usage: scale_sqlite   (EVERCORE_BENCH_EVENTS=N; EVERCORE_BENCH_ONLY=TEXT)\n");
  return std::strcmp(argv[1], "--help") == 0 ? 0 : 2;
}
