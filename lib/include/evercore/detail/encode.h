// The writing half of codec.h.
#ifndef EVERCORE_DETAIL_ENCODE_H
#define EVERCORE_DETAIL_ENCODE_H

#include "evercore/codec.h"

namespace evercore::detail {

// Whether member I of a T made without arguments is an optional with a value.
template <class T, std::size_t I>
bool initialised() {
  static const bool has_value = [] {
    T object{};
    return std::get<I>(reflect::members(object)).has_value();
  }();
  return has_value;
}

template <class T, std::size_t I, class M>
void encode_member(std::string& out, const M& member) {
  constexpr auto& key = key_text<T, I>;
  if constexpr (is_optional<M>) {
    if (!member && !initialised<T, I>()) return;
  }
  if (out.back() != '{') out += ',';
  out.append(key.data(), key.size());
  encode_value(out, member);
}

template <class T>
void encode_struct(std::string& out, const T& object) {
  if constexpr (check_struct<T>()) {
    out += '{';
    [&]<std::size_t... I>(std::index_sequence<I...>, auto&& refs) {
      (encode_member<T, I>(out, std::get<I>(refs)), ...);
    }
    (std::make_index_sequence<reflect::member_count<T>>{}, reflect::members(object));
    out += '}';
  }
}

template <class E>
std::string_view name_of(E value) {
  const std::string_view name = reflect::enum_name(value);
  if (name.empty()) {
    fail_unnamed_enum(reflect::type_name<E>(), static_cast<std::int64_t>(value));
  }
  return name;
}

template <class T>
void encode_time(std::string& out, const T& time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(time - seconds);
  out += '"';
  out += format_seconds(seconds, static_cast<int>(rest.count()));
  out += '"';
}

template <class T>
void encode_elements(std::string& out, const T& elements) {
  out += '[';
  bool first = true;
  for (const auto& element : elements) {
    if (!first) out += ',';
    first = false;
    // std::vector<bool> hands out stand-ins.
    encode_value<typename T::value_type>(out, element);
  }
  out += ']';
}

template <class T>
void encode_map(std::string& out, const T& map) {
  using Key = typename T::key_type;
  static_assert(
      is_text<Key> || std::is_enum_v<Key>,
      "evercore: the keys of a map become member names; use std::string or an enum as the key");
  out += '{';
  for (const auto& [key, value] : map) {
    if (out.back() != '{') out += ',';
    if constexpr (is_text<Key>) {
      json::write_string(out, key);
    } else {
      json::write_string(out, name_of(key));
    }
    out += ':';
    encode_value(out, value);
  }
  out += '}';
}

template <class T>
void encode_value(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
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
    json::write_string(out, name_of(value));
  } else if constexpr (is_time<T>) {
    encode_time(out, value);
  } else if constexpr (is_optional<T>) {
    static_assert(
        !is_optional<typename T::value_type>,
        "evercore: an optional of an optional has two kinds of nothing; use one optional");
    if (value) {
      encode_value(out, *value);
    } else {
      out += "null";
    }
  } else if constexpr (is_vector<T> || is_std_array<T>) {
    encode_elements(out, value);
  } else if constexpr (is_map<T>) {
    encode_map(out, value);
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
            encode_value(out, alternative);
          }
          out += '}';
        },
        value);
  } else if constexpr (plain_struct<T>) {
    encode_struct(out, value);
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
