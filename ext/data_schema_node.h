// What a declared schema is read into: a node for each schema in it, which know each other by number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data_schema.h"
#include "data_schema_format.h"
#include "json_tree.h"

namespace evercore::ext {

using NodeId = std::uint32_t;

/// The kinds of values that `type` tells apart; "number" stands for two of them.
namespace type_bit {
inline constexpr unsigned null = 1, boolean = 2, string = 4, array = 8, object = 16, integer = 32,
                          fraction = 64;
inline constexpr unsigned number = integer | fraction;
inline constexpr unsigned all = 127;
}  // namespace type_bit

struct Count {
  std::optional<std::uint64_t> least;
  std::optional<std::uint64_t> most;

  [[nodiscard]] bool is_given() const { return least || most; }
  [[nodiscard]] bool is_below(std::uint64_t count) const { return least && count < *least; }
  [[nodiscard]] bool is_above(std::uint64_t count) const { return most && count > *most; }
  [[nodiscard]] bool takes(std::uint64_t count) const {
    return !is_below(count) && !is_above(count);
  }
};

/// What a schema says of one member's name.
struct MemberRule {
  std::string name;
  std::optional<NodeId> schema;  ///< of `properties`; none: only `required` names it
  bool required = false;
};

struct Node {
  bool is_false = false;
  unsigned types = type_bit::all;
  std::optional<std::vector<std::string>> values;  ///< of enum, canonical, in order
  std::optional<std::string> value;                ///< of const, canonical

  // Of objects.
  std::vector<MemberRule> members;     ///< by name
  std::vector<std::uint32_t> written;  ///< the same in the order of `properties`, by their places
  std::uint32_t required = 0;          ///< how many of them are
  std::optional<NodeId> additional;
  std::optional<NodeId> names;
  Count properties;
  std::vector<std::pair<std::string, std::vector<std::string>>> dependent_required;  ///< by name
  std::vector<std::pair<std::string, NodeId>> dependent_schemas;                     ///< by name

  // Of arrays.
  std::optional<NodeId> items;
  std::vector<NodeId> prefix_items;
  std::optional<NodeId> contains;
  Count containing;
  Count elements;
  bool unique = false;

  // Of numbers and strings.
  std::optional<Number> minimum;
  std::optional<Number> maximum;
  std::optional<Number> exclusive_minimum;
  std::optional<Number> exclusive_maximum;
  Count length;
  std::optional<Format> format;

  // Of the same value.
  std::vector<NodeId> all_of;
  std::vector<NodeId> any_of;
  std::vector<NodeId> one_of;
  std::optional<NodeId> negated;
  std::optional<NodeId> condition;
  std::optional<NodeId> consequence;
  std::optional<NodeId> alternative;
  std::optional<NodeId> reference;

  // Which of these parts there are.
  bool looks_at_objects = false;
  bool looks_at_arrays = false;
  bool looks_at_numbers = false;
  bool looks_at_strings = false;
  bool has_values = false;
  bool has_others = false;  ///< on the same value
  /// Set where other schemas refer to this one and it refers to others. Its answer for a value is then
  /// remembered: alternatives that lead here again and again would take unbounded time.
  bool remembers = false;

  [[nodiscard]] const MemberRule* find(std::string_view name) const;
};

struct DataSchema::Nodes {
  std::vector<Node> all;  ///< the root first
};

/// Throws EV009 with the pointer to the first fault.
[[nodiscard]] DataSchema::Nodes read_schema(std::string_view json);

}  // namespace evercore::ext
