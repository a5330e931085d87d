// Aggregates: a stream of events and the state that folding them gives.
//
//   struct User {                                       // the state
//     std::string username;
//     bool is_active = false;
//     std::int64_t logins = 0;
//     void apply(const UserLoggedIn&) { ++logins; }     // a custom event folds itself in here
//     void validate(const UserRenamed& e) const {       // may refuse an event before it is staged
//       if (e.username.empty()) throw evercore::refused_error("a user needs a name");
//     }
//   };
//   using UserAggregate = evercore::StateAggregate<User, UserCreated, UserRenamed, UserLoggedIn>;
//
// A context gives the aggregate (context.h), and the aggregate takes events:
//   auto user = ctx.load<UserAggregate>("ann");
//   user.apply(UserRenamed{"anna"});
//   if (user->is_active) …
//
// An event for which the state has apply(const Event&) or apply(const Event&, const EventInfo&) is
// a custom event. Every other one is a state event: each of its members that is present and not
// null replaces the state's member of the same name, as evercore_state() does in SQL. A member that
// the state lacks is skipped; one whose type the state's cannot take does not compile. An empty
// optional leaves the state as it is. An event that has members and none of the state's does not
// compile either, unless it says that it is meant:
//   static constexpr bool changes_state = false;
//
// An apply() is called each time the event is loaded again, for as long as the store is there: let
// it depend on what it is given and on the state alone, and refuse nothing. Refusing is for
// validate(), which is asked once, before the event is staged, and never of events that are stored.
//
// SQL knows nothing of an apply(): states in SQL, snapshots of the engine and compaction pass over
// custom events, unless the state says by which rules SQL folds them (docs/reference.md, "Rules"):
//   void apply(const Deposited& event) { balance += event.amount; }
//   static constexpr std::string_view fold_rules(const Deposited&) {
//     return R"([{"add":{"/balance":"/amount"}}])";
//   }
// Both must do the same: a test that folds both ways and compares is well spent.
//
// A state may also say:
//   // the name in the store; by default the struct's
//   static constexpr std::string_view aggregate_type = "User";
//   // 0: no snapshots
//   static constexpr std::int64_t snapshot_every = 100;
//   // by default made from the members' names and kinds
//   static constexpr std::int64_t state_version = 1;
//   // else an event not listed is a decode_error
//   static constexpr bool ignore_unknown_events = true;
//   // what the store lets each state be, as SQL folds it, whoever appends: a JSON Schema by hand,
//   // or evercore::schema_of<User>(evercore::partial)
//   static constexpr std::string_view schema() {
//     return R"({"properties":{"username":{"minLength":1}}})";
//   }
// Snapshots of another state_version are not used. Where only the code of an apply() changed, the
// members tell nothing: set state_version then.
#ifndef EVERCORE_AGGREGATE_H
#define EVERCORE_AGGREGATE_H

#include <concepts>
#include <memory>
#include <span>
#include <utility>

#include "evercore/detail/fold.h"
#include "evercore/detail/language.h"
#include "evercore/event.h"

namespace evercore {

namespace detail {
class UnitOfWork;
}  // namespace detail

// Which struct of the program something stands for; empty where that is not known. The library
// tells by it when two structs are meant by one name of the store.
struct CppType {
  std::string_view name;        // with its namespaces
  const void* place = nullptr;  // an address of its own, where the name alone may mean several

  // Whether both are one struct, also where shared libraries have a copy of it each.
  constexpr bool is(const CppType& other) const noexcept {
    // A function's or a file's own struct is not the one of that name elsewhere.
    const bool everywhere_one =
        name.find_first_of("({") == name.npos && name.find("<unnamed") == name.npos;
    return name == other.name && (everywhere_one || place == other.place);
  }
};

namespace detail {
template <class T>
inline constexpr char place_of = 0;
}  // namespace detail

// The CppType of T, of which the text and the address live as long as the program.
template <class T>
constexpr CppType cpp_type() noexcept {
  return {reflect::full_name<T>(), &detail::place_of<T>};
}

// What an event type declares to the store, for evercore_event_type(). StateAggregate fills it from
// the structs; who implements Aggregate by hand fills it by hand.
struct EventFold {
  std::string_view event_type;  // the name in the store
  std::string_view fold;        // "merge", "patch", "custom" or rules, a JSON array
  CppType event{};              // the struct; empty for an event that is none
  // What else the type declares, each a JSON object; empty: nothing.
  std::string_view tags{};    // {"course":"/course_id"}: a prefix and a pointer to its member
  std::string_view schema{};  // what its data must be
};

// What is fixed for a type of aggregates. One object a type, and it must live as long as the
// program, with the texts and folds it points to: a store remembers it by its address. It does not
// change, so that any thread may read it.
//
// Within one EventStore a name belongs to one struct: another state of the same aggregate type, or
// another event of the same event type, is a usage_error when it is first used or warmed up. A type
// with an empty `state` is let off that.
struct AggregateType {
  std::string_view name;             // of the aggregate type in the store, 1 to 255 characters
  std::span<const EventFold> folds;  // its events
  // Which snapshots decode_state() can read: those that were stored under the same number.
  std::int64_t state_version = 0;
  std::int64_t snapshot_every = 0;  // one each so many events; 0: no snapshots
  // Whether fold() looks at times, reference or metadata. Without it loading leaves them unread,
  // and in the info that fold() is given they are empty.
  bool needs_info = true;
  CppType state{};            // the struct; empty for a type that was made by hand
  std::string_view schema{};  // what the store checks its states by, a JSON object; empty: nothing
};

// A stored event on its way into an aggregate. Its texts live until fold() returns: copy what you
// keep.
struct StoredEvent {
  std::string_view event_type;  // as stored; an old name too
  // A JSON object. Loading an aggregate gives it with the upcasts that SQL declares, decide() as it
  // was stored.
  std::string_view data;
  EventInfo info;
};

// What a context loads, creates and writes. Programs use StateAggregate, which implements it; it is
// here for those who want to fold by their own hands:
//
//   class Counter final : public evercore::Aggregate {
//    public:
//     void count() {
//       require_writable();
//       ++total_;
//       stage("Counted", "{}", {});
//     }
//     const evercore::AggregateType& type() const noexcept override {
//       static constexpr evercore::EventFold folds[] = {{"Counted", "custom"}};
//       static constexpr evercore::AggregateType counter{"Counter", folds};
//       return counter;
//     }
//     void clear() override { total_ = 0; }
//     void fold(const evercore::StoredEvent&) override { ++total_; }
//
//    private:
//     std::int64_t total_ = 0;
//   };
//
// A context fills id, sequence and key, calls clear() or decode_state(), then fold() for each event
// in order. What these throw goes through to who loads.
//
// An aggregate is for one thread at a time; it may be handed to another between two contexts. It is
// a value: a copy counts its sequence by itself, so of two copies that are applied to, the second
// makes a conflict. It may outlive its context and its EventStore, and keeps the store's
// connections open for as long.
class Aggregate {
 public:
  virtual ~Aggregate() = default;

  // The number under which the store knows it, for ever; 0 for one that was neither loaded nor
  // created.
  std::int64_t id() const noexcept { return id_; }
  // The sequence of the last event folded in, staged ones included: the aggregate's version. 0
  // before the first.
  std::int64_t sequence() const noexcept { return sequence_; }
  // Its name within its type, where it has one; as it was when it was loaded, or as change_key()
  // set it. The reference lives as long as the aggregate.
  const std::optional<std::string>& natural_key() const noexcept { return natural_key_; }

  // What is fixed for its type: the same object in every call, which lives as long as the program.
  virtual const AggregateType& type() const noexcept = 0;

  // Back to the state before the first event.
  virtual void clear() = 0;
  // Takes one stored event into the state. Stage nothing here. Throw decode_error for an event that
  // does not fit.
  virtual void fold(const StoredEvent& event) = 0;
  // The state as a JSON object and back: what the one writes the other must read. Needed for
  // snapshots, and for aggregates whose events were compacted; without them usage_error is thrown.
  // decode_state() also gets states that SQL folded: those of evercore_snapshot() and of
  // compaction.
  virtual std::string encode_state() const;
  virtual void decode_state(std::string_view json);

 protected:
  Aggregate() = default;
  Aggregate(const Aggregate&) = default;
  Aggregate(Aggregate&&) = default;
  Aggregate& operator=(const Aggregate&) = default;
  Aggregate& operator=(Aggregate&&) = default;

  // For implementations of apply(). Call it first, before anything changes: it throws usage_error
  // unless the aggregate belongs to a context that is open for writing, and for one from load_at(),
  // which nothing can be appended to.
  void require_writable() const;
  // Call it last: stages an event that the state has taken already, for the commit of the
  // aggregate's context, and counts sequence() up. `data` is a JSON object in UTF-8. When a
  // snapshot is due by snapshot_every, it asks encode_state() for it, and ends the context, which then
  // writes nothing, where that throws. Throws usage_error as require_writable() does.
  void stage(std::string_view event_type, std::string data, const EventOptions& options);

 private:
  friend class detail::UnitOfWork;

  std::int64_t id_ = 0;
  std::int64_t sequence_ = 0;
  std::optional<std::string> natural_key_;
  bool as_of_ = false;  // loaded as it was at some point: nothing can be appended to it
  std::shared_ptr<detail::UnitOfWork> work_;
};

// An aggregate whose state is the struct State, changed by Events and by nothing else. The state
// and each event are checked when this is compiled: what would never be called, cannot be stored or
// would lose something does not compile, and the message says what to do.
//
// Made by itself it is of no store: a context loads or creates it.
template <class State, class... Events>
class StateAggregate : public Aggregate {
 public:
  using state_type = State;

  // The state with all events folded in, those that are staged too. Read it; only apply() changes
  // it. What these give lives as long as the aggregate, and shows each later change.
  const State& state() const noexcept { return state_; }
  const State* operator->() const noexcept { return &state_; }
  const State& operator*() const noexcept { return state_; }

  // Validates the event, folds it into the state and stages it in the aggregate's context: it is
  // stored when the context commits. It is encoded at once and need not live any longer. The
  // options say who, when and about what (event.h).
  //   user.apply(UserRenamed{"anna"}, {.reference = "admin", .tags = {"name:anna"}});
  //
  // An apply() of the state that takes an EventInfo gets the event_time of the options, and now()
  // where they have none, the new sequence, and the position 0.
  //
  // Throws usage_error outside a context that is open for writing and on an aggregate from load_at();
  // what validate() throws; and payload_error for an event that no JSON can hold. Nothing has happened
  // then. What an apply() of the state throws goes through: nothing is staged, but the state is as
  // that apply() left it. Where a snapshot is due and the state cannot be encoded, the payload_error
  // ends the context, which writes nothing. What the store itself refuses, a schema_error for one,
  // the commit throws.
  template <class E>
  void apply(const E& event, EventOptions options = {}) {
    static_assert(
        (std::is_same_v<E, Events> || ...),
        "evercore: this event is not among the aggregate's events; add it to the list of its "
        "StateAggregate");
    require_writable();
    if constexpr (requires(const State& state) { state.validate(event); }) state_.validate(event);
    std::string data = evercore::encode(event);
    if constexpr (detail::custom_with_info<State, E>) {
      if (!options.event_time) options.event_time = now();  // so that a later load sees the same
      EventInfo info{id(),
                     sequence() + 1,
                     0,
                     *options.event_time,
                     *options.event_time,
                     options.reference,
                     options.metadata};
      state_.apply(event, std::as_const(info));
    } else if constexpr (detail::custom<State, E>) {
      state_.apply(event);
    } else {
      detail::fold_members(event, state_, ~detail::Seen{0});
    }
    stage(event_name<E>(), std::move(data), options);
  }

  // Aggregate, for a plain struct. They are called by contexts.
  const AggregateType& type() const noexcept override { return the_type; }
  // Its events alone, as a type without a name: for folding events that are of no one aggregate.
  static const AggregateType& events() noexcept { return its_events; }
  void clear() override { state_ = State{}; }
  // encode_state() throws payload_error, and decode_state() decode_error, as encode() and decode()
  // do (codec.h).
  std::string encode_state() const override { return evercore::encode(state_); }
  void decode_state(std::string_view json) override { state_ = evercore::decode<State>(json); }

  // Throws decode_error, with the event's name and place, for one that does not fit its struct or
  // is not among Events; the latter is passed over where the state has ignore_unknown_events.
  void fold(const StoredEvent& event) override {
    [[maybe_unused]] const auto data = detail::thread_document().parse(event.data);
    try {
      if (!(fold_as<Events>(event, data) || ...)) {
        if constexpr (!requires { requires State::ignore_unknown_events; }) {
          throw decode_error("it is not among the events of " + std::string(the_type.name), {});
        }
      }
    } catch (const decode_error& fault) {
      detail::fail_event(fault, event.event_type, event.info);
    }
  }

 private:
  // Folds the event if it is an E, by E's name, aliases or upcasts. Gives false when it is not.
  template <class E>
  bool fold_as(const StoredEvent& stored, json::Value data) {
    if (!detail::bears_name<E>(stored.event_type) &&
        !detail::old_bears_name<E>(stored.event_type)) {
      return false;
    }
    if constexpr (!detail::custom<State, E>) {
      if (detail::bears_name<E>(stored.event_type)) {
        detail::fold_json<E>(data, state_);
        return true;
      }
    }
    constexpr auto nulls =
        detail::custom<State, E> ? detail::Nulls::refused : detail::Nulls::absent;
    E event{};
    detail::Seen seen = 0;
    detail::decode_named<E, nulls>(stored.event_type, data, event, seen,
                                   [](std::string_view, json::Value) {});
    if constexpr (detail::custom_with_info<State, E>) {
      state_.apply(std::as_const(event), stored.info);
    } else if constexpr (detail::custom<State, E>) {
      state_.apply(std::as_const(event));
    } else {
      detail::fold_members(event, state_, seen);
    }
    return true;
  }

  static_assert(
      detail::check_struct<State>() && detail::check_schema<State>() &&
          (detail::check_fold<State, Events>() && ...) && detail::check_reached<State, Events...>(),
      "evercore: the state or an event does not qualify; the messages beside this one say why");
  static constexpr std::array<EventFold, sizeof...(Events)> folds{
      EventFold{event_name<Events>(), detail::declared_fold<State, Events>(), cpp_type<Events>(),
                detail::event_tags<Events>(), detail::declared_schema<Events>()}...};
  static_assert(
      detail::event_names_differ<Events...>(),
      "evercore: two events of an aggregate have one name (aliases and old structs included)");
  static constexpr AggregateType the_type{detail::aggregate_name<State>(),
                                          folds,
                                          detail::state_version<State>(),
                                          detail::snapshot_every<State>(),
                                          (detail::custom_with_info<State, Events> || ...),
                                          cpp_type<State>(),
                                          detail::declared_schema<State>()};
  static constexpr AggregateType its_events{
      {}, folds, the_type.state_version, 0, the_type.needs_info, the_type.state};

  State state_{};
};

// Types of aggregates as one value, for EventStore::warmup() and EventStore::declare(); evercoregen
// writes one of all that it finds marked.
//   store.warmup(evercore::Registry<UserAggregate, AccountAggregate>{});
template <std::derived_from<Aggregate>... A>
struct Registry {};

}  // namespace evercore

#endif  // EVERCORE_AGGREGATE_H
