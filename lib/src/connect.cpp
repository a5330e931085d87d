#include "evercore/error.h"
#include "evercore/store.h"
#include "sqlite_engine.h"
#include "uri.h"

namespace evercore {

EventStore connect(std::string_view uri) {
  switch (detail::engine_of(uri)) {
    case detail::EngineKind::sqlite:
      return EventStore(std::make_shared<detail::SqliteEngine>(detail::parse_sqlite_uri(uri)));
    case detail::EngineKind::postgres:
      return EventStore(detail::postgres_engine(detail::parse_postgres_uri(uri)));
  }
  throw argument_error("EV009: the URI names no engine");
}

}  // namespace evercore
