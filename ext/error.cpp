#include "error.h"

#include <new>

namespace evercore::ext {

namespace {

std::string id_text(std::int64_t id) {
  return std::to_string(id);
}

const char* hint(int result_code) {
  switch (result_code) {
    case SQLITE_BUSY_SNAPSHOT:
      return ": this transaction reads a snapshot older than another connection's commit; "
             "ROLLBACK, then begin with BEGIN IMMEDIATE";
    case SQLITE_BUSY:
      return ": another connection writes; set PRAGMA busy_timeout, and begin a transaction that "
             "will write with BEGIN IMMEDIATE, or call without FROM";
    case SQLITE_READONLY:
      return ": this connection may not write here (opened read-only, PRAGMA query_only, or rights "
             "of the file)";
    case SQLITE_FULL:
      return ": nothing was written; free space and call again";
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
      return ": if it is the directory of temporary files that cannot be used, PRAGMA temp_store = "
             "MEMORY does without; otherwise look at the database's own directory and disk";
    default:
      return "";
  }
}

}  // namespace

Error error(int number, std::string_view text) {
  const ErrorCode& row = error_codes[number - 1];
  std::string message = row.code;
  message += ": ";
  message += text;
  return Error{std::move(message), row.sqlite_code, row.row_fault, static_cast<Code>(number)};
}

Error engine_error(sqlite3* db, int result_code) {
  if ((result_code & 0xff) == SQLITE_NOMEM) throw std::bad_alloc();
  std::string text = sqlite3_errmsg(db);
  if ((result_code & 0xff) == SQLITE_ERROR) {
    // Statements say which index they go by (INDEXED BY): it may be gone, or another one of its name.
    constexpr std::string_view no_index = "no such index: ";
    if (text.starts_with(no_index)) {
      return error(
          10, "index " + text.substr(no_index.size()) + " is missing: evercore_migrate() makes it");
    }
    if (text == "no query solution") {
      return error(10,
                   "an index of the store is different: evercore_check() names it,"
                   " evercore_migrate() makes it anew");
    }
  }
  const int code = sqlite3_extended_errcode(db);
  const int known = (code & 0xff) == (result_code & 0xff) ? code : result_code;
  text += hint(known == SQLITE_BUSY_SNAPSHOT ? known : known & 0xff);
  return Error{std::move(text), known, false};
}

Error lost_transaction() {
  return Error{"the transaction was rolled back, since the disk failed", SQLITE_ABORT_ROLLBACK};
}

Error conflict(std::int64_t aggregate_id, std::int64_t actual, std::int64_t expected) {
  return error(1, "conflict: aggregate " + id_text(aggregate_id) + " is at sequence " +
                      id_text(actual) + ", expected " + id_text(expected));
}

Error null_aggregate() {
  return error(2, "aggregate id is NULL: evercore_find found none");
}

Error no_aggregate(std::int64_t aggregate_id) {
  return error(2, "no aggregate " + id_text(aggregate_id));
}

Error erased_aggregate(std::int64_t aggregate_id) {
  return error(2, "aggregate " + id_text(aggregate_id) + " was erased");
}

Error no_sequence(std::int64_t aggregate_id, std::int64_t sequence, std::int64_t version) {
  return error(2, "aggregate " + id_text(aggregate_id) + " has no sequence " + id_text(sequence) +
                      ": it is at " + id_text(version));
}

Error compacted_sequence(std::int64_t aggregate_id, std::int64_t sequence, std::int64_t oldest) {
  return error(2, "sequence " + id_text(sequence) + " of aggregate " + id_text(aggregate_id) +
                      " was compacted: the oldest that can be read is " + id_text(oldest));
}

Error key_taken(std::string_view aggregate_type, std::string_view natural_key) {
  std::string text = "natural key \"";
  text.append(natural_key).append("\" is taken in aggregate type \"");
  text.append(aggregate_type).append("\"");
  return error(3, text);
}

Error damaged(const std::string& what) {
  return error(10, what + " is damaged: evercore_check() names the place");
}

Error out_of_range(std::string_view argument, std::int64_t value) {
  return error(9, std::string(argument) + " is out of range: " + id_text(value));
}

}  // namespace evercore::ext
