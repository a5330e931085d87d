// The store and its contexts: loading, applying, committing, and what goes wrong.
#include <doctest/doctest.h>

#include "accounts.h"
#include "harness.h"

using namespace evercore;
using harness::fault_of;
using harness::Fresh;

TEST_CASE("what a context applied is there in the next one") {
  Fresh store;
  const auto id = store->with_context([](Context& ctx) {
    auto user = ctx.create<UserAggregate>("ann");
    CHECK(user.sequence() == 0);
    user.apply(UserCreated{"ann", "ann@example.org"});
    ctx.apply(user, UserRenamed{"anna"});
    CHECK(user.sequence() == 2);
    CHECK(user->username == "anna");
    return user.id();
  });
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    const auto by_id = ctx.load<UserAggregate>(id);
    const auto by_key = ctx.load<UserAggregate>("ann");
    CHECK(by_id.sequence() == 2);
    CHECK(by_id.natural_key() == "ann");
    CHECK(by_id->username == "anna");
    CHECK(by_id->email == "ann@example.org");
    CHECK(by_key.id() == id);
    CHECK(ctx.find<UserAggregate>("ann") == id);
    CHECK(ctx.find<UserAggregate>("bob") == std::nullopt);
    CHECK(ctx.sequence(id) == 2);
  });
  CHECK(store->check().empty());
}

TEST_CASE("a context gives what its function returns, a reference too") {
  Fresh store;
  const std::string name = "ann";
  const std::string& given =
      store->with_context([&](Context&) -> const std::string& { return name; });
  CHECK(&given == &name);
  CHECK(*store->with_context([](Context&) { return std::make_unique<int>(7); }) == 7);
}

TEST_CASE("an exception writes nothing") {
  Fresh store;
  struct Mine {};
  CHECK_THROWS_AS(store->with_context([](Context& ctx) {
    auto user = ctx.create<UserAggregate>("ann");
    user.apply(UserCreated{"ann"});
    throw Mine{};
  }),
                  Mine);
  store->with_readonly_context(
      [](ReadonlyContext& ctx) { CHECK_FALSE(ctx.find<UserAggregate>("ann")); });
  CHECK(store->follow(0).empty());
}

TEST_CASE("a rolled-back first use of a type leaves nothing that later events suffer from") {
  Fresh store;
  CHECK_THROWS_AS(store->with_context([](Context& ctx) {
    ctx.create<UserAggregate>("ann").apply(UserLoggedIn{});
    throw refused_error("no");
  }),
                  refused_error);
  const auto id = store->with_context([](Context& ctx) {
    auto user = ctx.create<UserAggregate>("ann");
    user.apply(UserCreated{"ann"});
    user.apply(UserLoggedIn{});
    return user.id();
  });
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    CHECK(ctx.load<UserAggregate>(id)->logins == 1);
    CHECK(ctx.state(id).find("logins") == std::string::npos);  // custom: SQL's fold passes it over
  });
}

TEST_CASE("the first writer of an aggregate wins and the second learns where it stands") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  auto late = store->with_readonly_context(
      [&](ReadonlyContext& ctx) { return ctx.load<UserAggregate>(id); });
  store->with_context([&](Context& ctx) { ctx.load<UserAggregate>(id).apply(UserRenamed{"x"}); });
  try {
    store->with_context([&](Context& ctx) { ctx.apply(late, UserRenamed{"y"}); });
    FAIL("no conflict");
  } catch (const conflict_error& conflict) {
    CHECK(conflict.aggregate_id() == id);
    CHECK(conflict.expected() == 1);
    CHECK(conflict.actual() == 2);
    CHECK(conflict.code() == "EV001");
    CHECK(std::string(conflict.what()) ==
          "EV001: conflict: aggregate " + std::to_string(id) + " is at sequence 2, expected 1");
  }
  CHECK(fault_of([&] {
          store->with_context([&](Context& ctx) { ctx.apply(late, UserRenamed{"z"}); });
        }) == "the aggregate was part of a context that failed: load it again");
}

TEST_CASE("an aggregate can be carried from context to context without loading it again") {
  Fresh store;
  auto user = store->with_context([&](Context& ctx) {
    auto made = ctx.create<UserAggregate>();
    made.apply(UserCreated{"ann"});
    return made;
  });
  for (int i = 0; i < 5; ++i) {
    store->with_context([&](Context& ctx) { ctx.apply(user, UserLoggedIn{}); });
  }
  CHECK(user.sequence() == 6);
  CHECK(user->logins == 5);
  CHECK(fault_of([&] { user.apply(UserLoggedIn{}); }) == "the context has ended");
  store->with_readonly_context(
      [&](ReadonlyContext& ctx) { CHECK(ctx.load<UserAggregate>(user.id())->logins == 5); });
}

TEST_CASE("several aggregates are written together or not at all") {
  Fresh store;
  const auto ann = new_user(store.store, "ann"), bob = new_user(store.store, "bob");
  store->with_context([&](Context& ctx) {
    auto a = ctx.load<UserAggregate>(ann);
    auto b = ctx.load<UserAggregate>(bob);
    a.apply(UserRenamed{"1"});
    b.apply(UserRenamed{"2"});
    a.apply(UserRenamed{"3"});
  });
  const auto log = store->follow(0);
  REQUIRE(log.size() == 5);
  CHECK(log[2].aggregate_id == ann);
  CHECK(log[3].aggregate_id == bob);
  CHECK(log[4].aggregate_id == ann);
  CHECK(log[4].sequence == 3);
  CHECK(decode_event<UserRenamed>(log[3])->username == "2");
  CHECK_FALSE(decode_event<UserCreated>(log[3]));
  CHECK_THROWS_AS(store->with_context([&](Context& ctx) {
    auto a = ctx.load<UserAggregate>(ann);
    a.apply(UserRenamed{"4"});
    ctx.publish(bob, {"UserRenamed", R"({"username":"5"})"}, 0);
  }),
                  conflict_error);
  CHECK(store->follow(0).size() == 5);
}

TEST_CASE("keys are unique within a type and can change") {
  Fresh store;
  new_user(store.store, "ann");
  const auto id = new_user(store.store, "bob");
  store->with_context([&](Context& ctx) {
    auto account = ctx.create<AccountAggregate>("ann");  // another type
    account.apply(AccountOpened{"ann"});
  });
  CHECK(fault_of<key_taken_error>([&] {
          store->with_context([](Context& ctx) { ctx.create<UserAggregate>("ann"); });
        }) == "EV003: natural key \"ann\" is taken in aggregate type \"User\"");
  CHECK_THROWS_AS(store->with_context([&](Context& ctx) {
    auto user = ctx.load<UserAggregate>(id);
    ctx.change_key(user, "ann");
  }),
                  key_taken_error);
  store->with_context([&](Context& ctx) {
    auto user = ctx.load<UserAggregate>(id);
    ctx.change_key(user, "bert");
    CHECK(user.natural_key() == "bert");
    user.apply(UserRenamed{"bert"});
  });
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    CHECK_FALSE(ctx.find<UserAggregate>("bob"));
    CHECK(ctx.load<UserAggregate>("bert")->username == "bert");
  });
}

TEST_CASE("an error inside a context leaves the rest of it usable") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  store->with_context([&](Context& ctx) {
    auto user = ctx.load<UserAggregate>(id);
    CHECK_THROWS_AS(ctx.load<UserAggregate>(999), not_found_error);
    CHECK_THROWS_AS(ctx.load<UserAggregate>("nobody"), not_found_error);
    CHECK(ctx.load<UserAggregate>("ann").id() == id);
    auto other = ctx.create<UserAggregate>("bob");
    CHECK_THROWS_AS(ctx.create<UserAggregate>("ann"), key_taken_error);
    CHECK_THROWS_AS(ctx.load<UserAggregate>(999), not_found_error);
    other.apply(UserCreated{"bob"});
    user.apply(UserRenamed{"still here"});
  });
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    CHECK_THROWS_AS(ctx.load<UserAggregate>(999), not_found_error);
    CHECK(ctx.load<UserAggregate>("bob")->username == "bob");
    CHECK(ctx.load<UserAggregate>("ann")->username == "still here");
  });
}

TEST_CASE("loading or creating gives the same aggregate twice") {
  Fresh store;
  const auto visit = [&] {
    return store->with_context([](Context& ctx) {
      auto user = ctx.load_or_create<UserAggregate>("ann");
      user.apply(UserLoggedIn{});
      return user.id();
    });
  };
  const auto id = visit();
  CHECK(visit() == id);
  store->with_readonly_context(
      [&](ReadonlyContext& ctx) { CHECK(ctx.load<UserAggregate>(id)->logins == 2); });
}

TEST_CASE("loading checks the type and says what is missing") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    CHECK(fault_of<type_mismatch_error>([&] { ctx.load<AccountAggregate>(id); }) ==
          "aggregate " + std::to_string(id) + " is of type \"User\", not \"Account\"");
    CHECK(fault_of<not_found_error>([&] { ctx.load<UserAggregate>(777); }) ==
          "EV002: no aggregate 777");
    CHECK(fault_of<not_found_error>([&] { ctx.load<UserAggregate>("zoe"); }) ==
          "EV002: no aggregate of type \"User\" with natural key \"zoe\"");
  });
}

TEST_CASE("a read-only context sees one snapshot and cannot write") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  if (!harness::on_memory()) {  // in memory there is one connection
    store->with_readonly_context([&](ReadonlyContext& ctx) {
      CHECK(ctx.load<UserAggregate>(id).sequence() == 1);
      store->with_context(
          [&](Context& inner) { inner.load<UserAggregate>(id).apply(UserLoggedIn{}); });
      CHECK(ctx.load<UserAggregate>(id).sequence() == 1);
      CHECK(ctx.sequence(id) == 1);
    });
  }
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    auto user = ctx.load<UserAggregate>(id);
    CHECK(fault_of<usage_error>([&] { user.apply(UserLoggedIn{}); }) == "the context is read-only");
  });
}

TEST_CASE("as-of loading goes by sequence and by time") {
  Fresh store;
  const auto day = [](int n) {
    return Time{std::chrono::sys_days{std::chrono::year{2026} / 1 / n}};
  };
  const auto id = store->with_context([&](Context& ctx) {
    auto user = ctx.create<UserAggregate>();
    for (int n = 1; n <= 5; ++n) {
      user.apply(UserRenamed{"name" + std::to_string(n)}, {.event_time = day(n)});
    }
    ctx.save_snapshot(user);
    return user.id();
  });
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    auto user = ctx.load_at<UserAggregate>(id, std::int64_t{3});
    CHECK(user.sequence() == 3);
    CHECK(user->username == "name3");
    CHECK(ctx.load_at<UserAggregate>(id, std::int64_t{0}).sequence() == 0);
    CHECK(ctx.load_at<UserAggregate>(id, day(4) + std::chrono::hours{12})->username == "name4");
    CHECK(ctx.load_at<UserAggregate>(id, day(1) - std::chrono::hours{12}).sequence() == 0);
    CHECK(ctx.sequence(id, day(2)) == 2);
    CHECK(fault_of<not_found_error>([&] { ctx.load_at<UserAggregate>(id, std::int64_t{6}); }) ==
          "EV002: aggregate " + std::to_string(id) + " has no sequence 6: it is at 5");
  });
  store->with_context([&](Context& ctx) {
    auto user = ctx.load_at<UserAggregate>(id, std::int64_t{3});
    CHECK(fault_of<usage_error>([&] {
            ctx.apply(user, UserLoggedIn{});
          }).starts_with("the aggregate was loaded as of"));
    CHECK(user->logins == 0);
  });
}

TEST_CASE("reference, metadata and times go with an event and come back") {
  Fresh store;
  const Time when = Time{std::chrono::sys_days{std::chrono::year{2001} / 2 / 3}} +
                    std::chrono::microseconds{123456};
  const auto id = store->with_context([&](Context& ctx) {
    auto user = ctx.create<UserAggregate>();
    user.apply(UserCreated{"ann"});
    user.apply(UserNoted{"hello"},
               {.reference = "admin", .metadata = R"({"trace":"t1"})", .event_time = when});
    CHECK(user->last_note == "hello by admin at 2001-02-03T00:00:00.123456Z #2 {\"trace\":\"t1\"}");
    return user.id();
  });
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    CHECK(ctx.load<UserAggregate>(id)->last_note ==
          "hello by admin at 2001-02-03T00:00:00.123456Z #2 {\"trace\":\"t1\"}");
    const auto events = ctx.events(id);
    CHECK(events.at(1).reference == "admin");
    CHECK(events.at(1).metadata == R"({"trace":"t1"})");
    CHECK(events.at(1).event_time == when);
    CHECK(events.at(1).recorded_at > when);
    CHECK_FALSE(events.at(0).reference);
  });
}

TEST_CASE("an event_id makes a second attempt harmless") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  const auto deposit = [&] {
    auto user = store->with_context([&](Context& ctx) {
      auto loaded = ctx.load<UserAggregate>(id);
      loaded.apply(UserRenamed{"once"}, {.event_id = "request-1"});
      return loaded;
    });
    return user;
  };
  deposit();
  auto again = deposit();
  CHECK(store->follow(0).size() == 2);
  CHECK(fault_of<usage_error>([&] {
          store->with_context([&](Context& ctx) { ctx.apply(again, UserRenamed{"x"}); });
        }).starts_with("the aggregate's events were repeats"));
  CHECK_THROWS_AS(store->with_context([&](Context& ctx) {
    ctx.load<UserAggregate>(id).apply(UserRenamed{"other"}, {.event_id = "request-1"});
  }),
                  event_id_error);
}

TEST_CASE("a snapshot is saved of no state that was never written") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  UserAggregate failed;
  CHECK_THROWS_AS(store->with_context([&](Context& ctx) {
    failed = ctx.load<UserAggregate>(id);
    failed.apply(UserRenamed{"never"});
    throw std::runtime_error("changed its mind");
  }),
                  std::runtime_error);
  const auto save = [&](const UserAggregate& user) {
    return fault_of<usage_error>(
        [&] { store->with_context([&](Context& ctx) { ctx.save_snapshot(user); }); });
  };
  store->with_context([&](Context& ctx) { ctx.load<UserAggregate>(id).apply(UserLoggedIn{}); });
  CHECK(save(failed).starts_with("the aggregate was part of a context that failed"));
  CHECK(save(UserAggregate{}) == "none");  // it has no events
  UserAggregate user;
  store->with_context([&](Context& ctx) {
    user = ctx.load<UserAggregate>(id);
    user.apply(UserRenamed{"anna"});
    CHECK(save(user).starts_with("the aggregate belongs to another context"));
  });
  CHECK(save(user) == "none");
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    CHECK(ctx.load<UserAggregate>(id)->username == "anna");
    CHECK(ctx.load<UserAggregate>(id)->logins == 1);
  });
}

namespace {

struct Grown {
  double by = 0;
};

struct Gauge {
  static constexpr std::int64_t snapshot_every = 1;
  double value = 0;
  void apply(const Grown& event) { value += event.by; }
};

}  // namespace

TEST_CASE("an event whose state no snapshot can hold is not written without it") {
  Fresh store;
  using GaugeAggregate = StateAggregate<Gauge, Grown>;
  CHECK(fault_of<usage_error>([&] {
          store->with_context([](Context& ctx) {
            auto gauge = ctx.load_or_create<GaugeAggregate>("g");
            gauge.apply(Grown{1e308});
            CHECK_THROWS_AS(gauge.apply(Grown{1e308}), payload_error);
          });
        }) == "the context has ended");
  CHECK(store->follow(0).empty());
}

TEST_CASE("a repeat by event_id stores no snapshot of a state that it did not make") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  for (int attempt = 0; attempt < 3; ++attempt) {
    store->with_context([&](Context& ctx) {
      auto user = ctx.load<UserAggregate>(id);
      user.apply(UserLoggedIn{}, {.event_id = "login-1"});
      ctx.save_snapshot(user);
    });
  }
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    auto user = ctx.load<UserAggregate>(id);
    CHECK(user.sequence() == 2);
    CHECK(user->logins == 1);
  });
}

TEST_CASE("a state refuses an event before it is staged") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  store->with_context([&](Context& ctx) {
    auto user = ctx.load<UserAggregate>(id);
    CHECK(fault_of<refused_error>([&] { user.apply(UserRenamed{""}); }) == "a user needs a name");
    CHECK(user.sequence() == 1);
    CHECK(user->username == "ann");
  });
  CHECK(store->follow(0).size() == 1);
}

TEST_CASE("after a group of events with event ids an aggregate goes on, unless they were repeats") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  UserAggregate user;
  const auto rename_twice = [&] {
    store->with_context([&](Context& ctx) {
      user = ctx.load<UserAggregate>(id);
      user.apply(UserRenamed{"one"}, {.event_id = "1"});
      user.apply(UserRenamed{"two"}, {.event_id = "2"});
    });
  };
  rename_twice();
  store->with_context([&](Context& ctx) { ctx.apply(user, UserLoggedIn{}); });
  CHECK(store->follow(0).size() == 4);
  rename_twice();
  CHECK(store->follow(0).size() == 4);
  CHECK(fault_of<usage_error>([&] {
          store->with_context([&](Context& ctx) { ctx.apply(user, UserLoggedIn{}); });
        }).starts_with("the aggregate's events were repeats"));
}

TEST_CASE("an event with an event id that rests on a query is known for new or for a repeat") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  UserAggregate user;
  const auto rename = [&] {
    store->with_context([&](Context& ctx) {
      CHECK(ctx.query({{.tags = {"never"}}}).empty());
      user = ctx.load<UserAggregate>(id);
      user.apply(UserRenamed{"once"}, {.event_id = "request-1"});
    });
  };
  rename();
  store->with_context([&](Context& ctx) { ctx.apply(user, UserLoggedIn{}); });
  CHECK(store->follow(0).size() == 3);
  rename();
  CHECK(store->follow(0).size() == 3);
  CHECK(fault_of<usage_error>([&] {
          store->with_context([&](Context& ctx) { ctx.apply(user, UserLoggedIn{}); });
        }).starts_with("the aggregate's events were repeats"));
}
