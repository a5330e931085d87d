// The URIs that connect() takes; store.h has the table.
#ifndef EVERCORE_SRC_URI_H
#define EVERCORE_SRC_URI_H

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "evercore/engine.h"

namespace evercore::detail {

struct SqliteOptions {
  std::string path;  // empty: in memory
  std::string journal_mode = "wal";
  std::string synchronous = "full";
  std::chrono::milliseconds busy_timeout{5000};
  bool fair = false;
  std::size_t pool_size = 8;
  bool migrate = true;
};

struct PostgresOptions {
  std::string conninfo;  // for libpq, with its own parameters alone
  std::string shown;     // for messages: without the password
  std::string schema = "evercore";
  std::optional<bool> prepared;  // empty: find out
  bool notify = true;
  std::chrono::milliseconds busy_timeout{5000};
  std::chrono::milliseconds reconnect{5000};
  std::size_t pool_size = 8;
  bool migrate = true;
};

enum class EngineKind { sqlite, postgres };

// Throws argument_error, with a text that holds nothing of the URI but the name of the part that is
// wrong.
EngineKind engine_of(std::string_view uri);
SqliteOptions parse_sqlite_uri(std::string_view uri);
PostgresOptions parse_postgres_uri(std::string_view uri);

// The engine for PostgreSQL; in the library that has SQLite alone, usage_error.
std::shared_ptr<StorageEngine> postgres_engine(const PostgresOptions& options);

}  // namespace evercore::detail

#endif  // EVERCORE_SRC_URI_H
