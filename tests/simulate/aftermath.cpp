// What a failure or a crash has left: the store must be one of those that it may be, whole.
#include <algorithm>
#include <utility>

#include "simulate/world.h"

namespace evercore::simulate {

World::Complaint World::resolve(std::vector<Store> candidates) {
  Session fresh;
  open(fresh);
  const std::string actual = dump(fresh);
  close(fresh);
  // Another's transaction lets nobody read; so nobody else can have written either.
  if (is_shut_out(actual)) return std::nullopt;
  for (Store& candidate : candidates) {
    if (dump(candidate) != actual) continue;
    const bool changed = !(candidate == committed_);
    adopt(std::move(candidate), changed);
    if (!changed && &candidate != &candidates.back()) undead_.push_back(candidates.back());
    return std::nullopt;
  }
  return "half a call, or a lost one: expected\n" + dump(candidates.back()) + "found\n" + actual;
}

World::Complaint World::resolve_failed(const Store& before, const Store& after) {
  const Store earlier = committed_;
  if (auto complaint = resolve({before, after})) return complaint;
  // What failed may be seen by all, and not be on the disk yet: power may still take it.
  if (!(committed_ == earlier)) undead_ = {earlier};
  return std::nullopt;
}

// SQLite rolled the transaction back while it read the schema anew, and said nothing. An INSERT then commits by itself,
// and evercore cannot see it: docs/hosts.md.
World::Complaint World::done_alone(const Step& step) {
  Store after = committed_;
  Memory memory;
  Scene scene{after, memory, machine_time, after.head};
  try {
    step.call->answer(scene, step.arguments);
  } catch (const Refusal& refused) {
    return "expected " + refused.messages[0] + "\nanswered nothing";
  }
  return resolve({after});
}

World::Complaint World::after_death(const Step& step, std::vector<Store> candidates) {
  for (Session& session : sessions_) close(session);
  disk_.restart(step.trouble, Random(step.chance));
  for (Session& session : sessions_) open(session);
  if (step.trouble == Trouble::power && !settings_.is_durable()) {
    candidates.insert(candidates.begin(), earlier_.begin(), earlier_.end());
  }
  candidates.insert(candidates.begin(), undead_.begin(), undead_.end());
  undead_.clear();
  std::reverse(candidates.begin(), candidates.end());
  const Store before = committed_;
  if (auto complaint = resolve(std::move(candidates))) return complaint;
  // A commit whose process died before it was told of it may not be on the disk yet: power may still take it.
  if (step.trouble == Trouble::death && !(committed_ == before)) undead_ = {before};
  return check_health();
}

World::Complaint World::check_health() {
  for (const char* sql : {"PRAGMA integrity_check", "SELECT problem FROM evercore_check()"}) {
    const Reply reply = run(sessions_[0].db, sql);
    if (!reply.ok()) return std::string(sql) + ": " + reply.message;
    if (!reply.rows.empty() && reply.rows[0] != "ok")
      return std::string(sql) + ":\n" + joined(reply.rows);
  }
  return std::nullopt;
}

}  // namespace evercore::simulate
