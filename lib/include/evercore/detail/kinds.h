// Which types a member of an event or a state may have, and the sentence for those it may not.
//
// Why it is written as it is. Writing, reading, schemas and the shape of a state all ask what kind
// a type is; they ask here, so that they cannot disagree. What cannot be stored is refused by a
// static_assert with a sentence, and not by a concept: a compiler says of a concept which
// expression was not valid, which tells the writer of a struct nothing. After the sentence the
// functions give false or nothing, and the code behind them is left out, so that the sentence
// stands alone.
#ifndef EVERCORE_DETAIL_KINDS_H
#define EVERCORE_DETAIL_KINDS_H

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "evercore/json_value.h"
#include "evercore/reflect.h"

namespace evercore::detail {

// What kind a type is. They are asked of types without const and reference.

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
inline constexpr bool is_vector = false;
template <class T, class A>
inline constexpr bool is_vector<std::vector<T, A>> = true;

template <class T>
inline constexpr bool is_std_array = false;
template <class T, std::size_t N>
inline constexpr bool is_std_array<std::array<T, N>> = true;

// With a comparison, a hash or an allocator of any kind.
template <class T>
inline constexpr bool is_map = false;
template <class K, class V, class C, class A>
inline constexpr bool is_map<std::map<K, V, C, A>> = true;
template <class K, class V, class H, class E, class A>
inline constexpr bool is_map<std::unordered_map<K, V, H, E, A>> = true;

template <class T>
inline constexpr bool is_variant = false;
template <class... T>
inline constexpr bool is_variant<std::variant<T...>> = true;

// A point of the system's clock, of any precision.
template <class T>
inline constexpr bool is_time = false;
template <class D>
inline constexpr bool is_time<std::chrono::time_point<std::chrono::system_clock, D>> = true;

// Any duration, also of those that cannot be stored: see is_exact_duration.
template <class T>
inline constexpr bool is_duration = false;
template <class R, class P>
inline constexpr bool is_duration<std::chrono::duration<R, P>> = true;

template <class T>
inline constexpr bool is_set = false;
template <class T, class C, class A>
inline constexpr bool is_set<std::set<T, C, A>> = true;

// std::pair and std::tuple.
template <class T>
inline constexpr bool is_tuple = false;
template <class A, class B>
inline constexpr bool is_tuple<std::pair<A, B>> = true;
template <class... T>
inline constexpr bool is_tuple<std::tuple<T...>> = true;

template <class T>
inline constexpr bool is_date = std::is_same_v<T, std::chrono::year_month_day>;

template <class T>
inline constexpr bool is_raw = std::is_same_v<T, RawJson>;

// Kinds that no member may have, for the sentences of refuse().
template <class T>
inline constexpr bool is_smart_pointer = false;
template <class T, class D>
inline constexpr bool is_smart_pointer<std::unique_ptr<T, D>> = true;
template <class T>
inline constexpr bool is_smart_pointer<std::shared_ptr<T>> = true;

template <class T>
inline constexpr bool is_character =
    std::is_same_v<T, char> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> ||
    std::is_same_v<T, char16_t> || std::is_same_v<T, char32_t>;

// A number: neither bool nor a character. std::int8_t is one.
template <class T>
inline constexpr bool is_integer =
    std::is_integral_v<T> && !std::is_same_v<T, bool> && !is_character<T>;

template <class T>
inline constexpr bool is_text = std::is_same_v<T, std::string>;

// A struct that is stored as an object of its members.
template <class T>
concept plain_struct = std::is_class_v<T> && std::is_aggregate_v<T> && !is_std_array<T> &&
                       !is_raw<T> && !has_json_value<T>;

// False for every type, for an assertion that fails only where it is reached.
template <class>
inline constexpr bool never = false;

// The names of T's members in JSON, in order of declaration: their own, or those that T's
// json_names give them. A name on the left that no member has is passed over here; check_struct()
// refuses it.
template <class T>
constexpr auto find_json_names() {
  std::array<std::string_view, reflect::member_count<T>> names = reflect::member_names<T>;
  if constexpr (requires { T::json_names; }) {
    for (const auto& [member, name] : T::json_names) {
      const std::size_t index = reflect::member_index<T>(member);
      if (index < names.size()) names[index] = name;
    }
  }
  return names;
}
template <class T>
inline constexpr auto json_names = find_json_names<T>();

// The index of the first member of that name in JSON, or the count of members when there is none.
template <class T>
constexpr std::size_t json_index(std::string_view name) noexcept {
  std::size_t index = 0;
  while (index < json_names<T>.size() && json_names<T>[index] != name) ++index;
  return index;
}

// Whether each name on the left of json_names is a member's.
template <class T>
constexpr bool renamed_members_exist() {
  if constexpr (requires { T::json_names; }) {
    for (const auto& [member, name] : T::json_names) {
      if (reflect::member_index<T>(member) == reflect::member_count<T>) return false;
    }
  }
  return true;
}

// Whether the names can stand in JSON as they are: none is escaped.
template <class T>
constexpr bool json_names_are_texts() {
  for (std::string_view name : json_names<T>) {
    if (name.empty()) return false;
    for (char c : name) {
      if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) return false;
    }
  }
  return true;
}

// Whether no two members have one name in JSON.
template <class T>
constexpr bool json_names_differ() {
  for (std::size_t i = 0; i < json_names<T>.size(); ++i) {
    if (json_index<T>(json_names<T>[i]) != i) return false;
  }
  return true;
}

// The types of T's members with their const, to find members that cannot be assigned.
template <class T, std::size_t... I>
constexpr bool has_const_member(std::index_sequence<I...>) {
  return (std::is_const_v<std::remove_reference_t<
              std::tuple_element_t<I, decltype(reflect::members(std::declval<T&>()))>>> ||
          ...);
}

// Fails to compile, with a sentence, unless T is a struct that can be an event or a state. Gives
// false then, so that what would be made of it can be left out. It looks at T alone: types of
// members are looked at where they are written or read.
template <class T>
constexpr bool check_struct() {
  if constexpr (!std::is_class_v<T> || !std::is_aggregate_v<T>) {
    static_assert(
        never<T>,
        "evercore: this type is not a plain struct, because it has constructors, private or "
        "virtual members; make all members public and drop the constructors (initialise "
        "members where they are declared)");
  } else if constexpr (!std::is_default_constructible_v<T>) {
    static_assert(
        never<T>,
        "evercore: this struct cannot be made without arguments, so it cannot be decoded; "
        "give every member a type with a default, or std::optional");
  } else if constexpr (reflect::has_base<T>) {
    static_assert(
        never<T>,
        "evercore: a struct with a base class cannot be reflected; make the base a member "
        "of the struct instead");
  } else if constexpr (reflect::member_count<T> > max_members) {
    static_assert(never<T>,
                  "evercore: a struct of more than 40 members cannot be reflected; group members "
                  "into structs of their own");
  } else if constexpr (reflect::has_array<T>) {
    static_assert(never<T>,
                  "evercore: a C array cannot be a member; use std::array or std::vector");
  } else if constexpr (has_const_member<T>(std::make_index_sequence<reflect::member_count<T>>{})) {
    static_assert(never<T>, "evercore: a const member cannot be decoded into; drop the const");
  } else if constexpr (!renamed_members_exist<T>()) {
    static_assert(never<T>, "evercore: `json_names` names a member that the struct does not have");
  } else if constexpr (!json_names_are_texts<T>()) {
    static_assert(never<T>,
                  "evercore: a name in `json_names` is empty, or holds a quote, a backslash or a "
                  "control character");
  } else if constexpr (!json_names_differ<T>()) {
    static_assert(never<T>,
                  "evercore: two members have one name in JSON; `json_names` gives them theirs");
  } else {
    return true;
  }
  return false;
}

// Fails to compile unless names for E's values were found.
template <class E>
constexpr void check_enum() {
  static_assert(!reflect::enumerators<E>.empty(),
                "evercore: no enumerator of this enum was found between -128 and 1023 or among the "
                "powers of two; say where they lie by evercore::enum_range, or by "
                "evercore::json_value how the enum is stored");
}

// Fails to compile unless what json_value says of T holds together.
template <class T>
constexpr void check_json_value() {
  static_assert(!std::is_same_v<stored_as<T>, T>,
                "evercore: json_value stores a type as itself; to_json() must give another type");
  static_assert(!is_optional<stored_as<T>>,
                "evercore: json_value stores a type as an optional; make the member an optional "
                "of the type instead");
  static_assert(
      comes_back<T>,
      "evercore: json_value has no from_json() that makes the type of what to_json() gives");
}

// A duration that a text can hold exactly: of integers, in units that are whole nanoseconds.
template <class T>
inline constexpr bool is_exact_duration = false;
template <class R, class P>
inline constexpr bool is_exact_duration<std::chrono::duration<R, P>> =
    std::is_integral_v<R>&& std::ratio_divide<P, std::nano>::den == 1;

// Fails to compile, with the sentence for a type that no member may have.
template <class T>
constexpr void refuse() {
  if constexpr (std::is_same_v<T, std::string_view>) {
    static_assert(never<T>, "evercore: std::string_view does not own its text; use std::string");
  } else if constexpr (std::is_pointer_v<T> || is_smart_pointer<T>) {
    static_assert(
        never<T>,
        "evercore: a pointer cannot be stored; use the value itself, or std::optional of it "
        "where it may be missing");
  } else if constexpr (is_character<T>) {
    static_assert(never<T>,
                  "evercore: a character is neither text nor a number; use std::string, or "
                  "std::int8_t for a small number");
  } else if constexpr (std::is_same_v<T, long double>) {
    static_assert(never<T>, "evercore: long double cannot be stored exactly; use double");
  } else if constexpr (std::is_array_v<T>) {
    static_assert(never<T>,
                  "evercore: a C array cannot be a member; use std::array or std::vector");
  } else if constexpr (std::is_union_v<T>) {
    static_assert(never<T>,
                  "evercore: nobody knows which member of a union is set; use std::variant");
  } else if constexpr (is_duration<T>) {
    static_assert(never<T>,
                  "evercore: a duration is stored exactly, in nanoseconds at the finest; use a "
                  "duration of integers, such as std::chrono::nanoseconds");
  } else {
    static_assert(
        never<T>,
        "evercore: this type is not a plain struct, because it has constructors, private or "
        "virtual members; use a plain struct, or bool, an integer, double, std::string, an "
        "enum, std::chrono::sys_time, std::optional, vector, array, map or variant of such, or say "
        "by evercore::json_value how it is stored");
  }
}

}  // namespace evercore::detail

#endif  // EVERCORE_DETAIL_KINDS_H
