// Fuzzing a store file and the SQL that meets it, both by the same input: the first bytes change the file of whole_store
// in places, the others choose calls and their arguments. Whatever comes, a statement ends, in bounded memory, by an
// error of SQLite's or of the contract where it fails, and the connection closes.
//   one byte: how many changes, below 32, and 32 where any value may be put into rows; for each change three bytes of a
//   place and one that is put there
//   then, again and again: one byte for a shape of `shapes`, and one for each `?` in it
#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "../../ext/evercore.h"
#include "fuzz/seeds.h"
#include "fuzz/store.h"

using evercore::fuzz::calls;
using evercore::fuzz::hostile_values;
using evercore::fuzz::open_image;
using evercore::fuzz::whole_store;

namespace {

/// Beside these, each of `calls`.
constexpr std::string_view shapes[] = {
    "SELECT * FROM evercore_check()",
    "SELECT * FROM evercore_log WHERE position > ?",
    "SELECT * FROM evercore_aggregates WHERE natural_key = ?",
    "SELECT * FROM evercore_subscriptions, evercore_event_types, evercore_aggregate_types",
    "SELECT evercore_state(?, ?)",
    "SELECT * FROM evercore_replay(?, ?)",
    "SELECT * FROM evercore_events(?, ?, ?, ?)",
    "SELECT * FROM evercore_history(?)",
    "SELECT * FROM evercore_follow(?, ?, ?, ?)",
    "SELECT * FROM evercore_query(?, ?, ?)",
    "SELECT evercore_sequence(?, ?), evercore_find(?, ?)",
    "SELECT evercore_upcast(?, ?), evercore_validate(?, ?)",
    "SELECT evercore_append(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "SELECT evercore_append(2, NULL, ?, '{\"n\":1}')",
    "SELECT evercore_append_many(?, ?, ?)",
    "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id, tags) "
    "VALUES (?, ?, 'E', '{}', ?, ?), ('T1', ?, ?, '{}', NULL, NULL)",
    "INSERT OR IGNORE INTO evercore_append (aggregate_id, event_type, data) SELECT value, ?, '{}' "
    "FROM json_each('[1,2,3,4,5]')",
    "SELECT evercore_snapshot(?)",
    "SELECT evercore_save_snapshot(?, ?, ?, ?)",
    "SELECT evercore_snapshot_policy(?, ?, ?)",
    "SELECT evercore_compact(?, ?)",
    "SELECT evercore_compact_type(?, ?, ?)",
    "SELECT evercore_erase(?)",
    "SELECT evercore_event_type(?, ?, ?)",
    "SELECT evercore_aggregate_type(?, ?)",
    "SELECT evercore_rename_type(?, ?, ?)",
    "SELECT evercore_subscribe(?, ?, ?, ?)",
    "SELECT evercore_claim(?, ?, ?)",
    "SELECT evercore_ack(?, ?, ?)",
    "SELECT * FROM evercore_fetch(?, ?, ?)",
    "SELECT evercore_rekey(?, ?), evercore_ensure(?, ?)",
    "SELECT evercore_reset(?, ?), evercore_unsubscribe(?)",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT a",
    "ROLLBACK TO a",
    "RELEASE a",
    "PRAGMA writable_schema = RESET",
    "REINDEX",
    "VACUUM",
    "INSERT INTO _evercore_maintenance VALUES ('x')",
    "DELETE FROM _evercore_maintenance",
    "DELETE FROM evercore_event WHERE sequence = ?",
    "UPDATE OR REPLACE evercore_event SET data = ?",
    "UPDATE OR REPLACE evercore_event SET sequence = ?",
    "UPDATE OR REPLACE evercore_event SET tags = ?",
    "UPDATE OR REPLACE evercore_event SET event_id = ?",
    "UPDATE OR REPLACE evercore_event SET event_time = ?",
    "UPDATE OR REPLACE evercore_event_type SET fold = ?",
    "UPDATE OR REPLACE evercore_event_type SET rules = ?, fold = 'rules'",
    "UPDATE OR REPLACE evercore_event_type SET schema = ?",
    "UPDATE OR REPLACE evercore_event_type SET tags = ?",
    "UPDATE OR REPLACE evercore_event_type SET upcast = ?",
    "UPDATE OR REPLACE evercore_aggregate SET base = ?",
    "UPDATE OR REPLACE evercore_aggregate SET natural_key = ?",
    "UPDATE OR REPLACE evercore_aggregate SET erased = ?",
    "UPDATE OR REPLACE evercore_aggregate_type SET schema = ?",
    "UPDATE OR REPLACE evercore_snapshot SET state = ?",
    "UPDATE OR REPLACE evercore_snapshot SET sequence = ?",
    "UPDATE OR REPLACE evercore_kept_state SET state = ?",
    "UPDATE OR REPLACE evercore_subscription_partition SET position = ?",
    "UPDATE OR REPLACE evercore_subscription_partition SET token = ?",
    "UPDATE OR REPLACE evercore_subscription SET type_ids = ?",
    "UPDATE OR REPLACE evercore_subscription SET tags = ?",
    "DROP TABLE evercore_snapshot",
    "DROP INDEX evercore_event_sequence"};

/// The bytes of an input, one after the other; zeros where it has ended.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
  [[nodiscard]] bool more() const { return at_ != end_; }
  std::size_t next() { return more() ? *at_++ : 0; }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

constexpr std::size_t any_row = 32;

std::string file_of(Input& input, std::size_t changes) {
  std::string image = whole_store();
  for (changes %= any_row; changes > 0; --changes) {
    const std::size_t high = input.next(), middle = input.next(), low = input.next();
    image[(high << 16 | middle << 8 | low) % image.size()] = static_cast<char>(input.next());
  }
  return image;
}

std::string statement_of(Input& input) {
  const std::size_t choice = input.next() % (std::size(shapes) + calls().size());
  if (choice >= std::size(shapes)) return calls()[choice - std::size(shapes)];
  std::string sql;
  for (const char c : shapes[choice]) {
    if (c == '?') {
      sql += hostile_values()[input.next() % hostile_values().size()];
    } else {
      sql += c;
    }
  }
  return sql;
}

[[noreturn]] void wrong(const char* why, const std::string& sql) {
  std::fprintf(stderr, "%s\n  in %s\n", why, sql.c_str());
  std::abort();
}

/// No misuse of SQLite's, and no constraint of a function but the contract's.
bool is_promised(sqlite3* db, int rc) {
  if (rc == SQLITE_OK || rc == SQLITE_DONE) return true;
  if ((rc & 0xff) == SQLITE_MISUSE || (rc & 0xff) == SQLITE_INTERNAL) return false;
  const std::string_view message = sqlite3_errmsg(db);
  if (message.empty()) return false;
  return sqlite3_extended_errcode(db) != SQLITE_CONSTRAINT_FUNCTION || message.starts_with("EV0");
}

void run(sqlite3* db, const std::string& sql) {
  constexpr int most_rows = 100'000;
  long budget = 3'000;  // of 10,000 operations of SQLite's machine each
  sqlite3_progress_handler(
      db, 10'000, [](void* left) { return --*static_cast<long*>(left) < 0 ? 1 : 0; }, &budget);
  sqlite3_stmt* stmt = nullptr;
  int rc = sqlite3_prepare_v2(db, sql.c_str(), -1, &stmt, nullptr), rows = 0;
  while (rc == SQLITE_OK || rc == SQLITE_ROW) {
    rc = sqlite3_step(stmt);
    for (int i = 0; rc == SQLITE_ROW && i < sqlite3_column_count(stmt); ++i)
      (void)sqlite3_column_text(stmt, i);
    if (++rows > most_rows) wrong("it gives rows without end", sql);
  }
  if (budget < 0) wrong("it does not end", sql);
  if (!is_promised(db, rc)) wrong(sqlite3_errmsg(db), sql);
  sqlite3_finalize(stmt);
  sqlite3_progress_handler(db, 0, nullptr, nullptr);
}

}  // namespace

/// Each call on the file as it is, on one that is changed in three places, and with many others behind it; and each
/// change of a row with all of `calls` behind it.
std::vector<std::string> evercore::fuzz::seeds() {
  std::vector<std::string> all;
  const std::size_t choices = std::size(shapes) + calls().size();
  for (std::size_t choice = 0; choice < choices; ++choice) {
    const std::string call{static_cast<char>(choice), 1, 2, 3, 4};
    all.push_back(std::string(1, '\0') + call);
    std::string many = std::string(1, '\0') + call;
    for (std::size_t i = 0; i < 40; ++i) many += static_cast<char>(choice * 7 + i * 13);
    all.push_back(many);
    all.push_back(std::string("\3\0\1\1\1\0\100\1\1\0\200\1\1", 13) + call + '\0' + call);
  }
  const auto takes_values = [](std::string_view shape) { return shape.starts_with("UPDATE OR"); };
  for (std::size_t choice = 0; choice < std::size(shapes); ++choice) {
    for (std::size_t value = 0; takes_values(shapes[choice]) && value < 40; value += 5) {
      std::string changed{static_cast<char>(any_row), static_cast<char>(choice),
                          static_cast<char>(value), static_cast<char>(value + 3)};
      changed.resize(2 + static_cast<std::size_t>(
                             std::count(shapes[choice].begin(), shapes[choice].end(), '?')));
      for (std::size_t i = 0; i < calls().size(); ++i)
        changed += static_cast<char>(std::size(shapes) + i);
      all.push_back(changed);
    }
  }
  return all;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  [[maybe_unused]] static const auto limit = sqlite3_hard_heap_limit64(256 << 20);
  constexpr int most_statements = 100;
  Input input(data, size);
  sqlite3* db = nullptr;
  sqlite3_open(":memory:", &db);
  const std::size_t first = input.next();
  open_image(db, file_of(input, first));
  sqlite3_evercore_init(db, nullptr, nullptr);
  if ((first & any_row) != 0) {
    run(db, "PRAGMA ignore_check_constraints = 1");
    run(db, "INSERT INTO _evercore_maintenance VALUES ('x')");
  }
  for (int i = 0; i < most_statements && input.more(); ++i) run(db, statement_of(input));
  if (sqlite3_close(db) != SQLITE_OK) wrong("the connection does not close", "");
  return 0;
}
