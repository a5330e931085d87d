// Queries by type and tag, and what an append under a condition answers.
//
// A condition is looked at beside the store as it was before the call; see append_calls().
#include "simulate/calls_query.h"

#include <algorithm>

namespace evercore::simulate {

namespace {

/// The objects of a JSON array of them: no object in one another, no braces in texts.
std::vector<Json> objects_of(const std::string& array) {
  std::vector<Json> objects;
  for (std::size_t at = array.find('{'); at != std::string::npos; at = array.find('{', at + 1))
    objects.push_back(parse_json(array.substr(at, array.find('}', at) + 1 - at)));
  return objects;
}

QueryItem read_item(const Json& object, const std::string& place) {
  QueryItem item;
  const auto texts = [&](const char* member) -> std::vector<std::string> {
    const auto found = object.members.find(member);
    if (found == object.members.end()) return {};
    std::vector<std::string> given = texts_of(found->second.text);
    if (given.empty()) refuse(9, place + "/" + member + ": empty");
    return given;
  };
  item.types = texts("types");
  item.tags = texts("tags");
  if (item.types.empty() && item.tags.empty()) refuse(9, place + ": empty");
  const auto after = object.members.find("after");
  if (after != object.members.end()) item.after = std::stoll(after->second.text);
  return item;
}

bool matches(const Event& event, const QueryItem& item) {
  return (item.types.empty() ||
          std::find(item.types.begin(), item.types.end(), event.type) != item.types.end()) &&
         std::all_of(item.tags.begin(), item.tags.end(), [&](const std::string& tag) {
           return std::find(event.tags.begin(), event.tags.end(), tag) != event.tags.end();
         });
}

/// Above where it is looked for.
bool matches(const Event& event, const Query& query, Number after) {
  if (event.removed) return false;
  if (query.empty()) return event.position > after;
  return std::any_of(query.begin(), query.end(), [&](const QueryItem& item) {
    return event.position > item.after.value_or(after) && matches(event, item);
  });
}

/// EV010 where compaction removed what is asked for by type alone. Of several, any may be named.
void require_uncompacted(const Store& store, const Query& query, Number after) {
  std::map<std::string, Number> newest;
  for (const auto& [id, aggregate] : store.aggregates) {
    for (const auto& [type, position] : aggregate.compacted)
      newest[type] = std::max(newest[type], position);
  }
  Refusal refusal;
  const auto look = [&](const std::string& type, Number from) {
    if (newest.count(type) == 0 || newest.at(type) <= from) return;
    refusal.messages.push_back("EV010: events of \"" + type + "\" up to " + cell(newest.at(type)) +
                               " were compacted");
  };
  if (query.empty()) {
    for (const auto& [type, position] : newest) look(type, after);
  }
  for (const QueryItem& item : query) {
    if (!item.tags.empty()) continue;
    for (const std::string& type : item.types) look(type, item.after.value_or(after));
  }
  if (!refusal.messages.empty()) throw refusal;
}

Rows query(Scene& scene, const Arguments& arguments) {
  const Query query = read_query(text(arguments[0]), "query");
  const Number after = number(arguments[1]).value_or(0);
  const Number limit = number(arguments[2]).value_or(INT64_MAX);
  if (limit < 0) refuse(9, "limit is out of range: " + cell(limit));
  if (after > scene.store.head) refuse(9, "after is out of range: " + cell(after));
  require_uncompacted(scene.store, query, after);
  Rows rows;
  for (const Event& event : scene.store.events) {
    if (static_cast<Number>(rows.size()) == limit) break;
    if (matches(event, query, after)) rows.push_back(log_row(scene.store, event));
  }
  return rows;
}

Rows index_types(Scene& scene, const Arguments& arguments) {
  const Number on = number(arguments[0]).value_or(1);
  if (on != 0 && on != 1) refuse(9, "on is out of range: " + cell(on));
  scene.store.types_indexed = on == 1;
  return {cell(on)};
}

}  // namespace

Query read_query(const Text& json, const std::string& argument) {
  if (!json) refuse(9, argument + " is NULL");
  if (json->front() != '[') refuse(9, argument + ": not an array");
  Query query;
  for (const Json& object : objects_of(*json))
    query.push_back(read_item(object, argument + ": /" + std::to_string(query.size())));
  return query;
}

void check_positions(const Store& store, const Query& condition, std::optional<Number> after) {
  for (std::size_t i = 0; i < condition.size(); ++i) {
    const Number place = condition[i].after.value_or(0);
    if (place < 0 || place > store.head)
      refuse(9, "condition: /" + std::to_string(i) + "/after: out of range");
  }
  if (after.value_or(0) < 0 || after.value_or(0) > store.head)
    refuse(9, "after is out of range: " + cell(after));
}

void check_condition(const Store& store, const Query& condition, Number after) {
  const bool by_type =
      condition.empty() ||
      std::any_of(condition.begin(), condition.end(), [](const auto& i) { return i.tags.empty(); });
  if (by_type && !store.types_indexed)
    refuse(10, "a condition without tags needs the index by type: SELECT evercore_index_types()");
  require_uncompacted(store, condition, after);
  for (const Event& event : store.events) {
    if (!matches(event, condition, after)) continue;
    refuse(1, "conflict: event " + cell(event.position) + " (" + event.type +
                  ") matches the condition");
  }
}

Argument make_query(Maker& maker, bool of_condition) {
  if (maker.random.chance(3))
    return maker.some({"{}", "[{}]", "[{\"tags\":[]}]", "[{\"types\":[],\"tags\":[\"x\"]}]", "[]"});
  std::string out;
  for (Number items = maker.random.between(1, 3); items > 0; --items) {
    std::string item;
    if (maker.random.chance(50))
      item += ",\"types\":" + maker.random.pick<std::string>(
                                  {"[\"M\"]", "[\"P\",\"N\"]", "[\"later\"]", "[\"C\"]"});
    if (item.empty() || maker.random.chance(60))
      item += ",\"tags\":" +
              maker.random.pick<std::string>({"[\"x\"]", "[\"y\"]", "[\"z\",\"x\"]", "[\"none\"]"});
    if (of_condition && maker.random.chance(30))
      item += ",\"after\":" + std::to_string(maker.random.between(0, maker.store.head));
    out += (out.empty() ? "{" : ",{") + item.substr(1) + "}";
  }
  return "[" + out + "]";
}

std::vector<Call> query_calls() {
  return {
      {"evercore_query",
       4,
       false,
       log_columns,
       "ttttttttttttt",
       [](Maker& m) {
         return Arguments{make_query(m, false),
                          m.random.between(0, m.store.head + (m.random.chance(3) ? 1 : 0)),
                          m.some({{}, {}, Number{2}, Number{-1}})};
       },
       query,
       {},
       false},
      {"evercore_index_types",
       1,
       true,
       "",
       "t",
       [](Maker& m) {
         return Arguments{m.some({{}, Number{1}, Number{0}, Number{2}})};
       },
       index_types,
       {},
       false},
  };
}

}  // namespace evercore::simulate
