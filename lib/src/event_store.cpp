// The store as a program sees it, and what its contexts share.
#include <algorithm>
#include <random>
#include <thread>

#include "declarations.h"
#include "evercore/error.h"
#include "evercore/store.h"
#include "pool.h"
#include "recorded_event.h"
#include "statements.h"
#include "unit_of_work.h"

namespace evercore {

namespace detail {

bool StoreCore::has_met(const AggregateType& type) const {
  return std::find(met_.begin(), met_.end(), &type) != met_.end();
}

void StoreCore::meet(const AggregateType& type) {
  // A type that was made by hand does not say which struct it is of, and may not live long.
  if (type.state.name.empty()) return;
  {
    const std::shared_lock lock(mutex_);
    if (has_met(type)) return;
  }
  const std::unique_lock lock(mutex_);
  if (has_met(type)) return;
  require_own_names(type);
  met_.push_back(&type);
}

// A name leads to one struct: else one would be read as the other.
void StoreCore::require_own_names(const AggregateType& type) const {
  const auto refuse = [](std::string_view what, std::string_view name, const CppType& first,
                         const CppType& second) {
    std::string message(what);
    message.append(" \"").append(name).append("\" is the name of two structs, ");
    message.append(first.name).append(" and ").append(second.name);
    message.append(": give one of them another by a static constexpr std::string_view ");
    throw usage_error(message.append(what.starts_with('a') ? "aggregate_type" : "event_type"));
  };
  for (const AggregateType* other : met_) {
    if (!type.name.empty() && other->name == type.name && !other->state.is(type.state)) {
      refuse("aggregate type", type.name, other->state, type.state);
    }
    for (const EventFold& theirs : other->folds) {
      for (const EventFold& ours : type.folds) {
        if (theirs.event_type == ours.event_type && !theirs.event.is(ours.event)) {
          refuse("event type", ours.event_type, theirs.event, ours.event);
        }
      }
    }
  }
}

bool StoreCore::knows(const AggregateType& type) {
  const std::shared_lock lock(mutex_);
  return std::find(known_.begin(), known_.end(), &type) != known_.end();
}

// An event type has one fold in the whole store.
void StoreCore::require_agreement(const AggregateType& type) {
  const std::shared_lock lock(mutex_);
  for (const AggregateType* other : known_) {
    for (const EventFold& theirs : other->folds) {
      for (const EventFold& ours : type.folds) {
        if (theirs.event_type == ours.event_type && theirs.fold != ours.fold) {
          throw usage_error("event \"" + std::string(ours.event_type) + "\" folds by " +
                            std::string(ours.fold) + " in \"" + std::string(type.name) +
                            "\" and by " + std::string(theirs.fold) + " in \"" +
                            std::string(other->name) + "\": give one of them another event_type");
        }
      }
    }
  }
}

void StoreCore::know(const AggregateType& type) {
  const std::unique_lock lock(mutex_);
  known_.push_back(&type);
}

void StoreCore::declare(const AggregateType& type, SessionHandle session) {
  meet(type);
  require_agreement(type);
  if (!session) session = engine->session();
  const Declarations declarations = declarations_of(type, *session, Present::stays);
  if (!declarations.commands.empty()) engine->write(std::move(session), declarations.commands);
  know(type);
}

void StoreCore::declare_in_place(std::span<const AggregateType* const> types) {
  std::vector<Declarations> all;
  std::vector<Command> commands;
  {
    const SessionHandle session = engine->session();
    for (const AggregateType* type : types) {
      meet(*type);
      require_agreement(*type);
      all.push_back(declarations_of(*type, *session, Present::is_replaced));
      commands.insert(commands.end(), all.back().commands.begin(), all.back().commands.end());
    }
  }
  if (!commands.empty()) engine->write({}, commands);
  for (const AggregateType* type : types) {
    if (!knows(*type)) know(*type);
  }
}

void StoreCore::forget_declarations() {
  const std::unique_lock lock(mutex_);
  known_.clear();
}

void commit(UnitOfWork& work) {
  work.commit();
}

void wait_before(int next, std::chrono::microseconds first_wait,
                 std::chrono::microseconds max_wait) {
  thread_local std::minstd_rand random(thread_seed());
  auto wait = first_wait;
  for (int i = 2; i < next && wait < max_wait; ++i) wait *= 2;
  wait = std::clamp(wait, std::chrono::microseconds{1}, std::max(max_wait, first_wait));
  std::uniform_int_distribution<std::int64_t> part(0, wait.count());
  std::this_thread::sleep_for(std::chrono::microseconds{part(random)});
}

}  // namespace detail

EventStore::EventStore(std::shared_ptr<StorageEngine> engine)
    : core_(std::make_shared<detail::StoreCore>()) {
  core_->engine = std::move(engine);
}

void EventStore::warmup(const AggregateType& type) {
  const AggregateType* const types[] = {&type};
  warmup(types);
}

void EventStore::warmup(std::span<const AggregateType* const> types) {
  for (const AggregateType* type : types) {
    if (!core_->knows(*type)) core_->declare(*type);
  }
  std::string differences;
  const SessionHandle session = core_->engine->session();
  for (const AggregateType* type : types) {
    for (const std::string& difference :
         detail::declarations_of(*type, *session, detail::Present::stays).differences) {
      if (!differences.empty()) differences += "; ";
      differences += difference;
    }
  }
  if (!differences.empty()) throw declaration_error(differences);
}

void EventStore::declare(const AggregateType& type, replace_t) {
  const AggregateType* const types[] = {&type};
  replace_declarations(types);
}

void EventStore::replace_declarations(std::span<const AggregateType* const> types) {
  core_->declare_in_place(types);
}

std::vector<RecordedEvent> EventStore::follow(std::int64_t after, std::int64_t limit) {
  std::vector<RecordedEvent> events;
  auto sink = [&](const Row& row) { events.push_back(detail::recorded_event(row)); };
  core_->engine->session()->run(Command(statements::follow, {after, limit}, sink));
  return events;
}

std::vector<Problem> EventStore::check() {
  std::vector<Problem> problems;
  auto sink = [&](const Row& row) {
    Problem problem;
    if (!row.is_null(0)) problem.aggregate_id = row.integer(0);
    if (!row.is_null(1)) problem.position = row.integer(1);
    problem.text = row.text(2);
    problems.push_back(std::move(problem));
  };
  core_->engine->session()->run(Command(statements::check, {}, sink));
  return problems;
}

void EventStore::rename_type(TypeKind kind, std::string_view from, std::string_view to) {
  const Command rename(statements::rename_type,
                       {kind == TypeKind::event ? "event" : "aggregate", from, to});
  core_->engine->write({}, std::span(&rename, 1));
  // A program that still uses the old name makes that type again, and must declare how it folds.
  core_->forget_declarations();
}

std::string EventStore::version() {
  std::string version;
  auto sink = [&](const Row& row) { version = row.text(0); };
  core_->engine->session()->run(Command(statements::version, {}, sink));
  return version;
}

StorageEngine& EventStore::engine() const noexcept {
  return *core_->engine;
}

std::shared_ptr<detail::UnitOfWork> EventStore::begin(bool readonly) const {
  return std::make_shared<detail::UnitOfWork>(core_, readonly);
}

}  // namespace evercore
