#include "payload.h"

#include <algorithm>
#include <new>

#include "error.h"
#include "json.h"
#include "payload_dom.h"

namespace evercore::ext {

namespace {

constexpr std::size_t few_keys = 16;  // up to here comparing all pairs is faster than sorting

bool holds_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

/// Whether a document may hold a number, spelled with a point or an exponent, that is finite and
/// yet out of range: one with an exponent of five digits or more, or with thousands of digits. No
/// run of digits that long passes between probes five bytes apart.
bool may_exceed(std::string_view document) {
  constexpr std::size_t run = 5;
  constexpr std::size_t long_run = 6000;  // else the exponent that leads so far has five digits
  const auto is_digit = [&](std::size_t i) { return document[i] >= '0' && document[i] <= '9'; };
  for (std::size_t i = run - 1; i < document.size(); i += run) {
    if (!is_digit(i)) continue;
    std::size_t begin = i;
    std::size_t end = i + 1;
    while (begin > 0 && is_digit(begin - 1)) --begin;
    while (end < document.size() && is_digit(end)) ++end;
    if (end - begin >= long_run) return true;
    if (end - begin >= run && begin >= 2) {
      const char sign = document[begin - 1];
      const char e = sign == '+' || sign == '-' ? document[begin - 2] : sign;
      if ((e | 0x20) == 'e') return true;
    }
    i = std::max(i, end - 1);
  }
  return false;
}

[[noreturn]] void refuse_with(std::string_view argument, const Fault& fault) {
  std::string text(argument);
  text += ": ";
  text += fault.word;
  if (fault.byte > 0) text += " at byte " + std::to_string(fault.byte);
  throw error(4, text);
}

Fault fault_of(std::string_view document) {
  Fault fault = find_fault(document);
  if (fault.word.empty()) fault = Fault{"not JSON", 1};
  return fault;
}

/// A parser that ran out of memory half way believes to have what it has not: the next document
/// would crash it.
void throw_if_out_of_memory(simdjson::error_code code, simdjson::dom::parser& parser) {
  if (code != simdjson::MEMALLOC) return;
  parser = simdjson::dom::parser();
  throw std::bad_alloc();
}

/// Newer simdjson passes over a byte order mark, which is no JSON.
bool is_marked(std::string_view document) {
  return document.starts_with("\xef\xbb\xbf");
}

}  // namespace

Payload::Payload() : dom_(std::make_unique<Dom>()) {}
Payload::~Payload() = default;

bool Payload::is_legal(std::string_view document) {
  return dom_->is_legal(document);
}

void Payload::check(std::string_view argument, std::string_view document) {
  if (document.size() > max_payload_bytes) refuse_with(argument, Fault{"too large", 0});
  if (!is_legal(document)) refuse(argument, document);
}

void Payload::check_value(std::string_view argument, std::string_view document) {
  if (document.size() > max_payload_bytes) refuse_with(argument, Fault{"too large", 0});
  const auto root = dom_->parse_aside(document);
  if (root && dom_->walks(*root, document)) return;
  const Fault fault = find_fault_of_value(document);
  if (!fault.word.empty() || !root)
    refuse_with(argument, fault.word.empty() ? Fault{"not JSON", 1} : fault);
}

std::optional<simdjson::dom::element> Payload::Dom::parse(std::string_view document) {
  return parse_with(outer_parser, document);
}

std::optional<simdjson::dom::element> Payload::Dom::parse_aside(std::string_view document) {
  return parse_with(parser, document);
}

std::optional<simdjson::dom::element> Payload::Dom::parse_with(simdjson::dom::parser& with,
                                                               std::string_view document) {
  simdjson::dom::element root;
  if (document.empty() || is_marked(document)) return std::nullopt;
  const auto code = with.parse(document.data(), document.size()).get(root);
  throw_if_out_of_memory(code, with);
  return code == simdjson::SUCCESS ? std::optional(root) : std::nullopt;
}

void Payload::refuse(std::string_view argument, std::string_view document) {
  refuse_with(argument, fault_of(document));
}

void Payload::Dom::check(std::string_view argument, simdjson::dom::element element,
                         std::string_view document) {
  if (document.size() > max_payload_bytes) refuse_with(argument, Fault{"too large", 0});
  if (!passes(element, document)) refuse(argument, document);
}

std::string Payload::verdict(std::string_view document) {
  if (document.size() > max_payload_bytes) return "too large";
  return is_legal(document) ? std::string() : fault_of(document).word;
}

bool Payload::Dom::is_legal(std::string_view document) {
  if (is_marked(document)) return false;
  simdjson::dom::element root;
  const auto code = parser.parse(document.data(), document.size()).get(root);
  throw_if_out_of_memory(code, parser);
  return code == simdjson::SUCCESS && passes(root, document);
}

bool Payload::Dom::passes(simdjson::dom::element root, std::string_view document) {
  return root.is_object() && walks(root, document);
}

bool Payload::Dom::walks(simdjson::dom::element root, std::string_view document) {
  keys.clear();
  has_double = false;
  has_escape = document.find('\\') != std::string_view::npos;
  if (!walk(root, 1)) return false;
  return !has_double || !may_exceed(document) || find_fault_of_value(document).word.empty();
}

bool Payload::Dom::walk(simdjson::dom::element element, int depth) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::OBJECT:
      return depth <= max_depth && walk_object(element.get_object().value_unsafe(), depth);
    case element_type::ARRAY: {
      if (depth > max_depth) return false;
      const simdjson::dom::array array = element.get_array().value_unsafe();
      for (const simdjson::dom::element item : array) {
        if (!walk(item, depth + 1)) return false;
      }
      return true;
    }
    case element_type::STRING:
      return !has_escape || !holds_nul(element.get_string().value_unsafe());
    case element_type::UINT64:  // what int64 does not hold
      return false;
    case element_type::DOUBLE:
      has_double = true;
      return true;
    default:
      return true;
  }
}

bool Payload::Dom::walk_object(simdjson::dom::object object, int depth) {
  const std::size_t first = keys.size();
  for (const auto& member : object) {
    if (has_escape && holds_nul(member.key)) return false;
    keys.push_back(member.key);
    if (!walk(member.value, depth + 1)) return false;
  }
  const bool repeat = keys_repeat(first);
  keys.resize(first);
  return !repeat;
}

bool Payload::Dom::keys_repeat(std::size_t first) {
  const auto begin = keys.begin() + static_cast<std::ptrdiff_t>(first);
  if (keys.size() - first <= few_keys) {
    for (auto a = begin; a != keys.end(); ++a) {
      if (std::find(begin, a, *a) != a) return true;
    }
    return false;
  }
  std::sort(begin, keys.end());
  return std::adjacent_find(begin, keys.end()) != keys.end();
}

}  // namespace evercore::ext
