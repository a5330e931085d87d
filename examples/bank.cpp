// A bank whose accounts never go below nothing and whose money is never lost, with several tellers
// at work at once.
//   build/examples/bank [uri]          sqlite::memory: unless another store is named
#include <evercore/evercore.h>

#include <cstdio>
#include <thread>

struct Opened {
  std::string owner;
};
struct Deposited {
  std::int64_t cents = 0;
};
struct Withdrawn {
  std::int64_t cents = 0;
};

struct Account {
  std::string owner;
  std::int64_t balance = 0;

  void apply(const Deposited& event) { balance += event.cents; }
  void apply(const Withdrawn& event) { balance -= event.cents; }

  // The invariants. What breaks one is refused before it is staged.
  void validate(const Deposited& event) const {
    if (event.cents <= 0) throw evercore::refused_error("a deposit is more than nothing");
  }
  void validate(const Withdrawn& event) const {
    if (event.cents > balance) throw evercore::refused_error("insufficient funds");
  }
};
using AccountAggregate = evercore::StateAggregate<Account, Opened, Deposited, Withdrawn>;

int main(int argc, char** argv) try {
  auto store = evercore::connect(argc > 1 ? argv[1] : "sqlite::memory:");
  constexpr std::int64_t accounts = 5, start = 100'00;

  std::vector<std::int64_t> ids;
  store.with_context([&](evercore::Context& ctx) {
    for (std::int64_t i = 0; i < accounts; ++i) {
      auto account = ctx.create<AccountAggregate>();
      account.apply(Opened{"owner " + std::to_string(i)});
      account.apply(Deposited{start});
      ids.push_back(account.id());
    }
  });

  // Both sides of a transfer are written together, or neither is.
  const auto transfer = [&](std::int64_t from, std::int64_t to, std::int64_t cents) {
    store.with_retry([&](evercore::Context& ctx) {
      auto giver = ctx.load<AccountAggregate>(from);
      auto taker = ctx.load<AccountAggregate>(to);
      giver.apply(Withdrawn{cents});
      taker.apply(Deposited{cents});
    });
  };
  std::vector<std::thread> tellers;
  for (std::size_t teller = 0; teller < 4; ++teller) {
    tellers.emplace_back([&, teller] {
      for (std::size_t i = 0; i < 50; ++i) {
        const auto from = ids[(teller + i) % ids.size()],
                   to = ids[(teller + 3 * i + 1) % ids.size()];
        try {
          if (from != to) transfer(from, to, 70'00);
        } catch (const evercore::refused_error&) {
          // Not enough money: nothing was written.
        }
      }
    });
  }
  for (auto& teller : tellers) teller.join();

  std::int64_t sum = 0;
  bool sound = true;
  store.with_readonly_context([&](evercore::ReadonlyContext& ctx) {
    for (auto id : ids) {
      const auto account = ctx.load<AccountAggregate>(id);
      sum += account->balance;
      sound = sound && account->balance >= 0;
    }
  });
  std::printf("%lld cents in the bank, %s\n", static_cast<long long>(sum),
              sound && sum == accounts * start ? "as at the start" : "AND THAT IS WRONG");
  return sound && sum == accounts * start ? 0 : 1;
} catch (const evercore::error& fault) {
  std::fprintf(stderr, "%s\n", fault.what());
  return 1;
}
