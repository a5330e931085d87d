// Reading JSON documents, and writing texts and numbers into them.
#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <cstring>

#include "evercore/error.h"
#include "evercore/json.h"

namespace evercore::json {

struct Document::Parser {
  simdjson::dom::parser dom;
  std::string rewritten;
};

namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// Copies `text`, giving integers of 19 digits and more a fraction, so that they are read as
// numbers.
void spell_huge_as_numbers(std::string_view text, std::string& out) {
  out.clear();
  bool quoted = false;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (quoted || !is_digit(c)) {
      if (quoted && c == '\\' && i + 1 < text.size()) out += text[i++];
      if (c == '"') quoted = !quoted;
      out += text[i++];
      continue;
    }
    const std::size_t start = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    out += text.substr(start, i - start);
    const bool whole = start == 0 || (text[start - 1] != '.' && text[start - 1] != 'e' &&
                                      text[start - 1] != 'E' && text[start - 1] != '+');
    const bool ends = i == text.size() || (text[i] != '.' && text[i] != 'e' && text[i] != 'E');
    if (whole && ends && i - start >= 19) out += ".0";
  }
}

}  // namespace

std::string_view describe(Kind kind) noexcept {
  switch (kind) {
    case Kind::null:
      return "null";
    case Kind::yes:
    case Kind::no:
      return "a boolean";
    case Kind::integer:
      return "an integer";
    case Kind::huge:
      return "an integer beyond int64";
    case Kind::number:
      return "a number";
    case Kind::string:
      return "a string";
    case Kind::array:
      return "an array";
    case Kind::object:
      return "an object";
  }
  return "nothing";
}

std::string_view Value::text() const noexcept {
  const std::uint8_t* at = tape_->texts + payload();
  std::uint32_t size = 0;
  std::memcpy(&size, at, sizeof size);
  return {reinterpret_cast<const char*>(at) + sizeof size, size};
}

Value Value::next() const noexcept {
  switch (kind()) {
    case Kind::array:
    case Kind::object:
      return {tape_, static_cast<std::uint32_t>(word())};
    case Kind::integer:
    case Kind::huge:
    case Kind::number:
      return {tape_, index_ + 2};
    default:
      return {tape_, index_ + 1};
  }
}

Document::Document() : parser_(std::make_unique<Parser>()) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Value Document::parse(std::string_view text) {
  auto fault = parser_->dom.parse(text.data(), text.size()).error();
  // What it calls an integer beyond 64 bits depends on simdjson's release.
  if (fault != simdjson::SUCCESS && fault != simdjson::MEMALLOC) {
    spell_huge_as_numbers(text, parser_->rewritten);
    fault = parser_->dom.parse(parser_->rewritten).error();
  }
  if (fault == simdjson::MEMALLOC) throw std::bad_alloc();
  if (fault != simdjson::SUCCESS) {
    throw payload_error(std::string("EV004: data: not JSON (") + simdjson::error_message(fault) +
                        ")");
  }
  tape_ = {parser_->dom.doc.tape.get(), parser_->dom.doc.string_buf.get()};
  return {&tape_, 1};  // word 0 is the root's mark
}

void write_string(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  std::size_t plain = 0;  // the start of what can be copied as it is
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out += text.substr(plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out += hex[c >> 4];
        out += hex[c & 15];
    }
  }
  out += text.substr(plain);
  out += '"';
}

void write_integer(std::string& out, std::int64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

void write_number(std::string& out, double value) {
  if (!std::isfinite(value)) throw payload_error("EV004: data: number out of range");
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
  if (std::string_view(digits, static_cast<std::size_t>(end - digits)).find_first_of(".e") ==
      std::string_view::npos) {
    out += ".0";
  }
}

namespace {

void write_members(std::string& out, Value object) {
  out += '{';
  for (Value key = object.first(); !key.at_end();) {
    if (out.back() != '{') out += ',';
    write_string(out, key.text());
    out += ':';
    write_value(out, key.next());
    key = key.next().next();
  }
  out += '}';
}

void write_elements(std::string& out, Value array) {
  out += '[';
  for (Value element = array.first(); !element.at_end(); element = element.next()) {
    if (out.back() != '[') out += ',';
    write_value(out, element);
  }
  out += ']';
}

}  // namespace

void write_value(std::string& out, Value value) {
  switch (value.kind()) {
    case Kind::null:
      out += "null";
      return;
    case Kind::yes:
    case Kind::no:
      return write_bool(out, value.kind() == Kind::yes);
    case Kind::integer:
      return write_integer(out, value.integer());
    case Kind::huge:
      out += std::to_string(value.huge());
      return;
    case Kind::number:
      return write_number(out, value.number());
    case Kind::string:
      return write_string(out, value.text());
    case Kind::array:
      return write_elements(out, value);
    case Kind::object:
      return write_members(out, value);
  }
}

void require_utf8(std::string_view text, std::string_view what) {
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    throw payload_error("EV004: " + std::string(what) + ": not UTF-8");
  }
}

}  // namespace evercore::json
