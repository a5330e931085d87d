// Schemas of states: a state may say what the store lets it be, whoever appends.
#include <doctest/doctest.h>

#include "evercore/evercore.h"
#include "harness.h"

using evercore::Context;
using harness::fault_of;

namespace {

struct Named {
  std::string owner;
};
struct Moved {
  std::int64_t amount = 0;
};
struct Account {
  std::string owner;
  std::int64_t balance = 0;
  void apply(const Moved& event) { balance += event.amount; }
  static constexpr std::string_view fold_rules(const Moved&) {
    return R"([{"add":{"/balance":"/amount"}}])";
  }
  static constexpr std::string_view schema() {
    return R"({"properties":{"balance":{"minimum":0}}})";
  }
};
using AccountAggregate = evercore::StateAggregate<Account, Named, Moved>;

// The same as another version of the program has it.
namespace other {
struct Moved {
  std::int64_t amount = 0;
};
struct Account {
  std::int64_t balance = 0;
  void apply(const Moved& event) { balance += event.amount; }
  static constexpr std::string_view fold_rules(const Moved&) {
    return R"([{"add":{"/balance":"/amount"}}])";
  }
  static constexpr std::string_view schema() {
    return evercore::schema_of<Account>(evercore::partial);
  }
};
using AccountAggregate = evercore::StateAggregate<Account, Moved>;
}  // namespace other

std::string declared(harness::Fresh& fresh) {
  std::string schema = "none";
  auto sink = [&](const evercore::Row& row) { schema = row.text(0); };
  const std::string sql = "SELECT CAST(schema AS text) FROM " +
                          fresh.place.relation("evercore_aggregate_types") +
                          " WHERE aggregate_type = 'Account'";
  fresh->with_context([&](Context& ctx) { ctx.execute(sql, {}, sink); });
  return schema;
}

void move(evercore::EventStore& store, std::initializer_list<std::int64_t> amounts) {
  store.with_context([&](Context& ctx) {
    auto account = ctx.load_or_create<AccountAggregate>("A-1");
    for (const std::int64_t amount : amounts) account.apply(Moved{amount});
  });
}

}  // namespace

TEST_CASE("a state's schema is kept by the store after each event") {
  harness::Fresh fresh;
  move(fresh.store, {5, 3});
  CHECK(declared(fresh) == Account::schema());
  try {
    move(fresh.store, {-2, -7, 10});
    FAIL("nothing was refused");
  } catch (const evercore::schema_error& fault) {
    CHECK(fault.aggregate_type() == "Account");
    CHECK(fault.natural_key() == "A-1");
    CHECK(fault.sequence() == 4);
    CHECK(fault.pointer() == "/balance");
    CHECK(fault.keyword() == "minimum");
  }
  const auto id = fresh->with_context([](Context& ctx) {
    auto account = ctx.create<AccountAggregate>();
    account.apply(Named{"ann"});
    return account.id();
  });
  try {
    fresh->with_context([&](Context& ctx) { ctx.publish(id, {"Moved", R"({"amount":-1})"}, 1); });
    FAIL("nothing was refused");
  } catch (const evercore::schema_error& fault) {
    CHECK(fault.aggregate_id() == id);
    CHECK_FALSE(fault.natural_key());
    CHECK(fault.sequence() == 2);
  }
  fresh->with_readonly_context([](evercore::ReadonlyContext& ctx) {
    CHECK(ctx.load<AccountAggregate>("A-1")->balance == 8);
  });
  CHECK(fresh->check().empty());
}

TEST_CASE("the schema of a state that the store declares stays, and is replaced on purpose") {
  harness::Fresh fresh;
  move(fresh.store, {5});
  evercore::EventStore newer = harness::another_program(fresh.store);
  CHECK(
      fault_of<evercore::declaration_error>([&] { newer.warmup<other::AccountAggregate>(); }) ==
      R"(aggregate type "Account" has the schema {"properties":{"balance":{"minimum":0}}} in the )"
      "store, and " +
          std::string(other::Account::schema()) + " here");
  CHECK(declared(fresh) == Account::schema());
  newer.declare<other::AccountAggregate>(evercore::replace);
  CHECK(declared(fresh) == other::Account::schema());
  newer.warmup<other::AccountAggregate>();
  move(fresh.store, {-9});
}
