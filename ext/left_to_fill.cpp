#include "left_to_fill.h"

#include <string>

#include "error.h"
#include "write.h"

namespace evercore::ext {

namespace {

#define LOAD_LEFT(table)                                            \
  "SELECT type_id, filled_to, fill_upto, unfilled FROM main." table \
  " WHERE fill_upto IS NOT NULL ORDER BY name"
#define STORE_LEFT(table)                              \
  "UPDATE main." table                                 \
  " SET filled_to = ?2, fill_upto = ?3, unfilled = ?4" \
  " WHERE type_id = ?1"
#define LOOK_LEFT(table)                    \
  "SELECT 1 FROM main." table               \
  " WHERE type_id = ?1 AND filled_to IS ?2" \
  " AND fill_upto IS ?3 AND unfilled IS ?4"
#define OF_EITHER(sql)                                         \
  (of == LeftOf::event_types ? Sql(sql("evercore_event_type")) \
                             : Sql(sql("evercore_aggregate_type")))

Statement& bind(Statement& statement, const Left& left) {
  statement.bind(1, left.type_id);
  if (left.count == 0) return statement;
  return statement.bind(2, left.after).bind(3, left.upto).bind(4, left.count);
}

}  // namespace

std::vector<Left> what_is_left(Connection& connection, LeftOf of) {
  Statement load = connection.prepare(OF_EITHER(LOAD_LEFT));
  std::vector<Left> all;
  while (load.step()) {
    all.push_back({load.integer(0), load.integer(1), load.integer(2), load.integer(3)});
    if (all.back().count > 0) continue;
    throw damaged(of == LeftOf::event_types ? "what is left to fill of an event type"
                                            : "what is left to fill of an aggregate type");
  }
  return all;
}

void store_left(Connection& connection, LeftOf of, const Left& left) {
  Statement look = connection.prepare(OF_EITHER(LOOK_LEFT));
  if (bind(look, left).step()) return;
  look.reset();
  Statement store = connection.prepare(OF_EITHER(STORE_LEFT));
  bind(store, left).run();
  require_written(look);
}

}  // namespace evercore::ext
