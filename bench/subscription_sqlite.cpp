// How fast does a subscription catch up, and how many rows does a filter look at?
//
// Catch-up is every column of 1,000,000 events through evercore_fetch and evercore_ack in batches
// of 1,000, against a keyset SELECT of the same columns in the same batches: from the stored
// tables, times as the integers they are stored as, and from the view evercore_log, which gives the
// very same values.
//
// Rows examined are told by SQLite's count of its virtual machine's steps. What a row costs that
// passes is measured on a store where every row does; the steps of a fetch that passes 1 % of the
// store, divided by that cost, are the rows that it looked at.
#include <cstdio>
#include <string>

#include "harness.h"
#include "sqlite_store.h"

namespace {

using bench::Stmt;
using bench::Store;

constexpr int aggregates = 1000;
constexpr const char* index_by_type =
    "CREATE INDEX evercore_event_by_type ON evercore_event (type_id, position)";

/// `events` events over the aggregates in turns, of event types 1 to `types` in turns.
void fill(const Store& store, std::int64_t events, int types) {
  store.add_aggregates(aggregates);
  const std::string many = std::to_string(aggregates);
  store.run("WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < " +
            std::to_string(types) +
            ") INSERT INTO evercore_event_type (type_id, name) SELECT i, 'Type' || i FROM n"
            " WHERE i <= " +
            std::to_string(types));
  store.run("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < " +
            std::to_string(events) +
            ") INSERT INTO evercore_event (aggregate_id, sequence, type_id, event_time, data)"
            " SELECT 1 + i % " +
            many + ", 1 + i / " + many + ", 1 + i / 7 % " + std::to_string(types) +
            ", 1763763000000000 + i, "
            "printf('{\"username\":\"user-%06d\",\"email\":\"user%06d@example.org\","
            "\"is_active\":%s,\"logins\":%07d,\"city\":\"Springfield-%03d\"}', i % 1000000,"
            " i % 1000000, iif(i % 2 = 0, 'true ', 'false'), 1000000 + i % 1000000, i % 1000)"
            " FROM n");
  store.run("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA cache_size = -200000;");
}

/// All of the store in batches; `select` takes a position and gives rows that begin with theirs.
void keyset(const Stmt& select) {
  std::int64_t after = 0;
  std::int64_t rows = 1;
  while (rows > 0) {
    sqlite3_bind_int64(select.get(), 1, after);
    rows = bench::read_all(select.get());
    after += rows;  // positions here are 1 to the number of events
  }
}

/// The subscription from its beginning to its end; gives the events it read.
std::int64_t catch_up(const Store& store, const std::string& name) {
  store.run("SELECT evercore_reset('" + name + "', 'beginning')");
  const std::string token =
      std::to_string(store.integer("SELECT evercore_claim('" + name + "', 'bench', 600)"));
  const Stmt fetch =
      store.prepare("SELECT * FROM evercore_fetch('" + name + "', " + token + ", 1000)");
  const Stmt ack = store.prepare("SELECT evercore_ack('" + name + "', " + token + ", ?1)");
  std::int64_t read = 0;
  for (;;) {
    std::int64_t position = 0;
    std::int64_t rows = 0;
    while (sqlite3_step(fetch.get()) == SQLITE_ROW) {
      ++rows;
      position = sqlite3_column_int64(fetch.get(), 0);
      for (int column = 1; column < sqlite3_column_count(fetch.get()); ++column) {
        if (sqlite3_column_type(fetch.get(), column) == SQLITE_TEXT) {
          sqlite3_column_text(fetch.get(), column);
        } else {
          sqlite3_column_int64(fetch.get(), column);
        }
      }
    }
    sqlite3_reset(fetch.get());
    if (rows == 0) return read;
    read += rows;
    sqlite3_bind_int64(ack.get(), 1, position);
    bench::step_once(ack.get());
  }
}

void ask_catch_up(bench::Report& report) {
  constexpr std::int64_t events = 1'000'000;
  const Store store("subscription");
  fill(store, events, 100);
  store.run("SELECT evercore_subscribe('p')");
  const Stmt stored = store.prepare(
      "SELECT e.position, e.aggregate_id, t.name, a.natural_key, e.sequence, n.name, e.data,"
      " e.reference, e.metadata, e.event_time, e.recorded_at, e.event_id FROM evercore_event e"
      " JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id"
      " JOIN evercore_aggregate_type t ON t.type_id = a.type_id"
      " JOIN evercore_event_type n ON n.type_id = e.type_id"
      " WHERE e.position > ?1 ORDER BY e.position LIMIT 1000");
  const Stmt log =
      store.prepare("SELECT * FROM evercore_log WHERE position > ?1 ORDER BY position LIMIT 1000");
  const auto ours = [&] { return bench::seconds([&] { catch_up(store, "p"); }); };
  report.measure({"catch-up of 1,000,000 events, against the stored columns", events,
                  [&] { return bench::seconds([&] { keyset(stored); }); }, ours});
  report.measure({"catch-up of 1,000,000 events, against evercore_log", events,
                  [&] { return bench::seconds([&] { keyset(log); }); }, ours});
}

struct Work {
  std::int64_t rows;
  double steps;
};

/// Rows and machine steps of a catch-up of a subscription to one event type.
Work filtered(const Store& store) {
  store.run(index_by_type);
  store.run("SELECT evercore_subscribe('one', '{\"event_types\":[\"Changed\"]}')");
  const auto take_steps = [&] {
    std::int64_t steps = 0;
    for (sqlite3_stmt* s = sqlite3_next_stmt(store.db(), nullptr); s != nullptr;
         s = sqlite3_next_stmt(store.db(), s)) {
      if (std::string(sqlite3_sql(s)).find("main.evercore_event e") == std::string::npos) continue;
      steps += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_VM_STEP, 1);
    }
    return static_cast<double>(steps);
  };
  catch_up(store, "one");
  take_steps();
  const std::int64_t rows = catch_up(store, "one");
  return {rows, take_steps()};
}

void ask_filter(bench::Report& report) {
  const Store all("filter-all");
  fill(all, 10'000, 1);
  const Work known = filtered(all);
  const Store some("filter-some");
  fill(some, 1'000'000, 100);
  const Work measured = filtered(some);
  const double examined = measured.steps / (known.steps / static_cast<double>(known.rows));
  const auto matches = static_cast<double>(measured.rows);
  report.add({"rows examined by a filter of 1 % of 1,000,000 with the index",
              examined / (1.1 * matches + 100), "of 1.1 times those that match and 100"});
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    std::printf("usage: subscription_sqlite\n");
    return 2;
  }
  bench::Report report("subscription_sqlite");
  ask_filter(report);
  ask_catch_up(report);
  return report.finish();
}
