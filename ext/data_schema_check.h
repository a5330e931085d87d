// The schemas that event types declare, and what the data of new events are beside them.
//
//   SELECT evercore_validate('Deposited', '{"amount":0}');      -- /amount: minimum
//   SELECT count(*) FROM evercore_log                           -- before it is declared
//    WHERE evercore_validate(event_type, data, '{"schema":{"required":["amount"]}}') IS NOT NULL;
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "data_schema.h"
#include "error.h"
#include "function.h"

namespace evercore::ext {

struct NewEvent;

/// A schema as the store holds it. It is read when it is first asked for.
class StoredSchema {
 public:
  explicit StoredSchema(std::string text) : text_(std::move(text)) {}
  /// Nothing where the stored text is no legal declaration.
  const std::optional<DataSchema>& read(Connection& connection);

 private:
  std::string text_;
  std::optional<DataSchema> schema_;
  bool is_read_ = false;
};

/// Whether the type of an event declares no schema, or one that takes its data.
[[nodiscard]] bool schema_takes(Connection& connection, const NewEvent& event);
/// EV011 where it does not; EV008 is thrown where what it declares is damaged.
[[nodiscard]] std::optional<Error> refusal_by_schema(Connection& connection, const NewEvent& event);
/// Throws either.
void require_taken(Connection& connection, const NewEvent& event);

/// The first fault of a state; nothing where the schema takes it.
[[nodiscard]] std::optional<std::string> fault_of_state(Connection& connection,
                                                        const DataSchema& schema,
                                                        std::string_view state);

/// Reads a stored declaration; nothing where it is no legal one.
[[nodiscard]] std::optional<DataSchema> sound_schema(Connection& connection, std::string_view json);

extern const Function validate_function;

}  // namespace evercore::ext
