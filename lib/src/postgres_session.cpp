#include "postgres_session.h"

#include <poll.h>

#include <algorithm>
#include <charconv>

#include "evercore/error.h"

namespace evercore::detail {

namespace {

constexpr Oid oid_int8 = 20;
constexpr Oid oid_text = 25;
constexpr Oid oid_jsonb = 3802;
constexpr std::chrono::seconds epoch_2000{946'684'800};

constexpr Statement begin_reading{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ""};
constexpr Statement hold_all_declarations{"SELECT {}_evercore_hold_declarations($1)", "t"};
// Whatever the database's default: above READ COMMITTED appends ask for retries.
constexpr Statement begin_writing{"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", ""};
constexpr Statement commit_transaction{"COMMIT", ""};
constexpr Statement rollback_transaction{"ROLLBACK", ""};
constexpr Statement savepoint{"SAVEPOINT evercore_command", ""};
constexpr Statement release_savepoint{"RELEASE SAVEPOINT evercore_command", ""};
constexpr Statement rollback_to_savepoint{"ROLLBACK TO SAVEPOINT evercore_command", ""};
constexpr Statement about_session{
    "SELECT pg_catalog.pg_backend_pid()::bigint,"
    " (pg_catalog.current_setting('default_transaction_isolation') LIKE 'read %')::int::bigint",
    ""};
constexpr const char* read_committed =
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED";

// Results come in binary: they do not depend on the session's settings then, which a pooler may
// have changed.
class PostgresRow final : public Row {
 public:
  PostgresRow(const PGresult* result, int row) : result_(result), row_(row) {}
  bool is_null(int column) const override { return PQgetisnull(result_, row_, column) != 0; }
  std::int64_t integer(int column) const override {
    const auto* bytes = reinterpret_cast<const unsigned char*>(PQgetvalue(result_, row_, column));
    const int size = PQgetlength(result_, row_, column);
    std::uint64_t value = size > 0 && (bytes[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (int i = 0; i < size; ++i) value = value << 8 | bytes[i];
    return static_cast<std::int64_t>(value);
  }
  std::string_view text(int column) const override {
    std::string_view bytes(PQgetvalue(result_, row_, column),
                           static_cast<std::size_t>(PQgetlength(result_, row_, column)));
    if (PQftype(result_, column) == oid_jsonb && !bytes.empty()) bytes.remove_prefix(1);
    return bytes;
  }
  Time time(int column) const override {
    return Time{std::chrono::microseconds{integer(column)} + epoch_2000};
  }

 private:
  const PGresult* result_;
  int row_;
};

// The server says 08P01, too, of a statement with another number of parameters than it takes: it goes on
// then. A pooler ends the connection with it.
bool means_lost(std::string_view code, std::string_view severity) noexcept {
  if (code == "08P01") return severity != "ERROR";
  return code.starts_with("08") || code == "57P01" || code == "57P02" || code == "57P03";
}

// What is not there when nobody has installed a store: its functions, or its schema.
bool means_no_store(std::string_view code, std::string_view message, std::string_view schema) {
  if (code == "42883") return message.find("evercore_") != message.npos;
  return code == "3F000" && message.find(schema) != message.npos;
}

// Equal names are equal texts: behind a pooler another client may have prepared the statement
// already.
std::string name_for(std::string_view sql) {
  return "evercore_" + fingerprint(sql);
}

std::string without(std::string text, const std::string& secret) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (secret.empty()) return text;
  for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at + 3)) {
    text.replace(at, secret.size(), "***");
  }
  return text;
}

}  // namespace

std::string fingerprint(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  char digits[20];
  return {digits, std::to_chars(digits, digits + sizeof digits, hash, 16).ptr};
}

std::string quote_identifier(std::string_view name) {
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out += '"';
}

PostgresSession::PostgresSession(const PostgresOptions& options) {
  // libpq's own message about a URI it cannot read may quote pieces of it, a password's too.
  char* message = nullptr;
  PQconninfoOption* parsed = PQconninfoParse(options.conninfo.c_str(), &message);
  PQfreemem(message);
  if (parsed == nullptr) throw argument_error("EV009: the postgres URI cannot be read");
  PQconninfoFree(parsed);

  const char* keys[] = {"dbname", "client_encoding", "fallback_application_name", nullptr};
  const char* values[] = {options.conninfo.c_str(), "UTF8", "evercore", nullptr};
  connection_ = PQconnectdbParams(keys, values, 1);
  if (connection_ == nullptr) throw std::bad_alloc();
  if (const char* password = PQpass(connection_)) password_ = password;
  if (PQstatus(connection_) != CONNECTION_OK) {
    const std::string text = without(PQerrorMessage(connection_), password_);
    PQfinish(connection_);
    throw connection_error("cannot connect to " + options.shown + ": " + text, "08001", false);
  }
  PQsetNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);
  try {
    prefix_ = quote_identifier(options.schema) + '.';
    use_prepared_ = false;
    const bool follows = look_around();
    use_prepared_ = options.prepared.value_or(!pooled_);
    // Following needs it. Behind a pooler the setting would become that of others.
    if (!follows && !pooled_) execute_script(read_committed);
  } catch (...) {
    PQfinish(connection_);
    throw;
  }
}

PostgresSession::~PostgresSession() {
  PQfinish(connection_);
}

// Learns whether the session is pooled: a pooler hands out process ids of its own making, so ours is
// not that of the server process we talk to. Gives whether single statements see late commits.
bool PostgresSession::look_around() {
  bool follows = true;
  auto sink = [&](const Row& row) {
    pooled_ = row.integer(0) != PQbackendPID(connection_);
    follows = row.integer(1) != 0;
  };
  const Command command(about_session, {}, sink);
  exchange({&command});
  return follows;
}

bool PostgresSession::alive() noexcept {
  if (PQstatus(connection_) != CONNECTION_OK) return false;
  pollfd socket{PQsocket(connection_), POLLIN, 0};
  // What lies there unasked is mostly a last word of the server's, and behind it the end of the connection.
  while (poll(&socket, 1, 0) != 0) {
    if (PQconsumeInput(connection_) == 0 || PQstatus(connection_) != CONNECTION_OK) return false;
  }
  return true;
}

bool PostgresSession::take_notifications() {
  if (PQconsumeInput(connection_) == 0) fail_lost();
  bool any = false;
  while (PGnotify* notification = PQnotifies(connection_)) {
    any = any || notification->be_pid != PQbackendPID(connection_);
    PQfreemem(notification);
  }
  return any;
}

void PostgresSession::begin(State state) {
  state_ = state;
  begun_ = false;
}

void PostgresSession::rollback() noexcept {
  if (begun_) owes_end_ = true;
  begun_ = false;
  state_ = State::idle;
}

bool PostgresSession::finish() noexcept {
  rollback();
  if (PQstatus(connection_) != CONNECTION_OK) return false;
  if (!owes_end_) return true;
  const ResultHandle result(PQexec(connection_, "ROLLBACK"));
  owes_end_ = PQresultStatus(result.get()) != PGRES_COMMAND_OK;
  return !owes_end_;
}

void PostgresSession::run(std::span<const Command> commands) {
  const Command end(rollback_transaction, {}), save(savepoint, {}), release(release_savepoint, {});
  const Command start(state_ == State::reading ? begin_reading : begin_writing, {});
  std::vector<const Command*> all;
  all.reserve(commands.size() + 3);
  if (owes_end_) all.push_back(&end);
  const bool first = state_ != State::idle && !begun_;
  const bool guarded = state_ != State::idle && begun_;
  if (first) all.push_back(&start);
  if (guarded) all.push_back(&save);
  for (const Command& command : commands) all.push_back(&command);
  if (guarded) all.push_back(&release);
  try {
    exchange(all);
  } catch (...) {
    // The transaction is where it was before: nothing seen yet, or at the savepoint.
    if (first) owes_end_ = true;
    if (guarded && PQtransactionStatus(connection_) == PQTRANS_INERROR) {
      const Command back(rollback_to_savepoint, {});
      exchange({&back, &release});
    }
    throw;
  }
  begun_ = begun_ || first;
}

void PostgresSession::commit(std::span<const Command> commands) {
  const Command end(rollback_transaction, {}), finish(commit_transaction, {});
  const Command start(begin_writing, {});
  std::vector<const Command*> all;
  all.reserve(commands.size() + 3);
  if (owes_end_) all.push_back(&end);
  if (!begun_) all.push_back(&start);
  for (const Command& command : commands) all.push_back(&command);
  all.push_back(&finish);
  committing_ = true;
  try {
    exchange(all);
  } catch (...) {
    committing_ = false;
    begun_ = true;
    rollback();
    throw;
  }
  committing_ = false;
  begun_ = false;
  state_ = State::idle;
}

std::optional<Command> PostgresSession::hold_declarations(
    std::optional<std::string_view> type) const {
  return Command(hold_all_declarations, {type ? Parameter(*type) : Parameter()});
}

void PostgresSession::write(std::span<const Command> commands) {
  rollback();
  if (commands.size() != 1) return commit(commands);
  committing_ = true;
  try {
    run(commands);
  } catch (...) {
    committing_ = false;
    throw;
  }
  committing_ = false;
}

void PostgresSession::execute_script(const std::string& script) {
  const ResultHandle result(PQexec(connection_, script.c_str()));
  const auto status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return;
  const ResultHandle undone(PQexec(connection_, "ROLLBACK"));
  fail(result.get());
}

const std::string& PostgresSession::text_of(const Statement& statement) {
  if (statement.foreign) return foreign_ = statement.sql;
  Text& text = texts_[statement.sql];
  if (text.sql.empty()) {
    text.sql = statement.sql;
    for (auto at = text.sql.find("{}"); at != text.sql.npos;
         at = text.sql.find("{}", at + prefix_.size())) {
      text.sql.replace(at, 2, prefix_);
    }
    text.name = name_for(text.sql);
  }
  return text.sql;
}

void PostgresSession::send_prepare(const Command& command) {
  const std::string& sql = text_of(command.statement());
  std::array<Oid, Command::max_parameters> types{};
  int count = 0;
  for (const char* type = command.statement().types; *type != '\0'; ++type) {
    types[static_cast<std::size_t>(count++)] = *type == 'i' ? oid_int8 : oid_text;
  }
  const std::string& name = texts_[command.statement().sql].name;
  if (PQsendPrepare(connection_, name.c_str(), sql.c_str(), count, types.data()) == 0) fail_lost();
}

void PostgresSession::send(const Command& command) {
  const bool foreign = command.statement().foreign;
  const std::string& sql = text_of(command.statement());
  constexpr std::size_t most = Command::max_parameters;
  std::array<Oid, most> types{};
  std::array<const char*, most> values{};
  std::array<std::array<char, 24>, most> numbers{};
  std::array<std::string, most> texts;
  std::size_t count = 0;
  for (const Parameter& parameter : command.parameters()) {
    if (!foreign) types[count] = command.statement().types[count] == 'i' ? oid_int8 : oid_text;
    if (parameter.kind() == Parameter::Kind::integer) {
      auto& digits = numbers[count];
      *std::to_chars(digits.data(), digits.data() + digits.size() - 1, parameter.integer()).ptr =
          '\0';
      values[count] = digits.data();
    } else if (parameter.kind() == Parameter::Kind::text) {
      if (parameter.text().find('\0') != std::string_view::npos) {
        throw payload_error("22021: a text parameter holds a NUL", "22021");
      }
      texts[count] = parameter.text();
      values[count] = texts[count].c_str();
    }
    ++count;
  }
  const int size = static_cast<int>(count);
  const int sent =
      use_prepared_ && !foreign
          ? PQsendQueryPrepared(connection_, texts_[command.statement().sql].name.c_str(), size,
                                values.data(), nullptr, nullptr, 1)
          : PQsendQueryParams(connection_, sql.c_str(), size, types.data(), values.data(), nullptr,
                              nullptr, 1);
  if (sent == 0) fail_lost();
}

void PostgresSession::send_all(const std::vector<const Command*>& commands,
                               const std::vector<Text*>& fresh, bool pipelined) {
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (fresh[i] != nullptr) send_prepare(*commands[i]);
    send(*commands[i]);
  }
  if (pipelined && PQpipelineSync(connection_) == 0) fail_lost();
}

// The result of the next statement sent; keeps the first error in `fault`.
ResultHandle PostgresSession::receive(ResultHandle& fault) {
  ResultHandle result;
  while (PGresult* next = PQgetResult(connection_)) {
    result.reset(next);
    const auto status = PQresultStatus(next);
    if (status == PGRES_PIPELINE_SYNC) return result;
    if (status == PGRES_FATAL_ERROR && !fault) fault.swap(result);
    if (PQstatus(connection_) != CONNECTION_OK) break;
  }
  return result;
}

// Lets the server answer what went before a command that cannot be sent. What it has prepared, it has.
void PostgresSession::take_back(const std::vector<Text*>& fresh) {
  PQpipelineSync(connection_);
  ResultHandle ignored, result;
  const auto ended = [&] {
    result = receive(ignored);
    return !result || PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC;
  };
  for (Text* text : fresh) {
    if (text != nullptr) {
      if (ended()) break;
      text->prepared = PQresultStatus(result.get()) == PGRES_COMMAND_OK;
    }
    if (ended()) break;
  }
  PQexitPipelineMode(connection_);
}

void PostgresSession::exchange(const std::vector<const Command*>& commands) {
  bool pipelined = commands.size() > 1;
  std::vector<Text*> fresh(commands.size(), nullptr);
  if (use_prepared_) {
    for (std::size_t i = 0; i < commands.size(); ++i) {
      if (commands[i]->statement().foreign) continue;
      text_of(commands[i]->statement());
      Text& text = texts_[commands[i]->statement().sql];
      if (text.prepared || std::find(fresh.begin(), fresh.end(), &text) != fresh.end()) continue;
      fresh[i] = &text;
      pipelined = true;
    }
  }
  if (pipelined && PQenterPipelineMode(connection_) == 0) fail_lost();
  try {
    send_all(commands, fresh, pipelined);
  } catch (const connection_error&) {
    throw;
  } catch (...) {
    // A parameter that cannot be sent.
    if (pipelined) take_back(fresh);
    throw;
  }
  ResultHandle fault;
  std::vector<ResultHandle> results;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (fresh[i] != nullptr) {
      const ResultHandle prepared = receive(fault);
      if (PQresultStatus(prepared.get()) == PGRES_COMMAND_OK) fresh[i]->prepared = true;
    }
    results.push_back(receive(fault));
    if (PQstatus(connection_) != CONNECTION_OK) break;
  }
  if (pipelined && PQstatus(connection_) == CONNECTION_OK) {
    ResultHandle sync = receive(fault);
    while (sync && PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) sync = receive(fault);
    PQexitPipelineMode(connection_);
  }
  if (fault) fail(fault.get());
  if (PQstatus(connection_) != CONNECTION_OK) fail_lost();
  owes_end_ = false;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const int rows = PQntuples(results[i].get());
    for (int row = 0; row < rows; ++row) {
      commands[i]->rows()(PostgresRow(results[i].get(), row));
    }
  }
}

void PostgresSession::fail_lost() {
  throw connection_error(
      "the connection to the server was lost: " + without(PQerrorMessage(connection_), password_),
      "08006", committing_);
}

void PostgresSession::fail(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string code = state != nullptr ? state : "";
  const char* severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (code.empty() || means_lost(code, severity != nullptr ? severity : "") ||
      PQstatus(connection_) != CONNECTION_OK) {
    const std::string text =
        without(primary != nullptr ? primary : PQerrorMessage(connection_), password_);
    throw connection_error("the connection to the server was lost: " + text,
                           code.empty() ? "08006" : code, committing_);
  }
  const std::string message = primary != nullptr ? primary : "";
  if (means_no_store(code, message, {prefix_.data(), prefix_.size() - 1})) {
    throw migration_error(
        "EV008: there is no store in this schema of the database (" + message + ")", "EV008");
  }
  if (!leading_code(message).empty()) throw_coded(message, leading_code(message));
  throw_coded(code + ": " + message, code);
}

}  // namespace evercore::detail
