// The library on files whose writes fail: whatever the n-th write, truncation or sync of a file does, what was
// acknowledged is there, nothing is half, and the store goes on once the disk does.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <thread>
#include <vector>

#include "accounts.h"
#include "harness.h"
#include "runners.h"
#include "tests/support/failing_vfs.h"

using namespace evercore;

namespace {

// SQLite opens files through the failing VFS for as long as it lives.
struct FailingFiles {
  FailingFiles() { failing_vfs::add(true); }
  ~FailingFiles() {
    failing_vfs::heal();
    failing_vfs::step_back();
  }
};

std::string uri_of(const harness::Place& place, const std::string& journal) {
  return "sqlite://" + place.file() + "?synchronous=full&journal_mode=" + journal;
}

// Of the writes every 5th fails; each of them with EVERCORE_SOAK, as in `make soak`.
int stride() {
  return std::getenv("EVERCORE_SOAK") == nullptr ? 5 : 1;
}

// Runs `work`, on a store that was prepared, with one write failing, then one behind it, and so on, until none is left
// to fail; `look` examines a store that was opened anew. With `goes_on` all writes behind it fail, too, until the work
// is over. Gives how often one failed.
template <class Prepare, class Work, class Look>
int each_write(const std::string& journal, bool goes_on, const Prepare& prepare, const Work& work,
               const Look& look) {
  for (int n = 1, rounds = 0;; n += stride(), ++rounds) {
    harness::Place place;
    auto store = connect(uri_of(place, journal));
    prepare(store);
    if (goes_on) {
      failing_vfs::fail_from(n);
    } else {
      failing_vfs::fail_once(n);
    }
    auto done = work(store);
    const bool any = failing_vfs::failed;
    failing_vfs::heal();
    CAPTURE(journal);
    CAPTURE(goes_on);
    CAPTURE(n);
    auto seen = connect(uri_of(place, journal));
    look(seen, store, done);
    CHECK(seen.check().empty());
    if (!any) return rounds;
  }
}

// The events of that type, by key.
std::map<std::string, int> counted(EventStore& store, const std::string& type) {
  std::map<std::string, int> found;
  for (const auto& event : store.follow(0, 100000)) {
    if (event.event_type == type) ++found[event.natural_key.value_or("")];
  }
  return found;
}

std::int64_t balance(EventStore& store, const std::string& key) {
  return store.with_readonly_context([&](ReadonlyContext& ctx) {
    return ctx.find<AccountAggregate>(key) ? ctx.load<AccountAggregate>(key)->balance : 0;
  });
}

void nothing(EventStore&) {}

template <class Test>
void in_each_mode(const Test& test) {
  if (!harness::on_file()) return;
  const FailingFiles failing;
  for (const char* journal : {"wal", "delete"}) {
    for (const bool goes_on : {false, true}) test(journal, goes_on);
  }
}

}  // namespace

TEST_CASE("a context on a disk that fails has written all or nothing") {
  const auto deposit = [](EventStore& store) {
    try {
      store.with_context([&](Context& ctx) {
        auto from = ctx.load_or_create<AccountAggregate>("from");
        auto to = ctx.load_or_create<AccountAggregate>("to");
        from.apply(Deposited{5});
        to.apply(Deposited{5});
        ctx.save_snapshot(from);
      });
      return true;
    } catch (const engine_error&) {
      return false;
    }
  };
  const auto look = [&](EventStore& seen, EventStore& store, bool done) {
    const auto left = balance(seen, "from");
    CHECK((left == 5 || (left == 0 && !done)));
    CHECK(balance(seen, "to") == left);
    CHECK(deposit(store));
    CHECK(balance(seen, "from") == left + 5);
    CHECK(balance(seen, "to") == left + 5);
  };
  in_each_mode([&](const char* journal, bool goes_on) {
    CHECK(each_write(journal, goes_on, nothing, deposit, look) > 1);
  });
}

TEST_CASE(
    "of commits in groups on a disk that fails each is there or not, and is there if it was said "
    "to be") {
  constexpr int threads = 6, each = 3;
  using Done = std::array<std::atomic<int>, threads>;
  const auto work = [](EventStore& store) {
    auto done = std::make_unique<Done>();
    std::vector<std::jthread> all;
    for (int i = 0; i < threads; ++i) {
      all.emplace_back([&store, &done, i] {
        for (int turn = 0; turn < each; ++turn) {
          try {
            store.with_context([&](Context& ctx) {
              ctx.publish("Left", std::to_string(i), {"Member", "{}"});
              ctx.publish("Right", std::to_string(i), {"Member", "{}"});
            });
            ++(*done)[static_cast<std::size_t>(i)];
          } catch (const engine_error&) {
          }
        }
      });
    }
    all.clear();
    return done;
  };
  const auto look = [&](EventStore& seen, EventStore& store, const std::unique_ptr<Done>& done) {
    const auto found = counted(seen, "Member");
    for (int i = 0; i < threads; ++i) {
      const auto entry = found.find(std::to_string(i));
      const int there = entry == found.end() ? 0 : entry->second;
      CHECK(there % 2 == 0);
      CHECK(there / 2 >= (*done)[static_cast<std::size_t>(i)]);
      CHECK(there / 2 <= each);
    }
    CHECK_NOTHROW(runners::append(store, "after", "Made"));
  };
  in_each_mode([&](const char* journal, bool goes_on) {
    CHECK(each_write(journal, goes_on, nothing, work, look) > 1);
  });
}

namespace {

constexpr int events = 7;

void append_events(EventStore& store) {
  runners::append(store, "a", "Made", events);
}

// A run to the end of the log; false where it ended in a fault of the disk.
template <class Handler>
bool run(EventStore& store, const Handler& handler) {
  auto options = runners::once();
  options.batch_size = 3;
  options.first_wait = std::chrono::milliseconds{0};
  options.lease = std::chrono::milliseconds{50};  // which a run that ended so leaves behind
  try {
    const auto end = store.run_subscription("s", {.aggregate_type = "Thing", .natural_key = "a"},
                                            Start::beginning(), options, handler);
    return end == SubscriptionEnd::caught_up;
  } catch (const engine_error&) {
    return false;
  }
}

}  // namespace

TEST_CASE("on a disk that fails each event has one effect where that is written with the ack") {
  const auto work = [](EventStore& store) {
    return run(store, [](Context& ctx, const RecordedEvent& event) {
      ctx.publish("Effect", std::to_string(event.sequence), {"Seen", "{}"});
    });
  };
  const auto look = [&](EventStore& seen, EventStore& store, bool done) {
    if (!done) CHECK(work(store));
    const auto effects = counted(seen, "Seen");
    CHECK(effects.size() == events);
    for (const auto& [sequence, count] : effects) CHECK(count == 1);
  };
  in_each_mode([&](const char* journal, bool goes_on) {
    CHECK(each_write(journal, goes_on, append_events, work, look) > 1);
  });
}

TEST_CASE("on a disk that fails each event is handled at least once, and in order") {
  std::vector<std::int64_t> handled;
  const auto work = [&](EventStore& store) {
    return run(store, [&](const RecordedEvent& event) { handled.push_back(event.sequence); });
  };
  const auto look = [&](EventStore&, EventStore& store, bool done) {
    if (!done) CHECK(work(store));
    std::int64_t next = 1;
    for (const std::int64_t sequence : handled) {
      CHECK(sequence <= next);  // what was handled already may come again
      next = std::max(next, sequence + 1);
    }
    CHECK(next == events + 1);
    handled.clear();
  };
  in_each_mode([&](const char* journal, bool goes_on) {
    CHECK(each_write(journal, goes_on, append_events, work, look) > 1);
  });
}
