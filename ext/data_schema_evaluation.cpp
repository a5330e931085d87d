#include "data_schema_evaluation.h"

#include <algorithm>

namespace evercore::ext {

namespace {

using Index = JsonTree::Index;
using Kind = JsonTree::Kind;
using Value = JsonTree::Value;

/// The rule of a member's name. Data mostly come in the order in which the schema was written, so that the
/// one behind the last is looked at first.
const MemberRule* rule_of(const Node& node, std::string_view name, std::size_t& next) {
  if (next < node.written.size()) {
    const MemberRule& likely = node.members[node.written[next]];
    if (likely.name == name) return ++next, &likely;
  }
  const MemberRule* found = node.find(name);
  if (found == nullptr || node.written.empty()) return found;
  const auto place = static_cast<std::uint32_t>(found - node.members.data());
  const auto written = std::find(node.written.begin(), node.written.end(), place);
  if (written != node.written.end()) {
    next = static_cast<std::size_t>(written - node.written.begin()) + 1;
  }
  return found;
}

}  // namespace

const MemberRule* Node::find(std::string_view name) const {
  const auto place =
      std::lower_bound(members.begin(), members.end(), name,
                       [](const MemberRule& rule, std::string_view n) { return rule.name < n; });
  return place != members.end() && place->name == name ? &*place : nullptr;
}

bool Evaluation::takes(NodeId id, Index value) {
  const Node& node = nodes_.all[id];
  if (node.is_false) return false;
  charge(1);
  if (depth_ >= most_depth) throw TooComplex{};
  if (!node.remembers) return try_on(node, value);
  const std::uint64_t key = std::uint64_t{id} << 32 | value;
  if (const auto known = remembered_.find(key); known != remembered_.end()) return known->second;
  const bool taken = try_on(node, value);
  if (remembered_.size() < most_remembered) remembered_.emplace(key, taken);
  return taken;
}

bool Evaluation::try_on(const Node& node, Index value) {
  if (node.types != type_bit::all && !takes_type(node, value)) return false;
  if (node.has_values && ((node.values && !is_among(*node.values, value)) ||
                          (node.value && !equals(*node.value, value)))) {
    return false;
  }
  ++depth_;
  bool taken = true;
  switch (data_[value].kind) {
    case Kind::object:
      taken = !node.looks_at_objects || takes_object(node, value);
      break;
    case Kind::array:
      taken = !node.looks_at_arrays || takes_array(node, value);
      break;
    case Kind::number:
      taken = !node.looks_at_numbers || takes_number(node, value);
      break;
    case Kind::string:
      taken = !node.looks_at_strings || takes_string(node, value);
      break;
    default:
      break;
  }
  taken = taken && (!node.has_others || takes_beside(node, value));
  --depth_;
  return taken;
}

bool Evaluation::takes_type(const Node& node, Index value) const {
  switch (data_[value].kind) {
    case Kind::null:
      return (node.types & type_bit::null) != 0;
    case Kind::boolean:
      return (node.types & type_bit::boolean) != 0;
    case Kind::string:
      return (node.types & type_bit::string) != 0;
    case Kind::array:
      return (node.types & type_bit::array) != 0;
    case Kind::object:
      return (node.types & type_bit::object) != 0;
    case Kind::number:
      break;
  }
  const unsigned numbers = node.types & type_bit::number;
  if (numbers == 0 || numbers == type_bit::number) return numbers != 0;
  return data_.is_integer(value) == (numbers == type_bit::integer);
}

std::string Evaluation::canonical(Index value) {
  charge(data_[value].next - value);
  std::string text;
  data_.append_canonical(text, value);
  return text;
}

bool Evaluation::is_among(const std::vector<std::string>& values, Index value) {
  return std::binary_search(values.begin(), values.end(), canonical(value));
}

bool Evaluation::equals(const std::string& canonical, Index value) {
  return this->canonical(value) == canonical;
}

std::size_t Evaluation::length(Index string) {
  charge(data_[string].size / 64);
  return data_.length(string);
}

std::vector<JsonTree::Member> Evaluation::sorted_members(Index object) {
  charge(data_[object].count);
  return data_.sorted_members(object);
}

bool Evaluation::has(const std::vector<JsonTree::Member>& members, std::string_view name) {
  const auto place = std::lower_bound(
      members.begin(), members.end(), name,
      [](const JsonTree::Member& member, std::string_view n) { return member.name < n; });
  return place != members.end() && place->name == name;
}

bool Evaluation::has_all(const std::vector<JsonTree::Member>& members,
                         const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return has(members, name); });
}

bool Evaluation::takes_object(const Node& node, Index object) {
  if (!node.properties.takes(data_[object].count)) return false;
  if ((!node.members.empty() || node.additional || node.names) && !takes_members(node, object)) {
    return false;
  }
  const bool has_dependents = !node.dependent_required.empty() || !node.dependent_schemas.empty();
  return !has_dependents || takes_dependents(node, object);
}

bool Evaluation::takes_dependents(const Node& node, Index object) {
  const auto members = sorted_members(object);
  const auto lacks = [&](const auto& dependent) {
    return has(members, dependent.first) && !has_all(members, dependent.second);
  };
  if (std::any_of(node.dependent_required.begin(), node.dependent_required.end(), lacks)) {
    return false;
  }
  return std::all_of(node.dependent_schemas.begin(), node.dependent_schemas.end(),
                     [&](const auto& dependent) {
                       return !has(members, dependent.first) || takes(dependent.second, object);
                     });
}

bool Evaluation::takes_members(const Node& node, Index object) {
  charge(data_[object].count);
  std::string buffer;
  std::uint32_t required = 0;
  std::size_t next = 0;
  const Index end = data_[object].next;
  for (Index key = object + 1; key < end; key = data_[key + 1].next) {
    const MemberRule* rule = rule_of(node, data_.string(key, buffer), next);
    if (rule != nullptr && rule->required) ++required;
    if (node.names && !takes(*node.names, key)) return false;
    if (rule != nullptr && rule->schema) {
      if (!takes(*rule->schema, key + 1)) return false;
    } else if (node.additional && !takes(*node.additional, key + 1)) {
      return false;
    }
  }
  return required == node.required;
}

bool Evaluation::takes_array(const Node& node, Index array) {
  const Value& value = data_[array];
  if (!node.elements.takes(value.count)) return false;
  if (node.items || !node.prefix_items.empty()) {
    std::size_t place = 0;
    for (Index item = array + 1; item < value.next; item = data_[item].next, ++place) {
      if (place < node.prefix_items.size()) {
        if (!takes(node.prefix_items[place], item)) return false;
      } else if (!node.items) {
        break;
      } else if (!takes(*node.items, item)) {
        return false;
      }
    }
  }
  if (node.contains) {
    const std::uint64_t count = count_contained(node, array);
    if (count < node.containing.least.value_or(1) || node.containing.is_above(count)) return false;
  }
  return !node.unique || has_unique_items(array);
}

std::uint64_t Evaluation::count_contained(const Node& node, Index array) {
  std::uint64_t count = 0;
  for (Index item = array + 1; item < data_[array].next; item = data_[item].next) {
    if (takes(*node.contains, item)) ++count;
  }
  return count;
}

bool Evaluation::has_unique_items(Index array) {
  std::vector<std::string> items;
  items.reserve(data_[array].count);
  for (Index item = array + 1; item < data_[array].next; item = data_[item].next) {
    items.push_back(canonical(item));
  }
  std::sort(items.begin(), items.end());
  return std::adjacent_find(items.begin(), items.end()) == items.end();
}

bool Evaluation::takes_number(const Node& node, Index value) const {
  const Number number = data_.number(value);
  return (!node.minimum || number.compare(*node.minimum) >= 0) &&
         (!node.maximum || number.compare(*node.maximum) <= 0) &&
         (!node.exclusive_minimum || number.compare(*node.exclusive_minimum) > 0) &&
         (!node.exclusive_maximum || number.compare(*node.exclusive_maximum) < 0);
}

bool Evaluation::takes_string(const Node& node, Index value) {
  if (node.length.is_given() && !node.length.takes(length(value))) return false;
  std::string buffer;
  return !node.format || is_of_format(data_.string(value, buffer), *node.format);
}

bool Evaluation::takes_beside(const Node& node, Index value) {
  const auto takes_it = [&](NodeId id) { return takes(id, value); };
  if (node.reference && !takes(*node.reference, value)) return false;
  if (!std::all_of(node.all_of.begin(), node.all_of.end(), takes_it)) return false;
  if (!node.any_of.empty() && !any_takes(node.any_of, value)) return false;
  if (!node.one_of.empty() && count_one_of(node, value) != 1) return false;
  if (node.negated && takes(*node.negated, value)) return false;
  if (!node.condition) return true;
  const auto& branch = takes(*node.condition, value) ? node.consequence : node.alternative;
  return !branch || takes(*branch, value);
}

bool Evaluation::any_takes(const std::vector<NodeId>& ids, Index value) {
  return std::any_of(ids.begin(), ids.end(), [&](NodeId id) { return takes(id, value); });
}

int Evaluation::count_one_of(const Node& node, Index value) {
  int count = 0;
  for (const NodeId id : node.one_of) {
    if (takes(id, value) && ++count == 2) break;
  }
  return count;
}

}  // namespace evercore::ext
