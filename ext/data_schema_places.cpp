#include "data_schema_places.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "json.h"

namespace evercore::ext {

namespace {

using Index = JsonTree::Index;
using Kind = JsonTree::Kind;

/// The fragment of a URI with its %XX resolved; nothing where one is none.
std::optional<std::string> decoded(std::string_view fragment) {
  std::string text;
  for (std::size_t i = 0; i < fragment.size(); ++i) {
    if (fragment[i] != '%') {
      text += fragment[i];
      continue;
    }
    if (i + 2 >= fragment.size()) return std::nullopt;
    unsigned byte = 0;
    const char* const digits = fragment.data() + i + 1;
    if (std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2) return std::nullopt;
    text += static_cast<char>(byte);
    i += 2;
  }
  return text;
}

}  // namespace

Error fault_at(std::string_view pointer, std::string_view words) {
  std::string text = "schema: ";
  if (!pointer.empty()) text.append(pointer).append(": ");
  return error(9, text.append(words));
}

const KeywordRow* find_keyword(std::string_view name) {
  const auto* const end = std::end(keyword_rows);
  const auto* const row = std::find_if(std::begin(keyword_rows), end,
                                       [&](const KeywordRow& r) { return r.name == name; });
  return row == end ? nullptr : row;
}

std::optional<NodeId> Places::find(const std::string& pointer) const {
  const auto found = by_pointer_.find(pointer);
  return found == by_pointer_.end() ? std::nullopt : std::optional(found->second);
}

void Places::add(Index index, const std::string& pointer, int level) {
  if (level > DataSchema::most_levels || count() == DataSchema::most_schemas) {
    throw fault_at({}, "too large");
  }
  const auto node = static_cast<NodeId>(count());
  by_index_.emplace(index, node);
  by_pointer_.emplace(pointer, node);
  pointers_.push_back(pointer);
  if (json_[index].kind != Kind::object) return;
  for_each_member(json_, index, [&](Index key, const std::string& name) {
    if (const KeywordRow* row = find_keyword(name)) {
      add_below(row->shape, key + 1, pointer + pointer_to(name), level + 1);
    }
  });
}

void Places::add_below(Shape shape, Index value, const std::string& pointer, int level) {
  const Kind kind = json_[value].kind;
  if (shape == Shape::schema) {
    add(value, pointer, level);
  } else if (shape == Shape::schemas && kind == Kind::array) {
    for_each_item(json_, value, [&](Index item, std::size_t place) {
      add(item, pointer + "/" + std::to_string(place), level);
    });
  } else if (shape == Shape::named_schemas && kind == Kind::object) {
    for_each_member(json_, value, [&](Index key, const std::string& name) {
      add(key + 1, pointer + pointer_to(name), level);
    });
  }
}

std::optional<std::string> pointer_of_reference(std::string_view reference) {
  if (!reference.starts_with('#')) return std::nullopt;
  auto pointer = decoded(reference.substr(1));
  if (!pointer || (!pointer->empty() && !pointer->starts_with("/$defs/"))) return std::nullopt;
  for (std::size_t i = pointer->find('~'); i != pointer->npos; i = pointer->find('~', i + 1)) {
    if (i + 1 == pointer->size() || ((*pointer)[i + 1] != '0' && (*pointer)[i + 1] != '1')) {
      return std::nullopt;
    }
  }
  return pointer;
}

}  // namespace evercore::ext
