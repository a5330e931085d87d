#include "pointer.h"

#include <algorithm>

#include "json.h"
#include "value.h"

namespace evercore::ext {

namespace {

std::optional<std::string_view> member_of(std::string_view object, std::string_view key) {
  for (Members member(object); member.next();) {
    const bool same =
        member.key_is_escaped() ? unescape(member.raw_key()) == key : member.raw_key() == key;
    if (same) return member.value();
  }
  return std::nullopt;
}

std::optional<std::int64_t> index_of(std::string_view token) {
  return is_digits(token) && (token == "0" || token.front() != '0') ? integer_in(token)
                                                                    : std::nullopt;
}

std::optional<std::string_view> element_of(std::string_view array, std::string_view token) {
  const auto index = index_of(token);
  if (!index) return std::nullopt;
  std::int64_t at = 0;
  for (Elements element(array); element.next(); ++at) {
    if (at == *index) return element.value();
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::vector<std::string>> tokens_of_pointer(std::string_view pointer) {
  std::vector<std::string> tokens;
  if (!pointer.empty() && pointer.front() != '/') return std::nullopt;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      tokens.emplace_back();
    } else if (pointer[i] != '~') {
      tokens.back() += pointer[i];
    } else {
      ++i;
      if (i == pointer.size() || (pointer[i] != '0' && pointer[i] != '1')) return std::nullopt;
      tokens.back() += pointer[i] == '0' ? '~' : '/';
    }
  }
  return tokens;
}

std::optional<std::string_view> value_at(std::string_view json,
                                         const std::vector<std::string>& pointer) {
  std::optional<std::string_view> value = trim(json);
  for (const std::string& token : pointer) {
    if (!value || value->empty()) return std::nullopt;
    value = value->front() == '{'   ? member_of(*value, token)
            : value->front() == '[' ? element_of(*value, token)
                                    : std::nullopt;
  }
  return value;
}

std::optional<std::string> name_of_value(std::string_view json) {
  if (json.empty()) return std::nullopt;
  if (json.front() == '"') return string_of(json);
  if (json.front() != '-' && !is_digits(json.substr(0, 1))) return std::nullopt;
  const auto integer = integer_of_number(json);
  return integer ? std::optional(std::to_string(*integer)) : std::nullopt;
}

std::string string_of(std::string_view json) {
  return unescape(json.substr(1, json.size() - 2));
}

std::size_t Pointers::add(const std::vector<std::string>& pointer) {
  Node* node = &root_;
  for (const std::string& token : pointer) {
    const auto known = std::find_if(node->inner.begin(), node->inner.end(),
                                    [&](const Node& inner) { return inner.token == token; });
    if (known != node->inner.end()) {
      node = &*known;
    } else {
      node = &node->inner.emplace_back(Node{token, index_of(token), nowhere, {}});
    }
  }
  if (node->place == nowhere) node->place = size_++;
  return node->place;
}

bool Pointers::find(std::string_view data, std::span<std::string_view> found) const {
  return walk(root_, trim(data), found);
}

bool Pointers::walk(const Node& node, std::string_view value, std::span<std::string_view> found) {
  if (node.place != nowhere) found[node.place] = value;
  if (node.inner.empty()) return true;
  if (value.front() == '{') return walk_object(node, value, found);
  return value.front() != '[' || walk_array(node, value, found);
}

bool Pointers::walk_object(const Node& node, std::string_view value,
                           std::span<std::string_view> found) {
  const std::vector<Node>& inner = node.inner;
  std::size_t left = inner.size();
  std::size_t next = 0;  // events of one type name their members in one order
  std::string resolved;
  Members member(value);
  while (left > 0 && member.next()) {
    std::string_view key = member.raw_key();
    if (member.key_is_escaped()) key = resolved = unescape(key);
    for (std::size_t tried = 0; tried < inner.size(); ++tried, ++next) {
      if (next == inner.size()) next = 0;
      if (inner[next].token != key) continue;
      if (!walk(inner[next++], member.value(), found)) return false;
      --left;
      break;
    }
  }
  return !member.failed();
}

bool Pointers::walk_array(const Node& node, std::string_view value,
                          std::span<std::string_view> found) {
  std::size_t left = node.inner.size();
  std::int64_t at = 0;
  Elements element(value);
  for (; left > 0 && element.next(); ++at) {
    for (const Node& inner : node.inner) {
      if (inner.index != at) continue;
      if (!walk(inner, element.value(), found)) return false;
      --left;
    }
  }
  return !element.failed();
}

}  // namespace evercore::ext
