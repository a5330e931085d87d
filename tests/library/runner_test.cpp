// Runners at the edges: what they cost while there is nothing to do, what they do when the store
// refuses them, and options at their limits.
#include <atomic>
#include <functional>
#include <limits>
#include <map>
#include <set>

#include "runners.h"

using namespace evercore;
using namespace runners;

namespace {

// A driver that shows each command, by the text of its statement, before it is run.
using Watcher = std::function<void(std::string_view)>;

class WatchedSession final : public Session {
 public:
  WatchedSession(SessionHandle inner, Watcher& watcher)
      : inner_(std::move(inner)), watcher_(watcher) {}
  void begin_read() override { inner_->begin_read(); }
  void begin_write() override { inner_->begin_write(); }
  using Session::run;
  void run(std::span<const Command> commands) override {
    for (const Command& command : commands) watcher_(command.statement().sql);
    inner_->run(commands);
  }
  void commit(std::span<const Command> commands) override {
    try {
      for (const Command& command : commands) watcher_(command.statement().sql);
      inner_->commit(commands);
    } catch (...) {
      inner_->rollback();
      throw;
    }
  }
  void rollback() noexcept override { inner_->rollback(); }

  SessionHandle inner_;

 private:
  Watcher& watcher_;
};

class WatchedEngine final : public StorageEngine {
 public:
  WatchedEngine(EventStore real, Watcher watcher)
      : real_(std::move(real)), watcher_(std::move(watcher)) {}
  std::string_view name() const noexcept override { return real_.engine().name(); }
  SessionHandle session() override {
    return SessionHandle(new WatchedSession(real_.engine().session(), watcher_),
                         SessionReturn{this});
  }
  void write(SessionHandle session, std::span<const Command> commands) override {
    SessionHandle inner;
    if (session) inner = std::move(static_cast<WatchedSession&>(*session).inner_);
    session.reset();
    for (const Command& command : commands) watcher_(command.statement().sql);
    real_.engine().write(std::move(inner), commands);
  }
  void appended() noexcept override { real_.engine().appended(); }
  std::unique_ptr<Watch> watch() override { return real_.engine().watch(); }

 protected:
  void give_back(Session* session) noexcept override { delete session; }

 private:
  EventStore real_;
  Watcher watcher_;
};

EventStore watched(const Fresh& fresh, Watcher watcher) {
  return EventStore(std::make_shared<WatchedEngine>(fresh.store, std::move(watcher)));
}

bool is(std::string_view sql, std::string_view call) {
  return sql.find(call) != sql.npos;
}

// How many commands a runner sends in a second, a while after it began.
template <class Run>
int commands_of_a_second(const Fresh& fresh, Run run) {
  std::atomic<int> commands{0};
  EventStore store = watched(fresh, [&](std::string_view) { ++commands; });
  Background runner([&](std::stop_token stop) { return run(store, stop); });
  std::this_thread::sleep_for(1s);
  const int before = commands;
  std::this_thread::sleep_for(1s);
  const int sent = commands - before;
  runner.thread.request_stop();
  CHECK(runner.ended.wait());
  CHECK(runner.fault == "");
  return sent;
}

void ignore(const RecordedEvent&) {}

}  // namespace

TEST_CASE("a runner of several partitions ends when it has caught up with all") {
  Fresh store;
  for (const char* key : {"a", "b", "c", "d", "e"}) append(store.store, key, "Made", 3);
  std::set<std::int64_t> seen;
  Background runner([&](std::stop_token stop) {
    auto options = once();
    options.stop = stop;
    options.partitions = 8;
    return store->run_subscription(
        "s", everything, Start::beginning(), options,
        [&](const RecordedEvent& event) { seen.insert(event.position); });
  });
  CHECK(runner.ended.wait());
  CHECK(runner.end == SubscriptionEnd::caught_up);
  CHECK(seen.size() == 15);
}

TEST_CASE("an idle runner of several partitions sends little") {
  Fresh store;
  append(store.store, "a", "Made", 3);
  CHECK(commands_of_a_second(store, [](EventStore& watched, std::stop_token stop) {
          return watched.run_subscription("s", everything, Start::beginning(),
                                          {.stop = stop, .partitions = 8}, ignore);
        }) < 100);
}

TEST_CASE("a runner that waits for the end of a pause sends little") {
  Fresh store;
  append(store.store, "a", "Made", 3);
  catch_up(store.store, "s");
  CHECK(commands_of_a_second(store, [&](EventStore& watched, std::stop_token stop) {
          Gate begun;
          std::jthread pauser([&] {
            begun.wait();
            call(store, "evercore_pause", "('s')");
            append(store.store, "a", "Made", 3);
          });
          append(store.store, "a", "Made", 1);
          return watched.run_subscription("s", everything, Start::beginning(), {.stop = stop},
                                          [&](const RecordedEvent&) { begun.open(); });
        }) < 100);
}

TEST_CASE("polls as rare as can be said are rare") {
  Fresh store;
  append(store.store, "a", "Made", 3);
  CHECK(commands_of_a_second(store, [](EventStore& watched, std::stop_token stop) {
          SubscriptionOptions options{.stop = stop};
          options.poll_longest = std::chrono::milliseconds::max();
          options.poll_shortest = std::chrono::milliseconds::max();
          return watched.run_subscription("s", everything, Start::beginning(), options, ignore);
        }) < 100);
}

TEST_CASE("what was handled is not handed over again because an ack is refused") {
  Fresh fresh;
  append(fresh.store, "a", "Made", 10);
  int refused = 0;
  EventStore store = watched(fresh, [&](std::string_view sql) {
    if (is(sql, "evercore_ack") && ++refused <= 3) throw engine_error("full", "SQLITE_FULL");
  });
  CHECK(catch_up(store, "s").size() == 10);
  CHECK(shown(fresh, "s", "lag_events") == "0");
}

TEST_CASE("a runner whose acks are refused for good gives up") {
  Fresh fresh;
  append(fresh.store, "a", "Made", 10);
  EventStore store = watched(fresh, [&](std::string_view sql) {
    if (is(sql, "evercore_ack")) throw engine_error("full", "SQLITE_FULL");
  });
  std::atomic<int> handled{0};
  Background runner([&](std::stop_token stop) {
    auto options = once();
    options.stop = stop;
    return store.run_subscription("s", everything, Start::beginning(), options,
                                  [&](const RecordedEvent&) {
                                    if (++handled > 10'000) throw std::runtime_error("for ever");
                                  });
  });
  CHECK(runner.ended.wait());
  CHECK(runner.fault == "full");
  CHECK(handled == 10);
}

TEST_CASE("a subscription that gets more partitions is served whole by the runner at work") {
  Fresh store;
  append(store.store, "a", "Made", 3);
  std::mutex mutex;
  std::condition_variable handled;
  std::set<std::string> keys;
  Background runner([&](std::stop_token stop) {
    return store->run_subscription("s", everything, Start::beginning(),
                                   {.stop = stop, .poll_longest = 20ms},
                                   [&](const RecordedEvent& event) {
                                     const std::lock_guard lock(mutex);
                                     keys.insert(*event.natural_key);
                                     handled.notify_all();
                                   });
  });
  const auto wait_for = [&](std::size_t count) {
    std::unique_lock lock(mutex);
    return handled.wait_until(lock, std::chrono::system_clock::now() + 60s,
                              [&] { return keys.size() == count; });
  };
  REQUIRE(wait_for(1));
  call(store, "evercore_reset", "('s', 'end')");
  try {
    store->with_context([&](Context& ctx) {
      ctx.execute("SELECT " + store.place.relation("evercore_reset") + "('s', 'end')");
      ctx.execute("SELECT " + store.place.relation("evercore_subscribe") + "('s', NULL, NULL, 4)");
    });
  } catch (const error& fault) {
    FAIL(fault.what());
  }
  for (const char* key : {"b", "c", "d", "e", "f", "g"}) append(store.store, key, "Made", 1);
  CHECK(wait_for(7));
}

TEST_CASE("a runner that hears in the middle of a batch that its lease is lost stops there") {
  Fresh fresh;
  constexpr int events = 5000;
  append(fresh.store, "a", "Made", events);
  std::atomic<bool> lost{false};
  std::stop_source source;
  int handled = 0, acknowledged = 0;
  EventStore store = watched(fresh, [&](std::string_view sql) {
    if (is(sql, "evercore_renew")) {
      lost = true;
      throw lease_lost_error("EV006: another has the lease");
    }
    if (is(sql, "evercore_ack") && acknowledged == 0) {
      acknowledged = handled;
      source.request_stop();
    }
  });
  store.run_subscription("s", everything, Start::beginning(),
                         {.stop = source.get_token(), .batch_size = events, .lease = 30ms},
                         [&](const RecordedEvent&) {
                           ++handled;
                           // Until the renewer has been refused, and then time for it to say so.
                           while (!lost) std::this_thread::yield();
                           std::this_thread::sleep_for(1ms);
                         });
  CHECK(acknowledged > 0);
  CHECK(acknowledged < events);
}

TEST_CASE("a batch size without bound is one") {
  Fresh store;
  auto options = once();
  options.batch_size = std::numeric_limits<std::int64_t>::max();
  append(store.store, "a", "Made", 3);
  CHECK(catch_up(store.store, "s", everything, Start::beginning(), options).size() == 3);
  append(store.store, "a", "Made", 3);
  CHECK(catch_up(store.store, "s", everything, Start::beginning(), options).size() == 3);
}

TEST_CASE("an error that is no text is kept as far as it is") {
  Fresh store;
  append(store.store, "a", "Made", 1);
  auto options = once();
  options.attempts = 1;
  CHECK(harness::fault_of<std::runtime_error>([&] {
          store->run_subscription(
              "s", everything, Start::beginning(), options,
              [](const RecordedEvent&) { throw std::runtime_error("caf\xe9 \xff closed"); });
        }) == "caf\xe9 \xff closed");
  const std::string error = shown(store, "s", "last_error");
  CHECK(error.find("caf") != error.npos);
  CHECK(error.find("closed") != error.npos);
  CHECK(shown(store, "s", "owner") == "NULL");
}

TEST_CASE("a handler may throw what is no exception of the library's or the standard's") {
  Fresh store;
  append(store.store, "a", "Made", 1);
  auto options = once();
  options.attempts = 2;
  int calls = 0;
  CHECK_THROWS_AS(store->run_subscription("s", everything, Start::beginning(), options,
                                          [&](const RecordedEvent&) {
                                            ++calls;
                                            throw 7;
                                          }),
                  int);
  CHECK(calls == 2);
  CHECK(shown(store, "s", "last_error").ends_with("an exception that is no std::exception"));
}

TEST_CASE("a lease is renewed while there is nothing to handle") {
  if (harness::on_memory()) return;
  Fresh store;
  append(store.store, "a", "Made", 1);
  Gate handled;
  Background runner([&](std::stop_token stop) {
    SubscriptionOptions options{.stop = stop};
    options.lease = 400ms;
    options.renew_for = 100ms;
    options.poll_longest = 20ms;
    return store->run_subscription("s", everything, Start::beginning(), options,
                                   [&](const RecordedEvent&) { handled.open(); });
  });
  REQUIRE(handled.wait());
  for (const auto until = std::chrono::steady_clock::now() + 1500ms;
       std::chrono::steady_clock::now() < until;) {
    REQUIRE(store->run_subscription("s", everything, Start::beginning(),
                                    {.wait_for_lease = false, .until_caught_up = true},
                                    ignore) == SubscriptionEnd::owned_by_another);
    std::this_thread::sleep_for(50ms);
  }
}

TEST_CASE("a slow handler without a bound keeps its lease") {
  if (harness::on_memory()) return;
  Fresh store;
  append(store.store, "a", "Made", 1);
  Gate handling, go_on;
  Background runner([&](std::stop_token stop) {
    SubscriptionOptions options{.stop = stop};
    options.lease = 400ms;
    options.renew_for = std::chrono::milliseconds::max();
    return store->run_subscription("s", everything, Start::beginning(), options,
                                   [&](const RecordedEvent&) {
                                     handling.open();
                                     go_on.wait();
                                   });
  });
  REQUIRE(handling.wait());
  std::this_thread::sleep_for(1s);
  CHECK(store->run_subscription("s", everything, Start::beginning(),
                                {.wait_for_lease = false, .until_caught_up = true},
                                ignore) == SubscriptionEnd::owned_by_another);
  go_on.open();
}

TEST_CASE("a runner that polls hardly ever takes over what another gave up") {
  Fresh store;
  append(store.store, "a", "Made", 1);
  Gate handling, waiting, taken;
  Background holder([&](std::stop_token stop) {
    return store->run_subscription("s", everything, Start::beginning(),
                                   {.stop = stop, .lease = 300ms}, [&](const RecordedEvent&) {
                                     handling.open();
                                     waiting.wait();
                                     std::this_thread::sleep_for(200ms);
                                   });
  });
  REQUIRE(handling.wait());
  Background waiter([&](std::stop_token stop) {
    SubscriptionOptions options{.stop = stop};
    options.lease = 300ms;
    options.poll_shortest = options.poll_longest = never;
    waiting.open();
    return store->run_subscription("s", everything, Start::beginning(), options,
                                   [&](const RecordedEvent&) { taken.open(); });
  });
  holder.thread.request_stop();
  REQUIRE(holder.ended.wait());
  append(store.store, "a", "Made", 1);
  CHECK(taken.wait());
}

TEST_CASE("an ephemeral handler that fails is not shown what came before its start") {
  Fresh store;
  const auto from = std::chrono::time_point_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now() + 1h);
  store->with_context([&](Context& ctx) {
    ctx.publish("Thing", "a", {"Early", "{}"});
    ctx.publish("Thing", "a", {"Late", "{}", {.event_time = from}});
  });
  std::vector<std::string> types;
  store->run_ephemeral_subscription(everything, Start::at(from), once(),
                                    [&](const RecordedEvent& event) {
                                      types.push_back(event.event_type);
                                      if (types.size() == 1) throw std::runtime_error("once");
                                    });
  CHECK(types == std::vector<std::string>{"Late", "Late"});
}

TEST_CASE("an ephemeral subscription refuses what a durable one refuses") {
  Fresh store;
  const auto fault = [&](const Filter& filter, const Start& start) {
    return harness::fault_of<argument_error>(
        [&] { store->run_ephemeral_subscription(filter, start, once(), ignore); });
  };
  CHECK(fault({.natural_key = "a"}, Start::beginning()).starts_with("EV009"));
  CHECK(fault(everything, Start::after(-1)).starts_with("EV009"));
  CHECK(fault(everything, Start::after(1000)).starts_with("EV009"));
  CHECK(fault({.event_types = {"Made"}}, Start::after(1000)).starts_with("EV009"));
}
