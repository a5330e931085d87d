// How types of the program's own are stored: specialise json_value for a type, and say as which
// other type it goes into JSON and how it comes back. It is for types that are no plain structs,
// such as classes with constructors and types of other libraries, and for structs that are to look
// otherwise.
//
//   template <>
//   struct evercore::json_value<Uuid> {
//     static std::string to_json(const Uuid& id) { return id.text(); }
//     static Uuid from_json(const std::string& text) { return Uuid::parse(text); }
//   };
//
// What to_json() gives may be anything that can be stored, but for the type itself and an optional:
// a text, a number, a struct, a vector, or RawJson; a std::string_view or a const char* counts as a
// text. from_json() takes the same. The two must be inverses: from_json(to_json(x)) is x. They are
// called on whatever thread encodes or decodes, several at a time.
//
// A std::exception that from_json() throws becomes a decode_error with its text and the name of the
// field; std::bad_alloc goes through, and so does what to_json() throws.
//
// With that the type can be a member, an element, an alternative of a variant, and, where it is
// stored as a text, the key of a map. It must be one that can be made without arguments and
// assigned. A specialisation stands before the first struct that has such a member, and is the same
// in every file that has one. What cannot work does not compile, with a sentence.
//
//   template <>
//   struct evercore::json_value<Money> {  // [250,"EUR"]
//     using Stored = std::pair<std::int64_t, std::string>;
//     static Stored to_json(const Money& money) { return {money.cents, money.currency}; }
//     static Money from_json(const Stored& stored) { return {stored.first, stored.second}; }
//   };
#ifndef EVERCORE_JSON_VALUE_H
#define EVERCORE_JSON_VALUE_H

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "evercore/detail/language.h"

namespace evercore {

// Empty: a type without a specialisation is stored as codec.h says, or not at all.
template <class T>
struct json_value {};

// JSON as it is: a member whose content the program does not look into. Its text must be one JSON
// value, else encode() throws payload_error. It is written as it is, without blanks at its ends;
// read back, it has no blanks between its parts, and numbers are as the codec writes them.
struct RawJson {
  std::string text = "null";
  // Compares texts: {"a":1} and {"a": 1} differ.
  bool operator==(const RawJson&) const = default;
};

namespace detail {

// Whether json_value is specialised for T.
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

// Whether T is a text in JSON, so that it can be a key: through as many types as it takes.
template <class T>
inline constexpr bool stored_as_text = false;
template <>
inline constexpr bool stored_as_text<std::string> = true;
template <has_json_value T>
inline constexpr bool stored_as_text<T> = stored_as_text<stored_as<T>>;

// Whether from_json() takes what T is stored as, and gives a T.
template <class T>
concept comes_back = requires(stored_as<T> stored) {
  { json_value<T>::from_json(std::move(stored)) } -> std::convertible_to<T>;
};

}  // namespace detail
}  // namespace evercore

#endif  // EVERCORE_JSON_VALUE_H
