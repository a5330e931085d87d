// What others do to a subscription while a runner works: pause, resume, reset, another filter, removal.
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runners.h"

using namespace runners;

TEST_CASE("pausing, resuming, resetting and another filter take effect on a running runner") {
  Fresh store;
  append(store.store, "a", "Made", 3);
  std::mutex mutex;
  std::vector<std::string> types;
  const auto soon = [](const auto& holds) {
    for (const auto until = std::chrono::steady_clock::now() + 60s; !holds();) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::yield();
    }
    return true;
  };
  const auto handled = [&] {
    const std::lock_guard lock(mutex);
    return types.size();
  };
  const auto wait_for = [&](std::size_t count) {
    return soon([&] { return handled() >= count; }) && handled() == count;
  };
  Background runner([&](std::stop_token stop) {
    return store->run_subscription("s", everything, Start::beginning(),
                                   {.stop = stop, .poll_longest = 20ms},
                                   [&](const RecordedEvent& event) {
                                     const std::lock_guard lock(mutex);
                                     types.push_back(event.event_type);
                                   });
  });
  REQUIRE(wait_for(3));
  REQUIRE(soon([&] { return shown(store, "s", "lag_events") == "0"; }));  // the ack comes after
  call(store, "evercore_pause", "('s')");
  append(store.store, "a", "Paused", 2);
  CHECK(shown(store, "s", "lag_events") == "2");
  call(store, "evercore_resume", "('s')");
  REQUIRE(wait_for(5));
  call(store, "evercore_reset", "('s', 'beginning')");
  REQUIRE(wait_for(10));
  call(store, "evercore_subscribe", R"(('s', '{"event_types":["Sold"]}'))");
  append(store.store, "a", "Made", 2);
  append(store.store, "a", "Sold", 1);
  REQUIRE(wait_for(11));
  CHECK(types.back() == "Sold");
  call(store, "evercore_unsubscribe", "('s')");
  REQUIRE(runner.ended.wait());
  CHECK(runner.fault == "");
  CHECK(runner.end == SubscriptionEnd::removed);
}

TEST_CASE("a paused subscription is waited for, not given up") {
  Fresh store;
  append(store.store, "a", "Made", 1);
  catch_up(store.store, "s");
  call(store, "evercore_pause", "('s')");
  append(store.store, "a", "Made", 1);
  Gate seen;
  Background runner([&](std::stop_token stop) {
    return store->run_subscription("s", everything, Start::beginning(),
                                   {.stop = stop, .poll_longest = 20ms, .wait_for_lease = false},
                                   [&](const RecordedEvent&) { seen.open(); });
  });
  call(store, "evercore_resume", "('s')");
  CHECK(seen.wait());
}
