// Reading JSON text in place: the members of an object and the elements of an array as slices of
// it, and a scanner that names the first fault of a document that the parser refused.
//
// Members and Elements are for text that is known to be JSON (stored data, or checked a moment
// ago). On other text they never read beyond its end: they stop, and failed() is true.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace evercore::ext {

/// Walks the members of one object.
///
///     for (Members member(R"({"a":1,"b":[2]})"); member.next();) {
///       use(member.key(), member.value());
///     }
class Members {
 public:
  explicit Members(std::string_view object);
  bool next() { return next_key() && take_value(); }

  // Step by step, for callers that walk an inner object without looking for its end first:
  //
  //     while (member.next_key()) {
  //       if (!member.at_object() && member.take_value()) use(member.value());
  //       else { Members inner = member.inside(); while (inner.next()) …; member.leave(inner); }
  //     }
  bool next_key();
  bool take_value();
  /// As next_key() where the next key is spelled `raw_key` with no blanks around it; else false, and
  /// nothing has moved. Cheaper for callers that know which key comes next.
  bool next_key_is(std::string_view raw_key);
  [[nodiscard]] bool at_object() const { return !rest_.empty() && rest_.front() == '{'; }
  [[nodiscard]] Members inside() const { return Members(rest_); }
  void leave(const Members& inner);  ///< past an object that was walked to its end
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] std::string_view raw_key() const { return raw_key_; }  ///< between the quotes
  [[nodiscard]] std::string_view value() const { return value_; }      ///< without blanks around it
  [[nodiscard]] bool key_is_escaped() const {
    return raw_key_.find('\\') != std::string_view::npos;
  }

 private:
  std::string_view rest_;
  std::string_view raw_key_;
  std::string_view value_;
  bool first_ = true;
  bool failed_ = false;
};

/// Walks the elements of one array.
class Elements {
 public:
  explicit Elements(std::string_view array);
  bool next();
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] std::string_view value() const { return value_; }

 private:
  std::string_view rest_;
  std::string_view value_;
  bool first_ = true;
  bool failed_ = false;
};

/// Walks legal JSON forward, token by token, for callers that know its structure and want slices
/// of it.
class Cursor {
 public:
  explicit Cursor(std::string_view legal) : rest_(legal) {}
  void open();  ///< past the { or [ that is next
  bool more();  ///< whether an item follows; past the , or the closing } or ]
  void key();   ///< past a key and its colon
  [[nodiscard]] std::string_view value();  ///< the value that is next; past it

 private:
  void skip_blanks();
  std::string_view rest_;
};

/// The text of a string's inside, escapes resolved; of legal text only.
[[nodiscard]] std::string unescape(std::string_view raw);

/// Appends `text` to `out` as a JSON string with its quotes.
void append_quoted(std::string& out, std::string_view text);

/// The JSON Pointer of a member of the root, to be read by people.
[[nodiscard]] std::string pointer_to(std::string_view member);

/// The document without JSON's blanks around it.
[[nodiscard]] std::string_view trim(std::string_view text);

inline constexpr int max_depth = 512;  ///< of objects and arrays in one another, the root counted

/// Whether a value, which is legal JSON, has so many levels at most.
[[nodiscard]] bool fits(std::string_view json, std::size_t levels);

/// The first fault of a document against the payload profile.
struct Fault {
  std::string word;      ///< EV004's word, empty where the document is within the profile
  std::size_t byte = 0;  ///< counted from 1
};

/// Scans one document. Slow and exact: it runs only once a document has been refused.
[[nodiscard]] Fault find_fault(std::string_view document);
/// The same where the root may be anything.
[[nodiscard]] Fault find_fault_of_value(std::string_view document);

}  // namespace evercore::ext
