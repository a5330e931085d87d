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

void put_member(std::string& json, std::string_view name, const std::vector<std::string>& values) {
  if (values.empty()) return;
  json += json.size() == 1 ? "\"" : ",\"";
  json += name;
  json += "\":[";
  for (const std::string& value : values) {
    if (&value != &values.front()) json += ',';
    json::write_string(json, value);
  }
  json += ']';
}

}  // namespace

std::string filter_as_json(const Filter& filter) {
  std::string json = "{";
  put_member(json, "aggregate_type", filter.aggregate_type);
  put_member(json, "natural_key", filter.natural_key);
  put_member(json, "event_types", filter.event_types);
  put_member(json, "tags", filter.tags);
  return json.size() == 1 ? std::string() : json + '}';
}

}  // namespace evercore::detail
