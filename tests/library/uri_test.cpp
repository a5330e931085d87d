// URIs: what they name, and that no message gives a password away.
#include "uri.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "accounts.h"
#include "harness.h"

using namespace evercore;
using namespace evercore::detail;
using harness::fault_of;

TEST_CASE("SQLite URIs name a path and its settings") {
  CHECK(parse_sqlite_uri("sqlite:///var/lib/a%20b.db").path == "/var/lib/a b.db");
  CHECK(parse_sqlite_uri("sqlite:/abs.db").path == "/abs.db");
  CHECK(parse_sqlite_uri("sqlite:rel/x.db").path == "rel/x.db");
  CHECK(parse_sqlite_uri("sqlite://rel.db").path == "rel.db");
  CHECK(parse_sqlite_uri("sqlite::memory:").path == "");
  CHECK(parse_sqlite_uri("sqlite:%4a%4F%fa%C3").path == "JO\xfa\xc3");
  CHECK(parse_sqlite_uri("memory:").pool_size == 1);
  const auto options = parse_sqlite_uri(
      "sqlite:x.db?journal_mode=delete&synchronous=normal&busy_timeout=70&fair=on"
      "&pool_size=3&migrate=off");
  CHECK(options.journal_mode == "delete");
  CHECK(options.synchronous == "normal");
  CHECK(options.busy_timeout == std::chrono::milliseconds{70});
  CHECK(options.fair);
  CHECK(options.pool_size == 3);
  CHECK_FALSE(options.migrate);
  const auto defaults = parse_sqlite_uri("sqlite:x.db");
  CHECK_FALSE(defaults.fair);
  CHECK(defaults.journal_mode == "wal");
  CHECK(defaults.synchronous == "full");
}

TEST_CASE("the begin of a URI names the engine") {
  for (const char* uri : {"sqlite:", "sqlite:x.db", "memory:", "memory:?pool_size=1"}) {
    CAPTURE(uri);
    CHECK(engine_of(uri) == EngineKind::sqlite);
  }
  for (const char* uri : {"postgres://h", "postgresql://h"}) {
    CAPTURE(uri);
    CHECK(engine_of(uri) == EngineKind::postgres);
  }
  for (const char* uri : {"", "sqlite", "SQLITE:", "memory", "memory:x", "memory:/?",
                          "postgres:", "postgres:/h", "postgresq://h", " memory:"}) {
    CAPTURE(uri);
    CHECK_THROWS_AS(engine_of(uri), argument_error);
  }
}

TEST_CASE("PostgreSQL URIs keep libpq's parameters and take ours out") {
  const auto options = parse_postgres_uri(
      "postgres://ann:s%40crt@db.example:5433/"
      "app?sslmode=require&schema=shop&pool_size=4&prepared=off"
      "&reconnect=100&connect_timeout=3");
  CHECK(options.conninfo ==
        "postgres://ann:s%40crt@db.example:5433/app?sslmode=require&connect_timeout=3");
  CHECK(options.shown == "postgres://ann:***@db.example:5433/app");
  CHECK(options.schema == "shop");
  CHECK(options.pool_size == 4);
  CHECK(options.prepared == false);
  CHECK_FALSE(parse_postgres_uri("postgresql://h/db").prepared);
  CHECK(parse_postgres_uri("postgres://h/db").shown == "postgres://h/db");
  CHECK(parse_postgres_uri("postgres://@h/db").shown == "postgres://@h/db");
  CHECK(parse_postgres_uri("postgres://ann@h:5433/db").shown == "postgres://ann@h:5433/db");
  const auto more = parse_postgres_uri(
      "postgres://h/db?busy_timeout=70&prepared=auto&migrate=off&notify=off&&application_name=x");
  CHECK(more.busy_timeout == std::chrono::milliseconds{70});
  CHECK_FALSE(more.prepared);
  CHECK_FALSE(more.migrate);
  CHECK_FALSE(more.notify);
  CHECK(more.conninfo == "postgres://h/db?application_name=x");
}

TEST_CASE("faulty URIs are refused with the part that is wrong") {
  const auto fault = [](const char* uri) {
    return fault_of<argument_error>([&] { connect(uri); });
  };
  CHECK(fault("mysql://x").starts_with("EV009: the URI begins with none of"));
  CHECK(fault("sqlite:") == "EV009: the URI names no file");
  CHECK(fault("sqlite:x.db?colour=red") == "EV009: unknown parameter \"colour\" in the URI");
  CHECK(fault("sqlite:x.db?pool_size=0") ==
        "EV009: the URI's pool_size is not a number from 1 to 1000");
  CHECK(fault("sqlite:x.db?journal_mode=memory") ==
        "EV009: the URI's journal_mode is none of wal delete truncate persist");
  CHECK(fault("sqlite:x.db?migrate") == "EV009: a parameter of the URI has no value");
  for (const char* uri : {"sqlite:x%zz.db", "sqlite:x%4.db", "sqlite:x%4", "sqlite:x%",
                          "sqlite:x%/1.db", "sqlite:x%4g.db", "sqlite:x%@1.db", "sqlite:x%00.db"}) {
    CAPTURE(uri);
    CHECK(fault(uri).find("percent sign") != std::string::npos);
  }
  for (const char* size : {"0", "-1", "1001", "3x", "x", "99999999999999999999"}) {
    CAPTURE(size);
    CHECK(fault(("sqlite:x.db?pool_size=" + std::string(size)).c_str()) ==
          "EV009: the URI's pool_size is not a number from 1 to 1000");
  }
  CHECK(fault(("postgres://h/db?schema=" + std::string(64, 's')).c_str()) ==
        "EV009: the URI's schema has not 1 to 63 characters");
  CHECK(fault("postgres://h/db?schema=") == "EV009: the URI's schema has not 1 to 63 characters");
  CHECK(fault("sqlite:x%0a%00.db").find("percent sign") != std::string::npos);
  CHECK_THROWS_AS(connect("sqlite:/no/such/directory/x.db"), engine_error);
}

TEST_CASE("no message holds the password") {
  for (const char* uri :
       {"postgres://ann:TopSecret@127.0.0.1:1/db?reconnect=0",
        "postgres://ann:TopSecret@nowhere.invalid/db?reconnect=0",
        "postgres://ann@127.0.0.1:1/db?password=TopSecret&reconnect=0",
        "postgres://ann:TopSecret@host:port/db", "postgres://ann:pw/TopSecret@host/db",
        "postgres://ann:TopSecret@h/db?pool_size=x", "postgres://ann:TopSecret@h/db?x",
        "postgres://ann:TopSecret@[::1/db", "postgres://ann:100%TopSecret@h/db"}) {
    const auto fault = fault_of([&] { connect(uri); });
    CHECK_MESSAGE(fault != "none", uri);
    CHECK_MESSAGE(fault.find("TopSecret") == std::string::npos, fault);
  }
}

TEST_CASE("SQLite's settings arrive, and rollback journals work too") {
  if (!harness::on_file()) return;
  harness::Place place;
  for (const char* mode : {"delete", "wal", "truncate"}) {
    auto store = connect("sqlite:" + place.file() + "?synchronous=normal&journal_mode=" + mode);
    store.with_retry(
        [](Context& ctx) { ctx.load_or_create<UserAggregate>("x").apply(UserLoggedIn{}); });
    store.with_context([](Context& ctx) { ctx.load<UserAggregate>("x").apply(UserNoted{"n"}); });
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(place.file().c_str(), &db) == SQLITE_OK);
    std::string found;
    sqlite3_exec(
        db, "PRAGMA journal_mode",
        [](void* out, int, char** values, char**) {
          return *static_cast<std::string*>(out) = values[0], 0;
        },
        &found, nullptr);
    sqlite3_close(db);
    CHECK((found == mode || (found == "delete" && std::string(mode) == "truncate")));
  }
}

TEST_CASE("a store that is not migrated, or was by a newer program, says so") {
  harness::Place place(harness::Holds::nothing);
  auto store = connect(place.uri() + (place.uri().find('?') == std::string::npos ? "?" : "&") +
                       "migrate=off");
  CHECK_THROWS_AS(
      store.with_readonly_context([](ReadonlyContext& ctx) { ctx.find<UserAggregate>("x"); }),
      migration_error);
}
