// What only a server can do: go away. Runs on PostgreSQL alone.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "accounts.h"
#include "runners.h"

using namespace evercore;

namespace {

int shell(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str());
}

// A command of the server's own user, in the directory of with_server's private cluster; nothing
// for a server that is not ours.
std::string as_server(const std::string& command) {
  return (geteuid() == 0 ? "cd / && runuser -u postgres -- " : "") + command;
}

bool private_server() {
  return harness::on_postgres() && std::getenv("EVERCORE_SERVER_DATA") != nullptr &&
         std::getenv("EVERCORE_SERVER_BIN") != nullptr &&
         std::getenv("EVERCORE_BEHIND_POOLER") == nullptr;
}

std::string pg_ctl(const std::string& what) {
  return as_server(std::string(std::getenv("EVERCORE_SERVER_BIN")) + "/pg_ctl -t 300 -D " +
                   std::getenv("EVERCORE_SERVER_DATA") + " -w " + what);
}

// Whether the condition came true before two minutes were over.
bool comes_true(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{2};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return true;
}

// A statement that only the end of its connection ends, from a thread of its own.
class LongCall {
 public:
  explicit LongCall(EventStore store)
      : thread_([this, store]() mutable {
          // A pooled connection from before an earlier death fails before anything runs on it.
          while (process_ == 0 && other_.empty()) run(store);
          ended_ = true;
        }) {}

  // The server's process that runs it, once it does; 0 when that does not come to be.
  std::int64_t process(EventStore& store) {
    const auto runs = [&] {
      std::int64_t running = 0;
      auto keep = [&](const Row& row) { running = row.integer(0); };
      try {
        store.with_context([&](Context& ctx) {
          ctx.execute(
              "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state = 'active'"
              " AND query LIKE '%pg_sleep%'",
              {process_.load()}, keep);
        });
      } catch (const connection_error&) {  // of a pooled connection from before
      }
      return running > 0;
    };
    const auto begun = [&] {
      const std::int64_t process = process_;
      if (process == 0 || !runs()) return false;
      seen_ = true;
      return process_ == process;
    };
    return comes_true([&] { return ended_ || begun(); }) && !ended_ ? process_.load() : 0;
  }
  bool ends() {
    return comes_true([&] { return ended_.load(); });
  }
  bool lost() const { return lost_; }
  const std::string& other() const { return other_; }

 private:
  // A connection from before a restart may be lost before the call was seen to run: then it begins again.
  void run(EventStore& store) {
    do {
      try {
        store.with_context([&](Context& ctx) {
          auto keep = [&](const Row& row) { process_ = row.integer(0); };
          ctx.execute("SELECT pg_backend_pid()::bigint", {}, keep);
          ctx.execute("SELECT pg_sleep(120)::text");
        });
      } catch (const connection_error&) {
        lost_ = seen_.load();
        if (!lost_) process_ = 0;
      } catch (const std::exception& fault) {
        other_ = fault.what();
      }
    } while (!lost_ && process_ == 0 && other_.empty());
  }

  std::atomic<std::int64_t> process_ = 0;
  std::atomic<bool> ended_ = false;
  std::atomic<bool> lost_ = false;
  std::atomic<bool> seen_ = false;
  std::string other_;
  std::jthread thread_;  // the last member: the first to go
};

// Four threads that append for as long as it lives, and what became of what they appended.
class Appenders {
 public:
  explicit Appenders(EventStore store) : store_(std::move(store)) {
    for (auto& one : all_) one.id = new_user(store_, "u" + std::to_string(&one - all_.data()));
    for (auto& one : all_) {
      threads_.emplace_back([this, &one](std::stop_token stop) {
        while (!stop.stop_requested()) append(one);
      });
    }
  }

  // Whether each of them appends once more from now on.
  bool go_on() {
    std::array<int, 4> before{};
    for (std::size_t i = 0; i < all_.size(); ++i) before[i] = all_[i].acknowledged;
    return comes_true([&] {
      for (std::size_t i = 0; i < all_.size(); ++i) {
        if (all_[i].acknowledged == before[i]) return false;
      }
      return true;
    });
  }

  // Each acknowledged event is there, and beside them only events whose fate was reported as unknown.
  void check() {
    threads_.clear();  // which stops and joins them
    CHECK(surprise_ == "");
    store_.with_readonly_context([&](ReadonlyContext& ctx) {
      for (const auto& one : all_) {
        const auto logins = ctx.load<UserAggregate>(one.id)->logins;
        CHECK(logins >= one.acknowledged);
        CHECK(logins <= one.acknowledged + one.unknown);
      }
    });
    CHECK(store_.check().empty());
  }

 private:
  struct One {
    std::int64_t id = 0;
    std::atomic<int> acknowledged = 0, unknown = 0;
  };

  void append(One& one) {
    try {
      store_.with_context(
          [&](Context& ctx) { ctx.load<UserAggregate>(one.id).apply(UserLoggedIn{}); });
      ++one.acknowledged;
    } catch (const connection_error& fault) {
      if (fault.may_have_written()) ++one.unknown;
    } catch (const std::exception& fault) {
      const std::lock_guard lock(mutex_);
      surprise_ = fault.what();
    }
  }

  EventStore store_;
  std::array<One, 4> all_{};
  std::mutex mutex_;
  std::string surprise_;
  std::vector<std::jthread> threads_;  // the last member: the first to go
};

}  // namespace

TEST_CASE("the pool finds back to a server that was killed and started again") {
  if (!private_server()) return;
  harness::Place place;
  auto store = connect(place.uri() + "&reconnect=20000");
  Appenders appenders(store);
  REQUIRE(appenders.go_on());
  LongCall under_way(store);
  REQUIRE(under_way.process(store) > 0);
  const bool stopped = shell(pg_ctl("-m immediate stop")) == 0;
  const bool lost = under_way.ends();
  REQUIRE(shell(pg_ctl("-o '-F' -l /dev/null start")) == 0);
  CHECK(stopped);
  CHECK(lost);
  CHECK(under_way.lost());
  CHECK(under_way.other() == "");
  CHECK(appenders.go_on());
  appenders.check();
}

TEST_CASE("the pool outlives the death of single server processes") {
  if (!private_server()) return;
  harness::Place place;
  auto store = connect(place.uri() + "&reconnect=20000");
  Appenders appenders(store);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(appenders.go_on());
    LongCall under_way(store);
    const auto process = under_way.process(store);
    REQUIRE(process > 0);
    // Signal 9 to one process: the server throws everybody out and starts over.
    REQUIRE(shell("kill -9 " + std::to_string(process)) == 0);
    REQUIRE(under_way.ends());
    CHECK(under_way.lost());
    CHECK(under_way.other() == "");
  }
  CHECK(appenders.go_on());
  appenders.check();
}

TEST_CASE("a connection that the server ended while it was idle is not handed out") {
  if (!private_server()) return;
  harness::Place place;
  auto here = connect(place.uri()), there = connect(place.uri());
  for (int i = 0; i < 3; ++i) {
    std::int64_t process = 0;
    auto sink = [&](const Row& row) { process = row.integer(0); };
    here.with_context([&](Context& ctx) { ctx.execute("SELECT pg_backend_pid()", {}, sink); });
    REQUIRE(process > 0);
    there.with_context([&](Context& ctx) {
      ctx.execute("SELECT pg_terminate_backend($1::int)", {std::to_string(process)});
    });
    REQUIRE(comes_true([&] { return shell("kill -0 " + std::to_string(process)) != 0; }));
    CHECK_NOTHROW(runners::append(here, "a", "Made"));
  }
  CHECK(here.follow(0).size() == 3);
}

TEST_CASE(
    "what is wrong with a program's own statement is no fault of the store or the connection") {
  if (!harness::on_postgres()) return;
  harness::Place place;
  auto store = connect(place.uri());
  const auto run = [&](std::string_view sql, std::initializer_list<Parameter> parameters = {}) {
    try {
      store.with_context([&](Context& ctx) { ctx.execute(sql, parameters); });
    } catch (const engine_error& fault) {
      return std::string(fault.code());
    }
    return std::string();
  };
  CHECK(run("SELECT no_such_function()") == "42883");
  CHECK(run("SELECT * FROM no_such_schema.things") == "42P01");
  CHECK(run("CREATE TABLE no_such_schema.things ()") == "3F000");
  CHECK(run("SELECT $1::text || $2::text", {"a"}) == "08P01");
}

TEST_CASE("stores in two schemas of a database do not touch") {
  if (!harness::on_postgres()) return;
  harness::Place place;
  auto first = connect(place.uri()), second = connect(place.uri() + "&schema=other");
  new_user(first, "ann");
  CHECK(second.follow(0).empty());
  CHECK(first.follow(0).size() == 1);
}

TEST_CASE("unprepared statements do the same") {
  if (!harness::on_postgres()) return;
  harness::Place place;
  auto store = connect(place.uri() + "&prepared=off");
  const auto id = new_user(store, "ann");
  store.with_context(
      [&](Context& ctx) { ctx.load<UserAggregate>(id).apply(UserNoted{"x"}, {.reference = "r"}); });
  store.with_readonly_context([&](ReadonlyContext& ctx) {
    CHECK(ctx.load<UserAggregate>(id)->last_note.starts_with("x by r at "));
  });
}

TEST_CASE("connecting again to a store needs nothing to be installed") {
  if (!harness::on_postgres()) return;
  harness::Place place;
  auto store = connect(place.uri());
  const auto id = new_user(store, "ann");
  auto again = connect(place.uri());
  again.with_readonly_context(
      [&](ReadonlyContext& ctx) { CHECK(ctx.load<UserAggregate>("ann").id() == id); });
  CHECK_FALSE(again.version().empty());
}

TEST_CASE("connecting brings a store that the scripts of 0.1 made up to date") {
  if (!harness::on_postgres()) return;
  harness::Place place(harness::Holds::nothing);
  std::string named = "sed -e 's/@extschema@/evercore/g'";
  for (const std::string role : {"owner", "writer", "reader"})
    named += " -e 's/@" + role + "@/evercore_" + role + "/g'";
  FILE* psql = popen(("{ gzip -dc tests/postgres/releases/evercore-0.1.0.sql.gz | " + named +
                      "; cat; } | psql -X -q -1 -v ON_ERROR_STOP=1 -o /dev/null -d '" +
                      place.database() + "' 2>/dev/null")
                         .c_str(),
                     "w");
  REQUIRE(psql != nullptr);
  std::fputs(
      "SET LOCAL search_path = evercore; SELECT evercore_append("
      R"(evercore_ensure('User', 'ann'), 0, 'UserCreated', '{"username":"ann"}');)",
      psql);
  REQUIRE(pclose(psql) == 0);

  auto store = connect(place.uri());
  CHECK(store.version() != "0.1.0");
  CHECK(store.follow(0).size() == 1);
  store.with_context([&](Context& ctx) {
    auto ann = ctx.load<UserAggregate>("ann");
    CHECK(ann->username == "ann");
    ann.apply(UserNoted{"x"}, {.reference = "r"});
    ctx.create<UserAggregate>("bob").apply(UserCreated{"bob"});
  });
  CHECK(store.follow(0).size() == 3);
  CHECK(store.check().empty());
}

TEST_CASE("subscriptions work where transactions are stricter by default") {
  if (!harness::on_postgres() || std::getenv("EVERCORE_BEHIND_POOLER") != nullptr) return;
  harness::Place place;
  {
    auto store = connect(place.uri());
    runners::append(store, "a", "Made", 3);
  }
  auto store = connect(place.uri() + "&options=-c%20default_transaction_isolation%3Dserializable");
  CHECK(store.follow(0).size() == 3);
  CHECK(runners::catch_up(store, "s").size() == 3);
}

TEST_CASE("a runner outlives a restart of the server, and each event has one effect") {
  if (!private_server()) return;
  harness::Fresh fresh;
  runners::append(fresh.store, "a", "Made", 200);
  runners::Gate begun;
  std::atomic<int> handled{0};
  runners::Background runner([&](std::stop_token stop) {
    SubscriptionOptions options{.stop = stop, .batch_size = 5, .lease = std::chrono::seconds{2}};
    options.until_caught_up = true;
    return fresh->run_subscription(
        "s", {.aggregate_type = "Thing"}, Start::beginning(), options,
        [&](Context& ctx, const RecordedEvent& event) {
          ctx.publish("Effect", std::to_string(event.sequence), {"Seen", "{}"}, 0);
          if (++handled == 20) begun.open();
        });
  });
  REQUIRE(begun.wait());
  REQUIRE(shell(pg_ctl("-m immediate stop")) == 0);
  std::this_thread::sleep_for(std::chrono::milliseconds{300});
  REQUIRE(shell(pg_ctl("-o '-F' -l /dev/null start")) == 0);
  REQUIRE(runner.ended.wait());
  CHECK(runner.fault == "");
  CHECK(runner.end == SubscriptionEnd::caught_up);
  CHECK(runners::catch_up(fresh.store, "e", {.aggregate_type = "Effect"}).size() == 200);
}

TEST_CASE("a runner stops, and its store is gone, while the server is down") {
  if (!private_server()) return;
  {
    harness::Place place;
    auto store = connect(place.uri() + "&reconnect=200");
    runners::append(store, "a", "Made", 1);
    runners::Listener listener(store);
    REQUIRE(listener.reaches(1));
    REQUIRE(shell(pg_ctl("-m immediate stop")) == 0);
    std::this_thread::sleep_for(std::chrono::milliseconds{300});
  }
  REQUIRE(shell(pg_ctl("-o '-F' -l /dev/null start")) == 0);
}
