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

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include "evercore/detail/language.h"
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
  operator T() const {  // NOLINT: implicit is the point
    throw 0;            // a body, for the types of one file have to have one
  }
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

template <class T>
constexpr std::string_view find_full_name() noexcept {
  std::string_view text = spelled_type<T>();
  text.remove_prefix(text.find("T = ") + 4);
  const auto aliases = text.find("; std::string_view = ");
  return text.substr(0, aliases != text.npos ? aliases : text.rfind(']'));
}

}  // namespace detail

// The unqualified name of a struct or enum, as written in the source.
template <class T>
constexpr std::string_view type_name() noexcept {
  return detail::type_name_of<T>;
}

// The name with its namespaces, as the compiler spells it.
template <class T>
constexpr std::string_view full_name() noexcept {
  return detail::find_full_name<T>();
}

}  // namespace evercore::reflect

namespace evercore {

// Where an enum's values that have names are looked for; beyond it powers of two are, as flags are. An
// enum of which only a part lies there compiles, for no compiler tells which values an enum has: writing
// a value beyond is a payload_error, and reading its name a decode_error.
// Specialise it for an enum whose values lie elsewhere:
//   template <>
//   struct evercore::enum_range<Code> {
//     static constexpr int min = 5000, max = 5999;
//   };
template <class E>
struct enum_range {
  static constexpr int min = -128;
  static constexpr int max = 1023;
};

}  // namespace evercore

namespace evercore::reflect {

// Its name in 0.1; specialising it goes on working.
template <class E>
struct enum_range : evercore::enum_range<E> {};

// A value of an enum and its name.
template <class E>
struct Enumerator {
  E value{};
  std::string_view name{};
};

namespace detail {

template <class E, E... Values>
constexpr std::string_view spelled_values() noexcept {
  return {__PRETTY_FUNCTION__, sizeof(__PRETTY_FUNCTION__) - 1};
}

// Reads the values that the compiler spells in a text such as "shop::Color::red, (shop::Color)1}". A
// value without a name is spelled as a cast; most are, and are stepped over by their length.
class SpelledValues {
 public:
  constexpr explicit SpelledValues(std::string_view text) noexcept : text_(text) {
    text_.remove_prefix(text_.find("Values = ") + 10);  // and the bracket
  }

  // The name of the next value, which is that number; empty when it has none.
  constexpr std::string_view take(std::int64_t number) noexcept {
    if (cast_ > 0 && text_.size() > cast_ && text_[cast_ - 1] == ')' && is_number(text_[cast_])) {
      step_over(cast_ + digits(number));
      return {};
    }
    const std::string_view item = text_.substr(0, item_size());
    step_over(item.size());
    const std::string_view name = last_name(item);
    const std::size_t before = item.size() - name.size();
    if (!name.empty() && !is_number(name.front()) && (before == 0 || item[before - 1] == ':')) {
      return name;
    }
    if (cast_ == 0 && item.find(')') != item.npos) cast_ = item.rfind(')') + 1;
    return {};
  }

 private:
  static constexpr bool is_number(char c) noexcept { return c == '-' || (c >= '0' && c <= '9'); }
  static constexpr std::size_t digits(std::int64_t number) noexcept {
    std::size_t count = number < 0 ? 2 : 1;
    for (number /= 10; number != 0; number /= 10) ++count;
    return count;
  }
  // Up to the comma or bracket that ends the item; a type's own arguments stand between brackets.
  constexpr std::size_t item_size() const noexcept {
    int depth = 0;
    std::size_t end = 0;
    for (; end < text_.size(); ++end) {
      const char c = text_[end];
      if (depth == 0 && (c == ',' || c == '}' || c == '>' || c == ']')) break;
      if (c == '(' || c == '<') ++depth;
      if (c == ')' || c == '>') --depth;
    }
    return end;
  }
  constexpr void step_over(std::size_t size) noexcept {
    text_.remove_prefix(std::min(size + 2, text_.size()));  // and ", "
  }

  std::string_view text_;
  std::size_t cast_ = 0;  // how long the cast before a number is
};

#if defined(__clang__)
// An enum without a fixed type has no more bits than its enumerators need. A cast beyond them is an error
// from clang 20 on, which castable then tells; before that a warning that may be one.
#  pragma clang diagnostic push
#  pragma clang diagnostic ignored "-Wunknown-warning-option"
#  pragma clang diagnostic ignored "-Wenum-constexpr-conversion"
template <class E, std::int64_t Value, class = void>
inline constexpr bool castable = false;
template <class E, std::int64_t Value>
inline constexpr bool
    castable<E, Value, std::void_t<std::integral_constant<E, static_cast<E>(Value)>>> = true;
// How many of 1, 2, 4, … or of -1, -2, -4, … an E can be.
template <class E, std::int64_t Sign, int Bits = 0>
constexpr int castable_bits() noexcept {
  if constexpr (Bits == 31) {
    return Bits;
  } else if constexpr (!castable<E, Sign*(std::int64_t{1} << Bits)>) {
    return Bits;
  } else {
    return castable_bits<E, Sign, Bits + 1>();
  }
}
template <class E>
inline constexpr bool has_fixed_type = requires {
  E{0};
};
#endif

// The least and the greatest number that can be an E, as far as int64 goes.
template <class E>
constexpr std::int64_t least_value() noexcept {
  using Number = std::underlying_type_t<E>;
#if defined(__clang__)
  if constexpr (!has_fixed_type<E>) {
    constexpr int bits = castable_bits<E, -1>();
    return bits == 0 ? 0 : -(std::int64_t{1} << (bits - 1));
  }
#endif
  return static_cast<std::int64_t>(std::numeric_limits<Number>::min());
}
template <class E>
constexpr std::int64_t greatest_value() noexcept {
  using Number = std::underlying_type_t<E>;
#if defined(__clang__)
  if constexpr (!has_fixed_type<E>) return (std::int64_t{1} << castable_bits<E, 1>()) - 1;
#endif
  if constexpr (sizeof(Number) == 8) return std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::numeric_limits<Number>::max());
}

constexpr int bits(std::int64_t value) noexcept {
  return value > 0 ? static_cast<int>(std::bit_width(static_cast<std::uint64_t>(value))) : 0;
}

// The numbers among which an E's enumerators are looked for: a range, then powers of two.
template <class E>
struct searched {
  static constexpr std::int64_t first =
      std::max<std::int64_t>(enum_range<E>::min, least_value<E>());
  static constexpr std::int64_t last =
      std::max(std::min<std::int64_t>(enum_range<E>::max, greatest_value<E>()), first - 1);
  static constexpr std::size_t in_range = static_cast<std::size_t>(last - first + 1);
  static constexpr int first_power = bits(last);
  static constexpr std::size_t powers =
      static_cast<std::size_t>(std::max(bits(greatest_value<E>()) - first_power, 0));
  static constexpr std::size_t count = in_range + powers;
  static constexpr E at(std::size_t index) noexcept {
    const std::int64_t number =
        index < in_range ? first + static_cast<std::int64_t>(index)
                         : std::int64_t{1} << (first_power + static_cast<int>(index - in_range));
    return static_cast<E>(number);
  }
};

template <class E>
struct Found {
  std::array<Enumerator<E>, searched<E>::count> all{};
  std::size_t count = 0;
};

template <class E, std::size_t From, std::size_t... I>
constexpr void find_enumerators(Found<E>& found, std::index_sequence<I...>) noexcept {
  SpelledValues text(spelled_values<E, searched<E>::at(From + I)...>());
  const auto take = [&](E value) {
    const std::string_view name = text.take(static_cast<std::int64_t>(value));
    if (!name.empty()) found.all[found.count++] = {value, name};
  };
  (take(searched<E>::at(From + I)), ...);
}

#if defined(__clang__)
#  pragma clang diagnostic pop
#endif

template <class E, std::size_t... Chunk>
constexpr Found<E> find_all_enumerators(std::index_sequence<Chunk...>) noexcept {
  constexpr std::size_t size = 64;
  Found<E> found;
  (find_enumerators<E, Chunk * size>(
       found, std::make_index_sequence<std::min(size, searched<E>::count - Chunk * size)>{}),
   ...);
  return found;
}

template <class E>
constexpr auto enumerators_of() noexcept {
  constexpr Found<E> found =
      find_all_enumerators<E>(std::make_index_sequence<(searched<E>::count + 63) / 64>{});
  std::array<Enumerator<E>, found.count> named{};
  for (std::size_t i = 0; i < found.count; ++i) named[i] = found.all[i];
  return named;
}

}  // namespace detail

// The values of E that have names, from the least to the greatest, as far as they were looked for.
template <class E>
inline constexpr auto enumerators = detail::enumerators_of<E>();

// The name of an enum's value; empty when none was found.
template <class E>
constexpr std::string_view enum_name(E value) noexcept {
  constexpr auto& named = enumerators<E>;
  if constexpr (named.empty()) {
    return {};
  } else {
    // Mostly the values have no gaps: then a value's place is its distance from the least.
    const auto place =
        static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(named.front().value);
    if (place < named.size() && named[place].value == value) return named[place].name;
    for (const auto& one : named) {
      if (one.value == value) return one.name;
    }
    return {};
  }
}

// The value of that name; false when the enum has none.
template <class E>
constexpr bool enum_from_name(std::string_view name, E& value) noexcept {
  for (const auto& one : enumerators<E>) {
    if (one.name == name) {
      value = one.value;
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
