// The work on a subscription: a claim, fetches, acks, and the end of the lease.
#include <algorithm>

#include "simulate/call.h"

namespace evercore::simulate {

namespace {

Rows claim(Scene& scene, const Arguments& arguments) {
  Subscription& subscription = scene.store.subscription(*text(arguments[0]));
  if (!subscription.active) return {"NULL"};
  Partition* free = nullptr;
  for (Partition& partition : subscription.partitions) {
    if (partition.owner && partition.expires > scene.now) continue;
    if (free == nullptr || partition.token < free->token) free = &partition;
  }
  if (free == nullptr) return {"NULL"};
  free->owner = text(arguments[1]);
  free->lease = *number(arguments[2]) * 1000000;
  free->expires = scene.now + free->lease;
  free->token = ++subscription.last_token;
  return {cell(free->token)};
}

/// The partition that `token` holds. A lease that is over takes nothing away before another claims.
Partition& held(Scene& scene, const Arguments& arguments) {
  Subscription& subscription = scene.store.subscription(*text(arguments[0]));
  for (Partition& partition : subscription.partitions) {
    if (partition.owner && partition.token == *number(arguments[1])) return partition;
  }
  refuse(6, "lease lost: token " + cell(number(arguments[1])) +
                " is not the current one of subscription \"" + *text(arguments[0]) + "\"");
}

std::pair<std::string, Number> place_of(Scene& scene, const Arguments& arguments,
                                        const Partition& partition) {
  const Subscription& subscription = scene.store.subscription(*text(arguments[0]));
  return {*text(arguments[0]), &partition - subscription.partitions.data()};
}

Rows fetch(Scene& scene, const Arguments& arguments) {
  const Number limit = number(arguments[2]).value_or(100);
  const Partition& partition = held(scene, arguments);
  const Subscription& subscription = scene.store.subscription(*text(arguments[0]));
  if (!subscription.active || limit == 0) return {};
  const auto place = place_of(scene, arguments, partition);
  Rows rows;
  for (const Event* event : scene.store.unread(subscription, place.second)) {
    if (event->position > scene.safe || static_cast<Number>(rows.size()) == limit) break;
    rows.push_back(log_row(scene.store, *event));
  }
  if (rows.empty())
    scene.memory[place] = {partition.token, partition.position,
                           scene.safe,      subscription.filter.text(),
                           scene.depth,     scene.wrote};
  return rows;
}

Rows ack(Scene& scene, const Arguments& arguments) {
  Partition& partition = held(scene, arguments);
  Subscription& subscription = scene.store.subscription(*text(arguments[0]));
  std::optional<Number> position = number(arguments[2]);
  if (!position) {
    const auto seen = scene.memory.find(place_of(scene, arguments, partition));
    const bool current = seen != scene.memory.end() && seen->second.token == partition.token &&
                         seen->second.cursor <= partition.position &&
                         seen->second.filter == subscription.filter.text();
    if (current && seen->second.open) throw Undecided{};
    position = current ? seen->second.head : partition.position;
  }
  if (*position > partition.position) {
    if (*position > scene.safe) refuse(9, "position is out of range: " + cell(position));
    partition.position = *position;
    subscription.repartitionable = false;
  }
  partition.expires = scene.now + partition.lease;
  partition.error.reset();
  return {cell(partition.position)};
}

Rows renew(Scene& scene, const Arguments& arguments) {
  Partition& partition = held(scene, arguments);
  partition.lease = *number(arguments[2]) * 1000000;
  partition.expires = scene.now + partition.lease;
  return {*text(arguments[0])};
}

Rows release(Scene& scene, const Arguments& arguments) {
  Partition& partition = held(scene, arguments);
  partition.owner.reset();
  partition.lease = partition.expires = 0;
  if (const Text error = text(arguments[2])) partition.error = error;
  return {*text(arguments[0])};
}

Arguments held_and(Maker& maker, const Argument& last) {
  const std::string name = maker.name();
  return {name, maker.token(name), last};
}

}  // namespace

std::vector<Call> lease_calls() {
  return {
      {"evercore_claim", 5, true, "", "t",
       [](Maker& m) {
         return Arguments{m.name(), m.random.pick<std::string>({"w1", "w2"}),
                          m.random.between(1, 20)};
       },
       claim},
      {"evercore_fetch", 6, false, log_columns, "ttttttttttttt",
       [](Maker& m) {
         return held_and(m, m.some({{}, Number{1}, Number{3}, Number{0}}));
       },
       fetch},
      {"evercore_ack", 6, true, "", "t", [](Maker& m) { return held_and(m, m.position()); }, ack},
      {"evercore_renew", 1, true, "", "t",
       [](Maker& m) { return held_and(m, m.random.between(1, 20)); }, renew},
      {"evercore_release", 4, true, "", "t",
       [](Maker& m) {
         return held_and(m, m.some({{}, "why"}));
       },
       release},
  };
}

}  // namespace evercore::simulate
