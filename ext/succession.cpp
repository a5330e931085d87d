#include "succession.h"

#include <string>

namespace evercore::ext {

void Succession::refuse_if_changed(Connection& connection) const {
  const auto now = find_aggregate_by_id(connection, aggregate_.id);
  if (now && now->base == aggregate_.base && now->erased == aggregate_.erased) return;
  throw error(10, "aggregate " + std::to_string(aggregate_.id) +
                      " was compacted or erased while it was read: read it again");
}

void Succession::refuse(Connection& connection) const {
  refuse_if_changed(connection);
  Statement find = connection.prepare(
      "SELECT min(sequence) FROM main.evercore_event INDEXED BY evercore_event_sequence"
      " WHERE aggregate_id = ?1 AND sequence > ?2");
  find.bind(1, aggregate_.id).bind(2, last_).step();
  const std::int64_t next = find.is_null(0) ? aggregate_.version + 1 : find.integer(0);
  throw missing_events(aggregate_.id, last_, next);
}

Error missing_events(std::int64_t aggregate_id, std::int64_t last, std::int64_t next) {
  return error(10, "events of aggregate " + std::to_string(aggregate_id) +
                       " are missing between sequences " + std::to_string(last) + " and " +
                       std::to_string(next) + ": evercore_check() names the place");
}

void require_snapshot_in(const Aggregate& aggregate, std::int64_t sequence) {
  if (sequence <= aggregate.version) return;
  if (sequence > most_sequence) throw damaged("aggregate " + std::to_string(aggregate.id));
  throw missing_events(aggregate.id, aggregate.version, sequence + 1);
}

void require_events(Connection& connection, const Aggregate& aggregate, std::int64_t after,
                    std::int64_t upto) {
  Succession succession(aggregate, after, upto);
  Statement events = connection.prepare(
      "SELECT sequence FROM main.evercore_event INDEXED BY evercore_event_sequence"
      " WHERE aggregate_id = ?1 AND sequence > ?2"
      " AND sequence <= ?3 ORDER BY sequence");
  events.bind(1, aggregate.id).bind(2, after).bind(3, upto);
  while (events.step()) succession.next(connection, events.integer(0));
  succession.end(connection);
}

}  // namespace evercore::ext
