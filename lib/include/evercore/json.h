// The little of JSON that the codec needs: writing values to the end of a string, and reading a
// parsed document without building a tree of it. Parsing is simdjson's; this header does not
// include it, so that a program that uses evercore does not pay for compiling it.
//
// A program that has a struct for its JSON uses encode() and decode() (codec.h). This is for what
// has no struct, such as the members of a RecordedEvent's data whose names are known only at run
// time:
//
//   evercore::json::Document document;
//   const auto root = document.parse(R"({"name":"Elm","number":4})");
//   if (root.kind() != evercore::json::Kind::object) return;
//   for (auto key = root.first(); !key.at_end();) {
//     const auto value = key.next();
//     if (value.kind() == evercore::json::Kind::string) print(key.text(), value.text());
//     key = value.next();
//   }
#ifndef EVERCORE_JSON_H
#define EVERCORE_JSON_H

#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "evercore/detail/language.h"

namespace evercore::json {

// What a value is, by the mark simdjson's tape has for it.
enum class Kind : unsigned char {
  null = 'n',
  yes = 't',      // true
  no = 'f',       // false
  integer = 'l',  // within int64, written without a fraction and an exponent: 5, not 5.0
  huge = 'u',     // an integer above int64, within uint64
  number = 'd',   // any other, as a double
  string = '"',
  array = '[',
  object = '{',
};

// "an integer", "null", … for messages. The text lives as long as the program.
std::string_view describe(Kind kind) noexcept;

// Where a parsed document lies: 64-bit words, each with a kind in its upper byte, and the texts
// they point to. This is simdjson's tape format.
struct Tape {
  const std::uint64_t* words = nullptr;
  const std::uint8_t* texts = nullptr;
};

// One value of a parsed document. It is two words, passed by value, and lives until its Document
// parses again, is moved or dies. The accessors do not check the kind: ask kind() first, for what
// the wrong one gives is anything. Reading changes nothing: several threads may read one document.
class Value {
 public:
  // Document::parse() gives the first one, and values give others.
  Value(const Tape* tape, std::size_t index) noexcept : tape_(tape), index_(index) {}

  Kind kind() const noexcept { return static_cast<Kind>(word() >> 56); }
  bool is_null() const noexcept { return kind() == Kind::null; }

  // Of Kind::integer, huge and number, each of its own alone: a 5 is no number() here.
  std::int64_t integer() const noexcept {
    return std::bit_cast<std::int64_t>(tape_->words[index_ + 1]);
  }
  std::uint64_t huge() const noexcept { return tape_->words[index_ + 1]; }
  double number() const noexcept { return std::bit_cast<double>(tape_->words[index_ + 1]); }
  // Of a string or a key, with its escapes resolved, in UTF-8; it may hold a NUL. It lives as long
  // as the value.
  std::string_view text() const noexcept;

  // The first key or element of an object or array; at_end() where it has none. In an object, keys
  // and values take turns.
  Value first() const noexcept { return {tape_, index_ + 1}; }
  // What comes behind this value, in the same object or array; all that is in it is stepped over,
  // at no cost. Not to be called at the end.
  Value next() const noexcept;
  // Whether this is no value any more: the object or array is over.
  bool at_end() const noexcept {
    const auto mark = static_cast<char>(word() >> 56);
    return mark == '}' || mark == ']';
  }

 private:
  std::uint64_t word() const noexcept { return tape_->words[index_]; }
  std::uint64_t payload() const noexcept { return word() & 0x00FF'FFFF'FFFF'FFFF; }

  const Tape* tape_;
  std::size_t index_;
};

// A parser and the document it parsed last. Reuse one for many documents: its memory is kept. One
// thread at a time may parse with it.
class Document {
 public:
  Document();
  // Values of the document that is moved are of no more use. What was moved from can only be
  // assigned to or die.
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  // Parses a whole text and gives its value, whatever its kind. The text need not outlive the call.
  // The values of the document before are of no more use. Throws payload_error when it is not one
  // JSON value, not UTF-8, or nested deeper than 1,024, and std::bad_alloc.
  //
  // Integers below int64 or beyond uint64 are read as numbers: PostgreSQL spells 1e300 with 301
  // digits in the states it computes. In a text that has such a one, every integer of 19 digits and
  // more is.
  Value parse(std::string_view text);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  Tape tape_;
};

// Each of these appends one value in JSON to `out`; commas, colons and brackets between values are
// the caller's. They may be called on any thread.

// With its quotes. Quotes, backslashes and control characters are escaped; all else is copied as it
// is, also what is not UTF-8: see require_utf8().
void write_string(std::string& out, std::string_view text);
void write_integer(std::string& out, std::int64_t value);
// By the fewest digits that are read back as the same double. It always has a '.' or an 'e', so
// that it is read back as a number. Throws payload_error for what is not finite.
void write_number(std::string& out, double value);
inline void write_bool(std::string& out, bool value) {
  out += value ? "true" : "false";
}

// Appends a value that was read, with all that is in it, without blanks, its members in the order
// in which they were written; numbers as write_number() spells them, so that 1E2 becomes 100.0.
void write_value(std::string& out, Value value);

// Throws payload_error when `text` is not valid UTF-8; `what` names it in the message, as "data"
// does in "EV004: data: not UTF-8".
void require_utf8(std::string_view text, std::string_view what);

}  // namespace evercore::json

#endif  // EVERCORE_JSON_H
