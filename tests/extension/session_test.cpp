// A copy that is kept by changesets of SQLite's session extension, as docs/hosts.md says.
#include <dlfcn.h>
#include <doctest/doctest.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

struct sqlite3_session;
struct sqlite3_changeset_iter;
using OnConflict = int (*)(void*, int, sqlite3_changeset_iter*);

/// The functions of the session extension, which not every SQLite has.
struct Session {
  template <typename Function>
  static void find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
  }
  Session() {
    find(create, "sqlite3session_create");
    find(attach, "sqlite3session_attach");
    find(changeset, "sqlite3session_changeset");
    find(remove, "sqlite3session_delete");
    find(apply, "sqlite3changeset_apply");
  }
  int (*create)(sqlite3*, const char*, sqlite3_session**);
  int (*attach)(sqlite3_session*, const char*);
  int (*changeset)(sqlite3_session*, int*, void**);
  void (*remove)(sqlite3_session*);
  int (*apply)(sqlite3*, int, void*, int (*)(void*, const char*), OnConflict, void*);
};

/// Passes over what the copy does not take, as handlers usually do, and counts it.
int omit(void* count, int, sqlite3_changeset_iter*) {
  ++*static_cast<int*>(count);
  return 0;  // SQLITE_CHANGESET_OMIT
}

/// What SQL changes here goes over to the copy; gives how much of it the copy did not take.
int send(const Session& session, Database& from, const std::string& sql, Database& to) {
  sqlite3_session* recorder = nullptr;
  REQUIRE(session.create(from.handle(), "main", &recorder) == SQLITE_OK);
  REQUIRE(session.attach(recorder, nullptr) == SQLITE_OK);
  from.must(sql);
  int size = 0, refused = 0;
  void* changes = nullptr;
  REQUIRE(session.changeset(recorder, &size, &changes) == SQLITE_OK);
  session.remove(recorder);
  CHECK(session.apply(to.handle(), size, changes, nullptr, omit, &refused) == SQLITE_OK);
  sqlite3_free(changes);
  return refused;
}

constexpr const char* appended =
    "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id, tags) "
    "VALUES"
    " ('U', 'ann', 'E', '{\"name\":\"Ann\"}', 'i1', '[\"person:ann\"]'),"
    " ('U', 'bob', 'E', '{\"n\":1}', 'i2', NULL), ('U', 'bob', 'E', '{\"m\":2}', 'i3', NULL), "
    "('U', "
    "'bob', 'E', '{\"n\":3}', NULL, NULL)";
constexpr const char* compacted_and_erased = "SELECT evercore_compact(2, 1), evercore_erase(1)";

}  // namespace

TEST_CASE("a copy kept by changesets goes through compaction and erasure with its triggers off") {
  const Session session;
  if (session.create == nullptr || session.apply == nullptr) {
    MESSAGE("this SQLite has no session extension");
    return;
  }
  Database store, copy;
  CHECK(send(session, store, appended, copy) == 0);
  sqlite3_db_config(copy.handle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  CHECK(send(session, store, std::string("BEGIN; ") + compacted_and_erased + "; COMMIT", copy) ==
        0);
  sqlite3_db_config(copy.handle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, nullptr);
  CHECK(send(session, store, "SELECT evercore_append(2, 3, 'E', '{\"n\":4}')", copy) == 0);
  for (const char* sql : {"SELECT * FROM evercore_log", "SELECT * FROM evercore_aggregates",
                          "SELECT evercore_state(2)", "SELECT * FROM evercore_event_id",
                          "SELECT * FROM evercore_tag", "SELECT * FROM evercore_follow()"}) {
    CHECK(copy.must(sql) == store.must(sql));
  }
  CHECK(copy.must("SELECT count(*) FROM evercore_check()") == "0");
  CHECK(copy.must("SELECT evercore_append(2, NULL, 'E', '{\"m\":2}', NULL, NULL, NULL, 'i3')") ==
        "2");
  CHECK(copy.run("DELETE FROM evercore_event").says("EV010: events are append-only"));
}

TEST_CASE("what a copy with its triggers on does not take of an erasure is named by check") {
  const Session session;
  if (session.create == nullptr || session.apply == nullptr) return;
  Database store, copy;
  CHECK(send(session, store, appended, copy) == 0);
  CHECK(send(session, store, "SELECT evercore_erase(1)", copy) > 0);
  CHECK(copy.must("SELECT problem FROM evercore_check() WHERE aggregate_id = 1")
            .find("is left of an erased aggregate") != std::string::npos);
}
