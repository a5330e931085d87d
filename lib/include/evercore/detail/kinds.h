// Which types a member of an event or a state may have, and the sentence for those it may not.
#ifndef EVERCORE_DETAIL_KINDS_H
#define EVERCORE_DETAIL_KINDS_H

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "evercore/reflect.h"

namespace evercore::detail {

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

template <class T>
inline constexpr bool is_time = false;
template <class D>
inline constexpr bool is_time<std::chrono::time_point<std::chrono::system_clock, D>> = true;

template <class T>
inline constexpr bool is_duration = false;
template <class R, class P>
inline constexpr bool is_duration<std::chrono::duration<R, P>> = true;

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

template <class T>
inline constexpr bool is_integer =
    std::is_integral_v<T> && !std::is_same_v<T, bool> && !is_character<T>;

template <class T>
inline constexpr bool is_text = std::is_same_v<T, std::string>;

template <class T>
concept plain_struct = std::is_class_v<T> && std::is_aggregate_v<T> && !is_std_array<T>;

template <class>
inline constexpr bool never = false;

// The types of T's members with their const, to find members that cannot be assigned.
template <class T, std::size_t... I>
constexpr bool has_const_member(std::index_sequence<I...>) {
  return (std::is_const_v<std::remove_reference_t<
              std::tuple_element_t<I, decltype(reflect::members(std::declval<T&>()))>>> ||
          ...);
}

// Fails to compile unless T is a struct that can be an event or a state.
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
  } else {
    return true;
  }
  return false;
}

// The sentence for a type that no member may have.
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
    static_assert(
        never<T>,
        "evercore: a duration has no text of its own; store its count() as an integer and "
        "name the unit in the member's name");
  } else {
    static_assert(
        never<T>,
        "evercore: this type is not a plain struct, because it has constructors, private or "
        "virtual members; use a plain struct, or bool, an integer, double, std::string, an "
        "enum, std::chrono::sys_time, std::optional, vector, array, map or variant of such");
  }
}

}  // namespace evercore::detail

#endif  // EVERCORE_DETAIL_KINDS_H
