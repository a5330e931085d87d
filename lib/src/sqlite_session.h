// One connection to a SQLite store.
#ifndef EVERCORE_SRC_SQLITE_SESSION_H
#define EVERCORE_SRC_SQLITE_SESSION_H

#include <sqlite3.h>

#include <string>
#include <unordered_map>

#include "evercore/engine.h"
#include "uri.h"
#include "writer_gate.h"

namespace evercore::detail {

class SqliteSession final : public Session {
 public:
  // Opens the file, links the extension in and sets the pragmas. `gate` may be null: nobody else
  // writes then.
  SqliteSession(const SqliteOptions& options, WriterGate* gate);
  ~SqliteSession() override;
  SqliteSession(const SqliteSession&) = delete;
  SqliteSession& operator=(const SqliteSession&) = delete;

  void begin_read() override;
  void begin_write() override;
  using Session::run;
  void run(std::span<const Command> commands) override;
  void commit(std::span<const Command> commands) override;
  void rollback() noexcept override;

  // For group commit, which holds the gate itself.
  void execute(const char* sql);
  bool in_transaction() const noexcept { return sqlite3_get_autocommit(db_) == 0; }
  // The name in full of the file that is written to; empty where there is none, or only reading.
  std::string writable_file() const;

 private:
  enum class State { idle, reading, writing };

  void open(const SqliteOptions& options);
  void set_pragma(const std::string& pragma, const std::string& expected);
  sqlite3_stmt* prepared(const char* sql);
  void run_one(const Command& command);
  void run_foreign(const Command& command);
  void step(sqlite3_stmt* statement, const Command& command);
  void require_transaction() const;
  void end() noexcept;
  [[noreturn]] void fail(int result) const;
  static int wait_when_busy(void* self, int attempt);

  sqlite3* db_ = nullptr;
  WriterGate* gate_;
  State state_ = State::idle;
  std::chrono::milliseconds busy_timeout_;
  std::chrono::steady_clock::time_point busy_since_{};
  std::unordered_map<const char*, sqlite3_stmt*> statements_;  // by the address of their text
};

}  // namespace evercore::detail

#endif  // EVERCORE_SRC_SQLITE_SESSION_H
