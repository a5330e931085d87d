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
// A state's members take what the events say; aggregate.h tells how. codec.h has the types that a
// member may have.
//
// Without event_type the struct's own name is stored, without its namespace, and renaming the
// struct would orphan its events: pin the name before you rename. A name has 1 to 255 characters.
// Within one EventStore it belongs to one struct.
//
// | change                    | what to do                                                        |
// |---------------------------|-------------------------------------------------------------------|
// | a member more             | nothing: old events leave its initialiser, and the state as it is |
// | a member less             | nothing: decoding passes it over. A state that still has a member |
// |                           | of that name goes on taking it, as SQL does                       |
// | a member renamed          | give it the old name by json_names (codec.h)                      |
// | the struct renamed        | pin the old name by event_type, or list it in aliases             |
// | a member of another type  | nothing where all old values fit; else an upcast()                |
// | anything more             | an upcast()                                                       |
//
// When a struct changes so much that its initialisers cannot fill the gap, keep the old struct with
// the old name, give the new one a new event_type and an upcast(); old events are decoded as the
// old struct and carried over, through as many steps as there are.
//   struct UserCreatedV1 {
//     std::string name;
//     static constexpr std::string_view event_type = "UserCreated";
//   };
//   struct UserCreated {
//     std::string given, family;
//     static constexpr std::string_view event_type = "user-created-2";
//     static UserCreated upcast(const UserCreatedV1& old) { return {old.name, ""}; }
//   };
// An upcast() may be called in any thread and any number of times for one event: it makes the new
// struct of the old one, and nothing else.
//
// declared_tags are at most 64 pairs of a prefix and a member: a text, an integer, an enum, or a
// list of such, which gives a tag an element. A prefix has 1 to 254 characters, none of them a
// quote, a backslash or a control character. The library declares the pairs to the store with the
// event's fold, and the store tags by itself, whoever appends; events that are there under that
// name are tagged as well. Taking the pairs out of the struct takes nothing back: that is said in
// SQL.
//
// schema() is a JSON Schema (2020-12), made from the struct by schema_of (schema.h) or written by
// hand, where amounts have a minimum and texts a length. The library declares it as it does tags.
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

// What the store knows about an event beside its data, for an apply() of a state. The texts live as
// long as the call that hands them over: copy what the state keeps.
struct EventInfo {
  std::int64_t aggregate_id = 0;
  std::int64_t sequence = 0;     // its place in its aggregate: 1, 2, 3 …
  std::int64_t position = 0;     // in the store; 0 while the event is staged and has none yet
  Time event_time{};             // when it happened
  Time recorded_at{};            // when the store took it; event_time while the event is staged
  std::string_view reference{};  // who or why; empty for none
  std::string_view metadata{};   // a JSON object; empty for none
};

// What may go with an event when it is applied or published. Each may be left out:
//   user.apply(UserRenamed{"anna"}, {.reference = "admin", .tags = {"name:anna"}});
// What is wrong here is said when the context commits, as payload_error for metadata, name_error
// for event_id and tags, and argument_error for the others.
struct EventOptions {
  std::string reference{};  // who or why, free text of at most 1,000 characters
  // A JSON object, such as encode(Trace{…}). Data and metadata have at most 16 MiB together.
  std::string metadata{};
  // When it happened, in the years 1 to 9999; by default when the store takes it.
  std::optional<Time> event_time{};
  // Makes the event idempotent: 1 to 255 characters of your own choice that name it in the whole
  // store, for ever. Where the same id is there with the same aggregate, type and data, the event
  // is a repeat: nothing is written, and the commit succeeds. So what may have been written can be
  // done again. With other content the commit throws event_id_error, and so it does where some
  // events of a context are repeats and others are new: give each its own id, or none.
  //
  // The aggregates of a context of repeats have to be loaded again: their states have taken the
  // events twice. A context with an event_id stores no snapshots.
  std::string event_id{};
  // What the event is about besides its aggregate, such as "course:c1": at most 64, each of 1 to
  // 255 characters, with those that its type declares. Queries find it by them (query.h).
  std::vector<std::string> tags{};
};

// An event as stored, with its data as JSON text. It owns its texts: keep it as long as you like,
// and hand it to any thread.
struct RecordedEvent {
  std::int64_t position = 0;  // in the store: strictly increasing, never used twice
  std::int64_t aggregate_id = 0;
  std::string aggregate_type;
  std::optional<std::string> natural_key;  // the aggregate's key of today, where it has one
  std::int64_t sequence = 0;               // in its aggregate: 1, 2, 3 …
  std::string event_type;                  // as stored: an alias or the name of an old struct too
  // The JSON object as it was appended, byte for byte. SQL's upcasts are not applied, and an erased
  // event has {}.
  std::string data;
  std::optional<std::string> reference;
  std::optional<std::string> metadata;  // a JSON object
  Time event_time{};                    // when it happened, as its writer said
  Time recorded_at{};                   // when the store took it
  std::optional<std::string> event_id;
  std::vector<std::string> tags;  // those that its type declares, then those it was given
};

// The name under which E is stored: its event_type, or else the struct's own name. The text lives
// as long as the program.
//   ctx.query({{.types = {std::string(evercore::event_name<CourseOpened>())}}})
template <class E>
constexpr std::string_view event_name() noexcept {
  if constexpr (requires { std::string_view{E::event_type}; }) {
    return E::event_type;
  } else {
    return reflect::type_name<E>();
  }
}

// Decodes a stored event as E, by E's name, aliases and upcasts. Gives nothing when it is an event
// of another type. Any thread may call it.
//   if (const auto renamed = evercore::decode_event<UserRenamed>(event)) greet(renamed->username);
//
// Throws decode_error, which names the event and the member, when the data do not fit: a type is
// wrong, a required member is missing, or a member that is no std::optional is null (which folding
// a state event passes over). Throws payload_error for data that are no JSON, and what an upcast()
// throws.
template <class E>
std::optional<E> decode_event(const RecordedEvent& event);

namespace detail {

// The struct that E was before: what its upcast() takes.
template <class R, class A>
A upcast_argument(R (*)(A));
template <class E>
using old_event = std::remove_cvref_t<decltype(upcast_argument(&E::upcast))>;

// Whether E has an upcast() that can be called.
template <class E>
concept has_upcast = requires {
  &E::upcast;
};

// Whether T has a member of that name, whoever may call it: it makes the name ambiguous in a struct
// that inherits one from elsewhere too. So a function that is private, or takes something else than
// the library gives, is found as well, and does not compile in silence.
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

// Whether events stored under that name are decoded as E: its own name, or an alias.
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

// Whether T has a schema() that can be called, and whether that gives a constant.
template <class T>
concept declares_schema = requires {
  { T::schema() } -> std::convertible_to<std::string_view>;
};
template <class T>
concept has_constant_schema = requires {
  typename std::bool_constant<std::string_view{T::schema()}.empty()>;
};

// Fails to compile where T has almost the schema() that the library calls: one that is private, not
// static, gives another type or is no constant. Else it would never be called.
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

// The schema that T declares, a JSON object; empty where it declares none.
template <class T>
constexpr std::string_view declared_schema() {
  if constexpr (declares_schema<T>) {
    return T::schema();
  } else {
    return {};
  }
}

// Fails to compile, with a sentence, unless E can be an event. Gives false then, so that the code
// behind it is left out and the sentence stands alone.
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
// `unknown` is called with the members of the JSON that E lacks. Throws decode_error, without the
// event's name and place: who calls it adds them by fail_event().
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

// Throws the decode_error that also says which event it was, by its type, position, aggregate and
// sequence; field() stays.
[[noreturn]] void fail_event(const decode_error& fault, std::string_view event_type,
                             const EventInfo& info);

// The thread's own parser: its memory is reused from event to event. What it parsed is gone when
// the same thread parses the next.
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
