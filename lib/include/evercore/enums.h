// The values of plain enums and their names, found at compile time. An enum in an event or a state
// is stored by these names (codec.h).
//
//   enum class Color { red, green };
//   reflect::enum_name(Color::red)     == "red"
//   reflect::enumerators<Color>.size() == 2
//
// How it is found. A compiler spells the values of a template in the text of __PRETTY_FUNCTION__:
// one that has a name as "Color::red", any other as a cast, "(Color)7". So each number that may be
// an enumerator is put through such a template, 64 at a time, and those that come out with a name
// are kept. Of two names of one value the compiler spells one.
//
// All of it happens while the program is compiled. What is looked up at run time is a table that
// never changes: any thread may read it, nothing here throws, and every name lives as long as the
// program.
#ifndef EVERCORE_ENUMS_H
#define EVERCORE_ENUMS_H

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
#include "evercore/detail/spelled.h"

namespace evercore {

// Where an enum's values that have names are looked for, both ends included; beyond `max` powers of
// two are looked for too, as flags are. An enum of which only a part lies there compiles, for no
// compiler tells which values an enum has: writing a value beyond is a payload_error, and reading
// its name a decode_error. One of which nothing lies there does not compile as a member.
//
// Specialise it for an enum whose values lie elsewhere, before the first struct that has such a
// member and in every file that has one. A wider range takes longer to compile.
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

// Its name in 0.1; specialising it goes on working. New code specialises evercore::enum_range.
template <class E>
struct enum_range : evercore::enum_range<E> {};

// A value of an enum and its name.
template <class E>
struct Enumerator {
  E value{};
  std::string_view name{};  // as it is written in the source, without the enum's own
};

namespace detail {

// The compiler's own text for this function, with all the values in it.
template <class E, E... Values>
constexpr std::string_view spelled_values() noexcept {
  return {__PRETTY_FUNCTION__, sizeof(__PRETTY_FUNCTION__) - 1};
}

// Reads the values that the compiler spells in a text such as "shop::Color::red, (shop::Color)1}".
// A value without a name is spelled as a cast; most are, and are stepped over by their length.
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
  // Whether a number goes on or begins with that character.
  static constexpr bool is_number(char c) noexcept { return c == '-' || (c >= '0' && c <= '9'); }
  // How many characters a number has, with its sign.
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
// An enum without a fixed type has no more bits than its enumerators need. A cast beyond them is an
// error from clang 20 on, which castable then tells; before that a warning that may be one.
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

// How many bits a number has that is greater than 0; 0 for any other.
constexpr int bits(std::int64_t value) noexcept {
  return value > 0 ? static_cast<int>(std::bit_width(static_cast<std::uint64_t>(value))) : 0;
}

// The numbers among which an E's enumerators are looked for: a range, cut to what an E can be, then
// the powers of two above it. They are counted through, from the least to the greatest.
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

// The enumerators that were found so far: as much room as there are numbers to look at.
template <class E>
struct Found {
  std::array<Enumerator<E>, searched<E>::count> all{};
  std::size_t count = 0;
};

// Looks at the numbers From + I, and appends those that have names.
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

// Looks at all numbers, in chunks: the compiler's text for all at once would be long.
template <class E, std::size_t... Chunk>
constexpr Found<E> find_all_enumerators(std::index_sequence<Chunk...>) noexcept {
  constexpr std::size_t size = 64;
  Found<E> found;
  (find_enumerators<E, Chunk * size>(
       found, std::make_index_sequence<std::min(size, searched<E>::count - Chunk * size)>{}),
   ...);
  return found;
}

// The same in an array that is just long enough.
template <class E>
constexpr auto enumerators_of() noexcept {
  constexpr Found<E> found =
      find_all_enumerators<E>(std::make_index_sequence<(searched<E>::count + 63) / 64>{});
  std::array<Enumerator<E>, found.count> named{};
  for (std::size_t i = 0; i < found.count; ++i) named[i] = found.all[i];
  return named;
}

}  // namespace detail

// The values of E that have names, from the least to the greatest, as far as they were looked for
// (enum_range): a std::array of Enumerator<E>, empty when none was found.
//   for (const auto& [value, name] : evercore::reflect::enumerators<Color>) …
template <class E>
inline constexpr auto enumerators = detail::enumerators_of<E>();

// The name of an enum's value; empty when none was found, as for flags that are put together.
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

// Sets `value` to the enum's value of that name, which must be spelled as in the source. False when
// the enum has none, and `value` stays.
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

}  // namespace evercore::reflect

#endif  // EVERCORE_ENUMS_H
