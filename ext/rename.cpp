#include "rename.h"

#include <algorithm>
#include <string>
#include <vector>

#include "aggregate.h"
#include "error.h"
#include "fold.h"
#include "kept_state.h"
#include "subscription.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

struct Renaming {
  bool of_events;
  std::string_view old_name;
  std::string_view new_name;

  [[nodiscard]] std::string what(std::string_view name) const {
    return (of_events ? "event type \"" : "aggregate type \"") + std::string(name) + "\"";
  }
};

bool kind_is_event(sqlite3_value* value) {
  const std::string_view kind = required_text(value, "kind");
  if (kind != "event" && kind != "aggregate") {
    throw error(9, "kind is not event or aggregate: \"" + std::string(kind) + "\"");
  }
  return kind == "event";
}

/// A filter that names an aggregate type which the store has not seen yet would begin to pass.
bool is_taken(Connection& connection, const Renaming& renaming) {
  Statement find = connection.prepare(
      "SELECT ?2 AND EXISTS (SELECT 1 FROM main.evercore_event_type WHERE name = ?1) OR NOT ?2 AND"
      " (EXISTS (SELECT 1 FROM main.evercore_aggregate_type WHERE name = ?1) OR EXISTS (SELECT 1"
      "  FROM main.evercore_subscription WHERE aggregate_type = ?1 AND removed = 0))");
  find.bind(1, renaming.new_name).bind(2, std::int64_t{renaming.of_events}).step();
  return find.integer(0) != 0;
}

void rename_type(Connection& connection, const Renaming& renaming) {
  Statement rename = connection.prepare(
      renaming.of_events
          ? Sql("UPDATE main.evercore_event_type SET name = ?2 WHERE name = ?1")
          : Sql("UPDATE main.evercore_aggregate_type SET name = ?2 WHERE name = ?1"));
  rename.bind(1, renaming.old_name).bind(2, renaming.new_name).run();
  require_written(connection
                      .prepare(renaming.of_events
                                   ? Sql("SELECT 1 FROM main.evercore_event_type WHERE name = ?1")
                                   : Sql("SELECT 1 FROM main.evercore_aggregate_type"
                                         " WHERE name = ?1"))
                      .bind(1, renaming.new_name));
}

struct Filtered {
  std::int64_t subscription_id;
  std::string filter;
};

std::vector<Filtered> filters(Connection& connection) {
  std::vector<Filtered> found;
  Statement load = connection.prepare(
      "SELECT subscription_id, filter FROM main.evercore_subscription WHERE filter IS NOT NULL");
  while (load.step()) found.push_back({load.integer(0), std::string(load.text(1))});
  return found;
}

/// Filters know event types by their ids as well, which stay: only the names are written again.
void rename_in_filters(Connection& connection, const Renaming& renaming) {
  for (const Filtered& subscription : filters(connection)) {
    Filter filter = parse_filter(connection, subscription.filter);
    if (renaming.of_events) {
      std::replace(filter.event_types.begin(), filter.event_types.end(),
                   std::string(renaming.old_name), std::string(renaming.new_name));
    } else if (filter.aggregate_type == renaming.old_name) {
      filter.aggregate_type = renaming.new_name;
    }
    const std::string text = canonical(filter);
    if (text == subscription.filter) continue;
    Statement store = connection.prepare(
        "UPDATE main.evercore_subscription SET filter = ?2, aggregate_type = ?3"
        " WHERE subscription_id = ?1");
    store.bind(1, subscription.subscription_id).bind(2, text);
    if (filter.aggregate_type) store.bind(3, *filter.aggregate_type);
    store.run();
    Statement look = connection.prepare(
        "SELECT 1 FROM main.evercore_subscription"
        " WHERE subscription_id = ?1 AND filter = ?2 AND aggregate_type IS ?3");
    look.bind(1, subscription.subscription_id).bind(2, text);
    if (filter.aggregate_type) look.bind(3, *filter.aggregate_type);
    require_written(look);
  }
}

/// Rules may put the name of their type into the state.
void drop_named(Connection& connection, std::string_view name) {
  Statement find = connection.prepare(
      "SELECT type_id FROM main.evercore_event_type WHERE name = ?1 AND rules IS NOT NULL");
  if (!find.bind(1, name).step()) return;
  drop_folded(connection, find.integer(0));
  keep_states(connection);
}

void rename(const Call& call) {
  Connection& connection = call.connection;
  const Name old_name = name_of(call.arguments[1], "old", max_type_name);
  const Name new_name = name_of(call.arguments[2], "new", max_type_name);
  const Renaming renaming{kind_is_event(call.arguments[0]), old_name, new_name};
  atomically(connection, [&] {
    const bool known = renaming.of_events
                           ? find_event_type(connection, renaming.old_name).has_value()
                           : find_aggregate_type(connection, renaming.old_name).has_value();
    if (!known) throw error(2, "no " + renaming.what(renaming.old_name));
    if (renaming.old_name != renaming.new_name) {
      if (is_taken(connection, renaming)) {
        throw error(10, renaming.what(renaming.new_name) + " is there already");
      }
      connection.transaction.forget();
      if (renaming.of_events) mark_declaration(connection);
      rename_type(connection, renaming);
      rename_in_filters(connection, renaming);
      if (renaming.of_events) drop_named(connection, renaming.new_name);
    }
    call.result(renaming.new_name);
  });
}

}  // namespace

const Function rename_type_function = {"evercore_rename_type", 3, 3, Access::writes, rename};

}  // namespace evercore::ext
