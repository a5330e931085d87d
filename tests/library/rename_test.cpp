// Renaming a type through the library: what is there goes on under the new name, and what this program
// writes under the old one folds as it did.
#include <doctest/doctest.h>

#include "accounts.h"
#include "harness.h"

using evercore::TypeKind;
using harness::fault_of;

namespace {

std::int64_t open_account(evercore::EventStore& store) {
  return store.with_context([](evercore::Context& ctx) {
    auto account = ctx.create<AccountAggregate>("a");
    account.apply(AccountOpened{"Ann"});
    account.apply(Deposited{500});
    return account.id();
  });
}

std::vector<std::string> types_of(evercore::EventStore& store) {
  std::vector<std::string> types;
  for (const auto& event : store.follow(0))
    types.push_back(event.aggregate_type + "." + event.event_type);
  return types;
}

}  // namespace

TEST_CASE("a type is renamed everywhere at once") {
  harness::Fresh fresh;
  open_account(fresh.store);
  fresh->rename_type(TypeKind::event, "Deposited", "MoneyCame");
  fresh->rename_type(TypeKind::aggregate, "Account", "Purse");
  CHECK(types_of(fresh.store) ==
        std::vector<std::string>{"Purse.AccountOpened", "Purse.MoneyCame"});
  CHECK(fresh->check().empty());
}

TEST_CASE("events under an old name are declared again and fold as they did") {
  harness::Fresh fresh;
  const auto id = open_account(fresh.store);
  fresh->rename_type(TypeKind::event, "Deposited", "MoneyCame");
  fresh->with_context([&](evercore::Context& ctx) {
    ctx.publish(id, {"Deposited", R"({"cents":7})"}, 2);
    auto other = ctx.create<AccountAggregate>("b");
    other.apply(Deposited{7});
  });
  // A custom event, which SQL passes over: by the fold that a type has unasked, merge, there were cents.
  std::string state;
  fresh->with_readonly_context([&](evercore::ReadonlyContext& ctx) { state = ctx.state(id); });
  CAPTURE(state);
  CHECK(state.find("cents") == state.npos);
}

TEST_CASE("a renaming that cannot be says why") {
  harness::Fresh fresh;
  open_account(fresh.store);
  const auto fault = [&](TypeKind kind, std::string_view from, std::string_view to) {
    return fault_of([&] { fresh->rename_type(kind, from, to); });
  };
  CHECK(fault(TypeKind::event, "Absent", "Other") == "EV002: no event type \"Absent\"");
  CHECK(fault(TypeKind::aggregate, "Absent", "Other") == "EV002: no aggregate type \"Absent\"");
  CHECK(fault(TypeKind::event, "Deposited", "AccountOpened") ==
        "EV010: event type \"AccountOpened\" is there already");
  CHECK(fault(TypeKind::event, "Deposited", "").starts_with("EV005: "));
  CHECK_THROWS_AS(fresh->rename_type(TypeKind::event, "Absent", "Other"),
                  evercore::not_found_error);
  CHECK_THROWS_AS(fresh->rename_type(TypeKind::event, "Deposited", "AccountOpened"),
                  evercore::safety_error);
}
