#include "sqlite_session.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <random>
#include <thread>

#include "evercore/error.h"
#include "ext/evercore.h"
#include "pool.h"

namespace evercore::detail {

namespace {

class SqliteRow final : public Row {
 public:
  explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}
  bool is_null(int column) const override {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  std::int64_t integer(int column) const override {
    return sqlite3_column_int64(statement_, column);
  }
  std::string_view text(int column) const override {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    if (bytes == nullptr) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  Time time(int column) const override {
    Time time{};
    if (!parse_time(text(column), time)) {
      throw engine_error("the store gave a time that cannot be read: " + std::string(text(column)),
                         {});
    }
    return time;
  }

 private:
  sqlite3_stmt* statement_;
};

// Resets a statement however its use ends: until then it holds locks.
struct Reset {
  sqlite3_stmt* statement;
  ~Reset() {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
};

std::string_view name_of(int result) noexcept {
  switch (result & 0xff) {
    case SQLITE_BUSY:
      return "SQLITE_BUSY";
    case SQLITE_LOCKED:
      return "SQLITE_LOCKED";
    case SQLITE_READONLY:
      return "SQLITE_READONLY";
    case SQLITE_INTERRUPT:
      return "SQLITE_INTERRUPT";
    case SQLITE_IOERR:
      return "SQLITE_IOERR";
    case SQLITE_CORRUPT:
      return "SQLITE_CORRUPT";
    case SQLITE_FULL:
      return "SQLITE_FULL";
    case SQLITE_CANTOPEN:
      return "SQLITE_CANTOPEN";
    case SQLITE_CONSTRAINT:
      return "SQLITE_CONSTRAINT";
    case SQLITE_NOTADB:
      return "SQLITE_NOTADB";
    case SQLITE_TOOBIG:
      return "SQLITE_TOOBIG";
    case SQLITE_MISUSE:
      return "SQLITE_MISUSE";
    default:
      return "SQLITE_ERROR";
  }
}

void bind(sqlite3_stmt* statement, int index, const Parameter& parameter) {
  switch (parameter.kind()) {
    case Parameter::Kind::null:
      break;  // as the bindings are after clearing
    case Parameter::Kind::integer:
      sqlite3_bind_int64(statement, index, parameter.integer());
      break;
    case Parameter::Kind::text: {
      const std::string_view text = parameter.text();
      // A null pointer would bind NULL, and an empty view may hold one.
      sqlite3_bind_text64(statement, index, text.data() == nullptr ? "" : text.data(), text.size(),
                          SQLITE_STATIC, SQLITE_UTF8);
      break;
    }
  }
}

}  // namespace

SqliteSession::SqliteSession(const SqliteOptions& options, WriterGate* gate)
    : gate_(gate), busy_timeout_(options.busy_timeout) {
  try {
    open(options);
  } catch (...) {
    end();
    throw;
  }
}

SqliteSession::~SqliteSession() {
  rollback();
  end();
}

void SqliteSession::end() noexcept {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  statements_.clear();
  sqlite3_close_v2(db_);
  db_ = nullptr;
}

void SqliteSession::open(const SqliteOptions& options) {
  const char* path = options.path.empty() ? ":memory:" : options.path.c_str();
  const int result = sqlite3_open_v2(
      path, &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (db_ == nullptr) throw std::bad_alloc();
  if (result != SQLITE_OK) fail(result);
  sqlite3_extended_result_codes(db_, 1);
  sqlite3_busy_handler(db_, &SqliteSession::wait_when_busy, this);
  char* message = nullptr;
  if (const int loaded = sqlite3_evercore_init(db_, &message, nullptr); loaded != SQLITE_OK) {
    const std::string text = message != nullptr ? message : sqlite3_errmsg(db_);
    sqlite3_free(message);
    throw_coded(text, name_of(loaded));
  }
  if (!options.path.empty()) set_pragma("journal_mode", options.journal_mode);
  execute(("PRAGMA synchronous=" + options.synchronous).c_str());
}

std::string SqliteSession::writable_file() const {
  const char* name = sqlite3_db_filename(db_, "main");
  if (name == nullptr || sqlite3_db_readonly(db_, "main") != 0) return {};
  std::error_code ignored;  // another VFS may keep the database elsewhere
  return std::filesystem::is_regular_file(name, ignored) ? name : "";
}

// Changing to WAL needs the file for itself and does not ask the busy handler: several processes
// that open a new file at once meet here.
void SqliteSession::set_pragma(const std::string& pragma, const std::string& expected) {
  const auto since = std::chrono::steady_clock::now();
  for (;;) {
    std::string found;
    const auto keep = [](void* out, int, char** values, char**) {
      *static_cast<std::string*>(out) = values[0] != nullptr ? values[0] : "";
      return 0;
    };
    const std::string sql = "PRAGMA " + pragma + "=" + expected;
    const int result = sqlite3_exec(db_, sql.c_str(), keep, &found, nullptr);
    if (result == SQLITE_OK && found == expected) return;
    const bool busy = (result & 0xff) == SQLITE_BUSY || result == SQLITE_OK;
    if (!busy || std::chrono::steady_clock::now() - since > busy_timeout_) {
      if (result != SQLITE_OK) fail(result);
      throw engine_error(pragma + " stayed " + found + " instead of " + expected, {});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
}

// SQLite's own handler sleeps up to 100 ms at a time and wakes a few callers far too late. Short
// random naps share the lock more evenly.
int SqliteSession::wait_when_busy(void* self, int attempt) {
  auto& session = *static_cast<SqliteSession*>(self);
  const auto now = std::chrono::steady_clock::now();
  if (attempt == 0) session.busy_since_ = now;
  if (now - session.busy_since_ >= session.busy_timeout_) return 0;
  thread_local std::minstd_rand random(thread_seed());
  const int longest = std::min(200 << std::min(attempt, 5), 5000);
  std::uniform_int_distribution<int> nap(50, longest);
  std::this_thread::sleep_for(std::chrono::microseconds{nap(random)});
  return 1;
}

void SqliteSession::fail(int result) const {
  if ((result & 0xff) == SQLITE_NOMEM) throw std::bad_alloc();
  const std::string message = sqlite3_errmsg(db_);
  const std::string_view code = leading_code(message);
  if (!code.empty()) throw_coded(message, code);
  throw_coded(std::string(name_of(result)) + ": " + message, name_of(result));
}

void SqliteSession::execute(const char* sql) {
  const int result = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) fail(result);
}

sqlite3_stmt* SqliteSession::prepared(const char* sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) return found->second;
  std::string text = sql;
  for (auto at = text.find("{}"); at != text.npos; at = text.find("{}", at)) text.erase(at, 2);
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v3(db_, text.c_str(), static_cast<int>(text.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (result != SQLITE_OK) fail(result);
  try {
    statements_.emplace(sql, statement);
  } catch (...) {
    sqlite3_finalize(statement);
    throw;
  }
  return statement;
}

// A text of the program's own: one statement, forgotten when it has run.
void SqliteSession::run_foreign(const Command& command) {
  const std::string_view sql = command.statement().sql;
  const char* rest = nullptr;
  sqlite3_stmt* statement = nullptr;
  if (sql.size() > std::numeric_limits<int>::max()) throw argument_error("EV009: sql is too long");
  const int result =
      sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), 0, &statement, &rest);
  if (result != SQLITE_OK) fail(result);
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> owner(statement, &sqlite3_finalize);
  if (statement == nullptr) throw argument_error("EV009: sql is empty");
  rest += std::strspn(rest, " \t\r\n;");
  if (*rest != '\0') throw argument_error("EV009: sql holds more than one statement");
  step(statement, command);
}

void SqliteSession::run_one(const Command& command) {
  if (command.statement().foreign) return run_foreign(command);
  sqlite3_stmt* statement = prepared(command.statement().sql);
  const Reset reset{statement};
  step(statement, command);
}

void SqliteSession::step(sqlite3_stmt* statement, const Command& command) {
  int index = 0;
  for (const Parameter& parameter : command.parameters()) bind(statement, ++index, parameter);
  const SqliteRow row(statement);
  int result;
  while ((result = sqlite3_step(statement)) == SQLITE_ROW) command.rows()(row);
  if (result != SQLITE_DONE) fail(result);
}

// Some failures (a full disk, I/O errors) make SQLite roll the transaction back by itself. What
// came after would be committed one by one.
void SqliteSession::require_transaction() const {
  if (state_ != State::idle && !in_transaction()) {
    throw engine_error("the engine has rolled the transaction back after an earlier error", {});
  }
}

void SqliteSession::begin_read() {
  run_one(Command({"BEGIN", ""}, {}));
  state_ = State::reading;
}

void SqliteSession::begin_write() {
  if (gate_ != nullptr) gate_->enter();
  try {
    run_one(Command({"BEGIN IMMEDIATE", ""}, {}));
  } catch (...) {
    if (gate_ != nullptr) gate_->leave();
    throw;
  }
  state_ = State::writing;
}

void SqliteSession::run(std::span<const Command> commands) {
  for (const Command& command : commands) {
    require_transaction();
    run_one(command);
  }
}

void SqliteSession::commit(std::span<const Command> commands) {
  try {
    run(commands);
    require_transaction();
    run_one(Command({"COMMIT", ""}, {}));
  } catch (...) {
    rollback();
    throw;
  }
  if (state_ == State::writing && gate_ != nullptr) gate_->leave();
  state_ = State::idle;
}

void SqliteSession::rollback() noexcept {
  if (state_ == State::idle) return;
  if (in_transaction()) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  if (state_ == State::writing && gate_ != nullptr) gate_->leave();
  state_ = State::idle;
}

}  // namespace evercore::detail
