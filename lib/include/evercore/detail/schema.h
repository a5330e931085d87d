// Writes the schemas that schema.h tells of.
//
// Why it is written as it is. A schema is a constant of the program: it is declared to the store,
// and compared with what is declared there, by its text. So it is put together while the program is
// compiled, by functions that take `put`, a place for pieces of text. They run twice, once to count
// and once to keep (written.h), since a constant's length must be known first. Each struct is
// written where it is used, and one that holds itself, by whatever way, once below "$defs", or the
// text would have no end.
#ifndef EVERCORE_DETAIL_SCHEMA_H
#define EVERCORE_DETAIL_SCHEMA_H

#include <algorithm>
#include <limits>

#include "evercore/codec.h"
#include "evercore/detail/written.h"

namespace evercore::detail {

// Whether members that are no optionals are required, in a struct that does not say which are.
enum class Presence { whole, partial };

// A list of types, without doubles: with() adds one, joined() the types of other lists.
template <class... T>
struct Types {};

template <class... T, class One>
constexpr auto with(Types<T...>, std::type_identity<One>) {
  if constexpr ((std::is_same_v<T, One> || ...)) {
    return Types<T...>{};
  } else {
    return Types<T..., One>{};
  }
}
template <class List>
constexpr List joined(List list) {
  return list;
}
template <class List, class... T, class... Lists>
constexpr auto joined(List list, Types<T...>, Lists... more) {
  if constexpr (sizeof...(T) == 0) {
    return joined(list, more...);
  } else {
    return []<class First, class... Rest>(List all, Types<First, Rest...>, Lists... others) {
      return joined(with(all, std::type_identity<First>{}), Types<Rest...>{}, others...);
    }(list, Types<T...>{}, more...);
  }
}

// The structs in T that hold themselves, by whatever way, as a list of types without doubles.
// Around are those that T is in.
template <class T, class... Around>
constexpr auto circles() {
  if constexpr (has_json_value<T>) {
    return circles<stored_as<T>, Around...>();
  } else if constexpr (is_optional<T> || is_vector<T> || is_std_array<T> || is_set<T>) {
    return circles<typename T::value_type, Around...>();
  } else if constexpr (is_map<T>) {
    return circles<typename T::mapped_type, Around...>();
  } else if constexpr (is_tuple<T>) {
    return []<std::size_t... I>(std::index_sequence<I...>) {
      return joined(Types<>{}, circles<std::tuple_element_t<I, T>, Around...>()...);
    }
    (std::make_index_sequence<std::tuple_size_v<T>>{});
  } else if constexpr (is_variant<T>) {
    return []<class... A>(std::type_identity<std::variant<A...>>) {
      return joined(Types<>{}, circles<A, Around...>()...);
    }(std::type_identity<T>{});
  } else if constexpr (!plain_struct<T> || std::is_same_v<T, std::monostate>) {
    return Types<>{};
  } else if constexpr ((std::is_same_v<T, Around> || ...)) {
    return Types<T>{};
  } else {
    return []<std::size_t... I>(std::index_sequence<I...>) {
      return joined(Types<>{}, circles<reflect::member_type<T, I>, T, Around...>()...);
    }
    (std::make_index_sequence<reflect::member_count<T>>{});
  }
}

// Writes the schema of Root, an event or a state. In all functions here `put` takes a piece of
// text, and `null` says whether null is taken in place of a value, as an optional's is.
template <class Root, Presence presence>
class SchemaOf {
 public:
  // The whole schema, an object. Does not compile where encode() does not.
  template <class Put>
  static constexpr void write(Put&& put) {
    static_assert(check_struct<Root>());
    put("{");
    put_object<Root, false>(put);
    if constexpr (!std::is_same_v<decltype(others), const Types<>>) put_definitions(put, others);
    put("}");
  }

 private:
  // The list without Root, which "#" refers to.
  template <class... T>
  static constexpr auto without_root(Types<T...>) {
    return joined(Types<>{}, std::conditional_t<std::is_same_v<T, Root>, Types<>, Types<T>>{}...);
  }
  // The structs that are written once, below $defs.
  static constexpr auto others = without_root(circles<Root>());

  // Where T stands among them; their number where it is none of them.
  template <class T, class... Defined>
  static constexpr std::size_t place_of(Types<Defined...>) {
    std::size_t place = 0;
    static_cast<void>(((std::is_same_v<T, Defined> || (++place, false)) || ...));
    return place;
  }
  template <class... Defined>
  static constexpr std::size_t count_of(Types<Defined...>) {
    return sizeof...(Defined);
  }
  // Whether T is written below $defs, and referred to everywhere.
  template <class T>
  static constexpr bool is_defined = place_of<T>(others) < count_of(others);

  // "$defs": each of the structs in the list, under its number.
  template <class Put, class... T>
  static constexpr void put_definitions(Put& put, Types<T...>) {
    put(",\"$defs\":{");
    const auto define = [&]<class One>(std::type_identity<One>) {
      if (place_of<One>(others) > 0) put(",");
      put("\"");
      put_definition_name<One>(put);
      put("\":{");
      put_object<One, false>(put);
      put("}");
    };
    (define(std::type_identity<T>{}), ...);
    put("}");
  }
  // Numbers: two structs may have one name, and names may hold what a URI cannot.
  template <class T, class Put>
  static constexpr void put_definition_name(Put& put) {
    put_json_integer(put, static_cast<std::int64_t>(place_of<T>(others)) + 1);
  }

  // "type", one or with null.
  template <bool null, class Put>
  static constexpr void put_type(Put& put, std::string_view type) {
    put(null ? "\"type\":[" : "\"type\":");
    put_json_text(put, type);
    if (null) put(",\"null\"]");
  }

  // The schema of any value, by its type: the one way in for members, elements and alternatives.
  template <class T, bool null = false, class Put>
  static constexpr void put_schema(Put& put) {
    if constexpr (has_json_value<T>) {
      check_json_value<T>();
      put_schema<stored_as<T>, null>(put);
    } else if constexpr (is_optional<T>) {
      put_schema<typename T::value_type, true>(put);
    } else if constexpr (is_raw<T>) {
      put("true");
    } else if constexpr (plain_struct<T> && !std::is_same_v<T, std::monostate> &&
                         (std::is_same_v<T, Root> || is_defined<T>)) {
      put_reference<T, null>(put);
    } else {
      put("{");
      put_keywords<T, null>(put);
      put("}");
    }
  }

  // A reference to Root or to one of the structs below $defs; with null, one of two.
  template <class T, bool null, class Put>
  static constexpr void put_reference(Put& put) {
    if (null) put("{\"anyOf\":[");
    put("{\"$ref\":\"#");
    if constexpr (!std::is_same_v<T, Root>) {
      put("/$defs/");
      put_definition_name<T>(put);
    }
    put("\"}");
    if (null) put(",{\"type\":\"null\"}]}");
  }

  // The keywords of a type that is neither an optional nor referred to, without the braces around
  // them.
  template <class T, bool null, class Put>
  static constexpr void put_keywords(Put& put) {
    if constexpr (std::is_same_v<T, bool>) {
      put_type<null>(put, "boolean");
    } else if constexpr (is_integer<T>) {
      put_type<null>(put, "integer");
      put_bounds<T>(put);
    } else if constexpr (std::is_floating_point_v<T>) {
      put_type<null>(put, "number");
      if (std::is_same_v<T, float>) {
        put(",\"minimum\":-3.4028234663852886e38,\"maximum\":3.4028234663852886e38");
      }
    } else if constexpr (is_text<T> || is_duration<T>) {
      put_type<null>(put, "string");
    } else if constexpr (std::is_enum_v<T>) {
      put_enum<T, null>(put);
    } else if constexpr (is_time<T> || is_date<T>) {
      put_type<null>(put, "string");
      put(is_date<T> ? ",\"format\":\"date\"" : ",\"format\":\"date-time\"");
    } else if constexpr (std::is_same_v<T, std::monostate>) {
      put_type<false>(put, "null");
    } else if constexpr (is_variant<T>) {
      put_variant<null>(put, std::type_identity<T>{});
    } else if constexpr (is_map<T>) {
      put_map<T, null>(put);
    } else if constexpr (is_vector<T> || is_std_array<T> || is_set<T> || is_tuple<T>) {
      put_array<T, null>(put);
    } else if constexpr (plain_struct<T>) {
      if constexpr (check_struct<T>()) put_object<T, null>(put);
    } else {
      refuse<T>();
    }
  }

  // The least and the greatest integer of T. What lies beyond int64 cannot be stored.
  template <class T, class Put>
  static constexpr void put_bounds(Put& put) {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    constexpr auto greatest = std::numeric_limits<T>::max();
    put(",\"minimum\":");
    put_json_integer(put, static_cast<std::int64_t>(std::numeric_limits<T>::min()));
    put(",\"maximum\":");
    put_json_integer(put,
                     std::cmp_less(most, greatest) ? most : static_cast<std::int64_t>(greatest));
  }

  // The names of an enum's values.
  template <class T, bool null, class Put>
  static constexpr void put_enum(Put& put) {
    check_enum<T>();
    put("\"enum\":[");
    for (const auto& one : reflect::enumerators<T>) {
      if (&one != &reflect::enumerators<T>.front()) put(",");
      put_json_text(put, one.name);
    }
    put(null ? ",null]" : "]");
  }

  // An object of one member, named after one of the alternatives.
  template <bool null, class Put, class... A>
  static constexpr void put_variant(Put& put, std::type_identity<std::variant<A...>>) {
    put_type<null>(put, "object");
    put(",\"properties\":{");
    bool first = true;
    const auto take = [&]<class One>(std::type_identity<One>) {
      if (!first) put(",");
      first = false;
      put_json_text(put, alternative_name<One>());
      put(":");
      put_schema<One>(put);
    };
    (take(std::type_identity<A>{}), ...);
    put("},\"additionalProperties\":false,\"minProperties\":1,\"maxProperties\":1");
  }

  // An object of any members, all of one schema; keys of an enum must be its names.
  template <class T, bool null, class Put>
  static constexpr void put_map(Put& put) {
    put_type<null>(put, "object");
    put(",\"additionalProperties\":");
    put_schema<typename T::mapped_type>(put);
    if constexpr (std::is_enum_v<typename T::key_type> && !has_json_value<typename T::key_type>) {
      put(",\"propertyNames\":");
      put_schema<typename T::key_type>(put);
    }
  }

  // An array of elements of one schema, or of one each for a tuple, with their number where it is
  // fixed.
  template <class T, bool null, class Put>
  static constexpr void put_array(Put& put) {
    put_type<null>(put, "array");
    if constexpr (is_tuple<T>) {
      if constexpr (std::tuple_size_v < T >> 0) {
        put(",\"prefixItems\":[");
        [&]<std::size_t... I>(std::index_sequence<I...>) {
          ((put(I == 0 ? "" : ","), put_schema<std::tuple_element_t<I, T>>(put)), ...);
        }
        (std::make_index_sequence<std::tuple_size_v<T>>{});
        put("]");
      }
    } else {
      put(",\"items\":");
      put_schema<typename T::value_type>(put);
    }
    if constexpr (is_tuple<T> || is_std_array<T>) {
      put(",\"minItems\":");
      put_json_integer(put, static_cast<std::int64_t>(std::tuple_size_v<T>));
      put(",\"maxItems\":");
      put_json_integer(put, static_cast<std::int64_t>(std::tuple_size_v<T>));
    }
    if (is_set<T>) put(",\"uniqueItems\":true");
  }

  // The keywords of a struct: its members by their names in JSON, and which are required. Members
  // that it does not have are taken, as decode() takes them.
  template <class T, bool null, class Put>
  static constexpr void put_object(Put& put) {
    static_assert(required_names_exist<T>(),
                  "evercore: `required` names a member that the struct does not have");
    put_type<null>(put, "object");
    constexpr std::size_t count = reflect::member_count<T>;
    if constexpr (count > 0) {
      put(",\"properties\":{");
      [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((put(I == 0 ? "" : ","), put_json_text(put, json_names<T>[I]), put(":"),
          put_schema<reflect::member_type<T, I>>(put)),
         ...);
      }
      (std::make_index_sequence<count>{});
      put("}");
      put_required<T>(put, std::make_index_sequence<count>{});
    }
  }

  // What the struct lists in `required`; where it lists nothing, each member that is no optional,
  // or none in a schema of a state.
  template <class T, std::size_t... I, class Put>
  static constexpr void put_required(Put& put, std::index_sequence<I...>) {
    constexpr Seen required = [] {
      if constexpr (requires { T::required; }) {
        return required_members<T>();
      } else if constexpr (presence == Presence::partial) {
        return Seen{0};
      } else {
        return (Seen{0} | ... | (Seen{!is_optional<reflect::member_type<T, I>>} << I));
      }
    }();
    if (required == 0) return;
    put(",\"required\":[");
    bool first = true;
    for (std::size_t i = 0; i < sizeof...(I); ++i) {
      if ((required >> i & 1) == 0) continue;
      if (!first) put(",");
      first = false;
      put_json_text(put, json_names<T>[i]);
    }
    put("]");
  }
};

// The schema as a text that lives as long as the program.
template <class T, Presence presence>
constexpr std::string_view schema_text() noexcept {
  return written<SchemaOf<T, presence>>();
}

}  // namespace evercore::detail

#endif  // EVERCORE_DETAIL_SCHEMA_H
