#include "upcast.h"

#include <utility>

#include "connection.h"
#include "error.h"
#include "function.h"
#include "json.h"
#include "value.h"

namespace evercore::ext {

namespace {

[[noreturn]] void refuse_stored() {
  throw error(4, "data: not JSON; evercore_check() names the place");
}

void upcast(const Call& call) {
  Connection& connection = call.connection;
  const std::string_view data = required_document(call.arguments[1], "data");
  connection.payload.check("data", data);
  const Name event_type = name_of(call.arguments[0], "event_type", max_type_name);
  connection.require_store();
  see_declarations(connection);
  std::string buffer;
  call.result_json(data_of_today(connection, event_type, data, buffer));
}

}  // namespace

std::string_view Upcast::apply(std::string_view data, std::string& buffer) const {
  if (leaves(data)) return data;
  constexpr std::size_t mostly = 16;
  State state;
  state.members_.reserve(mostly);
  Members member(data);
  std::string resolved;
  while (member.next()) {
    std::string_view key = member.raw_key();
    if (member.key_is_escaped()) key = resolved = unescape(key);
    state.add(member.raw_key(), key).set(member.value());
  }
  if (member.failed()) refuse_stored();
  bool changed = false;
  for (const Step& step : steps_) changed = run(step, state) || changed;
  if (!changed) return data;
  return buffer = state.text();
}

bool Upcast::leaves(std::string_view data) const {
  FoundValues values(pointers_);
  const auto found = values.all();
  if (!trim(data).starts_with('{') || !pointers_.find(data, found)) refuse_stored();
  for (const Step& step : steps_) {
    const bool there = found[step.place].data() != nullptr;
    if (there != (step.kind == Kind::give_default)) return false;
  }
  return true;
}

/// Gives whether it did anything.
bool Upcast::run(const Step& step, State& state) {
  if (step.kind == Kind::give_default) return put(state, step.to, step.value);
  State* holder = holder_of(state, step.from);
  State::Member* member = holder == nullptr ? nullptr : holder->find(step.from.back().key);
  if (member == nullptr) return false;
  if (step.kind == Kind::remove) {
    holder->remove(*member);
    return true;
  }
  std::string value = member->inner ? member->inner->text() : member->value;
  if (!has_room(state, step.to, value)) return false;
  holder->remove(*member);
  return put(state, step.to, value);
}

/// The object in which the last name of a path would stand; null where there is none.
State* Upcast::holder_of(State& state, const Path& path) {
  State* holder = &state;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    State::Member* member = holder->find(path[i].key);
    if (member == nullptr || !member->is_object()) return nullptr;
    holder = &State::inner_of(*member);
  }
  return holder;
}

/// Whether nothing stands at a path and nothing in its way, and the value is not too deep for it.
bool Upcast::has_room(State& state, const Path& path, std::string_view value) {
  if (path.size() > max_depth || !fits(value, max_depth - path.size())) return false;
  State* holder = &state;
  for (const Token& token : path) {
    State::Member* member = holder->find(token.key);
    if (member == nullptr) return true;
    if (!member->is_object()) return false;
    holder = &State::inner_of(*member);
  }
  return false;
}

bool Upcast::put(State& state, const Path& path, std::string_view value) {
  if (!has_room(state, path, value)) return false;
  State* holder = &state;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    State::Member* member = holder->find(path[i].key);
    if (member == nullptr) member = &holder->add(path[i].raw_key, path[i].key);
    holder = &State::inner_of(*member);
  }
  holder->add(path.back().raw_key, path.back().key).set(value);
  return true;
}

std::string_view StoredUpcast::apply(std::string_view event_type, std::string_view data,
                                     std::string& buffer) const {
  if (damaged) throw error(8, "upcast of \"" + std::string(event_type) + "\" is damaged");
  return upcast ? upcast->apply(data, buffer) : data;
}

StoredUpcast stored_upcast(Connection& connection, std::string_view text) {
  if (text.data() == nullptr) return {};
  StoredUpcast stored{connection.upcasts.find(connection.payload, text), false};
  stored.damaged = stored.upcast == nullptr;
  return stored;
}

std::string_view data_of_today(Connection& connection, std::string_view event_type,
                               std::string_view data, std::string& buffer) {
  const DeclaredTypes::Type* type = connection.declared.type(connection, event_type);
  return type == nullptr ? data : type->upcast.apply(event_type, data, buffer);
}

const Function upcast_function = {"evercore_upcast", 2, 2, Access::reads, upcast};

}  // namespace evercore::ext
