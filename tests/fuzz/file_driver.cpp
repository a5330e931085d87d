// Damages store files, by bytes, by rows and by schema, and calls every function on each: whatever
// the file says, a call ends, in bounded memory, and writes into no other database.
//   file_driver [cases [first case]]     each case is made from its number alone
#include <sqlite3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "../../ext/evercore.h"
#include "fuzz/store.h"
#include "support/database.h"

using evercore::fuzz::calls;
using evercore::fuzz::hostile_values;
using evercore::fuzz::image_of;
using evercore::fuzz::open_image;
using evercore::fuzz::whole_store;
using evercore::test::run;

namespace {

using Random = std::mt19937_64;

template <typename T>
const T& any(Random& random, const std::vector<T>& all) {
  return all[random() % all.size()];
}

struct Connection {
  sqlite3* db = nullptr;
  Connection() { sqlite3_open(":memory:", &db); }
  ~Connection() { sqlite3_close(db); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
};

std::string nested(std::size_t depth) {
  std::string open, close;
  for (std::size_t i = 0; i < depth; ++i) open += "{\"a\":", close += "}";
  return open + "1" + close;
}

/// SQL for a value that nobody would write.
std::string hostile_value(Random& random) {
  if (random() % 12 == 0) return "'" + nested(1 + random() % 4000) + "'";
  if (random() % 6 == 0) return std::to_string(static_cast<std::int64_t>(random()));
  return any(random, hostile_values());
}

std::vector<std::string> column_of_rows(sqlite3* db, const std::string& sql) {
  std::vector<std::string> all;
  evercore::test::Query query(db, sql);
  while (query.step() == SQLITE_ROW) all.push_back(query.text(0));
  return all;
}

std::string damage_row(sqlite3* db, Random& random) {
  const auto table = any(random, column_of_rows(db,
                                                "SELECT name FROM sqlite_schema WHERE type = "
                                                "'table' AND name LIKE '%evercore%'"));
  const auto column =
      any(random, column_of_rows(db, "SELECT name FROM pragma_table_info('" + table + "')"));
  const std::string row = random() % 3 == 0 ? ""
                                            : " WHERE " + column + " IN (SELECT " + column +
                                                  " FROM " + table + " ORDER BY random() LIMIT 1)";
  switch (random() % 6) {
    case 0:
      return "DELETE FROM " + table + row;
    case 1:
      return "INSERT OR REPLACE INTO " + table + " SELECT * FROM " + table + row;
    default:
      return "UPDATE OR REPLACE " + table + " SET " + column + " = " + hostile_value(random) + row;
  }
}

std::string damage_schema(sqlite3* db, Random& random) {
  const auto name = any(random, column_of_rows(db,
                                               "SELECT name FROM sqlite_schema WHERE sql IS NOT "
                                               "NULL AND name NOT LIKE 'sqlite%'"));
  const auto type =
      column_of_rows(db, "SELECT type FROM sqlite_schema WHERE name = '" + name + "'");
  switch (random() % 8) {
    case 0:
      return "DROP " + type.at(0) + " " + name;
    case 1:
      return "ALTER TABLE " + name + " RENAME TO moved";
    case 2:
      return "ALTER TABLE " + name + " RENAME TO moved; CREATE VIEW " + name +
             " AS SELECT * FROM moved WHERE evercore_state(1) IS NOT NULL";
    case 3:
      return "ALTER TABLE " + name + " RENAME TO moved; CREATE TABLE " + name +
             " AS SELECT * FROM moved";
    case 4:
      return "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'INTEGER', "
             "'BLOB') WHERE name = '" +
             name + "'";
    case 5:
      return "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = " +
             std::to_string(random() % 30) + " WHERE name = '" + name + "'";
    case 6:
      return "CREATE TRIGGER user_trigger BEFORE INSERT ON " + name + " BEGIN SELECT " +
             any(random, std::vector<std::string>{"RAISE(IGNORE)", "RAISE(FAIL, 'no')",
                                                  "RAISE(ROLLBACK, 'no')", "evercore_state(1)"}) +
             "; END";
    default:
      return "CREATE TABLE " +
             any(random,
                 std::vector<std::string>{"Evercore_append", "evercore_events", "_evercore_anchor",
                                          "_evercore_staged", "json_each"}) +
             " (aggregate_type, data)";
  }
}

/// The image of a damaged store.
std::string damaged(Random& random) {
  const std::string& whole = whole_store();
  Connection made;
  open_image(made.db, whole);
  if (random() % 2 == 0) {
    // Types are STRICT's to keep, and doubles the indexes'.
    run(made.db,
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(replace(sql, ') "
        "STRICT, "
        "WITHOUT', ') WITHOUT'), ') STRICT', ')'); PRAGMA writable_schema = RESET");
    if (random() % 2 == 0) run(made.db, "DROP INDEX evercore_event_sequence");
  }
  run(made.db,
      "PRAGMA ignore_check_constraints = 1; INSERT INTO _evercore_maintenance VALUES ('x')");
  for (std::uint64_t edits = random() % 5; edits > 0; --edits)
    run(made.db, damage_row(made.db, random));
  if (random() % 4 == 0) run(made.db, damage_schema(made.db, random));
  if (random() % 3 != 0) run(made.db, "DELETE FROM _evercore_maintenance");
  std::string image = image_of(made.db);
  if (random() % 3 == 0) {
    for (std::uint64_t edits = 1 + random() % 20; edits > 0; --edits) {
      image[random() % image.size()] = static_cast<char>(random());
    }
  }
  if (random() % 20 == 0) image.resize(random() % image.size());
  if (random() % 50 == 0) {
    for (std::size_t i = 100; i < image.size(); ++i) image[i] = static_cast<char>(random());
  }
  return image;
}

[[noreturn]] void give_up(std::uint64_t number, const std::string& why, const std::string& sql) {
  std::printf("case %llu: %s\n  in %s\n", static_cast<unsigned long long>(number), why.c_str(),
              sql.c_str());
  std::exit(1);
}

/// Steps a statement to its end, or as far as anything of this size can go.
void call(sqlite3* db, std::uint64_t number, const std::string& sql) {
  constexpr int most_rows = 20'000;
  long budget = 3'000;  // of 10,000 operations of SQLite's machine each
  sqlite3_progress_handler(
      db, 10'000, [](void* left) { return --*static_cast<long*>(left) < 0 ? 1 : 0; }, &budget);
  sqlite3_stmt* stmt = nullptr;
  int rows = 0;
  if (sqlite3_prepare_v2(db, sql.c_str(), -1, &stmt, nullptr) == SQLITE_OK) {
    while (sqlite3_step(stmt) == SQLITE_ROW) {
      for (int i = 0; i < sqlite3_column_count(stmt); ++i) (void)sqlite3_column_text(stmt, i);
      if (++rows > most_rows) give_up(number, "it gives rows without end", sql);
    }
  }
  sqlite3_finalize(stmt);
  sqlite3_progress_handler(db, 0, nullptr, nullptr);
  if (budget < 0) give_up(number, "it does not end", sql);
}

void try_case(std::uint64_t number) {
  Random random(number);
  const std::string image = damaged(random);
  alarm(120);  // a loop outside of SQLite's machine: the signal ends the program
  Connection opened;
  open_image(opened.db, image);
  sqlite3_evercore_init(opened.db, nullptr, nullptr);
  const char* const other =
      "SELECT count(*), sum(length(sql)) FROM other.sqlite_schema UNION ALL SELECT "
      "count(*), 0 FROM other.evercore_event";
  run(opened.db,
      "ATTACH ':memory:' AS other; CREATE TABLE other.evercore_event (position, aggregate_id, "
      "sequence);"
      "CREATE TABLE other.evercore_append (data); CREATE TABLE other.evercore_snapshot (state);"
      "CREATE TABLE other.evercore_schema (version); CREATE VIEW other.evercore_log AS SELECT 1");
  const std::string before = run(opened.db, other).rows;
  if (random() % 4 == 0) run(opened.db, "BEGIN IMMEDIATE");
  for (const std::string& sql : calls()) call(opened.db, number, sql);
  run(opened.db, "COMMIT");
  if (run(opened.db, other).rows != before) give_up(number, "another database was written to", "");
  alarm(0);
}

}  // namespace

int main(int count, char** arguments) {
  const std::uint64_t cases = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 200;
  const std::uint64_t first = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1;
  sqlite3_hard_heap_limit64(256 << 20);
  const bool verbose = std::getenv("EVERCORE_FUZZ_VERBOSE") != nullptr;
  for (std::uint64_t number = first; number < first + cases; ++number) {
    if (verbose)
      std::printf("case %llu\n", static_cast<unsigned long long>(number)), std::fflush(stdout);
    try_case(number);
  }
  std::printf("%llu damaged files\n", static_cast<unsigned long long>(cases));
}
