#include "filter.h"

#include "evercore/json.h"

namespace evercore::detail {

namespace {

void put_member(std::string& json, std::string_view name, const std::string& value) {
  if (value.empty()) return;
  json += json.size() == 1 ? "\"" : ",\"";
  json += name;
  json += "\":";
  json::write_string(json, value);
}

}  // namespace

std::string filter_as_json(const Filter& filter) {
  std::string json = "{";
  put_member(json, "aggregate_type", filter.aggregate_type);
  put_member(json, "natural_key", filter.natural_key);
  if (!filter.event_types.empty()) {
    json += json.size() == 1 ? "\"event_types\":[" : ",\"event_types\":[";
    for (const std::string& type : filter.event_types) {
      if (json.back() != '[') json += ',';
      json::write_string(json, type);
    }
    json += ']';
  }
  return json.size() == 1 ? std::string() : json + '}';
}

}  // namespace evercore::detail
