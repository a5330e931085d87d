// Loading: what it adds, what it leaves alone, and the hosts it refuses.
#define SQLITE_CORE 1  // sqlite3ext.h for the type of its table alone
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <sqlite3ext.h>

#include <array>
#include <cstdio>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

constexpr const char* library = "build/evercore.so";

std::set<std::string> lines(const std::string& text) {
  std::set<std::string> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.insert(line);
  return all;
}

std::string added_by_loading(const std::string& sql) {
  sqlite3* plain = nullptr;
  REQUIRE(sqlite3_open(":memory:", &plain) == SQLITE_OK);
  const auto before = lines(run(plain, sql).rows);
  sqlite3_close(plain);
  Database loaded;
  std::string added;
  for (const std::string& line : lines(loaded.must(sql))) {
    if (!before.contains(line)) added += line + "\n";
  }
  return added;
}

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string out;
  std::array<char, 256> buffer;
  while (fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) out += buffer.data();
  return out;
}

const sqlite3_api_routines* host_routines = nullptr;
int remember_routines(sqlite3*, char**, const sqlite3_api_routines* api) {
  host_routines = api;
  return SQLITE_OK;
}

/// A plain connection; evercore comes from the shared library.
struct Host {
  sqlite3* db = nullptr;
  Host() {
    sqlite3_open(":memory:", &db);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, nullptr);
    sqlite3_enable_load_extension(db, 1);
  }
  ~Host() { sqlite3_close(db); }
  int load() const { return sqlite3_load_extension(db, library, nullptr, nullptr); }
};

}  // namespace

TEST_CASE("loading adds exactly these functions") {
  CHECK(added_by_loading("SELECT DISTINCT name || ' ' || narg FROM pragma_function_list"
                         " WHERE name LIKE '%evercore%'") ==
        "_evercore_next_sequence 4\nevercore_ack 3\n"
        "evercore_aggregate_type 1\nevercore_aggregate_type 2\n"
        "evercore_append 4\nevercore_append 5\nevercore_append 6\nevercore_append 7\n"
        "evercore_append 8\nevercore_append 9\nevercore_append_many 1\nevercore_append_many "
        "2\nevercore_append_many 3\n"
        "evercore_claim 3\nevercore_compact 1\nevercore_compact 2\n"
        "evercore_compact_type 1\nevercore_compact_type 2\nevercore_compact_type 3\n"
        "evercore_create 1\nevercore_create 2\nevercore_ensure 2\nevercore_erase 1\n"
        "evercore_event_type 1\nevercore_event_type 2\nevercore_event_type 3\nevercore_fill 0\n"
        "evercore_fill 1\nevercore_find 2\nevercore_head 0\nevercore_index_types "
        "0\nevercore_index_types 1\nevercore_migrate "
        "0\nevercore_migrate 1\n"
        "evercore_pause 1\nevercore_rekey 2\nevercore_release 2\nevercore_release 3\n"
        "evercore_rename_type 3\nevercore_renew 3\nevercore_reset 2\nevercore_restored "
        "0\nevercore_resume 1\n"
        "evercore_save_snapshot 4\nevercore_sequence 1\nevercore_sequence 2\n"
        "evercore_snapshot 1\nevercore_snapshot_policy 3\nevercore_state 1\nevercore_state 2\n"
        "evercore_subscribe 1\nevercore_subscribe 2\nevercore_subscribe 3\n"
        "evercore_subscribe 4\nevercore_time 1\nevercore_unsubscribe 1\nevercore_upcast 2\n"
        "evercore_validate 2\nevercore_validate 3\nevercore_version 0\n");
  CHECK(added_by_loading("SELECT name FROM pragma_function_list").find("evercore") !=
        std::string::npos);
}

TEST_CASE("loading adds no function under another name") {
  for (const std::string& name : lines(added_by_loading("SELECT name FROM pragma_function_list"))) {
    CAPTURE(name);
    CHECK((name.starts_with("evercore_") || name.starts_with("_evercore_")));
  }
}

TEST_CASE("loading adds exactly these modules") {
  CHECK(added_by_loading("SELECT name FROM pragma_module_list WHERE name NOT LIKE 'pragma%'") ==
        "_evercore_anchor\n_evercore_staged\nevercore_append\nevercore_check\nevercore_"
        "events\nevercore_fetch\n"
        "evercore_follow\nevercore_history\nevercore_query\nevercore_replay\nevercore_stats\n");
}

TEST_CASE("functions that write are for direct calls only and the version is innocuous") {
  Database db;
  constexpr int direct_only = SQLITE_DIRECTONLY;
  for (const std::string& line :
       lines(db.must("SELECT DISTINCT name || ' ' || flags FROM pragma_function_list"
                     " WHERE name LIKE '%evercore%'"))) {
    const std::string name = line.substr(0, line.find(' '));
    const int flags = std::stoi(line.substr(line.find(' ')));
    const bool reads = name == "evercore_find" || name == "evercore_sequence" ||
                       name == "evercore_state" || name == "evercore_version" ||
                       name == "evercore_time" || name == "evercore_head" ||
                       name == "evercore_validate" || name == "evercore_upcast";
    const bool pure = name == "evercore_version" || name == "evercore_time";
    CAPTURE(name);
    CHECK(((flags & direct_only) == 0) == reads);
    CHECK(((flags & SQLITE_DETERMINISTIC) != 0) == pure);
  }
}

TEST_CASE("the shared library exports one symbol and asks for none of sqlite3's") {
  CHECK(output_of("nm -D --defined-only build/evercore.so | cut -d' ' -f3") ==
        "sqlite3_evercore_init\n");
  CHECK(output_of("nm -Du build/evercore.so | grep sqlite3_").empty());
}

TEST_CASE("the shared library loads, works and lets the connection close") {
  Host host;
  REQUIRE(host.load() == SQLITE_OK);
  CHECK(run(host.db, "SELECT evercore_migrate()").ok());
  CHECK(run(host.db, "SELECT evercore_append(evercore_ensure('T','a'),0,'E','{}')").rows == "1");
  CHECK(run(host.db, "SELECT count(*) FROM evercore_log").rows == "1");
  CHECK(sqlite3_close(host.db) == SQLITE_OK);
  host.db = nullptr;
}

TEST_CASE("loading twice on one connection does no harm") {
  Host host;
  REQUIRE(host.load() == SQLITE_OK);
  CHECK(run(host.db,
            "SELECT evercore_migrate(), evercore_append(evercore_ensure('T','a'),0,'E','{}')")
            .ok());
  CHECK(host.load() == SQLITE_OK);
  CHECK(run(host.db, "SELECT evercore_append(1,1,'E','{}')").rows == "2");
  CHECK(run(host.db,
            "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1,'E','{}')")
            .ok());
  CHECK(run(host.db, "SELECT count(*) FROM evercore_events(1)").rows == "3");
  CHECK(sqlite3_close(host.db) == SQLITE_OK);
  host.db = nullptr;
}

TEST_CASE("loading a second time from SQL, within a running statement, breaks nothing") {
  Host host;
  REQUIRE(host.load() == SQLITE_OK);
  REQUIRE(run(host.db,
              "SELECT evercore_migrate(), evercore_append(evercore_ensure('T','a'),0,'E','{}')")
              .ok());
  (void)run(host.db, "SELECT load_extension('build/evercore.so')");
  {
    Query reader(host.db, "SELECT position FROM evercore_follow()");
    REQUIRE(reader.step() == SQLITE_ROW);
    (void)host.load();
    CHECK(reader.step() == SQLITE_DONE);
  }
  CHECK(run(host.db, "SELECT evercore_append(1,1,'New','{}','r','{}',NULL,'id-1')").rows == "2");
  CHECK(run(host.db,
            "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1,'E','{}')")
            .ok());
  CHECK(run(host.db, "SELECT count(*) FROM evercore_events(1)").rows == "3");
  CHECK(run(host.db, "SELECT count(*) FROM evercore_check()").rows == "0");
  CHECK(sqlite3_close(host.db) == SQLITE_OK);
  host.db = nullptr;
}

TEST_CASE("two connections load it and live and close on their own") {
  auto first = std::make_unique<Host>();
  Host second;
  REQUIRE(first->load() == SQLITE_OK);
  REQUIRE(second.load() == SQLITE_OK);
  CHECK(run(first->db, "SELECT evercore_migrate(), evercore_ensure('T','a')").ok());
  first.reset();
  CHECK(run(second.db, "SELECT evercore_migrate(), evercore_ensure('T','b')").ok());
  CHECK(run(second.db, "SELECT evercore_append(1,0,'E','{}')").rows == "1");
}

TEST_CASE("a host older than 3.40 is refused with a clear text and gets nothing registered") {
  REQUIRE(sqlite3_auto_extension(reinterpret_cast<void (*)()>(remember_routines)) == SQLITE_OK);
  Host host;
  sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(remember_routines));
  REQUIRE((host_routines != nullptr));
  static sqlite3_api_routines older;
  older = *host_routines;
  older.libversion_number = [] { return 3'039'004; };
  older.libversion = [] { return "3.39.4"; };

  void* opened = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  REQUIRE(opened != nullptr);
  using Init = int (*)(sqlite3*, char**, const sqlite3_api_routines*);
  const auto init = reinterpret_cast<Init>(dlsym(opened, "sqlite3_evercore_init"));
  REQUIRE((init != nullptr));
  char* error = nullptr;
  CHECK(init(host.db, &error, &older) == SQLITE_ERROR);
  REQUIRE(error != nullptr);
  CHECK(std::string(error).find("needs SQLite 3.40 or newer; this is 3.39.4") != std::string::npos);
  sqlite3_free(error);
  CHECK(init(host.db, nullptr, &older) == SQLITE_ERROR);
  CHECK(
      run(host.db, "SELECT count(*) FROM pragma_function_list WHERE name LIKE '%evercore%'").rows ==
      "0");
  CHECK(run(host.db, "SELECT count(*) FROM pragma_module_list WHERE name LIKE '%evercore%'").rows ==
        "0");
  dlclose(opened);
}
