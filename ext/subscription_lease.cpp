// Leases: who holds a partition, and how far it has come.
//
// A token is current while its partition has an owner and no newer one was given. An expired lease
// alone takes nothing away: a worker that was slow but that nobody replaced may still ack. Each
// function names the token in the WHERE of the UPDATE that acts; where it finds no row, nothing was
// done.
//
// An ack of NULL moves past all that the last empty fetch could see. A table function only reads,
// so that fetch leaves the head it saw with its connection, by partition and token. That head was
// committed, so no event can appear below it any more. A changed filter makes it void. Without it,
// as on another connection, an ack of NULL changes nothing.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "decimal.h"
#include "error.h"
#include "head.h"
#include "log.h"
#include "maintenance.h"
#include "subscription.h"
#include "time.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

/// The argument lease_seconds, in microseconds.
std::int64_t lease_of(sqlite3_value* value) {
  const int type = sqlite3_value_numeric_type(value);  // text that is a number counts as one
  if (type == SQLITE_NULL) throw error(9, "lease_seconds is NULL");
  if (type != SQLITE_INTEGER && type != SQLITE_FLOAT) {
    throw error(9, "lease_seconds is not a number");
  }
  const double seconds = sqlite3_value_double(value);
  if (!(seconds > 0 && seconds <= longest_lease)) {
    throw error(9, "lease_seconds is out of range: " + number_text(seconds));
  }
  return std::max<std::int64_t>(1, std::llround(seconds * 1e6));
}

/// A free partition, the one that was given the longest time ago.
#define FREE_PARTITION                                                                    \
  "SELECT p.partition FROM main.evercore_subscription s"                                  \
  " JOIN main.evercore_subscription_partition p ON p.subscription_id = s.subscription_id" \
  " WHERE s.subscription_id = ?1 AND s.active = 1"                                        \
  " AND (p.owner IS NULL OR p.lease_expires_at <= ?2) ORDER BY p.token, p.partition LIMIT 1"

bool any_free(Connection& connection, std::int64_t subscription_id, std::int64_t time) {
  return connection.prepare(FREE_PARTITION).bind(1, subscription_id).bind(2, time).step();
}

/// The token after the newest that was given.
std::int64_t next_token(Connection& connection, std::string_view name, std::int64_t id) {
  Statement newest = connection.prepare(
      "SELECT last_token FROM main.evercore_subscription WHERE subscription_id = ?1");
  const bool found = newest.bind(1, id).step() && !newest.is_null(0);
  if (!found || newest.integer(0) < 0 || newest.integer(0) >= most_token) {
    throw damaged_subscription(name);
  }
  return newest.integer(0) + 1;
}

/// A host's authorizer can leave a column as it was: then the next claim might give the token again.
void require_taken(Connection& connection, std::string_view name, std::int64_t id,
                   std::int64_t token, std::string_view owner, std::int64_t lease,
                   std::int64_t expires) {
  Statement look = connection.prepare(
      "SELECT 1 FROM main.evercore_subscription s JOIN main.evercore_subscription_partition p"
      " ON p.subscription_id = s.subscription_id WHERE s.subscription_id = ?1"
      " AND s.last_token = ?2 AND p.token = ?2 AND p.owner = ?3 AND p.lease = ?4"
      " AND p.lease_expires_at = ?5");
  look.bind(1, id).bind(2, token).bind(3, owner).bind(4, lease).bind(5, expires);
  if (look.step()) return;
  throw cut_short("subscription \"" + std::string(name) + "\" was claimed in part");
}

/// Inside atomically(): the new token, or nothing.
std::optional<std::int64_t> take_free(Connection& connection, std::string_view name,
                                      std::int64_t id, std::string_view owner, std::int64_t lease) {
  const std::int64_t time = now();
  const std::int64_t token = next_token(connection, name, id);
  Statement take = connection.prepare(
      "UPDATE main.evercore_subscription_partition SET owner = ?3, lease = ?4,"
      " lease_expires_at = ?2 + ?4, token = ?5"
      " WHERE subscription_id = ?1 AND partition = (" FREE_PARTITION ") RETURNING 1");
  take.bind(1, id).bind(2, time).bind(3, owner).bind(4, lease).bind(5, token);
  if (!take.step()) {
    if (any_free(connection, id, time)) throw vanished();
    return std::nullopt;
  }
  take.run();
  connection
      .prepare("UPDATE main.evercore_subscription SET last_token = ?2 WHERE subscription_id = ?1")
      .bind(1, id)
      .bind(2, token)
      .run();
  require_taken(connection, name, id, token, owner, lease, time + lease);
  return token;
}

void claim(const Call& call) {
  Connection& connection = call.connection;
  const Name name = subscription_name(call.arguments[0]);
  const Name owner = name_of(call.arguments[1], "owner", max_subscription_name);
  const std::int64_t lease = lease_of(call.arguments[2]);
  // Looking first needs no lock, so that NULL comes at once while another's transaction is open.
  // Not in a transaction that has not written: its snapshot could be stale by the write.
  sqlite3* db = connection.db();
  if (sqlite3_get_autocommit(db) != 0 || sqlite3_txn_state(db, "main") == SQLITE_TXN_WRITE) {
    const std::int64_t id = load_subscription(connection, name).id;
    if (!any_free(connection, id, now())) return call.result_null();
  }
  atomically(connection, [&] {
    const Subscription subscription = load_subscription(connection, name);
    const auto token = take_free(connection, name, subscription.id, owner, lease);
    token ? call.result(*token) : call.result_null();
  });
}

/// What this connection's last empty fetch of the partition saw, if it was under the same token and
/// filter, and the cursor is not below where it began.
const EmptyFetch* last_empty(const Connection& connection, const Holding& holding) {
  const EmptyFetch* last =
      connection.empty_fetches.find(holding.subscription_id, holding.partition);
  if (last == nullptr) return nullptr;
  const bool still = last->token == holding.token && last->filter == holding.filter &&
                     last->after <= holding.position;
  return still ? last : nullptr;
}

/// Inside atomically(): the cursor after it. `position` nothing: where it is.
std::int64_t move_cursor(Connection& connection, std::string_view name, std::int64_t token,
                         std::optional<std::int64_t> position) {
  const Holding holding = load_holding(connection, name, token);
  if (!position) {
    if (const EmptyFetch* last = last_empty(connection, holding)) position = last->seen;
  }
  Statement move = connection.prepare(
      "UPDATE main.evercore_subscription_partition SET position = max(position, ?3),"
      " lease_expires_at = ?4 + lease, last_error = NULL"
      " WHERE subscription_id = ?1 AND token = ?2 AND owner IS NOT NULL"
      " RETURNING position, lease_expires_at = ?4 + lease, last_error");
  move.bind(1, holding.subscription_id).bind(2, token);
  move.bind(3, position.value_or(holding.position)).bind(4, now());
  if (!move.step()) throw vanished();
  const std::int64_t cursor = move.integer(0);
  const bool renewed = move.integer(1) != 0 && move.is_null(2);
  move.run();
  if (cursor < position.value_or(0)) {
    throw cut_short("the cursor of subscription \"" + std::string(name) + "\" did not move");
  }
  if (!renewed) throw vanished();
  if (cursor > holding.position) {
    if (cursor > load_head(connection).committed) throw out_of_range("position", cursor);
    connection
        .prepare(
            "UPDATE main.evercore_subscription SET repartitionable = 0"
            " WHERE subscription_id = ?1 AND repartitionable <> 0")
        .bind(1, holding.subscription_id)
        .run();
    require_written(connection
                        .prepare("SELECT 1 FROM main.evercore_subscription"
                                 " WHERE subscription_id = ?1 AND repartitionable = 0")
                        .bind(1, holding.subscription_id));
  }
  return cursor;
}

void ack(const Call& call) {
  const Name name = subscription_name(call.arguments[0]);
  const std::int64_t token = integer_of(call.arguments[1], "token");
  std::optional<std::int64_t> position;
  if (sqlite3_value* value = call.optional(2)) position = integer_of(value, "position");
  atomically(call.connection,
             [&] { call.result(move_cursor(call.connection, name, token, position)); });
}

bool is_held(Connection& connection, std::int64_t subscription_id, std::int64_t token) {
  return connection
      .prepare(
          "SELECT 1 FROM main.evercore_subscription_partition"
          " WHERE subscription_id = ?1 AND token = ?2 AND owner IS NOT NULL")
      .bind(1, subscription_id)
      .bind(2, token)
      .step();
}

/// Begins an UPDATE whose ?1 is the subscription and ?2 the token, and stays at the row that it RETURNs.
/// EV006 where the token holds none.
void update_held(Connection& connection, std::string_view name, std::int64_t token,
                 Statement& update) {
  const Subscription subscription = load_subscription(connection, name);
  update.bind(1, subscription.id).bind(2, token);
  if (update.step()) return;
  if (is_held(connection, subscription.id, token)) throw vanished();
  throw lease_lost(name, token);
}

void renew(const Call& call) {
  Connection& connection = call.connection;
  const Name name = subscription_name(call.arguments[0]);
  const std::int64_t token = integer_of(call.arguments[1], "token");
  const std::int64_t lease = lease_of(call.arguments[2]);
  atomically(connection, [&] {
    Statement update = connection.prepare(
        "UPDATE main.evercore_subscription_partition SET lease = ?3, lease_expires_at = ?4 + ?3"
        " WHERE subscription_id = ?1 AND token = ?2 AND owner IS NOT NULL"
        " RETURNING lease = ?3 AND lease_expires_at = ?4 + ?3");
    update.bind(3, lease).bind(4, now());
    update_held(connection, name, token, update);
    if (update.integer(0) == 0) throw vanished();
    update.run();
    call.result(name);
  });
}

/// Where a fetch under the token ended at its bound: nobody but this connection knows how far it came.
void keep_progress(Connection& connection, std::string_view name, std::int64_t token) {
  if (connection.empty_fetches.is_cut(token)) move_cursor(connection, name, token, std::nullopt);
}

void release(const Call& call) {
  Connection& connection = call.connection;
  const Name name = subscription_name(call.arguments[0]);
  const std::int64_t token = integer_of(call.arguments[1], "token");
  std::optional<std::string_view> failure;
  if (sqlite3_value* value = call.optional(2)) failure = plain_text_of(value, "error");
  atomically(connection, [&] {
    Statement update = connection.prepare(
        "UPDATE main.evercore_subscription_partition SET owner = NULL, lease = NULL,"
        " lease_expires_at = NULL, last_error = coalesce(?3, last_error)"
        " WHERE subscription_id = ?1 AND token = ?2 AND owner IS NOT NULL"
        " RETURNING owner, lease, lease_expires_at, last_error = ?3");
    if (failure) update.bind(3, *failure);
    keep_progress(connection, name, token);
    update_held(connection, name, token, update);
    const bool free = update.is_null(0) && update.is_null(1) && update.is_null(2);
    if (!free || (failure && update.integer(3) == 0)) throw vanished();
    update.run();
    call.result(name);
  });
}

std::optional<std::string> optional_column(const Statement& statement, int column) {
  if (statement.is_null(column)) return std::nullopt;
  return std::string(statement.text(column));
}

bool is_sound(const Holding& holding) {
  return holding.partitions >= 1 && holding.partitions <= max_partitions &&
         holding.partition >= 0 && holding.partition < holding.partitions &&
         holding.position >= 0 && (holding.aggregate_type || !holding.natural_key);
}

}  // namespace

std::optional<std::vector<std::int64_t>> parse_type_ids(std::string_view text) {
  if (text.size() < 3 || text.front() != ',') return std::nullopt;
  std::vector<std::int64_t> ids;
  for (const char *at = text.data() + 1, *end = text.data() + text.size(); at != end; ++at) {
    ids.emplace_back();
    const auto read = std::from_chars(at, end, ids.back());
    if (read.ec != std::errc() || read.ptr == end || *read.ptr != ',') return std::nullopt;
    if (ids.back() < 1) return std::nullopt;
    at = read.ptr;
  }
  return ids;
}

Holding load_holding(Connection& connection, std::string_view name, std::int64_t token) {
  Statement load = connection.prepare(
      "SELECT s.subscription_id, p.partition, s.partitions, p.position, s.active, s.filter,"
      " s.aggregate_type, s.natural_key, s.type_ids, s.tags FROM main.evercore_subscription s"
      " LEFT JOIN main.evercore_subscription_partition p ON p.subscription_id = s.subscription_id"
      "  AND p.token = ?2 AND p.owner IS NOT NULL WHERE s.name = ?1 AND s.removed = 0");
  if (!load.bind(1, name).bind(2, token).step()) throw no_subscription(name);
  if (load.is_null(1)) throw lease_lost(name, token);
  Holding holding;
  holding.subscription_id = load.integer(0);
  holding.partition = load.integer(1);
  holding.partitions = load.integer(2);
  holding.position = load.integer(3);
  holding.token = token;
  holding.active = load.integer(4) != 0;
  holding.filter = optional_column(load, 5);
  holding.aggregate_type = optional_column(load, 6);
  holding.natural_key = optional_column(load, 7);
  if (!load.is_null(8)) {
    auto ids = parse_type_ids(load.text(8));
    if (!ids) throw damaged_subscription(name);
    holding.type_ids = std::move(*ids);
  }
  if (!load.is_null(9)) {
    GivenTags given;
    given.read(connection.payload, load.text(9));
    auto tags = given.sound() ? given.take() : std::nullopt;
    if (!tags) throw damaged_subscription(name);
    holding.tags = std::move(tags->names);
  }
  if (!is_sound(holding)) throw damaged_subscription(name);
  return holding;
}

void remember_empty(Connection& connection, const Holding& holding, std::int64_t seen, bool cut) {
  connection.empty_fetches.remember(
      holding.subscription_id, holding.partition,
      EmptyFetch{holding.token, holding.position, seen, cut, holding.filter},
      connection.transaction.taking_part());
}

std::int64_t seen_empty(const Connection& connection, const Holding& holding) {
  const EmptyFetch* last = last_empty(connection, holding);
  if (last == nullptr) return 0;
  // A rekey may have given that key to older events: only what is still to be looked at counts.
  return holding.natural_key && !last->cut ? 0 : last->seen;
}

const Function lease_functions[4] = {
    {"evercore_claim", 3, 3, Access::writes, claim},
    {"evercore_ack", 3, 3, Access::writes, ack},
    {"evercore_renew", 3, 3, Access::writes, renew},
    {"evercore_release", 2, 3, Access::writes, release},
};

}  // namespace evercore::ext
