// The payload profile: the only place that knows what a legal document is.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace evercore::ext {

inline constexpr std::size_t max_payload_bytes = 16u << 20;  ///< of data and metadata together

/// Checks documents with simdjson's DOM, whose parser it keeps. Of one thread at a time.
class Payload {
 public:
  /// Throws EV004 with the fault's word and byte unless `document` is within the profile.
  /// `argument` names it in the text: data, metadata, state.
  void check(std::string_view argument, std::string_view document);

  /// Parses an argument that may carry payloads inside. Nothing where it is no JSON; the element
  /// lives until the next call.
  std::optional<simdjson::dom::element> parse(std::string_view document);
  /// Throws EV004 for a document that parse() or check() refused.
  [[noreturn]] static void refuse(std::string_view argument, std::string_view document);

  /// check() for a payload inside such an argument: its element and its text.
  void check(std::string_view argument, simdjson::dom::element element, std::string_view document);

  /// EV004's word for `document`, empty where it is within the profile.
  [[nodiscard]] std::string verdict(std::string_view document);

 private:
  bool is_legal(std::string_view document);
  bool walk(simdjson::dom::element element, int depth);
  bool walk_object(simdjson::dom::object object, int depth);
  bool keys_repeat(std::size_t first);

  simdjson::dom::parser parser_;
  simdjson::dom::parser outer_parser_;
  std::vector<std::string_view> keys_;
};

}  // namespace evercore::ext
