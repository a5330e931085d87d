#include "maintenance.h"

#include "write.h"

namespace evercore::ext {

void with_maintenance(Connection& connection, const std::function<void()>& work) {
  // Not OR REPLACE: what a trigger of the user's writes would take over the clause.
  connection
      .prepare(
          "INSERT INTO main._evercore_maintenance (task) SELECT 'open'"
          " WHERE NOT EXISTS (SELECT 1 FROM main._evercore_maintenance)")
      .run();
  Statement open = connection.prepare("SELECT 1 FROM main._evercore_maintenance");
  require_written(open);
  work();
  connection.prepare("DELETE FROM main._evercore_maintenance").run();
  if (connection.prepare("SELECT 1 FROM main._evercore_maintenance").step()) {
    throw cut_short("rows stay in _evercore_maintenance");
  }
}

Error cut_short(std::string_view what) {
  return error(10, "a trigger or an authorizer cut it short: " + std::string(what));
}

}  // namespace evercore::ext
