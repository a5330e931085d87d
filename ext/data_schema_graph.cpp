// What leads where among the schemas of a declaration.
#include "data_schema_places.h"

namespace evercore::ext {

namespace {

/// Those that are tried on the same value.
std::vector<NodeId> in_place(const Node& node) {
  std::vector<NodeId> ids = node.all_of;
  ids.insert(ids.end(), node.any_of.begin(), node.any_of.end());
  ids.insert(ids.end(), node.one_of.begin(), node.one_of.end());
  for (const auto& id :
       {node.negated, node.condition, node.consequence, node.alternative, node.reference}) {
    if (id) ids.push_back(*id);
  }
  for (const auto& [name, id] : node.dependent_schemas) ids.push_back(id);
  return ids;
}

std::vector<NodeId> below(const Node& node) {
  std::vector<NodeId> ids = node.prefix_items;
  for (const auto& id : {node.additional, node.names, node.items, node.contains}) {
    if (id) ids.push_back(*id);
  }
  for (const MemberRule& rule : node.members) {
    if (rule.schema) ids.push_back(*rule.schema);
  }
  return ids;
}

/// Whether the way from one node, in place or everywhere, comes to one of which `found` is true.
template <typename Found>
bool reaches(const DataSchema::Nodes& nodes, NodeId from, bool everywhere, const Found& found) {
  std::vector<bool> seen(nodes.all.size());
  std::vector<NodeId> left{from};
  while (!left.empty()) {
    const NodeId id = left.back();
    left.pop_back();
    if (seen[id]) continue;
    seen[id] = true;
    if (found(id)) return true;
    for (const NodeId next : in_place(nodes.all[id])) left.push_back(next);
    if (!everywhere) continue;
    for (const NodeId next : below(nodes.all[id])) left.push_back(next);
  }
  return false;
}

}  // namespace

void refuse_cycles(const DataSchema::Nodes& nodes, const Places& places) {
  for (NodeId id = 0; id < nodes.all.size(); ++id) {
    const auto& target = nodes.all[id].reference;
    if (target && reaches(nodes, *target, false, [&](NodeId reached) { return reached == id; })) {
      throw fault_at(places.pointer(id) + "/$ref", "a cycle");
    }
  }
}

void find_remembering(DataSchema::Nodes& nodes) {
  const auto refers = [&](NodeId id) { return nodes.all[id].reference.has_value(); };
  for (NodeId id = 0; id < nodes.all.size(); ++id) {
    if (!refers(id)) continue;
    const NodeId target = *nodes.all[id].reference;
    if (!nodes.all[target].remembers) {
      nodes.all[target].remembers = reaches(nodes, target, true, refers);
    }
  }
}

}  // namespace evercore::ext
