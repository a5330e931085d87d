#include "query.h"

#include <algorithm>
#include <limits>

#include "error.h"
#include "fold.h"
#include "head.h"
#include "log.h"
#include "tag.h"
#include "type_index.h"
#include "value.h"

namespace evercore::ext {

/// A source of positions in ascending order, which can leap ahead.
class Matches::Source {
 public:
  virtual ~Source() = default;
  /// The first at or above `from`; 0 where there is none. It is never asked for one below the last.
  virtual std::int64_t at_or_above(std::int64_t from) = 0;
};

namespace {

std::int64_t first_of(Statement& seek) {
  const std::int64_t position = seek.step() ? seek.integer(0) : 0;
  seek.reset();
  return position;
}

constexpr Sql seek_tag =
    "SELECT position FROM main.evercore_event_tag WHERE tag_id = ?1 AND type_id = ?2"
    " AND position >= ?3 ORDER BY position";

/// The events of one type that bear all of some tags: each tag in turn leaps to where the others are.
class TaggedSource : public Matches::Source {
 public:
  TaggedSource(Statement& seek, std::int64_t type_id, const std::vector<std::int64_t>& tag_ids)
      : seek_(seek), type_id_(type_id), tag_ids_(tag_ids) {}

  std::int64_t at_or_above(std::int64_t from) override {
    std::size_t agreed = 0;
    for (std::size_t i = 0; agreed < tag_ids_.size(); i = (i + 1) % tag_ids_.size()) {
      seek_.bind(1, tag_ids_[i]).bind(2, type_id_).bind(3, from);
      const std::int64_t position = first_of(seek_);
      if (position == 0) return 0;
      agreed = position == from ? agreed + 1 : 1;
      from = position;
    }
    return from;
  }

 private:
  Statement& seek_;
  std::int64_t type_id_;
  std::vector<std::int64_t> tag_ids_;
};

/// How many sources of a query may keep a statement open.
constexpr std::size_t most_walks = 16;

/// The same for one tag. A caller that asks for more than two events will likely ask for many: from then on it walks.
class TagSource : public Matches::Source {
 public:
  TagSource(Connection& connection, Statement& seek, std::int64_t type_id, std::int64_t tag_id)
      : connection_(connection), seek_(seek), type_id_(type_id), tag_id_(tag_id) {}

  std::int64_t at_or_above(std::int64_t from) override {
    if (++asked_ <= 2) {
      seek_.bind(1, tag_id_).bind(2, type_id_).bind(3, from);
      return first_of(seek_);
    }
    if (!walk_) {
      walk_.emplace(connection_.prepare(seek_tag));
      walk_->bind(1, tag_id_).bind(2, type_id_).bind(3, from);
    }
    while (walk_->step()) {
      if (const std::int64_t position = walk_->integer(0); position >= from) return position;
    }
    return 0;
  }

 private:
  Connection& connection_;
  Statement& seek_;
  std::int64_t type_id_;
  std::int64_t tag_id_;
  int asked_ = 0;
  std::optional<Statement> walk_;
};

/// The events of one type, through the index by type.
class TypedSource : public Matches::Source {
 public:
  TypedSource(Statement& seek, std::int64_t type_id) : seek_(seek), type_id_(type_id) {}

  std::int64_t at_or_above(std::int64_t from) override {
    seek_.bind(1, type_id_).bind(2, from);
    return first_of(seek_);
  }

 private:
  Statement& seek_;
  std::int64_t type_id_;
};

/// What a statement finds as it walks the log.
class WalkSource : public Matches::Source {
 public:
  explicit WalkSource(Statement walk) : walk_(std::move(walk)) {}

  std::int64_t at_or_above(std::int64_t from) override {
    while (position_ < from) {
      if (!walk_.step()) return 0;
      position_ = walk_.integer(0);
    }
    return position_;
  }

 private:
  Statement walk_;
  std::int64_t position_ = -1;
};

Statement walk_all(Connection& connection, std::int64_t after) {
  Statement walk = connection.prepare(
      "SELECT position FROM main.evercore_event NOT INDEXED WHERE position > ?1"
      " AND aggregate_id <> 0 ORDER BY position");
  walk.bind(1, after);
  return walk;
}

Statement walk_types(Connection& connection, const std::vector<std::int64_t>& type_ids,
                     std::int64_t after) {
  std::string list;
  for (const std::int64_t id : type_ids) list += (list.empty() ? '[' : ',') + std::to_string(id);
  list += ']';
  Statement walk = connection.prepare(
      "SELECT position FROM main.evercore_event NOT INDEXED WHERE position > ?1"
      " AND +type_id IN (SELECT value FROM json_each(?2)) ORDER BY position");
  walk.bind(1, after);
  sqlite3_bind_text(walk.handle(), 2, list.c_str(), -1, SQLITE_TRANSIENT);
  return walk;
}

/// The numbers of the types that the store has.
std::vector<std::int64_t> type_ids_of(Connection& connection,
                                      const std::vector<std::string>& names) {
  std::vector<std::int64_t> ids;
  for (const std::string& name : names) {
    if (const auto id = find_event_type(connection, name)) ids.push_back(*id);
  }
  return ids;
}

/// The types of the events that bear a tag: a seek for each.
std::vector<std::int64_t> types_under(Connection& connection, std::int64_t tag_id) {
  Statement next = connection.prepare(
      "SELECT type_id FROM main.evercore_event_tag WHERE tag_id = ?1 AND type_id > ?2"
      " ORDER BY type_id LIMIT 1");
  std::vector<std::int64_t> ids;
  std::int64_t last = std::numeric_limits<std::int64_t>::min();
  while (next.bind(1, tag_id).bind(2, last).step()) {
    last = next.integer(0);
    ids.push_back(last);
    next.reset();
  }
  return ids;
}

/// Throws where compaction removed what an item without tags asks for.
void refuse_compacted(Connection& connection, const Query& query, std::int64_t after) {
  const auto refuse = [](std::string_view type, std::int64_t position) {
    throw error(10, "events of \"" + std::string(type) + "\" up to " + std::to_string(position) +
                        " were compacted");
  };
  if (query.items.empty()) {
    Statement newest = connection.prepare(
        "SELECT t.name, (SELECT max(c.position) FROM main.evercore_compacted_type c"
        "  INDEXED BY evercore_compacted_type_position WHERE c.type_id = t.type_id) AS newest"
        " FROM main.evercore_event_type t ORDER BY newest DESC LIMIT 1");
    if (newest.step() && !newest.is_null(1) && newest.integer(1) > after) {
      refuse(newest.text(0), newest.integer(1));
    }
    return;
  }
  Statement newest = connection.prepare(
      "SELECT max(c.position) FROM main.evercore_event_type t"
      " CROSS JOIN main.evercore_compacted_type c INDEXED BY evercore_compacted_type_position"
      " ON c.type_id = t.type_id WHERE t.name = ?1");
  for (const QueryItem& item : query.items) {
    if (!item.tags.empty()) continue;
    for (const std::string& type : item.types) {
      newest.bind(1, type).step();
      if (!newest.is_null(0) && newest.integer(0) > item.after.value_or(after)) {
        refuse(type, newest.integer(0));
      }
      newest.reset();
    }
  }
}

/// Throws where old events that an item asks for may not bear their tags yet.
void refuse_unfilled(Connection& connection, const Query& query) {
  for (const QueryItem& item : query.items) {
    require_filled(connection, item.tags, [&](const DeclaredTypes::Type& type) {
      return item.types.empty() ||
             std::find(item.types.begin(), item.types.end(), type.name) != item.types.end();
    });
  }
}

bool has_item_without_tags(const Query& query) {
  return query.items.empty() || std::any_of(query.items.begin(), query.items.end(),
                                            [](const auto& item) { return item.tags.empty(); });
}

/// One range of the index by tag, in order of position.
struct TagRange {
  std::int64_t tag_id;
  std::int64_t type_id;
  std::int64_t after;
};

/// The one range that holds all that a query asks for; nothing where it takes several ranges, or matches no event.
std::optional<TagRange> only_range(Connection& connection, const Query& query, std::int64_t after) {
  if (query.items.size() != 1 || query.items.front().tags.size() != 1) return std::nullopt;
  const QueryItem& item = query.items.front();
  const auto tag_id = find_tag(connection, item.tags.front());
  if (!tag_id) return std::nullopt;
  const std::vector<std::int64_t> types =
      item.types.empty() ? types_under(connection, *tag_id) : type_ids_of(connection, item.types);
  if (types.size() != 1) return std::nullopt;
  return TagRange{*tag_id, types.front(), item.after.value_or(after)};
}

#define EVERCORE_FROM_TAG                      \
  " FROM main.evercore_event_tag x CROSS JOIN" \
  " main.evercore_event e " EVERCORE_BY_POSITION " ON e.position = x.position"
#define EVERCORE_IN_RANGE                     \
  " WHERE x.tag_id = ?1 AND x.type_id = ?2"   \
  " AND x.position > ?3 AND x.position <= ?4" \
  " AND e.aggregate_id <> 0 ORDER BY x.position LIMIT ?5"

/// The events of one range by one statement: looking each up costs twice as much.
std::unique_ptr<Rows> range_rows(Connection& connection, const TagRange& range, std::int64_t last,
                                 std::int64_t limit, std::uint64_t columns_used) {
  Statement rows =
      connection.prepare((columns_used & log_aggregate_columns) != 0
                             ? Sql("SELECT " EVERCORE_WHOLE EVERCORE_FROM_TAG
                                   " CROSS JOIN main.evercore_aggregate a ON a.aggregate_id = "
                                   "e.aggregate_id" EVERCORE_IN_RANGE)
                             : Sql("SELECT " EVERCORE_ALONE EVERCORE_FROM_TAG EVERCORE_IN_RANGE));
  rows.bind(1, range.tag_id).bind(2, range.type_id).bind(3, range.after);
  rows.bind(4, last).bind(5, limit);
  return std::make_unique<LogRows>(connection, std::move(rows));
}

std::unique_ptr<Rows> open_query(Connection& connection, const TableArguments& arguments) {
  if (arguments[0] == nullptr) throw error(9, "query is NULL");
  const Query query = parse_query(connection, document_of(arguments[0], "query"));
  const std::int64_t after = arguments[1] == nullptr ? 0 : integer_of(arguments[1], "after");
  const std::int64_t limit = limit_of(arguments[2]);
  const std::int64_t last = load_head(connection).newest;
  if (after > last) throw out_of_range("after", after);
  connection.require_same_store();  // the head was read a moment ago: as it was then
  refuse_unfilled(connection, query);
  refuse_compacted(connection, query, after);
  if (query.items.empty()) {
    return std::make_unique<LogRows>(
        connection, events_by_position(connection, after, last, limit, arguments.columns_used));
  }
  if (const auto range = only_range(connection, query, after)) {
    return range_rows(connection, *range, last, limit, arguments.columns_used);
  }
  Statement row = connection.prepare(
      (arguments.columns_used & log_aggregate_columns) != 0
          ? Sql(EVERCORE_LOG_BY_POSITION " WHERE e.position = ?1")
          : Sql(EVERCORE_ALONE_BY_POSITION " WHERE e.position = ?1 AND e.aggregate_id <> 0"));
  return std::make_unique<MatchedRows>(
      connection, std::move(row), std::make_unique<Matches>(connection, query, after, last), limit);
}

}  // namespace

Matches::Matches(Connection& connection, const Query& query, std::int64_t after, std::int64_t last)
    : connection_(connection), last_(last) {
  if (query.items.empty()) {
    add(std::make_unique<WalkSource>(walk_all(connection, after)), after);
  }
  const bool indexed =
      has_item_without_tags(query) && index_by_type(connection) == TypeIndex::named;
  std::vector<std::int64_t> walked;  // types to be looked for in the log itself
  for (const QueryItem& item : query.items) {
    const std::int64_t from = item.after.value_or(after);
    const std::vector<std::int64_t> type_ids = type_ids_of(connection, item.types);
    if (!item.tags.empty()) {
      add_tagged(item.tags, item.types.empty() ? nullptr : &type_ids, from);
    } else if (!indexed) {
      walked.insert(walked.end(), type_ids.begin(), type_ids.end());
    } else {
      if (!seek_type_) {
        seek_type_.emplace(
            connection.prepare("SELECT position FROM main.evercore_event " EVERCORE_BY_TYPE
                               " WHERE type_id = ?1 AND position >= ?2 ORDER BY position LIMIT 1"));
      }
      for (const std::int64_t type_id : type_ids) {
        add(std::make_unique<TypedSource>(*seek_type_, type_id), from);
      }
    }
  }
  if (!walked.empty()) {
    add(std::make_unique<WalkSource>(walk_types(connection, walked, after)), after);
  }
}

Matches::Matches(Connection& connection, const std::vector<std::string>& tags,
                 const std::vector<std::int64_t>& type_ids, std::int64_t after, std::int64_t last)
    : connection_(connection), last_(last) {
  add_tagged(tags, type_ids.empty() ? nullptr : &type_ids, after);
}

Matches::~Matches() = default;

void Matches::add_tagged(const std::vector<std::string>& tags,
                         const std::vector<std::int64_t>* type_ids, std::int64_t after) {
  std::vector<std::int64_t> tag_ids;
  for (const std::string& tag : tags) {
    const auto id = find_tag(connection_, tag);
    if (!id) return;
    tag_ids.push_back(*id);
  }
  if (!seek_tag_) {
    seek_tag_.emplace(connection_.prepare(seek_tag));
  }
  for (const std::int64_t type_id :
       type_ids == nullptr ? types_under(connection_, tag_ids.front()) : *type_ids) {
    if (tag_ids.size() == 1 && sources_.size() < most_walks) {
      add(std::make_unique<TagSource>(connection_, *seek_tag_, type_id, tag_ids.front()), after);
    } else {
      add(std::make_unique<TaggedSource>(*seek_tag_, type_id, tag_ids), after);
    }
  }
}

void Matches::add(std::unique_ptr<Source> source, std::int64_t after) {
  sources_.push_back(std::move(source));
  look(*sources_.back(), std::max<std::int64_t>(after, 0) + 1);
}

void Matches::look(Source& source, std::int64_t from) {
  const std::int64_t position = source.at_or_above(from);
  if (position == 0 || position > last_) return;
  found_.push_back({position, &source});
  std::push_heap(found_.begin(), found_.end());
}

std::int64_t Matches::next() {
  if (found_.empty()) return 0;
  const std::int64_t position = found_.front().position;
  while (!found_.empty() && found_.front().position == position) {
    std::pop_heap(found_.begin(), found_.end());
    Source& source = *found_.back().source;
    found_.pop_back();
    look(source, position + 1);
  }
  return position;
}

bool MatchedRows::next() {
  while (left_ != 0) {
    const std::int64_t position = matches_->next();
    if (position == 0) return false;
    statement_.reset();
    statement_.bind(1, position);
    if (!LogRows::next()) continue;
    --left_;
    return true;
  }
  return false;
}

void check_positions(Connection& connection, const Condition& condition) {
  const std::int64_t head = head_position(connection);
  const auto& items = condition.query.items;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].after.value_or(0) <= head) continue;
    throw error(9, "condition: /" + std::to_string(i) + "/after: out of range");
  }
  if (condition.after < 0 || condition.after > head) throw out_of_range("after", condition.after);
}

std::optional<Error> refusal(Connection& connection, const Condition& condition) {
  if (has_item_without_tags(condition.query) && index_by_type(connection) != TypeIndex::named) {
    return error(10,
                 "a condition without tags needs the index by type: SELECT evercore_index_types()");
  }
  try {
    refuse_unfilled(connection, condition.query);
    refuse_compacted(connection, condition.query, condition.after);
  } catch (const Error& failure) {
    if (failure.code == Code::engine) throw;
    return failure;
  }
  Matches matches(connection, condition.query, condition.after,
                  std::numeric_limits<std::int64_t>::max());
  const std::int64_t position = matches.next();
  if (position == 0) return std::nullopt;
  Statement type = connection.prepare(
      "SELECT t.name FROM main.evercore_event e CROSS JOIN main.evercore_event_type t"
      " ON t.type_id = e.type_id WHERE e.position = ?1");
  const bool there = type.bind(1, position).step();
  return error(1, "conflict: event " + std::to_string(position) + " (" +
                      std::string(there ? type.text(0) : "") + ") matches the condition");
}

const TableFunction query_table = {
    "evercore_query",
    "CREATE TABLE x(" EVERCORE_LOG_COLUMNS
    ", query TEXT HIDDEN, \"after\" INTEGER HIDDEN, \"limit\" INTEGER HIDDEN)",
    log_columns,
    3,
    1,
    log_position,
    open_query};

}  // namespace evercore::ext
