// Contexts: units of work against a store. EventStore::with_context() makes one and hands it to a
// function; what the function staged is written when it returns, and nothing is written when it
// throws.
//
//   store.with_context([&](evercore::Context& ctx) {
//     auto user = ctx.load<UserAggregate>("ann");
//     user.apply(UserRenamed{"anna"});
//   });
#ifndef EVERCORE_CONTEXT_H
#define EVERCORE_CONTEXT_H

#include <concepts>
#include <functional>
#include <vector>

#include "evercore/aggregate.h"
#include "evercore/detail/language.h"
#include "evercore/engine.h"
#include "evercore/query.h"

namespace evercore {

class EventStore;
namespace detail {
class SubscriptionRunner;
}

// An event whose type and data are given as text, for Context::publish().
struct RawEvent {
  std::string event_type{};
  std::string data{};  // a JSON object
  EventOptions options{};
};

// Reads from one consistent snapshot, taken by its first call. Belongs to the thread and the
// function it was made for; aggregates loaded from it may outlive it.
class ReadonlyContext {
 public:
  ReadonlyContext(const ReadonlyContext&) = delete;
  ReadonlyContext& operator=(const ReadonlyContext&) = delete;
  ~ReadonlyContext();

  // The id of the aggregate of A's type with that key, if there is one.
  template <std::derived_from<Aggregate> A>
  std::optional<std::int64_t> find(std::string_view natural_key) {
    return find(A{}.type(), natural_key);
  }

  // The aggregate as it is now, in one round trip: from its newest snapshot of A's state version
  // and the events after it. Throws not_found_error when there is none, type_mismatch_error when it
  // is of another type, and decode_error when a stored event does not fit its struct.
  template <std::derived_from<Aggregate> A>
  A load(std::int64_t id) {
    A aggregate;
    load_into(aggregate, id);
    return aggregate;
  }
  template <std::derived_from<Aggregate> A>
  A load(std::string_view natural_key) {
    A aggregate;
    load_into(aggregate, natural_key);
    return aggregate;
  }

  // The aggregate as it was just after that sequence, or at that time: by the event_time of its
  // events. Nothing can be applied to it. Throws not_found_error for a sequence that the aggregate
  // has not reached or that compaction removed.
  template <std::derived_from<Aggregate> A>
  A load_at(std::int64_t id, std::int64_t sequence) {
    A aggregate;
    load_into_at(aggregate, id, sequence);
    return aggregate;
  }
  template <std::derived_from<Aggregate> A>
  A load_at(std::int64_t id, Time at) {
    return load_at<A>(id, sequence(id, at));
  }

  // The same into an aggregate that the caller made.
  void load_into(Aggregate& aggregate, std::int64_t id);
  void load_into(Aggregate& aggregate, std::string_view natural_key);
  void load_into_at(Aggregate& aggregate, std::int64_t id, std::int64_t sequence);

  // The version of an aggregate, and the last sequence whose event_time is at or before a time.
  std::int64_t sequence(std::int64_t id);
  std::int64_t sequence(std::int64_t id, Time at);

  // The state that SQL folds, as JSON: now, or at a sequence.
  std::string state(std::int64_t id);
  std::string state(std::int64_t id, std::int64_t sequence);

  // At most `limit` events of an aggregate after a sequence, in order.
  std::vector<RecordedEvent> events(std::int64_t id, std::int64_t after = 0,
                                    std::int64_t limit = 1000);

  // The events that match, in order, as they are now. On PostgreSQL they are read outside the snapshot,
  // which cannot show what commits late: over another connection, once something was read from it.
  // Throws argument_error for a query that cannot be, and safety_error where compaction removed what an
  // item without tags asks for.
  std::vector<RecordedEvent> query(const Query& query) { return matching(query); }
  // What folding them gives: State says how, as it does for StateAggregate<State, Events...>, and needs no
  // aggregate of its own. Events of other types are a decode_error, unless the state says otherwise.
  template <class State, class... Events>
  State decide(const Query& query) {
    will_fold(StateAggregate<State, Events...>::events());
    return detail::fold_events<State, Events...>(matching(query));
  }

 protected:
  friend class EventStore;
  explicit ReadonlyContext(std::shared_ptr<detail::UnitOfWork> work) : work_(std::move(work)) {}
  std::optional<std::int64_t> find(const AggregateType& type, std::string_view natural_key);
  std::vector<RecordedEvent> matching(const Query& query);
  void will_fold(const AggregateType& events);

  std::shared_ptr<detail::UnitOfWork> work_;
};

// A transaction. It reads one snapshot and writes nothing before its function returns; then all
// staged events are written by one call, which conflicts (conflict_error) when an aggregate they
// were applied to has moved on since it was loaded. An aggregate that was only read is not checked:
// apply an event to it where the decision rests on it.
//
// create(), load_or_create() of a missing one and change_key() cannot wait: with the first of them
// the context begins to hold the engine's write transaction (on SQLite: the database's one write
// lock) until it ends, and reads the newest from then on.
//
// An error that the store raised inside a context leaves the context usable; what failed had no
// effect.
class Context : public ReadonlyContext {
 public:
  // A new aggregate, with a natural key or without. Throws key_taken_error.
  template <std::derived_from<Aggregate> A>
  A create() {
    A aggregate;
    create_into(aggregate, std::nullopt);
    return aggregate;
  }
  template <std::derived_from<Aggregate> A>
  A create(std::string_view natural_key) {
    A aggregate;
    create_into(aggregate, natural_key);
    return aggregate;
  }

  // The aggregate of that key, made now when it is missing. Safe under races.
  template <std::derived_from<Aggregate> A>
  A load_or_create(std::string_view natural_key) {
    A aggregate;
    load_or_create_into(aggregate, natural_key);
    return aggregate;
  }

  void create_into(Aggregate& aggregate, std::optional<std::string_view> natural_key);
  void load_or_create_into(Aggregate& aggregate, std::string_view natural_key);

  // Gives the aggregate another natural key. Throws key_taken_error.
  void change_key(Aggregate& aggregate, std::string_view new_key);

  // Applies an event: aggregate.apply(), and also for an aggregate that was loaded in an earlier
  // context. Such a one costs no load, and conflicts when it has moved on since.
  template <class A, class E>
  requires std::derived_from<A, Aggregate>
  void apply(A& aggregate, const E& event, EventOptions options = {}) {
    adopt(aggregate);
    aggregate.apply(event, std::move(options));
  }

  // Stages an event given as text. With `expected`, the aggregate must be at that sequence then. By
  // type and key the aggregate is created when it is missing.
  void publish(std::int64_t aggregate_id, RawEvent event,
               std::optional<std::int64_t> expected = {});
  void publish(std::string_view aggregate_type, std::string_view natural_key, RawEvent event,
               std::optional<std::int64_t> expected = {});

  // As in a ReadonlyContext, and what this context writes depends on it: its commit is a conflict_error
  // when an event that matches has come since, in this transaction too. A query with an item without tags
  // needs the index by type (evercore_index_types()), else the commit is a safety_error.
  std::vector<RecordedEvent> query(const Query& query) { return depend_on(query); }
  template <class State, class... Events>
  State decide(const Query& query) {
    will_fold(StateAggregate<State, Events...>::events());
    return detail::fold_events<State, Events...>(depend_on(query));
  }

  // Runs one statement of the program's own in this context's transaction, such as the INSERT of a
  // projection into a table beside the store; `rows` is called with each row of its result.
  // Parameters are $1, $2, … in the order of their first appearance. Like create() it makes the
  // context hold the write transaction from now on. It must not begin or end a transaction. Columns
  // can be read as integers (bigint), texts and JSON; cast others in the statement. Errors of the
  // statement are engine_error with the engine's code.
  //   ctx.execute("UPDATE balance SET cents = cents + $2 WHERE account = $1", {"a", 100});
  void execute(std::string_view sql, std::initializer_list<Parameter> parameters = {},
               RowSink rows = {});

  // Stores a snapshot of the aggregate as it stands, with the staged events, whatever its
  // snapshot_every says.
  void save_snapshot(const Aggregate& aggregate);

 private:
  friend class EventStore;
  friend class detail::SubscriptionRunner;
  using ReadonlyContext::ReadonlyContext;
  void adopt(Aggregate& aggregate);
  std::vector<RecordedEvent> depend_on(const Query& query);
};

}  // namespace evercore

#endif  // EVERCORE_CONTEXT_H
