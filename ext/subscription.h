// Subscriptions: named durable cursors over the log, each partition held by one owner at a time.
//
//   SELECT evercore_subscribe('mails', '{"event_types":["OrderPlaced"]}', 'end');
//   SELECT evercore_claim('mails', 'worker 1', 30);         -- a token, or NULL: all are held
//   SELECT * FROM evercore_fetch('mails', 1, 100);          -- what comes next
//   SELECT evercore_ack('mails', 1, 4711);                  -- handled up to there
//
// A worker is fenced by its token: it grows at each claim, and what a worker does names the token
// that it was given. Whether it is still the current one is decided by the statement that acts, so
// that a worker which stalled beyond its lease can neither read on nor move the cursor. The lease
// only says when another may take over; it is measured by this machine's clock.
//
// Exactly once, for a projection in the same database: the effects and the ack in one transaction.
//
//   BEGIN IMMEDIATE;
//   INSERT INTO proj SELECT position, data FROM evercore_fetch('p',
//     (SELECT token FROM evercore_subscriptions WHERE name = 'p'), 100);
//   SELECT evercore_ack('p', (SELECT token FROM evercore_subscriptions WHERE name = 'p'),
//     (SELECT max(position) FROM proj));
//   COMMIT;
//
// subscription.cpp makes, changes and removes them; subscription_filter.cpp knows what a filter is,
// subscription_lease.cpp claims and acks, subscription_fetch.cpp reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "aggregate.h"
#include "connection.h"
#include "function.h"
#include "table_function.h"
#include "value.h"

namespace evercore::ext {

inline constexpr std::size_t max_subscription_name = 255;  ///< characters; of an owner too
inline constexpr std::int64_t max_partitions = 1024;
inline constexpr double longest_lease = 86'400;  ///< seconds
/// No token of a store is beyond it: one that is was written by somebody else.
inline constexpr std::int64_t most_token = std::int64_t{1} << 62;

/// What passes to a subscription. All parts absent: every event.
struct Filter {
  std::optional<std::string> aggregate_type;
  std::optional<std::string> natural_key;  ///< only with its type
  std::vector<std::string> event_types;    ///< empty: all
  std::vector<std::string> tags;           ///< all of which an event must bear

  [[nodiscard]] bool passes_everything() const {
    return !aggregate_type && event_types.empty() && tags.empty();
  }
};

/// Reads the argument `filter`; throws EV004, EV005 and EV009.
[[nodiscard]] Filter parse_filter(Connection& connection, std::string_view json);
/// Its canonical text: members in the order of the struct, without blanks, absent ones left out.
[[nodiscard]] std::string canonical(const Filter& filter);

/// Names as a JSON array.
[[nodiscard]] std::string array_of(const std::vector<std::string>& names);

/// The filters of the subscriptions that there are, as is_sound_filter() takes them.
#define SUBSCRIPTION_FILTERS                                              \
  "SELECT name, filter, aggregate_type, natural_key, type_ids, tags FROM" \
  " main.evercore_subscription WHERE removed = 0 ORDER BY name"
/// Whether the columns of a filter are what its text says.
[[nodiscard]] bool is_sound_filter(Connection& connection, const Statement& row);

struct Subscription {
  std::int64_t id = 0;
  std::int64_t partitions = 1;
  bool repartitionable = false;  ///< reset, and no cursor has moved since
};

/// A partition as the holder of a token sees it.
struct Holding {
  std::int64_t subscription_id = 0;
  std::int64_t partition = 0;
  std::int64_t partitions = 1;
  std::int64_t position = 0;
  std::int64_t token = 0;
  bool active = true;
  std::optional<std::string> filter;  ///< the canonical text; those below are its parts
  std::optional<std::string> aggregate_type;
  std::optional<std::string> natural_key;
  std::vector<std::int64_t> type_ids;
  std::vector<std::string> tags;
};

/// ',3,5,' as the column type_ids holds it; nothing where the text is not of that form.
[[nodiscard]] std::optional<std::vector<std::int64_t>> parse_type_ids(std::string_view text);

/// The partition whose current token this is. Throws EV002 and EV006, and EV010 where its row is not
/// what evercore wrote.
[[nodiscard]] Holding load_holding(Connection& connection, std::string_view name,
                                   std::int64_t token);

/// Called by a fetch that came to its end without a row, having looked up to `seen`: what an ack of
/// NULL moves past, and where the next fetch goes on. `cut`: there was more to look at.
void remember_empty(Connection& connection, const Holding& holding, std::int64_t seen, bool cut);
/// Up to where this connection's last empty fetch of the partition has looked; 0 where none has.
[[nodiscard]] std::int64_t seen_empty(const Connection& connection, const Holding& holding);

/// The subscription of the argument `name`, which must be a checked one; throws EV002.
[[nodiscard]] Subscription load_subscription(Connection& connection, std::string_view name);
[[nodiscard]] Name subscription_name(sqlite3_value* value);

[[nodiscard]] Error no_subscription(std::string_view name);
[[nodiscard]] Error damaged_subscription(std::string_view name);
[[nodiscard]] Error lease_lost(std::string_view name, std::int64_t token);

/// Throws EV010 where a subscription is not what evercore wrote: what it has not read cannot be known.
/// To be called before unread(), once a call.
void require_sound_subscriptions(Connection& connection);

/// Inside atomically() only: says so if a subscription whose filter they pass, paused or not, has not
/// read the events of the aggregate up to `sequence`.
[[nodiscard]] std::optional<std::string> unread(Connection& connection, const Aggregate& aggregate,
                                                std::int64_t sequence);

/// The events after a position up to `last` that pass a filter, found as a fetch finds them.
[[nodiscard]] std::unique_ptr<Rows> filtered_rows(Connection& connection, const Filter& filter,
                                                  std::int64_t after, std::int64_t limit,
                                                  std::int64_t last, std::uint64_t columns_used);

extern const Function subscription_functions[5];
extern const Function lease_functions[4];
extern const TableFunction fetch_table;

}  // namespace evercore::ext
