#include "data_schema_check.h"

#include <memory>
#include <new>

#include "append.h"
#include "connection.h"
#include "event_type.h"
#include "json.h"
#include "value.h"

namespace evercore::ext {

namespace {

constexpr int options_argument = 2;

/// Reads data for as long as it lives; what large ones took is given back.
class Reading {
 public:
  Reading(Connection& connection, std::string_view data, const char* what = "data")
      : tree_(connection.data) {
    if (!tree_.read(data)) throw error(4, std::string(what) + ": not JSON");
  }
  ~Reading() { tree_.shrink(); }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  [[nodiscard]] const JsonTree& tree() const { return tree_; }

 private:
  JsonTree& tree_;
};

StoredSchema* stored_schema(Connection& connection, std::string_view event_type) {
  const DeclaredTypes::Type* type = connection.declared.type(connection, event_type);
  return type == nullptr ? nullptr : type->schema.get();
}

Error damaged_schema(std::string_view event_type) {
  return error(8, "schema of \"" + std::string(event_type) + "\" is damaged");
}

/// Null where the type declares none.
const DataSchema* declared_schema(Connection& connection, std::string_view event_type) {
  StoredSchema* stored = stored_schema(connection, event_type);
  if (stored == nullptr) return nullptr;
  const auto& schema = stored->read(connection);
  if (!schema) throw damaged_schema(event_type);
  return &*schema;
}

/// What the options of a call try in place of what is declared.
struct Tried {
  bool gives_schema = false;
  std::optional<DataSchema> schema;  ///< none: any data are taken
  bool gives_upcast = false;
  std::optional<Upcast> upcast;  ///< none: the data stay as they are
};

Tried read_options(const Call& call) {
  Tried tried;
  const TriedOptions options = options_to_try(call, options_argument);
  tried.gives_schema = options.schema.has_value();
  if (tried.gives_schema && *options.schema != "null") tried.schema.emplace(*options.schema);
  tried.gives_upcast = options.upcast.has_value();
  if (tried.gives_upcast && *options.upcast != "null") tried.upcast.emplace(*options.upcast);
  return tried;
}

/// SQLite keeps it for the rows of a statement whose options are a constant.
const Tried* tried_by(const Call& call) {
  if (call.optional(options_argument) == nullptr) return nullptr;
  const void* kept = sqlite3_get_auxdata(call.context, options_argument);
  if (kept != nullptr) return static_cast<const Tried*>(kept);
  auto tried = std::make_unique<Tried>(read_options(call));
  sqlite3_set_auxdata(call.context, options_argument, tried.release(),
                      [](void* held) { delete static_cast<Tried*>(held); });
  kept = sqlite3_get_auxdata(call.context, options_argument);
  if (kept == nullptr) throw std::bad_alloc();
  return static_cast<const Tried*>(kept);
}

void validate(const Call& call) {
  Connection& connection = call.connection;
  const std::string_view data = required_document(call.arguments[1], "data");
  connection.payload.check("data", data);
  const Name event_type = name_of(call.arguments[0], "event_type", max_type_name);
  static const Tried nothing;
  const Tried* given = tried_by(call);
  const Tried& tried = given == nullptr ? nothing : *given;
  connection.require_store();
  see_declarations(connection);
  const DataSchema* schema = nullptr;
  if (tried.gives_schema) {
    schema = tried.schema ? &*tried.schema : nullptr;
  } else {
    schema = declared_schema(connection, event_type);
  }
  if (schema == nullptr) return call.result_null();
  std::string buffer;
  const std::string_view today = !tried.gives_upcast
                                     ? data_of_today(connection, event_type, data, buffer)
                                 : tried.upcast ? tried.upcast->apply(data, buffer)
                                                : data;
  const auto fault = schema->fault(Reading(connection, today).tree());
  return fault ? call.result(*fault) : call.result_null();
}

}  // namespace

const std::optional<DataSchema>& StoredSchema::read(Connection& connection) {
  if (!is_read_) schema_ = sound_schema(connection, text_);
  is_read_ = true;
  return schema_;
}

bool schema_takes(Connection& connection, const NewEvent& event) {
  StoredSchema* stored = stored_schema(connection, event.event_type);
  if (stored == nullptr) return true;
  const auto& schema = stored->read(connection);
  if (!schema || connection.declared.type(connection, event.event_type)->upcast.damaged) {
    return false;
  }
  std::string buffer;
  const std::string_view data = data_of_today(connection, event.event_type, event.data, buffer);
  return schema->takes(Reading(connection, data).tree());
}

std::optional<Error> refusal_by_schema(Connection& connection, const NewEvent& event) {
  if (schema_takes(connection, event)) return std::nullopt;
  const DataSchema* schema = declared_schema(connection, event.event_type);
  std::string buffer;
  const std::string_view data = data_of_today(connection, event.event_type, event.data, buffer);
  const auto fault = schema->fault(Reading(connection, data).tree());
  return error(11,
               "data of \"" + std::string(event.event_type) + "\": " + fault.value_or(": false"));
}

void require_taken(Connection& connection, const NewEvent& event) {
  if (const auto refusal = refusal_by_schema(connection, event)) throw *refusal;
}

std::optional<std::string> fault_of_state(Connection& connection, const DataSchema& schema,
                                          std::string_view state) {
  const Reading reading(connection, state, "state");
  if (schema.takes(reading.tree())) return std::nullopt;
  return schema.fault(reading.tree()).value_or(": false");
}

std::optional<DataSchema> sound_schema(Connection& connection, std::string_view json) {
  try {
    connection.payload.check_value("schema", json);
    return DataSchema(trim(json));
  } catch (const Error& failure) {
    if (failure.code == Code::engine) throw;
    return std::nullopt;
  }
}

const Function validate_function = {"evercore_validate", 2, 3, Access::reads, validate};

}  // namespace evercore::ext
