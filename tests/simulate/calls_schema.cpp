// What data of an event type must be, and the states of an aggregate type.
#include "simulate/call.h"

namespace evercore::simulate {

namespace {

const char* const least = R"({"required":["a"]})";
const char* const kinds = R"({"properties":{"a":{"type":["integer","object"]}}})";
const char* const most = R"({"maxProperties":2})";
const char* const more = R"({"maxProperties":3})";

Text fault_under(const std::string& schema, const Json& json) {
  const auto a = json.members.find("a");
  if (schema == least && a == json.members.end()) return ": required";
  if (schema == most && json.members.size() > 2) return ": maxProperties";
  if (schema == more && json.members.size() > 3) return ": maxProperties";
  if (schema == kinds && a != json.members.end() && !a->second.is_object) {
    const std::string& text = a->second.text;
    if (text != "0" && text != "1" && text != "-7") return "/a: type";
  }
  return {};
}

std::string options_of(const Text& schema, const Text& upcast) {
  std::string members;
  if (schema) members += ",\"schema\":" + *schema;
  if (upcast) members += ",\"upcast\":" + *upcast;
  return "{" + (members.empty() ? "" : members.substr(1)) + "}";
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

Text fault_of(const Store& store, const std::string& type, const Text& data, const Text& schema,
              const Text& tried) {
  const auto declared = store.schemas.find(type);
  const auto upcasts = store.upcasts.find(type);
  Json json = parse_json(*data);
  if (tried) {
    json = upcast(*tried, std::move(json));
  } else if (upcasts != store.upcasts.end()) {
    json = upcast(upcasts->second, std::move(json));
  }
  if (schema) return fault_under(*schema, json);
  return declared == store.schemas.end() ? Text() : fault_under(declared->second, json);
}

Rows validate(Scene& scene, const Arguments& arguments) {
  const Text type = text(arguments[0]), data = text(arguments[1]);
  check_payload("data", data);
  check_name(type, "event_type", longest_type);
  return {cell(fault_of(scene.store, *type, data, text(arguments[2]), text(arguments[3])))};
}

/// With the name, and the schema or NULL.
Rows declare_states(Scene& scene, const Arguments& arguments) {
  const Text type = text(arguments[0]), schema = text(arguments[1]);
  check_name(type, "aggregate_type", longest_type);
  if (!schema) return {*type};
  if (*schema == "null") {
    scene.store.state_schemas.erase(*type);
  } else {
    scene.store.policies.try_emplace(*type);
    scene.store.state_schemas[*type] = *schema;
  }
  return {*type};
}

Rows aggregate_types(Scene& scene, const Arguments&) {
  Rows rows;
  for (const auto& [name, policy] : scene.store.policies) {
    const auto found = scene.store.state_schemas.find(name);
    const Text schema = found == scene.store.state_schemas.end() ? Text() : Text(found->second);
    if (policy.every == 0 && !schema) continue;
    rows.push_back(row({name, cell(schema), cell(policy.every), cell(policy.keep), "1"}));
  }
  return rows;
}

}  // namespace

Text Store::fault_of_state(const Aggregate& aggregate) {
  const auto found = state_schemas.find(aggregate.type);
  if (found == state_schemas.end()) return {};
  const Text fault = fault_under(found->second, state(aggregate, aggregate.version));
  if (!fault) return {};
  return "EV011: state of \"" + aggregate.type + "\" " +
         (aggregate.key ? "\"" + *aggregate.key + "\"" : cell(aggregate.id)) + " at sequence " +
         cell(aggregate.version) + ": " + *fault;
}

Text Store::fault_of(const std::string& type, const Text& data) const {
  return simulate::fault_of(*this, type, data, {}, {});
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
                literal(options_of(text(a[1]), {})) + ")";
       }},
      {"evercore_validate", 2, false, "", "t",
       [](Maker& m) {
         return Arguments{m.event_type(), m.data(), m.some({{}, {}, "null", least, kinds, most}),
                          m.some({{}, {}, "null", m.upcast()})};
       },
       validate,
       [](const Arguments& a) {
         return "SELECT evercore_validate(" + literal(a[0]) + ", " + literal(a[1]) + ", " +
                literal(options_of(text(a[2]), text(a[3]))) + ")";
       }},
      {"evercore_aggregate_type", 2, true, "", "t",
       [](Maker& m) {
         return Arguments{m.type(), m.some({{}, "null", least, kinds, more, more})};
       },
       declare_states,
       [](const Arguments& a) {
         return "SELECT evercore_aggregate_type(" + literal(a[0]) + ", " +
                literal(options_of(text(a[1]), {})) + ")";
       }},
      {"evercore_aggregate_types", 1, false, "", "ttttt", [](Maker&) { return Arguments{}; },
       aggregate_types,
       [](const Arguments&) {
         return std::string(
             "SELECT aggregate_type, schema, snapshot_every, snapshot_keep, filled"
             " FROM evercore_aggregate_types ORDER BY aggregate_type");
       }},
  };
}

}  // namespace evercore::simulate
