// What becomes of a PostgreSQL store as it grows? 10 M events of 1 M aggregates beside tables by hand that hold the same, and
// both beside themselves with 100,000 events.
//   EVERCORE_TEST_POSTGRES=postgres://… build/bench/scale_postgres      EVERCORE_BENCH_EVENTS=200000 for a look at the program
// The database holds stores in the schemas large and small: see bench.mk.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "memory.h"
#include "postgres_session.hpp"
#include "scale.h"

namespace {

using bench::number;
using bench::Session;
using bench::Side;
using bench::Size;

std::string conninfo;

const std::string data =
    R"({"name":"Ann Example","street":"Long Road 12","city":"Springfield","visits":17,"active":true,"score":12.5,"note":"abcdef"})";

/// One session in one schema.
class OfPostgres : public Side {
 public:
  OfPostgres(const std::string& schema, Size size) : Side(size), session_(conninfo) {
    session_.run("SET search_path = " + schema + ", public");
  }
  void append(std::int64_t aggregate) override {
    session_.execute("append", {std::to_string(aggregate), data});
  }
  void state(std::int64_t aggregate) override {
    session_.execute("state", {std::to_string(aggregate)});
  }
  std::int64_t follow(std::int64_t after) override {
    return PQntuples(session_.execute("follow", {std::to_string(after)}).get());
  }
  std::int64_t head() override { return number(session_.execute("head", {}), 0, 0); }
  std::int64_t check() override { return number(session_.execute("check", {}), 0, 0); }
  void stats() override { session_.execute("stats", {}); }

  [[nodiscard]] std::string process() {
    return std::to_string(number(session_.run("SELECT pg_backend_pid()"), 0, 0));
  }

 protected:
  Session session_;
};

class Evercore : public OfPostgres {
 public:
  Evercore(const std::string& schema, Size size) : OfPostgres(schema, size) {
    session_.prepare("append", "SELECT evercore_append($1, NULL, 'Changed', $2)");
    session_.prepare("state", "SELECT evercore_state($1)");
    session_.prepare("follow", "SELECT * FROM evercore_follow($1, 1000)");
    session_.prepare("query", "SELECT * FROM evercore_query($1)");
    session_.prepare("head", "SELECT max(position) FROM evercore_event");
    session_.prepare("check", "SELECT count(*) FROM evercore_check()");
    session_.prepare("stats", "SELECT * FROM evercore_stats()");
    session_.prepare("reset", "SELECT evercore_reset('s', $1)");
    session_.prepare("claim", "SELECT evercore_claim('s', 'bench', 600)");
    session_.prepare("fetch", "SELECT * FROM evercore_fetch('s', $1, 1000)");
    session_.prepare("ack", "SELECT evercore_ack('s', $1, $2)");
  }
  std::int64_t query(std::int64_t tag) override {
    const std::string asked = "[{\"tags\":[\"course:" + std::to_string(tag) + "\"]}]";
    return PQntuples(session_.execute("query", {asked}).get());
  }
  std::int64_t catch_up(std::int64_t from) override {
    session_.execute("reset", {std::to_string(from)});
    const std::string token = std::to_string(number(session_.execute("claim", {}), 0, 0));
    std::int64_t read = 0;
    for (;;) {
      const auto page = session_.execute("fetch", {token});
      const int rows = PQntuples(page.get());
      if (rows == 0) return read;
      read += rows;
      session_.execute("ack", {token, std::to_string(number(page, rows - 1, 0))});
    }
  }
};

class ByHand : public OfPostgres {
 public:
  ByHand(const std::string& schema, Size size) : OfPostgres(schema, size) {
    const std::string columns =
        "SELECT e.position, e.aggregate_id, a.type, a.key, e.sequence, e.type, e.data, e.reference,"
        " e.metadata, coalesce(e.time, e.recorded_at), e.recorded_at, e.event_id, e.tags FROM "
        "event e JOIN aggregate a ON a.aggregate_id = e.aggregate_id";
    session_.prepare("append",
                     "WITH u AS (UPDATE aggregate SET sequence = sequence + 1 WHERE aggregate_id ="
                     " $1 RETURNING sequence) INSERT INTO event (aggregate_id, sequence, type,"
                     " data) SELECT $1, u.sequence, 'Changed', $2::json FROM u");
    session_.prepare("state",
                     "SELECT json_object_agg(key, value) FROM (SELECT DISTINCT ON (j.key) j.key,"
                     " j.value FROM event e, json_each(e.data) j WHERE e.aggregate_id = $1 ORDER BY"
                     " j.key, e.sequence DESC) newest");
    session_.prepare("follow", columns + " WHERE e.position > $1 ORDER BY e.position LIMIT 1000");
    session_.prepare("query", columns +
                                  " JOIN event_tag g ON g.position = e.position WHERE g.tag = $1"
                                  " ORDER BY g.position");
    session_.prepare("head", "SELECT max(position) FROM event");
    session_.prepare(
        "check",
        "SELECT (SELECT count(*) FROM (SELECT sequence, lag(sequence, 1, 0::bigint) OVER (PARTITION"
        " BY aggregate_id ORDER BY sequence) AS previous FROM event) e WHERE sequence <> previous +"
        " 1) + (SELECT count(*) FROM (SELECT aggregate_id, max(sequence) AS newest FROM event GROUP"
        " BY 1) e FULL JOIN aggregate a USING (aggregate_id) WHERE e.newest IS DISTINCT FROM"
        " a.sequence)");
    session_.prepare(
        "stats",
        "SELECT (SELECT count(*) FROM aggregate), count(*), max(position), min(recorded_at),"
        " max(recorded_at), sum(length(data::text)) FROM event");
    session_.prepare("ack", "UPDATE cursor SET position = $1 WHERE name = 's'");
  }
  std::int64_t query(std::int64_t tag) override {
    return PQntuples(session_.execute("query", {"course:" + std::to_string(tag)}).get());
  }
  std::int64_t catch_up(std::int64_t from) override {
    std::int64_t read = 0;
    for (;;) {
      const auto page = session_.execute("follow", {std::to_string(from)});
      const int rows = PQntuples(page.get());
      if (rows == 0) return read;
      read += rows;
      from = number(page, rows - 1, 0);
      session_.execute("ack", {std::to_string(from)});
    }
  }
};

constexpr const char* tables_by_hand =
    "CREATE TABLE aggregate (aggregate_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, type"
    " text NOT NULL, key text NOT NULL, sequence bigint NOT NULL, UNIQUE (type, key)) WITH"
    " (fillfactor = 70);"
    "CREATE TABLE event (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, aggregate_id"
    " bigint NOT NULL, sequence bigint NOT NULL, recorded_at timestamptz NOT NULL DEFAULT"
    " clock_timestamp(), type text NOT NULL, data json NOT NULL, time timestamptz, reference text,"
    " metadata json, event_id text, tags json, UNIQUE (aggregate_id, sequence));"
    "CREATE UNIQUE INDEX event_id ON event (event_id) WHERE event_id IS NOT NULL;"
    "CREATE TABLE event_tag (tag text, position bigint, PRIMARY KEY (tag, position));"
    "CREATE TABLE cursor (name text PRIMARY KEY, position bigint NOT NULL);"
    "INSERT INTO cursor VALUES ('s', 0);";

std::string series(std::int64_t first, std::int64_t last) {
  return " FROM generate_series(" + std::to_string(first) + "::bigint, " + std::to_string(last) +
         ") i";
}

/// Events from 0 on by `select`, a hundred thousand a transaction.
void fill_events(Session& session, const std::string& schema, Size size,
                 const std::string& select) {
  constexpr std::int64_t step = 100'000;
  for (std::int64_t done = 0; done < size.events; done += step) {
    bench::progress(schema, done, size.events);
    session.run(select + series(done, std::min(size.events, done + step) - 1));
  }
  bench::progress(schema, size.events, size.events);
}

/// Aggregate and sequence of event i, and its tags.
struct Columns {
  std::string aggregate_and_sequence, tag, tags;
  explicit Columns(Size size)
      : aggregate_and_sequence("1 + i % " + std::to_string(size.aggregates()) + ", 1 + i / " +
                               std::to_string(size.aggregates())),
        tag("'course:' || i / 10 % " + std::to_string(size.tags())),
        tags(", CASE WHEN i % 10 = 0 THEN json_build_array(" + tag + ") END") {}
};

/// What a store takes on disk, in bytes an event; its tables are vacuumed first.
double settle(Session& session, const std::string& schema, Size size) {
  session.run("VACUUM ANALYZE");
  session.run("CHECKPOINT");
  const auto bytes = session.run(
      "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace"
      " = '" +
      schema + "'::regnamespace");
  return static_cast<double>(number(bytes, 0, 0)) / static_cast<double>(size.events);
}

double fill_evercore(const std::string& schema, Size size) {
  const Columns of(size);
  Session session(conninfo);
  session.run("SET search_path = " + schema + ", public; SET synchronous_commit = off");
  session.run("SELECT evercore_ensure('User', 'key1')");
  session.run("UPDATE evercore_aggregate SET sequence = 10");
  session.run(
      "INSERT INTO evercore_aggregate (type_id, natural_key, sequence) SELECT 1, 'key' || i, 10" +
      series(2, size.aggregates()));
  fill_events(
      session, schema, size,
      "INSERT INTO evercore_event (aggregate_id, sequence, event_type, data, tags) SELECT " +
          of.aggregate_and_sequence + ", 'Changed', '" + data +
          "', CASE WHEN i % 10 = 0 THEN json_build_array(" + of.tag + ") END");
  session.run(
      "INSERT INTO evercore_event_tag SELECT json_array_elements_text(tags), event_type, position"
      " FROM evercore_event WHERE tags IS NOT NULL ORDER BY 1, 2, 3");
  session.run("SELECT evercore_subscribe('s')");
  return settle(session, schema, size);
}

double fill_by_hand(const std::string& schema, Size size) {
  const Columns of(size);
  Session session(conninfo);
  session.run("CREATE SCHEMA " + schema);
  session.run("SET search_path = " + schema + ", public; SET synchronous_commit = off");
  session.run(tables_by_hand);
  session.run("INSERT INTO aggregate (type, key, sequence) SELECT 'User', 'key' || i, 10" +
              series(1, size.aggregates()));
  fill_events(session, schema, size,
              "INSERT INTO event (aggregate_id, sequence, type, data, tags) SELECT " +
                  of.aggregate_and_sequence + ", 'Changed', '" + data + "'" + of.tags);
  session.run("INSERT INTO event_tag SELECT " + of.tag + ", i + 1" + series(0, size.events - 1) +
              " WHERE i % 10 = 0 ORDER BY 1, 2");
  return settle(session, schema, size);
}

/// What the server's process of one session takes, which uses a store once, or checks it.
template <typename Kind>
void ask_memory(bench::Report& report, const std::string& kind, const std::string& schema,
                Size size) {
  for (const bool check : {false, true}) {
    const std::string name = "memory of a backend, " +
                             std::string(check ? "check of " : "use of ") +
                             bench::spelled(size.events) + " events";
    if (!report.asks(name)) continue;
    Kind side(schema, size);
    bench::OwnMemory own(side.process());
    check ? static_cast<void>(side.check()) : bench::use_once(side);
    report.add({name + ", its own, " + kind, own.most(), "MB"});
    report.add(
        {name + ", with shared buffers, " + kind, bench::megabytes(side.process(), "VmHWM"), "MB"});
  }
}

int measure() {
  bench::Report report("scale_postgres");
  const Size size = Size::large();
  const std::string bytes = "bytes an event, " + bench::spelled(size.events) + " events";
  fill_by_hand("hand_small", Size::small());
  fill_evercore("small", Size::small());
  report.add({bytes + ", tables by hand", fill_by_hand("hand", size), "bytes"});
  report.add({bytes + ", evercore", fill_evercore("large", size), "bytes"});
  {
    ByHand their_small("hand_small", Size::small()), their_large("hand", size);
    Evercore our_small("small", Size::small()), our_large("large", size);
    bench::ask_all(report, {their_small, their_large}, {our_small, our_large});
  }
  ask_memory<ByHand>(report, "tables by hand", "hand", size);
  ask_memory<Evercore>(report, "evercore", "large", size);
  return report.finish();
}

}  // namespace

int main(int argc, char**) {
  const char* uri = std::getenv("EVERCORE_TEST_POSTGRES");
  if (uri == nullptr || argc > 1) {
    std::fprintf(stderr, "usage: EVERCORE_TEST_POSTGRES=postgres://… scale_postgres\n");
    return 2;
  }
  conninfo = uri;
  try {
    return measure();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "scale_postgres: %s\n", error.what());
    return 1;
  }
}
