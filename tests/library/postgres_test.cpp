// What only a server can do: go away. Runs on PostgreSQL alone.
#include <doctest/doctest.h>

#include <mutex>
#include <thread>

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
  return as_server(std::string(std::getenv("EVERCORE_SERVER_BIN")) + "/pg_ctl -D " +
                   std::getenv("EVERCORE_SERVER_DATA") + " -w " + what);
}

// Appends from four threads while the server is brought down and up again, then checks that each
// acknowledged event is there, and beside them only events whose fate was reported as unknown.
void append_through(const std::function<void()>& disturb) {
  harness::Place place;
  auto store = connect(place.uri() + "&reconnect=20000");
  constexpr int threads = 4;
  std::vector<std::int64_t> ids(threads), acknowledged(threads), unknown(threads), after(threads);
  std::atomic<int> phase{0};
  std::atomic<int> errors{0};
  std::string surprise;
  std::mutex surprises;
  for (auto& id : ids) id = new_user(store, "u" + std::to_string(&id - ids.data()));
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      const auto at = static_cast<std::size_t>(t);
      while (phase < 3) {
        try {
          store.with_context(
              [&](Context& ctx) { ctx.load<UserAggregate>(ids[at]).apply(UserLoggedIn{}); });
          ++acknowledged[at];
          if (phase == 2) ++after[at];
        } catch (const connection_error& fault) {
          ++errors;
          if (fault.may_have_written()) ++unknown[at];
        } catch (const std::exception& fault) {
          const std::lock_guard lock(surprises);
          surprise = fault.what();
        }
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds{200});
  phase = 1;
  disturb();
  phase = 2;
  std::this_thread::sleep_for(std::chrono::milliseconds{700});
  phase = 3;
  for (auto& thread : running) thread.join();
  CHECK(surprise == "");
  CHECK(errors > 0);
  store.with_readonly_context([&](ReadonlyContext& ctx) {
    for (std::size_t t = 0; t < threads; ++t) {
      const auto logins = ctx.load<UserAggregate>(ids[t])->logins;
      CHECK(logins >= acknowledged[t]);
      CHECK(logins <= acknowledged[t] + unknown[t]);
      CHECK(after[t] > 0);
    }
  });
  CHECK(store.check().empty());
}

}  // namespace

TEST_CASE("the pool finds back to a server that was killed and started again") {
  if (!private_server()) return;
  append_through([] {
    REQUIRE(shell(pg_ctl("-m immediate stop")) == 0);
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
    REQUIRE(shell(pg_ctl("-o '-F' -l /dev/null start")) == 0);
  });
}

TEST_CASE("the pool outlives the death of single server processes") {
  if (!private_server()) return;
  append_through([] {
    for (int i = 0; i < 3; ++i) {
      // Signal 9 to one backend: the server throws everybody out and starts over.
      REQUIRE(shell("kill -9 $(psql -XAt -d '" +
                    std::string(std::getenv("EVERCORE_TEST_POSTGRES")) +
                    "' -c \"SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                    " AND pid <> pg_backend_pid() LIMIT 1\")") == 0);
      std::this_thread::sleep_for(std::chrono::milliseconds{300});
    }
  });
}

TEST_CASE("stores in two schemas of a database do not touch") {
  if (!harness::on_postgres()) return;
  harness::Fresh first, second;
  new_user(first.store, "ann");
  CHECK(second->follow(0).empty());
  CHECK(first->follow(0).size() == 1);
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

namespace {

// A runner that is told of appends and hardly ever polls; counts what it has handled.
class Listener {
 public:
  explicit Listener(EventStore store)
      : runner_([this, store](std::stop_token stop) {
          EventStore mine = store;
          SubscriptionOptions options{.stop = stop};
          options.poll_shortest = options.poll_longest = runners::never;
          return mine.run_subscription("s", {}, Start::beginning(), options,
                                       [this](const RecordedEvent&) {
                                         const std::lock_guard lock(mutex_);
                                         ++count_;
                                         handled_.notify_all();
                                       });
        }) {}
  // Whether it has handled so many before ten seconds are over.
  bool reaches(int count) {
    std::unique_lock lock(mutex_);
    return handled_.wait_until(lock, std::chrono::system_clock::now() + std::chrono::seconds{10},
                               [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable handled_;
  int count_ = 0;
  runners::Background runner_;
};

}  // namespace

TEST_CASE("word that comes while a program sends its own is heard") {
  if (!harness::on_postgres() || std::getenv("EVERCORE_BEHIND_POOLER") != nullptr) return;
  harness::Place place;
  auto here = connect(place.uri()), there = connect(place.uri());
  runners::append(here, "a", "Made");
  runners::append(there, "a", "Made");
  Listener listener(here);
  int appended = 2;
  REQUIRE(listener.reaches(appended));
  for (int round = 0; round < 500; ++round) {
    std::jthread other([&] { runners::append(there, "b", "Made"); });
    runners::append(here, "c", "Made");
    other.join();
    appended += 2;
    REQUIRE(listener.reaches(appended));
  }
}

TEST_CASE("a program that appends and ends has told the others") {
  if (!harness::on_postgres() || std::getenv("EVERCORE_BEHIND_POOLER") != nullptr) return;
  harness::Place place;
  auto here = connect(place.uri());
  runners::append(here, "a", "Made");
  Listener listener(here);
  REQUIRE(listener.reaches(1));
  for (int round = 1; round <= 5; ++round) {
    auto there = connect(place.uri());
    runners::append(there, "b", "Made");
    there = here;  // its engine is gone
    CHECK(listener.reaches(1 + round));
  }
}

TEST_CASE("word is sent again when the connection for it was lost") {
  if (!private_server()) return;
  harness::Place place;
  auto here = connect(place.uri()), there = connect(place.uri() + "&application_name=there");
  runners::append(there, "a", "Made");
  Listener listener(here);
  REQUIRE(listener.reaches(1));
  runners::append(there, "a", "Made");
  REQUIRE(listener.reaches(2));
  for (int round = 1; round <= 3; ++round) {
    here.with_context([](Context& ctx) {
      ctx.execute(
          "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
          " WHERE application_name = 'there'");
    });
    for (bool appended = false; !appended;) {
      try {
        there.with_context([&](Context& ctx) {
          ctx.publish("Thing", "a", {"Made", "{}", {.event_id = std::to_string(round)}});
        });
        appended = true;
      } catch (const connection_error&) {
      }
    }
    CHECK(listener.reaches(2 + round));
  }
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
    Listener listener(store);
    REQUIRE(listener.reaches(1));
    REQUIRE(shell(pg_ctl("-m immediate stop")) == 0);
    std::this_thread::sleep_for(std::chrono::milliseconds{300});
  }
  REQUIRE(shell(pg_ctl("-o '-F' -l /dev/null start")) == 0);
}
