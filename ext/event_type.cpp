#include "event_type.h"

#include <optional>
#include <string>

#include "data_schema_check.h"
#include "error.h"
#include "fold.h"
#include "json.h"
#include "json_tree.h"
#include "kept_state.h"
#include "upcast.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

/// What a call declares. Absent parts stay as they are; the text `null` takes a part away.
struct Declaration {
  std::optional<DeclaredFold> fold;
  std::optional<std::string_view> schema;
  std::optional<std::string_view> upcast;  ///< null where it declares none
  std::optional<DeclaredTags> tags;
  std::string_view tags_text;

  [[nodiscard]] bool has_schema() const { return schema && *schema != "null"; }
  [[nodiscard]] bool has_upcast() const { return upcast && *upcast != "null"; }
  /// Whether every part is absent, or takes something away.
  [[nodiscard]] bool declares_nothing() const {
    return !fold && !has_schema() && !has_upcast() && (!tags || tags->empty());
  }
};

/// The text `null` where the upcast has no step.
std::string_view read_upcast(std::string_view json) {
  if (json == "null") return json;
  if (json.front() != '[') throw error(9, "upcast: not an array");
  static_cast<void>(Upcast(json));
  return Elements(json).next() ? json : "null";
}

Declaration read_options(Connection& connection, sqlite3_value* options) {
  Declaration given;
  const std::string_view json = document_of(options, "options");
  connection.payload.check("options", json);
  for (Members member(json); member.next();) {
    const std::string key = unescape(member.raw_key());
    if (key == "schema") {
      given.schema = member.value();
    } else if (key == "upcast") {
      given.upcast = member.value();
    } else if (key == "tags") {
      given.tags_text = member.value();
    } else {
      throw error(9, "options: unknown member \"" + key + "\"");
    }
  }
  if (given.has_schema()) static_cast<void>(DataSchema(*given.schema));
  if (given.upcast) given.upcast = read_upcast(*given.upcast);
  if (given.tags_text.data() != nullptr) given.tags.emplace(given.tags_text);
  return given;
}

Declaration read_declaration(const Call& call) {
  std::optional<DeclaredFold> fold;
  if (sqlite3_value* value = call.optional(1)) fold = fold_of(call.connection, value);
  sqlite3_value* options = call.optional(2);
  Declaration given = options == nullptr ? Declaration{} : read_options(call.connection, options);
  given.fold = std::move(fold);
  return given;
}

/// What the store holds of a type.
struct Stored {
  EventTypes::Entry entry;
  bool declares_merge = false;
  std::optional<std::string> schema;  ///< as it was given
  std::optional<std::string> upcast;  ///< as it was given
  bool declares = false;              ///< tags
  std::optional<DeclaredTags> tags;   ///< none: it declares none, or what it holds is damaged
};

Stored load_declaration(Connection& connection, std::int64_t type_id) {
  Statement load = connection.prepare(
      "SELECT tags, schema, upcast, declares_merge FROM main.evercore_event_type WHERE type_id = "
      "?1");
  Stored stored;
  if (!load.bind(1, type_id).step()) return stored;
  stored.entry = EventTypes(connection).at(type_id);
  if (!load.is_null(1)) stored.schema = load.text(1);
  if (!load.is_null(2)) stored.upcast = load.text(2);
  stored.declares_merge = load.integer(3) != 0;
  stored.declares = !load.is_null(0);
  if (stored.declares) stored.tags = sound_declaration(connection, load.text(0));
  return stored;
}

bool changes_fold(const Declaration& given, const Stored& stored) {
  if (!given.fold) return false;
  return stored.entry.damaged || !given.fold->same_as({stored.entry.fold, stored.entry.rules, {}});
}

/// Whether `merge` is declared for a type that so far merges only because nobody declared anything.
bool says_merge_first(const Declaration& given, const Stored& stored) {
  return given.fold && given.fold->is_merge() && !stored.declares_merge;
}

bool changes_tags(const Declaration& given, const Stored& stored) {
  if (!given.tags) return false;
  return given.tags->empty() ? stored.declares : stored.tags != given.tags;
}

bool changes_schema(const Declaration& given, const Stored& stored) {
  if (!given.schema) return false;
  return given.has_schema() ? stored.schema != given.schema : stored.schema.has_value();
}

bool changes_upcast(const Declaration& given, const Stored& stored) {
  if (!given.upcast) return false;
  if (!given.has_upcast() || !stored.upcast) return given.has_upcast() || stored.upcast;
  return !same_in_order(*given.upcast, *stored.upcast);
}

/// Throws where compaction removed events that would get other tags now. Events of erased aggregates get none.
void refuse_compacted(Connection& connection, std::string_view name, std::int64_t type_id) {
  Statement newest = connection.prepare(
      "SELECT c.position FROM main.evercore_compacted_type c"
      " INDEXED BY evercore_compacted_type_position CROSS JOIN main.evercore_aggregate a"
      " ON a.aggregate_id = c.aggregate_id WHERE c.type_id = ?1 AND a.erased = 0"
      " ORDER BY c.position DESC LIMIT 1");
  if (!newest.bind(1, type_id).step()) return;
  throw error(10, "events of \"" + std::string(name) + "\" up to " +
                      std::to_string(newest.integer(0)) + " were compacted");
}

void change_tags(Connection& connection, std::string_view name, std::int64_t type_id,
                 const Declaration& given) {
  if (!given.tags->empty()) refuse_compacted(connection, name, type_id);
  mark_declaration(connection);
  const auto bind = [&](Statement& statement) {
    statement.bind(1, type_id);
    if (!given.tags->empty()) statement.bind(2, given.tags_text);
  };
  Statement store = connection.prepare(
      "UPDATE main.evercore_event_type SET tags = ?2, filled_to = NULL, fill_upto = NULL,"
      " unfilled = NULL WHERE type_id = ?1");
  bind(store);
  store.run();
  Statement look = connection.prepare(
      "SELECT 1 FROM main.evercore_event_type WHERE type_id = ?1 AND tags IS ?2"
      " AND coalesce(filled_to, fill_upto, unfilled) IS NULL");
  bind(look);
  require_written(look);
  if (!given.tags->empty()) tag_old_events(connection, type_id);
}

/// Does not check the events that are stored already.
void change_schema(Connection& connection, std::int64_t type_id, const Declaration& given) {
  mark_declaration(connection);
  const auto bind = [&](Statement& statement) {
    statement.bind(1, type_id);
    if (given.has_schema()) statement.bind(2, *given.schema);
  };
  Statement store =
      connection.prepare("UPDATE main.evercore_event_type SET schema = ?2 WHERE type_id = ?1");
  bind(store);
  store.run();
  Statement look = connection.prepare(
      "SELECT 1 FROM main.evercore_event_type WHERE type_id = ?1 AND schema IS ?2");
  bind(look);
  require_written(look);
}

/// States that hold events of the type change, and the tags of these events may change too.
void change_upcast(Connection& connection, std::string_view name, std::int64_t type_id,
                   const Declaration& given) {
  refuse_compacted_folds(connection, name, type_id);
  drop_folded(connection, type_id);
  mark_declaration(connection);
  const auto bind = [&](Statement& statement) -> Statement& {
    statement.bind(1, type_id);
    if (given.has_upcast()) statement.bind(2, *given.upcast);
    return statement;
  };
  Statement store =
      connection.prepare("UPDATE main.evercore_event_type SET upcast = ?2 WHERE type_id = ?1");
  bind(store).run();
  Statement look = connection.prepare(
      "SELECT 1 FROM main.evercore_event_type WHERE type_id = ?1 AND upcast IS ?2");
  require_written(bind(look));
  keep_states(connection);
}

/// Whether it only takes parts away, from a type that does not exist.
bool changes_no_type(Connection& connection, std::string_view name, const Declaration& given) {
  return given.declares_nothing() && !find_event_type(connection, name);
}

/// Whether it changes nothing. Looking first costs no lock, but not inside a transaction: its snapshot
/// could be stale by the write.
bool is_declared(Connection& connection, std::string_view name, const Declaration& given) {
  if (!given.fold && !given.schema && !given.upcast && !given.tags) return true;
  if (sqlite3_get_autocommit(connection.db()) == 0) return false;
  const auto type_id = find_event_type(connection, name);
  if (!type_id) return changes_no_type(connection, name, given);
  const Stored stored = load_declaration(connection, *type_id);
  return !changes_fold(given, stored) && !says_merge_first(given, stored) &&
         !changes_schema(given, stored) && !changes_upcast(given, stored) &&
         !changes_tags(given, stored);
}

/// Changes each part. Tags come last, since they are derived from the upcast data.
void change(Connection& connection, std::string_view name, const Declaration& given) {
  const std::int64_t type_id = ensure_event_type(connection, name);
  const Stored stored = load_declaration(connection, type_id);
  const bool upcast = changes_upcast(given, stored);
  if (changes_fold(given, stored)) {
    change_fold(connection, name, type_id, *given.fold);
  } else if (says_merge_first(given, stored)) {
    declare_merge(connection, type_id);
  }
  if (changes_schema(given, stored)) change_schema(connection, type_id, given);
  if (upcast) change_upcast(connection, name, type_id, given);
  if (changes_tags(given, stored)) {
    change_tags(connection, name, type_id, given);
  } else if (upcast && stored.declares) {
    tag_old_events(connection, type_id);
  }
}

void event_type(const Call& call) {
  const Name name = name_of(call.arguments[0], "event_type", max_type_name);
  const Declaration given = read_declaration(call);
  Connection& connection = call.connection;
  connection.require_store();
  if (is_declared(connection, name, given)) return call.result(name);
  atomically(connection, [&] {
    if (changes_no_type(connection, name, given)) return call.result(name);
    change(connection, name, given);
    call.result(name);
  });
}

}  // namespace

TriedOptions options_to_try(const Call& call, std::size_t argument) {
  sqlite3_value* options = call.optional(argument);
  if (options == nullptr) return {};
  const Declaration given = read_options(call.connection, options);
  if (given.tags) throw error(9, "options: unknown member \"tags\"");
  return {given.schema, given.upcast};
}

const Function event_type_functions[2] = {
    {"evercore_event_type", 1, 3, Access::writes, event_type},
    {"evercore_fill", 0, 1, Access::writes, fill},
};

}  // namespace evercore::ext
