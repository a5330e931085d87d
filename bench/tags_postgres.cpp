// What do tags cost in PostgreSQL, and queries and conditions? Appends against 0.1 and against a store
// without tags, decisions against SQL by hand on the same tables, queries against SELECTs by hand.
//   EVERCORE_TEST_POSTGRES=postgres://… build/bench/tags_postgres [events]
// The database holds stores in the schemas evercore, plain, indexed and decide, and one of 0.1 in before: see
// bench/tags_stores.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "harness.h"
#include "postgres_session.hpp"

namespace {

using bench::Session;

constexpr int aggregates = 1000;
constexpr int types = 10;
constexpr int found = 100;  // events that a query gives

std::string conninfo;
long long events = 1000000;

// So many in a run at full length; a look at the program makes fewer.
int scaled(int calls) {
  return events >= 1000000 ? calls : calls / 20;
}

const std::string data =
    R"({"name":"Ann Example","street":"Long Road 12","city":"Springfield","visits":17,"active":true,"score":12.5})";

struct In : Session {
  explicit In(const std::string& schema) : Session(conninfo) {
    run("SET search_path = " + schema + ", public");
  }
};

// Events in the tables as appends would have left them, of ten types. With tags event i bears few:x, which
// 100 events bear, some:x, which ten times as many do, of each type 100, and many:x, which a tenth of all do;
// one of some and one of many are 100.
void fill(const std::string& schema, bool tagged) {
  std::fprintf(stderr, "bench: filling %s with %lld events ...\r", schema.c_str(), events);
  In store(schema);
  const std::string tags = "ARRAY['few:' || i % " + std::to_string(events / found) +
                           ", 'some:' || i / " + std::to_string(types) + " % " +
                           std::to_string(events / found / types) + ", 'many:' || i % " +
                           std::to_string(types) + "]";
  store.run("SELECT evercore_ensure('Visitor', 'k' || i) FROM generate_series(1, " +
            std::to_string(aggregates) + ") i");
  store.run("INSERT INTO evercore_event (aggregate_id, sequence, event_type, data" +
            std::string(tagged ? ", tags" : "") + ") SELECT 1 + i % " + std::to_string(aggregates) +
            ", 1 + i / " + std::to_string(aggregates) + ", 'T' || i % " + std::to_string(types) +
            ", '" + data + "'" + (tagged ? ", array_to_json(" + tags + ")" : "") +
            " FROM generate_series(0, " + std::to_string(events - 1) + ") i");
  store.run("UPDATE evercore_aggregate SET sequence = " + std::to_string(events / aggregates));
  if (tagged) {
    store.run(
        "INSERT INTO evercore_event_tag SELECT t, e.event_type, e.position FROM evercore_event e,"
        " json_array_elements_text(e.tags) t ORDER BY 1, 2, 3");
    store.run("VACUUM ANALYZE evercore_event_tag");
  }
  store.run("VACUUM ANALYZE evercore_event");
  store.run("VACUUM ANALYZE evercore_aggregate");
  store.run("SELECT count(*) FROM evercore_follow(0, 1)");
}

double append_round(Session& store, int calls) {
  return bench::seconds([&] {
    for (int i = 0; i < calls; ++i)
      store.execute("append", {std::to_string(1 + i % aggregates), data});
  });
}

// What an append without tags pays for what others use; commits wait for no disk, so that it is seen.
void ask_tax(bench::Report& report) {
  const int calls = scaled(2000);
  const auto open = [](const char* schema) {
    In store(schema);
    store.run("SET synchronous_commit = off");
    store.prepare("append", "SELECT evercore_append($1, NULL, 'Changed', $2)");
    return store;
  };
  In before = open("before"), plain = open("plain"), tagged = open("evercore"),
     indexed = open("indexed");
  indexed.run("SELECT evercore_index_types()");
  const auto ask = [&](const std::string& name, Session& baseline, Session& ours) {
    report.measure({name, static_cast<double>(calls), [&] { return append_round(baseline, calls); },
                    [&] { return append_round(ours, calls); }},
                   9);
  };
  ask("append without tags, against 0.1", before, plain);
  ask("append without tags, in a store with tags", plain, tagged);
  ask("append without tags, with types indexed", plain, indexed);
}

// A student takes a course: an append of two tags, on the condition that nobody did so for the course since
// its position. Each client has courses and students of its own.
constexpr const char* written_by_hand =
    "WITH u AS (UPDATE evercore_aggregate SET sequence = sequence + 1 WHERE aggregate_id = $1 AND "
    "NOT EXISTS ("
    "SELECT FROM evercore_event_tag x WHERE x.tag = $3 AND x.event_type = 'Changed' AND x.position "
    "> $5) RETURNING"
    " sequence), e AS (INSERT INTO evercore_event (aggregate_id, sequence, event_type, data, tags) "
    "SELECT $1,"
    " u.sequence, 'Changed', $2::json, json_build_array($3::text, $4::text) FROM u RETURNING "
    "position)"
    " INSERT INTO evercore_event_tag SELECT t, 'Changed', e.position FROM e, unnest(ARRAY[$3, $4]) "
    "t";

std::string appends(const std::vector<std::string>& parameters) {
  return "[{\"aggregate_id\":" + parameters[0] +
         ",\"events\":[{\"event_type\":\"Changed\",\"data\":" + parameters[1] + ",\"tags\":[\"" +
         parameters[2] + "\",\"" + parameters[3] + "\"]}]}]";
}

enum class Way { by_hand, tagged, many, under_a_condition };

void decide(Session& store, Way way, const std::vector<std::string>& p) {
  switch (way) {
    case Way::by_hand:
      store.execute("by_hand", p);
      return;
    case Way::tagged:
      store.execute("tagged", {p[0], p[1], "[\"" + p[2] + "\",\"" + p[3] + "\"]"});
      return;
    case Way::many:
      store.execute("many", {appends(p)});
      return;
    case Way::under_a_condition:
      store.execute("under",
                    {appends(p), R"([{"types":["Changed"],"tags":[")" + p[2] + "\"]}]", p[4]});
  }
}

// So many calls by so many clients at once, each in a transaction of its own.
class Clients {
 public:
  Clients(int clients, int calls) : calls_(calls) {
    for (int i = 0; i < clients; ++i) {
      sessions_.push_back(std::make_unique<In>("decide"));
      Session& store = *sessions_.back();
      store.prepare("by_hand", written_by_hand);
      store.prepare("tagged", "SELECT evercore_append($1, NULL, 'Changed', $2, tags => $3)");
      store.prepare("many", "SELECT evercore_append_many($1)");
      store.prepare("under", "SELECT evercore_append_many($1, $2, $3)");
    }
  }
  double round(Way way) {
    const auto head = std::to_string(bench::number(
        sessions_[0]->run("SELECT coalesce(max(position), 0) FROM evercore_event"), 0, 0));
    const int clients = static_cast<int>(sessions_.size());
    std::vector<std::thread> threads;
    return bench::seconds([&] {
      for (int client = 0; client < clients; ++client) {
        threads.emplace_back([&, client] {
          for (int i = 0; i < calls_ / clients; ++i) {
            const int number = client + clients * i;
            // A course is asked for once a round, so that none has an event after the head.
            decide(
                *sessions_[static_cast<std::size_t>(client)], way,
                {std::to_string(1 + number % aggregates), data, "course:c" + std::to_string(number),
                 "student:s" + std::to_string(number * 7 % 10007), head});
          }
        });
      }
      for (auto& thread : threads) thread.join();
    });
  }
  [[nodiscard]] int calls() const { return calls_; }

 private:
  int calls_;
  std::vector<std::unique_ptr<Session>> sessions_;
};

void ask_condition(bench::Report& report) {
  In("decide").run("SELECT evercore_ensure('Visitor', 'k' || i) FROM generate_series(1, " +
                   std::to_string(aggregates) + ") i");
  for (const int count : {1, 16}) {
    Clients clients(count, scaled(count == 1 ? 1600 : 6400));
    const std::string who = count == 1 ? ", 1 client, against " : ", 16 clients, against ";
    const auto ask = [&](const std::string& name, Way baseline, Way ours) {
      report.measure({name, static_cast<double>(clients.calls()),
                      [&] { return clients.round(baseline); },
                      [&] { return clients.round(ours); }});
    };
    ask("append with two tags" + who + "SQL by hand", Way::by_hand, Way::tagged);
    ask("the same under a condition" + who + "SQL by hand", Way::by_hand, Way::under_a_condition);
    ask("the same under a condition" + who + "one without", Way::many, Way::under_a_condition);
    ask("the same under a condition" + who + "evercore_append", Way::tagged,
        Way::under_a_condition);
  }
}

const std::string columns =
    "SELECT e.position, e.aggregate_id, t.name, a.natural_key, e.sequence, e.event_type, e.data, "
    "e.reference,"
    " e.metadata, coalesce(e.event_time, e.recorded_at), e.recorded_at, e.event_id, e.tags FROM "
    "evercore_event_tag x"
    " JOIN evercore_event e ON e.position = x.position JOIN evercore_aggregate a ON a.aggregate_id "
    "= e.aggregate_id"
    " JOIN evercore_aggregate_type t ON t.type_id = a.type_id WHERE x.tag = ";

void ask_queries(bench::Report& report, Session& store) {
  const int calls = scaled(100);
  const auto some = events / found / types;
  store.prepare("query", "SELECT * FROM evercore_query($1)");
  store.prepare("one tag", columns + "'few:' || $1 ORDER BY x.position");
  store.prepare(
      "two tags",
      columns +
          "'some:' || $1 AND EXISTS (SELECT FROM evercore_event_tag y WHERE y.tag = 'many:3'"
          " AND y.event_type = x.event_type AND y.position = x.position) ORDER BY x.position");
  store.prepare("type and tag",
                columns + "'some:' || $1 AND x.event_type = 'T4' ORDER BY x.position");
  struct Asked {
    const char* name;
    const char *before, *after;
    long long numbers;
  };
  for (const Asked& asked :
       {Asked{"one tag", R"([{"tags":["few:)", "\"]}]", events / found},
        Asked{"two tags", R"([{"tags":["some:)", "\",\"many:3\"]}]", some},
        Asked{"type and tag", R"([{"types":["T4"],"tags":["some:)", "\"]}]", some}}) {
    const auto round = [&](bool ours) {
      return bench::seconds([&] {
        for (int i = 0; i < calls; ++i) {
          const std::string number = std::to_string(i * 31 % asked.numbers);
          const auto rows = ours ? store.execute("query", {asked.before + number + asked.after})
                                 : store.execute(asked.name, {number});
          if (PQntuples(rows.get()) != found) throw std::runtime_error("not 100 events");
        }
      });
    };
    report.measure({std::string("evercore_query of 100 events by ") + asked.name,
                    static_cast<double>(calls * found), [&] { return round(false); },
                    [&] { return round(true); }});
  }
}

// Conditions alone, that match nothing: from the beginning of the log against from its end.
void ask_after(bench::Report& report, Session& store) {
  const int calls = scaled(500);
  store.run("SELECT evercore_index_types()");
  store.prepare("look", "SELECT evercore_append_many('[]', $1, $2)");
  const auto head = std::to_string(bench::number(store.run("SELECT evercore_head()"), 0, 0));
  for (const auto& [name, condition] :
       {std::pair{"tag", R"([{"tags":["none"]}])"},
        std::pair{"type and tag", R"([{"types":["T9"],"tags":["many:3"]}])"},
        std::pair{"type", R"([{"types":["Never"]}])"}}) {
    const auto round = [&, asked = std::string(condition)](const std::string& after) {
      return bench::seconds([&] {
        for (int i = 0; i < calls; ++i) store.execute("look", {asked, after});
      });
    };
    report.measure(
        {std::string("condition that matches nothing, from 0 against the head, by ") + name,
         static_cast<double>(calls), [&] { return round(head); }, [&] { return round("0"); }});
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* uri = std::getenv("EVERCORE_TEST_POSTGRES");
  if (argc > 1) events = std::atoll(argv[1]);
  if (uri == nullptr || argc > 2 || events < 10000 || events % 10000 != 0) {
    std::fprintf(stderr,
                 "usage: tags_postgres [EVENTS]   (1000000; of tens of thousands), beside "
                 "EVERCORE_TEST_POSTGRES\n");
    return 2;
  }
  conninfo = uri;
  try {
    bench::Report report("tags_postgres");
    ask_condition(report);
    for (const char* schema : {"before", "plain", "indexed", "evercore"})
      fill(schema, std::string(schema) == "evercore");
    ask_tax(report);
    In store("evercore");
    ask_queries(report, store);
    ask_after(report, store);
    return report.finish();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tags_postgres: %s\n", error.what());
    return 2;
  }
}
