// A legal JSON document as a flat list of its values, for callers that walk it more than once and need
// the digits of its numbers as they were written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace evercore::ext {

/// The exact value of a JSON number: an integer where it is one within int64, however it is spelled, else
/// a double.
class Number {
 public:
  explicit Number(std::int64_t integer) : is_integer_(true), integer_(integer) {}
  /// Of a legal number's text.
  static Number read(std::string_view text);

  [[nodiscard]] bool is_integer() const { return is_integer_; }
  [[nodiscard]] std::int64_t integer() const { return integer_; }  ///< where it is one
  /// Below 0, 0 or above 0: an integer counts exactly, a double by its value.
  [[nodiscard]] int compare(const Number& other) const;
  /// The same text for equal numbers. 1.00000000000000000001 reads as 1, so both have one text.
  [[nodiscard]] std::string canonical() const;

 private:
  explicit Number(double value) : is_integer_(false), double_(value) {}

  bool is_integer_;
  std::int64_t integer_ = 0;
  double double_ = 0;
};

/// The values of one document in the order of its text; a container is followed by what it holds, a
/// member by its key and its value. The text must outlive it.
class JsonTree {
 public:
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
  using Index = std::uint32_t;

  struct Value {
    const char* begin = nullptr;
    std::uint32_t size = 0;   ///< of its text, quotes included; of a container 0
    std::uint32_t count = 0;  ///< of elements or members
    Index next = 0;           ///< the value behind it and all that it holds
    Kind kind = Kind::null;
    bool plain = true;  ///< of a string: without escapes; of a number: without point and exponent

    [[nodiscard]] std::string_view text() const { return {begin, size}; }
  };

  /// False where the document is no JSON after all: then there is nothing to look at.
  bool read(std::string_view document);

  [[nodiscard]] const Value& operator[](Index index) const { return values_[index]; }
  [[nodiscard]] std::size_t size() const { return values_.size(); }
  static constexpr Index root = 0;

  /// A string's or key's text: in place where it is plain, else resolved into `buffer`.
  [[nodiscard]] std::string_view string(Index index, std::string& buffer) const;
  [[nodiscard]] std::string string(Index index) const;
  /// The length of a string in code points.
  [[nodiscard]] std::size_t length(Index index) const;
  [[nodiscard]] bool is_true(Index index) const { return *values_[index].begin == 't'; }
  [[nodiscard]] Number number(Index index) const { return Number::read(values_[index].text()); }
  /// Whether a number is an integer: most are seen to be by their spelling.
  [[nodiscard]] bool is_integer(Index index) const {
    return values_[index].plain || number(index).is_integer();
  }

  /// A member of an object, by the index of its key; the value is the next.
  struct Member {
    std::string name;
    Index key;
  };
  /// The members of an object, ordered by the code points of their names.
  [[nodiscard]] std::vector<Member> sorted_members(Index object) const;

  /// Appends a text that is equal for equal values: members in order of their names, numbers by what they
  /// are, strings without their escapes.
  void append_canonical(std::string& out, Index index) const;

  /// Gives back what a large document took.
  void shrink();

 private:
  class Reader;
  std::vector<Value> values_;
};

/// Whether two texts are the same JSON, whatever their spelling, with their members in the same order.
[[nodiscard]] bool same_in_order(std::string_view a, std::string_view b);

}  // namespace evercore::ext
