#include "append_batch.h"

#include <algorithm>
#include <utility>

#include "error.h"
#include "event_row.h"
#include "head.h"

namespace evercore::ext {

namespace {

constexpr std::size_t most_rows = 10'000;

/// The rows of a batch. Its texts outlive the statement.
class StagedRows : public Rows {
 public:
  explicit StagedRows(Batch& batch) : batch_(batch) {}
  bool next() override { return ++row_ < batch_.rows().size(); }
  [[nodiscard]] std::int64_t rowid() const override { return static_cast<std::int64_t>(row_); }

  void column(sqlite3_context* context, int column) override {
    batch_.note_cell();
    const Batch::Row& row = batch_.rows()[row_];
    const NewEvent& event = *row.event;
    switch (column + 1) {
      case written_aggregate_id:
        return sqlite3_result_int64(context, row.aggregate_id);
      case written_sequence:
        return sqlite3_result_int64(context, row.place.sequence);
      case written_type_id:
        return sqlite3_result_int64(context, row.place.type_id);
      case written_event_time:
        return sqlite3_result_int64(context, event.event_time.value_or(row.recorded_at));
      case written_data:
        return give(context, event.data);
      case written_recorded_at:
        if (event.event_time) sqlite3_result_int64(context, row.recorded_at);
        return;
      case written_reference:
        return give(context, event.reference);
      case written_metadata:
        return give(context, event.metadata);
      case written_tags:
        if (event.tags != nullptr) give(context, event.tags->text);
        return;
      case written_declared_tags:
        if (event.tags == nullptr || event.tags->declared == 0) return;
        return sqlite3_result_int64(context, static_cast<std::int64_t>(event.tags->declared));
      default:
        return;
    }
  }

 private:
  static void give(sqlite3_context* context, std::optional<std::string_view> text) {
    if (!text) return;
    sqlite3_result_text64(context, text->data() == nullptr ? "" : text->data(), text->size(),
                          SQLITE_STATIC, SQLITE_UTF8);
  }

  Batch& batch_;
  std::size_t row_ = std::size_t{0} - 1;
};

/// No rows where the schema changed since the INSERT was prepared: perhaps a trigger came.
std::unique_ptr<Rows> open_staged(Connection& connection, const TableArguments&) {
  const Statement* insert = connection.inserting;
  if (connection.staged == nullptr || insert == nullptr || insert->was_reprepared()) return nullptr;
  return std::make_unique<StagedRows>(*connection.staged);
}

std::size_t size_of(const NewEvent& event) {
  return event.data.size() + event.metadata.value_or("").size() +
         event.reference.value_or("").size() +
         (event.tags == nullptr ? 0 : event.tags->text.size());
}

#define INSERT_STAGED(columns)                          \
  "INSERT OR IGNORE INTO main.evercore_event (" columns \
  ")"                                                   \
  " SELECT " columns " FROM main._evercore_staged"

/// As for one event, see insert_ignoring in append.cpp. Columns that no event fills are not copied.
constexpr Sql insert_leading = INSERT_STAGED(EVERCORE_LEADING_NAMES);
constexpr Sql insert_beside = INSERT_STAGED(EVERCORE_NAMES_BESIDE);
constexpr Sql insert_to_tags = INSERT_STAGED(EVERCORE_NAMES_TO_TAGS);

Written last_filled(const NewEvent& event) {
  if (event.tags != nullptr) return written_declared_tags;
  return event.event_time || event.reference || event.metadata ? written_metadata : written_data;
}

std::optional<Statement> prepare_insert(Connection& connection, Written last) {
  try {
    return connection.prepare_ignoring(last == written_data       ? insert_leading
                                       : last == written_metadata ? insert_beside
                                                                  : insert_to_tags);
  } catch (const Error& failure) {
    // An authorizer may not know the table. Where the disk fails, SQLite may have rolled the transaction
    // back: another INSERT would then commit by itself.
    const int code = failure.sqlite_code & 0xff;
    if (code != SQLITE_AUTH && code != SQLITE_ERROR) throw;
    return std::nullopt;
  }
}

}  // namespace

bool Batch::holds(const NewEvent& event) {
  return size_of(event) <= most_bytes;
}

std::int64_t Batch::add(std::int64_t aggregate_id, const Place& place, const NewEvent& event,
                        std::int64_t recorded_at) {
  const std::size_t bytes = size_of(event);
  if (rows_.size() >= most_rows || bytes_ + bytes > most_bytes) write();
  if (rows_.empty()) head_ = head_position(connection_);
  last_ = std::max(last_, last_filled(event));
  rows_.push_back(Row{aggregate_id, place, recorded_at, &event});
  bytes_ += bytes;
  return head_ + static_cast<std::int64_t>(rows_.size());
}

void Batch::write() {
  if (rows_.empty()) return;
  auto prepared = prepare_insert(connection_, last_);
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
      cells_ != count * last_) {
    throw Refused{};
  }
  if (connection_.transaction.note_head()) note_append(connection_, head_ + 1);
  std::int64_t position = head_;
  for (const Row& row : rows_) {
    ++position;
    if (row.event->tags == nullptr) continue;
    index_tags(connection_, *row.event->tags, row.place.type_id, position);
  }
  rows_.clear();
  bytes_ = 0;
  last_ = written_data;
}

const TableFunction staged_table = {"_evercore_staged",
                                    "CREATE TABLE x(" EVERCORE_NAMES_TO_TAGS ")",
                                    written_declared_tags,
                                    0,
                                    0,
                                    -1,
                                    open_staged};

}  // namespace evercore::ext
