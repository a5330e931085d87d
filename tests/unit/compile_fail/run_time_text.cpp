// constant expression
#include "connection.h"

void use(evercore::ext::Connection& connection, int n) {
  const std::string sql = "SELECT " + std::to_string(n);
  connection.prepare(sql.c_str());  // kept statements are found by the address of a literal
}
