// Commits of several threads that the SQLite driver writes as one transaction: what happens to one
// of them happens to no other, and what fails together is told to each.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <atomic>
#include <thread>
#include <vector>

#include "harness.h"
#include "runners.h"

using namespace evercore;
using runners::everything;

namespace {

template <class F>
void on_threads(int count, F&& work) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
}

// The events of that type which the store holds.
int count(EventStore& store, const std::string& type) {
  int found = 0;
  for (const auto& event : store.follow(0, 100000)) found += event.event_type == type ? 1 : 0;
  return found;
}

// Runners that acknowledge first and fail every second time after that: nothing of those calls may stay.
void fail_in_the_middle(EventStore& store) {
  constexpr int runners = 8, events = 10;
  runners::append(store, "a", "Made", events);
  std::atomic<int> ended{0};
  on_threads(runners, [&](int runner) {
    auto options = runners::once();
    options.first_wait = std::chrono::milliseconds{0};
    options.batch_size = 2;
    int calls = 0;
    const auto end = store.run_subscription(
        "s" + std::to_string(runner), {.aggregate_type = "Thing"}, Start::beginning(), options,
        [&](Context& ctx, const RecordedEvent&) {
          ctx.publish("Effect", std::to_string(runner),
                      {"Seen", ++calls % 2 == 0 ? "no JSON" : "{}"});
        });
    ended += end == SubscriptionEnd::caught_up ? 1 : 0;
  });
  CHECK(ended == runners);
  CHECK(count(store, "Seen") == runners * events);
}

// Connections that are opened while this stands refuse to take a member of a group back, or to let it stand.
class SavepointsFail {
 public:
  explicit SavepointsFail(const char* what) {
    word = what;
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(&SavepointsFail::open));
  }
  ~SavepointsFail() {
    sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&SavepointsFail::open));
  }
  SavepointsFail(const SavepointsFail&) = delete;
  SavepointsFail& operator=(const SavepointsFail&) = delete;

  static inline const char* word = "";
  static inline std::atomic<int> refused{0};

 private:
  static int open(sqlite3* db, char**, const void*) {
    return sqlite3_set_authorizer(db, &SavepointsFail::authorize, nullptr);
  }
  static int authorize(void*, int action, const char* what, const char* name, const char*,
                       const char*) {
    if (action != SQLITE_SAVEPOINT || std::string_view(what) != word ||
        std::string_view(name) != "evercore_group")
      return SQLITE_OK;
    ++refused;
    return SQLITE_DENY;
  }
};

}  // namespace

TEST_CASE("a member of a group that fails in its middle leaves nothing of itself") {
  harness::Fresh fresh;
  fail_in_the_middle(fresh.store);
}

TEST_CASE("a member of a group that cannot be taken back by itself leaves nothing either") {
  if (!harness::on_file()) return;
  for (const char* word : {"ROLLBACK", "RELEASE"}) {
    CAPTURE(word);
    const SavepointsFail fail(word);
    const int before = SavepointsFail::refused;
    while (SavepointsFail::refused == before) {  // until commits have met in a group
      harness::Place place;
      auto store = connect("sqlite:" + place.file());
      fail_in_the_middle(store);
    }
  }
}

TEST_CASE("a group whose commit fails tells each of its members") {
  if (!harness::on_file()) return;
  harness::Place place;
  // In a rollback journal a commit waits for readers, and fails where they stay.
  auto store = connect("sqlite:" + place.file() + "?journal_mode=delete&busy_timeout=50");
  runners::append(store, "a", "Made");
  sqlite3* reader = nullptr;
  REQUIRE(sqlite3_open(place.file().c_str(), &reader) == SQLITE_OK);
  REQUIRE(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM evercore_event", nullptr, nullptr,
                       nullptr) == SQLITE_OK);
  std::atomic<int> acknowledged{0}, busy{0};
  on_threads(8, [&](int thread) {
    for (int i = 0; i < 3; ++i) {
      try {
        runners::append(store, std::to_string(thread), "Lost");
        ++acknowledged;
      } catch (const busy_error&) {
        ++busy;
      }
    }
  });
  sqlite3_close(reader);
  CHECK(acknowledged == 0);
  CHECK(busy == 8 * 3);
  CHECK(count(store, "Lost") == 0);
  CHECK_NOTHROW(runners::append(store, "a", "Made"));
  CHECK(count(store, "Made") == 2);
}
