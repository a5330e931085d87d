// How fast the PostgreSQL mirror is beside the same work written by hand, in one run, interleaved,
// medians of several rounds.
//   EVERCORE_TEST_POSTGRES=postgres://… build/bench/append_postgres [rounds [seconds [events to
//   follow]]]
// The database must hold a store in the schema evercore; the program fills it.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "harness.h"
#include "postgres_session.hpp"

namespace {

using bench::Session;
using Clock = std::chrono::steady_clock;

const std::string kData =
    R"({"name":"Ann Example","street":"Long Road 12","city":"Springfield","visits":17,"active":true,"score":12.5,"note":"abcdef"})";
constexpr int kAggregates = 10000;

// The baseline: what one writes by hand on the same tables, in one round trip, without checks.
const char* const kRaw =
    "WITH u AS (UPDATE evercore_aggregate SET sequence = sequence + 1 WHERE aggregate_id = $1 "
    "RETURNING sequence) "
    "INSERT INTO evercore_event (aggregate_id, sequence, event_type, data) SELECT $1, u.sequence, "
    "'Visited', $2::json FROM u "
    "RETURNING sequence";
const char* const kBare =
    "INSERT INTO evercore_event (aggregate_id, sequence, event_type, data) VALUES ($1, $3, "
    "'Visited', $2::json)";
const char* const kAppend = "SELECT evercore_append($1, NULL, 'Visited', $2)";
const char* const kColumns =
    "e.position, e.aggregate_id, t.name, a.natural_key, e.sequence, e.event_type, e.data, "
    "e.reference, e.metadata, "
    "coalesce(e.event_time, e.recorded_at), e.recorded_at, e.event_id FROM evercore_event e "
    "JOIN evercore_aggregate a ON a.aggregate_id = e.aggregate_id JOIN evercore_aggregate_type t "
    "ON t.type_id = a.type_id ";

std::string conninfo;
int rounds = 5;
double seconds = 2;
long long follow_events = 1000000;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Calls a second of one statement by so many clients for a while; aggregates are distinct among
// clients unless hot.
double rate(int clients, const char* statement, bool hot, double length) {
  std::atomic<long long> calls{0};
  std::atomic<bool> stop{false};
  std::atomic<int> ready{0};
  static std::atomic<long long> fresh{1000000000};
  std::vector<std::thread> threads;
  for (int client = 0; client < clients; ++client) {
    threads.emplace_back([&, client] {
      Session session(conninfo);
      session.prepare("s", statement);
      const bool bare = statement == kBare;
      std::minstd_rand dice(static_cast<unsigned>(client + 1));
      ++ready;
      while (ready < clients) std::this_thread::yield();
      while (!stop) {
        const int aggregate =
            hot ? 1
                : client +
                      clients *
                          static_cast<int>(dice() % static_cast<unsigned>(kAggregates / clients)) +
                      1;
        std::vector<std::string> parameters{std::to_string(aggregate), kData};
        if (bare) parameters.push_back(std::to_string(++fresh));
        session.execute("s", parameters);
        ++calls;
      }
    });
  }
  while (ready < clients) std::this_thread::yield();
  const auto start = Clock::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(length));
  stop = true;
  const double elapsed = since(start);
  for (auto& thread : threads) thread.join();
  return static_cast<double>(calls) / elapsed;
}

void appends(bench::Report& report) {
  for (const int clients : {1, 16}) {
    std::vector<double> ours, raw, bare;
    for (int i = 0; i < rounds; ++i) {
      raw.push_back(rate(clients, kRaw, false, seconds));
      ours.push_back(rate(clients, kAppend, false, seconds));
      bare.push_back(rate(clients, kBare, false, seconds));
    }
    const std::string name =
        "append, " + std::to_string(clients) + (clients == 1 ? " client" : " clients");
    report.compare(name + ", against raw", raw, ours);
    report.compare(name + ", against a bare INSERT", bare, ours);
  }
  std::vector<double> hot, hot_raw, single;
  for (int i = 0; i < rounds; ++i) {
    hot.push_back(rate(16, kAppend, true, seconds));
    hot_raw.push_back(rate(16, kRaw, true, seconds));
    single.push_back(rate(1, kAppend, true, seconds));
  }
  report.compare("append to one hot aggregate, 16 clients, against raw", hot_raw, hot);
  report.compare("append to one hot aggregate, 16 clients, against 1", single, hot);
}

// One call of 1,000 events against one literal INSERT of the same rows (and the UPDATE of the
// version).
void append_many(bench::Report& report) {
  constexpr int kBatch = 1000;
  Session session(conninfo);
  std::string document = R"([{"aggregate_id":2,"events":[)";
  for (int i = 0; i < kBatch; ++i)
    document += (i ? "," : "") + (R"({"event_type":"Visited","data":)" + kData + "}");
  document += "]}]";
  std::vector<double> ours, raw;
  for (int i = 0; i < rounds * 4; ++i) {
    const auto before = bench::number(
        session.run("SELECT sequence FROM evercore_aggregate WHERE aggregate_id = 2"), 0, 0);
    std::string insert =
        "INSERT INTO evercore_event (aggregate_id, sequence, event_type, data) VALUES ";
    for (int row = 0; row < kBatch; ++row) {
      insert +=
          (row ? ",(2," : "(2,") + std::to_string(before + row + 1) + ",'Visited','" + kData + "')";
    }
    auto start = Clock::now();
    session.run("BEGIN");
    session.run("UPDATE evercore_aggregate SET sequence = sequence + 1000 WHERE aggregate_id = 2");
    session.run(insert);
    session.run("COMMIT");
    raw.push_back(kBatch / since(start));
    start = Clock::now();
    session.run("SELECT evercore_append_many('" + document + "')");
    ours.push_back(kBatch / since(start));
  }
  report.compare("append_many of 1,000 events, against literal INSERT", raw, ours);
}

void fill(Session& session) {
  session.run(
      "TRUNCATE evercore_aggregate RESTART IDENTITY; SELECT evercore_ensure('Visitor', 'k' || i) "
      "FROM generate_series(1, " +
      std::to_string(kAggregates) + ") i");
}

// Events put into the table as appends would have left them, spread over all aggregates.
void fill_events(Session& session) {
  session.run(
      "INSERT INTO evercore_event (aggregate_id, sequence, event_type, data) SELECT "
      "a.aggregate_id, a.sequence + n, 'Visited', '" +
      kData + "'::json FROM generate_series(1, " + std::to_string(follow_events / kAggregates) +
      ") n, evercore_aggregate a ORDER BY n, a.aggregate_id");
  session.run("UPDATE evercore_aggregate SET sequence = sequence + " +
              std::to_string(follow_events / kAggregates));
  session.run("VACUUM ANALYZE evercore_event; ");
  session.run("VACUUM ANALYZE evercore_aggregate");
  session.run("CHECKPOINT");
}

double read_all(Session& session, const std::string& statement, long long after) {
  long long read = 0;
  const auto start = Clock::now();
  while (read < follow_events) {
    const auto result = session.execute(statement, {std::to_string(after)});
    const int rows = PQntuples(result.get());
    if (rows == 0) break;
    after = bench::number(result, rows - 1, 0);
    read += rows;
  }
  return static_cast<double>(read) / since(start);
}

void follow(bench::Report& report) {
  Session session(conninfo);
  const auto from =
      bench::number(session.run("SELECT coalesce(max(position), 0) FROM evercore_event"), 0, 0);
  fill_events(session);
  session.prepare("ours", "SELECT * FROM evercore_follow($1, 1000)");
  session.prepare("raw", std::string("SELECT ") + kColumns +
                             "WHERE e.position > $1 ORDER BY e.position LIMIT 1000");
  session.prepare(
      "alone",
      "SELECT * FROM evercore_event e WHERE e.position > $1 ORDER BY e.position LIMIT 1000");
  std::vector<double> ours, raw, alone;
  for (int i = 0; i < std::min(rounds, 3); ++i) {
    raw.push_back(read_all(session, "raw", from));
    ours.push_back(read_all(session, "ours", from));
    alone.push_back(read_all(session, "alone", from));
  }
  report.compare("follow " + std::to_string(follow_events) + " events by 1,000, against keyset",
                 raw, ours);
  report.compare("the same, against the event table alone", alone, ours);
}

// The same events through a subscription: fetch and ack, batch by batch.
void catch_up(bench::Report& report) {
  Session session(conninfo);
  const auto from = std::to_string(
      bench::number(session.run("SELECT max(position) FROM evercore_event"), 0, 0) - follow_events);
  session.run("SELECT evercore_subscribe('bench')");
  session.prepare("raw", std::string("SELECT ") + kColumns +
                             "WHERE e.position > $1 ORDER BY e.position LIMIT 1000");
  session.prepare("fetch", "SELECT * FROM evercore_fetch('bench', $1, 1000)");
  session.prepare("ack", "SELECT evercore_ack('bench', $1, $2)");
  std::vector<double> ours, raw;
  for (int i = 0; i < std::min(rounds, 3); ++i) {
    raw.push_back(read_all(session, "raw", std::stoll(from)));
    session.run("SELECT evercore_reset('bench', " + from + ")");
    const auto token = std::to_string(
        bench::number(session.run("SELECT evercore_claim('bench', 'bench', 600)"), 0, 0));
    long long read = 0;
    const auto start = Clock::now();
    for (;;) {
      const auto result = session.execute("fetch", {token});
      const int rows = PQntuples(result.get());
      if (rows == 0) break;
      read += rows;
      session.execute("ack", {token, std::to_string(bench::number(result, rows - 1, 0))});
    }
    ours.push_back(static_cast<double>(read) / since(start));
  }
  report.compare("catch-up of a subscription by 1,000, against keyset", raw, ours);
}

// Milliseconds from a writer's acknowledgement to a reader's sight of the event, 16 writers at a
// moderate pace.
double delay(const std::string& reading) {
  std::mutex mutex;
  std::map<std::pair<long long, long long>, Clock::time_point> committed, seen;
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int client = 0; client < 16; ++client) {
    threads.emplace_back([&, client] {
      Session session(conninfo);
      session.prepare("s", kAppend);
      while (!stop) {
        const auto sequence =
            bench::number(session.execute("s", {std::to_string(client + 100), kData}), 0, 0);
        const auto now = Clock::now();
        {
          const std::lock_guard<std::mutex> lock(mutex);
          committed[{client + 100, sequence}] = now;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    });
  }
  threads.emplace_back([&] {
    Session session(conninfo);
    session.prepare("s", reading);
    long long after = bench::number(session.run("SELECT max(position) FROM evercore_event"), 0, 0);
    while (!stop) {
      const auto result = session.execute("s", {std::to_string(after)});
      const auto now = Clock::now();
      const std::lock_guard<std::mutex> lock(mutex);
      for (int row = 0; row < PQntuples(result.get()); ++row) {
        seen[{bench::number(result, row, 1), bench::number(result, row, 4)}] = now;
        after = bench::number(result, row, 0);
      }
    }
  });
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  for (auto& thread : threads) thread.join();
  std::vector<double> delays;
  for (const auto& [event, at] : committed) {
    const auto found = seen.find(event);
    if (found != seen.end())
      delays.push_back(
          std::max(0.0, std::chrono::duration<double, std::milli>(found->second - at).count()));
  }
  return median(delays);
}

void delays(bench::Report& report) {
  std::vector<double> ours, raw;
  for (int i = 0; i < rounds; ++i) {
    raw.push_back(delay(std::string("SELECT ") + kColumns +
                        "WHERE e.position > $1 ORDER BY e.position LIMIT 1000"));
    ours.push_back(delay("SELECT * FROM evercore_follow($1, 1000)"));
    if (raw.back() <= 0) raw.back() = 0.001;
  }
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / raw[i]);
  report.add({"delay from commit to a follower, 16 writers", median(std::move(ratios)),
              "times that of a reader of the table"});
}

// The profile check as a function, against a function that does nothing; the append has it inline.
void payload(bench::Report& report) {
  Session session(conninfo);
  session.run(
      "CREATE OR REPLACE FUNCTION public.nothing(d text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN "
      "RETURN NULL; END $$");
  std::string large = "{";
  for (int i = 0; i < 180; ++i)
    large += (i ? "," : "") + ("\"member " + std::to_string(i) + "\":\"some text of a value, " +
                               std::to_string(i) + "\"");
  large += "}";
  for (const auto& [name, document] :
       std::map<std::string, std::string>{{"120 bytes", kData}, {"7 KB", large}}) {
    std::vector<double> ours, none;
    for (int i = 0; i < rounds; ++i) {
      for (const bool check : {false, true}) {
        const auto start = Clock::now();
        session.run(std::string("SELECT count(") +
                    (check ? "_evercore_payload_fault" : "public.nothing") + "(d)) FROM (SELECT '" +
                    document + "'::text AS d, generate_series(1, 2000) AS i OFFSET 0) x");
        (check ? ours : none).push_back(since(start) / 2000 * 1e6);
      }
    }
    report.add({"payload check, " + name, median(ours) - median(none),
                "us more than a function of nothing"});
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* uri = std::getenv("EVERCORE_TEST_POSTGRES");
  if (uri == nullptr) {
    std::fprintf(stderr, "append_postgres: EVERCORE_TEST_POSTGRES is not set\n");
    return 2;
  }
  conninfo = uri;
  if (argc > 1) rounds = std::atoi(argv[1]);
  if (argc > 2) seconds = std::atof(argv[2]);
  if (argc > 3) follow_events = std::atoll(argv[3]);
  try {
    Session session(conninfo);
    fill(session);
    const char* name = std::getenv("EVERCORE_BENCH_REPORT");
    bench::Report report(name != nullptr ? name : "postgres");
    appends(report);
    append_many(report);
    delays(report);
    payload(report);
    follow(report);
    catch_up(report);
    return report.finish();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "append_postgres: %s\n", error.what());
    return 1;
  }
  return 0;
}
