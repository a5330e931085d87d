#include "sqlite_store.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "evercore.h"

namespace bench {

namespace {

void require(bool ok, sqlite3* db, const std::string& what) {
  if (ok) return;
  std::fprintf(stderr, "bench: %s: %s\n", what.c_str(), sqlite3_errmsg(db));
  std::exit(2);
}

std::string directory() {
  const char* given = std::getenv("EVERCORE_BENCH_DIRECTORY");
  return given != nullptr ? given : std::filesystem::temp_directory_path().string();
}

std::string new_file(const std::string& name) {
  const std::string path =
      directory() + "/evercore-bench-" + std::to_string(::getpid()) + "-" + name + ".db";
  std::filesystem::remove(path);
  return path;
}

}  // namespace

Store::Store(const std::string& name, const char* extension)
    : Store(new_file(name), Content::evercore, extension) {}

Store Store::by_hand(const std::string& name) {
  return Store(new_file(name), Content::by_hand, nullptr);
}

Store Store::of_another(const std::string& path) {
  return Store(path, Content::of_another, nullptr);
}

Store::Store(std::string path, Content content, const char* extension)
    : path_(std::move(path)), kept_(content == Content::of_another) {
  require(sqlite3_open(path_.c_str(), &db_) == SQLITE_OK, db_, path_);
  if (extension != nullptr) {
    sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, nullptr);
    require(sqlite3_load_extension(db_, extension, nullptr, nullptr) == SQLITE_OK, db_, extension);
  } else if (content != Content::by_hand) {
    require(sqlite3_evercore_init(db_, nullptr, nullptr) == SQLITE_OK, db_, "init");
  }
  run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
  if (content == Content::evercore) run("SELECT evercore_migrate()");
}

Store::~Store() {
  sqlite3_close(db_);
  if (kept_) return;
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
}

void Store::run(const std::string& sql) const {
  require(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK, db_, sql);
}

Stmt Store::prepare(const std::string& sql) const {
  sqlite3_stmt* stmt = nullptr;
  const int rc =
      sqlite3_prepare_v3(db_, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &stmt, nullptr);
  require(rc == SQLITE_OK, db_, sql);
  return Stmt(stmt);
}

std::int64_t Store::integer(const std::string& sql) const {
  const Stmt stmt = prepare(sql);
  require(sqlite3_step(stmt.get()) == SQLITE_ROW, db_, sql);
  return sqlite3_column_int64(stmt.get(), 0);
}

std::int64_t Store::file_size() const {
  run("PRAGMA wal_checkpoint(TRUNCATE)");
  return static_cast<std::int64_t>(std::filesystem::file_size(path_));
}

void Store::add_aggregates(int count) const {
  run("INSERT INTO evercore_aggregate_type (type_id, name) VALUES (1, 'User');"
      "INSERT INTO evercore_event_type (type_id, name) VALUES (1, 'Changed');"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
      std::to_string(count) +
      ") INSERT INTO evercore_aggregate (type_id, natural_key) SELECT 1, 'key' || i FROM n;");
}

std::int64_t read_all(sqlite3_stmt* stmt) {
  std::int64_t rows = 0;
  while (sqlite3_step(stmt) == SQLITE_ROW) {
    ++rows;
    const int columns = sqlite3_column_count(stmt);
    for (int i = 0; i < columns; ++i) {
      if (sqlite3_column_type(stmt, i) == SQLITE_TEXT) {
        sqlite3_column_text(stmt, i);
      } else {
        sqlite3_column_int64(stmt, i);
      }
    }
  }
  require(sqlite3_reset(stmt) == SQLITE_OK, sqlite3_db_handle(stmt), sqlite3_sql(stmt));
  return rows;
}

void step_once(sqlite3_stmt* stmt) {
  const int rc = sqlite3_step(stmt);
  require(rc == SQLITE_ROW || rc == SQLITE_DONE, sqlite3_db_handle(stmt), sqlite3_sql(stmt));
  sqlite3_reset(stmt);
}

std::string payload(std::int64_t number) {
  char text[160];
  const int size = std::snprintf(
      text, sizeof text,
      R"({"username":"user-%06d","email":"user%06d@example.org","is_active":%s,"logins":%07d,"city":"Springfield-%03d"})",
      static_cast<int>(number % 1000000), static_cast<int>(number % 1000000),
      number % 2 == 0 ? "true " : "false", 1000000 + static_cast<int>(number % 1000000),
      static_cast<int>(number % 1000));
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace bench
