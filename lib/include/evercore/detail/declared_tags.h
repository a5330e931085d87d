// What an event's declared_tags say, checked and as evercore_event_type() takes it; event.h tells of
// them.
#ifndef EVERCORE_DETAIL_DECLARED_TAGS_H
#define EVERCORE_DETAIL_DECLARED_TAGS_H

#include <string_view>
#include <utility>

#include "evercore/detail/kinds.h"
#include "evercore/detail/written.h"

namespace evercore::detail {

inline constexpr std::size_t max_declared_tags = 64;
inline constexpr std::size_t max_tag_prefix = 254;  // characters

template <class E>
concept declares_tags = requires {
  E::declared_tags;
};

// Whether a value of that type is a text or an integer in JSON.
template <class T>
constexpr bool gives_tag() {
  if constexpr (has_json_value<T>) {
    return gives_tag<stored_as<T>>();
  } else {
    return is_text<T> || is_integer<T> || std::is_enum_v<T> || is_time<T> || is_date<T> ||
           is_duration<T> || is_raw<T>;
  }
}

// … or a list of such.
template <class T>
constexpr bool gives_tags() {
  if constexpr (has_json_value<T>) {
    return gives_tags<stored_as<T>>();
  } else if constexpr (is_optional<T>) {
    return gives_tags<typename T::value_type>();
  } else if constexpr (is_vector<T> || is_std_array<T> || is_set<T>) {
    return gives_tag<typename T::value_type>();
  } else {
    return gives_tag<T>();
  }
}

template <class E>
constexpr bool tagged_members_exist() {
  for (const auto& [prefix, member] : E::declared_tags) {
    if (reflect::member_index<E>(member) == reflect::member_count<E>) return false;
  }
  return true;
}

template <class E, std::size_t... I>
constexpr bool tagged_members_give_tags(std::index_sequence<I...>) {
  for (const auto& [prefix, member] : E::declared_tags) {
    const std::size_t index = reflect::member_index<E>(member);
    if (!((index != I || gives_tags<reflect::member_type<E, I>>()) && ...)) return false;
  }
  return true;
}

constexpr bool is_tag_prefix(std::string_view prefix) {
  std::size_t characters = 0;
  for (char c : prefix) {
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) return false;
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) ++characters;
  }
  return characters > 0 && characters <= max_tag_prefix;
}

template <class E>
constexpr bool tag_prefixes_are_texts() {
  for (const auto& [prefix, member] : E::declared_tags) {
    if (!is_tag_prefix(prefix)) return false;
  }
  return true;
}

template <class E>
constexpr bool tag_prefixes_differ() {
  for (const auto& one : E::declared_tags) {
    for (const auto& other : E::declared_tags) {
      if (&one != &other && one[0] == other[0]) return false;
    }
  }
  return true;
}

// Fails to compile unless E's declared_tags can be declared.
template <class E>
constexpr bool check_declared_tags() {
  static_assert(std::size(E::declared_tags) <= max_declared_tags,
                "evercore: `declared_tags` are more than 64");
  static_assert(tagged_members_exist<E>(),
                "evercore: `declared_tags` names a member that the struct does not have");
  static_assert(tagged_members_give_tags<E>(std::make_index_sequence<reflect::member_count<E>>{}),
                "evercore: `declared_tags` names a member that gives no tags; a text, an integer, "
                "an enum, or a "
                "list of such does");
  static_assert(
      tag_prefixes_are_texts<E>(),
      "evercore: a prefix in `declared_tags` has 1 to 254 characters, none of them a quote, a "
      "backslash or a control character");
  static_assert(tag_prefixes_differ<E>(), "evercore: `declared_tags` has one prefix twice");
  return true;
}

// {"course":"/course_id"}
template <class E>
struct DeclaredTags {
  template <class Put>
  static constexpr void write(Put&& put) {
    put("{");
    for (const auto& pair : E::declared_tags) {
      if (&pair != &E::declared_tags[0]) put(",");
      put("\"");
      put(pair[0]);
      put("\":\"/");
      for (const char& c : json_names<E>[reflect::member_index<E>(pair[1])]) {
        put(c == '~' ? "~0" : c == '/' ? "~1" : std::string_view(&c, 1));
      }
      put("\"");
    }
    put("}");
  }
};

// The tags that E declares, a JSON object; empty where it declares none.
template <class E>
constexpr std::string_view event_tags() {
  if constexpr (declares_tags<E>) {
    return written<DeclaredTags<E>>();
  } else {
    return {};
  }
}

}  // namespace evercore::detail

#endif  // EVERCORE_DETAIL_DECLARED_TAGS_H
