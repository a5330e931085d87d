// Queries: which events, by type and by tag, and appends that depend on one.
//
//   SELECT count(*), coalesce(max(position), 0)
//     FROM evercore_query('[{"types":["StudentSubscribed"],"tags":["course:c1"]}]');      -- 3, 812
//   SELECT evercore_append_many('[…]', '[{"types":["StudentSubscribed"],"tags":["course:c1"]}]', 812);
//
// An event matches an item when its type is among the item's types and it has all of its tags. An
// item with tags is found by evercore_event_tag, one without by the index by type (type_index.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connection.h"
#include "log.h"
#include "table_function.h"

namespace evercore::ext {

struct QueryItem {
  std::vector<std::string> types;     ///< empty: of any
  std::vector<std::string> tags;      ///< empty: with any and none
  std::optional<std::int64_t> after;  ///< of a condition's item
};

struct Query {
  std::vector<QueryItem> items;  ///< empty: every event matches
};

/// Reads the argument `query`; throws EV004, EV005 and EV009.
[[nodiscard]] Query parse_query(Connection& connection, std::string_view json);
/// Reads the argument `condition`, whose items may say after which position they look.
[[nodiscard]] Query parse_condition(Connection& connection, std::string_view json);

/// The positions of the events that match, in order, each once.
class Matches {
 public:
  /// The matches up to `last` that lie after the item's own position, or after `after` where it has none.
  Matches(Connection& connection, const Query& query, std::int64_t after, std::int64_t last);
  /// The events that have all of `tags` and one of the types; an empty list of types means any.
  Matches(Connection& connection, const std::vector<std::string>& tags,
          const std::vector<std::int64_t>& type_ids, std::int64_t after, std::int64_t last);
  ~Matches();
  Matches(const Matches&) = delete;
  Matches& operator=(const Matches&) = delete;

  /// The next of them; 0 at the end.
  std::int64_t next();

  class Source;

 private:
  struct Found {
    std::int64_t position;
    Source* source;
    /// The order of the heap: the least position comes first.
    friend bool operator<(const Found& a, const Found& b) { return a.position > b.position; }
  };
  void add(std::unique_ptr<Source> source, std::int64_t after);
  /// `type_ids`: null means any.
  void add_tagged(const std::vector<std::string>& tags, const std::vector<std::int64_t>* type_ids,
                  std::int64_t after);
  void look(Source& source, std::int64_t from);

  Connection& connection_;
  std::int64_t last_;
  std::optional<Statement> seek_tag_;
  std::optional<Statement> seek_type_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<Found> found_;  // a heap, the least position in front
};

/// The rows of the log at some positions. The statement gives that at ?1, or nothing.
class MatchedRows : public LogRows {
 public:
  MatchedRows(Connection& connection, Statement row, std::unique_ptr<Matches> matches,
              std::int64_t limit)
      : LogRows(connection, std::move(row)), matches_(std::move(matches)), left_(limit) {}
  bool next() override;

 private:
  std::unique_ptr<Matches> matches_;
  std::int64_t left_;
};

/// Inside atomically() only. What an append depends on: a query, and the position it was read at.
struct Condition {
  Query query;
  std::int64_t after = 0;  ///< for the items that bear none
};
/// Throws EV009 where it names a position that was never given.
void check_positions(Connection& connection, const Condition& condition);
/// EV010 where the condition cannot be looked at, EV001 where an event matches it.
[[nodiscard]] std::optional<Error> refusal(Connection& connection, const Condition& condition);

extern const TableFunction query_table;

}  // namespace evercore::ext
