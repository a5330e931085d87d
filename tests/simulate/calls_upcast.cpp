// How data of an older shape are brought into that of today.
#include "simulate/call.h"

namespace evercore::simulate {

namespace {

/// As it is declared, and told once more; a path is a letter for each name.
struct Step {
  enum { rename_or_move, give, remove } kind;
  std::string from, to, value;
};
struct Upcast {
  const char* text;
  std::vector<Step> steps;
};

const std::vector<Upcast>& upcasts() {
  static const std::vector<Upcast> all = {
      {R"([{"rename":{"/a":"d"}},{"move":{"/b/a":"/e/f"}},{"remove":["/c/b"]}])",
       {{Step::rename_or_move, "a", "d", ""},
        {Step::rename_or_move, "ba", "ef", ""},
        {Step::remove, "cb", "", ""}}},
      {R"([{"default":{"/a":1,"/b/a":"x"}}])",
       {{Step::give, "", "a", "1"}, {Step::give, "", "ba", "\"x\""}}},
      {R"([{"move":{"/b":"/a"}},{"default":{"/c":0}}])",
       {{Step::rename_or_move, "b", "a", ""}, {Step::give, "", "c", "0"}}},
  };
  return all;
}

Json* at(Json& json, const std::string& path) {
  Json* found = &json;
  for (const char name : path) {
    if (!found->is_object || found->members.count(std::string(1, name)) == 0) return nullptr;
    found = &found->members.at(std::string(1, name));
  }
  return found;
}

/// Whether there is nothing, nor anything but objects on the way.
bool is_free(Json& json, const std::string& path) {
  for (std::size_t size = 0; size < path.size(); ++size) {
    const Json* found = at(json, path.substr(0, size));
    if (found == nullptr) return true;
    if (!found->is_object) return false;
  }
  return at(json, path) == nullptr;
}

void put(Json& json, const std::string& path, const Json& value) {
  if (!is_free(json, path)) return;
  Json* found = &json;
  for (const char name : path) {
    found->is_object = true;
    found = &found->members[std::string(1, name)];
  }
  *found = value;
}

void remove(Json& json, const std::string& path) {
  Json* holder = at(json, path.substr(0, path.size() - 1));
  if (holder != nullptr && holder->is_object) holder->members.erase(path.substr(path.size() - 1));
}

void run(const Step& step, Json& json) {
  if (step.kind == Step::give) return put(json, step.to, Json{false, {}, step.value});
  if (step.kind == Step::remove) return remove(json, step.from);
  const Json* found = at(json, step.from);
  if (found == nullptr || !is_free(json, step.to)) return;
  const Json value = *found;
  remove(json, step.from);
  put(json, step.to, value);
}

/// With the name, and the upcast or NULL.
Rows declare(Scene& scene, const Arguments& arguments) {
  const Text type = text(arguments[0]), upcast = text(arguments[1]);
  check_name(type, "event_type", longest_type);
  Store& store = scene.store;
  const auto found = store.upcasts.find(*type);
  const bool takes_away = upcast && (*upcast == "null" || *upcast == "[]");
  if (!upcast || (takes_away && found == store.upcasts.end())) return {*type};
  if (found != store.upcasts.end() && found->second == *upcast) return {*type};
  change_states_of(store, *type);
  if (takes_away) {
    store.upcasts.erase(*type);
  } else {
    store.folds.try_emplace(*type, Fold::merge);
    store.upcasts[*type] = *upcast;
  }
  for (Event& event : store.events) {
    if (event.type == *type && !event.removed) store.tag(event);
  }
  return {*type};
}

Rows data_of_today(Scene& scene, const Arguments& arguments) {
  const Text type = text(arguments[0]), data = text(arguments[1]);
  check_payload("data", data);
  check_name(type, "event_type", longest_type);
  Json json = parse_json(*data);
  const auto found = scene.store.upcasts.find(*type);
  if (found != scene.store.upcasts.end()) json = upcast(found->second, std::move(json));
  return {canonical(json)};
}

}  // namespace

Json upcast(const std::string& declared, Json data) {
  for (const Upcast& one : upcasts()) {
    if (one.text != declared) continue;
    for (const Step& step : one.steps) run(step, data);
  }
  return data;
}

Argument Maker::upcast() {
  return random.pick(upcasts()).text;
}

std::shared_ptr<const Json> Store::today(const Event& event) const {
  const auto found = upcasts.find(event.type);
  if (found == upcasts.end() || of(event).erased) return event.value;
  return std::make_shared<const Json>(upcast(found->second, *event.value));
}

std::vector<Call> upcast_calls() {
  return {
      {"evercore_event_type", 2, true, "", "t",
       [](Maker& m) {
         return Arguments{m.event_type(), m.some({{}, "null", "[]", m.upcast(), m.upcast()})};
       },
       declare,
       [](const Arguments& a) {
         const Text upcast = text(a[1]);
         return "SELECT evercore_event_type(" + literal(a[0]) + ", NULL, " +
                literal(upcast ? "{\"upcast\":" + *upcast + "}" : "{}") + ")";
       }},
      {"evercore_upcast", 2, false, "", "j",
       [](Maker& m) {
         return Arguments{m.event_type(), m.data()};
       },
       data_of_today},
  };
}

}  // namespace evercore::simulate
