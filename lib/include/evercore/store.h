// The store: where a program begins. connect() opens it, contexts read and write it, subscriptions
// follow it.
//
//   auto store = evercore::connect("sqlite:///var/lib/app/events.db");
//   auto id = store.with_context([&](evercore::Context& ctx) {
//     auto user = ctx.create<UserAggregate>("ann");
//     user.apply(UserCreated{"ann", "ann@example.org"});
//     return user.id();
//   });
//
// | URI                          | store                                                         |
// |------------------------------|---------------------------------------------------------------|
// | sqlite:///path/to/file.db?…  | a file, made where there is none; sqlite:relative.db is       |
// |                              | relative to the current folder                                |
// | sqlite::memory: or memory:   | in memory, for as long as the EventStore or a copy lives      |
// | postgres://user@host/data?…  | a schema of a PostgreSQL database, 14 or newer                |
//
// | parameter    | of         | default  | meaning                                               |
// |--------------|------------|----------|-------------------------------------------------------|
// | journal_mode | SQLite     | wal      | wal, delete, truncate, persist                        |
// | synchronous  | SQLite     | full     | full: an acknowledged commit survives a loss of       |
// |              |            |          | power. normal: the last commits may be lost then, the |
// |              |            |          | file stays sound. off: a loss of power may ruin the   |
// |              |            |          | file. extra: as full, for journal modes but wal       |
// | busy_timeout | both       | 5000     | milliseconds to wait for a free connection, and on    |
// |              |            |          | SQLite for a lock; at most 86,400,000, a day          |
// | fair         | SQLite     | off      | on: programs that write to one file take turns, by    |
// |              |            |          | locks of the file <database>-queue; no effect in      |
// |              |            |          | memory                                                |
// | pool_size    | both       | 8        | connections at most, 1 to 1,000 (SQLite: one more for |
// |              |            |          | writing; memory: just one; PostgreSQL: one more for   |
// |              |            |          | queries beside a snapshot that is being read)         |
// | migrate      | both       | on       | on, off: connect() leaves the schema as it is         |
// | schema       | PostgreSQL | evercore | the schema that is the store, 1 to 63 bytes           |
// | prepared     | PostgreSQL | auto     | on, off; auto: none behind a pooling proxy            |
// | notify       | PostgreSQL | on       | on, off: no word to the runners of other programs     |
// |              |            |          | after an append, which they find by polling then      |
// | reconnect    | PostgreSQL | 5000     | milliseconds to go on trying to reach a lost server,  |
// |              |            |          | at most a day                                         |
//
// Everything else in a postgres URI is libpq's (host, sslmode, connect_timeout, …). A sqlite URI
// takes no other parameter; in its path and values '%', '?' and '&' are written as %25, %3F and
// %26.
//
// Every error is an evercore::error (error.h), except for std::bad_alloc and what functions of the
// program throw. Besides what is said at a function, whatever asks the store may throw
//
//   busy_error         no connection came free, or on SQLite no lock, within busy_timeout
//   connection_error   the server is lost, or was not found again within reconnect
//   migration_error    there is no store there, or it is not migrated (migrate=off)
//   engine_error       any other failure of the engine: a full disk, a missing right (code 42501)
#ifndef EVERCORE_STORE_H
#define EVERCORE_STORE_H

#include <chrono>
#include <span>
#include <type_traits>

#include "evercore/context.h"
#include "evercore/detail/language.h"
#include "evercore/engine.h"
#include "evercore/subscription.h"

namespace evercore {

namespace detail {
struct StoreCore;
void commit(UnitOfWork& work);
// Waits before attempt `next` of a retried context: a random part of a time that doubles up to
// max_wait.
void wait_before(int next, std::chrono::microseconds first_wait,
                 std::chrono::microseconds max_wait);
}  // namespace detail

// How often with_retry() tries, and how long it waits. Before an attempt it waits for a random part
// of a time that begins at first_wait and doubles from attempt to attempt, up to max_wait: so
// contexts that got in each other's way do not meet again. By default all waits add up to 2.5
// seconds or so.
struct RetryOptions {
  int attempts = 100;                          // in all, the first included; below 1 counts as 1
  std::chrono::microseconds first_wait{200};   // the longest wait before the second attempt
  std::chrono::microseconds max_wait{50'000};  // the longest before any
};

// A problem that EventStore::check() found.
struct Problem {
  std::optional<std::int64_t> aggregate_id;  // empty: it is of no one aggregate
  std::optional<std::int64_t> position;      // empty: it is of no one event
  std::string text;                          // for a person to read
};

// What EventStore::rename_type() renames.
enum class TypeKind { event, aggregate };

// The type of evercore::replace, which says that a declaration takes the place of the store's: see
// EventStore::declare().
struct replace_t {
  explicit replace_t() = default;
};
inline constexpr replace_t replace{};

// A store of events. Threads: it may be used from many at once; contexts and aggregates belong to
// one each. Copies are cheap and are the same store. Its connections close when the last copy is
// gone, and the last context and aggregate that came from it. It does not go through a fork(): a
// child connects again.
//
// A context inside a context of the same store works on another connection, and does not see what
// the outer one has staged. Where the outer one holds the write lock, or the last connection, the
// inner one waits in vain: that is a busy_error after busy_timeout.
class EventStore {
 public:
  // A store over a driver (engine.h), which it shares; connect() is what programs use. It looks at
  // nothing and migrates nothing.
  explicit EventStore(std::shared_ptr<StorageEngine> engine);

  // Runs function(Context&) as a transaction and gives what it returns. The function is called once,
  // on this thread. What it staged is written when it has returned, all or nothing; when
  // with_context() returns, it is committed. The context has ended then. Aggregates may be kept:
  // Context::apply() takes them up again.
  //
  // Whatever the function throws goes through, and nothing is written then. The commit throws
  //   conflict_error       an aggregate has an event that it had not when it was loaded, or a query
  //                        has another match; retryable
  //   busy_error           another held the lock, or all connections, for too long; retryable
  //   serialization_error  PostgreSQL gave the transaction up for another's sake; retryable
  //   schema_error         the store's schema does not take an event, or the state that it makes
  //   payload_error, name_error, event_id_error, argument_error
  //                        the store refuses an event, or an option that it was applied with
  //   not_found_error      an event was published to an aggregate that is not there
  //   safety_error         a query of the context asks by types alone, and has no index by type
  //   usage_error          one event is a state event in one type and custom in another
  //   connection_error     the server was lost; may_have_written() says whether it may be written
  // Aggregates that events were applied to are of no more use after any of these: load them again.
  template <class F>
  std::invoke_result_t<F&, Context&> with_context(F&& function) {
    using Result = std::invoke_result_t<F&, Context&>;
    static_assert(!std::is_rvalue_reference_v<Result>, "evercore: return a value");
    Context context(begin(false));
    if constexpr (std::is_void_v<Result>) {
      std::invoke(function, context);
      detail::commit(*context.work_);
    } else {
      Result result = std::invoke(function, context);
      detail::commit(*context.work_);
      return result;
    }
  }

  // Runs function(ReadonlyContext&) over one consistent snapshot and gives what it returns. The
  // snapshot is taken, and a connection with it, when the function first reads; both are given back
  // when it ends. Whatever the function throws goes through.
  template <class F>
  std::invoke_result_t<F&, ReadonlyContext&> with_readonly_context(F&& function) {
    ReadonlyContext context(begin(true));
    return std::invoke(function, context);
  }

  // with_context(), begun again, with everything loaded again, when it ends in an error that is
  // retryable(): conflict_error, busy_error, serialization_error. After the last attempt that error
  // goes through; every other one does at once, a lost connection too. The function must not keep
  // anything from an attempt to the next, and is called once an attempt: what it does outside of
  // the store, such as sending a mail, it may do several times.
  //
  //   store.with_retry([&](evercore::Context& ctx) {
  //     auto account = ctx.load<AccountAggregate>("A-1");
  //     if (account->balance < cents) throw evercore::refused_error("not enough money");
  //     account.apply(Withdrawn{cents});
  //   });
  template <class F>
  std::invoke_result_t<F&, Context&> with_retry(F&& function, const RetryOptions& options = {}) {
    for (int attempt = 1;; ++attempt) {
      try {
        return with_context(function);
      } catch (const error& fault) {
        if (!fault.retryable() || attempt >= options.attempts) throw;
      }
      detail::wait_before(attempt + 1, options.first_wait, options.max_wait);
    }
  }

  // Declares these aggregate types to the store: how their events fold, declared tags, and schemas
  // of events and states. A store does so by itself when it first writes an event of a type; doing
  // it at the start of the program saves the first writers the time, and tells what is wrong before
  // anything is written. Each type is one transaction, and none where the store has it all.
  //
  // What the store declares already stays as it is, so that two versions of a program beside each
  // other undo nothing. What a type says nothing of is no difference. Throws
  //   declaration_error  the store declares something in another way; all else is declared then,
  //                      and the message names each difference
  //   usage_error        a name is that of two structs, or one event is a state event in one of the
  //                      types and custom in another
  //   argument_error     rules or a schema are none
  //   engine_error       42501: in PostgreSQL schemas and tags are the owner's to declare; the
  //                      message holds the statement for the owner to run
  //
  //   store.warmup<UserAggregate, AccountAggregate>();
  template <std::derived_from<Aggregate>... A>
  void warmup() {
    const AggregateType* const types[] = {&A{}.type()..., nullptr};
    warmup(std::span(types, sizeof...(A)));
  }
  // The same of several types as one value, such as the registry that evercoregen writes.
  template <class... A>
  void warmup(Registry<A...>) {
    warmup<A...>();
  }
  // The same of a type that the program describes by hand. The store keeps a pointer to it: it must
  // live for as long as the store.
  void warmup(const AggregateType& type);

  // Declares these aggregate types to the store in place of what it declares of them, in one
  // transaction, all or nothing. What a type says nothing of stays. For a deployment's own step; in
  // PostgreSQL it is the owner's, else engine_error (42501). Throws what evercore_event_type()
  // refuses: safety_error where events of a type were compacted that would fold or be tagged in
  // another way, argument_error for rules or a schema that are none; and usage_error as warmup().
  //
  //   store.declare<AccountAggregate>(evercore::replace);
  template <std::derived_from<Aggregate>... A>
  void declare(replace_t) {
    const AggregateType* const types[] = {&A{}.type()..., nullptr};
    replace_declarations(std::span(types, sizeof...(A)));
  }
  // The same of several types as one value, and of one that the program describes by hand and that
  // lives for as long as the store.
  template <class... A>
  void declare(Registry<A...>, replace_t) {
    declare<A...>(replace);
  }
  void declare(const AggregateType& type, replace_t);

  // At most `limit` events of the whole store after a position, in order: 0 for the beginning, then
  // the position of the last one given. None when there is nothing new. Events never appear later
  // at or below a position that was given, so a reader misses nothing; on PostgreSQL that holds the
  // newest back while an append below them is under way. Throws argument_error for a negative limit
  // and for a position beyond the newest that the store ever gave, and safety_error where what is
  // committed cannot be told, such as on a logical replica.
  //
  //   for (auto events = store.follow(seen); !events.empty(); events = store.follow(seen)) {
  //     for (const auto& event : events) index(event);
  //     seen = events.back().position;
  //   }
  std::vector<RecordedEvent> follow(std::int64_t after, std::int64_t limit = 1000);

  // Runs a durable subscription in this thread until a stop is asked for: makes it when there is
  // none of that name, or gives it this filter, then claims a partition, fetches, handles and
  // acknowledges, over and over. Gives why it ended. Runners of one name share its partitions among
  // them, in this and other programs. See subscription.h for handlers and options.
  //
  // The handler is called on this thread; another thread, which lives as long as the call, renews
  // the lease meanwhile. The handler is not copied. What it throws goes through after the last
  // attempt, with the cursor before that event and the error in evercore_subscriptions.last_error.
  //
  // Throws argument_error for options, a filter or a start that cannot be, name_error for a name
  // that is empty or too long, and safety_error for another number of partitions than it has, or
  // for a start or a filter that would miss events which compaction has removed. (To begin with
  // what is left, make the subscription in SQL, with the start 'kept'.) A server that is lost at
  // the very beginning is a connection_error; one that is lost later is looked for until it is
  // back. Other errors of the store count as attempts, busy and conflict after 100 of their own.
  template <class H>
  SubscriptionEnd run_subscription(std::string_view name, const Filter& filter, const Start& start,
                                   const SubscriptionOptions& options, H&& handler) {
    return run_handler(name, filter, start, options, detail::make_handler(handler));
  }

  // The same without a row in the store: nothing is remembered, each run begins at `start`, and
  // nobody shares it. The handler takes an event or a batch, without a context. Of the options
  // owner, partitions, lease, renew_for and wait_for_lease do not apply. It ends as stopped or
  // caught_up.
  //
  // What the handler throws goes through after the last attempt; a lost server is looked for as long
  // as it takes. Throws argument_error as above, and for a start beyond the newest position that the
  // store ever gave. Events that compaction removed are passed over.
  template <class H>
  SubscriptionEnd run_ephemeral_subscription(const Filter& filter, const Start& start,
                                             const SubscriptionOptions& options, H&& handler) {
    static_assert(std::invocable<H&, const RecordedEvent&> || std::invocable<H&, detail::Batch>,
                  "evercore: the handler of an ephemeral subscription takes (const RecordedEvent&) "
                  "or (std::span<const RecordedEvent>): there is no cursor to commit in a context");
    return run_ephemeral_handler(filter, start, options, detail::make_handler(handler));
  }

  // Everything that is wrong with the store: nothing, when all is well. It reads the whole store,
  // so its time grows with the number of events, and changes nothing. docs/reference.md has what it
  // looks at (evercore_check).
  std::vector<Problem> check();

  // Gives an event type or an aggregate type another name everywhere at once: in the log, folds,
  // policies and the filters of subscriptions; data and ids stay. For the operator, in PostgreSQL
  // the owner, else engine_error (42501); there it waits for open transactions that have appended.
  // Programs that still append under the old name make it again. Throws not_found_error for a type
  // that is not there, safety_error where the new name is there already, name_error for a new name
  // that is empty or too long.
  //
  //   store.rename_type(evercore::TypeKind::event, "Moved", "Relocated");
  void rename_type(TypeKind kind, std::string_view from, std::string_view to);

  // The version of the surface behind this store, such as "0.2.0": on SQLite that of the extension
  // that is linked in, on PostgreSQL that of the functions which are installed in the schema.
  std::string version();

  // The driver below, for tests and for what wants to run statements of its own kind. The reference
  // lives as long as the store.
  StorageEngine& engine() const noexcept;

 private:
  void warmup(std::span<const AggregateType* const> types);
  void replace_declarations(std::span<const AggregateType* const> types);
  std::shared_ptr<detail::UnitOfWork> begin(bool readonly) const;
  SubscriptionEnd run_handler(std::string_view name, const Filter& filter, const Start& start,
                              const SubscriptionOptions& options, const detail::Handler& handler);
  SubscriptionEnd run_ephemeral_handler(const Filter& filter, const Start& start,
                                        const SubscriptionOptions& options,
                                        const detail::Handler& handler);

  std::shared_ptr<detail::StoreCore> core_;
};

// Opens the store that a URI names and, unless it says migrate=off, migrates it to this program's
// schema; several programs may do so at once. A PostgreSQL schema without a store gets one, which
// needs the right to make schemas and roles; one that is there needs no more than the right to use
// it.
//
// Throws
//   argument_error    the URI cannot be understood, or a store is to be made in a schema whose name
//                     is longer than 56 bytes: roles are named after it
//   connection_error  the server cannot be reached; connect() tries once
//   migration_error   a newer program migrated the SQLite file
//   safety_error      the store cannot be migrated, such as an SQLite file in UTF-16
//   engine_error      the file cannot be opened or made, or a right is missing
//   busy_error        others held the SQLite file for longer than busy_timeout
//   usage_error       a postgres URI in a program that is linked with evercore-sqlite
// No error's text holds the password of a URI.
EventStore connect(std::string_view uri);

}  // namespace evercore

#endif  // EVERCORE_STORE_H
