// Whether what the server answered to a call is what the model answers. Where a call waited, what it drew and what it
// saw may be of before or after the wait: then the answer and the store tell which.
#include <algorithm>
#include <set>
#include <utility>

#include "simulate/postgres/world.h"

namespace evercore::simulate::postgres {

/// The position that was the newest before a call that waited wrote its events: not every answer tells, so the
/// store is asked where the first of them stands.
Number World::drawn_before(Client& client, const State& before, const State& after) {
  const auto key = [](const Event& event) { return std::pair(event.aggregate, event.sequence); };
  std::set<std::pair<Number, Number>> known;
  for (const Event& event : before.store.events) known.insert(key(event));
  const auto first = std::find_if(after.store.events.begin(), after.store.events.end(),
                                  [&](const Event& event) { return !known.contains(key(event)); });
  const Reply reply = client.session->run(
      "SELECT position FROM evercore_event WHERE aggregate_id = " +
      std::to_string(first->aggregate) + " AND sequence = " + std::to_string(first->sequence));
  return (reply.rows.empty() ? first->position : std::stoll(reply.rows[0])) - 1;
}

/// The newest id before such a call made its aggregates, likewise: one without a key is told by its answer.
Number World::made_before(Client& client, const State& before, const State& after) {
  const auto first = std::find_if(
      after.store.aggregates.begin(), after.store.aggregates.end(),
      [&](const auto& entry) { return !before.store.aggregates.contains(entry.first); });
  const Aggregate& made = first->second;
  if (!made.key) return made.id - 1;
  const Reply reply = client.session->run(
      "SELECT aggregate_id FROM evercore_aggregates WHERE aggregate_type = " + literal(made.type) +
      " AND natural_key = " + literal(*made.key));
  return (reply.rows.empty() ? made.id : std::stoll(reply.rows[0])) - 1;
}

/// What the model answers, from where the sequences stood when the call was sent or when it went on after a wait.
World::Complaint World::agree(Client& client, Done& done, const Reply& reply, bool waited,
                              State& after, bool& refused) {
  Complaint complaint = agree_by_keys(client, done, reply, waited, after, refused);
  if (!complaint || !waited || done.call->name.find("append") == std::string::npos)
    return complaint;
  if (!reply.ok()) {
    // Who waited may be refused for what it saw before: as if it had come first.
    refused = true;
    return is_refused(client.seen, done, reply) ? std::nullopt : complaint;
  }
  // Who waited for a rekeying appends to the aggregate that had the key before, likewise.
  const State now = seen_by(client);
  Done before = done;
  for (const auto& [id, aggregate] : client.seen.store.aggregates) {
    const auto found = now.store.aggregates.find(id);
    if (aggregate.key && found != now.store.aggregates.end() && found->second.key &&
        found->second.key != aggregate.key)
      before.keys.emplace(id, *aggregate.key);
  }
  if (before.keys.empty() || agree_by_keys(client, before, reply, waited, after, refused))
    return complaint;
  done = before;
  return std::nullopt;
}

bool World::is_refused(State state, const Done& done, const Reply& reply) {
  try {
    apply(state, done);
    return false;
  } catch (const Refusal& refusal) {
    const auto& right = refusal.messages;
    return std::find(right.begin(), right.end(), reply.message) != right.end();
  }
}

World::Complaint World::agree_by_keys(Client& client, Done& done, const Reply& reply, bool waited,
                                      State& after, bool& refused) {
  Complaint complaint;
  // Who waited goes on with what followers may read by then; that it was looked at before is the exception.
  for (const Number safe : {waited ? this->safe() : done.safe, done.safe}) {
    for (const Number position : {done.drawn.position, drawn_.position}) {
      for (const Number aggregate : {done.drawn.aggregate, drawn_.aggregate}) {
        Done candidate = done;
        candidate.safe = safe;
        candidate.drawn.position = position;
        candidate.drawn.aggregate = aggregate;
        complaint = agree_with(client, candidate, reply, waited, after, refused);
        if (complaint) continue;
        done = candidate;
        return std::nullopt;
      }
    }
  }
  return complaint;
}

World::Complaint World::agree_with(Client& client, Done& candidate, const Reply& reply, bool waited,
                                   State& after, bool& refused) {
  const Call& call = *candidate.call;
  const State before = seen_by(client);
  after = before;
  refused = false;
  try {
    Rows rows = comparable(call, apply(after, candidate));
    const auto writes = [&] { return after.store.events.size() > before.store.events.size(); };
    const auto again = [&] {
      after = before;
      rows = comparable(call, apply(after, candidate));
    };
    if (waited && reply.ok() && after.store.aggregates.size() > before.store.aggregates.size()) {
      candidate.drawn.aggregate = made_before(client, before, after);
      again();
    }
    if (waited && reply.ok() && writes()) {
      candidate.drawn.position = drawn_before(client, before, after);
      again();
    }
    if (writes()) candidate.floor = candidate.drawn.position;
    const Rows answered =
        reply.ok() ? comparable(call, reply.rows) : Rows{reply.code + " " + reply.message};
    if (reply.ok() && answered == rows) return std::nullopt;
    return difference(joined(rows), joined(answered));
  } catch (const Refusal& refusal) {
    refused = true;
    const auto& right = refusal.messages;
    const bool code_alone = call.kinds.empty() && reply.message.starts_with("EV0");
    if (!reply.ok() &&
        (code_alone || std::find(right.begin(), right.end(), reply.message) != right.end()))
      return std::nullopt;
    return difference(right[0], reply.ok() ? joined(reply.rows) : reply.code + " " + reply.message);
  }
}

}  // namespace evercore::simulate::postgres
