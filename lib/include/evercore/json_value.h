// How types of the program's own are stored: specialise json_value for a type, and say as which other
// type it goes into JSON and how it comes back.
//
//   template <>
//   struct evercore::json_value<Uuid> {
//     static std::string to_json(const Uuid& id) { return id.text(); }
//     static Uuid from_json(const std::string& text) { return Uuid::parse(text); }
//   };
//
// What to_json() gives may be anything that can be stored: a text, a number, a struct, a vector, or
// RawJson. from_json() takes the same; an exception that it throws becomes a decode_error that names
// the field. The two must be inverses. With that the type can be a member, an element, an alternative
// of a variant, and, where it is stored as a text, the key of a map. A specialisation stands before the
// first struct that has such a member, in every file that has one.
#ifndef EVERCORE_JSON_VALUE_H
#define EVERCORE_JSON_VALUE_H

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "evercore/detail/language.h"

namespace evercore {

template <class T>
struct json_value {};

// JSON as it is: a member whose content the program does not look into. Its text must be one JSON
// value; read back, it has no blanks between its parts, numbers are as the codec writes them.
struct RawJson {
  std::string text = "null";
  bool operator==(const RawJson&) const = default;
};

namespace detail {

template <class T>
concept has_json_value = requires(const T& value) {
  json_value<T>::to_json(value);
};

template <class T>
struct stored_type {
  using given = std::remove_cvref_t<decltype(json_value<T>::to_json(std::declval<const T&>()))>;
  using type =
      std::conditional_t<std::is_convertible_v<given, std::string_view>, std::string, given>;
};
// The type as which T is stored.
template <has_json_value T>
using stored_as = typename stored_type<T>::type;

template <class T>
inline constexpr bool stored_as_text = false;
template <>
inline constexpr bool stored_as_text<std::string> = true;
template <has_json_value T>
inline constexpr bool stored_as_text<T> = stored_as_text<stored_as<T>>;

template <class T>
concept comes_back = requires(stored_as<T> stored) {
  { json_value<T>::from_json(std::move(stored)) } -> std::convertible_to<T>;
};

}  // namespace detail
}  // namespace evercore

#endif  // EVERCORE_JSON_VALUE_H
