// The parsed side of the payload profile, for arguments that carry payloads inside.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string_view>
#include <vector>

#include "payload.h"

namespace evercore::ext {

struct Payload::Dom {
  /// Parses an argument that may carry payloads inside. Nothing where it is no JSON; the element
  /// lives until the next call.
  std::optional<simdjson::dom::element> parse(std::string_view document);
  /// The same for what lies in such an argument or beside it; lives until the next payload is checked.
  std::optional<simdjson::dom::element> parse_aside(std::string_view document);

  /// Payload::check() for a payload inside such an argument: its element and its text.
  void check(std::string_view argument, simdjson::dom::element element, std::string_view document);

  bool is_legal(std::string_view document);
  /// Whether an element is a payload within the profile; `document` is its text.
  bool passes(simdjson::dom::element root, std::string_view document);
  /// The same, whatever the root is.
  bool walks(simdjson::dom::element root, std::string_view document);
  bool walk(simdjson::dom::element element, int depth);
  bool walk_object(simdjson::dom::object object, int depth);
  bool keys_repeat(std::size_t first);

  std::optional<simdjson::dom::element> parse_with(simdjson::dom::parser& with,
                                                   std::string_view document);

  simdjson::dom::parser parser;
  simdjson::dom::parser outer_parser;
  std::vector<std::string_view> keys;
  bool has_double = false;  ///< of the element that was walked last
  bool has_escape = false;  ///< whether its text has a backslash: without one it holds no U+0000
};

}  // namespace evercore::ext
