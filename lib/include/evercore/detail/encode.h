// The writing half of codec.h: a struct goes to the end of one string.
//
// Why it is written as it is. The text is made in one string, without parts that are put together
// later. The names of members are constants with their quotes and colon (key_text in codec.h):
// nothing is escaped while the program runs. Texts are escaped, but whether they are UTF-8 is
// looked at once, over the whole, at the end of encode(). What is written here decode() reads back
// as the same value; where no JSON can say that, payload_error is thrown and the string is of no
// use.
#ifndef EVERCORE_DETAIL_ENCODE_H
#define EVERCORE_DETAIL_ENCODE_H

#include "evercore/codec.h"

namespace evercore::detail {

// Whether member I of a T made without arguments, which is an optional, has a value. It is looked
// at once in the program's life, by whichever thread comes first.
template <class T, std::size_t I>
bool initialised() {
  static const bool has_value = [] {
    T object{};
    return std::get<I>(reflect::members(object)).has_value();
  }();
  return has_value;
}

// A comma where one is due, the name, and the value; nothing for an optional that is empty, unless
// its initialiser is not: leaving it out would bring that back.
template <class T, std::size_t I, class M>
void encode_member(std::string& out, const M& member) {
  constexpr auto& key = key_text<T, I>;
  if constexpr (is_optional<M>) {
    if (!member && !initialised<T, I>()) return;
  }
  if (out.back() != '{') out += ',';
  out.append(key.data(), key.size());
  detail::encode_value(out, member);
}

// An object of all members, in their order.
template <class T>
void encode_struct(std::string& out, const T& object) {
  if constexpr (check_struct<T>()) {
    out += '{';
    [&]<std::size_t... I>(std::index_sequence<I...>, auto&& refs) {
      (detail::encode_member<T, I>(out, std::get<I>(refs)), ...);
    }
    (std::make_index_sequence<reflect::member_count<T>>{}, reflect::members(object));
    out += '}';
  }
}

// The name of an enum's value. Throws payload_error for a value without one.
template <class E>
std::string_view name_of(E value) {
  check_enum<E>();
  const std::string_view name = reflect::enum_name(value);
  if (name.empty()) {
    fail_unnamed_enum(reflect::type_name<E>(), static_cast<std::int64_t>(value));
  }
  return name;
}

// A time in UTC, to the microsecond, or to the nanosecond where that says more. Throws
// argument_error outside the years 1 to 9999.
template <class T>
void encode_time(std::string& out, const T& time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(time - seconds);
  out += '"';
  out += format_seconds(seconds, static_cast<int>(rest.count()));
  out += '"';
}

// The elements of a vector, a set or an array, in their order.
template <class T>
void encode_elements(std::string& out, const T& elements) {
  out += '[';
  bool first = true;
  for (const auto& element : elements) {
    if (!first) out += ',';
    first = false;
    // std::vector<bool> hands out stand-ins.
    detail::encode_value<typename T::value_type>(out, element);
  }
  out += ']';
}

// The parts of a tuple or pair, as an array.
template <class T>
void encode_tuple(std::string& out, const T& tuple) {
  out += '[';
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((out += I == 0 ? "" : ",", detail::encode_value(out, std::get<I>(tuple))), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<T>>{});
  out += ']';
}

// The name that a map's key becomes: a text, what json_value makes a text of, or an enum's name.
// Throws payload_error for an enum's value without a name. Another type does not compile.
template <class Key>
void encode_key(std::string& out, const Key& key) {
  if constexpr (has_json_value<Key>) {
    static_assert(stored_as_text<Key>,
                  "evercore: the keys of a map become member names; use a type that json_value "
                  "stores as a text");
    detail::encode_value(out, key);
  } else {
    static_assert(
        is_text<Key> || std::is_enum_v<Key>,
        "evercore: the keys of a map become member names; use std::string or an enum as the key");
    if constexpr (is_text<Key>) {
      json::write_string(out, key);
    } else if constexpr (std::is_enum_v<Key>) {
      json::write_string(out, detail::name_of(key));
    }
  }
}

// An object of a map's elements, in the map's order, which nobody promises of an unordered_map.
template <class T>
void encode_map(std::string& out, const T& map) {
  out += '{';
  for (const auto& [key, value] : map) {
    if (out.back() != '{') out += ',';
    detail::encode_key(out, key);
    out += ':';
    detail::encode_value(out, value);
  }
  out += '}';
}

// "PT1.5S". Throws payload_error for more seconds than int64 has.
template <class T>
void encode_duration(std::string& out, const T& duration) {
  using Limit = std::chrono::duration<long double>;
  constexpr Limit limit{std::chrono::seconds::max()};
  if (Limit{duration} > limit - Limit{1024} || Limit{duration} < Limit{1024} - limit) {
    throw payload_error("EV004: data: duration out of range");
  }
  const auto seconds = std::chrono::floor<std::chrono::seconds>(duration);
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(duration - seconds);
  json::write_string(out, format_duration(seconds.count(), rest.count()));
}

// A type of the program's own, as json_value says. What to_json() throws goes through.
template <class T>
void encode_hooked(std::string& out, const T& value) {
  check_json_value<T>();
  if constexpr (!std::is_same_v<stored_as<T>, T>) {
    detail::encode_value<stored_as<T>>(out, stored_as<T>(json_value<T>::to_json(value)));
  }
}

// Any value, by its type: the one way in for members, elements and alternatives. A type that cannot
// be stored does not compile, and the message says why.
template <class T>
void encode_value(std::string& out, const T& value) {
  if constexpr (has_json_value<T>) {
    detail::encode_hooked(out, value);
  } else if constexpr (std::is_same_v<T, bool>) {
    json::write_bool(out, value);
  } else if constexpr (is_integer<T>) {
    if constexpr (std::is_same_v<std::make_unsigned_t<T>, T> && sizeof(T) == 8) {
      if (value > static_cast<T>(std::numeric_limits<std::int64_t>::max())) {
        throw payload_error("EV004: data: number out of range");
      }
    }
    json::write_integer(out, static_cast<std::int64_t>(value));
  } else if constexpr (std::is_same_v<T, double> || std::is_same_v<T, float>) {
    json::write_number(out, static_cast<double>(value));
  } else if constexpr (is_text<T>) {
    json::write_string(out, value);
  } else if constexpr (std::is_enum_v<T>) {
    json::write_string(out, detail::name_of(value));
  } else if constexpr (is_time<T>) {
    detail::encode_time(out, value);
  } else if constexpr (is_optional<T>) {
    static_assert(
        !is_optional<typename T::value_type>,
        "evercore: an optional of an optional has two kinds of nothing; use one optional");
    if (value) {
      detail::encode_value(out, *value);
    } else {
      out += "null";
    }
  } else if constexpr (is_vector<T> || is_std_array<T> || is_set<T>) {
    detail::encode_elements(out, value);
  } else if constexpr (is_tuple<T>) {
    detail::encode_tuple(out, value);
  } else if constexpr (is_map<T>) {
    detail::encode_map(out, value);
  } else if constexpr (is_exact_duration<T>) {
    detail::encode_duration(out, value);
  } else if constexpr (is_date<T>) {
    json::write_string(out, format_date(value));
  } else if constexpr (is_raw<T>) {
    out += checked_json(value.text);
  } else if constexpr (is_variant<T>) {
    static_assert(
        names_differ(static_cast<const T*>(nullptr)),
        "evercore: two alternatives of a variant have one name in JSON; wrap one of them in "
        "a struct");
    std::visit(
        [&]<class A>(const A& alternative) {
          out += '{';
          json::write_string(out, alternative_name<A>());
          out += ':';
          if constexpr (std::is_same_v<A, std::monostate>) {
            out += "null";
          } else {
            detail::encode_value(out, alternative);
          }
          out += '}';
        },
        value);
  } else if constexpr (plain_struct<T>) {
    detail::encode_struct(out, value);
  } else {
    refuse<T>();
  }
}

}  // namespace evercore::detail

namespace evercore {

template <class T>
std::string encode(const T& object) {
  std::string out;
  out.reserve(128);
  detail::encode_struct(out, object);
  json::require_utf8(out, "data");
  return out;
}

}  // namespace evercore

#endif  // EVERCORE_DETAIL_ENCODE_H
