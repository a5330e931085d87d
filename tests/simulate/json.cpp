#include "simulate/json.h"

#include <simdjson.h>

namespace evercore::simulate {

namespace {

Json read(simdjson::ondemand::value value) {
  Json json;
  if (value.type() == simdjson::ondemand::json_type::array) {
    for (auto element : value.get_array())
      json.text += (json.text.empty() ? "[" : ",") + canonical(read(element.value()));
    json.text += json.text.empty() ? "[]" : "]";
    return json;
  }
  if (value.type() != simdjson::ondemand::json_type::object) {
    json.text = std::string(simdjson::to_json_string(value).value());
    return json;
  }
  json.is_object = true;
  for (auto member : value.get_object()) {
    const std::string key(member.unescaped_key().value());
    json.members[key] = read(member.value());
  }
  return json;
}

}  // namespace

Json parse_json(std::string_view text) {
  thread_local simdjson::ondemand::parser parser;
  simdjson::padded_string padded(text);
  auto document = parser.iterate(padded);
  return read(document.get_value().value());
}

std::string canonical(const Json& json) {
  if (!json.is_object) return json.text;
  std::string out = "{";
  for (const auto& [key, value] : json.members) {
    out += (out.size() > 1 ? "," : "") + json_string(key) + ":" + canonical(value);
  }
  return out + "}";
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace evercore::simulate
