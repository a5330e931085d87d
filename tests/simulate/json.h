// JSON as the model sees it: members in no order, numbers and texts as they are spelled.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace evercore::simulate {

/// An object, or any other value as text.
struct Json {
  bool operator==(const Json&) const = default;

  bool is_object = false;
  std::map<std::string, Json> members;
  std::string text;  ///< where it is no object

  [[nodiscard]] bool is_null() const { return !is_object && text == "null"; }
};

/// What a valid document says.
Json parse_json(std::string_view text);

/// The one text of all documents that say the same.
std::string canonical(const Json& json);

/// `text` between quotes, as a JSON string.
std::string json_string(std::string_view text);

}  // namespace evercore::simulate
