#include "json_tree.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "decimal.h"
#include "json.h"
#include "value.h"

namespace evercore::ext {

namespace {

constexpr double two_to_63 = 9223372036854775808.0;

std::optional<std::int64_t> integer_of_double(double value) {
  if (!(value >= -two_to_63 && value < two_to_63) || std::trunc(value) != value)
    return std::nullopt;
  return static_cast<std::int64_t>(value);
}

int sign_of(bool less, bool equal) {
  return less ? -1 : equal ? 0 : 1;
}

/// Compares an integer with a double that is no int64.
int compare_with(std::int64_t integer, double value) {
  if (value >= two_to_63) return -1;
  if (value < -two_to_63) return 1;
  const double floor = std::floor(value);
  return integer <= static_cast<std::int64_t>(floor) ? -1 : 1;
}

void append_length(std::string& out, std::size_t length) {
  out += std::to_string(length);
  out += ':';
}

}  // namespace

Number Number::read(std::string_view text) {
  std::int64_t integer = 0;
  const char* const end = text.data() + text.size();
  const auto digits = std::from_chars(text.data(), end, integer);
  if (digits.ec == std::errc() && digits.ptr == end) return Number(integer);
  double value = 0;  // what underflows stays 0
  std::from_chars(text.data(), end, value);
  if (integer_of_double(value) || std::abs(value) == two_to_63) {
    if (const auto exact = integer_of_number(text)) return Number(*exact);
  }
  return Number(value);
}

int Number::compare(const Number& other) const {
  if (is_integer_ && other.is_integer_) {
    return sign_of(integer_ < other.integer_, integer_ == other.integer_);
  }
  if (!is_integer_ && !other.is_integer_) {
    return sign_of(double_ < other.double_, double_ == other.double_);
  }
  const double value = is_integer_ ? other.double_ : double_;
  const std::int64_t integer = is_integer_ ? integer_ : other.integer_;
  const auto whole = integer_of_double(value);
  const int order =
      whole ? sign_of(integer < *whole, integer == *whole) : compare_with(integer, value);
  return is_integer_ ? order : -order;
}

std::string Number::canonical() const {
  const auto whole = is_integer_ ? std::optional(integer_) : integer_of_double(double_);
  return whole ? std::to_string(*whole) : number_text(double_);
}

/// Walks a document once. It reports a document that is not legal, and never reads beyond its end.
class JsonTree::Reader {
 public:
  Reader(std::string_view document, std::vector<Value>& values)
      : at_(document.data()), end_(document.data() + document.size()), values_(values) {}

  bool read() {
    skip_blanks();
    if (!value(0)) return false;
    skip_blanks();
    return at_ == end_;
  }

 private:
  void skip_blanks() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  bool take(char c) {
    skip_blanks();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool value(int depth) {
    skip_blanks();
    if (at_ == end_) return false;
    switch (*at_) {
      case '{':
        return depth < max_depth && container(Kind::object, '}', depth);
      case '[':
        return depth < max_depth && container(Kind::array, ']', depth);
      case '"':
        return string();
      case 't':
        return word("true", Kind::boolean);
      case 'f':
        return word("false", Kind::boolean);
      case 'n':
        return word("null", Kind::null);
      default:
        return number();
    }
  }

  bool container(Kind kind, char closing, int depth) {
    const std::size_t self = values_.size();
    values_.push_back({at_, 0, 0, 0, kind, true});
    ++at_;
    std::uint32_t count = 0;
    if (!take(closing)) {
      do {
        skip_blanks();
        if (kind == Kind::object && !(string() && take(':'))) return false;
        if (!value(depth + 1)) return false;
        ++count;
      } while (take(','));
      if (!take(closing)) return false;
    }
    values_[self].count = count;
    values_[self].next = static_cast<Index>(values_.size());
    return true;
  }

  bool string() {
    if (at_ == end_ || *at_ != '"') return false;
    const char* const begin = at_++;
    bool plain = true;
    for (; at_ < end_ && *at_ != '"'; ++at_) {
      if (*at_ != '\\') continue;
      plain = false;
      if (++at_ == end_) return false;
    }
    if (at_ == end_) return false;
    ++at_;
    add(begin, Kind::string, plain);
    return true;
  }

  bool number() {
    const char* const begin = at_;
    bool plain = true;
    for (; at_ < end_; ++at_) {
      const char c = *at_;
      if ((c >= '0' && c <= '9') || c == '-') continue;
      if (c != '.' && c != 'e' && c != 'E' && c != '+') break;
      plain = false;
    }
    if (at_ == begin) return false;
    add(begin, Kind::number, plain);
    return true;
  }

  bool word(std::string_view text, Kind kind) {
    if (static_cast<std::size_t>(end_ - at_) < text.size() ||
        std::memcmp(at_, text.data(), text.size()) != 0) {
      return false;
    }
    const char* const begin = at_;
    at_ += text.size();
    add(begin, kind, true);
    return true;
  }

  void add(const char* begin, Kind kind, bool plain) {
    values_.push_back({begin, static_cast<std::uint32_t>(at_ - begin), 0,
                       static_cast<Index>(values_.size() + 1), kind, plain});
  }

  const char* at_;
  const char* end_;
  std::vector<Value>& values_;
};

bool JsonTree::read(std::string_view document) {
  values_.clear();
  return Reader(document, values_).read();
}

std::string_view JsonTree::string(Index index, std::string& buffer) const {
  const Value& value = values_[index];
  const std::string_view raw(value.begin + 1, value.size - 2);
  if (value.plain) return raw;
  return buffer = unescape(raw);
}

std::string JsonTree::string(Index index) const {
  std::string buffer;
  return std::string(string(index, buffer));
}

std::size_t JsonTree::length(Index index) const {
  std::string buffer;
  const std::string_view text = string(index, buffer);
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::vector<JsonTree::Member> JsonTree::sorted_members(Index object) const {
  std::vector<Member> members;
  members.reserve(values_[object].count);
  for (Index key = object + 1; key < values_[object].next; key = values_[key + 1].next) {
    members.push_back({string(key), key});
  }
  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) { return a.name < b.name; });
  return members;
}

void JsonTree::append_canonical(std::string& out, Index index) const {
  const Value& value = values_[index];
  switch (value.kind) {
    case Kind::null:
    case Kind::boolean:
      out += *value.begin;
      break;
    case Kind::number:
      out += '#';
      out += number(index).canonical();
      out += ';';
      break;
    case Kind::string: {
      std::string buffer;
      const std::string_view text = string(index, buffer);
      out += '"';
      append_length(out, text.size());
      out += text;
      break;
    }
    case Kind::array:
      out += '[';
      append_length(out, value.count);
      for (Index item = index + 1; item < value.next; item = values_[item].next) {
        append_canonical(out, item);
      }
      break;
    case Kind::object:
      out += '{';
      append_length(out, value.count);
      for (const Member& member : sorted_members(index)) {
        append_length(out, member.name.size());
        out += member.name;
        append_canonical(out, member.key + 1);
      }
      break;
  }
}

void JsonTree::shrink() {
  constexpr std::size_t kept = 10'000;
  if (values_.capacity() <= kept) return;
  values_.clear();
  values_.shrink_to_fit();
}

bool same_in_order(std::string_view a, std::string_view b) {
  JsonTree left;
  JsonTree right;
  if (!left.read(a) || !right.read(b) || left.size() != right.size()) return false;
  std::string left_buffer;
  std::string right_buffer;
  for (JsonTree::Index i = 0; i < left.size(); ++i) {
    if (left[i].kind != right[i].kind || left[i].count != right[i].count) return false;
    switch (left[i].kind) {
      case JsonTree::Kind::boolean:
        if (left.is_true(i) != right.is_true(i)) return false;
        break;
      case JsonTree::Kind::number:
        if (left.number(i).compare(right.number(i)) != 0) return false;
        break;
      case JsonTree::Kind::string:
        if (left.string(i, left_buffer) != right.string(i, right_buffer)) return false;
        break;
      default:
        break;
    }
  }
  return true;
}

}  // namespace evercore::ext
