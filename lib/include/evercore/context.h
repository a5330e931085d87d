// Contexts: units of work against a store. EventStore::with_context() makes one and hands it to a
// function; what the function staged is written when it returns, and nothing is written when it
// throws.
//
//   store.with_context([&](evercore::Context& ctx) {
//     auto user = ctx.load<UserAggregate>("ann");
//     user.apply(UserRenamed{"anna"});
//   });
//
// A context belongs to the thread and the call it was made for: no other thread may use it, and no
// reference to it may be kept. It takes a connection of the store's pool with the first call that
// needs one, and gives it back when it ends. Aggregates that were loaded from it may be kept for as
// long as you like, even after the EventStore: each keeps what is behind the store open.
//
// Any function here may also throw what has to do with the store as a whole:
//   usage_error       the context has ended, or writes though it is read-only; or a name is that
//                     of two structs of the program (docs/cpp.md, "One name, one struct")
//   busy_error        no connection came free, or a lock was held, for the whole busy timeout
//   connection_error  the PostgreSQL server cannot be reached, or was lost
//   migration_error   the store is not migrated
//   engine_error      anything else that the engine says
// The comments below name only what comes on top of these.
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
  std::string event_type{};  // 1 to 255 characters
  std::string data{};        // a JSON object in UTF-8; stored byte for byte
  EventOptions options{};
};

// Reads from one consistent snapshot, taken by its first call: what others write meanwhile is not
// seen. EventStore::with_readonly_context() makes one. An error that the store raised leaves the
// context usable.
class ReadonlyContext {
 public:
  ReadonlyContext(const ReadonlyContext&) = delete;
  ReadonlyContext& operator=(const ReadonlyContext&) = delete;
  ~ReadonlyContext();

  // The id of the aggregate of A's type with that natural key. Gives nothing where there is none,
  // and so for a key that could not be one, such as an empty text.
  template <std::derived_from<Aggregate> A>
  std::optional<std::int64_t> find(std::string_view natural_key) {
    return find(A{}.type(), natural_key);
  }

  // The aggregate as this context sees it, in one round trip: from its newest snapshot of A's state
  // version and the events after it.
  //
  // Events that this context has staged are not in it. So keep one object for an aggregate: of two
  // that are loaded and both applied to, the second makes the commit a conflict_error.
  //
  // An erased aggregate is found by its id alone; the data of its events are {}.
  //
  // Throws not_found_error when there is no such aggregate, or when compaction removed custom
  // events that this version of the state would have to fold; type_mismatch_error when the id is
  // that of an aggregate of another type; decode_error when a stored event or state does not fit
  // its struct, or an event is not among A's; safety_error when events are missing in the store.
  // What an apply() of the state throws goes through.
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

  // The aggregate as it was just after the event of that sequence; 0 is before the first. It is for
  // reading: apply() on it throws usage_error.
  //
  // Throws what load() does; also not_found_error for a sequence that the aggregate has not reached
  // or that compaction removed, and argument_error for a negative one.
  template <std::derived_from<Aggregate> A>
  A load_at(std::int64_t id, std::int64_t sequence) {
    A aggregate;
    load_into_at(aggregate, id, sequence);
    return aggregate;
  }
  // The same as it was at a point in time: after its last event whose event_time is at or before
  // `at`. Throws argument_error for a time outside the years 1 to 9999, and not_found_error for one
  // that compaction made unknowable.
  template <std::derived_from<Aggregate> A>
  A load_at(std::int64_t id, Time at) {
    return load_at<A>(id, sequence(id, at));
  }

  // load() and load_at() into an aggregate that the caller made: for one that is not made without
  // arguments, or to use an object again. What was in it is forgotten. When they throw, it may hold
  // a part of what was read: load it again before you use it.
  void load_into(Aggregate& aggregate, std::int64_t id);
  void load_into(Aggregate& aggregate, std::string_view natural_key);
  void load_into_at(Aggregate& aggregate, std::int64_t id, std::int64_t sequence);

  // The sequence of an aggregate's last event, which is its version; 0 before the first. Of
  // whatever type it is. Throws not_found_error when there is no such aggregate.
  std::int64_t sequence(std::int64_t id);
  // The sequence of its last event whose event_time is at or before `at`; 0 before the first.
  // Throws not_found_error also for a time that compaction made unknowable, and argument_error for
  // one outside the years 1 to 9999.
  std::int64_t sequence(std::int64_t id, Time at);

  // The state that SQL folds, as the text of a JSON object: now, or just after a sequence. It is
  // `{}` before the first event, and has nothing of custom events, unless the state gives rules for
  // them (aggregate.h). The engines write blanks and the order of members each in their own way:
  // compare what decode() makes of it, not the text.
  //
  // Throws not_found_error when there is no such aggregate, or no such sequence (not reached, or
  // removed by compaction), and argument_error for a negative one.
  std::string state(std::int64_t id);
  std::string state(std::int64_t id, std::int64_t sequence);

  // At most `limit` events of an aggregate whose sequence is greater than `after`, in order. A
  // negative limit gives the last so many instead, the newest first. Gives none for an aggregate
  // that there is not, and none of those that compaction removed. Their data are as they were
  // stored: upcasts that SQL declares are not applied here.
  std::vector<RecordedEvent> events(std::int64_t id, std::int64_t after = 0,
                                    std::int64_t limit = 1000);

  // All events that match (query.h), in the order of their positions, whatever aggregates they
  // belong to. There is no limit: all are held in memory at once. Their data are as they were
  // stored.
  //
  // On SQLite they are read from the context's snapshot. On PostgreSQL they are read beside it, as
  // they are at this moment, since a snapshot cannot show what commits late; once the context has
  // read something, over the one connection more that the pool keeps for this.
  //
  // Throws argument_error for an item with neither types nor tags, and for more than 100 items,
  // 100 types or 64 tags an item; name_error for a type or tag that is empty or too long;
  // safety_error where an item without tags asks for events that compaction removed, or an item's
  // tags for events that the store has yet to tag (evercore_fill).
  std::vector<RecordedEvent> query(const Query& query) { return matching(query); }
  // The state that folding those events gives, in memory alone: State folds as it does in a
  // StateAggregate<State, Events...>, and need not be the state of any aggregate in the store.
  //   const auto seats = ctx.decide<Seats, Opened, Subscribed>({{.tags = {"course:c1"}}});
  // Throws what query() does, and decode_error for an event that is not among Events (unless the
  // state has ignore_unknown_events) or does not fit its struct.
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

// A transaction. It reads one snapshot, and what apply() and publish() stage is held in memory
// until its function returns; then one call writes all of it, or nothing.
//
// That commit throws out of with_context(). Nothing was written then, but for the last of these:
//   conflict_error    an aggregate that events were applied to has moved on since it was loaded, or
//                     an event has come that matches a query() of this context; with_retry() loads
//                     and decides again
//   schema_error      data or a state that a schema of the store does not take
//   payload_error     data or metadata that are no JSON object, or are outside what the store takes
//   name_error        an event type, key, event_id or tag that is empty or too long
//   argument_error    a reference, a time, an `expected` or a number of tags that is out of range
//   event_id_error    an event_id that was used for other content, or some events are repeats by
//                     event_id and others are new
//   not_found_error   an aggregate that there is not, or that was erased
//   safety_error      a condition that the store cannot keep, see query()
//   connection_error  all of it may have been written, where may_have_written() says so
//
// An aggregate that was only read is not checked: apply an event to it, or query() its events,
// where the decision rests on it.
//
// create(), load_or_create() of a missing one, change_key() and execute() cannot wait for the
// commit: with the first of them the context begins to hold the engine's write transaction (on
// SQLite: the database's one write lock) until it ends, and reads the newest from then on, no
// longer its snapshot. Keep what comes after them short. What they did is taken back with the
// context.
//
// Before the first events of a type are written, the library declares that type to the store, as
// EventStore::warmup() does, mostly in a transaction of its own: a declaration may stay when the
// context writes nothing.
//
// An error that the store raised inside a context leaves the context usable; what failed had no
// effect. A function that catches it may go on.
class Context : public ReadonlyContext {
 public:
  // Makes a new aggregate in the store, at sequence 0, and gives it. Its id is final, but it is
  // gone again when the context fails. The natural key, of 1 to 255 characters, is unique among the
  // aggregates of A's type; without one the aggregate is found by its id alone.
  //
  // Throws key_taken_error when another aggregate of the type has that key, and name_error for a
  // key that is empty or too long.
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

  // The aggregate of that key, loaded where there is one and else made now. Of any number of
  // programs that do so at once one makes it, and all get that one. One that is there is read from
  // the snapshot, and takes no lock. Throws name_error as create() does, and what load() throws.
  template <std::derived_from<Aggregate> A>
  A load_or_create(std::string_view natural_key) {
    A aggregate;
    load_or_create_into(aggregate, natural_key);
    return aggregate;
  }

  // create() and load_or_create() into an aggregate that the caller made; what was in it is
  // forgotten. std::nullopt makes one without a natural key.
  void create_into(Aggregate& aggregate, std::optional<std::string_view> natural_key);
  void load_or_create_into(Aggregate& aggregate, std::string_view natural_key);

  // Gives the aggregate another natural key; its id and its events stay as they are, and no event
  // tells of it. natural_key() is the new one from here on. Throws key_taken_error and name_error
  // as create() does, not_found_error when the aggregate was erased, and usage_error as apply()
  // does.
  void change_key(Aggregate& aggregate, std::string_view new_key);

  // Applies an event, as aggregate.apply() does, and takes the aggregate into this context first
  // where it comes from an earlier one. That saves loading it again; the commit is a conflict_error
  // when it has moved on since. The event is encoded at once: it need not live any longer.
  //   ctx.apply(user, UserRenamed{"anna"}, {.reference = "admin", .event_id = request_id});
  //
  // Throws what aggregate.apply() does. Throws usage_error for an aggregate that was never loaded
  // or created, belongs to another context that is still open for writing, or was part of one that
  // failed or whose events were repeats by event_id: load such a one again.
  template <class A, class E>
  requires std::derived_from<A, Aggregate>
  void apply(A& aggregate, const E& event, EventOptions options = {}) {
    adopt(aggregate);
    aggregate.apply(event, std::move(options));
  }

  // Stages an event that is given as text: of a type that the program has no struct for, or as it
  // came from elsewhere. No state in the program changes and no validate() is asked.
  //
  // `expected` is the sequence that the aggregate must have just before this event, those staged
  // before it included, and 0 for none; another is a conflict_error at the commit. Without it the
  // event is appended wherever the aggregate stands. In one context apply() to an aggregate before
  // you publish() to it: apply() counts on from where the aggregate was loaded.
  //
  // Throws payload_error for data that are not UTF-8 and not_found_error for the id 0. Whatever
  // else is wrong with the event, the commit says.
  void publish(std::int64_t aggregate_id, RawEvent event,
               std::optional<std::int64_t> expected = {});
  // The same to the aggregate of that type and key, which the commit makes when it is missing.
  //   ctx.publish("User", "ann", {"UserRenamed", R"({"username":"anna"})", {.event_id = line_id}});
  void publish(std::string_view aggregate_type, std::string_view natural_key, RawEvent event,
               std::optional<std::int64_t> expected = {});

  // As in a ReadonlyContext, and what this context writes depends on the answer: its commit is a
  // conflict_error when another event that matches has come since, from whomever, this context's
  // own execute() included. Events that it stages do not count. A context that writes nothing
  // conflicts with nobody.
  //
  // A query with an item without tags, or without items, can be depended on only in a store with
  // the index by type (evercore_index_types()): without it the commit is a safety_error.
  std::vector<RecordedEvent> query(const Query& query) { return depend_on(query); }
  // decide() of a ReadonlyContext, with that condition; query.h has an example.
  template <class State, class... Events>
  State decide(const Query& query) {
    will_fold(StateAggregate<State, Events...>::events());
    return detail::fold_events<State, Events...>(depend_on(query));
  }

  // Runs one statement of the program's own, at once, in this context's transaction: such as the
  // INSERT of a projection into a table beside the store. It is committed with the events, or not
  // at all. Like create() it makes the context hold the write transaction from now on. It must not
  // begin or end a transaction.
  //   ctx.execute("UPDATE balance SET cents = cents + $2 WHERE account = $1", {"a", 100});
  //
  // Parameters are $1, $2, … in the order of their first appearance, at most 9. Give just as many
  // as the statement names: what happens otherwise is not the same on both engines. Their texts and
  // the statement's need not outlive the call.
  //
  // `rows` is called with each row of the result, in order, on this thread; it is a named function
  // object, which is not copied. A Row and its texts live until that call returns. What it throws
  // goes through. Columns can be read as integers (bigint), texts and JSON; cast others in the
  // statement.
  //   std::int64_t cents = 0;
  //   auto take = [&](const evercore::Row& row) { cents = row.integer(0); };
  //   ctx.execute("SELECT cents FROM balance WHERE account = $1", {"a"}, take);
  //
  // Throws argument_error for too many parameters. What is wrong with the statement is an
  // engine_error with the engine's code, but on SQLite a text that is empty or holds several
  // statements is an argument_error, and on PostgreSQL a function of the store that is not there, or
  // not with these arguments, is a migration_error. What functions of the store refuse comes as the
  // class of its code.
  void execute(std::string_view sql, std::initializer_list<Parameter> parameters = {},
               RowSink rows = {});

  // Stores the state of the aggregate as it stands now, staged events included, with the commit,
  // whatever its snapshot_every says; later loads begin there. Of several of one aggregate the last
  // is stored. Nothing is stored of an aggregate without events, nor in a context where an event
  // has an event_id: that may turn out to be a repeat.
  //
  // Throws payload_error for a state that no JSON can hold, and usage_error for an aggregate whose
  // events are not known to be written: one of another context that is open or has failed, of a
  // context whose events were repeats, or of none; and for an Aggregate that does not implement
  // encode_state().
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
