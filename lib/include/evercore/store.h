// The store: where a program begins.
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
// | sqlite:///path/to/file.db?…  | a file; sqlite:relative.db is relative to the current folder  |
// | sqlite::memory: or memory:   | in memory, for as long as the EventStore lives                |
// | postgres://user@host/data?…  | a schema of a PostgreSQL database, 14 or newer                |
//
// | parameter    | of         | default  | meaning                                               |
// |--------------|------------|----------|-------------------------------------------------------|
// | journal_mode | SQLite     | wal      | wal, delete, truncate, persist                        |
// | synchronous  | SQLite     | full     | full: an acknowledged commit survives a loss of       |
// |              |            |          | power. normal: the last commits may be lost then, the |
// |              |            |          | file stays sound. off: a loss of power may ruin the   |
// |              |            |          | file. extra: as full, for journal modes but wal       |
// | busy_timeout | both       | 5000     | milliseconds to wait for a lock or a free connection  |
// | pool_size    | both       | 8        | connections at most (SQLite: one more for writing;    |
// |              |            |          | memory: just one; PostgreSQL: one more for queries    |
// |              |            |          | beside a snapshot that is being read)                 |
// | migrate      | both       | on       | on, off: connect() leaves the schema as it is         |
// | schema       | PostgreSQL | evercore | the schema that is the store                          |
// | prepared     | PostgreSQL | auto     | on, off; auto: none behind a pooling proxy            |
// | notify       | PostgreSQL | on       | on, off: no word to the runners of other programs     |
// |              |            |          | after an append, which they find by polling then      |
// | reconnect    | PostgreSQL | 5000     | milliseconds to go on trying to reach a lost server   |
//
// Everything else in a postgres URI is libpq's (host, sslmode, connect_timeout, …).
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

// How often with_retry() tries, and how long it waits.
struct RetryOptions {
  int attempts = 100;
  std::chrono::microseconds first_wait{200};
  std::chrono::microseconds max_wait{50'000};
};

// A problem that EventStore::check() found.
struct Problem {
  std::optional<std::int64_t> aggregate_id;
  std::optional<std::int64_t> position;
  std::string text;
};

// What EventStore::rename_type() renames.
enum class TypeKind { event, aggregate };

// Says that a declaration takes the place of the store's: see EventStore::declare().
struct replace_t {
  explicit replace_t() = default;
};
inline constexpr replace_t replace{};

// A store of events. It may be used from many threads at once, and copies are the same store;
// contexts and aggregates belong to one thread. It does not go through a fork(): a child connects
// again. A context inside a context of the same store works on other connections and can wait for the
// outer one's write lock in vain: busy_error says so after the busy timeout.
class EventStore {
 public:
  // Over a driver; connect() is what programs use.
  explicit EventStore(std::shared_ptr<StorageEngine> engine);

  // Runs function(Context&) as a transaction and gives what it returns. Whatever it throws goes
  // through, and nothing is written then. Throws conflict_error when an aggregate has moved on
  // meanwhile.
  template <class F>
  std::invoke_result_t<F&, Context&> with_context(F&& function) {
    Context context(begin(false));
    if constexpr (std::is_void_v<std::invoke_result_t<F&, Context&>>) {
      std::invoke(function, context);
      detail::commit(*context.work_);
    } else {
      auto result = std::invoke(function, context);
      detail::commit(*context.work_);
      return result;
    }
  }

  // Runs function(ReadonlyContext&) over one consistent snapshot.
  template <class F>
  std::invoke_result_t<F&, ReadonlyContext&> with_readonly_context(F&& function) {
    ReadonlyContext context(begin(true));
    return std::invoke(function, context);
  }

  // with_context(), begun again, with everything loaded again, when it ends in an error that is
  // retryable(): a conflict, a busy database, a serialization failure. After the last attempt that
  // error goes through. The function must not keep anything from an attempt to the next.
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

  // Declares the events of these aggregate types to the store: how they fold, their declared tags and
  // their schemas. A store does so by itself when it first writes an event of a type; doing it at the
  // start of the program saves the first writers the time. What the store declares already stays as it is,
  // so that two versions of a program beside each other undo nothing: declaration_error says where it
  // differs, once all else is declared. What a type says nothing of is no difference. Throws usage_error
  // when one event is a state event here and custom there.
  template <std::derived_from<Aggregate>... A>
  void warmup() {
    const AggregateType* const types[] = {&A{}.type()..., nullptr};
    warmup(std::span(types, sizeof...(A)));
  }
  template <class... A>
  void warmup(Registry<A...>) {
    warmup<A...>();
  }
  void warmup(const AggregateType& type);

  // Declares the events of these aggregate types to the store in place of what it declares of them, all
  // or nothing: store.declare<AccountAggregate>(evercore::replace). What a type says nothing of stays. For
  // a deployment's own step; in PostgreSQL it is the owner's. Throws what evercore_event_type() refuses:
  // safety_error where events of a type were compacted that would fold or be tagged in another way,
  // argument_error for rules or a schema that are none.
  template <std::derived_from<Aggregate>... A>
  void declare(replace_t) {
    const AggregateType* const types[] = {&A{}.type()..., nullptr};
    replace_declarations(std::span(types, sizeof...(A)));
  }
  template <class... A>
  void declare(Registry<A...>, replace_t) {
    declare<A...>(replace);
  }
  void declare(const AggregateType& type, replace_t);

  // At most `limit` events of the whole store after a position, in order; later events never appear
  // at or below a position that was seen.
  std::vector<RecordedEvent> follow(std::int64_t after, std::int64_t limit = 1000);

  // Runs a durable subscription in this thread until a stop is asked for: makes it when there is
  // none of that name, or gives it this filter, then claims a partition, fetches, handles and
  // acknowledges. Runners of one name share its partitions among them, in this and other programs.
  // See subscription.h for handlers and options. What the handler throws goes through after the last
  // attempt, with the cursor before that event and the error in evercore_subscriptions. Throws
  // argument_error for a filter or start that cannot be, safety_error for another number of
  // partitions than it has, and what the engine throws when it stays lost or busy.
  template <class H>
  SubscriptionEnd run_subscription(std::string_view name, const Filter& filter, const Start& start,
                                   const SubscriptionOptions& options, H&& handler) {
    return run_handler(name, filter, start, options, detail::make_handler(handler));
  }

  // The same without a row in the store: each run begins at `start` and nobody shares it. The
  // handler takes an event or a batch, without a context. Options of leases do not apply.
  template <class H>
  SubscriptionEnd run_ephemeral_subscription(const Filter& filter, const Start& start,
                                             const SubscriptionOptions& options, H&& handler) {
    static_assert(std::invocable<H&, const RecordedEvent&> || std::invocable<H&, detail::Batch>,
                  "evercore: the handler of an ephemeral subscription takes (const RecordedEvent&) "
                  "or (std::span<const RecordedEvent>): there is no cursor to commit in a context");
    return run_ephemeral_handler(filter, start, options, detail::make_handler(handler));
  }

  // Everything that is wrong with the store: nothing, when all is well.
  std::vector<Problem> check();

  // Gives an event type or an aggregate type another name everywhere at once: in the log, folds,
  // policies and the filters of subscriptions; data and ids stay. For the operator, in PostgreSQL the
  // owner; programs that still append under the old name make it again. Throws not_found_error for a
  // type that is not there, safety_error where the new name is, argument_error for a name that is
  // empty or too long.
  void rename_type(TypeKind kind, std::string_view from, std::string_view to);

  // The version of the surface behind this store.
  std::string version();

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

// Opens the store that a URI names and migrates it to this program's schema. Throws argument_error
// for a URI that cannot be understood, connection_error for a server that cannot be reached,
// migration_error for a store that a newer program migrated. No error's text holds the password of a
// URI.
EventStore connect(std::string_view uri);

}  // namespace evercore

#endif  // EVERCORE_STORE_H
