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
// An event for which the state has apply(const Event&) or apply(const Event&, const EventInfo&) is
// a custom event. Every other one is a state event: each of its members that is present and not
// null replaces the state's member of the same name, as evercore_state() does in SQL. A member that
// the state lacks is skipped; one whose type the state's cannot take does not compile. An empty
// optional leaves the state as it is. An event that has members and none of the state's does not
// compile either, unless it says that it is meant:
//   static constexpr bool changes_state = false;
//
// SQL knows nothing of an apply(): states in SQL, snapshots of the engine and compaction pass over custom
// events, unless the state says by which rules SQL folds them (docs/reference.md, "Rules"):
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
//   // what the store lets each state be, as SQL folds it, whoever appends: a JSON Schema by hand, or
//   // evercore::schema_of<User>(evercore::partial)
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

// Which struct of the program something stands for; empty where that is not known.
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

template <class T>
constexpr CppType cpp_type() noexcept {
  return {reflect::full_name<T>(), &detail::place_of<T>};
}

// What an event type declares to the store, for evercore_event_type().
struct EventFold {
  std::string_view event_type;
  std::string_view fold;  // "merge", "patch", "custom" or rules
  CppType event{};
  // What else the type declares, each a JSON object; empty: nothing.
  std::string_view tags{};
  std::string_view schema{};
};

// What is fixed for a type of aggregates. One object a type, which lives as long as the program. Within
// one EventStore a name belongs to one struct: another state of the same aggregate type, or another
// event of the same event type, is a usage_error when it is first used or warmed up.
struct AggregateType {
  std::string_view name;
  std::span<const EventFold> folds;
  std::int64_t state_version = 0;
  std::int64_t snapshot_every = 0;  // 0: no snapshots
  bool needs_info = true;           // whether fold() looks at times, reference or metadata
  CppType state{};
  std::string_view schema{};  // what the store checks its states by, a JSON object; empty: nothing
};

// A stored event on its way into an aggregate; everything lives as long as the call.
struct StoredEvent {
  std::string_view event_type;
  std::string_view data;
  EventInfo info;
};

// The interface for those who want to fold by their own hands; StateAggregate implements it. A
// context fills id, sequence and key, calls clear() or decode_state(), then fold() for each event
// in order. Not to be shared between threads.
class Aggregate {
 public:
  virtual ~Aggregate() = default;

  std::int64_t id() const noexcept { return id_; }
  // The sequence of the last event folded in, staged ones included: the aggregate's version. 0
  // before the first.
  std::int64_t sequence() const noexcept { return sequence_; }
  const std::optional<std::string>& natural_key() const noexcept { return natural_key_; }

  virtual const AggregateType& type() const noexcept = 0;

  // Back to the state before the first event.
  virtual void clear() = 0;
  virtual void fold(const StoredEvent& event) = 0;
  // The state as a JSON object and back. Needed for snapshots, and for aggregates whose events were
  // compacted.
  virtual std::string encode_state() const;
  virtual void decode_state(std::string_view json);

 protected:
  Aggregate() = default;
  Aggregate(const Aggregate&) = default;
  Aggregate(Aggregate&&) = default;
  Aggregate& operator=(const Aggregate&) = default;
  Aggregate& operator=(Aggregate&&) = default;

  // For implementations of apply(): throws usage_error unless the aggregate belongs to a context
  // that is open for writing; stages an event that has been folded in already.
  void require_writable() const;
  void stage(std::string_view event_type, std::string data, const EventOptions& options);

 private:
  friend class detail::UnitOfWork;

  std::int64_t id_ = 0;
  std::int64_t sequence_ = 0;
  std::optional<std::string> natural_key_;
  bool as_of_ = false;  // loaded as it was at some point: nothing can be appended to it
  std::shared_ptr<detail::UnitOfWork> work_;
};

// An aggregate whose state is the struct State, changed by Events and by nothing else.
template <class State, class... Events>
class StateAggregate : public Aggregate {
 public:
  using state_type = State;

  const State& state() const noexcept { return state_; }
  const State* operator->() const noexcept { return &state_; }
  const State& operator*() const noexcept { return state_; }

  // Validates the event, folds it into the state and stages it in the aggregate's context; it is
  // stored when the context commits. When validate() throws, nothing has happened. When an apply()
  // of the state throws, nothing is staged, but the state is as that apply() left it. Throws
  // usage_error outside a context.
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

  const AggregateType& type() const noexcept override { return the_type; }
  // Its events alone, as a type without a name: for folding events that are of no one aggregate.
  static const AggregateType& events() noexcept { return its_events; }
  void clear() override { state_ = State{}; }
  std::string encode_state() const override { return evercore::encode(state_); }
  void decode_state(std::string_view json) override { state_ = evercore::decode<State>(json); }

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

// Types of aggregates as one value, for EventStore::warmup(); evercoregen writes one of all that it
// finds marked.
template <std::derived_from<Aggregate>... A>
struct Registry {};

}  // namespace evercore

#endif  // EVERCORE_AGGREGATE_H
