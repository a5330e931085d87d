#include "state_schema.h"

#include <utility>

#include "data_schema_check.h"
#include "kept_state.h"

namespace evercore::ext {

namespace {

/// `"Account" "A-1"`, or with the id of an aggregate that has no key.
std::string described(Connection& connection, std::int64_t aggregate_id) {
  Statement names = connection.prepare(
      "SELECT t.name, a.natural_key FROM main.evercore_aggregate a"
      " JOIN main.evercore_aggregate_type t ON t.type_id = a.type_id WHERE a.aggregate_id = ?1");
  names.bind(1, aggregate_id).step();
  std::string text = "\"" + std::string(names.text(0)) + "\" ";
  const std::string_view key = names.nullable_text(1);
  if (key.data() == nullptr) return text + std::to_string(aggregate_id);
  return text.append("\"").append(key).append("\"");
}

/// The reference as it will read once it is stored.
std::string_view reference_of(const NewEvent& event) {
  if (!event.reference) return {};
  return event.reference->data() == nullptr ? std::string_view("") : *event.reference;
}

const DataSchema& schema_of(Connection& connection, std::int64_t aggregate_type) {
  StoredSchema* stored = connection.declared.of_states(connection, aggregate_type);
  if (stored != nullptr) {
    if (const auto& schema = stored->read(connection)) return *schema;
  }
  Statement name =
      connection.prepare("SELECT name FROM main.evercore_aggregate_type WHERE type_id = ?1");
  name.bind(1, aggregate_type).step();
  throw damaged_state_schema(name.text(0));
}

}  // namespace

Error damaged_state_schema(std::string_view aggregate_type) {
  return error(8, "schema of aggregate type \"" + std::string(aggregate_type) + "\" is damaged");
}

CheckedStates::Held& CheckedStates::held(std::int64_t aggregate_id, std::int64_t version) {
  const auto found = held_.find(aggregate_id);
  if (found != held_.end()) return found->second;
  if (bytes_ > most_bytes) write();
  KeptState kept = load_kept_state(connection_, aggregate_id, version);
  Held& held = held_[aggregate_id];
  held.state = std::move(kept.state);
  held.is_kept = kept.is_kept;
  return held;
}

void CheckedStates::apply(std::int64_t aggregate_id, const Place& place, const NewEvent& event,
                          std::int64_t recorded_at) {
  if (refusal_) return;
  Held& held = this->held(aggregate_id, place.sequence - 1);
  const EventTypes::Entry& type = types_.at(place.type_id);
  type.apply(
      held.state, event.data,
      {event.event_time.value_or(recorded_at), type.name, reference_of(event), place.sequence});
  bytes_ -= held.text.size();
  held.text = held.state.text();
  bytes_ += held.text.size();
  held.sequence = place.sequence;
  const auto fault =
      fault_of_state(connection_, schema_of(connection_, place.checked_type), held.text);
  if (!fault) return;
  refusal_ = error(11, "state of " + described(connection_, aggregate_id) + " at sequence " +
                           std::to_string(place.sequence) + ": " + *fault);
}

void CheckedStates::write() {
  for (const auto& [aggregate_id, held] : held_) {
    keep_state(connection_, aggregate_id, held.sequence, held.text, held.is_kept);
  }
  held_.clear();
  bytes_ = 0;
}

}  // namespace evercore::ext
