// Within a store a name leads to one struct, wherever in the program it is used.
#include "names.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "harness.h"

using namespace evercore;
using harness::fault_of;
using harness::Fresh;

namespace order {
struct Opened {
  std::string customer;
};
struct State {
  std::string customer;
};
using Aggregate = StateAggregate<State, Opened>;
}  // namespace order

namespace account {
struct Opened {
  std::string owner;
};
struct State {
  std::string owner;
};
struct Account {
  std::string owner;
};
using Aggregate = StateAggregate<State, Opened>;
// Another aggregate type, with an event of a name that order's event has.
using SameEvent = StateAggregate<Account, Opened>;
}  // namespace account

namespace decision {
struct State {
  std::string customer;
};
struct Customer {
  std::string customer;
};
}  // namespace decision

namespace {
struct Hidden {
  std::string here;
};
struct HiddenSet {
  std::string here;
};
}  // namespace

TEST_CASE("two states of one aggregate type are refused at the first use of the second") {
  const std::string refused =
      "aggregate type \"State\" is the name of two structs, order::State and account::State: give "
      "one of them another by a static constexpr std::string_view aggregate_type";
  Fresh store;
  CHECK(fault_of<usage_error>([&] { store->warmup<order::Aggregate, account::Aggregate>(); }) ==
        refused);
  const auto id = store->with_context([](Context& ctx) {
    auto order = ctx.load_or_create<order::Aggregate>("42");
    order.apply(order::Opened{"ann"});
    return order.id();
  });
  const auto in_context = [&](auto&& use) {
    return fault_of<usage_error>([&] { store->with_context(use); });
  };
  CHECK(in_context([](Context& ctx) { ctx.load_or_create<account::Aggregate>("42"); }) == refused);
  CHECK(in_context([](Context& ctx) { ctx.create<account::Aggregate>(); }) == refused);
  CHECK(in_context([&](Context& ctx) { ctx.load<account::Aggregate>(id); }) == refused);
  CHECK(in_context([&](Context& ctx) { ctx.load_at<account::Aggregate>(id, 1); }) == refused);
  CHECK(in_context([](Context& ctx) { ctx.load<account::Aggregate>("42"); }) == refused);
  CHECK(in_context([](Context& ctx) { ctx.find<account::Aggregate>("42"); }) == refused);
  CHECK(fault_of<usage_error>([&] {
          store->with_readonly_context(
              [&](ReadonlyContext& ctx) { ctx.load<account::Aggregate>(id); });
        }) == refused);
  // The first goes on as if nothing had been.
  store->with_context([&](Context& ctx) {
    auto order = ctx.load<order::Aggregate>(id);
    CHECK(order.sequence() == 1);
    order.apply(order::Opened{"bob"});
  });
}

TEST_CASE("two events of one event type are refused, also in aggregates of different types") {
  Fresh store;
  store->warmup<order::Aggregate>();
  CHECK(fault_of<usage_error>([&] { store->warmup<account::SameEvent>(); }) ==
        "event type \"Opened\" is the name of two structs, order::Opened and account::Opened: give "
        "one of them another by a static constexpr std::string_view event_type");
}

TEST_CASE("what decides by an event of another struct is refused, whichever comes first") {
  const std::string refused =
      "event type \"Opened\" is the name of two structs, order::Opened and account::Opened: give "
      "one of them another by a static constexpr std::string_view event_type";
  const auto by_account = [](auto& ctx) {
    ctx.template decide<account::Account, account::Opened>({{.tags = {"a:1"}}});
  };
  {
    Fresh store;
    store->warmup<order::Aggregate>();
    CHECK(fault_of<usage_error>([&] { store->with_context(by_account); }) == refused);
    CHECK(fault_of<usage_error>([&] { store->with_readonly_context(by_account); }) == refused);
    // Its state is no aggregate of the store: it may bear the name of one.
    store->with_context([](Context& ctx) {
      ctx.decide<decision::State, order::Opened>({{.tags = {"a:1"}}});
      ctx.decide<decision::Customer, order::Opened>({{.tags = {"a:1"}}});
    });
  }
  Fresh store;
  store->with_readonly_context(by_account);
  CHECK(fault_of<usage_error>([&] { store->warmup<order::Aggregate>(); }) ==
        "event type \"Opened\" is the name of two structs, account::Opened and order::Opened: give "
        "one of them another by a static constexpr std::string_view event_type");
}

TEST_CASE("another store of the program may know the name by another struct") {
  Fresh first, second;
  first->warmup<order::Aggregate>();
  second->warmup<account::Aggregate>();
}

TEST_CASE("one struct is one struct in every file of the program, and a file's own is its own") {
  Fresh store;
  store->warmup<names::SharedAggregate>();
  names::use_shared(store.store);
  using Here = StateAggregate<HiddenSet, Hidden>;
  store->warmup<Here>();
  store->warmup<StateAggregate<HiddenSet, Hidden>>();
  CHECK(fault_of<usage_error>([&] { names::use_hidden(store.store); }).find("HiddenSet") !=
        std::string::npos);
}

TEST_CASE("the same struct with fewer events is the same struct") {
  Fresh store;
  store->warmup<names::SharedAggregate>();
  store->warmup<StateAggregate<names::Shared, names::Named>>();
}

TEST_CASE("events that no struct of the program has are none of its business") {
  Fresh store;
  store->warmup<order::Aggregate>();
  const auto id = store->with_context([](Context& ctx) {
    ctx.publish("account", "7", {"Opened", R"({"owner":"x"})"});
    ctx.publish("account", "7", {"Unheard", "{}"});
    return ctx.create<order::Aggregate>().id();
  });
  CHECK(store->follow(0).size() == 2);
  store->with_readonly_context([&](ReadonlyContext& ctx) { CHECK(ctx.events(id).empty()); });
}

TEST_CASE("a store's types are looked at by many threads at once") {
  Fresh store;
  std::vector<std::thread> threads;
  std::atomic<int> refused{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      try {
        store->with_context([&](Context& ctx) {
          if (i % 2 == 0) {
            ctx.find<order::Aggregate>("x");
          } else {
            ctx.find<account::Aggregate>("x");
          }
        });
      } catch (const usage_error&) {
        ++refused;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(refused == 4);
}
