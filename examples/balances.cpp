// A projection kept by a subscription: deposits are events, and a table beside the store has each
// account's balance, each deposit counted exactly once whatever dies when.
//   build/examples/balances sqlite:balances.db
//   build/examples/balances 'postgres://postgres@localhost/postgres?schema=balances'
#include <evercore/evercore.h>

#include <cstdio>
#include <thread>

struct Deposited {
  std::int64_t cents = 0;
};
struct Account {
  std::int64_t cents = 0;
  void apply(const Deposited& event) { cents += event.cents; }
};
using AccountAggregate = evercore::StateAggregate<Account, Deposited>;

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::fprintf(stderr, "usage: balances URI\n");
    return 2;
  }
  auto store = evercore::connect(argv[1]);
  store.with_context([](evercore::Context& ctx) {
    ctx.execute(
        "CREATE TABLE IF NOT EXISTS balance (account bigint PRIMARY KEY, name text, cents bigint)");
  });

  // With a context before the event, what is written here and the cursor are committed together.
  const auto project = [](evercore::Context& ctx, const evercore::RecordedEvent& event) {
    ctx.execute(
        "INSERT INTO balance VALUES ($1, $2, $3)"
        " ON CONFLICT (account) DO UPDATE SET cents = balance.cents + excluded.cents",
        {event.aggregate_id, event.natural_key.value_or("-"),
         evercore::decode_event<Deposited>(event)->cents});
  };
  const auto run = [&](const evercore::SubscriptionOptions& options) {
    return store.run_subscription("balances", {.event_types = {"Deposited"}},
                                  evercore::Start::beginning(), options, project);
  };

  // A worker, woken by each append. A service would let it run for as long as it lives.
  std::jthread worker([&](std::stop_token stop) { run({.stop = stop}); });
  for (int i = 0; i < 30; ++i) {
    store.with_retry([&](evercore::Context& ctx) {
      ctx.load_or_create<AccountAggregate>(i % 3 == 0 ? "ann" : "ben").apply(Deposited{100});
    });
  }
  worker.request_stop();

  // This run waits until the worker has given its lease back, and reads what it left.
  run({.until_caught_up = true});
  auto print = [](const evercore::Row& row) {
    std::printf("%-5s %lld\n", std::string(row.text(0)).c_str(),
                static_cast<long long>(row.integer(1)));
  };
  store.with_context([&](evercore::Context& ctx) {
    ctx.execute("SELECT name, cents FROM balance ORDER BY name", {}, print);
  });
} catch (const evercore::error& fault) {
  std::fprintf(stderr, "%s\n", fault.what());
  return 1;
}
