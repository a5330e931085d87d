// evercore_restored: a copy that was restored goes on beyond what may have been given and lost.
#include <algorithm>
#include <limits>
#include <vector>

#include "error.h"
#include "function.h"
#include "head.h"
#include "maintenance.h"
#include "store.h"
#include "subscription.h"
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
    connection
        .prepare(
            "DELETE FROM main.evercore_event INDEXED BY evercore_event_sequence WHERE aggregate_id "
            "= 0 AND position < ?1")
        .bind(1, position)
        .run();
  });
}

struct Tokens {
  std::int64_t subscription_id, last;
};

/// The newest token of each subscription, of removed ones too. Throws EV010 for one that is no token.
std::vector<Tokens> load_tokens(Connection& connection) {
  Statement load = connection.prepare(
      "SELECT subscription_id, last_token, name FROM main.evercore_subscription");
  std::vector<Tokens> all;
  while (load.step()) {
    const Tokens tokens{load.integer(0), load.integer(1)};
    if (tokens.last < 0 || tokens.last > most_token) throw damaged_subscription(load.text(2));
    all.push_back(tokens);
  }
  return all;
}

std::int64_t load_least_token(Connection& connection) {
  Statement load = connection.prepare("SELECT max(least_token) FROM main.evercore_schema");
  load.step();
  const std::int64_t least = load.integer(0);
  if (least < 0 || least > most_token) throw damaged("least_token of evercore_schema");
  return least;
}

/// Raises the tokens of all subscriptions, of removed ones and of those that are made later.
void raise_tokens(Connection& connection) {
  std::int64_t least = load_least_token(connection);
  for (const Tokens& tokens : load_tokens(connection)) {
    least = std::max(least, tokens.last);
    connection
        .prepare("UPDATE main.evercore_subscription SET last_token = ?2 WHERE subscription_id = ?1")
        .bind(1, tokens.subscription_id)
        .bind(2, tokens.last + jump)
        .run();
    require_written(connection
                        .prepare("SELECT 1 FROM main.evercore_subscription"
                                 " WHERE subscription_id = ?1 AND last_token = ?2")
                        .bind(1, tokens.subscription_id)
                        .bind(2, tokens.last + jump));
  }
  least += jump;
  connection.prepare("UPDATE main.evercore_schema SET least_token = ?1").bind(1, least).run();
  require_written(connection.prepare("SELECT 1 FROM main.evercore_schema WHERE least_token = ?1")
                      .bind(1, least));
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
