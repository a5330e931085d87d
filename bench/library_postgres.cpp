// What the C++ library costs over libpq by hand, in PostgreSQL: the same round trips, run in turns.
//   tests/postgres/with_server build/bench/library_postgres
#include <libpq-fe.h>

#include <thread>

#include "library_bench.h"

namespace {

class Raw {
 public:
  Raw(const char* uri, const std::string& schema) : connection_(PQconnectdb(uri)), schema_(schema) {
    run(("SET search_path = " + schema).c_str());
    prepare("append", "SELECT evercore_append($1::bigint, $2::bigint, 'Noted', $3::text)");
    prepare(
        "load",
        "SELECT sequence, event_type, data, position FROM evercore_replay($1::bigint, $2::bigint)");
    // By hand, without the surface: the INSERT and the UPDATE of the aggregate's version in one
    // round trip.
    run("CREATE TABLE hand_aggregate (id bigint PRIMARY KEY, version bigint NOT NULL)");
    run("CREATE TABLE hand_event (position bigserial PRIMARY KEY, id bigint, sequence bigint, "
        "type_id int,"
        " event_time timestamptz DEFAULT now(), data json, UNIQUE (id, sequence))");
    run("INSERT INTO hand_aggregate SELECT n, 0 FROM generate_series(1, 1000) n");
    prepare("hand",
            "WITH a AS (UPDATE hand_aggregate SET version = version + 1 WHERE id = $1::bigint "
            "RETURNING version)"
            " INSERT INTO hand_event (id, sequence, type_id, data) SELECT $1::bigint, version, 1, "
            "$2::json FROM a");
  }
  ~Raw() { PQfinish(connection_); }
  void append(std::int64_t id, std::int64_t expected, const std::string& data) {
    execute("append", {std::to_string(id), std::to_string(expected), data});
  }
  void load(std::int64_t id) { execute("load", {std::to_string(id), "1"}); }
  void hand(std::int64_t id, const std::string& data) {
    execute("hand", {std::to_string(id), data});
  }

 private:
  void check(PGresult* result) {
    const auto status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      std::fprintf(stderr, "%s\n", PQresultErrorMessage(result));
      std::exit(1);
    }
    PQclear(result);
  }
  void run(const char* sql) { check(PQexec(connection_, sql)); }
  void prepare(const char* name, const char* sql) {
    check(PQprepare(connection_, name, sql, 0, nullptr));
  }
  void execute(const char* name, std::initializer_list<std::string> values) {
    const char* pointers[4];
    int count = 0;
    for (const auto& value : values) pointers[count++] = value.c_str();
    check(PQexecPrepared(connection_, name, count, pointers, nullptr, nullptr, 1));
  }
  PGconn* connection_;
  std::string schema_;
};

}  // namespace

int main() {
  const char* uri = std::getenv("EVERCORE_TEST_POSTGRES");
  if (uri == nullptr) {
    std::fprintf(stderr, "usage: tests/postgres/with_server build/bench/library_postgres\n");
    return 2;
  }
  const std::string mark = std::string(uri).find('?') == std::string::npos ? "?" : "&";
  auto store = connect(uri + mark + "schema=bench&pool_size=16");
  Raw raw(uri, "bench");
  bench::Report report("library_postgres");
  constexpr int aggregates = 200, n = 1000;
  std::vector<NotebookAggregate> typed, by_hand;
  std::vector<std::int64_t> sequences(aggregates, 1);
  store.with_context([&](Context& ctx) {
    for (auto* notebooks : {&typed, &by_hand}) {
      for (int i = 0; i < aggregates; ++i) {
        notebooks->push_back(ctx.create<NotebookAggregate>());
        notebooks->back().apply(note(i));
      }
    }
  });
  const std::string data = encode(note(7));
  std::size_t a = 0, b = 0;
  const auto next = [](std::size_t& i) { return i = (i + 1) % aggregates; };
  compare(report, "one event, aggregate at hand: one round trip",
          {{"libpq: prepared evercore_append", n,
            [&] {
              for (int i = 0; i < n; ++i) {
                const auto k = next(a);
                raw.append(by_hand[k].id(), sequences[k]++, data);
              }
            }},
           {"typed context", n,
            [&] {
              for (int i = 0; i < n; ++i) {
                store.with_context([&](Context& ctx) { ctx.apply(typed[next(b)], note(i)); });
              }
            }},
           {"(libpq: INSERT and UPDATE by hand, no surface)", n, [&] {
              for (int i = 0; i < n; ++i) raw.hand(1 + i % 1000, data);
            }}});
  compare(report, "load, then one event: two round trips",
          {{"libpq: prepared replay and append", n,
            [&] {
              for (int i = 0; i < n; ++i) {
                const auto k = next(a);
                raw.load(by_hand[k].id());
                raw.append(by_hand[k].id(), sequences[k]++, data);
              }
            }},
           {"typed context", n, [&] {
              for (int i = 0; i < n; ++i) {
                store.with_context([&](Context& ctx) {
                  ctx.load<NotebookAggregate>(typed[next(b)].id()).apply(note(i));
                });
              }
            }}});
  std::vector<NotebookAggregate> many = typed;
  for (auto& notebook : many) {
    notebook = store.with_readonly_context(
        [&](ReadonlyContext& ctx) { return ctx.load<NotebookAggregate>(notebook.id()); });
  }
  const auto threads_write = [&](std::size_t threads) {
    std::vector<std::thread> running;
    for (std::size_t t = 0; t < threads; ++t) {
      running.emplace_back([&, t] {
        for (int i = 0; i < 200; ++i) {
          store.with_context([&](Context& ctx) { ctx.apply(many[t], note(i)); });
        }
      });
    }
    for (auto& thread : running) thread.join();
  };
  compare(report, "threads, one event a context",
          {{"1 thread", 200, [&] { threads_write(1); }},
           {"4 threads", 800, [&] { threads_write(4); }},
           {"16 threads", 3200, [&] { threads_write(16); }}});
  return report.finish();
}
