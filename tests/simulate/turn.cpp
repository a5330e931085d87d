// What begins and ends transactions. A step that would be an error of SQLite's own is passed over.
#include <algorithm>

#include "simulate/world.h"

namespace evercore::simulate {

namespace {

using Kind = Step::Kind;

std::string level(std::size_t number) {
  return " level" + std::to_string(number);
}

}  // namespace

World::Complaint World::turn(const Step& step) {
  Session& session = sessions_[step.session];
  auto& transaction = session.transaction;
  const auto number = static_cast<std::size_t>(step.number);
  const auto done = [&](const std::string& sql) -> Complaint {
    const Reply reply = run(session.db, sql);
    happened_ = disk_.peace();
    if (reply.ok()) return std::nullopt;
    if (auto complaint = excuse(session, reply)) return complaint;
    return "";  // excused
  };
  switch (step.kind) {
    case Kind::begin:
    case Kind::begin_immediate: {
      if (transaction) return std::nullopt;
      const bool immediate = step.kind == Kind::begin_immediate;
      if (auto complaint = done(immediate ? "BEGIN IMMEDIATE" : "BEGIN"))
        return complaint->empty() ? std::nullopt : complaint;
      transaction.emplace();
      transaction->may_hold_lock = immediate;
      session.attempts += immediate ? 1 : 0;
      if (immediate) start(session);
      return std::nullopt;
    }
    case Kind::savepoint: {
      const std::size_t depth = transaction ? transaction->savepoints.size() : 0;
      if (depth > 3 || depth != number) return std::nullopt;
      if (auto complaint = done("SAVEPOINT" + level(depth)))
        return complaint->empty() ? std::nullopt : complaint;
      if (!transaction) {
        transaction.emplace();
        transaction->by_savepoint = true;
      }
      transaction->savepoints.push_back(transaction->view);
      return std::nullopt;
    }
    case Kind::rollback_to: {
      if (!transaction || transaction->savepoints.size() <= number) return std::nullopt;
      auto complaint = done("ROLLBACK TO" + level(number));
      if (complaint && !complaint->empty()) return complaint;
      if (sqlite3_get_autocommit(session.db) != 0) {
        roll_back(session);
        return std::nullopt;
      }
      if (complaint) return std::nullopt;
      roll_back(session, number + 1);
      transaction->view = transaction->savepoints.back();
      return transaction->started && !disk_.is_dead() ? look(session, transaction->view)
                                                      : std::nullopt;
    }
    case Kind::release: {
      if (!transaction || transaction->savepoints.size() <= number) return std::nullopt;
      if (transaction->by_savepoint && number == 0) return commit(step, "RELEASE level0");
      auto complaint = done("RELEASE" + level(number));
      if (complaint && !complaint->empty()) return complaint;
      if (complaint) return std::nullopt;
      transaction->savepoints.resize(number);
      for (auto& [place, seen] : session.memory) seen.depth = std::min(seen.depth, 1 + number);
      return std::nullopt;
    }
    case Kind::commit:
      return transaction ? commit(step, "COMMIT") : std::nullopt;
    case Kind::rollback: {
      if (!transaction) return std::nullopt;
      auto complaint = done("ROLLBACK");
      if (complaint && !complaint->empty()) return complaint;
      roll_back(session);
      if (complaint && sqlite3_get_autocommit(session.db) == 0)
        return "a rollback left the transaction open";
      return disk_.is_dead() ? std::nullopt : look(session, committed_);
    }
    default:
      return std::nullopt;
  }
}

void World::roll_back(Session& session, std::size_t savepoints) {
  if (savepoints == 0) {
    session.transaction.reset();
  } else {
    session.transaction->savepoints.resize(savepoints);
  }
  for (auto& [place, seen] : session.memory) {
    if (seen.depth > savepoints && !seen.wrote) {
      seen.depth = 0;
      seen.open = true;
    }
  }
  std::erase_if(session.memory, [&](const auto& entry) { return entry.second.depth > savepoints; });
}

World::Complaint World::commit(const Step& step, const char* sql) {
  Session& session = sessions_[step.session];
  auto& transaction = session.transaction;
  const bool nothing_to_write = !transaction->started || !transaction->may_hold_lock;
  const bool changed = transaction->changed;
  const Store before = committed_;
  const Store after = nothing_to_write ? committed_ : transaction->view;
  ++session.attempts;
  const Reply reply = run(session.db, sql);
  const bool dead = disk_.is_dead();
  happened_ = disk_.peace();
  if (reply.ok()) {
    transaction.reset();
    for (auto& [place, seen] : session.memory) seen.depth = 0;
    if (!nothing_to_write) adopt(after, changed);
    return std::nullopt;
  }
  if (auto complaint = excuse(session, reply)) return complaint;
  if (dead) return after_death(step, {before, after});
  if (is_busy(reply.code)) return std::nullopt;  // it can be tried again
  // A RELEASE that fails leaves its transaction open, with nothing in it.
  if (sqlite3_get_autocommit(session.db) == 0) run(session.db, "ROLLBACK");
  roll_back(session);
  return resolve_failed(before, after);
}

}  // namespace evercore::simulate
