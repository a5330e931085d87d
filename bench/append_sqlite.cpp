// How fast does SQLite append through evercore? Against a C program with prepared statements that
// inserts into evercore's own tables, knowing every id and sequence and checking nothing.
#include <cstdio>
#include <cstring>
#include <vector>

#include "harness.h"
#include "sqlite_store.h"

namespace {

using bench::Question;
using bench::Stmt;
using bench::Store;

constexpr const char* raw_insert =
    "INSERT INTO evercore_event (aggregate_id, sequence, type_id, event_time, data)"
    " VALUES (?1, ?2, 1, ?3, ?4)";
constexpr const char* append_call = "SELECT evercore_append(?1, NULL, 'Changed', ?2)";

/// The baseline: keeps the sequences in its own memory.
class Raw {
 public:
  Raw(const Store& store, int aggregates)
      : insert_(store.prepare(raw_insert)), sequences_(static_cast<std::size_t>(aggregates) + 1) {}

  void append(std::int64_t aggregate_id, const std::string& data) {
    sqlite3_bind_int64(insert_.get(), 1, aggregate_id);
    sqlite3_bind_int64(insert_.get(), 2, ++sequences_[static_cast<std::size_t>(aggregate_id)]);
    sqlite3_bind_int64(insert_.get(), 3, time_++);
    sqlite3_bind_text(insert_.get(), 4, data.data(), static_cast<int>(data.size()), SQLITE_STATIC);
    bench::step_once(insert_.get());
  }
  void start_at(std::int64_t sequence) { sequences_.assign(sequences_.size(), sequence); }

 private:
  Stmt insert_;
  std::vector<std::int64_t> sequences_;
  std::int64_t time_ = 1'763'763'000'000'000;
};

class Ours {
 public:
  explicit Ours(const Store& store) : append_(store.prepare(append_call)) {}

  void append(std::int64_t aggregate_id, const std::string& data) {
    sqlite3_bind_int64(append_.get(), 1, aggregate_id);
    sqlite3_bind_text(append_.get(), 2, data.data(), static_cast<int>(data.size()), SQLITE_STATIC);
    bench::step_once(append_.get());
  }

 private:
  Stmt append_;
};

std::vector<std::string> payloads(int count) {
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) texts.push_back(bench::payload(i * 7919));
  return texts;
}

/// `calls` appends over `aggregates`, all in one transaction of `batch` each; batch 1 is
/// autocommit.
template <typename Side>
double append_round(const Store& store, Side& side, int calls, int aggregates, int batch) {
  static const std::vector<std::string> texts = payloads(1000);
  return bench::seconds([&] {
    for (int i = 0; i < calls; ++i) {
      if (batch > 1 && i % batch == 0) store.run("BEGIN IMMEDIATE");
      side.append(1 + i % aggregates, texts[static_cast<std::size_t>(i) % texts.size()]);
      if (batch > 1 && i % batch == batch - 1) store.run("COMMIT");
    }
  });
}

void ask_append(bench::Report& report, const char* name, int calls, int aggregates, int batch) {
  if (!report.asks(name)) return;
  const Store raw_store("raw");
  const Store our_store("evercore");
  raw_store.add_aggregates(1000);
  our_store.add_aggregates(1000);
  Raw raw(raw_store, 1000);
  Ours ours(our_store);
  report.measure({name, static_cast<double>(calls),
                  [&] { return append_round(raw_store, raw, calls, aggregates, batch); },
                  [&] { return append_round(our_store, ours, calls, aggregates, batch); }});
}

std::string appends_json(int events, int aggregates) {
  std::string json = "[";
  for (int a = 1; a <= aggregates; ++a) {
    json += a > 1 ? ",{\"aggregate_id\":" : "{\"aggregate_id\":";
    json += std::to_string(a) + ",\"events\":[";
    for (int i = 0; i < events / aggregates; ++i) {
      json += i > 0 ? "," : "";
      json += R"({"event_type":"Changed","data":)" + bench::payload(a * 7919 + i) + "}";
    }
    json += "]}";
  }
  return json + "]";
}

void ask_append_many(bench::Report& report, const char* name, int aggregates) {
  if (!report.asks(name)) return;
  constexpr int events = 1000;
  constexpr int calls = 20;
  const Store raw_store("raw");
  const Store our_store("evercore");
  raw_store.add_aggregates(1000);
  our_store.add_aggregates(1000);
  Raw raw(raw_store, 1000);
  const Stmt append_many = our_store.prepare("SELECT evercore_append_many(?1)");
  const std::string json = appends_json(events, aggregates);
  report.measure({name, events * calls,
                  [&] { return append_round(raw_store, raw, events * calls, aggregates, events); },
                  [&] {
                    return bench::seconds([&] {
                      for (int i = 0; i < calls; ++i) {
                        sqlite3_bind_text(append_many.get(), 1, json.data(),
                                          static_cast<int>(json.size()), SQLITE_STATIC);
                        bench::step_once(append_many.get());
                      }
                    });
                  }});
}

void fill_source(const Store& store, int rows, int aggregates) {
  store.run(
      "CREATE TABLE source (type TEXT, key TEXT, sequence INTEGER, event_type TEXT, data TEXT)");
  const Stmt insert = store.prepare("INSERT INTO source VALUES ('User', ?1, ?2, 'Changed', ?3)");
  store.run("BEGIN");
  for (int i = 0; i < rows; ++i) {
    const std::string key = "key" + std::to_string(1 + i % aggregates);
    const std::string data = bench::payload(i);
    sqlite3_bind_text(insert.get(), 1, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
    sqlite3_bind_int64(insert.get(), 2, 1 + i / aggregates);
    sqlite3_bind_text(insert.get(), 3, data.data(), static_cast<int>(data.size()), SQLITE_STATIC);
    bench::step_once(insert.get());
  }
  store.run("COMMIT");
}

void ask_insert_select(bench::Report& report) {
  if (!report.asks("SELECT, 100,000")) return;
  constexpr int rows = 100'000;
  constexpr int aggregates = 1000;
  const Store raw_store("raw");
  const Store our_store("evercore");
  for (const Store* store : {&raw_store, &our_store}) {
    store->add_aggregates(aggregates);
    fill_source(*store, rows, aggregates);
  }
  int round = 0;
  report.measure(
      {"INSERT INTO evercore_append SELECT, 100,000 rows by key", rows,
       [&] {
         const std::string offset = std::to_string(round++ * (rows / aggregates));
         return bench::seconds([&] {
           raw_store.run(
               "INSERT INTO evercore_event (aggregate_id, sequence, type_id, event_time, data)"
               " SELECT a.aggregate_id, s.sequence + " +
               offset +
               ", e.type_id, 1763763000000000, s.data FROM source s"
               " CROSS JOIN evercore_aggregate_type t ON t.name = s.type"
               " CROSS JOIN evercore_aggregate a ON a.type_id = t.type_id AND a.natural_key = s.key"
               " CROSS JOIN evercore_event_type e ON e.name = s.event_type");
         });
       },
       [&] {
         return bench::seconds([&] {
           our_store.run(
               "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)"
               " SELECT type, key, event_type, data FROM source");
         });
       }});
}

/// Fills both stores with `events` events over `aggregates`, then appends one a transaction.
void ask_large(bench::Report& report, std::int64_t events, int aggregates) {
  constexpr int calls = 5000;
  const Store raw_store("raw");
  const Store our_store("evercore");
  for (const Store* store : {&raw_store, &our_store}) {
    std::fprintf(stderr, "bench: filling a store with %lld events ...\r",
                 static_cast<long long>(events));
    store->add_aggregates(aggregates);
    store->run("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < " +
               std::to_string(events) +
               ") INSERT INTO evercore_event (aggregate_id, sequence, type_id, event_time, data)"
               " SELECT 1 + i / " +
               std::to_string(events / aggregates) + ", 1 + i % " +
               std::to_string(events / aggregates) + ", 1, 1763763000000000 + i, '" +
               bench::payload(1) + "' FROM n");
    store->run("PRAGMA wal_checkpoint(TRUNCATE)");
  }
  Raw raw(raw_store, aggregates);
  raw.start_at(events / aggregates);
  Ours ours(our_store);
  report.measure(
      {"one append a transaction, at " + std::to_string(events / 1'000'000) + " M events", calls,
       [&] { return append_round(raw_store, raw, calls, aggregates, 1); },
       [&] { return append_round(our_store, ours, calls, aggregates, 1); }});
}

void ask_size(bench::Report& report) {
  constexpr std::int64_t events = 200'000;
  const Store store("size");
  store.add_aggregates(1000);
  Ours ours(store);
  append_round(store, ours, events, 1000, 1000);
  const std::int64_t data = store.integer("SELECT sum(length(data)) FROM evercore_event");
  const double overhead = static_cast<double>(store.file_size() - data) / events;
  report.add({"bytes on disk an event beyond its payload", overhead, "bytes"});
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  if (argc > 1 && !quick) {
    std::printf("usage: append_sqlite [--quick]   (quick: without the 10 M events)\n");
    return std::strcmp(argv[1], "--help") == 0 ? 0 : 2;
  }
  bench::Report report("append_sqlite");
  ask_append(report, "one append a transaction, 1,000 aggregates", 5000, 1000, 1);
  ask_append(report, "1,000 appends a transaction, 1,000 aggregates", 50'000, 1000, 1000);
  ask_append(report, "1,000 appends a transaction, one aggregate", 50'000, 1, 1000);
  ask_append_many(report, "append_many of 1,000 events, one aggregate", 1);
  ask_append_many(report, "append_many of 1,000 events, 1,000 aggregates", 1000);
  ask_insert_select(report);
  ask_size(report);
  if (!quick) ask_large(report, 10'000'000, 1000);
  return report.finish();
}
