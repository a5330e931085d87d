// From structs to JSON and back, driven by reflection: encode and decode are exact inverses.
//
//   struct Address { std::string street; std::optional<int> number; };
//   encode(Address{"Elm", 4})                     gives  {"street":"Elm","number":4}
//   decode<Address>(R"({"street":"Elm"})")        gives  Address{"Elm", std::nullopt}
//
// | member                              | JSON                                                  |
// |-------------------------------------|-------------------------------------------------------|
// | bool, integers, float and double    | true, 7, 2.5; integers within int64, doubles finite   |
// | std::string                         | a string, UTF-8                                       |
// | enum                                | its name as a string                                  |
// | std::chrono::sys_time               | "2026-11-21T22:10:41.123456Z"; nine digits if need be |
// | std::optional                       | left out when empty (null inside containers)          |
// | std::vector, std::array             | an array                                              |
// | std::set                            | an array                                              |
// | std::pair, std::tuple               | an array of as many elements                          |
// | std::map, std::unordered_map        | an object; keys are strings or enums                  |
// | std::variant                        | an object of one member, named after the alternative  |
// | std::chrono::duration of integers   | "PT90S", "PT0.25S", "PT-3600S": seconds, as ISO 8601  |
// | std::chrono::year_month_day         | "2026-11-21"                                          |
// | evercore::RawJson                   | as it is                                              |
// | another plain struct                | an object                                             |
// | what json_value is specialised for  | as that says (json_value.h)                           |
//
// Decoding is strict about types: "5" is no integer and 5.0 is none either (but 5 is a number).
// What the JSON has and the struct lacks is passed over; what the struct has and the JSON lacks
// keeps its initialiser, unless the struct names it as required:
//
//   struct UserCreated {
//     std::string username;
//     static constexpr std::string_view required[] = {"username"};
//   };
//
// A member has its own name in JSON, unless the struct gives it another:
//
//   struct Renamed {
//     std::string user_name;
//     std::string class_;
//     static constexpr std::string_view json_names[][2] = {{"user_name", "user-name"},
//                                                          {"class_", "class"}};
//   };
//
// An empty optional whose initialiser is not empty is written as null, since leaving it out would
// bring the initialiser back. A type that cannot be stored does not compile, and the message says
// why.
#ifndef EVERCORE_CODEC_H
#define EVERCORE_CODEC_H

#include <limits>
#include <string>
#include <string_view>

#include "evercore/detail/kinds.h"
#include "evercore/detail/language.h"
#include "evercore/error.h"
#include "evercore/json.h"
#include "evercore/reflect.h"
#include "evercore/time.h"

namespace evercore {

// The struct as a JSON object. Throws payload_error for what no JSON can hold: a number that is not
// finite or beyond int64, text that is not UTF-8, an enum's value without a name.
template <class T>
std::string encode(const T& object);

// The struct that a JSON object spells. Throws decode_error with the path of the member that does
// not fit, and payload_error when the text is not JSON.
template <class T>
T decode(std::string_view text);

namespace detail {

// Where decoding stands: a chain on the stack, walked only when something is wrong.
struct Place {
  const Place* outer;
  std::string_view name;
  std::size_t index;
};

[[noreturn]] void fail_decoding(const Place* place, const std::string& problem);
[[noreturn]] void fail_kind(const Place* place, std::string_view expected, json::Value found);
[[noreturn]] void fail_unnamed_enum(std::string_view type, std::int64_t value);

// "PT1.5S" and back: whole seconds and the nanoseconds above them. False for another text.
std::string format_duration(std::int64_t seconds, std::int64_t nanoseconds);
bool parse_duration(std::string_view text, std::int64_t& seconds, std::int64_t& nanoseconds);
// "2026-11-21" and back. The day must be one from 0001 to 9999.
std::string format_date(std::chrono::year_month_day date);
bool parse_date(std::string_view text, std::chrono::year_month_day& date);
// Throws payload_error unless the text is one JSON value; gives it without blanks at the ends.
std::string_view checked_json(std::string_view text);

// Which members of a struct a document had: bit i for the i-th.
using Seen = std::uint64_t;

template <class T>
constexpr Seen required_members() {
  Seen mask = 0;
  if constexpr (requires { T::required; }) {
    for (std::string_view name : T::required) mask |= Seen{1} << reflect::member_index<T>(name);
  }
  return mask;
}

template <class T>
constexpr bool required_names_exist() {
  if constexpr (requires { T::required; }) {
    for (std::string_view name : T::required) {
      if (reflect::member_index<T>(name) == reflect::member_count<T>) return false;
    }
  }
  return true;
}

// `"name":` as one piece of text.
template <class T, std::size_t I>
inline constexpr auto key_text = [] {
  constexpr std::string_view name = json_names<T>[I];
  std::array<char, name.size() + 3> text{};
  std::size_t at = 0;
  text[at++] = '"';
  for (char c : name) text[at++] = c;
  text[at++] = '"';
  text[at] = ':';
  return text;
}();

// The name under which a variant writes an alternative.
template <class T>
constexpr std::string_view alternative_name() {
  if constexpr (std::is_same_v<T, std::monostate>)
    return "none";
  else if constexpr (has_json_value<T>)
    return reflect::type_name<T>();
  else if constexpr (std::is_same_v<T, bool>)
    return "bool";
  else if constexpr (is_integer<T>)
    return "integer";
  else if constexpr (std::is_floating_point_v<T>)
    return "number";
  else if constexpr (is_text<T>)
    return "string";
  else if constexpr (is_time<T>)
    return "time";
  else if constexpr (is_duration<T>)
    return "duration";
  else if constexpr (is_date<T>)
    return "date";
  else if constexpr (is_raw<T>)
    return "json";
  else if constexpr (is_vector<T> || is_std_array<T> || is_set<T> || is_tuple<T>)
    return "array";
  else if constexpr (is_map<T>)
    return "object";
  else if constexpr (requires { std::string_view{T::event_type}; })
    return T::event_type;
  else
    return reflect::type_name<T>();
}

template <class... T>
constexpr bool names_differ(const std::variant<T...>*) {
  constexpr std::array<std::string_view, sizeof...(T)> names{alternative_name<T>()...};
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (names[i] == names[j]) return false;
    }
  }
  return true;
}

template <class T>
void encode_value(std::string& out, const T& value);
template <class T>
void decode_value(json::Value value, T& out, const Place* place);

}  // namespace detail
}  // namespace evercore

#include "evercore/detail/decode.h"
#include "evercore/detail/encode.h"

#endif  // EVERCORE_CODEC_H
