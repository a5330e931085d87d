// Whether a database holds a store, and of which version.
#pragma once

#include <cstdint>

namespace evercore::ext {

class Connection;

/// The store's schema version, 0 where there is no store. Throws EV008 where the tables are not those
/// of a store: hidden, replaced by views, or with an impossible version.
std::int64_t schema_version(Connection& connection);

}  // namespace evercore::ext
