// The little of JSON that the codec needs: writing values to the end of a string, and reading a
// parsed document without building a tree of it. Parsing is simdjson's; this header does not
// include it, so that a program that uses evercore does not pay for compiling it.
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
  yes = 't',
  no = 'f',
  integer = 'l',
  huge = 'u',  // an integer above int64
  number = 'd',
  string = '"',
  array = '[',
  object = '{',
};

// "an integer", "null", … for messages.
std::string_view describe(Kind kind) noexcept;

// Where a parsed document lies: 64-bit words, each with a kind in its upper byte, and the texts
// they point to. This is simdjson's tape format.
struct Tape {
  const std::uint64_t* words = nullptr;
  const std::uint8_t* texts = nullptr;
};

// One value of a parsed document. It is two words, passed by value, and lives until its Document
// parses again or dies. The accessors do not check the kind: ask kind() first.
class Value {
 public:
  Value(const Tape* tape, std::size_t index) noexcept : tape_(tape), index_(index) {}

  Kind kind() const noexcept { return static_cast<Kind>(word() >> 56); }
  bool is_null() const noexcept { return kind() == Kind::null; }

  std::int64_t integer() const noexcept {
    return std::bit_cast<std::int64_t>(tape_->words[index_ + 1]);
  }
  std::uint64_t huge() const noexcept { return tape_->words[index_ + 1]; }
  double number() const noexcept { return std::bit_cast<double>(tape_->words[index_ + 1]); }
  std::string_view text() const noexcept;

  // The first key or element of an object or array, to be stepped over by next(); at_end() after
  // the last. In an object, keys and values take turns.
  Value first() const noexcept { return {tape_, index_ + 1}; }
  Value next() const noexcept;
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

// A parser and the document it parsed last. Reuse one for many documents: its memory is kept. Not
// to be shared between threads.
class Document {
 public:
  Document();
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  // Parses a whole text. Throws payload_error when it is not JSON. Integers that lie beyond uint64
  // are read as numbers: PostgreSQL spells 1e300 with 301 digits in the states it computes.
  Value parse(std::string_view text);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  Tape tape_;
};

// Each appends one value in JSON to `out`. A number always has a '.' or an 'e', so that it is read
// back as a number; write_number throws payload_error for what is not finite.
void write_string(std::string& out, std::string_view text);
void write_integer(std::string& out, std::int64_t value);
void write_number(std::string& out, double value);
inline void write_bool(std::string& out, bool value) {
  out += value ? "true" : "false";
}

// Appends a value that was read, with all that is in it.
void write_value(std::string& out, Value value);

// Throws payload_error ("EV004: data: not UTF-8") when `text` is not valid UTF-8.
void require_utf8(std::string_view text, std::string_view what);

}  // namespace evercore::json

#endif  // EVERCORE_JSON_H
