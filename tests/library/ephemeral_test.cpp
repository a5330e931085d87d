// Subscriptions without a row in the store.
#include <doctest/doctest.h>

#include <algorithm>

#include "runners.h"

using namespace evercore;
using namespace runners;

TEST_CASE("an ephemeral subscription delivers and leaves no row") {
  Fresh store;
  append(store.store, "a", "Made", 150);
  append(store.store, "b", "Sold", 3);
  const auto middle = store->follow(0)[100];
  const auto count = [&](const Filter& filter, const Start& start) {
    int events = 0;
    CHECK(store->run_ephemeral_subscription(filter, start, once(), [&](const RecordedEvent&) {
      ++events;
    }) == SubscriptionEnd::caught_up);
    return events;
  };
  CHECK(count(everything, Start::beginning()) == 153);
  CHECK(count({.event_types = {"Sold"}}, Start::beginning()) == 3);
  CHECK(count({.aggregate_type = "Thing", .natural_key = "b"}, Start::beginning()) == 3);
  CHECK(count({.aggregate_type = "Other"}, Start::beginning()) == 0);
  store->with_context([](Context& ctx) {
    ctx.publish("Thing", "c", {"Sold", "{}", {.tags = {"city:Ulm", "colour:red"}}});
    ctx.publish("Thing", "c", {"Lost", "{}", {.tags = {"colour:red"}}});
  });
  CHECK(count({.tags = {"colour:red"}}, Start::beginning()) == 2);
  CHECK(count({.tags = {"colour:red", "city:Ulm"}}, Start::beginning()) == 1);
  CHECK(count({.event_types = {"Lost", "Made"}, .tags = {"colour:red"}}, Start::beginning()) == 1);
  CHECK(count({.tags = {"colour:\"red"}}, Start::beginning()) == 0);
  CHECK(count(everything, Start::after(middle.position)) == 54);
  CHECK(count(everything, Start::end()) == 0);
  CHECK(count(everything, Start::at(middle.event_time + 1h)) == 0);
  CHECK(count({.event_types = {"Sold"}}, Start::at(middle.event_time)) == 4);
  CHECK(shown(store, "%", "name") == "no row");
}

TEST_CASE(
    "an ephemeral subscription hands over all that passes its filter, however much does not") {
  Fresh store;
  for (int i = 0; i < 3; ++i) {
    append(store.store, "a", "Made", 120);
    append(store.store, "b", "Sold", 110);
  }
  auto options = once();
  options.batch_size = 7;
  std::vector<std::int64_t> sequences;
  store->run_ephemeral_subscription(
      {.aggregate_type = "Thing", .event_types = {"Sold"}}, Start::beginning(), options,
      [&](const RecordedEvent& event) { sequences.push_back(event.sequence); });
  CHECK(sequences.size() == 330);
  CHECK(std::is_sorted(sequences.begin(), sequences.end()));
}

TEST_CASE(
    "an ephemeral subscription begins at the first event of a time, whatever its filter lets "
    "through") {
  Fresh store;
  const auto from = std::chrono::time_point_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now() + 1h);
  append(store.store, "a", "Sold", 150);
  store->with_context([&](Context& ctx) {
    ctx.publish("Thing", "a", {"Late", "{}", {.event_time = from}});
  });
  append(store.store, "b", "Sold", 2);
  int sold = 0;
  store->run_ephemeral_subscription({.event_types = {"Sold"}}, Start::at(from), once(),
                                    [&](const RecordedEvent&) { ++sold; });
  CHECK(sold == 2);
}

TEST_CASE("an ephemeral subscription from the end sees what comes, and stops when asked") {
  Fresh store;
  append(store.store, "a", "Made", 5);
  Gate begun, seen;
  std::vector<std::string> types;
  Background runner([&](std::stop_token stop) {
    SubscriptionOptions options{.stop = stop};
    options.poll_shortest = options.poll_longest = never;
    return store->run_ephemeral_subscription(everything, Start::after(store->follow(0)[4].position),
                                             options, [&](const RecordedEvent& event) {
                                               types.push_back(event.event_type);
                                               seen.open();
                                             });
  });
  append(store.store, "a", "Sold", 1);
  CHECK(seen.wait());
  runner.thread.request_stop();
  REQUIRE(runner.ended.wait());
  CHECK(runner.end == SubscriptionEnd::stopped);
  CHECK(types == std::vector<std::string>{"Sold"});
}

TEST_CASE("an ephemeral handler that fails goes on from the event it failed at, then gives up") {
  Fresh store;
  append(store.store, "a", "Made", 10);
  std::vector<std::int64_t> seen;
  auto options = once();
  options.attempts = 3;
  CHECK(harness::fault_of<std::runtime_error>([&] {
          store->run_ephemeral_subscription(everything, Start::beginning(), options,
                                            [&](const RecordedEvent& event) {
                                              seen.push_back(event.sequence);
                                              if (event.sequence == 4) {
                                                throw std::runtime_error("cannot");
                                              }
                                            });
        }) == "cannot");
  CHECK(seen == std::vector<std::int64_t>{1, 2, 3, 4, 4, 4});
}

TEST_CASE("a lost connection of an ephemeral handler's own is no lost server") {
  Fresh store;
  append(store.store, "a", "Made", 1);
  int calls = 0;
  auto options = once();
  options.attempts = 3;
  CHECK(harness::fault_of<connection_error>([&] {
          store->run_ephemeral_subscription(everything, Start::beginning(), options,
                                            [&](const RecordedEvent&) {
                                              if (++calls < 10)
                                                throw connection_error("theirs", "08006", false);
                                            });
        }) == "theirs");
  CHECK(calls == 3);
}

TEST_CASE("an ephemeral handler of batches gets all events, as many at a time as it asked for") {
  Fresh store;
  append(store.store, "a", "Made", 250);
  auto options = once();
  options.batch_size = 40;
  std::vector<std::int64_t> sequences;
  std::size_t largest = 0;
  store->run_ephemeral_subscription(everything, Start::beginning(), options,
                                    [&](std::span<const RecordedEvent> events) {
                                      largest = std::max(largest, events.size());
                                      for (const auto& event : events) {
                                        sequences.push_back(event.sequence);
                                      }
                                    });
  CHECK(largest == 40);
  REQUIRE(sequences.size() == 250);
  CHECK(std::is_sorted(sequences.begin(), sequences.end()));
  CHECK(sequences.back() == 250);
}

TEST_CASE(
    "an ephemeral subscription gets over a million positions that its filter lets none of "
    "through") {
  Fresh store;
  append(store.store, "a", "Made");
  call(store, "evercore_restored", "()");
  append(store.store, "a", "Sold");
  REQUIRE(store->follow(0).at(1).position > 1'000'000);
  std::vector<std::string> types;
  CHECK(store->run_ephemeral_subscription({.event_types = {"Sold"}}, Start::beginning(), once(),
                                          [&](const RecordedEvent& event) {
                                            types.push_back(event.event_type);
                                          }) == SubscriptionEnd::caught_up);
  CHECK(types == std::vector<std::string>{"Sold"});
}

TEST_CASE("the waits between the attempts of a handler grow to the longest and no further") {
  Fresh store;
  append(store.store, "a", "Made");
  auto options = once();
  options.attempts = 40;  // doubled without an end, the waits were of years
  options.longest_wait = 1ms;
  int attempts = 0;
  CHECK(harness::fault_of<std::runtime_error>([&] {
          store->run_ephemeral_subscription(everything, Start::beginning(), options,
                                            [&](const RecordedEvent&) {
                                              ++attempts;
                                              throw std::runtime_error("cannot");
                                            });
        }) == "cannot");
  CHECK(attempts == 40);
}
