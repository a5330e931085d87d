// evercore_restored: a copy that was restored goes on beyond what may have been given and lost.
#include <limits>

#include "error.h"
#include "function.h"
#include "head.h"
#include "maintenance.h"
#include "store.h"
#include "time.h"
#include "write.h"

namespace evercore::ext {

namespace {

constexpr std::int64_t jump = 1 << 20;

/// A placeholder, as compaction leaves one, keeps the position; older ones are of no use beside it.
void keep_position(Connection& connection, std::int64_t position) {
  Statement insert = connection.prepare(
      "INSERT INTO main.evercore_event (position, aggregate_id, sequence, type_id, event_time)"
      " VALUES (?1, 0, ?1, 0, ?2)");
  const Arrival arrival(connection.db());
  insert.bind(1, position).bind(2, now()).run();
  static_cast<void>(arrival.rowid());
  with_maintenance(connection, [&] {
    connection.prepare("DELETE FROM main.evercore_event WHERE aggregate_id = 0 AND position < ?1")
        .bind(1, position)
        .run();
  });
}

/// Of subscriptions that there are, of removed ones, and of those that are made later.
void raise_tokens(Connection& connection) {
  connection
      .prepare(
          "UPDATE main.evercore_schema SET least_token = ?1 + max(least_token,"
          " (SELECT coalesce(max(last_token), 0) FROM main.evercore_subscription))")
      .bind(1, jump)
      .run();
  connection.prepare("UPDATE main.evercore_subscription SET last_token = last_token + ?1")
      .bind(1, jump)
      .run();
}

void restored(const Call& call) {
  Connection& connection = call.connection;
  atomically(connection, [&] {
    note_head(connection);
    const std::int64_t head = head_position(connection);
    if (head > std::numeric_limits<std::int64_t>::max() - jump) throw out_of_range("head", head);
    keep_position(connection, head + jump);
    raise_tokens(connection);
    connection.transaction.forget();
    call.result(head + jump);
  });
}

}  // namespace

const Function restored_function = {"evercore_restored", 0, 0, Access::writes, restored};

}  // namespace evercore::ext
