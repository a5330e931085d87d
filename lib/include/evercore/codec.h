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
// A struct has at most 40 members, all of them public; no base class, no constructor and no C
// array. A pointer, a std::string_view, a char or a long double cannot be stored. A type of the
// program's own can, once json_value says how (json_value.h).
//
// Decoding is strict about types: "5" is no integer and 5.0 is none either (but 5 is a number). 300
// is no std::int8_t, and a null fits a std::optional or a RawJson alone. Integers and times are
// never cut to fit: a time with a fraction is no sys_time of seconds. What the JSON has and the
// struct lacks is passed over; what the struct has and the JSON lacks keeps its initialiser, unless
// the struct names it as required:
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
// bring the initialiser back. Of a name that is twice in an object the last counts for a struct,
// and the first for a map. A type that cannot be stored does not compile, and the message says why
// and what to do.
//
// Events and states go through here by themselves. A program calls encode() for metadata, and
// decode() for a state of SQL (Context::state()); for an event there is decode_event() in event.h.
// Both may be called from any thread.
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

// The struct as a JSON object, its members in their order, without blanks between them.
//   user.apply(UserRenamed{"anna"}, {.metadata = evercore::encode(Trace{"c-17"})});
//
// Throws payload_error for what no JSON can hold: a number that is not finite or an integer beyond
// int64, text that is not UTF-8, an enum's value without a name, a date outside the years 1 to
// 9999, a RawJson whose text is not one JSON value; for a time outside those years it is
// argument_error. What a to_json() throws goes through.
template <class T>
std::string encode(const T& object);

// The struct that a JSON object spells. It owns all it holds: the text need not live any longer.
//   const auto account = evercore::decode<Account>(ctx.state(id));
//
// Throws payload_error when the text is not one JSON value in UTF-8, and decode_error with the path
// of the first member that does not fit, or of one that is required and missing:
//   field "addresses[1].number": expected an integer, found a boolean
// A std::exception that a from_json() throws becomes such a decode_error too, but std::bad_alloc
// goes through.
template <class T>
T decode(std::string_view text);

namespace detail {

// Where decoding stands: a chain on the stack, walked only when something is wrong.
struct Place {
  const Place* outer;     // what is around it; nullptr at the root
  std::string_view name;  // of a member; a null pointer for an element
  std::size_t index;      // of an element, from 0
};

// Throw decode_error of that place: with a problem as it is said, or with what was expected and
// what was found.
[[noreturn]] void fail_decoding(const Place* place, const std::string& problem);
[[noreturn]] void fail_kind(const Place* place, std::string_view expected, json::Value found);
// Throws payload_error: the enum of that name has no name for the value.
[[noreturn]] void fail_unnamed_enum(std::string_view type, std::int64_t value);

// "PT1.5S" and back: whole seconds and the nanoseconds above them, 0 to 999,999,999; -0.25 s are -1
// and 750,000,000. False for another text, and for more than nine digits of fraction.
std::string format_duration(std::int64_t seconds, std::int64_t nanoseconds);
bool parse_duration(std::string_view text, std::int64_t& seconds, std::int64_t& nanoseconds);
// "2026-11-21" and back. The year must be one from 0001 to 9999: format_date() throws payload_error
// for another and for a day that there is not; parse_date() gives false and leaves `date` alone.
std::string format_date(std::chrono::year_month_day date);
bool parse_date(std::string_view text, std::chrono::year_month_day& date);
// Throws payload_error unless the text is one JSON value; gives it without blanks at the ends.
std::string_view checked_json(std::string_view text);

// Which members of a struct a document had: bit i for the i-th.
using Seen = std::uint64_t;

// The members that T names as required; and whether all those names are members of T.
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

// `"name":` as one piece of text, for member I of T by its name in JSON.
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

// The name under which a variant writes an alternative: a word for its kind where it is a number, a
// text, a list or the like; else the event_type of the struct, or the type's own name. Without an
// event_type, renaming the type makes what is stored unreadable.
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

// Whether no two alternatives of a variant have one name: else reading could not tell them apart.
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

// One value of any kind, to the end of `out` and out of a parsed document. encode.h and decode.h
// have them.
template <class T>
void encode_value(std::string& out, const T& value);
template <class T>
void decode_value(json::Value value, T& out, const Place* place);

}  // namespace detail
}  // namespace evercore

#include "evercore/detail/decode.h"
#include "evercore/detail/encode.h"

#endif  // EVERCORE_CODEC_H
