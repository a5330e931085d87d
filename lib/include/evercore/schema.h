// JSON Schema of structs, made from their reflection: what evercore_event_type() takes as the schema of an
// event type.
//
//   struct Deposited { std::int64_t amount = 0; std::optional<std::string> note; };
//   schema_of<Deposited>() gives
//     {"type":"object","properties":{"amount":{"type":"integer","minimum":-9223372036854775808,
//      "maximum":9223372036854775807},"note":{"type":["string","null"]}},"required":["amount"]}
//
// It is JSON Schema 2020-12, with keywords that both engines check. All that encode() writes of a T is
// taken, and what is taken decode<T>() takes, but for what a schema cannot say: the form of a
// duration, and that a time is not finer than its member holds. Members that the struct does not have are
// taken, as decode() does.
//
// | member                          | schema                                                            |
// |---------------------------------|-------------------------------------------------------------------|
// | bool, std::string               | type                                                              |
// | integers, float                 | type, and the bounds of their width                               |
// | double                          | type                                                              |
// | enum                            | enum: the names of its values                                     |
// | std::chrono::sys_time           | format date-time                                                  |
// | std::chrono::year_month_day     | format date                                                       |
// | std::optional                   | as what it holds, or null                                         |
// | std::vector, std::set           | items; a set's are unique                                         |
// | std::array, pair, tuple         | items or prefixItems, and their number                            |
// | std::map, std::unordered_map    | additionalProperties; propertyNames where the keys are an enum    |
// | std::variant                    | one property of those that its alternatives are named             |
// | evercore::RawJson               | true                                                              |
// | what json_value is said for     | as what it is stored as                                           |
// | another plain struct            | an object; by $ref where it holds itself                          |
//
// A member is required where the struct names it in `required`; where the struct names none, each is that
// is no std::optional.
#ifndef EVERCORE_SCHEMA_H
#define EVERCORE_SCHEMA_H

#include <string_view>

#include "evercore/detail/language.h"
#include "evercore/detail/schema.h"

namespace evercore {

// Says that members may be missing: see schema_of().
struct partial_t {
  explicit partial_t() = default;
};
inline constexpr partial_t partial{};

// The schema of an event's data. The text lives as long as the program. Does not compile where encode()
// does not.
template <class T>
constexpr std::string_view schema_of() noexcept {
  return detail::schema_text<T, detail::Presence::whole>();
}

// The schema of a state, which has the members alone that its events have set so far: only what a struct
// names in `required` is required.
template <class T>
constexpr std::string_view schema_of(partial_t) noexcept {
  return detail::schema_text<T, detail::Presence::partial>();
}

}  // namespace evercore

#endif  // EVERCORE_SCHEMA_H
