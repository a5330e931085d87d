// Folds that the store declares in another way than the program: the store's stay, and warmup() tells.
#include <doctest/doctest.h>

#include "evercore/evercore.h"
#include "harness.h"

using evercore::Context;
using harness::fault_of;

namespace {

struct Deposited {
  std::int64_t amount = 0;
};
struct Withdrawn {
  std::int64_t amount = 0;
};
struct Account {
  std::int64_t balance = 0;
  void apply(const Deposited& event) { balance += event.amount; }
  void apply(const Withdrawn& event) { balance -= event.amount; }
};
using AccountAggregate = evercore::StateAggregate<Account, Deposited, Withdrawn>;

std::string one(harness::Fresh& fresh, const std::string& sql) {
  std::string text;
  auto sink = [&](const evercore::Row& row) { text = row.text(0); };
  fresh->with_context([&](Context& ctx) { ctx.execute(sql, {}, sink); });
  return text;
}

std::string call(harness::Fresh& fresh, const std::string& arguments) {
  return one(fresh,
             "SELECT " + fresh.place.relation("evercore_event_type") + "(" + arguments + ")");
}

std::string fold_of(harness::Fresh& fresh, const std::string& type) {
  return one(fresh, "SELECT fold FROM " + fresh.place.relation("evercore_event_types") +
                        " WHERE event_type = '" + type + "'");
}

}  // namespace

TEST_CASE("rules that the store declares stay where a program folds the event itself") {
  harness::Fresh fresh;
  const std::string rules = R"([{"add":{"/balance":"/amount"}}])";
  call(fresh, "'Deposited', '" + rules + "'");
  const auto id = fresh->with_context([](Context& ctx) {
    auto account = ctx.load_or_create<AccountAggregate>("a");
    account.apply(Deposited{30});
    account.apply(Deposited{12});
    return account.id();
  });
  CHECK(fold_of(fresh, "Deposited") == rules);
  CHECK(fold_of(fresh, "Withdrawn") == "custom");
  CHECK(one(fresh, "SELECT CAST(" + fresh.place.relation("evercore_state") + "(" +
                       std::to_string(id) + ") AS text)")
            .find("42") != std::string::npos);
}

TEST_CASE("a warmup tells what the store folds in another way, and declares the rest") {
  harness::Fresh fresh;
  call(fresh, "'Deposited', 'patch'");
  for (int i = 0; i < 2; ++i) {
    CHECK(fault_of<evercore::declaration_error>([&] { fresh->warmup<AccountAggregate>(); }) ==
          "event type \"Deposited\" folds by patch in the store, and by custom here");
  }
  CHECK(fold_of(fresh, "Deposited") == "patch");
  CHECK(fold_of(fresh, "Withdrawn") == "custom");
  call(fresh, "'Deposited', 'custom'");
  fresh->warmup<AccountAggregate>();
}
