#include "simulate/model.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <tuple>

namespace evercore::simulate {

void refuse(int code, const std::string& text) {
  throw Refusal{{(code < 10 ? "EV00" : "EV0") + std::to_string(code) + ": " + text}};
}

void check_name(const Text& name, const std::string& argument, std::size_t most) {
  if (!name) refuse(5, argument + " is NULL");
  if (name->empty()) refuse(5, argument + " is empty");
  if (name->size() > most) {
    refuse(5, argument + " is longer than " + std::to_string(most) + " characters");
  }
}

bool Store::declares_as(const Store& other) const {
  const auto all = [](const Store& of) {
    return std::tie(of.policies, of.folds, of.merges, of.declared, of.schemas, of.state_schemas,
                    of.upcasts, of.types_indexed);
  };
  return all(*this) == all(other);
}

Aggregate& Store::known(std::optional<Number> id) {
  if (!id) refuse(2, "aggregate id is NULL: evercore_find found none");
  const auto found = aggregates.find(*id);
  if (found == aggregates.end()) refuse(2, "no aggregate " + std::to_string(*id));
  return found->second;
}

Aggregate& Store::open(std::optional<Number> id) {
  Aggregate& aggregate = known(id);
  if (aggregate.erased) refuse(2, "aggregate " + std::to_string(*id) + " was erased");
  return aggregate;
}

Aggregate* Store::find(const std::string& type, const std::string& key) {
  for (auto& [id, aggregate] : aggregates) {
    if (aggregate.type == type && aggregate.key == key) return &aggregate;
  }
  return nullptr;
}

Number Store::add(const std::string& type, const Text& key) {
  policies.try_emplace(type);
  Aggregate aggregate;
  // No id is given twice: while a call waited, others may have made aggregates with the next ones.
  while (aggregates.contains(++newest_id)) continue;
  aggregate.id = newest_id;
  aggregate.type = type;
  aggregate.key = key;
  aggregates.emplace(aggregate.id, aggregate);
  return aggregate.id;
}

Number Store::ensure(const std::string& type, const std::string& key) {
  const Aggregate* there = find(type, key);
  return there != nullptr ? there->id : add(type, key);
}

std::vector<Event*> Store::kept(const Aggregate& aggregate, Number after) {
  std::vector<Event*> found;
  for (Event& event : events) {
    if (event.aggregate == aggregate.id && event.sequence > after && !event.removed) {
      found.push_back(&event);
    }
  }
  return found;
}

const Event* Store::with_id(const std::string& event_id) const {
  for (const Event& event : events) {
    if (event.id == event_id) return &event;
  }
  return nullptr;
}

Event& Store::write(Aggregate& aggregate, const NewEvent& event, Number now) {
  Event added{};
  added.aggregate = aggregate.id;
  added.sequence = ++aggregate.version;
  added.position = ++head;
  added.type = *event.type;
  added.data = added.content = *event.data;
  added.value = std::make_shared<const Json>(parse_json(*event.data));
  added.reference = event.reference;
  added.metadata = event.metadata;
  added.id = event.id;
  added.tags = event.tags;
  tag(added);
  added.time = event.time.value_or(now);
  added.recorded = now;
  folds.try_emplace(added.type, Fold::merge);
  if (!aggregate.first_time) aggregate.first_time = added.time;
  aggregate.last_time = added.time;
  const auto next = std::find_if(events.rbegin(), events.rend(), [&](const Event& other) {
                      return other.position < added.position;
                    }).base();
  return *events.insert(next, added);
}

void Store::tag(Event& event) const {
  const auto found = declared.find(event.type);
  if (found == declared.end()) return;
  const auto data = today(event);
  std::vector<std::string> wanted;
  for (const auto& [prefix, pointer] : parse_json(found->second).members) {
    const Json* value = data.get();
    for (const char* step = pointer.text.c_str() + 2; value != nullptr && *step != '"'; step += 2) {
      const auto member = value->members.find(std::string(1, *step));
      value = member == value->members.end() ? nullptr : &member->second;
      if (step[1] == '"') break;
    }
    if (value == nullptr || value->is_object) continue;
    const std::string tagged = value->text.starts_with("[1,") ? "1" : value->text;
    if (tagged == "\"x\"") wanted.push_back(prefix + ":x");
    if (tagged == "0" || tagged == "1" || tagged == "-7") wanted.push_back(prefix + ":" + tagged);
  }
  const auto keeps = event.tags;
  for (const std::string& one : wanted) {
    if (std::find(keeps.begin(), keeps.end(), one) != keeps.end()) continue;
    event.tags.insert(event.tags.begin() + static_cast<std::ptrdiff_t>(event.declared++), one);
  }
}

void Store::snapshot_if_due(Aggregate& aggregate, Number before) {
  const Policy& policy = policies.at(aggregate.type);
  if (policy.every == 0 || aggregate.version / policy.every == before / policy.every) return;
  aggregate.snapshots[aggregate.version] = state(aggregate, aggregate.version);
  drop_engine_snapshots(aggregate, policy.keep);
}

/// From the base on, through every event: snapshots must never make a difference.
Json Store::state(const Aggregate& aggregate, Number sequence) {
  Json state;
  state.is_object = true;
  const auto base = aggregate.snapshots.find(aggregate.base);
  if (base != aggregate.snapshots.end()) state = base->second;
  for (const Event* event : kept(aggregate)) {
    if (event->sequence > sequence) break;
    state = fold(folds.at(event->type), std::move(state), *today(*event));
  }
  return state;
}

void Store::drop_engine_snapshots(Aggregate& aggregate, Number keep) {
  Number newer = static_cast<Number>(aggregate.snapshots.size());
  std::erase_if(aggregate.snapshots, [&](const auto& snapshot) {
    return newer-- > keep && snapshot.first != aggregate.base;
  });
}

bool Store::has_custom(const Aggregate& aggregate) const {
  return std::any_of(aggregate.compacted.begin(), aggregate.compacted.end(),
                     [&](const auto& type) { return folds.at(type.first) == Fold::custom; });
}

Subscription& Store::subscription(const std::string& name) {
  const auto found = subscriptions.find(name);
  if (found == subscriptions.end() || found->second.removed)
    refuse(2, "no subscription \"" + name + "\"");
  return found->second;
}

bool Store::passes(const Filter& filter, const Aggregate& aggregate,
                   const std::string& type) const {
  const auto& types = filter.event_types;
  return (!filter.aggregate_type || *filter.aggregate_type == aggregate.type) &&
         (!filter.natural_key || filter.natural_key == aggregate.key) &&
         (types.empty() || std::find(types.begin(), types.end(), type) != types.end());
}

bool Store::passes(const Subscription& subscription, const Event& event, Number partition) const {
  const auto count = static_cast<Number>(subscription.partitions.size());
  return !event.removed && event.aggregate % count == partition &&
         passes(subscription.filter, of(event), event.type) &&
         event.bears(subscription.filter.tags);
}

std::vector<const Event*> Store::unread(const Subscription& subscription, Number partition) const {
  std::vector<const Event*> found;
  const Number cursor = subscription.partitions[static_cast<std::size_t>(partition)].position;
  for (const Event& event : events) {
    if (event.position > cursor && passes(subscription, event, partition)) found.push_back(&event);
  }
  return found;
}

void Store::require_read(const Aggregate& aggregate, Number sequence) const {
  for (const auto& [name, subscription] : subscriptions) {
    if (subscription.removed) continue;
    const Number partition = aggregate.id % static_cast<Number>(subscription.partitions.size());
    for (const Event* event : unread(subscription, partition)) {
      if (event->aggregate != aggregate.id || event->sequence > sequence) continue;
      refuse(10, "aggregate " + std::to_string(aggregate.id) + " has events that subscription \"" +
                     name + "\" has not read");
    }
  }
}

Filter read_filter(const Text& json) {
  Filter filter;
  if (!json) return filter;
  const Json parsed = parse_json(*json);
  const auto name = [&](const char* member) -> Text {
    const auto found = parsed.members.find(member);
    if (found == parsed.members.end()) return std::nullopt;
    return found->second.text.substr(1, found->second.text.size() - 2);
  };
  filter.aggregate_type = name("aggregate_type");
  filter.natural_key = name("natural_key");
  const auto texts = [&](const char* member) {
    const auto found = parsed.members.find(member);
    return found == parsed.members.end() ? std::vector<std::string>()
                                         : read_texts(found->second.text);
  };
  filter.event_types = texts("event_types");
  filter.tags = texts("tags");
  return filter;
}

std::vector<std::string> read_texts(const std::string& json) {
  std::vector<std::string> texts;
  for (std::size_t at = json.find('"'); at != std::string::npos; at = json.find('"', at + 1)) {
    const std::size_t end = json.find('"', at + 1);
    texts.push_back(json.substr(at + 1, end - at - 1));
    at = end;
  }
  return texts;
}

Text texts_as_json(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ",") + json_string(text);
  return out.empty() ? Text() : "[" + out + "]";
}

bool Event::bears(const std::vector<std::string>& wanted) const {
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& tag) {
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
  });
}

Text Filter::text() const {
  std::string out;
  if (aggregate_type) out += ",\"aggregate_type\":" + json_string(*aggregate_type);
  if (natural_key) out += ",\"natural_key\":" + json_string(*natural_key);
  if (!event_types.empty()) out += ",\"event_types\":" + *texts_as_json(event_types);
  if (!tags.empty()) out += ",\"tags\":" + *texts_as_json(tags);
  if (out.empty()) return std::nullopt;
  return "{" + out.substr(1) + "}";
}

namespace {

/// RFC 7396, section 2.
Json patch(Json target, const Json& change) {
  if (!change.is_object) return change;
  if (!target.is_object) target = Json{true, {}, {}};
  for (const auto& [key, value] : change.members) {
    if (value.is_null()) {
      target.members.erase(key);
    } else {
      target.members[key] = patch(std::move(target.members[key]), value);
    }
  }
  return target;
}

bool is_number(const Json& value) {
  return !value.is_object && value.text.find_first_of("0123456789") < 2 && value.text[0] != '"' &&
         value.text[0] != '[';
}

/// Of what the simulator's data hold every sum is one of halves.
Json sum(const Json& target, const Json& source) {
  const double total = (is_number(target) ? std::stod(target.text) : 0) + std::stod(source.text);
  if (total == std::floor(total)) return Json{false, {}, std::to_string(Number(total))};
  char text[48];
  std::snprintf(text, sizeof text, "%.1f", total);
  return Json{false, {}, text};
}

Json by_rules(Json state, const Json& data) {
  const auto of = [&](const char* name) {
    const auto found = data.members.find(name);
    return found == data.members.end() ? nullptr : &found->second;
  };
  const Json* a = of("a");
  const Json* b = of("b");
  if (a != nullptr && b != nullptr && is_number(*b) &&
      ((is_number(*a) && a->text != "2.5") || (!a->is_object && a->text == "\"x\""))) {
    const std::string name = is_number(*a) ? a->text : "x";
    Json& sums = state.members["sum"];
    sums.is_object = true;
    sums.members[name] = sum(sums.members[name], *b);
  }
  if (const Json* c = of("c")) state.members["last"] = *c;
  const auto held = state.members.find("a");
  if (held != state.members.end() && held->second.is_object) held->second.members.erase("a");
  return state;
}

}  // namespace

Json fold(Fold how, Json state, const Json& data) {
  if (how == Fold::custom) return state;
  if (how == Fold::rules) return by_rules(std::move(state), data);
  if (how == Fold::patch) return patch(std::move(state), data);
  for (const auto& [key, value] : data.members) {
    if (!value.is_null()) state.members[key] = value;
  }
  return state;
}

std::string time_text(Number microseconds) {
  using namespace std::chrono;
  const sys_time<std::chrono::microseconds> time{std::chrono::microseconds(microseconds)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02ld:%02ld:%02ld.%06ldZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                static_cast<long>(clock.seconds().count()),
                static_cast<long>(clock.subseconds().count()));
  return text;
}

std::optional<Number> parse_time(const std::string& text) {
  int year, month, day, hour, minute, second, end = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute,
                  &second, &end) != 6) {
    return std::nullopt;
  }
  Number fraction = 0;
  if (text.size() == 27) fraction = std::stol(text.substr(20, 6));
  using namespace std::chrono;
  const sys_days date = std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(month)) /
                        static_cast<unsigned>(day);
  const auto seconds_since = sys_seconds(date) + hours(hour) + minutes(minute) + seconds(second);
  return seconds_since.time_since_epoch().count() * 1000000 + fraction;
}

Number require_time(const std::string& text, const std::string& argument) {
  if (const auto time = parse_time(text)) return *time;
  refuse(9, argument + " is not a time: \"" + text +
                "\": write YYYY-MM-DD[Thh:mm[:ss[.ffffff]][Z|+hh:mm]]");
}

}  // namespace evercore::simulate
