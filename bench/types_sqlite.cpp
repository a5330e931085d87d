// What do declarations of types cost in SQLite: rules, schemas of data and of states, upcasts? Each beside the same
// work without it.
#include <cstdio>
#include <string>

#include "harness.h"
#include "sqlite_store.h"

namespace {

using bench::Stmt;
using bench::Store;

constexpr const char* append_call = "SELECT evercore_append(?1, NULL, ?2, ?3)";

/// Declares for the type that is named: ten properties, most of them with one keyword more.
std::string ten_properties(const std::string& type) {
  return "SELECT evercore_event_type('" + type +
         "', NULL, "
         "'{\"schema\":{\"type\":\"object\",\"required\":[\"id\",\"amount\"],\"properties\":{"
         R"("id":{"type":"string","maxLength":40},"amount":{"type":"integer","minimum":1},"currency":{"enum":["EUR","USD","CHF"]},)"
         R"("note":{"type":"string"},"active":{"type":"boolean"},"score":{"type":"number","maximum":100},"city":{"type":"string","minLength":1},)"
         R"("tags":{"type":"array","maxItems":5},"zip":{"type":"string"},"visits":{"type":"integer","minimum":0}}}}'))";
}

const std::string ten_members =
    R"({"id":"A-000123","amount":30,"currency":"EUR","note":"a short text","active":true,"score":12.5,"city":"Springfield","tags":["a","b"],"zip":"12345","visits":17})";

void bind_text(const Stmt& stmt, int place, const std::string& text) {
  sqlite3_bind_text(stmt.get(), place, text.data(), static_cast<int>(text.size()),
                    SQLITE_TRANSIENT);
}

/// So many appends in one transaction, over the aggregates from one on.
double append_round(const Store& store, const Stmt& append, const std::string& type,
                    const std::string& data, int calls, int first, int aggregates) {
  return bench::seconds([&] {
    store.run("BEGIN IMMEDIATE");
    for (int i = 0; i < calls; ++i) {
      sqlite3_bind_int64(append.get(), 1, first + i % aggregates);
      bind_text(append, 2, type);
      bind_text(append, 3, data);
      bench::step_once(append.get());
    }
    store.run("COMMIT");
  });
}

void ask_schema(bench::Report& report) {
  constexpr int calls = 20'000;
  const Store store("types");
  store.add_aggregates(1000);
  store.run(ten_properties("Checked"));
  const Stmt append = store.prepare(append_call);
  const auto round = [&](const char* type) {
    return append_round(store, append, type, ten_members, calls, 1, 1000);
  };
  report.measure_cost({"schema of ten properties at an append", calls,
                       [&] { return round("Free"); }, [&] { return round("Checked"); }},
                      "us an event");
}

void ask_beside(bench::Report& report) {
  constexpr int calls = 5000;
  const Store plain("plain");
  const Store declared("declared");
  for (const Store* store : {&plain, &declared}) store->add_aggregates(1000);
  declared.run(ten_properties("Checked"));
  declared.run(
      R"(SELECT evercore_event_type('Deposited', '[{"add":{"/balance":"/amount"}}]', '{"upcast":[{"rename":{"/sum":"amount"}}]}'))");
  declared.run(
      R"(SELECT evercore_aggregate_type('Account', '{"schema":{"properties":{"balance":{"minimum":0}}}}'))");
  const Stmt theirs = plain.prepare(append_call);
  const Stmt ours = declared.prepare(append_call);
  const std::string data = bench::payload(7);
  const auto round = [&](const Stmt& append) {
    return bench::seconds([&] {
      for (int i = 0; i < calls; ++i) {
        sqlite3_bind_int64(append.get(), 1, 1 + i % 1000);
        bind_text(append, 2, "Changed");
        bind_text(append, 3, data);
        bench::step_once(append.get());
      }
    });
  };
  report.measure({"append of a type that declares nothing, beside others that do", calls,
                  [&] { return round(theirs); }, [&] { return round(ours); }},
                 9);
}

void ask_folds(bench::Report& report) {
  constexpr int each = 1000;
  constexpr int folds = 50;
  const Store store("folds");
  store.add_aggregates(30);
  store.run(
      R"(SELECT evercore_event_type('Ruled', '[{"add":{"/amount":"/amount"}},{"set":{"/id":"/id","/note":"/note","/city":"/city","/score":"/score"}}]'))");
  store.run(
      R"(SELECT evercore_event_type('Old', NULL, '{"upcast":[{"rename":{"/town":"city"}},{"default":{"/note":""}}]}'))");
  const Stmt append = store.prepare(append_call);
  const std::string data =
      R"({"id":"A-000123","amount":30,"note":"a short text","town":"Springfield","score":12.5})";
  const std::string today =
      R"({"id":"A-000123","amount":30,"note":"a short text","city":"Springfield","score":12.5})";
  append_round(store, append, "Merged", today, each * 10, 1, 10);
  append_round(store, append, "Ruled", today, each * 10, 11, 10);
  append_round(store, append, "Old", data, each * 10, 21, 10);
  const Stmt state = store.prepare("SELECT evercore_state(?1)");
  const auto round = [&](int first) {
    return bench::seconds([&] {
      for (int i = 0; i < folds; ++i) {
        sqlite3_bind_int64(state.get(), 1, first + i % 10);
        bench::step_once(state.get());
      }
    });
  };
  report.measure({"state of 1,000 events by rules, against merges of the same size", each * folds,
                  [&] { return round(1); }, [&] { return round(11); }});
  report.measure({"state of 1,000 events of an older shape, against merges of today's",
                  each * folds, [&] { return round(1); }, [&] { return round(21); }});
}

/// An append looks at the state that is kept, however many events have made it.
void ask_states(bench::Report& report) {
  constexpr int calls = 1000;
  const Store store("states");
  store.add_aggregates(20);
  store.run(R"(SELECT evercore_event_type('Deposited', '[{"add":{"/balance":"/amount"}}]'))");
  const Stmt append = store.prepare(append_call);
  const std::string data = R"({"amount":30})";
  append_round(store, append, "Deposited", data, 100, 1, 10);
  append_round(store, append, "Deposited", data, 100'000, 11, 10);
  store.run(
      R"(SELECT evercore_aggregate_type('User', '{"schema":{"properties":{"balance":{"type":"integer","minimum":0}}}}'))");
  report.measure({"append to 10,000 events whose state is checked, against 10 events", calls,
                  [&] { return append_round(store, append, "Deposited", data, calls, 1, 10); },
                  [&] { return append_round(store, append, "Deposited", data, calls, 11, 10); }},
                 9);
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    std::printf("usage: types_sqlite\n");
    return 2;
  }
  bench::Report report("types_sqlite");
  ask_schema(report);
  ask_folds(report);
  ask_beside(report);
  ask_states(report);
  return report.finish();
}
