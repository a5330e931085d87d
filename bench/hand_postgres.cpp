// evercore beside a table by hand in PostgreSQL, both by libpq with prepared statements.
//   EVERCORE_TEST_POSTGRES=postgres://… build/bench/hand_postgres
// The database holds stores in the schemas evercore and memory.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "hand.h"
#include "memory.h"
#include "postgres_session.hpp"

namespace {

using bench::Event;
using bench::Keeper;
using bench::Session;

std::string conninfo;

class InPostgres : public Keeper {
 public:
  InPostgres(std::string name, const std::string& schema)
      : Keeper(std::move(name)), session_(conninfo) {
    session_.run("SET search_path = " + schema + ", public");
  }
  using Keeper::append;

  std::int64_t read(const std::string& stream) override {
    return PQntuples(session_.execute("read", {stream}).get());
  }
  void checkpoint() override {
    session_.run("CHECKPOINT");
    from_ = PQgetvalue(session_.run("SELECT pg_current_wal_insert_lsn()").get(), 0, 0);
  }
  double written() override {
    return static_cast<double>(bench::number(
        session_.run("SELECT pg_current_wal_insert_lsn() - '" + from_ + "'::pg_lsn"), 0, 0));
  }
  [[nodiscard]] std::string process() {
    return std::to_string(bench::number(session_.run("SELECT pg_backend_pid()"), 0, 0));
  }

 protected:
  Session session_;

 private:
  std::string from_;
};

class ByHand : public InPostgres {
 public:
  explicit ByHand(const std::string& schema) : InPostgres("by hand", schema) {
    session_.run("CREATE SCHEMA " + schema);
    session_.run(
        "CREATE TABLE event (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY"
        " KEY, stream text NOT NULL, version bigint NOT NULL, id uuid NOT NULL UNIQUE, type text"
        " NOT NULL, data jsonb NOT NULL, time timestamptz NOT NULL DEFAULT now(), UNIQUE (stream,"
        " version))");
    session_.prepare("append",
                     "INSERT INTO event (stream, version, id, type, data) VALUES ($1,$2,$3,$4,$5)");
    session_.prepare(
        "read",
        "SELECT version, id, type, data, time FROM event WHERE stream = $1 ORDER BY version");
  }
  void append(const std::string& stream, const std::vector<Event>& events,
              std::int64_t version) override {
    if (events.size() > 1) session_.run("BEGIN");
    for (const Event& event : events) {
      session_.execute("append",
                       {stream, std::to_string(++version), event.id, event.type, event.data});
    }
    if (events.size() > 1) session_.run("COMMIT");
  }
  std::int64_t state(const std::string& stream) override {
    bench::Fold fold;
    const auto events = session_.execute("read", {stream});
    for (int row = 0; row < PQntuples(events.get()); ++row) {
      fold.add(PQgetvalue(events.get(), row, 3));
    }
    return fold.members();
  }
};

class Evercore : public InPostgres {
 public:
  explicit Evercore(const std::string& schema) : InPostgres("evercore", schema) {
    session_.prepare("append",
                     "SELECT evercore_append(evercore_ensure('User', $1), $2, $4, $5, NULL, NULL,"
                     " NULL, $3)");
    session_.prepare("append_many", "SELECT evercore_append_many($1)");
    session_.prepare("read",
                     "SELECT sequence, event_id, event_type, data, event_time FROM"
                     " evercore_events(evercore_find('User', $1))");
    session_.prepare("state", "SELECT evercore_state(evercore_find('User', $1))");
  }
  void append(const std::string& stream, const std::vector<Event>& events,
              std::int64_t version) override {
    if (events.size() > 1) {
      session_.execute("append_many", {bench::append_many_call(stream, events, version)});
      return;
    }
    session_.execute(
        "append", {stream, std::to_string(version), events[0].id, events[0].type, events[0].data});
  }
  std::int64_t state(const std::string& stream) override {
    bench::Fold members;
    members.add(PQgetvalue(session_.execute("state", {stream}).get(), 0, 0));
    return members.members();
  }
};

/// Runs one checkpoint after the other while it lives.
class Checkpoints {
 public:
  Checkpoints()
      : running_([this] {
          Session session(conninfo);
          while (!stop_) {
            session.run("CHECKPOINT");
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
          }
        }) {}
  ~Checkpoints() {
    stop_ = true;
    running_.join();
  }
  Checkpoints(const Checkpoints&) = delete;
  Checkpoints& operator=(const Checkpoints&) = delete;

 private:
  std::atomic<bool> stop_{false};
  std::thread running_;
};

/// What the server's process of a session takes: all that is resident, and without the shared buffers that it touched.
template <typename Kind>
void ask_memory(bench::Report& report, const std::string& schema) {
  Kind keeper(schema);
  bench::OwnMemory own(keeper.process());
  bench::use_once(keeper);
  report.add({"memory of a backend, its own, " + keeper.name(), own.most(), "MB"});
  report.add({"memory of a backend, with shared buffers, " + keeper.name(),
              bench::megabytes(keeper.process(), "VmHWM"), "MB"});
}

int measure() {
  bench::Report report("hand_postgres");
  {
    ByHand by_hand("hand");
    Evercore evercore("evercore");
    bench::ask_speed(report, {by_hand, evercore});
    {
      const Checkpoints running;
      bench::ask_waits(report, {by_hand, evercore});
    }
    bench::ask_log(report, {by_hand, evercore});
  }
  ask_memory<ByHand>(report, "hand_memory");
  ask_memory<Evercore>(report, "memory");
  return report.finish();
}

}  // namespace

int main(int argc, char**) {
  const char* uri = std::getenv("EVERCORE_TEST_POSTGRES");
  if (uri == nullptr || argc > 1) {
    std::fprintf(stderr, "usage: EVERCORE_TEST_POSTGRES=postgres://… hand_postgres\n");
    return 2;
  }
  conninfo = uri;
  try {
    return measure();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hand_postgres: %s\n", error.what());
    return 1;
  }
}
