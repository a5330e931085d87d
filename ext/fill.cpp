// Tagging the events that were there before their type declared tags; evercore_fill.
#include <limits>
#include <vector>

#include "error.h"
#include "event_type.h"
#include "head.h"
#include "kept_state.h"
#include "left_to_fill.h"
#include "maintenance.h"
#include "tag.h"
#include "type_index.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

/// The events that are left: those of one type between two positions.
#define OLD_EVENTS(columns, by_type)                         \
  "SELECT " columns " FROM main.evercore_event " by_type     \
  " WHERE position > ?1 AND position <= ?2 AND type_id = ?3" \
  " AND aggregate_id <> 0"
#define IN_ORDER " ORDER BY position LIMIT ?4"

/// The positions of the next events that are left, at most `most`.
std::vector<std::int64_t> next_events(Connection& connection, const Left& left, std::int64_t most) {
  Statement find = connection.prepare(index_by_type(connection) == TypeIndex::named
                                          ? Sql(OLD_EVENTS("position", EVERCORE_BY_TYPE) IN_ORDER)
                                          : Sql(OLD_EVENTS("position", "NOT INDEXED") IN_ORDER));
  find.bind(1, left.after).bind(2, left.upto).bind(3, left.type_id).bind(4, most);
  std::vector<std::int64_t> positions;
  while (find.step()) positions.push_back(find.integer(0));
  return positions;
}

std::int64_t count_events(Connection& connection, const Left& left) {
  Statement count = connection.prepare(index_by_type(connection) == TypeIndex::named
                                           ? Sql(OLD_EVENTS("count(*)", EVERCORE_BY_TYPE))
                                           : Sql(OLD_EVENTS("count(*)", "NOT INDEXED")));
  count.bind(1, left.after).bind(2, left.upto).bind(3, left.type_id).step();
  return count.integer(0);
}

/// The tags that an event has already.
std::optional<Tags> tags_of(Connection& connection, const Statement& row, std::int64_t position) {
  if (row.is_null(1) && row.is_null(2)) return std::nullopt;
  auto tags = stored_tags(connection.payload, row.text(1));
  const std::int64_t declared = row.integer(2);
  if (!tags || declared < 0 || declared > static_cast<std::int64_t>(tags->names.size())) {
    throw damaged("tags of event " + std::to_string(position));
  }
  tags->declared = static_cast<std::size_t>(declared);
  return tags;
}

void store_tags(Connection& connection, std::int64_t position, const Tags& tags) {
  const auto bind = [&](Statement& statement) -> Statement& {
    return statement.bind(1, position)
        .bind(2, tags.text)
        .bind(3, static_cast<std::int64_t>(tags.declared));
  };
  Statement store = connection.prepare(
      "UPDATE main.evercore_event SET tags = ?2, declared_tags = ?3 WHERE position = ?1");
  bind(store).run();
  Statement look = connection.prepare(
      "SELECT 1 FROM main.evercore_event WHERE position = ?1 AND tags = ?2 AND declared_tags = ?3");
  require_written(bind(look));
}

/// What the tags of a type's events are derived by.
struct Derivation {
  std::string event_type;
  DeclaredTags tags;
  StoredUpcast upcast;
};

/// Gives an event the declared tags that it lacks. An erased event has no data to derive tags from.
void tag_event(Connection& connection, std::int64_t type_id, std::int64_t position,
               const Derivation& declared) {
  Statement row = connection.prepare(
      "SELECT data, tags, declared_tags FROM main.evercore_event WHERE position = ?1");
  if (!row.bind(1, position).step() || row.is_null(0)) return;
  const auto stored = tags_of(connection, row, position);
  std::string buffer;
  const std::string_view data = declared.upcast.apply(declared.event_type, row.text(0), buffer);
  const auto tags = with_lacking(declared.tags, data, stored, position);
  row.reset();
  if (!tags) return;
  store_tags(connection, position, *tags);
  Tags added;
  for (const std::string& name : tags->names) {
    const bool there = stored && std::find(stored->names.begin(), stored->names.end(), name) !=
                                     stored->names.end();
    if (!there) added.names.push_back(name);
  }
  index_tags(connection, added, type_id, position);
}

void tag_events(Connection& connection, const Left& left,
                const std::vector<std::int64_t>& positions, const Derivation& declared) {
  if (positions.empty()) return;
  with_maintenance(connection, [&] {
    for (const std::int64_t position : positions) {
      tag_event(connection, left.type_id, position, declared);
    }
  });
}

Derivation declaration_of(Connection& connection, std::int64_t type_id) {
  Statement load = connection.prepare(
      "SELECT tags, name, upcast FROM main.evercore_event_type WHERE type_id = ?1");
  load.bind(1, type_id).step();
  auto tags = sound_declaration(connection, load.text(0));
  if (!tags) throw damaged_declaration(load.text(1));
  return {std::string(load.text(1)), std::move(*tags),
          stored_upcast(connection, load.nullable_text(2))};
}

void mark_left(Connection& connection, const Left& left) {
  mark_declaration(connection);  // others may look whether the type is filled
  store_left(connection, LeftOf::event_types, left);
}

/// Tags at most `most` events of a type; returns how many of `most` remain.
std::int64_t fill_type(Connection& connection, Left& left, std::int64_t most) {
  const Derivation declared = declaration_of(connection, left.type_id);
  most = work_off(
      left, most,
      [&](const Left& from, std::int64_t wanted) { return next_events(connection, from, wanted); },
      [&](const auto& positions) { tag_events(connection, left, positions, declared); });
  mark_left(connection, left);
  return most;
}

}  // namespace

void tag_old_events(Connection& connection, std::int64_t type_id) {
  Left left{type_id, 0, head_position(connection), 0};
  left.count = count_events(connection, left);
  if (left.count <= most_at_once) {
    tag_events(connection, left, next_events(connection, left, left.count),
               declaration_of(connection, type_id));
    left.count = 0;
  }
  mark_left(connection, left);
}

void fill(const Call& call) {
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  if (sqlite3_value* value = call.optional(0)) most = integer_from(value, "max", 1);
  Connection& connection = call.connection;
  atomically(connection, [&] {
    std::int64_t all = 0;  // that is left
    for (Left& left : what_is_left(connection, LeftOf::event_types)) {
      if (most > 0) most = fill_type(connection, left, most);
      all += left.count;
    }
    fill_kept_states(connection, most, all);
    call.result(all);
  });
}

}  // namespace evercore::ext
