// What the native tests share: connections with evercore on them, and one line per question.
#pragma once

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "../../ext/evercore.h"

namespace evercore::test {

/// A directory of its own, removed with all that is in it.
class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "evercore-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// What one SQL text did: its result code (extended), its message, and the rows it gave.
struct Outcome {
  int code = SQLITE_OK;
  std::string message;
  std::string rows;  ///< columns parted by |, rows by newlines, NULL for null

  [[nodiscard]] bool ok() const { return code == SQLITE_OK; }
  [[nodiscard]] bool says(const std::string& text) const {
    return message.find(text) != std::string::npos;
  }
};

/// A prepared statement for tests that step one by one.
class Query {
 public:
  Query(sqlite3* db, const std::string& sql) {
    code_ = sqlite3_prepare_v2(db, sql.c_str(), -1, &stmt_, nullptr);
  }
  ~Query() { sqlite3_finalize(stmt_); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  [[nodiscard]] int code() const { return code_; }
  int step() { return sqlite3_step(stmt_); }
  int reset() { return sqlite3_reset(stmt_); }
  Query& bind(int index, std::int64_t value) {
    sqlite3_bind_int64(stmt_, index, value);
    return *this;
  }
  Query& bind(int index, const std::string& text) {
    sqlite3_bind_text(stmt_, index, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    return *this;
  }
  [[nodiscard]] std::int64_t integer(int column) const {
    return sqlite3_column_int64(stmt_, column);
  }
  [[nodiscard]] std::string text(int column) const {
    const unsigned char* text = sqlite3_column_text(stmt_, column);
    return text == nullptr ? "NULL" : std::string(reinterpret_cast<const char*>(text));
  }
  [[nodiscard]] int columns() const { return sqlite3_column_count(stmt_); }
  [[nodiscard]] sqlite3_stmt* handle() const { return stmt_; }

 private:
  sqlite3_stmt* stmt_ = nullptr;
  int code_ = SQLITE_OK;
};

inline Outcome run(sqlite3* db, const std::string& sql) {
  Outcome outcome;
  const char* rest = sql.c_str();
  while (*rest != '\0') {
    sqlite3_stmt* stmt = nullptr;
    int rc = sqlite3_prepare_v2(db, rest, -1, &stmt, &rest);
    while (rc == SQLITE_OK && stmt != nullptr && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
      if (!outcome.rows.empty()) outcome.rows += '\n';
      for (int i = 0; i < sqlite3_column_count(stmt); ++i) {
        if (i > 0) outcome.rows += '|';
        const unsigned char* text = sqlite3_column_text(stmt, i);
        outcome.rows += text == nullptr ? "NULL" : reinterpret_cast<const char*>(text);
      }
      rc = SQLITE_OK;
    }
    if (rc != SQLITE_OK && rc != SQLITE_DONE) {
      outcome.code = sqlite3_extended_errcode(db);
      outcome.message = sqlite3_errmsg(db);
      sqlite3_finalize(stmt);
      return outcome;
    }
    sqlite3_finalize(stmt);
  }
  return outcome;
}

/// The bytes of a database.
struct Image {
  std::string bytes;
};

/// One connection with evercore registered, closed with sqlite3_close at the end.
class Database {
 public:
  enum class Store { migrated, none };

  explicit Database(const std::string& path = ":memory:", Store store = Store::migrated,
                    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) {
    if (sqlite3_open_v2(path.c_str(), &db_, flags, nullptr) != SQLITE_OK) {
      throw std::runtime_error(sqlite3_errmsg(db_));
    }
    sqlite3_extended_result_codes(db_, 0);
    sqlite3_busy_timeout(db_, 5000);
    if (sqlite3_evercore_init(db_, nullptr, nullptr) != SQLITE_OK) {
      throw std::runtime_error("evercore does not load");
    }
    if (store == Store::migrated) must("SELECT evercore_migrate()");
  }
  /// In memory, on a copy of `image`.
  explicit Database(const Image& image) {
    if (sqlite3_open(":memory:", &db_) != SQLITE_OK) throw std::runtime_error("does not open");
    const std::size_t size = image.bytes.size();
    auto* copy = static_cast<unsigned char*>(sqlite3_malloc64(size));
    std::copy(image.bytes.begin(), image.bytes.end(), copy);
    sqlite3_deserialize(db_, "main", copy, static_cast<sqlite3_int64>(size),
                        static_cast<sqlite3_int64>(size),
                        SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
    sqlite3_evercore_init(db_, nullptr, nullptr);
  }
  ~Database() { sqlite3_close(db_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[nodiscard]] sqlite3* handle() const { return db_; }
  [[nodiscard]] Image image() const {
    sqlite3_int64 size = 0;
    unsigned char* bytes = sqlite3_serialize(db_, "main", &size, 0);
    Image copy{std::string(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size))};
    sqlite3_free(bytes);
    return copy;
  }
  Outcome run(const std::string& sql) { return evercore::test::run(db_, sql); }
  /// The rows of a text that has to work.
  std::string must(const std::string& sql) {
    Outcome outcome = run(sql);
    if (!outcome.ok()) throw std::runtime_error(outcome.message + "\n  in: " + sql);
    return outcome.rows;
  }
  /// The message of a text that has to fail; empty where it did not.
  std::string fails(const std::string& sql) {
    const Outcome outcome = run(sql);
    return outcome.ok() ? std::string() : outcome.message;
  }
  [[nodiscard]] std::int64_t count(const std::string& from) {
    return std::stoll(must("SELECT count(*) FROM " + from));
  }
  [[nodiscard]] std::int64_t events() { return count("evercore_log"); }
  [[nodiscard]] bool autocommit() const { return sqlite3_get_autocommit(db_) != 0; }
  /// Closes now; what sqlite3_close says.
  int close() {
    const int rc = sqlite3_close(db_);
    if (rc == SQLITE_OK) db_ = nullptr;
    return rc;
  }

 private:
  sqlite3* db_ = nullptr;
};

/// A call that appends {"n":n} to aggregate 1.
inline std::string append_call(const std::string& id = "1", const std::string& expected = "NULL",
                               const std::string& data = "{\"n\":1}",
                               const std::string& type = "Added") {
  return "evercore_append(" + id + ", " + expected + ", '" + type + "', '" + data + "')";
}

}  // namespace evercore::test
