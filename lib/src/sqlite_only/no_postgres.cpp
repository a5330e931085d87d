// What stands in for the driver of PostgreSQL in the library that has SQLite alone.
#include "evercore/error.h"
#include "uri.h"

namespace evercore::detail {

std::shared_ptr<StorageEngine> postgres_engine(const PostgresOptions&) {
  throw usage_error(
      "this program is linked with evercore-sqlite, which has no PostgreSQL: link it with evercore "
      "(CMake: evercore::evercore, pkg-config: evercore)");
}

}  // namespace evercore::detail
