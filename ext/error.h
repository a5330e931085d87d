// Every error of the SQL surface: its code, its text, and what SQLite reports it as.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api.h"

namespace evercore::ext {

/// The codes of the surface by their numbers, for whoever acts on one; `engine` is a failure of
/// SQLite itself. Nothing decides by the text of an error: a user's trigger may say anything.
enum class Code : int {
  engine = 0,
  conflict = 1,
  not_found = 2,
  key_taken = 3,
  bad_payload = 4,
  bad_name = 5,
  lease_lost = 6,
  other_content = 7,
  not_migrated = 8,
  bad_argument = 9,
  refused = 10,
  not_taken = 11,
};

/// One row of the table of codes: the single place where a code exists in the extension.
struct ErrorCode {
  const char* code;
  const char* meaning;
  int sqlite_code;  ///< what drivers map: a constraint becomes an IntegrityError in Python
  bool row_fault;   ///< in the INSERT form, a fault of the row that OR IGNORE may skip
};

inline constexpr ErrorCode error_codes[] = {
    {"EV001", "the expected sequence is not the actual one", SQLITE_CONSTRAINT_FUNCTION, true},
    {"EV002", "no such aggregate, type, subscription or sequence", SQLITE_ERROR, true},
    {"EV003", "the natural key is taken within the type", SQLITE_CONSTRAINT_FUNCTION, true},
    {"EV004", "a payload outside the profile", SQLITE_ERROR, true},
    {"EV005", "a name or key too long or empty, or neither id nor key given", SQLITE_ERROR, true},
    {"EV006", "the lease is lost", SQLITE_ERROR, false},
    {"EV007", "the event_id exists with other content", SQLITE_CONSTRAINT_FUNCTION, true},
    {"EV008", "the store is not migrated, or a newer program migrated it", SQLITE_ERROR, false},
    {"EV009", "an argument out of range or of the wrong type", SQLITE_ERROR, true},
    {"EV010", "refused to keep the data safe", SQLITE_ERROR, false},
    {"EV011", "a schema does not take the data of an event, or the state after it",
     SQLITE_CONSTRAINT_FUNCTION, true},
};

/// What the extension throws, and what its functions turn into a SQLite error at their border.
/// The text begins with the code, or is the engine's own where the failure is the engine's.
struct Error {
  std::string text;
  int sqlite_code = SQLITE_ERROR;
  bool row_fault = false;
  Code code = Code::engine;
};

/// `error(1, "conflict: …")` is EV001. `number` is that of the code, from 1.
[[nodiscard]] Error error(int number, std::string_view text);

/// The engine's failure `result_code` on `db`, with a hint where a user can act on it.
[[nodiscard]] Error engine_error(sqlite3* db, int result_code);

/// The disk failed, and SQLite has rolled the caller's transaction back with more than the statement at fault.
[[nodiscard]] Error lost_transaction();

[[nodiscard]] Error conflict(std::int64_t aggregate_id, std::int64_t actual, std::int64_t expected);
[[nodiscard]] Error null_aggregate();
[[nodiscard]] Error no_aggregate(std::int64_t aggregate_id);
[[nodiscard]] Error erased_aggregate(std::int64_t aggregate_id);
[[nodiscard]] Error no_sequence(std::int64_t aggregate_id, std::int64_t sequence,
                                std::int64_t version);
[[nodiscard]] Error compacted_sequence(std::int64_t aggregate_id, std::int64_t sequence,
                                       std::int64_t oldest);
[[nodiscard]] Error key_taken(std::string_view aggregate_type, std::string_view natural_key);
/// EV010: what is stored is not what evercore wrote.
[[nodiscard]] Error damaged(const std::string& what);
[[nodiscard]] Error out_of_range(std::string_view argument, std::int64_t value);

}  // namespace evercore::ext
