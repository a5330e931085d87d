// What the library does on a disk that fails (io_test.cpp) and on one that loses power (power_test.cpp), and what must be there afterwards. Each
// has prepare(store), work(store), which says whether all was acknowledged, and look(seen, store): on a store that was opened anew, and on one that goes
// on.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "accounts.h"
#include "harness.h"
#include "runners.h"

namespace disk_work {

using namespace evercore;

// The events of that type, by key.
inline std::map<std::string, int> counted(EventStore& store, const std::string& type) {
  std::map<std::string, int> found;
  for (const auto& event : store.follow(0, 100000)) {
    if (event.event_type == type) ++found[event.natural_key.value_or("")];
  }
  return found;
}

inline std::int64_t balance(EventStore& store, const std::string& key) {
  return store.with_readonly_context([&](ReadonlyContext& ctx) {
    return ctx.find<AccountAggregate>(key) ? ctx.load<AccountAggregate>(key)->balance : 0;
  });
}

// One context that writes to two aggregates, and a snapshot.
class Transfer {
 public:
  void prepare(EventStore&) {}
  void work(EventStore& store) { done_ = deposit(store); }
  void look(EventStore& seen, EventStore& store) {
    const auto left = balance(seen, "from");
    CHECK((left == 5 || (left == 0 && !done_)));
    CHECK(balance(seen, "to") == left);
    CHECK(deposit(store));
    CHECK(balance(seen, "from") == left + 5);
    CHECK(balance(seen, "to") == left + 5);
  }

 private:
  static bool deposit(EventStore& store) {
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
  }
  bool done_ = false;
};

// Contexts of six threads, whose commits go in groups.
class Group {
 public:
  void prepare(EventStore&) {}
  void work(EventStore& store) {
    std::vector<std::jthread> all;
    for (int i = 0; i < threads; ++i) {
      all.emplace_back([this, &store, i] {
        for (int turn = 0; turn < each; ++turn) commit(store, i);
      });
    }
  }
  void look(EventStore& seen, EventStore& store) {
    const auto found = counted(seen, "Member");
    for (int i = 0; i < threads; ++i) {
      const auto entry = found.find(std::to_string(i));
      const int there = entry == found.end() ? 0 : entry->second;
      CHECK(there % 2 == 0);
      CHECK(there / 2 >= done_[static_cast<std::size_t>(i)]);
      CHECK(there / 2 <= each);
    }
    CHECK_NOTHROW(runners::append(store, "after", "Made"));
  }

 private:
  static constexpr int threads = 6, each = 3;
  void commit(EventStore& store, int i) {
    try {
      store.with_context([&](Context& ctx) {
        ctx.publish("Left", std::to_string(i), {"Member", "{}"});
        ctx.publish("Right", std::to_string(i), {"Member", "{}"});
      });
      ++done_[static_cast<std::size_t>(i)];
    } catch (const engine_error&) {
    }
  }
  std::array<std::atomic<int>, threads> done_{};
};

constexpr int events = 7;

// A run of a subscription to the end of the log; false where it ended in a fault of the disk.
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

// A subscription whose handler writes, in the transaction of its ack.
class EffectInTheStore {
 public:
  void prepare(EventStore& store) { runners::append(store, "a", "Made", events); }
  void work(EventStore& store) { done_ = follow(store); }
  void look(EventStore& seen, EventStore& store) {
    if (!done_) CHECK(follow(store));
    const auto effects = counted(seen, "Seen");
    CHECK(effects.size() == events);
    for (const auto& [sequence, count] : effects) CHECK(count == 1);
  }

 private:
  static bool follow(EventStore& store) {
    return run(store, [](Context& ctx, const RecordedEvent& event) {
      ctx.publish("Effect", std::to_string(event.sequence), {"Seen", "{}"});
    });
  }
  bool done_ = false;
};

// One whose handler does something elsewhere, and throws at first where it is asked to.
class EffectElsewhere {
 public:
  void prepare(EventStore& store) { runners::append(store, "a", "Made", events); }
  void work(EventStore& store) { done_ = follow(store); }
  void look(EventStore&, EventStore& store) {
    if (!done_) CHECK(follow(store));
    std::int64_t next = 1;
    for (const std::int64_t sequence : handled_) {
      CHECK(sequence <= next);  // what was handled already may come again
      next = std::max(next, sequence + 1);
    }
    CHECK(next == events + 1);
  }

 private:
  bool follow(EventStore& store) {
    return run(store, [&](const RecordedEvent& event) {
      if (event.sequence == 4 && !std::exchange(thrown_, true)) throw std::runtime_error("not now");
      handled_.push_back(event.sequence);
    });
  }
  std::vector<std::int64_t> handled_;
  bool thrown_ = false;
  bool done_ = false;
};

}  // namespace disk_work
