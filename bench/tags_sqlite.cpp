// What do tags cost in SQLite, and queries and conditions? Appends against a store without tags and
// against C with prepared statements that knows every id; queries against SELECTs by hand on the same
// tables.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "harness.h"
#include "sqlite_store.h"

namespace {

using bench::Stmt;
using bench::Store;

constexpr int aggregates = 1000;
constexpr int types = 10;
constexpr int courses = 1000;
constexpr int students = 10'000;
constexpr int found = 100;  // events that a query gives

std::int64_t events = 1'000'000;

void bind_text(const Stmt& stmt, int at, const std::string& text) {
  sqlite3_bind_text(stmt.get(), at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

enum class Tags { none, three };

/// `events` events in the tables as appends would have left them, of ten types. With tags event i bears
/// few:x, which 100 events bear, some:x, which ten times as many do, of each type 100, and many:x, which
/// a tenth of all do; one of some and one of many are 100.
void fill(const Store& store, Tags tags) {
  std::fprintf(stderr, "bench: filling a store with %lld events ...\r",
               static_cast<long long>(events));
  store.add_aggregates(aggregates);
  const std::string few = "(i % " + std::to_string(events / found) + ")";
  const std::string some =
      "(i / " + std::to_string(types) + " % " + std::to_string(events / found / types) + ")";
  const std::string many = "(i % " + std::to_string(types) + ")";
  const std::string all =
      "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < " +
      std::to_string(events) + ") ";
  const std::string text = tags == Tags::none
                               ? ""
                               : ", '[\"few:' || " + few + " || '\",\"some:' || " + some +
                                     " || '\",\"many:' || " + many + " || '\"]'";
  store.run(
      "INSERT INTO evercore_event_type (type_id, name) VALUES (2,'T2'),(3,'T3'),(4,'T4'),(5,'T5'),"
      "(6,'T6'),(7,'T7'),(8,'T8'),(9,'T9'),(10,'T10');" +
      all + "INSERT INTO evercore_event (aggregate_id, sequence, type_id, event_time, data" +
      (tags == Tags::none ? "" : ", tags") +
      ") SELECT 1 + i % 1000, 1 + i / 1000, 1 + i % 10, 1763763000000000 + i, '" +
      bench::payload(1) + "'" + text + " FROM n");
  if (tags == Tags::three) {
    store.run(
        "INSERT INTO evercore_tag (tag) SELECT DISTINCT j.value FROM evercore_event e, "
        "json_each(e.tags) j");
    store.run(
        "INSERT INTO evercore_event_tag SELECT t.tag_id, e.type_id, e.position FROM evercore_event "
        "e,"
        " json_each(e.tags) j CROSS JOIN evercore_tag t ON t.tag = j.value ORDER BY 1, 2, 3");
  }
  store.run("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA cache_size = -200000;");
}

double append_round(const Stmt& append, int calls) {
  const std::string data = bench::payload(7);
  return bench::seconds([&] {
    for (int i = 0; i < calls; ++i) {
      sqlite3_bind_int64(append.get(), 1, 1 + i % aggregates);
      bind_text(append, 2, data);
      bench::step_once(append.get());
    }
  });
}

/// What an append without tags pays for what others use.
void ask_tax(bench::Report& report) {
  constexpr int calls = 5000;
  constexpr const char* append = "SELECT evercore_append(?1, NULL, 'Changed', ?2)";
  const char* before = std::getenv("EVERCORE_BENCH_BEFORE");
  if (before != nullptr) {
    const Store old("before", before);
    const Store store("without");
    fill(store, Tags::none);
    fill(old, Tags::none);
    const Stmt theirs = old.prepare(append);
    const Stmt ours = store.prepare(append);
    report.measure({"append without tags, against the extension of before", calls,
                    [&] { return append_round(theirs, calls); },
                    [&] { return append_round(ours, calls); }});
  }
  const Store without("without");
  const Store with("with");
  const Store indexed("indexed");
  fill(without, Tags::none);
  fill(with, Tags::three);
  fill(indexed, Tags::none);
  indexed.run("SELECT evercore_index_types()");
  const Stmt plain = without.prepare(append);
  const Stmt beside = with.prepare(append);
  const Stmt by_type = indexed.prepare(append);
  report.measure(
      {"append without tags, in a store with tags", calls,
       [&] { return append_round(plain, calls); }, [&] { return append_round(beside, calls); }},
      9);
  report.measure({"append without tags, with types indexed", calls,
                  [&] { return append_round(plain, calls); },
                  [&] { return append_round(by_type, calls); }});
}

/// A student takes a course: an append of two tags, on the condition that nobody did so for the course
/// since its position.
class Enrolment {
 public:
  Enrolment(const Store& store) : store_(store) {
    store.add_aggregates(aggregates);
    std::string tags =
        "INSERT INTO evercore_tag (tag_id, tag) WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT"
        " i + 1 FROM n WHERE i + 1 < ";
    store.run(tags + std::to_string(courses) + ") SELECT 1 + i, 'course:c' || i FROM n");
    store.run(tags + std::to_string(students) + ") SELECT 1001 + i, 'student:s' || i FROM n");
  }
  static int course(int i) { return i * 7 % courses; }
  static int student(int i) { return i * 13 % students; }
  static int aggregate(int i) { return 1 + i % aggregates; }
  static std::string tags(int i) {
    return "[\"course:c" + std::to_string(course(i)) + "\",\"student:s" +
           std::to_string(student(i)) + "\"]";
  }

 protected:
  const Store& store_;
};

class ByHand : Enrolment {
 public:
  explicit ByHand(const Store& store)
      : Enrolment(store),
        exists_(store.prepare("SELECT EXISTS (SELECT 1 FROM evercore_event_tag WHERE tag_id = ?1"
                              " AND type_id = 1 AND position > ?2)")),
        event_(store.prepare(
            "INSERT INTO evercore_event (aggregate_id, sequence, type_id, event_time, data, tags)"
            " VALUES (?1, ?2, 1, ?3, ?4, ?5)")),
        tag_(store.prepare("INSERT INTO evercore_event_tag VALUES (?1, 1, ?2)")),
        begin_(store.prepare("BEGIN IMMEDIATE")),
        commit_(store.prepare("COMMIT")),
        sequences_(aggregates + 1) {}

  void append(int i, bool conditional) {
    const std::string text = tags(i);
    bench::step_once(begin_.get());
    if (conditional) {
      sqlite3_bind_int64(exists_.get(), 1, 1 + course(i));
      sqlite3_bind_int64(exists_.get(), 2, head_);
      bench::step_once(exists_.get());
    }
    sqlite3_bind_int64(event_.get(), 1, aggregate(i));
    sqlite3_bind_int64(event_.get(), 2, ++sequences_[static_cast<std::size_t>(aggregate(i))]);
    sqlite3_bind_int64(event_.get(), 3, 1'763'763'000'000'000 + i);
    bind_text(event_, 4, data_);
    bind_text(event_, 5, text);
    bench::step_once(event_.get());
    head_ = sqlite3_last_insert_rowid(store_.db());
    for (const int id : {1 + course(i), 1001 + student(i)}) {
      sqlite3_bind_int64(tag_.get(), 1, id);
      sqlite3_bind_int64(tag_.get(), 2, head_);
      bench::step_once(tag_.get());
    }
    bench::step_once(commit_.get());
  }

 private:
  Stmt exists_, event_, tag_, begin_, commit_;
  std::vector<std::int64_t> sequences_;
  std::int64_t head_ = 0;
  std::string data_ = bench::payload(7);
};

class Ours : Enrolment {
 public:
  Ours(const Store& store, int calls)
      : Enrolment(store),
        append_(store.prepare("SELECT evercore_append_many(?1)")),
        under_(store.prepare("SELECT evercore_append_many(?1, ?2, ?3)")) {
    for (int i = 0; i < calls; ++i) {
      appends_.push_back("[{\"aggregate_id\":" + std::to_string(aggregate(i)) +
                         ",\"events\":[{\"event_type\":\"Changed\",\"data\":" + bench::payload(7) +
                         ",\"tags\":" + tags(i) + "}]}]");
      conditions_.push_back("[{\"types\":[\"Changed\"],\"tags\":[\"course:c" +
                            std::to_string(course(i)) + "\"]}]");
    }
  }

  void append(int i, bool conditional) {
    const Stmt& stmt = conditional ? under_ : append_;
    bind_text(stmt, 1, appends_[static_cast<std::size_t>(i)]);
    if (conditional) {
      bind_text(stmt, 2, conditions_[static_cast<std::size_t>(i)]);
      sqlite3_bind_int64(stmt.get(), 3, head_);
    }
    bench::step_once(stmt.get());
    ++head_;
  }

 private:
  Stmt append_, under_;
  std::vector<std::string> appends_, conditions_;
  std::int64_t head_ = 0;
};

void ask_condition(bench::Report& report) {
  constexpr int calls = 5000;
  for (const bool conditional : {false, true}) {
    const std::string name = std::string("append with two tags") +
                             (conditional ? ", one of them in a condition" : "") +
                             ", against raw C";
    if (!report.asks(name)) continue;
    const Store raw_store("raw");
    const Store our_store("evercore");
    ByHand raw(raw_store);
    Ours ours(our_store, calls);
    const auto round = [&](auto& side) {
      return bench::seconds([&] {
        for (int i = 0; i < calls; ++i) side.append(i, conditional);
      });
    };
    report.measure({name, calls, [&] { return round(raw); }, [&] { return round(ours); }});
  }
}

constexpr const char* columns =
    "SELECT e.position, e.aggregate_id, t.name, a.natural_key, e.sequence, n.name, e.data, "
    "e.reference,"
    " e.metadata, e.event_time, e.recorded_at, e.event_id, e.tags FROM evercore_event_tag x"
    " CROSS JOIN evercore_event e ON e.position = x.position JOIN evercore_aggregate a ON "
    "a.aggregate_id ="
    " e.aggregate_id JOIN evercore_aggregate_type t ON t.type_id = a.type_id JOIN "
    "evercore_event_type n ON"
    " n.type_id = e.type_id WHERE x.tag_id = (SELECT tag_id FROM evercore_tag WHERE tag = ?1)";

struct Asked {
  const char* name;
  std::string item;     ///< of the query, without its braces; %d stands for the number
  std::string by_hand;  ///< what the SELECT has besides
  std::vector<const char*> parameters;  ///< of the SELECT
  std::int64_t numbers;
};

std::string numbered(std::string text, std::int64_t number) {
  for (auto at = text.find("%d"); at != text.npos; at = text.find("%d")) {
    text.replace(at, 2, std::to_string(number));
  }
  return text;
}

void ask_queries(bench::Report& report, const Store& store) {
  const Stmt query = store.prepare("SELECT * FROM evercore_query(?1)");
  const std::int64_t some = events / found / types;
  const std::vector<Asked> all = {
      {"one tag", R"("tags":["few:%d"])", "", {"few:%d"}, events / found},
      {"two tags",
       R"("tags":["some:%d","many:3"])",
       " AND EXISTS (SELECT 1 FROM evercore_event_tag y WHERE y.tag_id = (SELECT tag_id FROM "
       "evercore_tag"
       " WHERE tag = ?2) AND y.type_id = x.type_id AND y.position = x.position)",
       {"some:%d", "many:3"},
       some},
      {"type and tag",
       R"("types":["T4"],"tags":["some:%d"])",
       " AND x.type_id = (SELECT type_id FROM evercore_event_type WHERE name = ?2)",
       {"some:%d", "T4"},
       some},
  };
  for (const Asked& asked : all) {
    const Stmt raw = store.prepare(columns + asked.by_hand + " ORDER BY x.position");
    constexpr int calls = 200;
    const auto round = [&](const Stmt& stmt, const std::vector<std::string>& parameters) {
      return bench::seconds([&] {
        for (int i = 0; i < calls; ++i) {
          std::vector<std::string> values;
          for (const std::string& each : parameters)
            values.push_back(numbered(each, i * 31 % asked.numbers));
          for (std::size_t p = 0; p < values.size(); ++p)
            bind_text(stmt, static_cast<int>(p) + 1, values[p]);
          if (bench::read_all(stmt.get()) != found) std::abort();
        }
      });
    };
    const std::vector<std::string> by_hand(asked.parameters.begin(), asked.parameters.end());
    report.measure({std::string("evercore_query of 100 events by ") + asked.name, calls * found,
                    [&] { return round(raw, by_hand); },
                    [&] { return round(query, {"[{" + asked.item + "}]"}); }});
  }
}

/// Conditions alone, that match nothing: from the beginning of the log against from its end.
void ask_after(bench::Report& report, const Store& store) {
  constexpr int calls = 2000;
  const Stmt look = store.prepare("SELECT evercore_append_many('[]', ?1, ?2)");
  const std::int64_t head = store.integer("SELECT evercore_head()");
  const auto round = [&](const std::string& condition, std::int64_t after) {
    return bench::seconds([&] {
      for (int i = 0; i < calls; ++i) {
        bind_text(look, 1, condition);
        sqlite3_bind_int64(look.get(), 2, after);
        bench::step_once(look.get());
      }
    });
  };
  const std::string from = "condition that matches nothing, from 0 against the head, by ";
  for (const auto& [name, condition] :
       {std::pair{"tag", R"([{"tags":["none"]}])"},
        std::pair{"type and tag", R"([{"types":["T9"],"tags":["many:3"]}])"},
        std::pair{"type", R"([{"types":["Never"]}])"}}) {
    report.measure({from + name, calls, [&, c = std::string(condition)] { return round(c, head); },
                    [&, c = std::string(condition)] { return round(c, 0); }});
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) events = std::atoll(argv[1]);
  if (argc > 2 || events < found * types || events % (found * types * types) != 0) {
    std::printf(
        "usage: tags_sqlite [EVENTS]   (1000000; of tens of thousands)\n"
        "  EVERCORE_BENCH_BEFORE=FILE   measures appends against an older extension too\n");
    return 2;
  }
  bench::Report report("tags_sqlite");
  ask_tax(report);
  ask_condition(report);
  const Store store("tags");
  fill(store, Tags::three);
  ask_queries(report, store);
  store.run("SELECT evercore_index_types()");
  ask_after(report, store);
  return report.finish();
}
