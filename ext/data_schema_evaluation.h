// Whether a schema takes a document.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "data_schema_node.h"

namespace evercore::ext {

/// One document beside one schema.
class Evaluation {
 public:
  /// Thrown where a hostile schema would take too much time or stack.
  struct TooComplex {};
  static constexpr int most_depth = 2'000;  ///< of them in one another
  static constexpr std::size_t most_remembered = 1'000'000;

  Evaluation(const DataSchema::Nodes& nodes, const JsonTree& data, std::uint64_t most_steps)
      : nodes_(nodes), data_(data), most_steps_(most_steps) {}

  [[nodiscard]] bool takes(NodeId id, JsonTree::Index value);

  // The parts of a schema, each by itself.
  [[nodiscard]] bool takes_type(const Node& node, JsonTree::Index value) const;
  [[nodiscard]] bool has_unique_items(JsonTree::Index array);
  [[nodiscard]] bool is_among(const std::vector<std::string>& values, JsonTree::Index value);
  [[nodiscard]] bool equals(const std::string& canonical, JsonTree::Index value);
  [[nodiscard]] std::size_t length(JsonTree::Index string);
  [[nodiscard]] std::vector<JsonTree::Member> sorted_members(JsonTree::Index object);
  /// How many elements `contains` takes.
  [[nodiscard]] std::uint64_t count_contained(const Node& node, JsonTree::Index array);
  /// How many of `one_of` take the value: 2 for more.
  [[nodiscard]] int count_one_of(const Node& node, JsonTree::Index value);
  [[nodiscard]] bool any_takes(const std::vector<NodeId>& ids, JsonTree::Index value);
  /// Whether names are among members by name.
  [[nodiscard]] static bool has(const std::vector<JsonTree::Member>& members,
                                std::string_view name);
  [[nodiscard]] static bool has_all(const std::vector<JsonTree::Member>& members,
                                    const std::vector<std::string>& names);

  [[nodiscard]] const DataSchema::Nodes& nodes() const { return nodes_; }
  [[nodiscard]] const JsonTree& data() const { return data_; }

 private:
  void charge(std::uint64_t steps) {
    steps_ += steps;
    if (steps_ > most_steps_) throw TooComplex{};
  }
  [[nodiscard]] std::string canonical(JsonTree::Index value);
  [[nodiscard]] bool try_on(const Node& node, JsonTree::Index value);
  [[nodiscard]] bool takes_object(const Node& node, JsonTree::Index object);
  [[nodiscard]] bool takes_members(const Node& node, JsonTree::Index object);
  [[nodiscard]] bool takes_dependents(const Node& node, JsonTree::Index object);
  [[nodiscard]] bool takes_array(const Node& node, JsonTree::Index array);
  [[nodiscard]] bool takes_number(const Node& node, JsonTree::Index value) const;
  [[nodiscard]] bool takes_string(const Node& node, JsonTree::Index value);
  [[nodiscard]] bool takes_beside(const Node& node, JsonTree::Index value);

  const DataSchema::Nodes& nodes_;
  const JsonTree& data_;
  const std::uint64_t most_steps_;
  std::uint64_t steps_ = 0;
  int depth_ = 0;
  std::unordered_map<std::uint64_t, bool> remembered_;  // by node and value
};

}  // namespace evercore::ext
