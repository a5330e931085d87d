// The reading half of codec.h: a parsed document goes straight into a struct.
//
// Why it is written as it is. Loading an aggregate decodes every event of it, so nothing is made on
// the way: no map of names and no tree of values, only steps along the words of the document
// (json.h). The names of members are known when the program is compiled. They mostly come in the
// order of the struct, in which they were written; so each is compared with the one that is due,
// and looked for only when it is another. A chain of Place on the stack says where decoding stands.
// It costs nothing until something is wrong: then it is walked once, and the message has the whole
// path, as in "address.lines[2]".
//
// Every function here takes the value, what it goes to, and the place. It throws decode_error for a
// value that does not fit, and may have changed what it goes to by then.
#ifndef EVERCORE_DETAIL_DECODE_H
#define EVERCORE_DETAIL_DECODE_H

#include "evercore/codec.h"

namespace evercore::detail {

// What a null stands for at the root of a document: a fault, or the same as a member left out. The
// SQL fold passes over nulls of state events, and so does ours.
enum class Nulls { refused, absent };

// Decodes the value into the member of that index. The index is known only when the program runs,
// the member's type when it is compiled: the fold expression is the switch between them.
template <class T, std::size_t... I>
void decode_member(json::Value value, T& object, std::size_t index, const Place* outer,
                   std::index_sequence<I...>) {
  const auto refs = reflect::members(object);
  const Place place{outer, json_names<T>[index], 0};
  static_cast<void>(
      ((I == index && (detail::decode_value(value, std::get<I>(refs), &place), true)) || ...));
}

// Whether a null counts as if that member had been left out: where nulls do, unless it is an
// optional.
template <class T, Nulls nulls>
constexpr bool passes_over_null(std::size_t index) {
  if constexpr (nulls == Nulls::refused) {
    return false;
  } else {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return ((I == index && !is_optional<reflect::member_type<T, I>>) || ...);
    }
    (std::make_index_sequence<reflect::member_count<T>>{});
  }
}

// Walks an object that spells a T: calls take(index, value) for each member that T has and
// unknown(name, value) for the others, in the order of the JSON, and gives the members it met. Of
// two members of one name the later one is taken last, so it stays. Throws decode_error where the
// value is no object, and at the end where a member of `required` has not come.
template <class T, Nulls nulls, class Take, class Unknown>
Seen walk_struct(json::Value value, const Place* place, Take&& take, Unknown&& unknown) {
  static_assert(required_names_exist<T>(),
                "evercore: `required` names a member that the struct does not have");
  constexpr std::size_t count = reflect::member_count<T>;
  constexpr auto& names = json_names<T>;
  if (value.kind() != json::Kind::object) fail_kind(place, "an object", value);
  Seen seen = 0;
  std::size_t expected = 0;  // members mostly come in the order of the struct
  for (json::Value key = value.first(); !key.at_end();) {
    const std::string_view name = key.text();
    const json::Value member = key.next();
    key = member.next();
    std::size_t index = expected;
    if (index >= count || names[index] != name) {
      index = 0;
      while (index < count && names[index] != name) ++index;
    }
    if (index == count) {
      unknown(name, member);
      continue;
    }
    expected = index + 1;
    if (member.is_null() && passes_over_null<T, nulls>(index)) continue;
    take(index, member);
    seen |= Seen{1} << index;
  }
  constexpr Seen required = required_members<T>();
  if constexpr (required != 0) {
    if ((seen & required) != required) {
      const auto missing = static_cast<std::size_t>(std::countr_zero(required & ~seen));
      const Place at{place, names[missing], 0};
      fail_decoding(&at, "is required and missing");
    }
  }
  return seen;
}

// Decodes an object into the struct and gives the members it had; the others stay as they were in
// `object`. `unknown` is called with the name and value of each member that the struct lacks.
template <Nulls nulls = Nulls::refused, class T, class Unknown>
Seen decode_struct(json::Value value, T& object, const Place* place, Unknown&& unknown) {
  constexpr std::size_t count = reflect::member_count<T>;
  const auto take = [&]([[maybe_unused]] std::size_t index, [[maybe_unused]] json::Value member) {
    if constexpr (count > 0) {
      detail::decode_member(member, object, index, place, std::make_index_sequence<count>{});
    }
  };
  return walk_struct<T, nulls>(value, place, take, unknown);
}

// An integer that T can hold; 5.0 is none, and neither is what lies beyond int64, also for a T that
// could hold it: the codec writes no such one.
template <class T>
void decode_integer(json::Value value, T& out, const Place* place) {
  if (value.kind() == json::Kind::huge || value.kind() == json::Kind::integer) {
    if (value.kind() == json::Kind::integer && std::in_range<T>(value.integer())) {
      out = static_cast<T>(value.integer());
      return;
    }
    fail_decoding(place, "the integer is out of range");
  }
  fail_kind(place, "an integer", value);
}

// A number or an integer, rounded to the nearest that T has. One beyond a float's range is a fault.
template <class T>
void decode_number(json::Value value, T& out, const Place* place) {
  double number = 0;
  switch (value.kind()) {
    case json::Kind::number:
      number = value.number();
      break;
    case json::Kind::integer:
      number = static_cast<double>(value.integer());
      break;
    case json::Kind::huge:
      number = static_cast<double>(value.huge());
      break;
    default:
      fail_kind(place, "a number", value);
  }
  if constexpr (std::is_same_v<T, float>) {
    constexpr double limit = std::numeric_limits<float>::max();
    if (number > limit || number < -limit) fail_decoding(place, "the number is out of range");
  }
  out = static_cast<T>(number);
}

// The value that has this name, among the enumerators that were found (enums.h).
template <class E>
void decode_enum(std::string_view name, E& out, const Place* place) {
  check_enum<E>();
  if (!reflect::enum_from_name(name, out)) {
    fail_decoding(place, "\"" + std::string(name) + "\" is not a value of " +
                             std::string(reflect::type_name<E>()));
  }
}

// A time, in any form that parse_time() takes. What the member's clock cannot hold is a fault, and
// so is a fraction that it would cut: a time must come back as it was written.
template <class D>
void decode_time(json::Value value, std::chrono::sys_time<D>& out, const Place* place) {
  std::chrono::sys_seconds seconds;
  int nanoseconds = 0;
  if (value.kind() != json::Kind::string) fail_kind(place, "a time", value);
  if (!parse_seconds(value.text(), seconds, nanoseconds)) {
    fail_decoding(place, "\"" + std::string(value.text()) + "\" is not a time");
  }
  // In long double, so that a clock of nanoseconds, which ends in 2262, is not overrun.
  using Limit = std::chrono::duration<long double>;
  const Limit since{seconds.time_since_epoch()};
  if (since > Limit{D::max()} - Limit{1} || since < Limit{D::min()} + Limit{1}) {
    fail_decoding(place, "the time is out of range");
  }
  const std::chrono::nanoseconds rest{nanoseconds};
  out = std::chrono::floor<D>(seconds) +
        std::chrono::floor<D>(seconds - std::chrono::floor<D>(seconds) + rest);
  const auto back = std::chrono::floor<std::chrono::seconds>(out);
  if (back != seconds || std::chrono::duration_cast<std::chrono::nanoseconds>(out - back) != rest) {
    fail_decoding(place, "the time is finer than the member can hold");
  }
}

// The same for "PT1.5S".
template <class D>
void decode_duration(json::Value value, D& out, const Place* place) {
  std::int64_t seconds = 0, nanoseconds = 0;
  if (value.kind() != json::Kind::string) fail_kind(place, "a duration", value);
  if (!parse_duration(value.text(), seconds, nanoseconds)) {
    fail_decoding(place, "\"" + std::string(value.text()) + "\" is not a duration such as PT1.5S");
  }
  using Limit = std::chrono::duration<long double>;
  const Limit whole{static_cast<long double>(seconds)};
  if (whole > Limit{D::max()} - Limit{1} || whole < Limit{D::min()} + Limit{1}) {
    fail_decoding(place, "the duration is out of range");
  }
  const std::chrono::seconds given{seconds};
  const std::chrono::nanoseconds rest{nanoseconds};
  const D floor = std::chrono::floor<D>(given);
  out = floor + std::chrono::floor<D>(given - floor + rest);
  const auto back = std::chrono::floor<std::chrono::seconds>(out);
  if (back != given || std::chrono::duration_cast<std::chrono::nanoseconds>(out - back) != rest) {
    fail_decoding(place, "the duration is finer than the member can hold");
  }
}

// A day of the years 1 to 9999, as "2026-11-21" and in no other form.
inline void decode_date(json::Value value, std::chrono::year_month_day& out, const Place* place) {
  if (value.kind() != json::Kind::string) fail_kind(place, "a date", value);
  if (!parse_date(value.text(), out)) {
    fail_decoding(place, "\"" + std::string(value.text()) + "\" is not a date such as 2026-11-21");
  }
}

// The elements of a vector, a set or an array, in place of those that are there. An array's number
// must be right, and a set holds none twice: a duplicate that was passed over would not be written
// again.
template <class T>
void decode_elements(json::Value value, T& out, const Place* place) {
  if (value.kind() != json::Kind::array) fail_kind(place, "an array", value);
  std::size_t index = 0;
  if constexpr (!is_std_array<T>) out.clear();
  for (json::Value element = value.first(); !element.at_end(); element = element.next(), ++index) {
    const Place at{place, {}, index};
    if constexpr (is_std_array<T>) {
      if (index < out.size()) detail::decode_value(element, out[index], &at);
    } else {
      typename T::value_type item{};
      detail::decode_value(element, item, &at);
      if constexpr (is_vector<T>) {
        out.push_back(std::move(item));
      } else if (!out.insert(std::move(item)).second) {
        fail_decoding(&at, "is in the set already");
      }
    }
  }
  if constexpr (is_std_array<T>) {
    if (index != out.size()) {
      fail_decoding(place, "expected " + std::to_string(out.size()) + " elements, found " +
                               std::to_string(index));
    }
  }
}

// As many elements as the tuple or pair has.
template <class T>
void decode_tuple(json::Value value, T& out, const Place* place) {
  constexpr std::size_t count = std::tuple_size_v<T>;
  if (value.kind() != json::Kind::array) fail_kind(place, "an array", value);
  std::size_t index = 0;
  json::Value element = value.first();
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    [[maybe_unused]] const auto take = [&](auto& part) {
      if (element.at_end()) return;
      const Place at{place, {}, index};
      detail::decode_value(element, part, &at);
      element = element.next();
      ++index;
    };
    (take(std::get<I>(out)), ...);
  }
  (std::make_index_sequence<count>{});
  for (; !element.at_end(); element = element.next()) ++index;
  if (index != count) {
    fail_decoding(
        place, "expected " + std::to_string(count) + " elements, found " + std::to_string(index));
  }
}

// Makes a type of the program's own, as json_value says. A std::exception of from_json() becomes a
// decode_error with its text at this place; std::bad_alloc goes through.
template <class T>
void take_stored(stored_as<T>&& stored, T& out, const Place* place) {
  std::string problem;
  try {
    out = json_value<T>::from_json(std::move(stored));
    return;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& fault) {
    problem = fault.what();
  }
  fail_decoding(place, problem);
}

// Decodes what T is stored as, and makes T of it.
template <class T>
void decode_hooked(json::Value value, T& out, const Place* place) {
  check_json_value<T>();
  if constexpr (!std::is_same_v<stored_as<T>, T> && comes_back<T>) {
    stored_as<T> stored{};
    detail::decode_value(value, stored, place);
    detail::take_stored<T>(std::move(stored), out, place);
  }
}

// A map's key out of the name of a member: the text itself, what json_value makes of it, or the
// value of an enum.
template <class Key>
void decode_key(std::string_view name, Key& key, const Place* place) {
  if constexpr (is_text<Key>) {
    key = name;
  } else if constexpr (has_json_value<Key>) {
    stored_as<Key> stored{};
    detail::decode_key(name, stored, place);
    detail::take_stored<Key>(std::move(stored), key, place);
  } else {
    detail::decode_enum(name, key, place);
  }
}

// A map out of an object, in place of what it held. Of two members of one key the first stays.
template <class T>
void decode_map(json::Value value, T& out, const Place* place) {
  if (value.kind() != json::Kind::object) fail_kind(place, "an object", value);
  out.clear();
  for (json::Value name = value.first(); !name.at_end();) {
    const json::Value element = name.next();
    const Place at{place, name.text(), 0};
    typename T::mapped_type item{};
    detail::decode_value(element, item, &at);
    typename T::key_type key{};
    detail::decode_key(name.text(), key, &at);
    out.emplace(std::move(key), std::move(item));
    name = element.next();
  }
}

// The alternative that the object's one member is named after. Further members are passed over; an
// object without one is refused, and so is a name that no alternative has.
template <class... A>
void decode_variant(json::Value value, std::variant<A...>& out, const Place* place) {
  if (value.kind() != json::Kind::object || value.first().at_end()) {
    fail_kind(place, "an object of one member", value);
  }
  const std::string_view name = value.first().text();
  const json::Value content = value.first().next();
  const Place at{place, name, 0};
  const auto take = [&]<class T>(std::type_identity<T>) {
    if (name != alternative_name<T>()) return false;
    if constexpr (std::is_same_v<T, std::monostate>) {
      out = T{};
    } else {
      T alternative{};
      detail::decode_value(content, alternative, &at);
      out = std::move(alternative);
    }
    return true;
  };
  if (!(take(std::type_identity<A>{}) || ...)) {
    fail_decoding(place, "\"" + std::string(name) + "\" is not an alternative of the variant");
  }
}

// Any value, by its type: the one way in for members, elements and alternatives. A type that cannot
// be stored does not compile, and the message says why.
template <class T>
void decode_value(json::Value value, T& out, const Place* place) {
  if constexpr (has_json_value<T>) {
    detail::decode_hooked(value, out, place);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (value.kind() != json::Kind::yes && value.kind() != json::Kind::no) {
      fail_kind(place, "a boolean", value);
    }
    out = value.kind() == json::Kind::yes;
  } else if constexpr (is_integer<T>) {
    detail::decode_integer(value, out, place);
  } else if constexpr (std::is_same_v<T, double> || std::is_same_v<T, float>) {
    detail::decode_number(value, out, place);
  } else if constexpr (is_text<T>) {
    if (value.kind() != json::Kind::string) fail_kind(place, "a string", value);
    out = value.text();
  } else if constexpr (std::is_enum_v<T>) {
    if (value.kind() != json::Kind::string) fail_kind(place, "an enum's name", value);
    detail::decode_enum(value.text(), out, place);
  } else if constexpr (is_time<T>) {
    detail::decode_time(value, out, place);
  } else if constexpr (is_optional<T>) {
    if (value.is_null()) {
      out.reset();
    } else {
      detail::decode_value(value, out.emplace(), place);
    }
  } else if constexpr (is_vector<T> || is_std_array<T> || is_set<T>) {
    detail::decode_elements(value, out, place);
  } else if constexpr (is_tuple<T>) {
    detail::decode_tuple(value, out, place);
  } else if constexpr (is_exact_duration<T>) {
    detail::decode_duration(value, out, place);
  } else if constexpr (is_date<T>) {
    decode_date(value, out, place);
  } else if constexpr (is_raw<T>) {
    out.text.clear();
    json::write_value(out.text, value);
  } else if constexpr (is_map<T>) {
    detail::decode_map(value, out, place);
  } else if constexpr (is_variant<T>) {
    detail::decode_variant(value, out, place);
  } else if constexpr (plain_struct<T>) {
    if constexpr (check_struct<T>()) {
      out = T{};  // inside a vector or a map it may hold what the initialisers do not say
      detail::decode_struct(value, out, place, [](std::string_view, json::Value) {});
    }
  } else {
    refuse<T>();
  }
}

}  // namespace evercore::detail

namespace evercore {

template <class T>
T decode(std::string_view text) {
  T object{};
  json::Document document;
  if constexpr (detail::check_struct<T>()) {
    detail::decode_struct(document.parse(text), object, nullptr,
                          [](std::string_view, json::Value) {});
  }
  return object;
}

}  // namespace evercore

#endif  // EVERCORE_DETAIL_DECODE_H
