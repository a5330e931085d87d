// What a statement costs, in steps of SQLite's machine, and a store of any size to ask it in.
#pragma once

#include <cstdint>
#include <string>

#include "support/database.h"

namespace evercore::test {

/// Appends so many events of type E to so many aggregates of type T, in turns; `from` is the first number.
inline std::string some(int events, int aggregates, int from = 0, const char* event_id = "NULL") {
  return "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id)"
         " WITH RECURSIVE c (i) AS (SELECT " +
         std::to_string(from) + " UNION ALL SELECT i + 1 FROM c WHERE i < " +
         std::to_string(from + events - 1) + ") SELECT 'T', 'k' || (i % " +
         std::to_string(aggregates) + "), 'E', '{\"m\":1}', " + event_id + " FROM c";
}

/// How much SQLite works, in its statements and those within: as often as it asks whether to go on.
inline int asked(void* count) {
  ++*static_cast<std::int64_t*>(count);
  return 0;
}
inline std::int64_t work(Database& db, const std::string& sql) {
  db.must("BEGIN");
  db.must(sql);  // prepares, and fills what is kept
  db.must("ROLLBACK; BEGIN");
  std::int64_t count = 0;
  sqlite3_progress_handler(db.handle(), 1, asked, &count);
  db.must(sql);
  sqlite3_progress_handler(db.handle(), 0, nullptr, nullptr);
  db.must("ROLLBACK");
  return count;
}

}  // namespace evercore::test
