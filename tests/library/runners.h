// What the tests of runners share: runners in threads of their own, gates to meet at, and what
// evercore_subscriptions shows.
#pragma once

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "harness.h"

namespace runners {

using namespace evercore;
using harness::Fresh;
using namespace std::chrono_literals;

// Something that one thread says and others wait for.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  // False when nobody opened it for a minute: the test has failed then.
  bool wait() {
    std::unique_lock lock(mutex_);
    return opened_.wait_until(lock, std::chrono::system_clock::now() + 60s, [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

inline void append(EventStore& store, const std::string& key, const std::string& type,
                   int count = 1) {
  store.with_context([&](Context& ctx) {
    for (int i = 0; i < count; ++i) ctx.publish("Thing", key, {type, R"({"n":1})"});
  });
}

inline const Filter everything{};
// For tests in which polling must not be what helps.
inline constexpr auto never = std::chrono::hours{24};

inline SubscriptionOptions once() {
  SubscriptionOptions options;
  options.until_caught_up = true;
  options.first_wait = 1ms;
  return options;
}

// The positions that a run to the end of the log delivers.
inline std::vector<std::int64_t> catch_up(EventStore& store, const std::string& name,
                                          const Filter& filter = everything,
                                          const Start& start = Start::beginning(),
                                          SubscriptionOptions options = once()) {
  std::vector<std::int64_t> positions;
  const auto end = store.run_subscription(
      name, filter, start, options,
      [&](const RecordedEvent& event) { positions.push_back(event.position); });
  CHECK(end == SubscriptionEnd::caught_up);
  return positions;
}

// One value of evercore_subscriptions.
inline std::string shown(Fresh& store, const std::string& name, const std::string& column) {
  std::string value = "no row";
  auto sink = [&](const Row& row) { value = row.is_null(0) ? "NULL" : std::string(row.text(0)); };
  store->with_context([&](Context& ctx) {
    ctx.execute("SELECT CAST(" + column + " AS text) FROM " +
                    store.place.relation("evercore_subscriptions") +
                    " WHERE name = $1 ORDER BY partition LIMIT 1",
                {name}, sink);
  });
  return value;
}

inline void call(Fresh& store, const std::string& function, const std::string& arguments) {
  store->with_context(
      [&](Context& ctx) { ctx.execute("SELECT " + store.place.relation(function) + arguments); });
}

// A runner in a thread of its own, stopped and joined at the end.
struct Background {
  template <class F>
  explicit Background(F function)
      : thread([this, function](std::stop_token stop) {
          try {
            end = function(stop);
          } catch (const std::exception& thrown) {
            fault = thrown.what();
          }
          ended.open();
        }) {}
  Gate ended;
  std::optional<SubscriptionEnd> end;
  std::string fault;
  std::jthread thread;  // last: it uses the others
};

// A runner that is told of appends and hardly ever polls; counts what it has handled.
class Listener {
 public:
  explicit Listener(EventStore store)
      : runner_([this, store](std::stop_token stop) {
          EventStore mine = store;
          SubscriptionOptions options{.stop = stop};
          options.poll_shortest = options.poll_longest = never;
          return mine.run_subscription("s", {}, Start::beginning(), options,
                                       [this](const RecordedEvent&) {
                                         const std::lock_guard lock(mutex_);
                                         ++count_;
                                         handled_.notify_all();
                                       });
        }) {}
  // Whether it has handled so many before a minute is over.
  bool reaches(int count) {
    std::unique_lock lock(mutex_);
    return handled_.wait_until(lock, std::chrono::system_clock::now() + std::chrono::seconds{60},
                               [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable handled_;
  int count_ = 0;
  Background runner_;
};

}  // namespace runners
