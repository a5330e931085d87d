// How fast does SQLite read through evercore? Following and the log against a raw SELECT of the
// same columns; the folded state against the same fold with json_patch in SQL.
#include <cstdio>
#include <string>

#include "harness.h"
#include "sqlite_store.h"

namespace {

using bench::Stmt;
using bench::Store;

// An event sets five members: always the same five, or five of twenty, as a larger state is built
// in parts.
constexpr const char* five_members =
    R"(printf('{"username":"user-%06d","email":"user%06d@example.org","is_active":%s,)"
    R"("logins":%07d,"city":"Springfield-%03d"}', i % 1000000, i % 1000000,)"
    R"( iif(i % 2 = 0, 'true ', 'false'), 1000000 + i % 1000000, i % 1000))";
constexpr const char* five_of_twenty =
    R"(printf('{"username%d":"user-%06d","email%d":"user%06d@example.org","is_active%d":%s,)"
    R"("logins%d":%07d,"city%d":"Spring-%03d"}', i % 4, i % 1000000, i % 4, i % 1000000, i % 4,)"
    R"( iif(i % 2 = 0, 'true ', 'false'), i % 4, 1000000 + i % 1000000, i % 4, i % 1000))";

/// `events` events over `aggregates`, one after the other (contiguous) or in turns (interleaved).
void fill(const Store& store, std::int64_t events, int aggregates, bool interleaved,
          const std::string& data = five_members) {
  const std::string each = std::to_string(events / aggregates);
  const std::string many = std::to_string(aggregates);
  const std::string id = interleaved ? "1 + i % " + many : "1 + i / " + each;
  const std::string sequence = interleaved ? "1 + i / " + many : "1 + i % " + each;
  store.add_aggregates(aggregates);
  store.run(
      "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < " +
      std::to_string(events) +
      ") INSERT INTO evercore_event (aggregate_id, sequence, type_id, event_time, data) SELECT " +
      id + ", " + sequence + ", 1, 1763763000000000 + i, " + data + " FROM n");
  store.run("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA cache_size = -200000;");
}

double read_round(const Stmt& stmt) {
  return bench::seconds([&] { bench::read_all(stmt.get()); });
}

void ask_log(bench::Report& report) {
  constexpr std::int64_t events = 1'000'000;
  const Store store("read");
  fill(store, events, 1000, true);
  const std::string from =
      " FROM evercore_event e JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id"
      " JOIN evercore_aggregate_type t ON t.type_id = a.type_id"
      " JOIN evercore_event_type n ON n.type_id = e.type_id ORDER BY e.position";
  const Stmt raw_all = store.prepare(
      "SELECT e.position, e.aggregate_id, t.name, a.natural_key, e.sequence, n.name, e.data,"
      " e.reference, e.metadata, e.event_time, e.recorded_at, e.event_id" +
      from);
  const Stmt follow = store.prepare("SELECT * FROM evercore_follow()");
  report.measure({"1,000,000 events through evercore_follow, all columns", events,
                  [&] { return read_round(raw_all); }, [&] { return read_round(follow); }});

  const Stmt raw_timeless = store.prepare(
      "SELECT e.position, e.aggregate_id, t.name, a.natural_key, e.sequence, n.name, e.data,"
      " e.reference, e.metadata, e.event_id" +
      from);
  const Stmt log = store.prepare(
      "SELECT position, aggregate_id, aggregate_type, natural_key, sequence, event_type, data,"
      " reference, metadata, event_id FROM evercore_log ORDER BY position");
  report.measure({"1,000,000 events of evercore_log, without times", events,
                  [&] { return read_round(raw_timeless); }, [&] { return read_round(log); }});

  const Stmt log_all = store.prepare("SELECT * FROM evercore_log ORDER BY position");
  report.measure({"1,000,000 events of evercore_log, all columns", events,
                  [&] { return read_round(raw_all); }, [&] { return read_round(log_all); }});
}

void ask_state(bench::Report& report, const char* name, bool interleaved, const char* data) {
  if (!report.asks(name)) return;
  constexpr int each = 1000;
  const Store store("state");
  fill(store, interleaved ? 1'000'000 : 100'000, interleaved ? 1000 : 100, interleaved, data);
  const Stmt state = store.prepare("SELECT evercore_state(?1)");
  // The fold in plain SQL: one json_patch after the other, in the order of the sequence.
  const Stmt raw = store.prepare(
      "WITH RECURSIVE fold(sequence, state) AS (SELECT 0, '{}' UNION ALL"
      " SELECT f.sequence + 1, json_patch(f.state, e.data) FROM fold f"
      " JOIN evercore_event e ON e.aggregate_id = ?1 AND e.sequence = f.sequence + 1)"
      " SELECT state FROM fold ORDER BY sequence DESC LIMIT 1");
  constexpr int folds = 50;
  int id = 0;
  const auto round = [&](const Stmt& stmt) {
    return bench::seconds([&] {
      for (int i = 0; i < folds; ++i) {
        sqlite3_bind_int64(stmt.get(), 1, 1 + id++ % 100);
        bench::read_all(stmt.get());
      }
    });
  };
  report.measure({name, static_cast<double>(each) * folds, [&] { return round(raw); },
                  [&] { return round(state); }});
  // What no fold can be faster than: stepping over the rows it folds.
  const Stmt rows = store.prepare(
      "SELECT type_id, data FROM evercore_event WHERE aggregate_id = ?1 ORDER BY sequence");
  report.measure({std::string("  its limit: those rows read and not folded"),
                  static_cast<double>(each) * folds, [&] { return round(raw); },
                  [&] { return round(rows); }});
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    std::printf(
        "usage: read_sqlite   (EVERCORE_BENCH_ONLY=TEXT asks only questions with that text)\n");
    return 2;
  }
  bench::Report report("read_sqlite");
  if (report.asks("1,000,000 events through evercore_follow, all columns") ||
      report.asks("1,000,000 events of evercore_log, without times")) {
    ask_log(report);
  }
  ask_state(report, "evercore_state of 1,000 events, contiguous", false, five_members);
  ask_state(report, "evercore_state of 1,000 events, among 1,000 aggregates", true, five_members);
  ask_state(report, "states of 20 members, 1,000 events, contiguous", false, five_of_twenty);
  ask_state(report, "states of 20 members, among 1,000 aggregates", true, five_of_twenty);
  return report.finish();
}
