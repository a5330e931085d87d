#include "json.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace evercore::ext {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view skip_blanks(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size() && is_blank(text[i])) ++i;
  return text.substr(i);
}

/// The length of the string at the front with its quotes, or 0. Most strings are short: a few bytes
/// are looked at one by one before memchr, which is fast only once it runs.
std::size_t string_length(std::string_view text) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  constexpr std::ptrdiff_t few = 24;
  const char* at = begin + 1;
  for (const char* const stop = end - at > few ? at + few : end; at < stop; ++at) {
    if (*at == '"') return static_cast<std::size_t>(at - begin) + 1;
    if (*at == '\\') break;
  }
  for (; at < end; ++at) {
    at = static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(end - at)));
    if (at == nullptr) return 0;
    const char* before = at;
    while (before[-1] == '\\') --before;
    if ((at - before) % 2 == 0) return static_cast<std::size_t>(at - begin) + 1;
  }
  return 0;
}

/// What a byte means when only the end of a container is looked for.
enum Role : unsigned char { other, quote, opens, closes };

constexpr std::array<Role, 256> roles = [] {
  std::array<Role, 256> table{};
  table['"'] = quote;
  table['{'] = table['['] = opens;
  table['}'] = table[']'] = closes;
  return table;
}();

std::size_t container_length(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (roles[static_cast<unsigned char>(text[i])]) {
      case other:
        break;
      case quote: {
        const std::size_t length = string_length(text.substr(i));
        if (length == 0) return 0;
        i += length - 1;
        break;
      }
      case opens:
        ++depth;
        break;
      case closes:
        if (--depth == 0) return i + 1;
        break;
    }
  }
  return 0;
}

/// The length of the value at the front, or 0 where none can be told.
std::size_t value_length(std::string_view text) {
  if (text.empty()) return 0;
  if (text.front() == '"') return string_length(text);
  if (text.front() == '{' || text.front() == '[') return container_length(text);
  std::size_t i = 0;
  while (i < text.size() && !is_blank(text[i]) && text[i] != ',' && text[i] != '}' &&
         text[i] != ']') {
    ++i;
  }
  return i;
}

/// Takes the separator before the next item: 1 an item follows, 0 the container ends, -1 malformed.
int step(std::string_view& rest, bool& first, char close) {
  rest = skip_blanks(rest);
  if (rest.empty()) return -1;
  if (rest.front() == close) return 0;
  if (!first) {
    if (rest.front() != ',') return -1;
    rest = skip_blanks(rest.substr(1));
  }
  first = false;
  return 1;
}

unsigned hex4(std::string_view text) {
  unsigned value = 0;
  for (std::size_t i = 0; i < 4 && i < text.size(); ++i) {
    const char c = text[i];
    value = value * 16 + static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return value;
}

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

/// Resolves the \u escape at raw[i], i at the u; gives the index of its last character.
std::size_t append_unicode_escape(std::string& out, std::string_view raw, std::size_t i) {
  unsigned code = hex4(raw.substr(i + 1));
  i += 4;
  const bool high = code >= 0xd800 && code < 0xdc00;
  if (high && i + 6 < raw.size() && raw[i + 1] == '\\' && raw[i + 2] == 'u') {
    code = 0x10000 + ((code - 0xd800) << 10) + (hex4(raw.substr(i + 3)) - 0xdc00);
    i += 6;
  }
  append_utf8(out, code);
  return i;
}

}  // namespace

Members::Members(std::string_view object) : rest_(skip_blanks(object)) {
  if (rest_.empty() || rest_.front() != '{') {
    failed_ = true;
  } else {
    rest_.remove_prefix(1);
  }
}

bool Members::next_key() {
  if (failed_) return false;
  const int more = step(rest_, first_, '}');
  if (more == 0) return false;
  const std::size_t key_length =
      more > 0 && !rest_.empty() && rest_.front() == '"' ? string_length(rest_) : 0;
  if (key_length == 0) return failed_ = true, false;
  raw_key_ = rest_.substr(1, key_length - 2);
  rest_ = skip_blanks(rest_.substr(key_length));
  if (rest_.empty() || rest_.front() != ':') return failed_ = true, false;
  rest_ = skip_blanks(rest_.substr(1));
  return true;
}

bool Members::next_key_is(std::string_view raw_key) {
  const std::size_t comma = first_ ? 0 : 1;
  const std::size_t length = comma + raw_key.size() + 3;
  if (failed_ || rest_.size() <= length || (comma != 0 && rest_.front() != ',')) return false;
  const char* const opening = rest_.data() + comma;
  const char* const closing = opening + 1 + raw_key.size();
  if (*opening != '"' || *closing != '"' || closing[1] != ':' || is_blank(closing[2]) ||
      std::memcmp(opening + 1, raw_key.data(), raw_key.size()) != 0) {
    return false;
  }
  first_ = false;
  raw_key_ = {opening + 1, raw_key.size()};
  rest_.remove_prefix(length);
  return true;
}

bool Members::take_value() {
  const std::size_t length = value_length(rest_);
  if (length == 0) return failed_ = true, false;
  value_ = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return true;
}

void Members::leave(const Members& inner) {
  failed_ = failed_ || inner.failed_ || inner.rest_.empty();
  if (!failed_) rest_ = inner.rest_.substr(1);
}

Elements::Elements(std::string_view array) : rest_(skip_blanks(array)) {
  if (rest_.empty() || rest_.front() != '[') {
    failed_ = true;
  } else {
    rest_.remove_prefix(1);
  }
}

bool Elements::next() {
  if (failed_) return false;
  const int more = step(rest_, first_, ']');
  if (more == 0) return false;
  const std::size_t length = more > 0 ? value_length(rest_) : 0;
  if (length == 0) return failed_ = true, false;
  value_ = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return true;
}

void Cursor::skip_blanks() {
  while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
}

void Cursor::open() {
  skip_blanks();
  if (!rest_.empty()) rest_.remove_prefix(1);
}

bool Cursor::more() {
  skip_blanks();
  if (rest_.empty()) return false;
  const char c = rest_.front();
  if (c == ',' || c == '}' || c == ']') rest_.remove_prefix(1);
  return c != '}' && c != ']';
}

void Cursor::key() {
  skip_blanks();
  rest_.remove_prefix(string_length(rest_));
  open();  // the colon
}

std::string_view Cursor::value() {
  skip_blanks();
  const std::string_view value = rest_.substr(0, value_length(rest_));
  rest_.remove_prefix(value.size());
  return value;
}

std::string unescape(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\' || i + 1 == raw.size()) {
      out += raw[i];
      continue;
    }
    switch (raw[++i]) {
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'u':
        i = append_unicode_escape(out, raw, i);
        break;
      default:
        out += raw[i];
        break;
    }
  }
  return out;
}

void append_quoted(std::string& out, std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[static_cast<unsigned char>(c) & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string pointer_to(std::string_view member) {
  std::string token = "/";
  for (const char c : member) {
    if (c == '~') {
      token += "~0";
    } else if (c == '/') {
      token += "~1";
    } else {
      token += c;
    }
  }
  return token;
}

std::string_view trim(std::string_view text) {
  text = skip_blanks(text);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool fits(std::string_view json, std::size_t levels) {
  const bool is_container = json.starts_with('{') || json.starts_with('[');
  if (!is_container || json.size() / 2 <= levels) return true;
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > levels) return false;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return true;
}

}  // namespace evercore::ext
