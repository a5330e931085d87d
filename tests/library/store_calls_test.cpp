// Calls that programs seldom make: what they give, and what is said where they cannot be.
#include <doctest/doctest.h>

#include <fstream>

#include "accounts.h"
#include "harness.h"

using namespace evercore;
using harness::fault_of;
using harness::Fresh;

namespace {

/// An aggregate by hand that knows nothing of snapshots.
struct Tally final : Aggregate {
  const AggregateType& type() const noexcept override {
    static const AggregateType fixed{"Tally", {}, 1, 0, false};
    return fixed;
  }
  void clear() override { events = 0; }
  void fold(const StoredEvent&) override { ++events; }
  int events = 0;
};

std::string call(const Fresh& fresh, const std::string& name, const std::string& arguments) {
  return "SELECT CAST(" + fresh.place.relation(name) + "(" + arguments + ") AS TEXT)";
}

}  // namespace

TEST_CASE("a store tells its version, and its driver what it is") {
  Fresh store;
  std::ifstream file("VERSION");
  std::string version;
  REQUIRE(std::getline(file, version));
  CHECK(store->version() == version);
  CHECK(store->engine().name() == (harness::on_postgres() ? "postgres" : "sqlite"));
}

TEST_CASE("a problem is told with the aggregate and the event that it is of") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  if (harness::on_postgres()) {
    store->with_context([&](Context& ctx) {
      ctx.execute("ALTER TABLE evercore.evercore_event DISABLE TRIGGER USER");
      ctx.execute("UPDATE evercore.evercore_event SET sequence = 7");
      ctx.execute("ALTER TABLE evercore.evercore_event ENABLE TRIGGER USER");
    });
  } else {
    store->with_context([&](Context& ctx) {
      ctx.execute("INSERT INTO _evercore_maintenance VALUES ('test')");
      ctx.execute("UPDATE evercore_event SET sequence = 7");
      ctx.execute("DELETE FROM _evercore_maintenance");
    });
  }
  const auto problems = store->check();
  REQUIRE_FALSE(problems.empty());
  CHECK(problems[0].aggregate_id == id);
  CHECK_FALSE(problems[0].text.empty());
}

TEST_CASE("a state is folded as it was after any of its events") {
  Fresh store;
  const auto id = store->with_context([](Context& ctx) {
    auto user = ctx.create<UserAggregate>("ann");
    user.apply(UserCreated{"ann"});
    user.apply(UserRenamed{"anna"});
    return user.id();
  });
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    CHECK(ctx.state(id, 1).find("\"ann\"") != std::string::npos);
    CHECK(ctx.state(id, 2).find("\"anna\"") != std::string::npos);
    CHECK(fault_of<argument_error>([&] { ctx.load_at<UserAggregate>(id, std::int64_t{-1}); }) ==
          "EV009: sequence is out of range: -1");
  });
}

TEST_CASE("what was compacted is not loaded as of a sequence before") {
  Fresh store;
  const auto id = store->with_context([](Context& ctx) {
    auto user = ctx.create<UserAggregate>("ann");
    user.apply(UserCreated{"ann"});
    user.apply(UserRenamed{"anna"});
    return user.id();
  });
  store->with_context([&](Context& ctx) {
    ctx.execute(call(store, "evercore_compact", std::to_string(id) + ", 1"));
  });
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    CHECK(fault_of<not_found_error>([&] { ctx.load_at<UserAggregate>(id, std::int64_t{0}); }) ==
          "EV002: sequence 0 of aggregate " + std::to_string(id) +
              " was compacted: the oldest that can be read is 1");
    CHECK(ctx.load_at<UserAggregate>(id, std::int64_t{1})->username == "ann");
  });
}

TEST_CASE("a state that its struct cannot read is named with its aggregate and sequence") {
  Fresh store;
  const auto id = store->with_context([&](Context& ctx) {
    auto user = ctx.create<UserAggregate>("ann");
    user.apply(UserCreated{"ann"});
    return user.id();
  });
  store->with_context([&](Context& ctx) {
    ctx.publish(id, {"UserCreated", R"({"username":7,"is_active":true})"});
  });
  store->with_context([&](Context& ctx) {
    ctx.execute(call(store, "evercore_compact", std::to_string(id) + ", 0"));
  });
  store->with_readonly_context([&](ReadonlyContext& ctx) {
    const auto said = fault_of<decode_error>([&] { ctx.load<UserAggregate>(id); });
    CHECK_MESSAGE(said.starts_with("state of aggregate " + std::to_string(id) + " at sequence 2: "),
                  said);
  });
}

TEST_CASE("an aggregate by hand without a state has no snapshots, and says so") {
  Fresh store;
  store->with_context([&](Context& ctx) {
    Tally tally;
    ctx.create_into(tally, "one");
    ctx.publish(tally.id(), {"Counted", "{}"});
    ctx.publish(tally.id(), {"Counted", "{}"});
  });
  store->with_context([&](Context& ctx) {
    Tally tally;
    ctx.load_into(tally, "one");
    CHECK(tally.events == 2);
    CHECK(fault_of<usage_error>([&] { ctx.save_snapshot(tally); }) ==
          "aggregates of type \"Tally\" have no encode_state(), which snapshots need");
    ctx.execute(call(store, "evercore_compact", std::to_string(tally.id()) + ", 0"));
    CHECK(fault_of<usage_error>([&] {
            Tally again;
            ctx.load_into(again, "one");
          }) ==
          "aggregates of type \"Tally\" have no decode_state(), which snapshots and compacted "
          "aggregates need");
  });
}

TEST_CASE("a type by hand is declared like any other") {
  Fresh store;
  static const EventFold folds[] = {{.event_type = "Counted", .fold = "patch"}};
  static const AggregateType type{"Tally", folds};
  store->warmup(type);
  const auto id = store->with_context([&](Context& ctx) {
    Tally tally;
    ctx.create_into(tally, "one");
    ctx.publish(tally.id(), {"Counted", R"({"a":1,"b":1})"});
    ctx.publish(tally.id(), {"Counted", R"({"a":null})"});
    return tally.id();
  });
  const auto state = [&] {
    return store->with_readonly_context([&](ReadonlyContext& ctx) { return ctx.state(id); });
  };
  CHECK(state().find("\"a\"") == std::string::npos);
  static const EventFold others[] = {{.event_type = "Counted", .fold = "merge"}};
  static const AggregateType other{"Tally", others};
  EventStore later = harness::another_program(store.store);
  CHECK(fault_of<declaration_error>([&] { later.warmup(other); }) != "none");
  later.declare(other, replace);
  CHECK(state().find("\"a\"") != std::string::npos);
}

TEST_CASE("an aggregate of no context, or of one that is still open, takes no event") {
  Fresh store;
  const auto id = new_user(store.store, "ann");
  UserAggregate loose;
  CHECK(fault_of<usage_error>([&] { loose.apply(UserLoggedIn{}); }) ==
        "the aggregate was neither loaded nor created in a context");
  store->with_context([&](Context& ctx) {
    CHECK(fault_of<usage_error>([&] { ctx.apply(loose, UserLoggedIn{}); }) ==
          "the aggregate was neither loaded nor created");
    CHECK(fault_of<not_found_error>([&] {
            ctx.publish(0, {"Other", "{}"});
          }) == "EV002: no aggregate 0");
  });
  if (harness::on_memory()) return;  // of one connection
  store->with_readonly_context([&](ReadonlyContext& outer) {
    auto user = outer.load<UserAggregate>(id);
    store->with_context([&](Context& ctx) { ctx.apply(user, UserLoggedIn{}); });
  });
  store->with_context([&](Context& outer) {
    auto user = outer.load<UserAggregate>(id);
    EventStore same = store.store;
    const auto inside = [&] {
      same.with_context([&](Context& ctx) { ctx.apply(user, UserLoggedIn{}); });
    };
    CHECK(fault_of<usage_error>(inside) ==
          "the aggregate belongs to another context that is still open");
  });
}

TEST_CASE("a conflict that a program makes says what the store's own do") {
  const conflict_error conflict(7, 3, 5);
  CHECK(std::string(conflict.what()) ==
        "EV001: conflict: aggregate 7 is at sequence 5, expected 3");
  CHECK(conflict.aggregate_id() == 7);
  CHECK(conflict.expected() == 3);
  CHECK(conflict.actual() == 5);
  CHECK(conflict.retryable());
}

TEST_CASE("SQLite's own refusals come with the name of their result") {
  if (harness::on_postgres()) return;
  Fresh store;
  const auto code_of = [&](const char* before, const char* sql) {
    try {
      store->with_context([&](Context& ctx) {
        if (*before != '\0') ctx.execute(before);
        ctx.execute(sql);
      });
    } catch (const error& fault) {
      return std::string(fault.code());
    }
    return std::string("none");
  };
  CHECK(code_of("CREATE TABLE mine (n INTEGER PRIMARY KEY CHECK (n > 0))",
                "INSERT INTO mine VALUES (0)") == "SQLITE_CONSTRAINT");
  CHECK(code_of("", "SELECT length(zeroblob(2000000000))") == "SQLITE_TOOBIG");
  CHECK(code_of("", "SELECT nothing") == "SQLITE_ERROR");
  CHECK(code_of("PRAGMA max_page_count = 1",
                "CREATE TABLE large AS SELECT zeroblob(9000000) AS z") == "SQLITE_FULL");
  CHECK(code_of("", "") == "EV009");
  CHECK(code_of("", "SELECT 1; SELECT 2") == "EV009");
  CHECK(code_of("", "SELECT 1;\r\n \t;") == "none");
  CHECK(code_of("PRAGMA query_only = 1", "CREATE TABLE other (n)") == "SQLITE_READONLY");
}

TEST_CASE("a transaction that a statement of the program ended takes nothing more") {
  if (harness::on_postgres()) return;
  Fresh store;
  const auto said = fault_of<engine_error>([&] {
    store->with_context([](Context& ctx) {
      ctx.create<UserAggregate>("ann").apply(UserCreated{"ann"});
      ctx.execute("ROLLBACK");
      ctx.create<UserAggregate>("bob").apply(UserCreated{"bob"});
    });
  });
  CHECK(said == "the engine has rolled the transaction back after an earlier error");
  CHECK(store->follow(0).empty());
  new_user(store.store, "ann");
}

TEST_CASE("a context that waits too long for the write lock of another one says so") {
  if (!harness::on_file()) return;
  harness::Place place;
  EventStore store = connect("sqlite://" + place.file() + "?busy_timeout=50");
  const auto id = new_user(store, "zoe");
  store.with_context([&](Context& outer) {
    outer.create<UserAggregate>("ann").apply(UserCreated{"ann"});
    CHECK_THROWS_AS(store.with_context([&](Context& inner) {
      inner.publish(id, {"UserLoggedIn", "{}"});
    }),
                    busy_error);
    CHECK(fault_of<busy_error>([&] { new_user(store, "bob"); }) ==
          "another context of this program held the write lock for too long");
  });
  CHECK(store.follow(0).size() == 2);
}

TEST_CASE("a connection that cannot be opened leaves the store with those it has") {
  if (!harness::on_file()) return;
  harness::Place place;
  EventStore store = connect("sqlite://" + place.file());
  const auto folder = std::filesystem::path(place.file()).parent_path();
  const std::string aside = folder.string() + "_aside";
  const auto id = new_user(store, "ann");
  store.with_readonly_context([&](ReadonlyContext& outer) {
    CHECK(outer.sequence(id) == 1);
    const auto inside = [&] {
      return store.with_readonly_context([&](ReadonlyContext& ctx) { return ctx.sequence(id); });
    };
    std::filesystem::rename(folder, aside);
    CHECK_THROWS_AS(inside(), engine_error);
    std::filesystem::rename(aside, folder);
    CHECK(inside() == 1);
  });
}

TEST_CASE("a type that a context meets when it writes already is declared in it") {
  Fresh store;
  const auto id = store->with_context([](Context& ctx) {
    ctx.create<UserAggregate>("ann").apply(UserCreated{"ann"});
    auto account = ctx.create<AccountAggregate>("a");
    account.apply(AccountOpened{"ann"});
    account.apply(Deposited{5});
    return account.id();
  });
  CHECK(store->with_readonly_context(
            [&](ReadonlyContext& ctx) { return ctx.load<AccountAggregate>(id)->balance; }) == 5);
}

TEST_CASE("what the server says beside an answer is passed over") {
  if (!harness::on_postgres()) return;
  Fresh store;
  store->with_context(
      [](Context& ctx) { ctx.execute("DO $$ BEGIN RAISE WARNING 'beside'; END $$"); });
  CHECK(store->follow(0).empty());
}

TEST_CASE("a schema whose roles would have no names is not made") {
  if (!harness::on_postgres()) return;
  harness::Place place(harness::Holds::nothing);
  CHECK(fault_of<argument_error>([&] {
          connect(place.uri() + "&schema=" + std::string(57, 's'));
        }) == "EV009: the schema's name is too long for its roles to be named after it");
}

TEST_CASE("a file that is no database, or none any more, is named as that") {
  if (!harness::on_file()) return;
  harness::Place place;
  const auto code = [&] {
    try {
      connect(place.uri()).check();
    } catch (const error& fault) {
      return std::string(fault.code());
    }
    return std::string("none");
  };
  CHECK(code() == "none");
  std::fstream(place.file(), std::ios::in | std::ios::out).seekp(4096) << std::string(65536, 'x');
  CHECK(code() == "SQLITE_CORRUPT");
  std::ofstream(place.file()) << std::string(8192, 'x');
  CHECK(code() == "SQLITE_NOTADB");
}
