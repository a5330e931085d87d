#include "head.h"

#include <algorithm>

#include "connection.h"
#include "error.h"

namespace evercore::ext {

namespace {

/// 0 where the file cannot say: then nothing is remembered from one look to the next.
unsigned data_version(sqlite3* db) {
  unsigned version = 0;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_DATA_VERSION, &version);
  return version;
}

/// Whether another connection shares this one's cache: memory of its own and memory by share differ
/// then, and there alone.
bool shares_cache(sqlite3* db) {
  int own = 0;
  int share = 0;
  int unused = 0;
  sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_USED, &own, &unused, 0);
  sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_USED_SHARED, &share, &unused, 0);
  return own != share;
}

void refuse_dirty_reads(Connection& connection) {
  if (!shares_cache(connection.db())) return;
  // Not kept: SQLite answers this pragma when it prepares it.
  Statement pragma = connection.prepare_once("PRAGMA read_uncommitted");
  if (!pragma.step() || pragma.integer(0) == 0) return;
  throw error(
      10,
      "with PRAGMA read_uncommitted in a shared cache a follower would read events that may "
      "never be committed");
}

}  // namespace

std::int64_t head_position(Connection& connection) {
  Statement head =
      connection.prepare("SELECT coalesce(max(position), 0) FROM main.evercore_event NOT INDEXED");
  head.step();
  return head.integer(0);
}

Head load_head(Connection& connection) {
  refuse_dirty_reads(connection);
  const std::int64_t newest = head_position(connection);
  const unsigned version = data_version(connection.db());
  CommittedHead& remembered = connection.committed_head;
  const bool writing = sqlite3_txn_state(connection.db(), "main") == SQLITE_TXN_WRITE;
  if (writing && remembered.known && remembered.data_version == version) {
    return {newest, std::min(newest, remembered.position)};
  }
  remembered = {true, version, newest};
  return {newest, newest};
}

void note_head(Connection& connection) {
  const std::int64_t newest = head_position(connection);
  note_append(connection, newest + 1);
}

void note_append(Connection& connection, std::int64_t position) {
  CommittedHead& remembered = connection.committed_head;
  const unsigned version = data_version(connection.db());
  if (remembered.known && remembered.data_version == version) return;
  remembered = {true, version, position - 1};
}

}  // namespace evercore::ext
