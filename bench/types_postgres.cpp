// What do declarations of types cost in PostgreSQL: rules, schemas of data and of states, upcasts? Each beside the
// same work without it.
//   EVERCORE_TEST_POSTGRES=postgres://… build/bench/types_postgres
// The database holds stores in the schemas evercore and plain: see bench/tags_stores.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "harness.h"
#include "postgres_session.hpp"

namespace {

using bench::Session;

std::string conninfo;

struct In : Session {
  explicit In(const std::string& schema) : Session(conninfo) {
    run("SET search_path = " + schema + ", public; SET synchronous_commit = off");
    prepare("append", "SELECT evercore_append($1, NULL, $2, $3)");
    prepare("state", "SELECT evercore_state($1)");
  }
  void add_aggregates(const std::string& type, int count) {
    run("SELECT evercore_ensure('" + type + "', 'k' || i) FROM generate_series(1, " +
        std::to_string(count) + ") i");
  }
  std::string first_of(const std::string& type) {
    return std::to_string(bench::number(
        run("SELECT min(aggregate_id) FROM evercore_aggregates WHERE aggregate_type = '" + type +
            "'"),
        0, 0));
  }
};

/// Ten properties, most of them with one keyword more.
constexpr const char* ten_properties =
    R"({"schema":{"type":"object","required":["id","amount"],"properties":{)"
    R"("id":{"type":"string","maxLength":40},"amount":{"type":"integer","minimum":1},)"
    R"("currency":{"enum":["EUR","USD","CHF"]},"note":{"type":"string"},"active":{"type":"boolean"},)"
    R"("score":{"type":"number","maximum":100},"city":{"type":"string","minLength":1},)"
    R"("tags":{"type":"array","maxItems":5},"zip":{"type":"string"},"visits":{"type":"integer","minimum":0}}}})";
constexpr const char* ten_members =
    R"({"id":"A-000123","amount":30,"currency":"EUR","note":"a short text","active":true,"score":12.5,)"
    R"("city":"Springfield","tags":["a","b"],"zip":"12345","visits":17})";

/// So many appends, over the aggregates from one on: in one transaction, or each in its own.
double append_round(Session& store, const std::string& type, const std::string& data, int calls,
                    long long first, int aggregates, bool together) {
  return bench::seconds([&] {
    if (together) store.run("BEGIN");
    for (int i = 0; i < calls; ++i)
      store.execute("append", {std::to_string(first + i % aggregates), type, data});
    if (together) store.run("COMMIT");
  });
}

/// Events in the tables as appends would have left them.
void fill(Session& store, const std::string& aggregate_type, const std::string& type,
          const std::string& data, int each) {
  store.run(
      "INSERT INTO evercore_event (aggregate_id, sequence, event_type, data) SELECT "
      "a.aggregate_id, n, '" +
      type + "', '" + data + "'::json FROM generate_series(1, " + std::to_string(each) +
      ") n, evercore_aggregate a JOIN evercore_aggregate_type t ON t.type_id = a.type_id AND "
      "t.name = '" +
      aggregate_type + "' ORDER BY n, a.aggregate_id");
  store.run("UPDATE evercore_aggregate a SET sequence = " + std::to_string(each) +
            " FROM evercore_aggregate_type t WHERE t.type_id = a.type_id AND t.name = '" +
            aggregate_type + "'");
}

void ask_schema(bench::Report& report, In& store) {
  constexpr int calls = 2000;
  store.add_aggregates("Visitor", 1000);
  const long long first = std::stoll(store.first_of("Visitor"));
  store.run("SELECT evercore_event_type('Checked', NULL, '" + std::string(ten_properties) + "')");
  const auto round = [&](const char* type) {
    return append_round(store, type, ten_members, calls, first, 1000, true);
  };
  report.measure_cost({"schema of ten properties at an append", calls,
                       [&] { return round("Free"); }, [&] { return round("Checked"); }},
                      "us an event");
}

void ask_folds(bench::Report& report, In& store) {
  constexpr int each = 1000;
  constexpr int folds = 10;
  const std::string today =
      R"({"id":"A-000123","amount":30,"note":"a short text","city":"Springfield","score":12.5})";
  const std::string before =
      R"({"id":"A-000123","amount":30,"note":"a short text","town":"Springfield","score":12.5})";
  store.run(
      R"(SELECT evercore_event_type('Ruled', '[{"add":{"/amount":"/amount"}},{"set":{"/id":"/id","/note":"/note","/city":"/city","/score":"/score"}}]'))");
  store.run(
      R"(SELECT evercore_event_type('Old', NULL, '{"upcast":[{"rename":{"/town":"city"}},{"default":{"/note":""}}]}'))");
  for (const char* type : {"Merged", "Ruled", "Old"}) {
    store.add_aggregates(std::string("Of") + type, 10);
    fill(store, std::string("Of") + type, type, type == std::string("Old") ? before : today, each);
  }
  store.run("VACUUM ANALYZE evercore_event");
  const auto round = [&](const char* type) {
    const long long first = std::stoll(store.first_of(std::string("Of") + type));
    return bench::seconds([&] {
      for (int i = 0; i < folds; ++i) store.execute("state", {std::to_string(first + i % 10)});
    });
  };
  report.measure({"state of 1,000 events by rules, against merges of the same size", each * folds,
                  [&] { return round("Merged"); }, [&] { return round("Ruled"); }});
  report.measure({"state of 1,000 events of an older shape, against merges of today's",
                  each * folds, [&] { return round("Merged"); }, [&] { return round("Old"); }});
}

void ask_beside(bench::Report& report, In& plain, In& declared) {
  constexpr int calls = 2000;
  plain.add_aggregates("Visitor", 1000);
  const long long theirs = std::stoll(plain.first_of("Visitor"));
  const long long ours = std::stoll(declared.first_of("Visitor"));
  report.measure(
      {"append of a type that declares nothing, beside others that do", calls,
       [&] { return append_round(plain, "Free", ten_members, calls, theirs, 1000, false); },
       [&] { return append_round(declared, "Free", ten_members, calls, ours, 1000, false); }},
      9);
}

/// An append looks at the state that is kept, however many events have made it.
void ask_states(bench::Report& report, In& store) {
  constexpr int calls = 500;
  store.run(R"(SELECT evercore_event_type('Deposited', '[{"add":{"/balance":"/amount"}}]'))");
  const std::string data = R"({"amount":30})";
  for (const char* type : {"Short", "Long"}) {
    store.add_aggregates(type, 10);
    fill(store, type, "Deposited", data, type == std::string("Short") ? 10 : 10'000);
    store.run("SELECT evercore_aggregate_type('" + std::string(type) +
              R"(', '{"schema":{"properties":{"balance":{"type":"integer","minimum":0}}}}'))");
  }
  store.run("VACUUM ANALYZE evercore_event");
  const long long few = std::stoll(store.first_of("Short"));
  const long long many = std::stoll(store.first_of("Long"));
  report.measure({"append to 10,000 events whose state is checked, against 10 events", calls,
                  [&] { return append_round(store, "Deposited", data, calls, few, 10, false); },
                  [&] { return append_round(store, "Deposited", data, calls, many, 10, false); }},
                 9);
}

}  // namespace

int main(int argc, char**) {
  const char* uri = std::getenv("EVERCORE_TEST_POSTGRES");
  if (uri == nullptr || argc > 1) {
    std::fprintf(stderr, "usage: types_postgres, beside EVERCORE_TEST_POSTGRES\n");
    return 2;
  }
  conninfo = uri;
  try {
    const char* name = std::getenv("EVERCORE_BENCH_REPORT");
    bench::Report report(name != nullptr ? name : "types_postgres");
    In store("evercore"), plain("plain");
    ask_schema(report, store);
    ask_folds(report, store);
    ask_beside(report, plain, store);
    ask_states(report, store);
    return report.finish();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "types_postgres: %s\n", error.what());
    return 2;
  }
}
