// Many at once: threads on one store, processes on one file, groups of commits.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <thread>

#include "accounts.h"
#include "harness.h"

using namespace evercore;
using harness::Fresh;

namespace {

// Calls work(i) on `count` threads and gives what they threw as text: nothing, when all went well.
template <class F>
std::string on_threads(int count, F&& work) {
  std::vector<std::thread> threads;
  std::vector<std::string> faults(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      try {
        work(i);
      } catch (const std::exception& fault) {
        faults[static_cast<std::size_t>(i)] = fault.what();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::string all;
  for (const auto& fault : faults) all += fault;
  return all;
}

std::vector<std::int64_t> open_accounts(EventStore& store, int count) {
  return store.with_context([&](Context& ctx) {
    std::vector<std::int64_t> ids;
    for (int i = 0; i < count; ++i) {
      auto account = ctx.create<AccountAggregate>("a" + std::to_string(i));
      account.apply(AccountOpened{"somebody"});
      ids.push_back(account.id());
    }
    return ids;
  });
}

std::int64_t total(EventStore& store, const std::vector<std::int64_t>& ids) {
  return store.with_readonly_context([&](ReadonlyContext& ctx) {
    std::int64_t sum = 0;
    for (auto id : ids) sum += ctx.load<AccountAggregate>(id)->balance;
    return sum;
  });
}

void deposit(EventStore& store, std::int64_t id) {
  store.with_retry([&](Context& ctx) { ctx.load<AccountAggregate>(id).apply(Deposited{1}); });
}

}  // namespace

TEST_CASE("sixteen threads that increment counters lose nothing") {
  Fresh store;
  const auto ids = open_accounts(store.store, 4);
  constexpr int each = 100;
  const auto faults = on_threads(16, [&](int thread) {
    for (int i = 0; i < each; ++i)
      deposit(store.store, ids[static_cast<std::size_t>(thread + i) % ids.size()]);
  });
  CHECK(faults == "");
  CHECK(total(store.store, ids) == 16 * each);
  CHECK(store->check().empty());
}

TEST_CASE("threads that move money between accounts keep the sum and no account below nothing") {
  Fresh store;
  const auto ids = open_accounts(store.store, 5);
  store->with_context([&](Context& ctx) {
    for (auto id : ids) ctx.load<AccountAggregate>(id).apply(Deposited{100});
  });
  const auto faults = on_threads(8, [&](int thread) {
    for (int i = 0; i < 25; ++i) {
      const auto from = ids[static_cast<std::size_t>(thread + i) % ids.size()];
      const auto to = ids[static_cast<std::size_t>(thread + 2 * i + 1) % ids.size()];
      if (from == to) continue;
      try {
        store->with_retry([&](Context& ctx) {
          auto giver = ctx.load<AccountAggregate>(from);
          auto taker = ctx.load<AccountAggregate>(to);
          giver.apply(Withdrawn{60});
          taker.apply(Deposited{60});
        });
      } catch (const refused_error&) {
      }
    }
  });
  CHECK(faults == "");
  CHECK(total(store.store, ids) == 500);
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    for (auto id : ids) CHECK(ctx.load<AccountAggregate>(id)->balance >= 0);
  });
}

TEST_CASE("threads that load or create the same keys make each once") {
  Fresh store;
  const auto faults = on_threads(8, [&](int) {
    for (int i = 0; i < 20; ++i) {
      store->with_retry([&](Context& ctx) {
        ctx.load_or_create<UserAggregate>("user" + std::to_string(i)).apply(UserLoggedIn{});
      });
    }
  });
  CHECK(faults == "");
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    for (int i = 0; i < 20; ++i)
      CHECK(ctx.load<UserAggregate>("user" + std::to_string(i))->logins == 8);
  });
  CHECK(store->check().empty());
}

TEST_CASE("a group of commits keeps each one's atomicity and error apart") {
  Fresh store;
  const auto ids = open_accounts(store.store, 1);
  constexpr int threads = 12, each = 30;
  std::atomic<int> conflicts{0}, invalid{0}, good{0};
  const auto faults = on_threads(threads, [&](int thread) {
    const auto own = store->with_context([&](Context& ctx) {
      auto user = ctx.create<UserAggregate>("u" + std::to_string(thread));
      user.apply(UserCreated{"u"});
      return user.id();
    });
    for (int i = 0; i < each; ++i) {
      try {
        store->with_context([&](Context& ctx) {
          ctx.publish(own, {"UserRenamed", R"({"username":"a"})"});
          if (i % 3 == 1) ctx.publish(ids[0], {"Deposited", R"({"cents":1})"}, 0);  // stale
          if (i % 3 == 2) ctx.publish(own, {"UserRenamed", "{"});
          ctx.publish(own, {"UserRenamed", R"({"username":"b"})"});
        });
        ++good;
      } catch (const conflict_error&) {
        ++conflicts;
      } catch (const payload_error&) {
        ++invalid;
      }
    }
    const auto sequence =
        store->with_readonly_context([&](ReadonlyContext& ctx) { return ctx.sequence(own); });
    if (sequence != 1 + 2 * each / 3)
      throw usage_error("own sequence is " + std::to_string(sequence));
  });
  CHECK(faults == "");
  CHECK(good == threads * each / 3);
  CHECK(conflicts == threads * each / 3);
  CHECK(invalid == threads * each / 3);
  CHECK(store->check().empty());
}

TEST_CASE("eight processes on one store increment exactly") {
  if (harness::on_memory()) return;  // each process would have a store of its own
  harness::Place place;
  std::vector<std::int64_t> ids;
  {
    auto store = connect(place.uri());
    ids = open_accounts(store, 3);
  }
  constexpr int processes = 8, each = 100;
  std::vector<pid_t> children;
  for (int process = 0; process < processes; ++process) {
    const pid_t child = fork();
    if (child == 0) {
      int status = 0;
      try {
        auto store = connect(place.uri());
        for (int i = 0; i < each; ++i)
          deposit(store, ids[static_cast<std::size_t>(process + i) % ids.size()]);
      } catch (const std::exception& fault) {
        std::fprintf(stderr, "process %d: %s\n", process, fault.what());
        status = 1;
      }
      _exit(status);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  auto store = connect(place.uri());
  CHECK(total(store, ids) == processes * each);
  CHECK(store.check().empty());
}

// On a file the locks are the process's: whoever closes the file could take those of the others along.
TEST_CASE(
    "two stores of one process lose nothing, beside a third that comes and goes and a process") {
  if (harness::on_memory()) return;  // each would be a store of its own
  harness::Place place;
  std::vector<std::int64_t> ids;
  {
    auto store = connect(place.uri());
    ids = open_accounts(store, 3);
  }
  constexpr int threads = 6, each = 50;
  const pid_t child = fork();
  if (child == 0) {
    try {
      auto store = connect(place.uri());
      for (int i = 0; i < each; ++i) deposit(store, ids[static_cast<std::size_t>(i) % 3]);
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  auto first = connect(place.uri()), second = connect(place.uri());
  const auto faults = on_threads(threads + 1, [&](int thread) {
    for (int i = 0; i < each; ++i) {
      const auto id = ids[static_cast<std::size_t>(thread + i) % ids.size()];
      if (thread < threads) {
        deposit(thread % 2 == 0 ? first : second, id);
      } else {
        auto third = connect(place.uri());
        deposit(third, id);
      }
    }
  });
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(faults == "");
  for (EventStore* store : {&first, &second}) {
    CHECK(total(*store, ids) == (threads + 2) * each);
    CHECK(store->check().empty());
  }
}

TEST_CASE("several processes can open a new store at once") {
  if (harness::on_memory()) return;
  harness::Place place(harness::Holds::nothing);
  std::vector<pid_t> children;
  for (int process = 0; process < 6; ++process) {
    const pid_t child = fork();
    if (child == 0) {
      int status = 0;
      try {
        auto store = connect(place.uri());
        store.with_retry(
            [&](Context& ctx) { ctx.load_or_create<UserAggregate>("x").apply(UserLoggedIn{}); });
      } catch (const std::exception& fault) {
        std::fprintf(stderr, "process %d: %s\n", process, fault.what());
        status = 1;
      }
      _exit(status);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  auto store = connect(place.uri());
  store.with_readonly_context(
      [](ReadonlyContext& ctx) { CHECK(ctx.load<UserAggregate>("x")->logins == 6); });
}

TEST_CASE("waiting for a connection ends after the busy timeout") {
  harness::Place place;
  const auto mark = place.uri().find("busy_timeout=30000");
  std::string uri = place.uri();
  if (mark != uri.npos) uri.replace(mark, 18, "busy_timeout=50");
  uri += (harness::on_postgres() ? "&busy_timeout=50" : "");
  uri += "&pool_size=1";
  auto store = connect(uri);
  const auto id = new_user(store, "ann");
  store.with_readonly_context([&](ReadonlyContext& outer) {
    outer.load<UserAggregate>(id);
    CHECK(harness::fault_of<busy_error>([&] {
            store.with_readonly_context(
                [&](ReadonlyContext& inner) { inner.load<UserAggregate>(id); });
          }).starts_with("no connection came free: all 1 of the pool are in use"));
  });
}
