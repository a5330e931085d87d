#include "subscription.h"

#include <charconv>

#include "error.h"
#include "fold.h"
#include "head.h"
#include "log.h"
#include "passes.h"
#include "time.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

/// Just before the first committed event that happened at or after `time`; the head where there is
/// none.
std::int64_t position_before(Connection& connection, std::int64_t time) {
  const std::int64_t head = load_head(connection).committed;
  Statement first = connection.prepare(
      "SELECT position FROM main.evercore_event NOT INDEXED WHERE event_time >= ?1 AND "
      "aggregate_id <> 0"
      " AND position <= ?2 ORDER BY position LIMIT 1");
  return first.bind(1, time).bind(2, head).step() ? first.integer(0) - 1 : head;
}

std::int64_t within_log(Connection& connection, std::int64_t position) {
  if (position < 0 || position > load_head(connection).committed) {
    throw out_of_range("start", position);
  }
  return position;
}

/// Where a subscription begins, as its argument `start` says.
struct Start {
  std::int64_t position = 0;
  std::optional<std::int64_t> time;  ///< if `start` is a time
  bool kept = false;                 ///< the caller accepts that compacted events are missed
};

/// The text of a start without the word `kept`, and whether it was there.
std::string_view without_kept(std::string_view text, bool& kept) {
  constexpr std::string_view word = "kept";
  kept = text == word || text.starts_with("kept ");
  if (!kept) return text;
  return text == word ? "beginning" : text.substr(word.size() + 1);
}

/// Inside atomically(): what `start` means now. It is resolved here, once, and never again.
Start resolve_start(Connection& connection, sqlite3_value* value) {
  Start start;
  if (value == nullptr) return start;
  const int type = sqlite3_value_type(value);
  if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
    start.position = within_log(connection, integer_of(value, "start"));
    return start;
  }
  const std::string_view text = without_kept(text_of(value, "start"), start.kept);
  if (text == "beginning") return start;
  if (text == "end") {
    start.position = load_head(connection).committed;
    start.kept = true;  // no earlier event is wanted
  } else if (!is_digits(text)) {
    start.time = time_in(text, "start");
    start.position = position_before(connection, *start.time);
  } else {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), start.position);
    if (read.ec != std::errc()) throw error(9, "start is out of range: " + std::string(text));
    within_log(connection, start.position);
  }
  return start;
}

bool says_kept(sqlite3_value* value) {
  bool kept = false;
  if (value != nullptr && sqlite3_value_type(value) == SQLITE_TEXT) {
    without_kept(text_of(value, "start"), kept);
  }
  return kept;
}

/// The event types of a filter as the column type_ids holds them, ',3,5,'.
std::string type_ids_of(Connection& connection, const Filter& filter) {
  std::string ids = ",";
  for (const std::string& name : filter.event_types) {
    const std::string id = std::to_string(ensure_event_type(connection, name)) + ",";
    if (ids.find("," + id) == std::string::npos) ids += id;
  }
  return ids;
}

void store_filter(Connection& connection, std::int64_t subscription_id, const Filter& filter) {
  const std::string text = canonical(filter);
  const std::string type_ids = type_ids_of(connection, filter);
  const std::string tags = array_of(filter.tags);
  const auto bind = [&](Statement& statement) -> Statement& {
    statement.bind(1, subscription_id);
    if (!filter.passes_everything()) statement.bind(2, text);
    if (filter.aggregate_type) statement.bind(3, *filter.aggregate_type);
    if (filter.natural_key) statement.bind(4, *filter.natural_key);
    if (!filter.event_types.empty()) statement.bind(5, type_ids);
    if (!filter.tags.empty()) statement.bind(6, tags);
    return statement;
  };
  Statement store = connection.prepare(
      "UPDATE main.evercore_subscription SET filter = ?2, aggregate_type = ?3, natural_key = ?4,"
      " type_ids = ?5, tags = ?6 WHERE subscription_id = ?1");
  bind(store).run();
  Statement look = connection.prepare(
      "SELECT 1 FROM main.evercore_subscription WHERE subscription_id = ?1 AND filter IS ?2"
      " AND aggregate_type IS ?3 AND natural_key IS ?4 AND type_ids IS ?5 AND tags IS ?6");
  require_written(bind(look));
}

/// Puts every cursor at the start position, with no owner: partitions 0 to `count` - 1.
void make_partitions(Connection& connection, std::int64_t subscription_id, std::int64_t count) {
  connection.prepare("DELETE FROM main.evercore_subscription_partition WHERE subscription_id = ?1")
      .bind(1, subscription_id)
      .run();
  if (connection
          .prepare("SELECT 1 FROM main.evercore_subscription_partition WHERE subscription_id = ?1")
          .bind(1, subscription_id)
          .step()) {
    throw vanished();
  }
  connection
      .prepare(
          "UPDATE main.evercore_subscription SET partitions = ?2"
          " WHERE subscription_id = ?1")
      .bind(1, subscription_id)
      .bind(2, count)
      .run();
  Statement insert = connection.prepare(
      "INSERT INTO main.evercore_subscription_partition (subscription_id, partition, position)"
      " SELECT ?1, ?2, start_position FROM main.evercore_subscription WHERE subscription_id = ?1");
  for (std::int64_t partition = 0; partition < count; ++partition) {
    insert.bind(1, subscription_id).bind(2, partition).run();
  }
  Statement look = connection.prepare(
      "SELECT 1 FROM main.evercore_subscription s WHERE s.subscription_id = ?1"
      " AND s.partitions = ?2 AND ?2 = (SELECT count(*)"
      "  FROM main.evercore_subscription_partition p WHERE p.subscription_id = ?1"
      "  AND p.position = s.start_position AND p.token = 0 AND p.owner IS NULL)"
      " AND ?2 = (SELECT count(*) FROM main.evercore_subscription_partition p"
      "  WHERE p.subscription_id = ?1)");
  require_written(look.bind(1, subscription_id).bind(2, count));
}

/// The row of a new subscription, or that of a removed one of the same name: its tokens go on.
std::int64_t create(Connection& connection, std::string_view name, std::int64_t start) {
  const bool removed =
      connection.prepare("SELECT 1 FROM main.evercore_subscription WHERE name = ?1")
          .bind(1, name)
          .step();
  connection
      .prepare(removed
                   ? Sql("UPDATE main.evercore_subscription SET start_position = ?2, active = 1,"
                         " repartitionable = 0, removed = 0 WHERE name = ?1")
                   : Sql("INSERT INTO main.evercore_subscription"
                         " (name, partitions, start_position, last_token)"
                         " SELECT ?1, 1, ?2, max(least_token) FROM main.evercore_schema"))
      .bind(1, name)
      .bind(2, start)
      .run();
  Statement look = connection.prepare(
      "SELECT subscription_id FROM main.evercore_subscription WHERE name = ?1"
      " AND start_position = ?2 AND active = 1 AND repartitionable = 0 AND removed = 0");
  if (!look.bind(1, name).bind(2, start).step()) throw vanished();
  return look.integer(0);
}

// The newest position that compaction removed of events that pass the filter of subscription ?1, of
// aggregates erased since as well: they have no key any more. What has tags is never removed.
#define NEWEST_REMOVED \
  "SELECT max(c.position) FROM main.evercore_subscription s" \
  " CROSS JOIN main.evercore_compacted_type c" \
  " CROSS JOIN main.evercore_aggregate a ON a.aggregate_id = c.aggregate_id" \
  " WHERE s.subscription_id = ?1 AND s.tags IS NULL AND " EVERCORE_PASSES_TYPES("s", "c") \
  " AND (s.aggregate_type IS NULL OR a.type_id = (SELECT type_id" \
  "  FROM main.evercore_aggregate_type WHERE name = s.aggregate_type))" \
  " AND (s.natural_key IS NULL OR a.natural_key = s.natural_key)"

[[noreturn]] void refuse_missing(std::string_view name, std::int64_t position) {
  throw error(10, "subscription \"" + std::string(name) +
                      "\" would miss events that were compacted, up to position " +
                      std::to_string(position) +
                      ": begin the start with the word kept to say that this is meant");
}

/// Inside atomically(): EV010 if a subscription that begins there would miss what was compacted.
void require_kept(Connection& connection, std::string_view name, std::int64_t subscription_id,
                  const Start& start) {
  if (start.kept) return;
  Statement removed = connection.prepare(NEWEST_REMOVED);
  removed.bind(1, subscription_id).step();
  if (start.position < removed.integer(0)) refuse_missing(name, removed.integer(0));
  if (!start.time) return;
  Statement later = connection.prepare(NEWEST_REMOVED " AND a.base_max_time >= ?2");
  later.bind(1, subscription_id).bind(2, *start.time).step();
  if (!later.is_null(0)) refuse_missing(name, later.integer(0));
}

/// The same for one whose filter changed: each of its cursors is such a place.
void require_kept_by_cursors(Connection& connection, std::string_view name,
                             std::int64_t subscription_id) {
  Statement cursors = connection.prepare(
      "SELECT partition, position FROM main.evercore_subscription_partition"
      " WHERE subscription_id = ?1 ORDER BY partition");
  cursors.bind(1, subscription_id);
  while (cursors.step()) {
    Statement removed =
        connection.prepare(NEWEST_REMOVED " AND a.aggregate_id % s.partitions = ?2");
    removed.bind(1, subscription_id).bind(2, cursors.integer(0)).step();
    if (cursors.integer(1) < removed.integer(0)) refuse_missing(name, removed.integer(0));
  }
}

std::optional<std::string> stored_filter(Connection& connection, std::int64_t subscription_id) {
  Statement find = connection.prepare(
      "SELECT filter FROM main.evercore_subscription WHERE subscription_id = ?1");
  if (!find.bind(1, subscription_id).step() || find.is_null(0)) return std::nullopt;
  return std::string(find.text(0));
}

std::optional<Subscription> find_subscription(Connection& connection, std::string_view name) {
  Statement find = connection.prepare(
      "SELECT subscription_id, partitions, repartitionable FROM main.evercore_subscription"
      " WHERE name = ?1 AND removed = 0");
  if (!find.bind(1, name).step()) return std::nullopt;
  const std::int64_t partitions = find.integer(1);
  if (partitions < 1 || partitions > max_partitions) throw damaged_subscription(name);
  return Subscription{find.integer(0), find.integer(1), find.integer(2) != 0};
}

void change_partitions(Connection& connection, std::string_view name,
                       const Subscription& subscription, std::int64_t count) {
  if (count == subscription.partitions) return;
  if (!subscription.repartitionable) {
    throw error(10, "subscription \"" + std::string(name) + "\" has " +
                        std::to_string(subscription.partitions) +
                        " partitions: reset it to change them");
  }
  make_partitions(connection, subscription.id, count);
}

void subscribe(const Call& call) {
  Connection& connection = call.connection;
  const Name name = subscription_name(call.arguments[0]);
  Filter filter;
  if (sqlite3_value* value = call.optional(1)) {
    filter = parse_filter(connection, document_of(value, "filter"));
  }
  std::optional<std::int64_t> partitions;
  if (sqlite3_value* value = call.optional(3)) {
    partitions = integer_from(value, "partitions", 1);
    if (*partitions > max_partitions) throw out_of_range("partitions", *partitions);
  }
  atomically(connection, [&] {
    if (const auto subscription = find_subscription(connection, name)) {
      if (partitions) change_partitions(connection, name, *subscription, *partitions);
      const auto before = stored_filter(connection, subscription->id);
      store_filter(connection, subscription->id, filter);
      if (before != stored_filter(connection, subscription->id) && !says_kept(call.optional(2))) {
        require_kept_by_cursors(connection, name, subscription->id);
      }
    } else {
      const Start start = resolve_start(connection, call.optional(2));
      const std::int64_t id = create(connection, name, start.position);
      make_partitions(connection, id, partitions.value_or(1));
      store_filter(connection, id, filter);
      require_kept(connection, name, id, start);
    }
    call.result(name);
  });
}

void set_active(const Call& call, bool active) {
  const Name name = subscription_name(call.arguments[0]);
  atomically(call.connection, [&] {
    const Subscription subscription = load_subscription(call.connection, name);
    call.connection
        .prepare("UPDATE main.evercore_subscription SET active = ?2 WHERE subscription_id = ?1")
        .bind(1, subscription.id)
        .bind(2, std::int64_t{active})
        .run();
    require_written(call.connection
                        .prepare("SELECT 1 FROM main.evercore_subscription"
                                 " WHERE subscription_id = ?1 AND active = ?2")
                        .bind(1, subscription.id)
                        .bind(2, std::int64_t{active}));
    call.result(name);
  });
}

void pause(const Call& call) {
  set_active(call, false);
}

void resume(const Call& call) {
  set_active(call, true);
}

/// Moves every cursor to `start` and takes every lease away.
void reset(const Call& call) {
  Connection& connection = call.connection;
  const Name name = subscription_name(call.arguments[0]);
  if (is_null(call.arguments[1])) throw error(9, "start is NULL");
  atomically(connection, [&] {
    const Subscription subscription = load_subscription(connection, name);
    const Start start = resolve_start(connection, call.arguments[1]);
    require_kept(connection, name, subscription.id, start);
    connection
        .prepare(
            "UPDATE main.evercore_subscription SET start_position = ?2, repartitionable = 1"
            " WHERE subscription_id = ?1")
        .bind(1, subscription.id)
        .bind(2, start.position)
        .run();
    require_written(
        connection
            .prepare("SELECT 1 FROM main.evercore_subscription WHERE subscription_id = ?1"
                     " AND start_position = ?2 AND repartitionable = 1")
            .bind(1, subscription.id)
            .bind(2, start.position));
    make_partitions(connection, subscription.id, subscription.partitions);
    call.result(name);
  });
}

void unsubscribe(const Call& call) {
  Connection& connection = call.connection;
  const Name name = subscription_name(call.arguments[0]);
  atomically(connection, [&] {
    const Subscription subscription = load_subscription(connection, name);
    make_partitions(connection, subscription.id, 0);
    connection
        .prepare("UPDATE main.evercore_subscription SET removed = 1 WHERE subscription_id = ?1")
        .bind(1, subscription.id)
        .run();
    require_written(connection
                        .prepare("SELECT 1 FROM main.evercore_subscription"
                                 " WHERE subscription_id = ?1 AND removed = 1")
                        .bind(1, subscription.id));
    call.result(name);
  });
}

}  // namespace

Name subscription_name(sqlite3_value* value) {
  return name_of(value, "name", max_subscription_name);
}

Subscription load_subscription(Connection& connection, std::string_view name) {
  const auto subscription = find_subscription(connection, name);
  if (!subscription) throw no_subscription(name);
  return *subscription;
}

Error no_subscription(std::string_view name) {
  return error(2, "no subscription \"" + std::string(name) + "\"");
}

Error damaged_subscription(std::string_view name) {
  return damaged("subscription \"" + std::string(name) + "\"");
}

Error lease_lost(std::string_view name, std::int64_t token) {
  return error(6, "lease lost: token " + std::to_string(token) +
                      " is not the current one of subscription \"" + std::string(name) + "\"");
}

namespace {

/// unread() joins partitions by their number. With a damaged number or a missing partition it would find
/// no subscription, and let events go that are unread.
void require_sound_partitions(Connection& connection) {
  Statement find = connection.prepare(
      "SELECT s.name FROM main.evercore_subscription s WHERE s.removed = 0"
      " AND (s.partitions NOT BETWEEN 1 AND ?1 OR s.partitions <>"
      "  (SELECT count(*) FROM main.evercore_subscription_partition p"
      "    WHERE p.subscription_id = s.subscription_id)) LIMIT 1");
  if (find.bind(1, max_partitions).step()) throw damaged_subscription(find.text(0));
}

/// Whether a subscription with a damaged filter still has to read an event cannot be known.
void require_sound_filters(Connection& connection) {
  Statement filters = connection.prepare(SUBSCRIPTION_FILTERS);
  while (filters.step()) {
    if (!is_sound_filter(connection, filters)) throw damaged_subscription(filters.text(0));
  }
}

}  // namespace

void require_sound_subscriptions(Connection& connection) {
  require_sound_partitions(connection);
  require_sound_filters(connection);
}

std::optional<std::string> unread(Connection& connection, const Aggregate& aggregate,
                                  std::int64_t sequence) {
  // Positions of one aggregate grow with its sequences: one comparison clears a partition that is
  // past the last of them.
  Statement find = connection.prepare(
      "SELECT s.name FROM main.evercore_subscription s"
      " JOIN main.evercore_subscription_partition p"
      "  ON p.subscription_id = s.subscription_id AND p.partition = ?1 % s.partitions"
      " WHERE p.position < (SELECT max(position) FROM (SELECT position FROM main.evercore_event"
      "  INDEXED BY evercore_event_sequence WHERE aggregate_id = ?1 AND sequence <= ?2 ORDER BY "
      "sequence DESC LIMIT 1))"
      " AND EXISTS (SELECT 1 FROM main.evercore_event e INDEXED BY evercore_event_sequence"
      "  WHERE e.aggregate_id = ?1 AND e.sequence <= ?2 AND e.position > p.position"
      "  AND " EVERCORE_PASSES_TYPES("s", "e") " AND " EVERCORE_PASSES_TAGS("s.tags") ")"
      " AND " EVERCORE_PASSES_AGGREGATE("s", "?1")
      " ORDER BY s.name LIMIT 1");
  if (!find.bind(1, aggregate.id).bind(2, sequence).step()) return std::nullopt;
  return "aggregate " + std::to_string(aggregate.id) + " has events that subscription \"" +
         std::string(find.text(0)) + "\" has not read";
}

const Function subscription_functions[5] = {
    {"evercore_subscribe", 1, 4, Access::writes, subscribe},
    {"evercore_pause", 1, 1, Access::writes, pause},
    {"evercore_resume", 1, 1, Access::writes, resume},
    {"evercore_reset", 2, 2, Access::writes, reset},
    {"evercore_unsubscribe", 1, 1, Access::writes, unsubscribe},
};

}  // namespace evercore::ext
