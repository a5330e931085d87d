// What a runner asks of the store while there is nothing for it: one call each time it looks.
#include <doctest/doctest.h>

#include <algorithm>

#include "harness.h"
#include "runners.h"

using namespace evercore;
using namespace runners;

namespace {

// The calls of the surface that a runner makes, and how many of them before each of its waits.
struct Calls {
  std::vector<std::string> made;
  std::vector<std::vector<std::string>> before_waiting;
  std::stop_source enough;

  void add(std::span<const Command> commands) {
    for (const Command& command : commands) {
      const std::string sql = command.statement().sql;
      const auto at =
          sql.rfind("{}evercore_");  // the function that is asked, and not what goes with it
      if (at != sql.npos) made.push_back(sql.substr(at + 2, sql.find('(', at) - at - 2));
    }
  }
  void waits() {
    before_waiting.push_back(std::exchange(made, {}));
    if (before_waiting.size() == 4) enough.request_stop();
  }
};

class CountingSession final : public Session {
 public:
  CountingSession(SessionHandle inner, Calls& calls) : inner_(std::move(inner)), calls_(calls) {}
  void begin_read() override { inner_->begin_read(); }
  void begin_write() override { inner_->begin_write(); }
  void run(std::span<const Command> commands) override {
    calls_.add(commands);
    inner_->run(commands);
  }
  void commit(std::span<const Command> commands) override {
    calls_.add(commands);
    inner_->commit(commands);
  }
  void rollback() noexcept override { inner_->rollback(); }

 private:
  SessionHandle inner_;
  Calls& calls_;
};

// Looks again at once, as if something had woken it.
class CountingWatch final : public Watch {
 public:
  explicit CountingWatch(Calls& calls) : calls_(calls) {}
  void wait(std::chrono::milliseconds, const std::stop_token&) override { calls_.waits(); }

 private:
  Calls& calls_;
};

class CountingEngine final : public StorageEngine {
 public:
  CountingEngine(EventStore& real, Calls& calls) : real_(real.engine()), calls_(calls) {}
  std::string_view name() const noexcept override { return real_.name(); }
  SessionHandle session() override {
    return SessionHandle(new CountingSession(real_.session(), calls_), SessionReturn{this});
  }
  void write(SessionHandle session, std::span<const Command> commands) override {
    session.reset();
    calls_.add(commands);
    real_.write({}, commands);
  }
  std::unique_ptr<Watch> watch() override { return std::make_unique<CountingWatch>(calls_); }

 protected:
  void give_back(Session* session) noexcept override { delete session; }

 private:
  StorageEngine& real_;
  Calls& calls_;
};

// The calls before each of the first waits of a runner.
std::vector<std::vector<std::string>> calls_of(Fresh& store, const Filter& filter) {
  Calls calls;
  EventStore counted(std::make_shared<CountingEngine>(store.store, calls));
  SubscriptionOptions options;
  options.lease = 1h;
  options.stop = calls.enough.get_token();
  const auto end = counted.run_subscription("s", filter, Start::beginning(), options,
                                            [](const RecordedEvent&) {});
  CHECK(end == SubscriptionEnd::stopped);
  return calls.before_waiting;
}

using Made = std::vector<std::string>;

}  // namespace

TEST_CASE("an idle runner makes one call each time it looks") {
  Fresh store;
  append(store.store, "a", "Made", 3);
  const auto calls = calls_of(store, everything);
  REQUIRE(calls.size() == 4);
  CHECK(calls[1] == Made{"evercore_fetch"});
  CHECK(calls[2] == Made{"evercore_fetch"});
  CHECK(calls[3] == Made{"evercore_fetch"});
}

TEST_CASE("a runner whose filter lets nothing through moves its cursor, and is idle then") {
  Fresh store;
  append(store.store, "a", "Made", 3);
  const auto calls = calls_of(store, {.event_types = {"Other"}});
  REQUIRE(calls.size() == 4);
  CHECK(std::count(calls[0].begin(), calls[0].end(), "evercore_ack") == 1);
  CHECK(calls[1] == Made{"evercore_fetch"});
  CHECK(calls[2] == Made{"evercore_fetch"});
  CHECK(shown(store, "s", "position") == "3");
}

TEST_CASE("a runner of a store without events is idle") {
  Fresh store;
  const auto calls = calls_of(store, everything);
  REQUIRE(calls.size() == 4);
  CHECK(calls[3] == Made{"evercore_fetch"});
}
