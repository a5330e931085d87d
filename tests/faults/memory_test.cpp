// Every n-th allocation fails, SQLite's and C++'s alike: a call happens as a whole or not at all,
// the connection stays usable, and it closes.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <string>

#include "faults/fault_workload.h"
#include "support/database.h"

using namespace evercore::test;

namespace {

/// Which allocation fails: the one that brings `left` to 0, and all after it where `sticky`.
struct Plan {
  long left = -1;  // -1: none
  bool sticky = false;
  long failed = 0;

  bool fails() {
    if (left < 0) return false;
    if (left > 0 && --left > 0) return false;
    if (!sticky && left == 0 && failed > 0) return false;
    left = 0;
    ++failed;
    return true;
  }
};
Plan plan;

sqlite3_mem_methods real_methods;

void* failing_malloc(int size) {
  return plan.fails() ? nullptr : real_methods.xMalloc(size);
}
void* failing_realloc(void* block, int size) {
  return plan.fails() ? nullptr : real_methods.xRealloc(block, size);
}

struct InstallMethods {
  InstallMethods() {
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_methods);
    sqlite3_mem_methods methods = real_methods;
    methods.xMalloc = failing_malloc;
    methods.xRealloc = failing_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    // Without it SQLite would serve small allocations from a pool that never fails.
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
  }
} const install_methods;

}  // namespace

void* operator new(std::size_t size) {
  if (plan.fails()) throw std::bad_alloc();
  if (void* block = std::malloc(size == 0 ? 1 : size)) return block;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return plan.fails() ? nullptr : std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* block) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}

namespace {

/// Runs the text by steps, without allocations of the test's own.
int run_quietly(sqlite3* db, const char* sql) {
  return sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
}

/// SQLite reads its schema at the first statement, in thousands of allocations of its own.
void read_schema(Database& db) {
  db.must("SELECT 1 FROM sqlite_schema LIMIT 1");
}

/// One work on a fresh connection with its n-th allocation failing. Gives whether one failed at all.
bool fail_at(const Work& work, const Image& image, long n, bool sticky, bool inside,
             const std::string& before, const std::string& after) {
  Database db(image);
  if (!sticky) read_schema(db);
  if (inside) db.must("BEGIN; CREATE TABLE mine (n); INSERT INTO mine VALUES (1)");
  plan = Plan{n, sticky, 0};
  const int rc = run_quietly(db.handle(), work.call);
  const long failed = plan.failed;
  plan = Plan{};

  const std::string now = db.must(contents);
  const std::string name = work.name;
  CAPTURE(name);
  CAPTURE(n);
  CAPTURE(sticky);
  CAPTURE(inside);
  if (rc == SQLITE_OK) {
    REQUIRE(now == after);
  } else {
    // SQLite tells a statement around a call that the transaction was ended under it by ABORT.
    REQUIRE(((rc & 0xff) == SQLITE_NOMEM || ((rc & 0xff) == SQLITE_ABORT && db.autocommit())));
    // SQLite itself may end the whole transaction when memory runs out; never a part of it.
    if (inside && db.autocommit()) {
      REQUIRE(db.must("SELECT count(*) FROM sqlite_schema WHERE name = 'mine'") == "0");
    }
    REQUIRE(now == before);
  }
  if (!db.autocommit()) {
    REQUIRE(db.must("SELECT n FROM mine") == "1");
    db.must("COMMIT");
  }
  // Usable: the same call again does it, and the store is whole.
  if (rc != SQLITE_OK) {
    db.must(work.call);
    REQUIRE(db.must(contents) == after);
  }
  REQUIRE(db.must("SELECT * FROM evercore_check()").empty());
  REQUIRE(db.close() == SQLITE_OK);
  return failed > 0;
}

/// How many allocations the work makes where none fails.
long allocations(const Work& work, const Image& image, bool sticky, bool inside) {
  constexpr long plenty = 1'000'000'000;
  Database db(image);
  if (!sticky) read_schema(db);
  if (inside) db.must("BEGIN; CREATE TABLE mine (n); INSERT INTO mine VALUES (1)");
  plan = Plan{plenty, false, 0};
  run_quietly(db.handle(), work.call);
  const long made = plenty - plan.left;
  plan = Plan{};
  return made;
}

/// The last allocations one by one: there a call gives its result, and must still be undone.
void fail_each(const Work& work, bool sticky, bool inside, long stride) {
  std::string before, after;
  Image image;
  {
    Database db;
    db.must(filled);
    if (*work.setup != '\0') db.must(work.setup);
    image = db.image();
    before = db.must(contents);
    db.must(work.call);
    after = db.must(contents);
  }
  constexpr long one_by_one = 30;
  const long made = allocations(work, image, sticky, inside);
  CHECK(made > 1);
  for (long n = 1; n <= made;
       n += made - n <= one_by_one ? 1 : std::min(stride, made - n - one_by_one + 1)) {
    CHECK(fail_at(work, image, n, sticky, inside, before, after));
  }
}

long stride() {
  return std::getenv("EVERCORE_SOAK") == nullptr ? 31 : 1;
}

}  // namespace

TEST_CASE("when one allocation fails a call in autocommit happens as a whole or not at all") {
  for (const Work& work : works()) fail_each(work, false, false, stride());
}

TEST_CASE("when one allocation fails a call in BEGIN happens as a whole or not at all") {
  for (const Work& work : works()) fail_each(work, false, true, stride());
}

TEST_CASE("when every allocation from one on fails a call happens as a whole or not at all") {
  for (const Work& work : works()) fail_each(work, true, false, stride());
}

TEST_CASE("when allocations fail, migrating an empty file happens as a whole or not at all") {
  for (const bool sticky : {false, true}) {
    for (long n = 1;; n += stride()) {
      Database db(":memory:", Database::Store::none);
      plan = Plan{n, sticky, 0};
      const int rc = run_quietly(db.handle(), "SELECT evercore_migrate()");
      const long failed = plan.failed;
      plan = Plan{};
      CAPTURE(n);
      // Once memory ran out under a running statement SQLite prepares nothing more until it ends,
      // and its schema changes have made the prepared ROLLBACK stale: it is left to the caller.
      if (!db.autocommit()) db.must("ROLLBACK");
      if (rc != SQLITE_OK)
        REQUIRE(db.must("SELECT count(*) FROM sqlite_schema WHERE name LIKE '%evercore%'") == "0");
      db.must("SELECT evercore_migrate()");
      db.must(filled);
      REQUIRE(db.close() == SQLITE_OK);
      if (failed == 0) break;
    }
  }
}

TEST_CASE("when allocations fail while it loads, evercore is there as a whole or not at all") {
  for (const bool sticky : {false, true}) {
    for (long n = 1;; ++n) {
      sqlite3* db = nullptr;
      REQUIRE(sqlite3_open(":memory:", &db) == SQLITE_OK);
      plan = Plan{n, sticky, 0};
      const int rc = sqlite3_evercore_init(db, nullptr, nullptr);
      const long failed = plan.failed;
      plan = Plan{};
      CAPTURE(n);
      if (rc == SQLITE_OK) {
        REQUIRE(run(db, "SELECT evercore_migrate()").ok());
        REQUIRE(run(db, filled).ok());
      } else {
        REQUIRE(
            run(db, "SELECT count(*) FROM pragma_module_list WHERE name LIKE '%evercore%'").rows ==
            "0");
        // SQLite keeps the name of a function that was taken back, without anything behind it.
        REQUIRE_FALSE(run(db, "SELECT evercore_version()").ok());
        REQUIRE(sqlite3_evercore_init(db, nullptr, nullptr) == SQLITE_OK);
        REQUIRE(run(db, "SELECT evercore_migrate()").ok());
      }
      REQUIRE(sqlite3_close(db) == SQLITE_OK);
      if (failed == 0) break;
    }
  }
}

TEST_CASE("when allocations fail while reading, the answer is right or NOMEM") {
  Image image;
  {
    Database db;
    db.must(filled);
    image = db.image();
  }
  for (const char* sql :
       {"SELECT evercore_state(1)", "SELECT * FROM evercore_follow()",
        "SELECT * FROM evercore_events(1) WHERE event_type = 'E' OR data = 'x'",
        "SELECT * FROM evercore_replay(1)", "SELECT * FROM evercore_replay(1, 4)",
        "SELECT sequence, state FROM evercore_history(1)", "SELECT * FROM evercore_check()",
        "SELECT name FROM evercore_stats()", "SELECT evercore_find('T','a'), evercore_sequence(1)",
        "SELECT * FROM evercore_events", "SELECT evercore_state(99)"}) {
    const Outcome right = Database(image).run(sql);
    for (long n = 1;; ++n) {
      Database db(image);
      read_schema(db);
      plan = Plan{n, false, 0};
      const int rc = run_quietly(db.handle(), sql);
      const long failed = plan.failed;
      plan = Plan{};
      CAPTURE(sql);
      CAPTURE(n);
      if (failed > 0 && rc != SQLITE_OK && right.ok()) REQUIRE((rc & 0xff) == SQLITE_NOMEM);
      const Outcome again = db.run(sql);
      if (right.ok()) REQUIRE(again.ok());
      REQUIRE(db.close() == SQLITE_OK);
      if (failed == 0) break;
    }
  }
}
