// What begins and ends transactions and sessions, and whether the store is then what it must be.
#include "simulate/postgres/world.h"

namespace evercore::simulate::postgres {

namespace {

using Kind = Action::Kind;

std::string level(std::size_t number) {
  return " level" + std::to_string(number);
}

bool shows_all(const Call& call) {
  return call.name == "evercore_log" || call.name == "evercore_aggregates" ||
         call.name == "evercore_subscriptions";
}

}  // namespace

World::Complaint World::turn(const Action& step) {
  Client& client = clients_[step.session];
  auto& transaction = client.transaction;
  const auto number = static_cast<std::size_t>(step.number);
  if (step.kind == Kind::kill) return kill(client);
  if (client.waiting) return std::nullopt;
  const auto done = [&](const std::string& sql) -> Complaint {
    const Reply reply = client.session->run(sql);
    if (reply.ok()) return std::nullopt;
    return sql + ": " + reply.message;
  };
  switch (step.kind) {
    case Kind::begin:
      if (transaction) return std::nullopt;
      transaction.emplace();
      return done("BEGIN");
    case Kind::savepoint:
      if (!transaction || transaction->failed || transaction->savepoints.size() > 3)
        return std::nullopt;
      transaction->savepoints.push_back(transaction->done.size());
      return done("SAVEPOINT" + level(transaction->savepoints.size() - 1));
    case Kind::rollback_to:
      if (!transaction || transaction->savepoints.size() <= number) return std::nullopt;
      drawn_ = read_drawn();
      if (auto complaint = done("ROLLBACK TO" + level(number))) return complaint;
      transaction->savepoints.resize(number + 1);
      transaction->done.resize(transaction->savepoints.back(), {});
      transaction->failed = false;
      return settle();
    case Kind::release:
      if (!transaction || transaction->failed || transaction->savepoints.size() <= number)
        return std::nullopt;
      transaction->savepoints.resize(number);
      return done("RELEASE" + level(number));
    case Kind::commit:
    case Kind::rollback:
      return transaction ? end(client, step.kind == Kind::commit) : std::nullopt;
    default:
      return std::nullopt;
  }
}

World::Complaint World::end(Client& client, bool commits) {
  commits = commits && !client.transaction->failed;
  State after = commits ? seen_by(client) : committed_;
  drawn_ = read_drawn();
  const Reply reply = client.session->run(commits ? "COMMIT" : "ROLLBACK");
  if (!reply.ok()) return "the end of a transaction: " + reply.message;
  committed_ = std::move(after);
  client.transaction.reset();
  return settle();
}

World::Complaint World::kill(Client& client) {
  const std::string pid = std::to_string(client.session->pid());
  drawn_ = read_drawn();
  witness_->run("SELECT pg_terminate_backend(" + pid + ", 60000)");
  open(client);
  return settle();
}

std::optional<std::string> World::look() {
  // Behind who waits for a table as a whole everybody waits: until somebody's next turn, which only comes after this.
  if (witness_
          ->run(
              "SELECT 1 FROM pg_locks WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock' "
              "AND NOT granted LIMIT 1")
          .rows.size() > 0) {
    return std::nullopt;
  }
  drawn_ = read_drawn();
  State state = committed_;
  Scene scene{state.store, state.memory, now_, drawn_.position};
  std::string expected, actual;
  const auto add = [](std::string& to, const Call& call, Rows rows) {
    if (call.name != "evercore_subscriptions") to += joined(rows);
  };
  for (const Call& call : calls()) {
    if (!shows_all(call)) continue;
    add(expected, call, call.answer(scene, {}));
    const Reply reply = witness_->run(sql_of(call, {}), call.kinds);
    add(actual, call, reply.ok() ? reply.rows : Rows{reply.message});
  }
  for (const auto& [id, aggregate] : state.store.aggregates) {
    for (const auto& [sequence, snapshot] : aggregate.snapshots)
      expected += row({cell(id), "NULL", cell(sequence)}) + "\n";
    for (const auto& [version, states] : aggregate.own_snapshots) {
      for (const auto& [sequence, snapshot] : states)
        expected += row({cell(id), cell(version), cell(sequence)}) + "\n";
    }
  }
  actual += joined(witness_
                       ->run("SELECT aggregate_id, version, sequence FROM evercore_snapshot ORDER "
                             "BY 1, 2 NULLS FIRST, 3")
                       .rows);
  if (expected == actual) return std::nullopt;
  return "the store is not as it must be: " + difference(expected, actual);
}

}  // namespace evercore::simulate::postgres
