#include "append_batch.h"

#include <new>
#include <utility>

#include "empty_table.h"
#include "error.h"
#include "head.h"
#include "time.h"

namespace evercore::ext {

namespace {

constexpr std::size_t most_rows = 10'000;

struct Staged {
  sqlite3_vtab base;
  Connection* connection;
};

struct StagedCursor {
  sqlite3_vtab_cursor base;
  Batch* batch;
  std::size_t row;
};

StagedCursor& cursor_of(sqlite3_vtab_cursor* cursor) {
  return *reinterpret_cast<StagedCursor*>(cursor);
}

const Batch::Row& row_of(sqlite3_vtab_cursor* cursor) {
  return cursor_of(cursor).batch->rows()[cursor_of(cursor).row];
}

int connect(sqlite3* db, void* user, int, const char* const*, sqlite3_vtab** out, char**) noexcept {
  int rc = sqlite3_declare_vtab(
      db,
      "CREATE TABLE x(aggregate_id, sequence, type_id, event_time, recorded_at, data, reference,"
      " metadata)");
  if (rc == SQLITE_OK) rc = sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
  if (rc != SQLITE_OK) return rc;
  Connection* connection = static_cast<std::shared_ptr<Connection>*>(user)->get();
  auto* staged = new (std::nothrow) Staged{{}, connection};
  if (staged == nullptr) return SQLITE_NOMEM;
  *out = &staged->base;
  return SQLITE_OK;
}

int disconnect(sqlite3_vtab* vtab) noexcept {
  delete reinterpret_cast<Staged*>(vtab);
  return SQLITE_OK;
}

int open(sqlite3_vtab*, sqlite3_vtab_cursor** out) noexcept {
  auto* cursor = new (std::nothrow) StagedCursor{{}, nullptr, 0};
  if (cursor == nullptr) return SQLITE_NOMEM;
  *out = &cursor->base;
  return SQLITE_OK;
}

int close(sqlite3_vtab_cursor* cursor) noexcept {
  delete &cursor_of(cursor);
  return SQLITE_OK;
}

/// No rows where the schema changed since the INSERT was prepared: perhaps a trigger came.
int filter(sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value**) noexcept {
  const Connection& connection = *reinterpret_cast<Staged*>(cursor->pVtab)->connection;
  const bool same = connection.inserting != nullptr && !connection.inserting->was_reprepared();
  cursor_of(cursor).batch = same ? connection.staged : nullptr;
  cursor_of(cursor).row = 0;
  return SQLITE_OK;
}

int next(sqlite3_vtab_cursor* cursor) noexcept {
  ++cursor_of(cursor).row;
  return SQLITE_OK;
}

int eof(sqlite3_vtab_cursor* cursor) noexcept {
  const StagedCursor& at = cursor_of(cursor);
  return at.batch == nullptr || at.row >= at.batch->rows().size() ? 1 : 0;
}

/// The texts outlive the statement.
void give(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text64(context, text.data() == nullptr ? "" : text.data(), text.size(),
                        SQLITE_STATIC, SQLITE_UTF8);
}

int column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int index) noexcept {
  const Batch::Row& row = row_of(cursor);
  const NewEvent& event = *row.event;
  cursor_of(cursor).batch->note_cell();
  switch (index) {
    case 0:
      sqlite3_result_int64(context, row.aggregate_id);
      break;
    case 1:
      sqlite3_result_int64(context, row.place.sequence);
      break;
    case 2:
      sqlite3_result_int64(context, row.place.type_id);
      break;
    case 3:
      sqlite3_result_int64(context, event.event_time.value_or(row.recorded_at));
      break;
    case 4:
      if (event.event_time) sqlite3_result_int64(context, row.recorded_at);
      break;
    case 5:
      give(context, event.data);
      break;
    case 6:
      if (event.reference) give(context, *event.reference);
      break;
    default:
      if (event.metadata) give(context, *event.metadata);
      break;
  }
  return SQLITE_OK;
}

int rowid(sqlite3_vtab_cursor* cursor, sqlite3_int64* out) noexcept {
  *out = static_cast<sqlite3_int64>(cursor_of(cursor).row);
  return SQLITE_OK;
}

constexpr sqlite3_module methods = [] {
  sqlite3_module module = empty_table::methods();
  module.xConnect = connect;
  module.xDisconnect = disconnect;
  module.xOpen = open;
  module.xClose = close;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  return module;
}();

void destroy(void* connection) {
  delete static_cast<std::shared_ptr<Connection>*>(connection);
}

std::size_t size_of(const NewEvent& event) {
  return event.data.size() + event.metadata.value_or("").size() +
         event.reference.value_or("").size();
}

#define INSERT_STAGED(columns)                          \
  "INSERT OR IGNORE INTO main.evercore_event (" columns \
  ")"                                                   \
  " SELECT " columns " FROM main._evercore_staged"

/// As for one event, see insert_ignoring in append.cpp. Columns that no event fills are not copied.
constexpr Sql insert_plain = INSERT_STAGED("aggregate_id, sequence, type_id, event_time, data");
constexpr Sql insert_all = INSERT_STAGED(
    "aggregate_id, sequence, type_id, event_time, data, recorded_at, reference, metadata");

constexpr std::int64_t plain_columns = 5, all_columns = 8;

bool is_plain(const NewEvent& event) {
  return !event.event_time && !event.reference && !event.metadata;
}

std::optional<Statement> prepare_insert(Connection& connection, bool plain) {
  try {
    return connection.prepare_ignoring(plain ? insert_plain : insert_all);
  } catch (const Error&) {
    return std::nullopt;  // an authorizer may not know the table
  }
}

}  // namespace

bool Batch::holds(const NewEvent& event) {
  return size_of(event) <= most_bytes;
}

std::int64_t Batch::add(std::int64_t aggregate_id, const Place& place, const NewEvent& event) {
  const std::size_t bytes = size_of(event);
  if (rows_.size() >= most_rows || bytes_ + bytes > most_bytes) write();
  if (rows_.empty()) head_ = head_position(connection_);
  plain_ = plain_ && is_plain(event);
  rows_.push_back(Row{aggregate_id, place, now(), &event});
  bytes_ += bytes;
  return head_ + static_cast<std::int64_t>(rows_.size());
}

void Batch::write() {
  if (rows_.empty()) return;
  auto prepared = prepare_insert(connection_, plain_);
  if (!prepared) throw Refused{};
  cells_ = 0;
  Statement& insert = *prepared;
  sqlite3* db = connection_.db();
  const auto count = static_cast<std::int64_t>(rows_.size());
  sqlite3_set_last_insert_rowid(db, 0);
  const Statement* outer = std::exchange(connection_.inserting, &insert);
  connection_.staged = this;
  const int rc = insert.try_run();
  connection_.staged = nullptr;
  connection_.inserting = outer;
  if (rc != SQLITE_DONE) {
    const Error failure = engine_error(db, rc);
    insert.reset();
    if ((rc & 0xff) == SQLITE_AUTH) throw Refused{};
    throw failure;
  }
  const std::int64_t last = head_ + count;
  if (sqlite3_changes64(db) != count || sqlite3_last_insert_rowid(db) != last ||
      cells_ != count * (plain_ ? plain_columns : all_columns)) {
    throw Refused{};
  }
  if (connection_.transaction.note_head()) note_append(connection_, head_ + 1);
  rows_.clear();
  bytes_ = 0;
  plain_ = true;
}

int register_staged_table(const std::shared_ptr<Connection>& connection) {
  auto* held = new (std::nothrow) std::shared_ptr<Connection>(connection);
  if (held == nullptr) return SQLITE_NOMEM;
  return sqlite3_create_module_v2(connection->db(), "_evercore_staged", &methods, held, destroy);
}

}  // namespace evercore::ext
