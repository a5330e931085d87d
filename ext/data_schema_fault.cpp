// The first fault of a document that its schema does not take: at each place the keywords are tried in the
// order of data_schema_keyword.h, those that go deeper there and then, members by code point, elements in
// order.
#include <algorithm>

#include "data_schema_evaluation.h"
#include "json.h"

namespace evercore::ext {

namespace {

using Index = JsonTree::Index;
using Kind = JsonTree::Kind;

class FaultFinder {
 public:
  explicit FaultFinder(Evaluation& evaluation) : evaluation_(evaluation) {}

  /// Whether there is one; `holder` is the keyword that a `false` is named by.
  bool find(NodeId id, Index value, std::string_view holder) {
    const Node& node = evaluation_.nodes().all[id];
    if (node.is_false) return found(holder);
    if (node.remembers && evaluation_.takes(id, value)) return false;
    return find_of_value(node, value) || find_of_kind(node, value) || find_of_others(node, value) ||
           (is_object(value) && find_of_dependents(node, value)) ||
           (node.reference && find(*node.reference, value, "$ref")) || find_of_format(node, value);
  }

  /// `/amount: minimum`
  [[nodiscard]] std::string text() const { return pointer_ + ": " + keyword_; }

 private:
  [[nodiscard]] const JsonTree& data() const { return evaluation_.data(); }
  [[nodiscard]] bool is_object(Index value) const { return data()[value].kind == Kind::object; }

  bool found(std::string_view keyword) {
    keyword_ = keyword;
    return true;
  }
  bool found_if(bool fault, std::string_view keyword) { return fault && found(keyword); }

  /// The same below, where what it finds stays in the pointer.
  bool find_below(std::string_view token, NodeId id, Index value, std::string_view holder) {
    const std::size_t size = pointer_.size();
    pointer_ += token;
    if (find(id, value, holder)) return true;
    pointer_.resize(size);
    return false;
  }

  bool find_of_value(const Node& node, Index value) {
    return found_if(!evaluation_.takes_type(node, value), "type") ||
           found_if(node.values && !evaluation_.is_among(*node.values, value), "enum") ||
           found_if(node.value && !evaluation_.equals(*node.value, value), "const");
  }

  bool find_of_kind(const Node& node, Index value) {
    switch (data()[value].kind) {
      case Kind::object:
        return node.looks_at_objects && find_of_object(node, value);
      case Kind::array:
        return node.looks_at_arrays && find_of_array(node, value);
      case Kind::number:
        return node.looks_at_numbers && find_of_number(node, value);
      case Kind::string: {
        const std::size_t length = node.length.is_given() ? evaluation_.length(value) : 0;
        return found_if(node.length.is_below(length), "minLength") ||
               found_if(node.length.is_above(length), "maxLength");
      }
      default:
        return false;
    }
  }

  bool find_of_object(const Node& node, Index object) {
    const auto members = evaluation_.sorted_members(object);
    return find_of_properties(node, members) ||
           found_if(lacks_required(node, members), "required") ||
           find_of_additional(node, members) || find_of_names(node, members) ||
           found_if(node.properties.is_below(members.size()), "minProperties") ||
           found_if(node.properties.is_above(members.size()), "maxProperties");
  }

  bool find_of_properties(const Node& node, const std::vector<JsonTree::Member>& members) {
    return std::any_of(members.begin(), members.end(), [&](const JsonTree::Member& member) {
      const MemberRule* rule = node.find(member.name);
      return rule != nullptr && rule->schema &&
             find_below(pointer_to(member.name), *rule->schema, member.key + 1, "properties");
    });
  }

  static bool lacks_required(const Node& node, const std::vector<JsonTree::Member>& members) {
    return std::any_of(node.members.begin(), node.members.end(), [&](const MemberRule& rule) {
      return rule.required && !Evaluation::has(members, rule.name);
    });
  }

  bool find_of_additional(const Node& node, const std::vector<JsonTree::Member>& members) {
    if (!node.additional) return false;
    return std::any_of(members.begin(), members.end(), [&](const JsonTree::Member& member) {
      const MemberRule* rule = node.find(member.name);
      return (rule == nullptr || !rule->schema) &&
             find_below(pointer_to(member.name), *node.additional, member.key + 1,
                        "additionalProperties");
    });
  }

  bool find_of_names(const Node& node, const std::vector<JsonTree::Member>& members) {
    if (!node.names) return false;
    return std::any_of(members.begin(), members.end(), [&](const JsonTree::Member& member) {
      return find_below(pointer_to(member.name), *node.names, member.key, "propertyNames");
    });
  }

  bool find_of_array(const Node& node, Index array) {
    const std::uint32_t count = data()[array].count;
    return find_of_items(node, array) || find_of_contains(node, array) ||
           found_if(node.elements.is_below(count), "minItems") ||
           found_if(node.elements.is_above(count), "maxItems") ||
           found_if(node.unique && !evaluation_.has_unique_items(array), "uniqueItems");
  }

  /// `items` looks at the elements behind those of `prefixItems`, and stands before it.
  bool find_of_items(const Node& node, Index array) {
    return (node.items && find_of_elements(node, array, false)) ||
           find_of_elements(node, array, true);
  }

  bool find_of_elements(const Node& node, Index array, bool of_prefix) {
    const std::size_t prefix = node.prefix_items.size();
    std::size_t place = 0;
    for (Index item = array + 1; item < data()[array].next; item = data()[item].next, ++place) {
      if ((place < prefix) != of_prefix) continue;
      if (find_below("/" + std::to_string(place),
                     of_prefix ? node.prefix_items[place] : *node.items, item,
                     of_prefix ? "prefixItems" : "items")) {
        return true;
      }
    }
    return false;
  }

  bool find_of_contains(const Node& node, Index array) {
    if (!node.contains) return false;
    const std::uint64_t count = evaluation_.count_contained(node, array);
    const std::uint64_t least = node.containing.least.value_or(1);
    return found_if(count == 0 && least > 0, "contains") ||
           found_if(count < least, "minContains") ||
           found_if(node.containing.is_above(count), "maxContains");
  }

  bool find_of_number(const Node& node, Index value) {
    const Number number = data().number(value);
    const auto order = [&](const std::optional<Number>& bound) {
      return bound ? std::optional(number.compare(*bound)) : std::nullopt;
    };
    const auto at_least = order(node.minimum);
    const auto at_most = order(node.maximum);
    const auto above = order(node.exclusive_minimum);
    const auto below = order(node.exclusive_maximum);
    return found_if(at_least && *at_least < 0, "minimum") ||
           found_if(at_most && *at_most > 0, "maximum") ||
           found_if(above && *above <= 0, "exclusiveMinimum") ||
           found_if(below && *below >= 0, "exclusiveMaximum");
  }

  bool find_of_others(const Node& node, Index value) {
    const auto fault_of = [&](std::string_view keyword) {
      return [this, value, keyword](NodeId id) { return find(id, value, keyword); };
    };
    if (std::any_of(node.all_of.begin(), node.all_of.end(), fault_of("allOf"))) return true;
    if (!node.any_of.empty() && !evaluation_.any_takes(node.any_of, value)) return found("anyOf");
    if (!node.one_of.empty() && evaluation_.count_one_of(node, value) != 1) return found("oneOf");
    if (node.negated && evaluation_.takes(*node.negated, value)) return found("not");
    if (!node.condition) return false;
    return evaluation_.takes(*node.condition, value)
               ? node.consequence && find(*node.consequence, value, "then")
               : node.alternative && find(*node.alternative, value, "else");
  }

  bool find_of_dependents(const Node& node, Index object) {
    const auto members = evaluation_.sorted_members(object);
    const auto lacks = [&](const auto& dependent) {
      return Evaluation::has(members, dependent.first) &&
             !Evaluation::has_all(members, dependent.second);
    };
    return found_if(
               std::any_of(node.dependent_required.begin(), node.dependent_required.end(), lacks),
               "dependentRequired") ||
           std::any_of(node.dependent_schemas.begin(), node.dependent_schemas.end(),
                       [&](const auto& dependent) {
                         return Evaluation::has(members, dependent.first) &&
                                find(dependent.second, object, "dependentSchemas");
                       });
  }

  bool find_of_format(const Node& node, Index value) {
    if (!node.format || data()[value].kind != Kind::string) return false;
    std::string buffer;
    return found_if(!is_of_format(data().string(value, buffer), *node.format), "format");
  }

  Evaluation& evaluation_;
  std::string pointer_;
  std::string keyword_;
};

}  // namespace

DataSchema::DataSchema(std::string_view json)
    : nodes_(std::make_unique<const Nodes>(read_schema(json))) {}
DataSchema::DataSchema(DataSchema&&) noexcept = default;
DataSchema& DataSchema::operator=(DataSchema&&) noexcept = default;
DataSchema::~DataSchema() = default;

bool DataSchema::takes(const JsonTree& data, std::uint64_t most) const {
  try {
    return Evaluation(*nodes_, data, most).takes(0, JsonTree::root);
  } catch (const Evaluation::TooComplex&) {
    return false;
  }
}

std::optional<std::string> DataSchema::fault(const JsonTree& data, std::uint64_t most) const {
  try {
    Evaluation evaluation(*nodes_, data, most);
    if (evaluation.takes(0, JsonTree::root)) return std::nullopt;
    FaultFinder finder(evaluation);
    return finder.find(0, JsonTree::root, "false") ? std::optional(finder.text()) : std::nullopt;
  } catch (const Evaluation::TooComplex&) {
    return ": too complex";
  }
}

}  // namespace evercore::ext
