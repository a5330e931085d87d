// Reading a declared schema: first where its schemas stand, then one keyword after another in the order of
// the text, so that the fault that is named is the first one there.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "data_schema_places.h"
#include "json.h"

namespace evercore::ext {

namespace {

using Kind = JsonTree::Kind;
using Index = JsonTree::Index;

/// What the types of `type` are called.
unsigned bit_of_type(std::string_view name) {
  if (name == "null") return type_bit::null;
  if (name == "boolean") return type_bit::boolean;
  if (name == "string") return type_bit::string;
  if (name == "array") return type_bit::array;
  if (name == "object") return type_bit::object;
  if (name == "integer") return type_bit::integer;
  if (name == "number") return type_bit::number;
  return 0;
}

class Reader {
 public:
  Reader(const JsonTree& json, const Places& places) : json_(json), places_(places) {
    nodes_.all.resize(places.count());
  }

  DataSchema::Nodes read() {
    schema(JsonTree::root);
    refuse_cycles(nodes_, places_);
    find_remembering(nodes_);
    return std::move(nodes_);
  }

 private:
  /// A step of the pointer to what is looked at, for as long as it lives.
  class Step {
   public:
    Step(std::string& pointer, std::string_view token) : pointer_(pointer), size_(pointer.size()) {
      pointer_ += token;
    }
    ~Step() { pointer_.resize(size_); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    std::string& pointer_;
    std::size_t size_;
  };

  [[nodiscard]] Error fault(std::string_view words) const { return fault_at(pointer_, words); }

  NodeId schema(Index index) {
    const NodeId id = places_.node(index);
    const Kind kind = json_[index].kind;
    if (kind == Kind::boolean) {
      nodes_.all[id].is_false = !json_.is_true(index);
    } else if (kind != Kind::object) {
      throw fault("not a schema");
    } else {
      for_each_member(json_, index, [&](Index key, const std::string& name) {
        const Step step(pointer_, pointer_to(name));
        const KeywordRow* row = find_keyword(name);
        if (row == nullptr) throw fault("unknown keyword");
        read_keyword(*row, nodes_.all[id], key + 1);
      });
      finish(nodes_.all[id]);
    }
    return id;
  }

  void read_keyword(const KeywordRow& row, Node& node, Index value) {
    switch (row.shape) {
      case Shape::anything:
        if (row.keyword == Keyword::const_) node.value = canonical(value);
        return;
      case Shape::array:
        require(value, Kind::array, "not an array");
        if (row.keyword == Keyword::enum_) node.values = canonical_items(value);
        return;
      case Shape::text:
        require(value, Kind::string, "not text");
        return read_text(row.keyword, node, value);
      case Shape::boolean:
        require(value, Kind::boolean, "not a boolean");
        if (row.keyword == Keyword::unique_items) node.unique = json_.is_true(value);
        return;
      case Shape::number:
        require(value, Kind::number, "not a number");
        bound_of(row.keyword, node) = json_.number(value);
        return;
      case Shape::count:
        count_of(row.keyword, node) = count(value);
        return;
      case Shape::texts:
        for (std::string& name : texts(value)) member_rule(node, std::move(name)).required = true;
        return;
      case Shape::schema:
        schema_of(row.keyword, node) = schema(value);
        return;
      case Shape::schemas:
        return read_schemas(row.keyword, node, value);
      case Shape::named_schemas:
        return read_named_schemas(row.keyword, node, value);
      case Shape::named_texts:
        return read_dependent_required(node, value);
      case Shape::type:
        return read_type(node, value);
    }
  }

  void require(Index value, Kind kind, std::string_view words) const {
    if (json_[value].kind != kind) throw fault(words);
  }

  [[nodiscard]] std::string canonical(Index value) const {
    std::string text;
    json_.append_canonical(text, value);
    return text;
  }

  std::vector<std::string> canonical_items(Index array) const {
    std::vector<std::string> values;
    for_each_item(json_, array,
                  [&](Index item, std::size_t) { values.push_back(canonical(item)); });
    std::sort(values.begin(), values.end());
    return values;
  }

  void read_text(Keyword keyword, Node& node, Index value) {
    const std::string text = json_.string(value);
    if (keyword == Keyword::reference) {
      const auto pointer = pointer_of_reference(text);
      if (!pointer) throw fault("not a reference");
      node.reference = places_.find(*pointer);
      if (!node.reference) throw fault("no such definition");
    } else if (keyword == Keyword::format) {
      node.format = format_of(text);
      if (!node.format) throw fault("unknown format");
    } else if (keyword == Keyword::id) {
      if (pointer_ != "/$id") throw fault("only at the root");
    } else if (keyword == Keyword::dialect) {
      constexpr std::string_view draft = "https://json-schema.org/draft/2020-12/schema";
      if (text != draft && text != "https://json-schema.org/draft/2020-12/schema#")
        throw fault("not draft 2020-12");
    }
  }

  static std::optional<Number>& bound_of(Keyword keyword, Node& node) {
    return keyword == Keyword::minimum             ? node.minimum
           : keyword == Keyword::maximum           ? node.maximum
           : keyword == Keyword::exclusive_minimum ? node.exclusive_minimum
                                                   : node.exclusive_maximum;
  }

  static std::optional<std::uint64_t>& count_of(Keyword keyword, Node& node) {
    switch (keyword) {
      case Keyword::min_properties:
        return node.properties.least;
      case Keyword::max_properties:
        return node.properties.most;
      case Keyword::min_contains:
        return node.containing.least;
      case Keyword::max_contains:
        return node.containing.most;
      case Keyword::min_items:
        return node.elements.least;
      case Keyword::max_items:
        return node.elements.most;
      case Keyword::min_length:
        return node.length.least;
      default:
        return node.length.most;
    }
  }

  [[nodiscard]] std::uint64_t count(Index value) const {
    constexpr std::string_view words = "not an integer of 0 or more";
    require(value, Kind::number, words);
    const Number number = json_.number(value);
    if (!number.is_integer() || number.integer() < 0) throw fault(words);
    return static_cast<std::uint64_t>(number.integer());
  }

  std::vector<std::string> texts(Index array) {
    require(array, Kind::array, "not an array");
    std::vector<std::string> found;
    for_each_item(json_, array, [&](Index item, std::size_t place) {
      const Step step(pointer_, "/" + std::to_string(place));
      require(item, Kind::string, "not text");
      found.push_back(json_.string(item));
      if (!seen_.insert({array, found.back()}).second) throw fault("twice");
    });
    return found;
  }

  static MemberRule& member_rule(Node& node, std::string name) {
    const auto place = std::lower_bound(
        node.members.begin(), node.members.end(), name,
        [](const MemberRule& rule, const std::string& n) { return rule.name < n; });
    if (place != node.members.end() && place->name == name) return *place;
    return *node.members.insert(place, MemberRule{std::move(name), std::nullopt, false});
  }

  static std::optional<NodeId>& schema_of(Keyword keyword, Node& node) {
    switch (keyword) {
      case Keyword::additional_properties:
        return node.additional;
      case Keyword::property_names:
        return node.names;
      case Keyword::items:
        return node.items;
      case Keyword::contains:
        return node.contains;
      case Keyword::not_:
        return node.negated;
      case Keyword::if_:
        return node.condition;
      case Keyword::then_:
        return node.consequence;
      default:
        return node.alternative;
    }
  }

  void read_schemas(Keyword keyword, Node& node, Index value) {
    require(value, Kind::array, "not an array");
    if (json_[value].count == 0) throw fault("empty");
    std::vector<NodeId>& schemas = keyword == Keyword::prefix_items ? node.prefix_items
                                   : keyword == Keyword::all_of     ? node.all_of
                                   : keyword == Keyword::any_of     ? node.any_of
                                                                    : node.one_of;
    for_each_item(json_, value, [&](Index item, std::size_t place) {
      const Step step(pointer_, "/" + std::to_string(place));
      schemas.push_back(schema(item));
    });
  }

  void read_named_schemas(Keyword keyword, Node& node, Index value) {
    require(value, Kind::object, "not an object");
    for_each_member(json_, value, [&](Index key, const std::string& name) {
      const Step step(pointer_, pointer_to(name));
      const NodeId id = schema(key + 1);
      if (keyword == Keyword::properties) {
        member_rule(node, name).schema = id;
        written_[&node].push_back(name);
      } else if (keyword == Keyword::dependent_schemas) {
        node.dependent_schemas.emplace_back(name, id);
      }
    });
  }

  void read_dependent_required(Node& node, Index value) {
    require(value, Kind::object, "not an object");
    for_each_member(json_, value, [&](Index key, const std::string& name) {
      const Step step(pointer_, pointer_to(name));
      node.dependent_required.emplace_back(name, texts(key + 1));
    });
  }

  void read_type(Node& node, Index value) {
    node.types = 0;
    if (json_[value].kind != Kind::array) {
      add_type(node, value);
      return;
    }
    if (json_[value].count == 0) throw fault("empty");
    for_each_item(json_, value, [&](Index item, std::size_t place) {
      const Step step(pointer_, "/" + std::to_string(place));
      const std::string name = add_type(node, item);
      if (!seen_.insert({value, name}).second) throw fault("twice");
    });
  }

  std::string add_type(Node& node, Index value) const {
    require(value, Kind::string, "not text");
    std::string name = json_.string(value);
    const unsigned bit = bit_of_type(name);
    if (bit == 0) throw fault("not a type");
    node.types |= bit;
    return name;
  }

  void finish(Node& node) {
    const auto by_name = [](const auto& a, const auto& b) { return a.first < b.first; };
    std::sort(node.dependent_required.begin(), node.dependent_required.end(), by_name);
    std::sort(node.dependent_schemas.begin(), node.dependent_schemas.end(), by_name);
    for (const std::string& name : written_[&node]) {
      const MemberRule* rule = node.find(name);
      node.written.push_back(static_cast<std::uint32_t>(rule - node.members.data()));
    }
    node.required = static_cast<std::uint32_t>(std::count_if(
        node.members.begin(), node.members.end(), [](const MemberRule& r) { return r.required; }));
    node.looks_at_objects = !node.members.empty() || node.additional || node.names ||
                            node.properties.is_given() || !node.dependent_required.empty() ||
                            !node.dependent_schemas.empty();
    node.looks_at_arrays = node.items || !node.prefix_items.empty() || node.contains ||
                           node.elements.is_given() || node.unique;
    node.looks_at_numbers =
        node.minimum || node.maximum || node.exclusive_minimum || node.exclusive_maximum;
    node.looks_at_strings = node.length.is_given() || node.format;
    node.has_values = node.values || node.value;
    node.has_others = !node.all_of.empty() || !node.any_of.empty() || !node.one_of.empty() ||
                      node.negated || node.condition || node.reference;
  }

  const JsonTree& json_;
  const Places& places_;
  DataSchema::Nodes nodes_;
  std::string pointer_;
  std::unordered_map<const Node*, std::vector<std::string>>
      written_;  ///< the names of `properties`
  std::set<std::pair<Index, std::string>>
      seen_;  ///< the texts of an array that may not repeat them
};

}  // namespace

DataSchema::Nodes read_schema(std::string_view json) {
  if (json.size() > DataSchema::most_bytes) throw fault_at({}, "too large");
  JsonTree tree;
  if (!tree.read(json)) throw fault_at({}, "not a schema");
  const Places places(tree);
  return Reader(tree, places).read();
}

}  // namespace evercore::ext
