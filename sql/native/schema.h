// Schemas of data and of states, from ext/data_schema.h, for functions that the server may leave by longjmp.
#pragma once

#include <string_view>

namespace evercore::native {

/// Whether the schema that an event type declares takes data, which are a legal payload. False, too, where it is no
/// schema after all, or there is no memory. The session keeps what it has read of a schema.
bool schema_takes(std::string_view event_type, std::string_view schema,
                  std::string_view data) noexcept;

/// The first fault of a value, as in `/amount: minimum`, or nothing in `fault`; valid until the next call. False where it
/// cannot be said here. Both are text as the server prints jsonb.
bool schema_fault(std::string_view schema, std::string_view value,
                  std::string_view& fault) noexcept;

}  // namespace evercore::native
