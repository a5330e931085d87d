#include "maintenance.h"

namespace evercore::ext {

void with_maintenance(Connection& connection, const std::function<void()>& work) {
  connection.prepare("INSERT INTO main._evercore_maintenance (task) VALUES ('open')").run();
  work();
  connection.prepare("DELETE FROM main._evercore_maintenance").run();
}

}  // namespace evercore::ext
