// The exact scanner behind EV004's word and byte: one pass over the bytes for UTF-8, one for the
// grammar. What is no JSON, or too deep, is said at once; of other faults the first kind of
// `ranked` is named, as on PostgreSQL, at its first place.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <unordered_set>
#include <vector>

#include "json.h"

namespace evercore::ext {

namespace {

/// The length of the well-formed UTF-8 sequence at the front, or 0 (Unicode 15, table 3-7).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return continues(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : 0xbf;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/// 2^1024 - 2^970: the least number whose nearest double is infinite.
constexpr std::string_view too_large =
    "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017"
    "977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273"
    "854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704"
    "342711559699508093042880177904174497792";

/// Whether a number is too large for a double: by the power of ten of its first digit that is not
/// 0, and by its digits where that is the largest double's. No conversion could tell it more
/// exactly, and the C library's heeds the locale.
bool overflows(std::string_view number) {
  std::int64_t exponent = 0;
  if (const std::size_t e = number.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view digits = number.substr(e + 1);
    const bool negative = digits.front() == '-';
    if (negative || digits.front() == '+') digits.remove_prefix(1);
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (ec != std::errc()) return !negative;
    if (negative) exponent = -exponent;
    number = number.substr(0, e);
  }
  const std::size_t first = number.find_first_of("123456789");
  if (first == std::string_view::npos) return false;
  const std::size_t point = std::min(number.find('.'), number.size());
  const auto whole = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) +
                     (first > point ? 1 : 0) + exponent;  // digits before the point
  const auto limit = static_cast<std::int64_t>(too_large.size());
  if (whole != limit) return whole > limit;
  std::size_t compared = 0;
  for (const char digit : number.substr(first)) {
    if (digit == '.') continue;
    if (compared == too_large.size()) return true;
    if (digit != too_large[compared]) return digit > too_large[compared];
    ++compared;
  }
  return too_large.find_first_not_of('0', compared) == std::string_view::npos;
}

constexpr std::int64_t most_places = 16383;  // after the point: what jsonb of PostgreSQL holds

constexpr std::array<std::string_view, 5> ranked = {"not an object", "NUL", "lone surrogate",
                                                    "number out of range", "duplicate key"};

std::size_t rank_of(std::string_view word) {
  const auto found = std::find_if(ranked.begin(), ranked.end(),
                                  [&](std::string_view kind) { return word.starts_with(kind); });
  return static_cast<std::size_t>(found - ranked.begin());
}

/// How many places after the point the last digit of a number stands, its exponent counted in;
/// nothing where the exponent has more digits than jsonb of PostgreSQL is asked to hold.
std::optional<std::int64_t> last_place(std::string_view number) {
  constexpr std::size_t most_exponent_digits = 5;
  std::int64_t exponent = 0;
  const std::size_t e = std::min(number.find_first_of("eE"), number.size());
  if (e < number.size()) {
    std::string_view digits = number.substr(e + 1);
    const bool negative = digits.front() == '-';
    if (negative || digits.front() == '+') digits.remove_prefix(1);
    if (digits.size() > most_exponent_digits) return std::nullopt;
    std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (negative) exponent = -exponent;
  }
  const std::size_t point = std::min(number.find('.'), e);
  const std::size_t fraction = point < e ? e - point - 1 : 0;
  return static_cast<std::int64_t>(fraction) - exponent;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Fault run_on_object() {
    wants_object_ = true;
    return run();
  }

  Fault run() {
    if (!scan_utf8()) return fault_;
    blanks();
    if (at_end()) return set("not JSON"), fault_;
    if (wants_object_ && peek() != '{') note("not an object", at_);
    if (scan_document()) fault_ = std::move(noted_);
    return fault_;
  }

 private:
  struct Level {
    bool object;
    bool first = true;
    std::unordered_set<std::string> keys;
  };

  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  bool set(std::string word) {
    fault_ = Fault{std::move(word), at_ + 1};
    return false;
  }
  /// A fault after which the scan goes on, since one of a kind before it may come.
  void note(std::string word, std::size_t at) {
    if (!noted_.word.empty() && rank_of(word) >= rank_of(noted_.word)) return;
    noted_ = Fault{std::move(word), at + 1};
  }
  void blanks() {
    while (!at_end() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  bool scan_utf8() {
    while (!at_end()) {
      const std::size_t length = utf8_length(text_.substr(at_));
      if (length == 0) return set("not UTF-8");
      at_ += length;
    }
    at_ = 0;
    return true;
  }

  bool scan_document() {
    if (!scan_value()) return false;
    while (!levels_.empty()) {
      if (!scan_next()) return false;
    }
    blanks();
    return at_end() || set("not JSON");
  }

  /// One step inside the innermost container: its end, or its next member or element.
  bool scan_next() {
    Level& level = levels_.back();
    blanks();
    if (!at_end() && peek() == (level.object ? '}' : ']')) {
      ++at_;
      levels_.pop_back();
      return true;
    }
    if (!level.first) {
      if (peek() != ',') return set("not JSON");
      ++at_;
      blanks();
    }
    level.first = false;
    return (!level.object || scan_key(level)) && scan_value();
  }

  bool scan_key(Level& level) {
    if (peek() != '"') return set("not JSON");
    const std::size_t start = at_;
    if (!scan_string()) return false;
    std::string key = unescape(text_.substr(start + 1, at_ - start - 2));
    if (level.keys.contains(key)) {
      note("duplicate key \"" + key + "\"", start);
    } else {
      level.keys.insert(std::move(key));
    }
    blanks();
    if (peek() != ':') return set("not JSON");
    ++at_;
    blanks();
    return true;
  }

  bool scan_value() {
    blanks();
    switch (peek()) {
      case '{':
      case '[':
        if (levels_.size() == max_depth) return set("too deep");
        levels_.push_back(Level{peek() == '{', true, {}});
        ++at_;
        return true;
      case '"':
        return scan_string();
      case 't':
        return scan_word("true");
      case 'f':
        return scan_word("false");
      case 'n':
        return scan_word("null");
      default:
        return scan_number();
    }
  }

  bool scan_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return set("not JSON");
    at_ += word.size();
    return true;
  }

  bool scan_string() {
    for (++at_; !at_end(); ++at_) {
      const char c = text_[at_];
      if (c == '"') return ++at_, true;
      if (static_cast<unsigned char>(c) < 0x20) return set("not JSON");
      if (c == '\\' && !scan_escape()) return false;
    }
    return set("not JSON");
  }

  /// At a backslash; ends at the escape's last character.
  bool scan_escape() {
    if (at_ + 1 >= text_.size()) return set("not JSON");
    const char kind = text_[at_ + 1];
    if (kind != 'u') {
      if (std::string_view("\"\\/bfnrt").find(kind) == std::string_view::npos) {
        return set("not JSON");
      }
      ++at_;
      return true;
    }
    const int code = unit(at_);
    if (code < 0) return set("not JSON");
    if (code == 0) note("NUL", at_);
    if (code >= 0xdc00 && code <= 0xdfff) note("lone surrogate", at_);
    if (code >= 0xd800 && code <= 0xdbff) {
      const int low = unit(at_ + 6);
      if (low >= 0xdc00 && low <= 0xdfff) {
        at_ += 6;
      } else {
        note("lone surrogate", at_);
      }
    }
    at_ += 5;
    return true;
  }

  /// The value of the \uXXXX at `at`, or -1.
  int unit(std::size_t at) const {
    if (at + 6 > text_.size() || text_[at] != '\\' || text_[at + 1] != 'u') return -1;
    int value = 0;
    for (std::size_t i = at + 2; i < at + 6; ++i) {
      const char c = text_[i];
      if (!is_hex(c)) return -1;
      value = value * 16 + (is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
  }

  bool scan_digits() {
    if (!is_digit(peek())) return set("not JSON");
    while (is_digit(peek())) ++at_;
    return true;
  }

  bool scan_number() {
    const std::size_t start = at_;
    bool integer = true;
    if (peek() == '-') ++at_;
    if (peek() == '0') {
      ++at_;
    } else if (!scan_digits()) {
      return false;
    }
    if (peek() == '.') {
      integer = false;
      ++at_;
      if (!scan_digits()) return false;
    }
    if ((peek() | 0x20) == 'e') {
      integer = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!scan_digits()) return false;
    }
    if (!in_range(start, integer)) note("number out of range", start);
    return true;
  }

  bool in_range(std::size_t start, bool integer) const {
    const std::string_view number = text_.substr(start, at_ - start);
    if (integer) {
      std::int64_t value = 0;
      return std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc();
    }
    const auto place = last_place(number);
    if (!place || *place > most_places) return false;
    return !overflows(number);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Level> levels_;
  bool wants_object_ = false;
  Fault fault_;  ///< that ended the scan
  Fault noted_;  ///< the first of the kinds that do not
};

}  // namespace

Fault find_fault(std::string_view document) {
  return Scanner(document).run_on_object();
}

Fault find_fault_of_value(std::string_view document) {
  return Scanner(document).run();
}

}  // namespace evercore::ext
