// How state events change a state, and what a state says about itself. See aggregate.h for the
// rules.
//
// Why it is written as it is. SQL folds the same events by names alone, without any struct
// (evercore_state). The program must come to the same state, so a mistake that SQL would not notice
// is one here while the program is compiled: a member that is a text in the event and a number in
// the state, or an event that shares no member with its state. While the program runs a state event
// is never made: its JSON goes straight into the state's members (fold_json). Only custom events,
// old structs with an upcast(), and events that are applied become structs, whose members are then
// carried over (fold_members).
//
// Snapshots are of use as long as the state has the shape that they were written with. By default
// the version of a state is a number made of its members' names and kinds, not of how a compiler
// spells or lays them out: so it is the same in every program, and changes when a member does.
#ifndef EVERCORE_DETAIL_FOLD_H
#define EVERCORE_DETAIL_FOLD_H

#include "evercore/detail/state_functions.h"

namespace evercore::detail {

// The aggregate snapshots are taken every so many events unless the state says otherwise;
// docs/cpp.md has the measurement that chose it.
inline constexpr std::int64_t default_snapshot_every = 100;

// The name of the aggregate type in the store: the state's own word for it, or the struct's name.
template <class S>
constexpr std::string_view aggregate_name() {
  if constexpr (requires { std::string_view{S::aggregate_type}; })
    return S::aggregate_type;
  else
    return reflect::type_name<S>();
}

// Every so many events of an aggregate a snapshot of its state is stored; 0: never.
template <class S>
constexpr std::int64_t snapshot_every() {
  if constexpr (requires { S::snapshot_every; })
    return S::snapshot_every;
  else
    return default_snapshot_every;
}

// What kind of JSON a type is written as, by a letter; the same on every compiler. The letters are
// part of the version of states that are stored: one that changes makes all snapshots of such
// states useless.
template <class T>
constexpr char json_kind() {
  if constexpr (has_json_value<T>)
    return json_kind<stored_as<T>>();
  else if constexpr (std::is_same_v<T, bool>)
    return 'b';
  else if constexpr (is_integer<T>)
    return 'i';
  else if constexpr (std::is_floating_point_v<T>)
    return 'n';
  else if constexpr (is_text<T>)
    return 's';
  else if constexpr (std::is_enum_v<T>)
    return 'e';
  else if constexpr (is_time<T>)
    return 't';
  else if constexpr (is_duration<T>)
    return 'l';
  else if constexpr (is_date<T>)
    return 'd';
  else if constexpr (is_raw<T>)
    return 'r';
  else if constexpr (is_vector<T> || is_std_array<T> || is_set<T> || is_tuple<T>)
    return 'a';
  else if constexpr (is_map<T>)
    return 'm';
  else if constexpr (is_variant<T>)
    return 'v';
  else
    return 'o';
}

// A number of 63 bits, never negative, for what was added to it, in its order: FNV-1a, which is
// short and the same everywhere. A separator after each text keeps "ab", "c" from being "a", "bc".
class Shape {
 public:
  constexpr void add(std::string_view text) {
    for (char c : text) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    hash_ = (hash_ ^ 0xff) * 0x100000001b3;
  }
  constexpr void add(char c) { add(std::string_view(&c, 1)); }
  constexpr std::int64_t value() const { return static_cast<std::int64_t>(hash_ >> 1); }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

// Adds the names and kinds of everything in T: members by their names in JSON and in their order,
// what containers hold, the alternatives of variants. Around are the structs that T is in: a struct
// may contain vectors of itself, and is a mark where it does. Initialisers, the width of integers,
// the length of arrays, the keys of maps and functions are no part of it.
template <class T, class... Around>
constexpr void add_shape(Shape& shape) {
  if constexpr (is_optional<T>) {
    shape.add('?');
    add_shape<typename T::value_type, Around...>(shape);
  } else if constexpr (has_json_value<T>) {
    shape.add('h');
    add_shape<stored_as<T>, Around...>(shape);
  } else if constexpr (is_vector<T> || is_std_array<T> || is_set<T>) {
    shape.add('a');
    add_shape<typename T::value_type, Around...>(shape);
  } else if constexpr (is_tuple<T>) {
    shape.add('p');
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (add_shape<std::tuple_element_t<I, T>, Around...>(shape), ...);
    }
    (std::make_index_sequence<std::tuple_size_v<T>>{});
    shape.add(')');
  } else if constexpr (is_map<T>) {
    shape.add('m');
    add_shape<typename T::mapped_type, Around...>(shape);
  } else if constexpr (is_variant<T>) {
    shape.add('v');
    [&]<class... A>(std::type_identity<std::variant<A...>>) {
      ((shape.add(alternative_name<A>()), add_shape<A, Around...>(shape)), ...);
    }(std::type_identity<T>{});
  } else if constexpr ((std::is_same_v<T, Around> || ...) || std::is_same_v<T, std::monostate>) {
    shape.add('^');
  } else if constexpr (plain_struct<T>) {
    if constexpr (check_struct<T>()) {
      shape.add('o');
      [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((shape.add(json_names<T>[I]), add_shape<reflect::member_type<T, I>, T, Around...>(shape)),
         ...);
      }
      (std::make_index_sequence<reflect::member_count<T>>{});
    }
  } else {
    shape.add(json_kind<T>());
  }
}

// Which snapshots can be decoded as this state: the state's own number, or one made of its shape.
template <class S>
constexpr std::int64_t state_version() {
  if constexpr (requires { S::state_version; }) {
    return S::state_version;
  } else {
    Shape shape;
    add_shape<S>(shape);
    return shape.value();
  }
}

// What an optional holds; any other type is itself.
template <class T>
struct unwrapped {
  using type = T;
};
template <class T>
struct unwrapped<std::optional<T>> {
  using type = T;
};

// Whether every value of an event's member can become the state's member of that name, in C++ and
// in JSON alike: integers where none is out of range, an integer as a number, a float as a double,
// else types of one kind that can be assigned. An optional on either side does no harm: an empty
// one of the event is not carried over.
template <class From, class To>
constexpr bool can_replace() {
  using F = typename unwrapped<From>::type;
  using T = typename unwrapped<To>::type;
  if constexpr (!std::is_assignable_v<To&, const F&>) {
    return false;
  } else if constexpr (is_integer<F> && is_integer<T>) {
    return std::in_range<T>(std::numeric_limits<F>::min()) &&
           std::in_range<T>(std::numeric_limits<F>::max());
  } else if constexpr (std::is_same_v<F, double> && std::is_same_v<T, float>) {
    return false;
  } else {
    return json_kind<F>() == json_kind<T>() || (json_kind<F>() == 'i' && json_kind<T>() == 'n');
  }
}

// The same of the event's member I and the state's member of its name, if it has one.
template <class S, class E, std::size_t I>
constexpr bool member_fits() {
  constexpr std::size_t to = json_index<S>(json_names<E>[I]);
  if constexpr (to < reflect::member_count<S>) {
    return can_replace<reflect::member_type<E, I>, reflect::member_type<S, to>>();
  } else {
    return true;
  }
}

// Whether the event has a member that goes anywhere.
template <class S, class E>
constexpr bool have_a_member_in_common() {
  for (std::string_view name : json_names<E>) {
    if (json_index<S>(name) < reflect::member_count<S>) return true;
  }
  return false;
}

// Whether an event without an apply() does something, or says that it is meant to do nothing.
template <class S, class E>
constexpr bool has_effect() {
  if constexpr (requires { E::changes_state; }) {
    if (!E::changes_state) return true;
  }
  return reflect::member_count<E> == 0 || reflect::member_count<S> == 0 ||
         have_a_member_in_common<S, E>();
}

// Fails to compile, with a sentence, unless the event can be folded member by member.
template <class S, class E>
constexpr bool check_state_event() {
  constexpr bool fits = []<std::size_t... I>(std::index_sequence<I...>) {
    return (member_fits<S, E, I>() && ...);
  }
  (std::make_index_sequence<reflect::member_count<E>>{});
  static_assert(fits,
                "evercore: a state event has a member whose type cannot be assigned to the state's "
                "member of the same name without loss; change one of them, or give the state an "
                "apply(const Event&)");
  static_assert(
      has_effect<S, E>(),
      "evercore: this event has no member in common with the state and no apply() there, so it "
      "would change nothing; mend a name, or give the state an apply(const Event&), or say in the "
      "event that it is meant: static constexpr bool changes_state = false");
  return fits && has_effect<S, E>();
}

// Fails to compile, with a sentence, unless S can fold E: by an apply() or member by member.
template <class S, class E>
constexpr bool check_fold() {
  if constexpr (!check_event<E>() || !check_functions<S, E>()) {
    return false;
  } else if constexpr (!custom<S, E>) {
    return check_state_event<S, E>();
  } else {
    return true;
  }
}

// Replaces the state's members by the event's members of the same name, as far as the event set
// them: those of `seen`, bit i for member i, without optionals that are empty. An event that is not
// const is emptied: its texts are moved. Throws only what an assignment throws, such as
// std::bad_alloc.
template <class E, class S>
void fold_members(E& event, S& state, Seen seen) {
  const auto from = reflect::members(event);
  const auto to = reflect::members(state);
  const auto replace = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
    using Event = std::remove_const_t<E>;
    constexpr std::size_t target = json_index<S>(json_names<Event>[I]);
    if constexpr (target < reflect::member_count<S>) {
      if ((seen >> I & 1) == 0) return;
      if constexpr (is_optional<reflect::member_type<Event, I>>) {
        if (std::get<I>(from)) std::get<target>(to) = std::move(*std::get<I>(from));
      } else {
        std::get<target>(to) = std::move(std::get<I>(from));
      }
    }
  };
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (replace(std::integral_constant<std::size_t, I>{}), ...);
  }
  (std::make_index_sequence<reflect::member_count<std::remove_const_t<E>>>{});
}

// Sets the state's member of that name, if it has one, from JSON that is not null. Throws
// decode_error where the value does not fit the state's member.
template <class S>
void fold_unknown(std::string_view name, json::Value value, S& state) {
  constexpr std::size_t count = reflect::member_count<S>;
  const std::size_t index = json_index<S>(name);
  if constexpr (count > 0) {
    if (index < count && !value.is_null()) {
      detail::decode_member(value, state, index, nullptr, std::make_index_sequence<count>{});
    }
  }
}

// Decodes member I of a state event straight into the state's member of the same name, as the
// event's type says, so that a value which the event cannot hold is refused though the state could.
// One that the state lacks is decoded all the same, so that a wrong type does not pass unseen. A
// null leaves the state as it is. Throws decode_error.
template <class E, std::size_t I, class S>
void fold_json_member(json::Value value, S& state) {
  using From = reflect::member_type<E, I>;
  using Plain = typename unwrapped<From>::type;
  constexpr std::size_t target = json_index<S>(json_names<E>[I]);
  const Place place{nullptr, json_names<E>[I], 0};
  if constexpr (target == reflect::member_count<S>) {
    From passed_over{};
    detail::decode_value(value, passed_over, &place);
  } else {
    if (value.is_null()) return;
    using To = reflect::member_type<S, target>;
    auto& to = std::get<target>(reflect::members(state));
    if constexpr (std::is_same_v<To, Plain>) {
      detail::decode_value(value, to, &place);
    } else if constexpr (std::is_same_v<To, std::optional<Plain>>) {
      detail::decode_value(value, to.emplace(), &place);
    } else {
      Plain decoded{};
      detail::decode_value(value, decoded, &place);
      to = std::move(decoded);
    }
  }
}

// Folds the JSON of a state event into the state without making the event. What the event's struct
// lacks and the state has is set all the same: the SQL fold does so. Throws decode_error for a
// member that does not fit, and for one that is required and missing; the state may have changed by
// then.
template <class E, class S>
void fold_json(json::Value value, S& state) {
  const auto take = [&]<std::size_t... I>(std::index_sequence<I...>,
                                          [[maybe_unused]] std::size_t index,
                                          [[maybe_unused]] json::Value member) {
    static_cast<void>(((I == index && (fold_json_member<E, I>(member, state), true)) || ...));
  };
  walk_struct<E, Nulls::absent>(
      value, nullptr,
      [&](std::size_t index, json::Value member) {
        take(std::make_index_sequence<reflect::member_count<E>>{}, index, member);
      },
      [&](std::string_view name, json::Value member) { fold_unknown(name, member, state); });
}

// Whether no name leads to two events: neither their own names, nor aliases, nor those of the
// structs that they are upcast from.
template <class... E>
constexpr bool event_names_differ() {
  [[maybe_unused]] const auto bearers = []([[maybe_unused]] std::string_view name) {
    return (0 + ... + (bears_name<E>(name) || old_bears_name<E>(name) ? 1 : 0));
  };
  return ((bearers(event_name<E>()) == 1) && ...);
}

}  // namespace evercore::detail

#endif  // EVERCORE_DETAIL_FOLD_H
