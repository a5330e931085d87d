#include "declared_tags.h"

#include <algorithm>

#include "append.h"
#include "connection.h"
#include "data_schema_check.h"
#include "error.h"
#include "json.h"
#include "pointer.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

/// The derived tags, then those of `given`. Tags::declared says how many were derived.
std::optional<Tags> join(const DeclaredTags& declared, std::string_view data, const Tags* given) {
  GivenTags all;
  declared.derive(data, [&](std::string_view tag) { all.add(tag); });
  const std::size_t derived = all.size();
  if (given != nullptr) {
    for (const std::string& tag : given->names) all.add(tag);
  }
  all.check_names();
  all.check_rest();
  if (derived == 0) return std::nullopt;
  auto tags = all.take();
  tags->declared = derived;
  return tags;
}

}  // namespace

Error damaged_declaration(std::string_view event_type) {
  return error(8, "declared tags of \"" + std::string(event_type) + "\" are damaged");
}

DeclaredTags::DeclaredTags(std::string_view json) {
  if (json == "null") return;
  if (json.front() == '[' && !Elements(json).next()) return;
  if (json.front() != '{') throw error(9, "tags: not an object");
  std::size_t count = 0;
  for (Members member(json); member.next();) ++count;
  if (count > max_tags) throw error(9, "tags: more than " + std::to_string(max_tags));
  for (Members member(json); member.next();) {
    const std::string prefix = unescape(member.raw_key());
    check_name(prefix, "prefix", max_tag - 1);  // and its colon
    const auto refuse = [&](const char* what) {
      return error(9, "tags: " + pointer_to(prefix) + ": " + what);
    };
    if (member.value().front() != '"') throw refuse("not text");
    auto tokens = tokens_of_pointer(string_of(member.value()));
    if (!tokens) throw refuse("not a pointer");
    members_.push_back({prefix + ":", std::move(*tokens)});
  }
}

void DeclaredTags::derive(std::string_view data,
                          const std::function<void(std::string_view)>& take) const {
  for (const Member& member : members_) {
    const auto value = value_at(data, member.pointer);
    if (!value || value->empty()) continue;
    if (value->front() == '[') {
      for (Elements element(*value); element.next();) {
        if (const auto name = name_of_value(element.value())) take(member.prefix + *name);
      }
    } else if (const auto name = name_of_value(*value)) {
      take(member.prefix + *name);
    }
  }
}

bool DeclaredTags::may_derive(std::string_view tag) const {
  return std::any_of(members_.begin(), members_.end(),
                     [&](const Member& member) { return tag.starts_with(member.prefix); });
}

void DeclaredTypes::load(Connection& connection) {
  types_.clear();
  unfilled_.clear();
  states_.clear();
  seen_checked_.fill(0);
  upcasts_ = false;
  connection.require_store();
  // The mark is read first: a declaration made in between changes it, and is noticed later. The statement is not
  // kept, since WriteGuard walks over all kept ones.
  Statement mark = connection.prepare_once("SELECT max(declared_mark) FROM main.evercore_schema");
  mark.step();
  mark_ = mark.integer(0);
  Statement declared = connection.prepare_once(
      "SELECT type_id, name, tags, fill_upto IS NULL, schema, upcast FROM main.evercore_event_type"
      " WHERE coalesce(tags, schema, upcast) IS NOT NULL");
  while (declared.step()) {
    Type type;
    type.type_id = declared.integer(0);
    type.name = declared.text(1);
    type.declares_tags = !declared.is_null(2);
    if (type.declares_tags) type.tags = sound_declaration(connection, declared.text(2));
    type.filled = declared.integer(3) != 0;
    if (!declared.is_null(4)) {
      type.schema = std::make_shared<StoredSchema>(std::string(declared.text(4)));
    }
    type.upcast = stored_upcast(connection, declared.nullable_text(5));
    upcasts_ = upcasts_ || type.upcast.declared();
    std::string name = type.name;
    types_.insert_or_assign(std::move(name), std::move(type));
  }
  for (const auto& [name, type] : types_) {
    if (!type.filled) unfilled_.push_back(&type);
  }
  std::sort(unfilled_.begin(), unfilled_.end(),
            [](const Type* a, const Type* b) { return a->name < b->name; });
  Statement states = connection.prepare_once(
      "SELECT type_id, schema FROM main.evercore_aggregate_type WHERE schema IS NOT NULL");
  while (states.step()) {
    states_.emplace(states.integer(0), std::make_shared<StoredSchema>(std::string(states.text(1))));
  }
  known_ = true;
}

const DeclaredTypes::Type* DeclaredTypes::find_among(std::string_view event_type) const {
  const auto found = types_.find(event_type);
  return found == types_.end() ? nullptr : &found->second;
}

const DeclaredTags& DeclaredTypes::sound(const Type& type) {
  if (!type.tags) throw damaged_declaration(type.name);
  return *type.tags;
}

std::optional<DeclaredTags> sound_declaration(Connection& connection, std::string_view json) {
  try {
    connection.payload.check_value("tags", json);
    DeclaredTags tags(json);
    return tags.empty() ? std::nullopt : std::optional(std::move(tags));
  } catch (const Error& failure) {
    if (failure.code == Code::engine) throw;
    return std::nullopt;
  }
}

std::optional<Tags> with_declared(Connection& connection, const NewEvent& event) {
  const DeclaredTags* declared = connection.declared.find(connection, event.event_type);
  if (declared == nullptr) return std::nullopt;
  std::string buffer;
  return join(*declared, data_of_today(connection, event.event_type, event.data, buffer),
              event.tags);
}

std::optional<Tags> with_lacking(const DeclaredTags& declared, std::string_view data,
                                 std::optional<Tags> stored, std::int64_t position) {
  const std::vector<std::string> none;
  const std::vector<std::string>& names = stored ? stored->names : none;
  const auto given = names.begin() + static_cast<std::ptrdiff_t>(stored ? stored->declared : 0);
  GivenTags all;
  std::for_each(names.begin(), given, [&](const std::string& tag) { all.add(tag); });
  declared.derive(data, [&](std::string_view tag) {
    if (std::find(names.begin(), names.end(), tag) == names.end()) all.add(tag);
  });
  const std::size_t derived = all.size();
  std::for_each(given, names.end(), [&](const std::string& tag) { all.add(tag); });
  const std::string fault = all.fault();
  if (!fault.empty()) {
    throw error(9, "event " + std::to_string(position) + ": " + fault);
  }
  if (all.size() == names.size()) return std::nullopt;
  auto tags = all.take();
  tags->declared = derived;
  return tags;
}

void require_filled(Connection& connection, const std::vector<std::string>& tags,
                    const std::function<bool(const DeclaredTypes::Type&)>& lets_in) {
  for (const DeclaredTypes::Type* type : connection.declared.unfilled(connection)) {
    if (!lets_in(*type)) continue;
    if (!type->tags) throw damaged_declaration(type->name);
    if (std::any_of(tags.begin(), tags.end(),
                    [&](const std::string& tag) { return type->tags->may_derive(tag); })) {
      throw error(10,
                  "events of \"" + type->name + "\" are not tagged yet: SELECT evercore_fill()");
    }
  }
}

void see_declarations(Connection& connection) {
  std::optional<Statement> look;
  if (sqlite3_txn_state(connection.db(), "main") == SQLITE_TXN_NONE) {
    look.emplace(connection.prepare("SELECT declared_mark FROM main.evercore_schema"));
    look->step();
  }
  connection.require_same_store();
}

void mark_declaration(Connection& connection) {
  connection.declared.changed();
  std::uint64_t bits = 0;
  sqlite3_randomness(sizeof bits, &bits);
  const auto mark = static_cast<std::int64_t>(bits >> 1);
  connection.prepare("UPDATE main.evercore_schema SET declared_mark = ?1").bind(1, mark).run();
  require_written(connection.prepare("SELECT 1 FROM main.evercore_schema WHERE declared_mark = ?1")
                      .bind(1, mark));
}

}  // namespace evercore::ext
