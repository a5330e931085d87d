// evercore_fetch: the events after a partition's cursor that pass the filter, in order of position.
//
// There are five ways to find them, chosen by the filter:
//   by position    without a filter: the plain scan of a follower
//   by aggregate   with a natural key: through the index on (aggregate_id, sequence), from the
//                  sequence that a binary search finds for the cursor
//   by event type  where there is an index by it (type_index.h):
//                  one statement a type, each in order of position, merged here: an IN would make
//                  SQLite sort all that is left of the log for each batch
//   by tag         through the index of tags, which each tag of the filter leaps along (query.h)
//   by scan        otherwise, looking at each event after the cursor
//
// A fetch that would look at very many events without finding one ends empty before the head. What it
// has looked at is noted: an ack of NULL moves past it, and the next fetch begins there.
//
// The statement that reads this table holds its snapshot from its start: the token is looked at and
// the events are read at one moment of the store.
#include <algorithm>
#include <array>

#include "error.h"
#include "fold.h"
#include "head.h"
#include "log.h"
#include "passes.h"
#include "query.h"
#include "subscription.h"
#include "type_index.h"
#include "value.h"

namespace evercore::ext {

namespace {

constexpr std::int64_t default_limit = 100;
constexpr std::size_t most_merged = 64;  // event types; more of them are found by the scan

/// How many events one fetch looks at where its filter passes none of them.
constexpr std::int64_t most_examined = 100'000;

// What is left to look at in each event: ?4 a type of aggregates, ?5 ids of event types, ?6 and ?7
// the partition.
// clang-format off
#define AND_PASSES                             \
  " AND " EVERCORE_PASSES_AGGREGATE_TYPE("?4") \
  " AND " EVERCORE_PASSES_TYPE_ARRAY("?5")     \
  " AND e.aggregate_id % ?6 = ?7"
// clang-format on

/// Remembers how far a fetch that found nothing has looked, for the next fetch and for an ack of NULL.
/// Does nothing for a follower, which has no subscription.
class Sight {
 public:
  /// The fetch looks up to `last`, below the head where it is cut.
  Sight(Connection& connection, Holding holding, std::int64_t last, std::int64_t head)
      : connection_(connection), holding_(std::move(holding)), last_(last), head_(head) {}

  /// To be told of each step of the rows; gives `more` back.
  bool saw(bool more) {
    if (more) {
      empty_ = false;
    } else if (empty_ && holding_.subscription_id != 0) {
      const std::int64_t seen = last_ < head_ ? before_next() : head_;
      remember_empty(connection_, holding_, seen, seen < head_);
    }
    return more;
  }

 private:
  /// Just before the event after `last`: positions that nothing has are no work for another fetch.
  std::int64_t before_next() {
    Statement next = connection_.prepare(
        "SELECT min(position) FROM main.evercore_event NOT INDEXED WHERE position > ?1"
        " AND position <= ?2");
    next.bind(1, last_).bind(2, head_).step();
    return next.is_null(0) ? head_ : next.integer(0) - 1;
  }

  Connection& connection_;
  Holding holding_;
  std::int64_t last_;
  std::int64_t head_;
  bool empty_ = true;
};

class FetchRows : public LogRows {
 public:
  FetchRows(Connection& connection, Statement statement, Sight sight)
      : LogRows(connection, std::move(statement)), sight_(std::move(sight)) {}
  bool next() override { return sight_.saw(LogRows::next()); }

 private:
  Sight sight_;
};

/// The events that bear some tags.
class TaggedRows : public MatchedRows {
 public:
  TaggedRows(Connection& connection, Statement row, std::unique_ptr<Matches> matches,
             std::int64_t limit, Sight sight)
      : MatchedRows(connection, std::move(row), std::move(matches), limit),
        sight_(std::move(sight)) {}
  bool next() override { return sight_.saw(MatchedRows::next()); }

 private:
  Sight sight_;
};

/// Several sources, each in order of position, as one.
class MergedRows : public Rows {
 public:
  MergedRows(std::vector<std::unique_ptr<LogRows>> sources, std::int64_t limit, Sight sight)
      : sources_(std::move(sources)), left_(limit), sight_(std::move(sight)) {
    std::erase_if(sources_, [](const auto& source) { return !source->next(); });
  }

  bool next() override {
    if (left_-- == 0) return false;
    if (!first_ && !sources_[at_]->next()) {
      sources_.erase(sources_.begin() + static_cast<std::ptrdiff_t>(at_));
    }
    first_ = false;
    const auto by_position = [](const auto& a, const auto& b) { return a->rowid() < b->rowid(); };
    const auto least = std::min_element(sources_.begin(), sources_.end(), by_position);
    at_ = static_cast<std::size_t>(least - sources_.begin());
    return sight_.saw(least != sources_.end());
  }

  void column(sqlite3_context* context, int column) override {
    sources_[at_]->column(context, column);
  }
  [[nodiscard]] std::int64_t rowid() const override { return sources_[at_]->rowid(); }

 private:
  std::vector<std::unique_ptr<LogRows>> sources_;
  std::size_t at_ = 0;
  std::int64_t left_;
  Sight sight_;
  bool first_ = true;
};

constexpr int most_gaps = 64;

/// Where a bounded fetch ends: after most_examined positions, not counting gaps that it would end in.
/// evercore_restored() leaves a gap of a million positions, which should not cost ten empty fetches.
std::int64_t bounded_end(Connection& connection, std::int64_t after, std::int64_t head) {
  Statement below = connection.prepare(
      "SELECT position FROM main.evercore_event NOT INDEXED WHERE position > ?1 AND position <= ?2"
      " ORDER BY position DESC LIMIT 1");
  Statement above = connection.prepare(
      "SELECT position FROM main.evercore_event NOT INDEXED WHERE position > ?1"
      " ORDER BY position LIMIT 1");
  std::int64_t last = after + most_examined;
  for (int gaps = 0; last < head && gaps < most_gaps; ++gaps) {
    below.reset();
    const bool found = below.bind(1, after).bind(2, last).step();
    const std::int64_t left = last - (found ? below.integer(0) : after);
    above.reset();
    if (left == 0) return last;
    if (!above.bind(1, last).step() || above.integer(0) > head - left) return head;
    last = above.integer(0) - 1 + left;
  }
  return std::min(last, head);
}

/// One opening of the table function.
struct Fetch {
  Connection& connection;
  const Holding& holding;
  std::int64_t limit;
  std::int64_t head;
  std::int64_t after;                   ///< the cursor, or where an empty fetch has looked since
  std::optional<std::int64_t> type_id;  ///< of aggregates, where the filter has one
  std::string event_type_ids;           ///< of json_each; empty: all

  [[nodiscard]] Sight sight() const { return {connection, holding, head, head}; }
  [[nodiscard]] Sight sight(std::int64_t last) const { return {connection, holding, last, head}; }
  /// Up to which position this fetch looks. A follower has no cursor that could move on without an event,
  /// so it looks at all positions.
  [[nodiscard]] std::int64_t last() const {
    const bool bounded = holding.subscription_id != 0 && head - after > most_examined;
    return bounded ? bounded_end(connection, after, head) : head;
  }
};

/// ?4 to ?7 of AND_PASSES.
void bind_filter(Statement& statement, const Fetch& fetch) {
  if (fetch.type_id) statement.bind(4, *fetch.type_id);
  if (!fetch.event_type_ids.empty()) {
    sqlite3_bind_text(statement.handle(), 5, fetch.event_type_ids.c_str(), -1, SQLITE_TRANSIENT);
  }
  statement.bind(6, fetch.holding.partitions).bind(7, fetch.holding.partition);
}

std::unique_ptr<Rows> by_position(const Fetch& fetch, std::uint64_t columns_used) {
  Statement statement =
      events_by_position(fetch.connection, fetch.after, fetch.head, fetch.limit, columns_used);
  return std::make_unique<FetchRows>(fetch.connection, std::move(statement), fetch.sight());
}

std::unique_ptr<Rows> by_scan(const Fetch& fetch) {
  const std::int64_t last = fetch.last();
  Statement statement = fetch.connection.prepare(
      EVERCORE_LOG_BY_POSITION " WHERE e.position > ?1 AND e.position <= ?2" AND_PASSES
                               " ORDER BY e.position LIMIT ?3");
  statement.bind(1, fetch.after).bind(2, last).bind(3, fetch.limit);
  bind_filter(statement, fetch);
  return std::make_unique<FetchRows>(fetch.connection, std::move(statement), fetch.sight(last));
}

#define OF_ONE_TYPE                                                           \
  " WHERE e.type_id = ?8 AND e.position > ?1 AND e.position <= ?2" AND_PASSES \
  " ORDER BY e.position LIMIT ?3"

std::unique_ptr<Rows> by_event_type(const Fetch& fetch, TypeIndex index) {
  // If every event of the types passes, the limit already bounds how many are looked at.
  const bool all_pass = !fetch.type_id && fetch.holding.partitions == 1;
  const std::int64_t last = all_pass ? fetch.head : fetch.last();
  const Sql sql = index == TypeIndex::named ? Sql(EVERCORE_SELECT_LOG(EVERCORE_BY_TYPE) OF_ONE_TYPE)
                                            : Sql(EVERCORE_SELECT_LOG("") OF_ONE_TYPE);
  std::vector<std::unique_ptr<LogRows>> sources;
  for (const std::int64_t event_type_id : fetch.holding.type_ids) {
    Statement statement = fetch.connection.prepare(sql);
    statement.bind(1, fetch.after).bind(2, last).bind(3, fetch.limit);
    bind_filter(statement, fetch);
    statement.bind_null(5).bind(8, event_type_id);
    sources.push_back(std::make_unique<LogRows>(fetch.connection, std::move(statement)));
  }
  return std::make_unique<MergedRows>(std::move(sources), fetch.limit, fetch.sight(last));
}

std::unique_ptr<Rows> by_tag(const Fetch& fetch) {
  Connection& connection = fetch.connection;
  const Holding& holding = fetch.holding;
  const bool all_pass = !fetch.type_id && holding.partitions == 1;
  const std::int64_t last = all_pass ? fetch.head : fetch.last();
  Statement row = connection.prepare(EVERCORE_LOG_BY_POSITION " WHERE e.position = ?1" AND_PASSES);
  bind_filter(row, fetch);
  row.bind_null(5);
  return std::make_unique<TaggedRows>(
      connection, std::move(row),
      std::make_unique<Matches>(connection, holding.tags, holding.type_ids, fetch.after, last),
      fetch.limit, fetch.sight(last));
}

/// The last sequence of the aggregate at or below `position`, by binary search: positions grow with
/// sequences, and only compacted ones are missing.
std::int64_t sequence_at_position(Connection& connection, const Aggregate& aggregate,
                                  std::int64_t position) {
  Statement find = connection.prepare(
      "SELECT position FROM main.evercore_event WHERE aggregate_id = ?1 AND sequence = ?2");
  std::int64_t below = aggregate.base;
  std::int64_t above = aggregate.version + 1;
  while (above - below > 1) {
    const std::int64_t middle = below + (above - below) / 2;
    find.reset();
    const bool read = find.bind(1, aggregate.id).bind(2, middle).step();
    (read && find.integer(0) > position ? above : below) = middle;
  }
  return below;
}

/// The position of an event; 0 where it is missing in a damaged store, as if nothing had been looked at.
std::int64_t position_of(Connection& connection, std::int64_t aggregate_id, std::int64_t sequence) {
  Statement find = connection.prepare(
      "SELECT position FROM main.evercore_event WHERE aggregate_id = ?1 AND sequence = ?2");
  return find.bind(1, aggregate_id).bind(2, sequence).step() ? find.integer(0) : 0;
}

std::unique_ptr<Rows> by_aggregate(const Fetch& fetch, std::int64_t aggregate_id) {
  Connection& connection = fetch.connection;
  const Aggregate aggregate = load_aggregate(connection, aggregate_id);
  const std::int64_t after = sequence_at_position(connection, aggregate, fetch.after);
  const bool bounded =
      fetch.holding.subscription_id != 0 && aggregate.version - after > most_examined;
  const std::int64_t upto = bounded ? after + most_examined : aggregate.version;
  const std::int64_t last =
      bounded ? std::min(fetch.head, position_of(connection, aggregate.id, upto)) : fetch.head;
  Statement statement = connection.prepare(
      EVERCORE_LOG_BY_SEQUENCE " WHERE e.aggregate_id = ?1 AND e.sequence > ?2" AND_PASSES
                               " AND e.sequence <= ?8 AND e.position <= ?9"
                               " AND " EVERCORE_PASSES_TAGS("?10") " ORDER BY e.sequence LIMIT ?3");
  statement.bind(1, aggregate.id).bind(2, after).bind(3, fetch.limit).bind(8, upto);
  statement.bind(9, fetch.head);
  const std::string tags = array_of(fetch.holding.tags);
  if (!fetch.holding.tags.empty()) {
    sqlite3_bind_text(statement.handle(), 10, tags.c_str(), -1, SQLITE_TRANSIENT);
  }
  bind_filter(statement, fetch);
  return std::make_unique<FetchRows>(connection, std::move(statement), fetch.sight(last));
}

std::unique_ptr<Rows> nothing_passes(const Fetch& fetch) {
  static_cast<void>(fetch.sight().saw(false));
  return nullptr;
}

std::unique_ptr<Rows> find_rows(Fetch& fetch, std::uint64_t columns_used) {
  const Holding& holding = fetch.holding;
  Connection& connection = fetch.connection;
  if (!holding.filter && holding.partitions == 1) return by_position(fetch, columns_used);
  connection.require_same_store();  // as the head was when it was read
  require_filled(connection, holding.tags, [&](const DeclaredTypes::Type& type) {
    return holding.type_ids.empty() || std::find(holding.type_ids.begin(), holding.type_ids.end(),
                                                 type.type_id) != holding.type_ids.end();
  });
  if (holding.aggregate_type) {
    fetch.type_id = find_aggregate_type(connection, *holding.aggregate_type);
    if (!fetch.type_id) return nothing_passes(fetch);
  }
  for (const std::int64_t id : holding.type_ids) {
    fetch.event_type_ids += (fetch.event_type_ids.empty() ? '[' : ',') + std::to_string(id);
  }
  if (!fetch.event_type_ids.empty()) fetch.event_type_ids += ']';
  if (holding.natural_key) {
    const auto id = find_aggregate(connection, *holding.aggregate_type, *holding.natural_key);
    return id ? by_aggregate(fetch, *id) : nothing_passes(fetch);
  }
  if (!holding.tags.empty()) return by_tag(fetch);
  const std::size_t event_types = holding.type_ids.size();
  if (event_types > 0 && event_types <= most_merged) {
    const TypeIndex index = index_by_type(connection);
    if (index != TypeIndex::none) return by_event_type(fetch, index);
  }
  return by_scan(fetch);
}

Error beyond_head(std::string_view name, std::int64_t cursor) {
  return error(9, "cursor of subscription \"" + std::string(name) +
                      "\" is beyond the head: " + std::to_string(cursor));
}

std::unique_ptr<Rows> open_fetch(Connection& connection, const TableArguments& arguments) {
  if (arguments[0] == nullptr) throw error(5, "name is NULL");
  if (arguments[1] == nullptr) throw error(9, "token is NULL");
  const Name name = subscription_name(arguments[0]);
  const std::int64_t token = integer_of(arguments[1], "token");
  const std::int64_t limit =
      arguments[2] == nullptr ? default_limit : integer_from(arguments[2], "limit", 0);
  const Holding holding = load_holding(connection, name, token);
  if (!holding.active || limit == 0) return nullptr;
  const Head head = load_head(connection);
  if (holding.position > head.newest) throw beyond_head(name, holding.position);
  const std::int64_t seen = std::min(seen_empty(connection, holding), head.committed);
  const std::int64_t after = std::max(holding.position, seen);
  Fetch fetch{connection, holding, limit, head.committed, after, {}, {}};
  return find_rows(fetch, arguments.columns_used);
}

}  // namespace

std::unique_ptr<Rows> filtered_rows(Connection& connection, const Filter& filter,
                                    std::int64_t after, std::int64_t limit, std::int64_t last,
                                    std::uint64_t columns_used) {
  Holding all;
  all.position = after;
  all.filter = canonical(filter);
  all.aggregate_type = filter.aggregate_type;
  all.natural_key = filter.natural_key;
  all.tags = filter.tags;
  for (const std::string& name : filter.event_types) {
    const auto id = find_event_type(connection, name);
    if (id && std::find(all.type_ids.begin(), all.type_ids.end(), *id) == all.type_ids.end()) {
      all.type_ids.push_back(*id);
    }
  }
  if (!filter.event_types.empty() && all.type_ids.empty()) return nullptr;
  if (limit == 0 || after >= last) return nullptr;
  Fetch fetch{connection, all, limit, last, after, {}, {}};
  return find_rows(fetch, columns_used);
}

const TableFunction fetch_table = {
    "evercore_fetch",
    "CREATE TABLE x(" EVERCORE_LOG_COLUMNS
    ", name TEXT HIDDEN, token INTEGER HIDDEN, \"limit\" INTEGER HIDDEN)",
    log_columns,
    3,
    2,
    log_position,
    open_fetch};

}  // namespace evercore::ext
