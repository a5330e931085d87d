// A driver that fails: whatever call to the engine goes wrong, the store throws an error of its own,
// nothing is half done, and the next attempt goes through.
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "accounts.h"
#include "harness.h"
#include "runners.h"

using namespace evercore;
using harness::Fresh;

namespace {

// Fails at one call of a driver, counted over all its sessions and threads (a runner's lease is
// renewed by one of its own): before anything is done, or after it was done, as when the answer is
// lost.
struct Fault {
  std::atomic<int> at = 0;  // 0: never
  bool after = false;
  std::atomic<int> calls = 0;
  std::atomic<bool> fired = false;
  // What somebody else does just before the engine is asked for the n-th time.
  std::function<void()> meanwhile = {};
  int meanwhile_at = 0;
  std::atomic<int> asked = 0;

  void ask() {
    if (++asked == meanwhile_at) meanwhile();
  }

  template <class F>
  void around(F&& work) {
    const bool fails = ++calls == at;
    if (fails) fired = true;
    if (fails && !after) throw engine_error("injected", "SQLITE_IOERR");
    work();
    if (fails) throw connection_error("injected: the answer was lost", "08006", true);
  }
};

class FaultySession final : public Session {
 public:
  FaultySession(SessionHandle inner, Fault& fault) : inner_(std::move(inner)), fault_(fault) {}
  void begin_read() override {
    fault_.around([&] { inner_->begin_read(); });
  }
  void begin_write() override {
    fault_.around([&] { inner_->begin_write(); });
  }
  using Session::run;
  void run(std::span<const Command> commands) override {
    fault_.around([&] { inner_->run(commands); });
  }
  void commit(std::span<const Command> commands) override {
    try {
      fault_.around([&] { inner_->commit(commands); });
    } catch (...) {
      inner_->rollback();  // a driver's commit ends the transaction, whatever comes
      throw;
    }
  }
  void rollback() noexcept override { inner_->rollback(); }
  std::optional<Command> hold_declarations(std::optional<std::string_view> type) const override {
    return inner_->hold_declarations(type);
  }

  SessionHandle inner_;

 private:
  Fault& fault_;
};

class FaultyEngine final : public StorageEngine {
 public:
  FaultyEngine(EventStore real, Fault& fault) : real_(std::move(real)), fault_(fault) {}
  std::string_view name() const noexcept override { return real_.engine().name(); }
  SessionHandle session() override {
    fault_.ask();
    SessionHandle inner;
    fault_.around([&] { inner = real_.engine().session(); });
    return SessionHandle(new FaultySession(std::move(inner), fault_), SessionReturn{this});
  }
  void write(SessionHandle session, std::span<const Command> commands) override {
    SessionHandle inner;
    if (session) inner = std::move(static_cast<FaultySession&>(*session).inner_);
    session.reset();
    if (!inner) fault_.ask();  // in memory there is one connection, and it is in use
    fault_.around([&] { real_.engine().write(std::move(inner), commands); });
  }

 protected:
  void give_back(Session* session) noexcept override { delete session; }

 private:
  EventStore real_;
  Fault& fault_;
};

// Runs `work` on a store whose driver fails at its first call, its second, and so on, before and
// after the call, until no call is left to fail; `look` examines the store after each. Both get a
// word that no other round has, for the names of what they write: on PostgreSQL, where making a
// store is slow, the rounds share one.
template <class Work, class Look>
int each_fault(Work&& work, Look&& look) {
  int faults = 0;
  std::optional<Fresh> fresh;
  for (const bool after : {false, true}) {
    for (int at = 1;; ++at) {
      if (!fresh || !harness::on_postgres()) fresh.emplace();
      const std::string round = (after ? "after " : "before ") + std::to_string(at);
      Fault fault{at, after};
      EventStore faulty(std::make_shared<FaultyEngine>(fresh->store, fault));
      bool failed = false;
      try {
        work(faulty, round);
      } catch (const engine_error& error) {
        failed = true;
        CHECK(std::string(error.what()).starts_with("injected"));
      }
      if (!fault.fired) break;
      ++faults;
      CAPTURE(round);
      fault.at = 0;
      look(fresh->store, faulty, round, failed);
      CHECK(fresh->store.check().empty());
    }
  }
  return faults;
}

std::int64_t balance(EventStore& store, const std::string& key) {
  return store.with_readonly_context([&](ReadonlyContext& ctx) {
    return ctx.find<AccountAggregate>(key) ? ctx.load<AccountAggregate>(key)->balance : 0;
  });
}

}  // namespace

TEST_CASE("a context whose driver fails at any call has written all or nothing") {
  const auto work = [](EventStore& store, const std::string& round) {
    store.with_context([&](Context& ctx) {
      auto from = ctx.load_or_create<AccountAggregate>("from " + round);
      auto to = ctx.load_or_create<AccountAggregate>("to " + round);
      from.apply(Deposited{5});
      to.apply(Deposited{5});
      ctx.save_snapshot(from);
    });
  };
  const auto look = [&](EventStore& real, EventStore& faulty, const std::string& round,
                        bool failed) {
    const auto left = balance(real, "from " + round);
    CHECK((failed || left == 5));
    CHECK((left == 0 || left == 5));
    CHECK(balance(real, "to " + round) == left);
    work(faulty, round);  // what was learnt before the fault does no harm
    CHECK(balance(real, "from " + round) == left + 5);
    CHECK(balance(real, "to " + round) == left + 5);
  };
  CHECK(each_fault(work, look) > 10);
}

TEST_CASE("reading through a driver that fails at any call leaves the store usable") {
  const auto work = [](EventStore& store, const std::string&) {
    store.warmup<UserAggregate>();
    store.with_readonly_context([](ReadonlyContext& ctx) { ctx.find<UserAggregate>("ann"); });
    store.follow(0);
    store.check();
  };
  const auto look = [&](EventStore&, EventStore& faulty, const std::string& round, bool) {
    work(faulty, round);
  };
  CHECK(each_fault(work, look) > 8);
}

TEST_CASE("a runner whose driver fails at any call goes on, and each event has one effect") {
  constexpr int events = 30;
  const auto work = [](EventStore& store, const std::string& round) {
    store.with_context([&](Context& ctx) {
      for (int i = 0; i < events; ++i) ctx.publish("Thing", round, {"Made", "{}"});
    });
    SubscriptionOptions options;
    options.until_caught_up = true;
    options.batch_size = 10;
    options.first_wait = std::chrono::milliseconds{0};
    options.lease = std::chrono::milliseconds{200};  // what a lost answer leaves claimed
    store.run_subscription(
        "s " + round, {.aggregate_type = "Thing", .natural_key = round}, Start::beginning(),
        options, [&](Context& ctx, const RecordedEvent& event) {
          ctx.publish("Effect", round + "/" + std::to_string(event.sequence), {"Seen", "{}"}, 0);
        });
  };
  const auto look = [&](EventStore& real, EventStore&, const std::string& round, bool failed) {
    std::int64_t made = 0, seen = 0;
    for (const auto& event : real.follow(0, 100000)) {
      made += event.event_type == "Made" && event.natural_key == round ? 1 : 0;
      seen += event.event_type == "Seen" && event.natural_key.value_or("").starts_with(round + "/")
                  ? 1
                  : 0;
    }
    CHECK((made == 0 || made == events));
    CHECK((failed || seen == events));
    CHECK((seen == 0 || seen % 10 == 0 || seen == events));
    CHECK(seen <= made);
  };
  CHECK(each_fault(work, look) > 15);
}

TEST_CASE("a subscription that is resumed at any moment is not taken for another's") {
  for (int at = 1; at <= 12; ++at) {
    CAPTURE(at);
    Fresh fresh;
    runners::catch_up(fresh.store, "s");
    runners::call(fresh, "evercore_pause", "('s')");
    runners::append(fresh.store, "a", "Made");
    Fault fault;
    fault.meanwhile = [&] { runners::call(fresh, "evercore_resume", "('s')"); };
    fault.meanwhile_at = at;
    EventStore store(std::make_shared<FaultyEngine>(fresh.store, fault));
    SubscriptionOptions options = runners::once();
    options.wait_for_lease = false;
    options.poll_shortest = options.poll_longest = std::chrono::milliseconds{1};
    CHECK(runners::catch_up(store, "s", runners::everything, Start::beginning(), options).size() ==
          1);
  }
}

TEST_CASE(
    "a command takes as many parameters as its statement has, and no more than there is room for") {
  constexpr Statement two{"SELECT f($1, $2, $1)", "it"};
  CHECK(Command(two, {1, "a"}).parameters().size() == 2);
  CHECK_THROWS_WITH_AS(Command(two, {1}), "a statement of 2 parameters was given 1", usage_error);
  CHECK_THROWS_AS(Command(two, {1, 2, 3}), usage_error);
  const Statement any = Statement::foreign_text("SELECT $1");
  CHECK(Command(any, {1, 2, 3, 4, 5, 6, 7, 8, 9}).parameters().size() == max_parameters);
  CHECK_THROWS_WITH_AS(Command(any, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}),
                       "EV009: a statement takes at most 9 parameters", argument_error);
}
