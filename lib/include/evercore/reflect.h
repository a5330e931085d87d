// Reflection over plain structs and enums, as far as C++20 gives it: how many members a struct has,
// what they are called, and references to them. Everything here happens at compile time; nothing
// has to be registered.
//
//   struct UserCreated { std::string username; bool is_active = true; };
//   reflect::member_names<UserCreated>    == {"username", "is_active"}
//   reflect::type_name<UserCreated>()     == "UserCreated"
//
// A struct qualifies when it is an aggregate in the sense of the language (no constructors, no
// private or virtual members) of at most 40 members and without base classes. Member functions and
// static members do no harm. Bit-fields, C arrays and references cannot be members. The codec says
// in a sentence what is wrong with a struct that does not qualify.
#ifndef EVERCORE_REFLECT_H
#define EVERCORE_REFLECT_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "evercore/detail/members.h"

namespace evercore::reflect {

namespace detail {

// Converts to anything: what a struct's member is initialised from while members are counted. It
// must not convert to the struct itself, or a copy would count as a struct of one member. It is
// never called.
template <class Owner>
struct anything {
  template <class T>
  requires(!std::is_same_v<std::remove_cvref_t<T>, Owner> &&
           !std::is_base_of_v<std::remove_cvref_t<T>, Owner>)
  operator T() const;  // NOLINT: implicit is the point
};

template <class T, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return requires {
    T{((void)I, anything<T>{})...};
  };
}

template <class T, std::size_t Count>
constexpr std::size_t count_from() {
  if constexpr (Count == 0) {
    return 0;
  } else if constexpr (takes<T>(std::make_index_sequence<Count>{})) {
    return Count;
  } else {
    return count_from<T, Count - 1>();
  }
}

template <class T, std::size_t Count = 0>
constexpr std::size_t count_up() {
  // Counting upwards ends at the first count that does not fit: cheap, for most structs are small.
  if constexpr (Count > evercore::detail::max_members) {
    return Count;
  } else if constexpr (!takes<T>(std::make_index_sequence<Count + 1>{})) {
    // A member that cannot be default-initialised makes small counts fail: look above before giving
    // up.
    if constexpr (takes<T>(std::make_index_sequence<Count>{})) {
      return Count;
    } else {
      return count_from<T, evercore::detail::max_members>();
    }
  } else {
    return count_up<T, Count + 1>();
  }
}

// Converts to the bases of Owner alone.
template <class Owner>
struct any_base {
  template <class T>
  requires(std::is_base_of_v<T, Owner> && !std::is_same_v<T, Owner>) operator T()
      const;  // NOLINT: implicit is the point
};

// Whether the member counted at Place is a C array: two values in braces fit there, and then as
// many values fit after them as if the place had been more than one.
template <class T, std::size_t... Before, std::size_t... After>
constexpr bool array_at(std::index_sequence<Before...>, std::index_sequence<After...>) {
  using any = anything<T>;
  if constexpr (requires { T{((void)Before, any{})..., {any{}, any{}}}; }) {
    return !requires {
      T{((void)Before, any{})..., {any{}, any{}}, ((void)After, any{})...};
    };
  } else {
    return false;
  }
}

template <class T, std::size_t Count, std::size_t... Place>
constexpr bool array_among(std::index_sequence<Place...>) {
  return (array_at<T>(std::make_index_sequence<Place>{},
                      std::make_index_sequence<Count - Place - 1>{}) ||
          ...);
}

// A declared, never defined object: only addresses of its members are taken.
template <class T>
struct holder {
  T value;
};
#if defined(__clang__)
#  pragma clang diagnostic push
#  pragma clang diagnostic ignored "-Wundefined-var-template"
#  pragma clang diagnostic ignored "-Wundefined-internal"
#endif
template <class T>
extern const holder<T> nowhere;

// A pointer to a subobject as a template argument; clang 14 takes it only inside a class.
template <class T>
struct pointer {
  const T* to;
};
template <class T>
pointer(const T*) -> pointer<T>;

template <auto Value>
constexpr std::string_view spelled() noexcept {
  return {__PRETTY_FUNCTION__, sizeof(__PRETTY_FUNCTION__) - 1};
}

template <class T>
constexpr std::string_view spelled_type() noexcept {
  return {__PRETTY_FUNCTION__, sizeof(__PRETTY_FUNCTION__) - 1};
}

constexpr bool is_name_byte(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

// The last identifier in a piece of the compiler's text: the member's name, or the type's.
constexpr std::string_view last_name(std::string_view text) noexcept {
  while (!text.empty() && !is_name_byte(text.back())) text.remove_suffix(1);
  std::size_t start = text.size();
  while (start > 0 && is_name_byte(text[start - 1])) --start;
  return text.substr(start);
}

template <class T, std::size_t I>
constexpr std::string_view member_name() noexcept {
  constexpr auto text = spelled<pointer{
      &std::get<I>(evercore::detail::tie_members<count_up<T>()>(nowhere<T>.value))}>();
  return last_name(text.substr(0, text.find(';')));  // gcc goes on after it with its aliases
}
#if defined(__clang__)
#  pragma clang diagnostic pop
#endif

template <class T, std::size_t... I>
constexpr std::array<std::string_view, sizeof...(I)> names_of(std::index_sequence<I...>) noexcept {
  return {member_name<T, I>()...};
}

}  // namespace detail

// How many members T has.
template <class T>
inline constexpr std::size_t member_count = detail::count_up<T>();

// The names of T's members in order of declaration, as written in the source.
template <class T>
inline constexpr std::array<std::string_view, member_count<T>> member_names =
    detail::names_of<T>(std::make_index_sequence<member_count<T>>{});

// Whether T has a base class that counts as a member, or a C array among its members: then neither
// its members nor their names can be had.
template <class T>
inline constexpr bool has_base = requires {
  T{detail::any_base<T>{}};
};
template <class T>
inline constexpr bool has_array =
    detail::array_among<T, member_count<T>>(std::make_index_sequence<member_count<T>>{});

// References to the members of `object`, in order of declaration. They live as long as the object.
template <class T>
constexpr auto members(T& object) noexcept {
  return evercore::detail::tie_members<member_count<std::remove_const_t<T>>>(object);
}

template <class T, std::size_t I>
using member_type =
    std::remove_cvref_t<std::tuple_element_t<I, decltype(members(std::declval<T&>()))>>;

// The index of the member of that name, or member_count<T> when there is none.
template <class T>
constexpr std::size_t member_index(std::string_view name) noexcept {
  for (std::size_t i = 0; i < member_count<T>; ++i) {
    if (member_names<T>[i] == name) return i;
  }
  return member_count<T>;
}

namespace detail {

template <class T>
constexpr std::string_view find_type_name() noexcept {
  std::string_view text = spelled_type<T>();
  // gcc: "… [with T = shop::User; std::string_view = …]", clang: "… [T = shop::User]"
  text.remove_prefix(text.find("T = ") + 4);
  text = text.substr(0, text.find_first_of(";]"));
  // A template's own name stands before its arguments.
  if (const auto arguments = text.find('<'); arguments != text.npos)
    text = text.substr(0, arguments);
  return last_name(text);
}

template <class T>
inline constexpr std::string_view type_name_of = find_type_name<T>();

}  // namespace detail

// The unqualified name of a struct or enum, as written in the source.
template <class T>
constexpr std::string_view type_name() noexcept {
  return detail::type_name_of<T>;
}

// The values of an enum that have names are looked for in this range. Specialise it for an enum
// whose values lie elsewhere: template <> struct evercore::reflect::enum_range<Code> { static
// constexpr int min = 400, max = 499; };
template <class E>
struct enum_range {
  static constexpr int min = 0;
  static constexpr int max = 63;
};

namespace detail {

template <class E, std::size_t I>
inline constexpr E enum_value = static_cast<E>(enum_range<E>::min + static_cast<int>(I));

template <class E, std::size_t I>
constexpr std::string_view enumerator_name() noexcept {
  std::string_view text = spelled<enum_value<E, I>>();
  text.remove_prefix(text.find("Value = ") + 8);
  // A value without a name is spelled as a cast: (shop::Color)7.
  if (text.front() == '(') return {};
  return last_name(text.substr(0, text.find_first_of(";]")));
}

template <class E, std::size_t... I>
constexpr auto enumerators_of(std::index_sequence<I...>) noexcept {
  return std::array<std::string_view, sizeof...(I)>{enumerator_name<E, I>()...};
}

}  // namespace detail

// The names of E's values over its enum_range, empty where a value has none.
template <class E>
inline constexpr auto enumerators = detail::enumerators_of<E>(
    std::make_index_sequence<static_cast<std::size_t>(enum_range<E>::max - enum_range<E>::min +
                                                      1)>{});

// The name of an enum's value; empty when it has none in range.
template <class E>
constexpr std::string_view enum_name(E value) noexcept {
  const auto number = static_cast<std::int64_t>(value);
  if (number < enum_range<E>::min || number > enum_range<E>::max) return {};
  return enumerators<E>[static_cast<std::size_t>(number - enum_range<E>::min)];
}

// The value of that name; false when the enum has none.
template <class E>
constexpr bool enum_from_name(std::string_view name, E& value) noexcept {
  if (name.empty()) return false;
  for (std::size_t i = 0; i < enumerators<E>.size(); ++i) {
    if (enumerators<E>[i] == name) {
      value = static_cast<E>(enum_range<E>::min + static_cast<int>(i));
      return true;
    }
  }
  return false;
}

namespace detail {
struct self_test {
  int first_one;
  bool second_;
};
// Fails when the compiler spells names in a way this header does not know (g++
// -fno-pretty-templates).
static_assert(
    member_count<self_test> == 2 && member_names<self_test>[0] == "first_one" &&
        member_names<self_test>[1] == "second_" && type_name<self_test>() == "self_test",
    "evercore: this compiler (or -fno-pretty-templates) does not spell member names as expected");
}  // namespace detail

}  // namespace evercore::reflect

#endif  // EVERCORE_REFLECT_H
