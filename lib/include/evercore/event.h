// Events: what a struct must say to be one (nothing), and what it may say.
//
//   struct UserCreated {
//     std::string username;
//     bool is_active = true;
//
//     // All optional. The name in the store, for ever:
//     static constexpr std::string_view event_type = "user-created";
//     // Names it had before:
//     static constexpr std::string_view aliases[] = {"UserMade"};
//     // Members that must be in the JSON:
//     static constexpr std::string_view required[] = {"username"};
//     // From the struct it was before:
//     static UserCreated upcast(const UserCreatedV1& old);
//     // What its events are about besides their aggregate: "name:ann" where the username is "ann".
//     static constexpr std::string_view declared_tags[][2] = {{"name", "username"}};
//     // What the store takes as its data, whoever appends:
//     static constexpr std::string_view schema() { return evercore::schema_of<UserCreated>(); }
//   };
//
// Without event_type the struct's own name is stored, and renaming the struct would orphan its
// events: pin the name before you rename. When a struct changes so much that its initialisers
// cannot fill the gap, keep the old struct with the old name, give the new one a new event_type and
// an upcast(); old events are decoded as the old struct and carried over, through as many steps as
// there are.
//
// declared_tags are pairs of a prefix and a member: a text, an integer, an enum, or a list of such, which
// gives a tag an element. The library declares them to the store with the event's fold, and the store
// tags by itself, whoever appends; events that are there under that name are tagged as well. Taking the
// pairs out of the struct takes nothing back: that is said in SQL.
//
// schema() is a JSON Schema (2020-12), made from the struct by schema_of (schema.h) or written by hand,
// where amounts have a minimum and texts a length. The library declares it as it does tags.
#ifndef EVERCORE_EVENT_H
#define EVERCORE_EVENT_H

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "evercore/codec.h"
#include "evercore/detail/declared_tags.h"
#include "evercore/detail/language.h"
#include "evercore/schema.h"
#include "evercore/time.h"

namespace evercore {

// What the store knows about an event beside its data. The texts live as long as the call that
// hands them over.
struct EventInfo {
  std::int64_t aggregate_id = 0;
  std::int64_t sequence = 0;
  std::int64_t position = 0;  // 0 while the event is staged and has no position yet
  Time event_time{};
  Time recorded_at{};  // equals event_time while the event is staged
  std::string_view reference{};
  std::string_view metadata{};
};

// What may go with an event when it is applied or published.
struct EventOptions {
  std::string reference{};           // who or why, free text of at most 1,000 characters
  std::string metadata{};            // a JSON object, such as encode(Trace{…})
  std::optional<Time> event_time{};  // when it happened; by default when the store takes it
  std::string event_id{};            // idempotency key: the same id and content is written once
  // What the event is about besides its aggregate, such as "course:c1": at most 64, each of 1 to 255
  // characters. Queries find it by them.
  std::vector<std::string> tags{};
};

// An event as stored, with its data as JSON text.
struct RecordedEvent {
  std::int64_t position = 0;
  std::int64_t aggregate_id = 0;
  std::string aggregate_type;
  std::optional<std::string> natural_key;
  std::int64_t sequence = 0;
  std::string event_type;
  std::string data;
  std::optional<std::string> reference;
  std::optional<std::string> metadata;
  Time event_time{};
  Time recorded_at{};
  std::optional<std::string> event_id;
  std::vector<std::string> tags;
};

// The name under which E is stored.
template <class E>
constexpr std::string_view event_name() noexcept {
  if constexpr (requires { std::string_view{E::event_type}; }) {
    return E::event_type;
  } else {
    return reflect::type_name<E>();
  }
}

// Decodes a stored event as E, by E's name, aliases and upcasts. Gives nothing when it is an event
// of another type. Throws decode_error when its data does not fit.
template <class E>
std::optional<E> decode_event(const RecordedEvent& event);

namespace detail {

template <class R, class A>
A upcast_argument(R (*)(A));
template <class E>
using old_event = std::remove_cvref_t<decltype(upcast_argument(&E::upcast))>;

template <class E>
concept has_upcast = requires {
  &E::upcast;
};

// Whether T has a member of that name, whoever may call it: it makes the name ambiguous in a struct
// that inherits one from elsewhere too.
#define EVERCORE_HAS_MEMBER(name)                                                      \
  struct also_##name {                                                                 \
    int name;                                                                          \
  };                                                                                   \
  template <class T>                                                                   \
  struct with_##name : T, also_##name {};                                              \
  template <class T>                                                                   \
  concept has_member_##name = std::is_class_v<T> && !std::is_final_v<T> && !requires { \
    &with_##name<T>::name;                                                             \
  }
EVERCORE_HAS_MEMBER(upcast);
EVERCORE_HAS_MEMBER(apply);
EVERCORE_HAS_MEMBER(Apply);
EVERCORE_HAS_MEMBER(validate);
EVERCORE_HAS_MEMBER(Validate);
EVERCORE_HAS_MEMBER(fold_rules);
EVERCORE_HAS_MEMBER(schema);
#undef EVERCORE_HAS_MEMBER

template <class E>
constexpr bool bears_name(std::string_view name) noexcept {
  if (name == event_name<E>()) return true;
  if constexpr (requires { E::aliases; }) {
    for (std::string_view alias : E::aliases) {
      if (name == alias) return true;
    }
  }
  return false;
}

// Whether one of the structs that E was before has that name.
template <class E>
constexpr bool old_bears_name(std::string_view name) noexcept {
  if constexpr (has_upcast<E>) {
    return bears_name<old_event<E>>(name) || old_bears_name<old_event<E>>(name);
  } else {
    return false;
  }
}

template <class T>
concept declares_schema = requires {
  { T::schema() } -> std::convertible_to<std::string_view>;
};
template <class T>
concept has_constant_schema = requires {
  typename std::bool_constant<std::string_view{T::schema()}.empty()>;
};

// Fails to compile where T has almost the schema() that the library calls.
template <class T>
constexpr bool check_schema() {
  constexpr bool a_member = reflect::member_index<T>("schema") < reflect::member_count<T>;
  static_assert(a_member || !has_member_schema<T> || declares_schema<T>,
                "evercore: schema() cannot be called; make it one public static constexpr function "
                "that gives a std::string_view");
  if constexpr (declares_schema<T>) {
    static_assert(has_constant_schema<T>,
                  "evercore: schema() gives no constant; make it constexpr, and let it give a text "
                  "that lives as long as the program");
  }
  return true;
}

// The schema that T declares; empty where it declares none.
template <class T>
constexpr std::string_view declared_schema() {
  if constexpr (declares_schema<T>) {
    return T::schema();
  } else {
    return {};
  }
}

// Fails to compile unless E can be an event.
template <class E>
constexpr bool check_event() {
  static_assert(
      !event_name<E>().empty() && event_name<E>().size() <= 255,
      "evercore: an event type's name has 1 to 255 characters; pin another by event_type");
  static_assert(
      !old_bears_name<E>(event_name<E>()),
      "evercore: an event with an upcast() needs a name of its own; pin a new event_type, the "
      "old struct keeps the old one");
  static_assert(
      has_upcast<E> || !has_member_upcast<E>,
      "evercore: upcast() cannot be called; make it one public static function that takes "
      "the old struct");
  if constexpr (!check_struct<E>() || !check_schema<E>()) {
    return false;
  } else if constexpr (declares_tags<E>) {
    return check_declared_tags<E>();
  } else {
    return true;
  }
}

// Decodes JSON stored under `name` into E or, by upcasts, from what E was before. False when the
// name is none of theirs. `seen` tells which of E's members were set: all of them after an upcast.
template <class E, Nulls nulls, class Unknown>
bool decode_named(std::string_view name, json::Value value, E& event, Seen& seen,
                  Unknown&& unknown) {
  if (bears_name<E>(name)) {
    seen = decode_struct<nulls>(value, event, nullptr, unknown);
    return true;
  }
  if constexpr (has_upcast<E>) {
    old_event<E> old{};
    if (decode_named<old_event<E>, nulls>(name, value, old, seen,
                                          [](std::string_view, json::Value) {})) {
      event = E::upcast(old);
      seen = ~Seen{0};
      return true;
    }
  }
  return false;
}

// Throws the decode_error that also says which event it was.
[[noreturn]] void fail_event(const decode_error& fault, std::string_view event_type,
                             const EventInfo& info);

// The thread's own parser: its memory is reused from event to event.
json::Document& thread_document();

}  // namespace detail

template <class E>
std::optional<E> decode_event(const RecordedEvent& event) {
  std::optional<E> decoded;
  if constexpr (detail::check_event<E>()) {
    if (!detail::bears_name<E>(event.event_type) && !detail::old_bears_name<E>(event.event_type)) {
      return decoded;
    }
    try {
      detail::Seen seen = 0;
      detail::decode_named<E, detail::Nulls::refused>(
          event.event_type, detail::thread_document().parse(event.data), decoded.emplace(), seen,
          [](std::string_view, json::Value) {});
    } catch (const decode_error& fault) {
      EventInfo info;
      info.aggregate_id = event.aggregate_id;
      info.sequence = event.sequence;
      info.position = event.position;
      detail::fail_event(fault, event.event_type, info);
    }
  }
  return decoded;
}

}  // namespace evercore

#endif  // EVERCORE_EVENT_H
