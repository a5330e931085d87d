// What data of an event type must be.
#include "simulate/call.h"

namespace evercore::simulate {

namespace {

const char* const least = R"({"required":["a"]})";
const char* const kinds = R"({"properties":{"a":{"type":["integer","object"]}}})";
const char* const most = R"({"maxProperties":2})";

Text fault_under(const std::string& schema, const Text& data) {
  const Json json = parse_json(*data);
  const auto a = json.members.find("a");
  if (schema == least && a == json.members.end()) return ": required";
  if (schema == most && json.members.size() > 2) return ": maxProperties";
  if (schema == kinds && a != json.members.end() && !a->second.is_object) {
    const std::string& text = a->second.text;
    if (text != "0" && text != "1" && text != "-7") return "/a: type";
  }
  return {};
}

std::string options_of(const Text& schema) {
  return schema ? "{\"schema\":" + *schema + "}" : "{}";
}

/// With the name, and the schema or NULL.
Rows declare(Scene& scene, const Arguments& arguments) {
  const Text type = text(arguments[0]), schema = text(arguments[1]);
  check_name(type, "event_type", longest_type);
  if (!schema) return {*type};
  if (*schema == "null") {
    scene.store.schemas.erase(*type);
  } else {
    scene.store.folds.try_emplace(*type, Fold::merge);
    scene.store.schemas[*type] = *schema;
  }
  return {*type};
}

Rows validate(Scene& scene, const Arguments& arguments) {
  const Text type = text(arguments[0]), data = text(arguments[1]), schema = text(arguments[2]);
  check_payload("data", data);
  check_name(type, "event_type", longest_type);
  if (schema) return {cell(fault_under(*schema, data))};
  return {cell(scene.store.fault_of(*type, data))};
}

}  // namespace

Text Store::fault_of(const std::string& type, const Text& data) const {
  const auto found = schemas.find(type);
  return found == schemas.end() ? Text() : fault_under(found->second, data);
}

std::vector<Call> schema_calls() {
  return {
      {"evercore_event_type", 2, true, "", "t",
       [](Maker& m) {
         return Arguments{m.event_type(), m.some({{}, "null", "null", least, kinds, most})};
       },
       declare,
       [](const Arguments& a) {
         return "SELECT evercore_event_type(" + literal(a[0]) + ", NULL, " +
                literal(options_of(text(a[1]))) + ")";
       }},
      {"evercore_validate", 2, false, "", "t",
       [](Maker& m) {
         return Arguments{m.event_type(), m.data(), m.some({{}, {}, "null", least, kinds, most})};
       },
       validate,
       [](const Arguments& a) {
         return "SELECT evercore_validate(" + literal(a[0]) + ", " + literal(a[1]) + ", " +
                literal(options_of(text(a[2]))) + ")";
       }},
  };
}

}  // namespace evercore::simulate
