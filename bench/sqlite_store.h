// A store in a SQLite file for the benchmarks: WAL, synchronous=NORMAL, the extension linked in.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace bench {

struct CloseStatement {
  void operator()(sqlite3_stmt* stmt) const { sqlite3_finalize(stmt); }
};
using Stmt = std::unique_ptr<sqlite3_stmt, CloseStatement>;

/// Dies with a message when a call fails: a benchmark that errs measures nothing.
class Store {
 public:
  /// A new, migrated file in a temporary directory, removed by the destructor.
  /// `extension`: a file to load in place of what is linked in.
  explicit Store(const std::string& name, const char* extension = nullptr);
  /// A new file without evercore, for tables written by hand.
  static Store by_hand(const std::string& name);
  /// A file that another process made, and removes.
  static Store of_another(const std::string& path);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  void run(const std::string& sql) const;
  [[nodiscard]] Stmt prepare(const std::string& sql) const;
  [[nodiscard]] std::int64_t integer(const std::string& sql) const;
  [[nodiscard]] std::int64_t file_size() const;  ///< after a checkpoint
  [[nodiscard]] sqlite3* db() const { return db_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  /// Aggregates 1 … `count` of type User, keys key1 …, and event type Changed with id 1.
  void add_aggregates(int count) const;

 private:
  enum class Content { evercore, by_hand, of_another };
  Store(std::string path, Content content, const char* extension);

  std::string path_;
  bool kept_;
  sqlite3* db_ = nullptr;
};

/// Steps to the end, reading every column as its own type; gives the number of rows.
std::int64_t read_all(sqlite3_stmt* stmt);
/// Steps a statement that gives at most one row, and resets it.
void step_once(sqlite3_stmt* stmt);

/// An event's data of 120 bytes whose values differ with `number`.
[[nodiscard]] std::string payload(std::int64_t number);

}  // namespace bench
