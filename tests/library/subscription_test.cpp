// Runners of subscriptions: what they deliver, to whom, and what they do when things go wrong.
#include <doctest/doctest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "runners.h"

using namespace evercore;
using namespace runners;

TEST_CASE("a subscription delivers every event once, in order, and goes on where it stood") {
  Fresh store;
  append(store.store, "a", "Made", 250);
  auto positions = catch_up(store.store, "s");
  REQUIRE(positions.size() == 250);
  CHECK(std::is_sorted(positions.begin(), positions.end()));
  CHECK(catch_up(store.store, "s").empty());
  append(store.store, "b", "Made", 3);
  CHECK(catch_up(store.store, "s").size() == 3);
  CHECK(catch_up(store.store, "another").size() == 253);
  CHECK(shown(store, "s", "owner") == "NULL");
}

TEST_CASE("a filter by type, by key, by event type and by tag keeps the others out") {
  Fresh store;
  append(store.store, "a", "Made", 2);
  append(store.store, "b", "Sold", 3);
  store->with_context([](Context& ctx) {
    ctx.publish("Other", "a", {"Made", "{}", {.tags = {"colour:red", "city:Ulm"}}});
  });
  CHECK(catch_up(store.store, "type", {.aggregate_type = "Thing"}).size() == 5);
  CHECK(catch_up(store.store, "key", {.aggregate_type = "Thing", .natural_key = "b"}).size() == 3);
  CHECK(catch_up(store.store, "event", {.event_types = {"Made"}}).size() == 3);
  CHECK(catch_up(store.store, "none", {.event_types = {"Lost", "Found"}}).empty());
  CHECK(catch_up(store.store, "tags", {.tags = {"city:Ulm", "colour:red"}}).size() == 1);
  CHECK(catch_up(store.store, "no tag", {.tags = {"city:Ulm", "colour:blue"}}).empty());
  CHECK(harness::fault_of<argument_error>([&] {
          catch_up(store.store, "x", {.natural_key = "a"});
        }).starts_with("EV009"));
}

TEST_CASE("a filter that keeps all out moves the cursor past them") {
  Fresh store;
  append(store.store, "a", "Made", 5);
  catch_up(store.store, "none", {.event_types = {"Lost"}});
  CHECK(shown(store, "none", "position") == std::to_string(store->follow(0).back().position));
}

TEST_CASE("start is resolved once, when the subscription is made") {
  Fresh store;
  append(store.store, "a", "Made", 3);
  const auto before = store->follow(0).back();
  CHECK(catch_up(store.store, "end", everything, Start::end()).empty());
  append(store.store, "a", "Made", 2);
  CHECK(catch_up(store.store, "end", everything, Start::end()).size() == 2);
  CHECK(catch_up(store.store, "after", everything, Start::after(before.position)).size() == 2);
  CHECK(catch_up(store.store, "time", everything, Start::at(before.event_time)).size() >= 2);
  CHECK(catch_up(store.store, "future", everything, Start::at(before.event_time + 1h)).empty());
}

TEST_CASE("batches arrive whole, and no larger than batch_size") {
  Fresh store;
  append(store.store, "a", "Made", 25);
  std::vector<std::size_t> sizes;
  auto options = once();
  options.batch_size = 10;
  store->run_subscription(
      "s", everything, Start::beginning(), options,
      [&](std::span<const RecordedEvent> events) { sizes.push_back(events.size()); });
  CHECK(sizes == std::vector<std::size_t>{10, 10, 5});
}

TEST_CASE("options that cannot be are refused before anything is done") {
  Fresh store;
  const auto fault = [&](auto change) {
    auto options = once();
    change(options);
    return harness::fault_of<argument_error>(
        [&] { catch_up(store.store, "s", everything, Start::beginning(), options); });
  };
  CHECK(fault([](auto& o) { o.batch_size = 0; }) == "EV009: batch_size is less than 1");
  CHECK(fault([](auto& o) { o.lease = 0ms; }) == "EV009: lease is not longer than 0");
  CHECK(fault([](auto& o) { o.attempts = 0; }) == "EV009: attempts is less than 1");
  CHECK(fault([](auto& o) { o.poll_longest = 1ms; }) ==
        "EV009: poll_longest is shorter than poll_shortest");
  CHECK(shown(store, "s", "name") == "no row");
  catch_up(store.store, "s");
  auto options = once();
  options.partitions = 4;
  CHECK(harness::fault_of<safety_error>([&] {
          catch_up(store.store, "s", everything, Start::beginning(), options);
        }) == "EV010: subscription \"s\" has 1 partitions: reset it to change them");
}

TEST_CASE("a handler that throws is tried again, and those before the event are not") {
  Fresh store;
  append(store.store, "a", "Made", 10);
  std::map<std::int64_t, int> calls;
  int thrown = 0;
  const auto end = store->run_subscription("s", everything, Start::beginning(), once(),
                                           [&](const RecordedEvent& event) {
                                             ++calls[event.sequence];
                                             if (event.sequence == 5 && ++thrown <= 3)
                                               throw std::runtime_error("not now");
                                           });
  CHECK(end == SubscriptionEnd::caught_up);
  for (const auto& [sequence, count] : calls) CHECK(count == (sequence == 5 ? 4 : 1));
}

TEST_CASE("a stop in the middle of a batch acknowledges what was handled, and no more") {
  Fresh store;
  append(store.store, "a", "Made", 10);
  std::stop_source source;
  auto options = once();
  options.stop = source.get_token();
  std::vector<std::int64_t> seen;
  const auto handle = [&](const RecordedEvent& event) {
    seen.push_back(event.sequence);
    if (seen.size() == 3) source.request_stop();
  };
  SUBCASE("outside of a context") {
    CHECK(store->run_subscription("s", everything, Start::beginning(), options, handle) ==
          SubscriptionEnd::stopped);
  }
  SUBCASE("in a context") {
    const auto in_context = [&](Context&, const RecordedEvent& event) { handle(event); };
    CHECK(store->run_subscription("s", everything, Start::beginning(), options, in_context) ==
          SubscriptionEnd::stopped);
  }
  CHECK(seen == std::vector<std::int64_t>{1, 2, 3});
  CHECK(shown(store, "s", "owner") == "NULL");
  CHECK(catch_up(store.store, "s").size() == 7);
}

TEST_CASE("a handler that goes on throwing ends the run with its error in the row") {
  Fresh store;
  append(store.store, "a", "Made", 10);
  auto options = once();
  options.attempts = 3;
  int calls = 0;
  const auto run = [&](int bad) {
    return harness::fault_of<std::runtime_error>([&] {
      store->run_subscription("s", everything, Start::beginning(), options,
                              [&](const RecordedEvent& event) {
                                if (event.sequence == bad && ++calls > 0) {
                                  throw std::runtime_error("cannot");
                                }
                              });
    });
  };
  CHECK(run(7) == "cannot");
  CHECK(calls == 4);  // once in its batch, then alone, three times
  CHECK(shown(store, "s", "position") == std::to_string(store->follow(0)[5].position));
  CHECK(shown(store, "s", "last_error") ==
        "event \"Made\" at position " + std::to_string(store->follow(0)[6].position) + ": cannot");
  CHECK(shown(store, "s", "owner") == "NULL");
  CHECK(run(0) == "none");
  CHECK(shown(store, "s", "last_error") == "NULL");
}

TEST_CASE("what a transactional handler staged is written with the cursor, or not at all") {
  Fresh store;
  append(store.store, "a", "Made", 10);
  int attempts = 0;
  const auto end = store->run_subscription(
      "s", {.aggregate_type = "Thing"}, Start::beginning(), once(),
      [&](Context& ctx, const RecordedEvent& event) {
        ctx.publish("Effect", "of " + std::to_string(event.sequence), {"Seen", "{}"}, 0);
        if (event.sequence == 4 && ++attempts < 3) throw std::runtime_error("after staging");
      });
  CHECK(end == SubscriptionEnd::caught_up);
  CHECK(attempts == 3);
  CHECK(catch_up(store.store, "effects", {.aggregate_type = "Effect"}).size() == 10);
}

TEST_CASE("a projection into a table of the program's own is exactly once") {
  Fresh store;
  append(store.store, "a", "Made", 30);
  const std::string table = store.place.relation("projection");
  store->with_context(
      [&](Context& ctx) { ctx.execute("CREATE TABLE " + table + " (sequence bigint UNIQUE)"); });
  int faults = 0;
  const auto handler = [&](Context& ctx, std::span<const RecordedEvent> events) {
    for (const auto& event : events) {
      ctx.execute("INSERT INTO " + table + " VALUES ($1)", {event.sequence});
    }
    if (++faults % 2 == 1) throw std::runtime_error("after the insert");
  };
  auto options = once();
  options.batch_size = 7;
  CHECK(store->run_subscription("s", everything, Start::beginning(), options, handler) ==
        SubscriptionEnd::caught_up);
  std::int64_t count = 0;
  auto sink = [&](const Row& row) { count = row.integer(0); };
  store->with_context(
      [&](Context& ctx) { ctx.execute("SELECT count(*) FROM " + table, {}, sink); });
  CHECK(count == 30);
}

TEST_CASE("a statement of the program's own answers for its faults and cannot be two") {
  Fresh store;
  store->with_context([&](Context& ctx) {
    CHECK(harness::fault_of<engine_error>([&] { ctx.execute("SELECT nonsense"); }) != "none");
    CHECK(harness::fault_of([&] { ctx.execute("SELECT 1; SELECT 2"); }) != "none");
    std::string text;
    auto sink = [&](const Row& row) { text = row.text(0); };
    ctx.execute("SELECT CAST($1 AS text)", {"it goes on"}, sink);
    CHECK(text == "it goes on");
  });
}

TEST_CASE("while one holds the lease another is told, or waits and takes over") {
  Fresh store;
  append(store.store, "a", "Made", 1);
  Gate handling, go_on;
  Background holder([&](std::stop_token stop) {
    return store->run_subscription("s", everything, Start::beginning(),
                                   {.stop = stop, .owner = "first"}, [&](const RecordedEvent&) {
                                     handling.open();
                                     go_on.wait();
                                   });
  });
  REQUIRE(handling.wait());
  CHECK(shown(store, "s", "owner") == "first");
  CHECK(store->run_subscription("s", everything, Start::beginning(), {.wait_for_lease = false},
                                [](const RecordedEvent&) {}) == SubscriptionEnd::owned_by_another);
  Gate taken;
  Background waiter([&](std::stop_token stop) {
    return store->run_subscription("s", everything, Start::beginning(),
                                   {.stop = stop, .owner = "second"},
                                   [&](const RecordedEvent&) { taken.open(); });
  });
  holder.thread.request_stop();
  go_on.open();
  REQUIRE(holder.ended.wait());
  CHECK(holder.end == SubscriptionEnd::stopped);
  append(store.store, "a", "Made", 1);
  CHECK(taken.wait());
}

TEST_CASE("a runner that stalls beyond its lease moves nothing back, and each effect is one") {
  Fresh store;
  append(store.store, "a", "Made", 20);
  const auto effect = [](Context& ctx, const RecordedEvent& event) {
    ctx.publish("Effect", std::to_string(event.sequence), {"Seen", "{}"}, 0);
  };
  Gate stalled, go_on;
  bool first = true;
  std::vector<std::int64_t> later;
  Background slow([&](std::stop_token stop) {
    return store->run_subscription(
        "s", {.aggregate_type = "Thing"}, Start::beginning(),
        {.stop = stop, .owner = "slow", .batch_size = 10, .lease = 200ms, .renew_for = 0ms},
        [&](Context& ctx, const RecordedEvent& event) {
          if (std::exchange(first, false)) {
            stalled.open();
            go_on.wait();
          } else if (event.sequence > 10) {
            later.push_back(event.sequence);
          }
          effect(ctx, event);
        });
  });
  REQUIRE(stalled.wait());
  auto options = once();
  options.owner = "quick";
  CHECK(store->run_subscription("s", {.aggregate_type = "Thing"}, Start::beginning(), options,
                                effect) == SubscriptionEnd::caught_up);
  const std::string position = shown(store, "s", "position");
  go_on.open();
  append(store.store, "b", "Made", 0);
  slow.thread.request_stop();
  REQUIRE(slow.ended.wait());
  CHECK(slow.fault == "");
  CHECK(shown(store, "s", "position") == position);
  CHECK(later.empty());
  CHECK(catch_up(store.store, "effects", {.aggregate_type = "Effect"}).size() == 20);
}

TEST_CASE("without a context, a stalled runner's ack is refused and nothing is moved back") {
  Fresh store;
  append(store.store, "a", "Made", 20);
  Gate stalled, go_on;
  int seen = 0;
  Background slow([&](std::stop_token stop) {
    return store->run_subscription(
        "s", everything, Start::beginning(),
        {.stop = stop, .batch_size = 10, .lease = 200ms, .renew_for = 0ms},
        [&](const RecordedEvent&) {
          if (++seen > 1) return;
          stalled.open();
          go_on.wait();
        });
  });
  REQUIRE(stalled.wait());
  CHECK(catch_up(store.store, "s").size() == 20);
  const std::string position = shown(store, "s", "position");
  slow.thread.request_stop();
  go_on.open();
  REQUIRE(slow.ended.wait());
  CHECK(slow.end == SubscriptionEnd::stopped);
  CHECK(shown(store, "s", "position") == position);
}

TEST_CASE("a commit that goes on failing ends the run as a handler that throws does") {
  Fresh store;
  append(store.store, "a", "Made", 2);
  std::stop_source source;
  auto options = once();
  options.stop = source.get_token();
  options.attempts = 3;
  int calls = 0;
  const auto run = [&] {
    store->run_subscription("s", everything, Start::beginning(), options,
                            [&](Context& ctx, const RecordedEvent&) {
                              if (++calls > 20)
                                source.request_stop();  // so that the test ends whatever happens
                              ctx.publish("Effect", "e", {"Seen", "no JSON"});
                            });
  };
  CHECK_THROWS_AS(run(), payload_error);
  CHECK(calls < 10);
  CHECK(shown(store, "s", "position") == "0");
}

TEST_CASE("the lease is renewed while a handler is slow") {
  if (harness::on_memory()) return;  // one connection: nobody else can look meanwhile
  Fresh store;
  append(store.store, "a", "Made", 1);
  Gate handling, go_on;
  Background slow([&](std::stop_token stop) {
    return store->run_subscription("s", everything, Start::beginning(),
                                   {.stop = stop, .lease = 12s}, [&](const RecordedEvent&) {
                                     handling.open();
                                     go_on.wait();
                                   });
  });
  REQUIRE(handling.wait());
  // Until the lease has been renewed twice, a third of it after each other, nobody else gets it.
  std::string expires = shown(store, "s", "lease_expires_at");
  for (int renewals = 0; renewals < 2;) {
    REQUIRE(store->run_subscription("s", everything, Start::beginning(),
                                    {.wait_for_lease = false, .until_caught_up = true},
                                    [](const RecordedEvent&) {}) ==
            SubscriptionEnd::owned_by_another);
    const std::string now = shown(store, "s", "lease_expires_at");
    if (now != expires) ++renewals;
    expires = now;
  }
  go_on.open();
}

TEST_CASE("runners share partitions, and each aggregate's events stay in order") {
  Fresh store;
  constexpr int keys = 20, each = 25;
  for (int i = 0; i < each; ++i) {
    store->with_context([&](Context& ctx) {
      for (int key = 0; key < keys; ++key) {
        ctx.publish("Thing", "k" + std::to_string(key), {"Made", "{}"});
      }
    });
  }
  std::mutex mutex;
  std::map<std::int64_t, std::vector<std::int64_t>> sequences;
  Gate all;
  std::size_t count = 0;
  const auto run = [&](std::stop_token stop) {
    SubscriptionOptions options{.stop = stop, .partitions = 8, .batch_size = 5};
    return store->run_subscription("s", everything, Start::beginning(), options,
                                   [&](Context&, const RecordedEvent& event) {
                                     const std::lock_guard lock(mutex);
                                     sequences[event.aggregate_id].push_back(event.sequence);
                                     if (++count == keys * each) all.open();
                                   });
  };
  {
    Background a(run), b(run), c(run), d(run);
    CHECK(all.wait());
    for (Background* one : {&a, &b, &c, &d}) one->thread.request_stop();
    for (Background* one : {&a, &b, &c, &d}) {
      CHECK(one->ended.wait());
      CHECK(one->fault == "");
    }
  }
  CHECK(sequences.size() == keys);
  for (const auto& [id, seen] : sequences) {
    CHECK(seen.size() == each);
    CHECK(std::is_sorted(seen.begin(), seen.end()));
  }
}
