// What wakes a runner that polls hardly ever.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <condition_variable>
#include <mutex>

#include "runners.h"

using namespace evercore;
using namespace runners;

TEST_CASE("each append through the store wakes a runner that polls hardly ever") {
  Fresh store;
  std::mutex mutex;
  std::condition_variable handled;
  int count = 0;
  Background runner([&](std::stop_token stop) {
    SubscriptionOptions options{.stop = stop};
    options.poll_shortest = options.poll_longest = never;
    return store->run_subscription("s", everything, Start::beginning(), options,
                                   [&](const RecordedEvent&) {
                                     const std::lock_guard lock(mutex);
                                     ++count;
                                     handled.notify_all();
                                   });
  });
  for (int appended = 1; appended <= 50; ++appended) {
    append(store.store, "a", "Made");
    std::unique_lock lock(mutex);
    REQUIRE(handled.wait_until(lock, std::chrono::system_clock::now() + 60s,
                               [&] { return count == appended; }));
  }
}

TEST_CASE("an append by another process wakes a runner that polls hardly ever") {
  if (harness::on_memory()) return;
  harness::Place place;
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = fork();
  if (child == 0) {
    char byte;
    int status = read(ready[0], &byte, 1) == 1 ? 0 : 1;
    try {
      auto store = connect(place.uri());
      append(store, "a", "Made");
      // On PostgreSQL word is sent after the append: stay until the parent has got it.
      status |= read(ready[0], &byte, 1) == 1 ? 0 : 1;
    } catch (const std::exception&) {
      status = 1;
    }
    _exit(status);
  }
  auto store = connect(place.uri());
  append(store, "before", "Made");
  Gate first, second;
  Background runner([&](std::stop_token stop) {
    SubscriptionOptions options{.stop = stop};
    options.poll_shortest = options.poll_longest = never;
    return store.run_subscription(
        "s", everything, Start::beginning(), options,
        [&](const RecordedEvent& event) { (event.natural_key == "a" ? second : first).open(); });
  });
  CHECK(first.wait());
  CHECK(write(ready[1], "x", 1) == 1);
  CHECK(second.wait());
  CHECK(write(ready[1], "x", 1) == 1);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(status == 0);
  close(ready[0]);
  close(ready[1]);
}
