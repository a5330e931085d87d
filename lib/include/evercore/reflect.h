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
// in a sentence what is wrong with a struct that does not qualify; what is here does not look, and
// fails with an error of the compiler's, or gives other members than there are.
//
// Programs need it where they do something with every member, such as a line of a table:
//
//   template <class T>
//   std::string header() {
//     std::string line;
//     for (std::string_view name : evercore::reflect::member_names<T>) line.append(name) += ' ';
//     return line;
//   }
//
// How it works. Members are counted by trying from how many values in braces a T can be made. They
// are reached by a structured binding of as many names (detail/members.h). Their names are read
// from what the compiler calls a function whose template argument is a pointer to the member.
//
// All texts that are given live as long as the program. Names are as in the source, in the source's
// bytes; those of enumerators are in enums.h.
#ifndef EVERCORE_REFLECT_H
#define EVERCORE_REFLECT_H

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

#include "evercore/detail/language.h"
#include "evercore/detail/members.h"
#include "evercore/detail/spelled.h"
#include "evercore/enums.h"

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
  operator T() const {  // NOLINT: implicit is the point
    throw 0;            // a body, for the types of one file have to have one
  }
};

// Whether a T can be made of as many values in braces as there are indexes.
template <class T, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return requires {
    T{((void)I, anything<T>{})...};
  };
}

// The greatest count from Count downwards that fits.
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

// How many members T has; max_members + 1 where they are more than that.
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

// Whether any of the first members is one.
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

// The name of member I: the last name in what the compiler calls a pointer to it.
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

// How many members T has, 0 to 40; 41 stands for more.
template <class T>
inline constexpr std::size_t member_count = detail::count_up<T>();

// The names of T's members in order of declaration, as written in the source: a std::array, empty
// for a struct without members.
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

// References to the members of `object`, as a std::tuple in order of declaration; to const ones,
// where the object is const. They live as long as the object.
//
//   Point point{1, 2};
//   std::get<1>(evercore::reflect::members(point)) = 5;  // point.y
template <class T>
constexpr auto members(T& object) noexcept {
  return evercore::detail::tie_members<member_count<std::remove_const_t<T>>>(object);
}

// The type of member I, without const.
template <class T, std::size_t I>
using member_type =
    std::remove_cvref_t<std::tuple_element_t<I, decltype(reflect::members(std::declval<T&>()))>>;

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

// All of what the compiler calls T, up to where it goes on with aliases or ends.
template <class T>
constexpr std::string_view find_full_name() noexcept {
  std::string_view text = spelled_type<T>();
  text.remove_prefix(text.find("T = ") + 4);
  const auto aliases = text.find("; std::string_view = ");
  return text.substr(0, aliases != text.npos ? aliases : text.rfind(']'));
}

}  // namespace detail

// The unqualified name of a struct or enum, as written in the source: "User" for shop::User, and
// "Box" for Box<int>. It is the name in the store, unless the struct says another.
template <class T>
constexpr std::string_view type_name() noexcept {
  return detail::type_name_of<T>;
}

// The name with its namespaces and arguments, as the compiler spells it: for messages, and to tell
// structs apart. Compilers differ in it: it is not to be stored.
template <class T>
constexpr std::string_view full_name() noexcept {
  return detail::find_full_name<T>();
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
