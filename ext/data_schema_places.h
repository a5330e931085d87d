// Where the schemas of a declaration stand in its text, and what its references lead to.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data_schema_keyword.h"
#include "data_schema_node.h"
#include "error.h"

namespace evercore::ext {

/// EV009 with the pointer to a fault of the declaration.
[[nodiscard]] Error fault_at(std::string_view pointer, std::string_view words);

/// Null where the word is no keyword.
[[nodiscard]] const KeywordRow* find_keyword(std::string_view name);

/// Calls `visit(key, name)` for each member of an object, `visit(item, place)` for each item of an array.
template <typename Visit>
void for_each_member(const JsonTree& json, JsonTree::Index object, const Visit& visit) {
  for (JsonTree::Index key = object + 1; key < json[object].next; key = json[key + 1].next) {
    visit(key, json.string(key));
  }
}
template <typename Visit>
void for_each_item(const JsonTree& json, JsonTree::Index array, const Visit& visit) {
  std::size_t place = 0;
  for (JsonTree::Index item = array + 1; item < json[array].next; item = json[item].next) {
    visit(item, place++);
  }
}

/// Whatever stands where a schema must, in the order of the text: a node each.
class Places {
 public:
  /// Throws EV009 where there are too many, or too deep in one another.
  explicit Places(const JsonTree& json) : json_(json) { add(JsonTree::root, {}, 1); }

  [[nodiscard]] std::size_t count() const { return pointers_.size(); }
  [[nodiscard]] NodeId node(JsonTree::Index index) const { return by_index_.at(index); }
  [[nodiscard]] const std::string& pointer(NodeId node) const { return pointers_[node]; }
  [[nodiscard]] std::optional<NodeId> find(const std::string& pointer) const;

 private:
  void add(JsonTree::Index index, const std::string& pointer, int level);
  void add_below(Shape shape, JsonTree::Index value, const std::string& pointer, int level);

  const JsonTree& json_;
  std::unordered_map<JsonTree::Index, NodeId> by_index_;
  std::unordered_map<std::string, NodeId> by_pointer_;
  std::vector<std::string> pointers_;
};

/// The pointer that a `$ref` names: the root's, or one below `$defs`. Nothing where it names none.
[[nodiscard]] std::optional<std::string> pointer_of_reference(std::string_view reference);

/// Throws EV009 for the first `$ref` that leads back to itself on one and the same value.
void refuse_cycles(const DataSchema::Nodes& nodes, const Places& places);
/// Finds the nodes that remember.
void find_remembering(DataSchema::Nodes& nodes);

}  // namespace evercore::ext
