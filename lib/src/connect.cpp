#include "evercore/error.h"
#include "evercore/store.h"
#include "postgres_engine.h"
#include "sqlite_engine.h"
#include "uri.h"

namespace evercore {

Command::Command(const Statement& statement, std::initializer_list<Parameter> parameters,
                 RowSink rows)
    : statement_(&statement), parameters_{}, count_(0), rows_(rows) {
  for (const Parameter& parameter : parameters) parameters_[count_++] = parameter;
}

EventStore connect(std::string_view uri) {
  switch (detail::engine_of(uri)) {
    case detail::EngineKind::sqlite:
      return EventStore(std::make_shared<detail::SqliteEngine>(detail::parse_sqlite_uri(uri)));
    case detail::EngineKind::postgres:
      return EventStore(std::make_shared<detail::PostgresEngine>(detail::parse_postgres_uri(uri)));
  }
  throw argument_error("EV009: the URI names no engine");
}

}  // namespace evercore
