// JSON Pointers (RFC 6901) into data that are known to be JSON.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace evercore::ext {

/// The reference tokens of a pointer; nothing where the text is none.
[[nodiscard]] std::optional<std::vector<std::string>> tokens_of_pointer(std::string_view pointer);

/// What stands there, through objects by name and through arrays by index.
[[nodiscard]] std::optional<std::string_view> value_at(std::string_view json,
                                                       const std::vector<std::string>& pointer);

/// A value as a name: a string is its text, an integer its digits; other values give no name.
[[nodiscard]] std::optional<std::string> name_of_value(std::string_view json);

/// The text of a JSON string.
[[nodiscard]] std::string string_of(std::string_view json);

/// Several pointers whose values are found in one walk of the data, which goes no further than it must.
class Pointers {
 public:
  /// Gives the index of the pointer's value in the result of find(). Equal pointers share one.
  std::size_t add(const std::vector<std::string>& pointer);
  [[nodiscard]] std::size_t size() const { return size_; }
  /// `found` has size() places; those whose pointers lead nowhere keep a null data(). False where the data
  /// turn out to be no JSON.
  bool find(std::string_view data, std::span<std::string_view> found) const;

 private:
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
  struct Node {
    std::string token;
    std::optional<std::int64_t> index;  ///< of an element, where the token is one
    std::size_t place = nowhere;
    std::vector<Node> inner;
  };
  static bool walk(const Node& node, std::string_view value, std::span<std::string_view> found);
  static bool walk_object(const Node& node, std::string_view value,
                          std::span<std::string_view> found);
  static bool walk_array(const Node& node, std::string_view value,
                         std::span<std::string_view> found);

  Node root_;
  std::size_t size_ = 0;
};

/// Room for the values that find() finds in one document. A few need no allocation.
class FoundValues {
 public:
  explicit FoundValues(const Pointers& pointers) : size_(pointers.size()) {
    if (size_ > few) many_.resize(size_);
  }
  [[nodiscard]] std::span<std::string_view> all() {
    return many_.empty() ? std::span(some_).first(size_) : std::span(many_);
  }

 private:
  static constexpr std::size_t few = 16;
  std::array<std::string_view, few> some_;
  std::vector<std::string_view> many_;
  std::size_t size_;
};

}  // namespace evercore::ext
