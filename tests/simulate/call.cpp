#include "simulate/call.h"

#include <algorithm>
#include <set>

namespace evercore::simulate {

const std::vector<Call>& calls() {
  static const std::vector<Call> all = [] {
    std::vector<Call> calls;
    for (const auto& of : {store_calls, aggregate_calls, append_calls, read_calls, query_calls,
                           fold_calls, schema_calls, upcast_calls, rename_calls, snapshot_calls,
                           subscription_calls, lease_calls}) {
      for (Call& call : of()) calls.push_back(std::move(call));
    }
    return calls;
  }();
  return all;
}

std::vector<std::string> never_called_of(const Rows& names) {
  std::vector<std::string> left_out;
  for (const std::string& name : names) {
    const bool called = std::any_of(calls().begin(), calls().end(),
                                    [&](const Call& call) { return call.name == name; });
    if (name.starts_with("evercore_") && !called) left_out.push_back(name);
  }
  return left_out;
}

bool declares(const Call& call) {
  static const std::set<std::string> names = {"evercore_event_type", "evercore_aggregate_type",
                                              "evercore_snapshot_policy", "evercore_index_types"};
  return names.contains(call.name);
}

const Call& pick_call(Random& random, bool declarations) {
  static const int total = [] {
    int sum = 0;
    for (const Call& call : calls()) sum += call.weight;
    return sum;
  }();
  const Call* picked = nullptr;
  do {
    auto at = random.below(total);
    picked = &*std::find_if(calls().begin(), calls().end(),
                            [&](const Call& call) { return (at -= call.weight) < 0; });
  } while (!declarations && declares(*picked));
  return *picked;
}

std::string literal(const Argument& argument) {
  if (const auto* number = std::get_if<Number>(&argument)) return std::to_string(*number);
  const auto* text = std::get_if<std::string>(&argument);
  if (text == nullptr) return "NULL";
  std::string out = "'";
  for (const char c : *text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

std::string sql_of(const Call& call, const Arguments& arguments) {
  if (call.sql) return call.sql(arguments);
  std::string list;
  for (const Argument& argument : arguments) list += (list.empty() ? "" : ", ") + literal(argument);
  const std::string spelled = call.name + "(" + list + ")";
  return "SELECT " + (call.columns.empty() ? spelled : call.columns + " FROM " + spelled);
}

std::optional<Number> number(const Argument& argument) {
  const auto* number = std::get_if<Number>(&argument);
  return number == nullptr ? std::nullopt : std::optional(*number);
}

Text text(const Argument& argument) {
  const auto* text = std::get_if<std::string>(&argument);
  return text == nullptr ? std::nullopt : Text(*text);
}

std::string cell(const Text& text) {
  return text.value_or("NULL");
}
std::string cell(std::optional<Number> number) {
  return number ? std::to_string(*number) : "NULL";
}

std::string row(std::initializer_list<std::string> cells) {
  std::string out;
  for (const std::string& cell : cells) out += (out.empty() ? "" : "|") + cell;
  return out;
}

std::string joined(const Rows& rows) {
  std::string out;
  for (const std::string& row : rows) out += row + "\n";
  return out;
}

const char* const log_columns =
    "position, aggregate_id, aggregate_type, natural_key, sequence, event_type, data, reference, "
    "metadata, "
    "event_time, recorded_at, event_id, tags";

std::string log_row(const Store& store, const Event& event) {
  const Aggregate& aggregate = store.of(event);
  return row({cell(event.position), cell(event.aggregate), aggregate.type, cell(aggregate.key),
              cell(event.sequence), event.type, event.data, cell(event.reference),
              cell(event.metadata), time_text(event.time), time_text(event.recorded),
              cell(event.id), cell(texts_as_json(event.tags))});
}

Argument Maker::id() {
  if (store.aggregates.empty() || random.chance(2))
    return random.pick<Argument>({{}, Number{1000000}});
  return std::next(store.aggregates.begin(),
                   random.below(static_cast<Number>(store.aggregates.size())))
      ->first;
}

std::string Maker::type() {
  return random.chance(1) ? "" : random.pick<std::string>({"T", "U"});
}

std::string Maker::key() {
  return random.chance(1) ? "" : random.pick<std::string>({"a", "b", "c", "d", "\u00e9"});
}

std::string Maker::event_type() {
  return random.chance(1) ? "" : random.pick<std::string>({"M", "P", "C", "N"});
}

Argument Maker::time() {
  if (random.chance(60)) return {};
  if (random.chance(2)) return "soon";
  const Number about =
      random.chance(20) ? -86400'000000 * random.below(40000) : now - 1'000000 * random.below(1000);
  return time_text(about);
}

std::string Maker::object(int depth) {
  std::string out;
  for (const char* member : {"a", "b", "c"}) {
    if (random.chance(50)) continue;
    const std::string value = depth > 0 && random.chance(40)
                                  ? object(depth - 1)
                                  : random.pick<std::string>({"0", "1", "-7", "2.5", "null", "true",
                                                              "\"x\"", "[1,{\"a\":null}]"});
    out += (out.empty() ? "" : ",") + json_string(member) + ":" + value;
  }
  return "{" + out + "}";
}

std::string Maker::data() {
  if (random.chance(3))
    return "{\"big\":\"" + std::string(static_cast<std::size_t>(random.below(6000)), 'x') + "\"}";
  return random.chance(1) ? random.pick<std::string>({"[1]", "{\"a\":1,\"a\":2}"}) : object(2);
}

Argument Maker::expected(Number version) {
  if (random.chance(60)) return {};
  return version + random.pick({0, 0, 0, 0, 0, 1, -1});
}

std::string Maker::name() {
  return random.chance(1) ? "nobody" : random.pick<std::string>({"r", "s"});
}

Argument Maker::token(const std::string& name) {
  const auto found = store.subscriptions.find(name);
  if (found == store.subscriptions.end() || found->second.partitions.empty() || random.chance(5))
    return Number{1};
  return random.pick(found->second.partitions).token;
}

Argument Maker::start() {
  if (random.chance(20)) return {};
  const std::string kept = random.chance(40) ? "kept " : "";
  const std::string place =
      random.chance(20)
          ? time_text(now - 1'000000 * random.below(1000))
          : random.pick<std::string>(
                {"beginning", "end", std::to_string(random.between(0, store.head + 1))});
  return kept + place;
}

Argument Maker::filter() {
  Filter filter;
  if (random.chance(50)) filter.aggregate_type = random.pick<std::string>({"T", "U", "none"});
  if (filter.aggregate_type && random.chance(60))
    filter.natural_key = random.pick<std::string>({"a", "b", "c"});
  if (random.chance(40))
    filter.event_types =
        random.pick<std::vector<std::string>>({{"M"}, {"P", "N"}, {"C", "M", "later"}});
  if (random.chance(20))
    filter.tags = random.pick<std::vector<std::string>>({{"a"}, {"a", "b"}, {"c"}, {"never"}});
  const Text text = filter.text();
  return text ? Argument(*text) : Argument();
}

Argument Maker::position() {
  if (random.chance(30)) return {};
  if (random.chance(30) && !store.events.empty()) return random.pick(store.events).position;
  return random.between(0, store.head + (random.chance(2) ? 1 : 0));
}

Number Maker::version(const Argument& id) {
  const auto at = number(id);
  const auto found = at ? store.aggregates.find(*at) : store.aggregates.end();
  return found == store.aggregates.end() ? 0 : found->second.version;
}

Argument Maker::sequence(const Argument& id) {
  const Number most = version(id) + (random.chance(3) ? 1 : 0);
  const Number least = random.chance(3) ? -1 : 0;
  return random.between(least, most);
}

Argument Maker::tags() {
  if (random.chance(65)) return {};
  if (random.chance(2)) return random.pick<std::string>({"[\"\"]", "[7]", "{}", "[\"a\",\"\"]"});
  return random.pick<std::string>(
      {"[]", "[\"a\"]", "[\"b\",\"a\"]", "[\"c\"]", "[\"a\",\"c\",\"b\"]"});
}

Arguments Maker::event() {
  Arguments event = {event_type(), data(), {}, {}, time(), {}, tags()};
  if (random.chance(15)) event[2] = random.pick<std::string>({"who", ""});
  if (random.chance(15)) event[3] = object(1);
  if (random.chance(25)) {
    event[5] = "i" + std::to_string(random.below(15));
    if (random.chance(70)) event[0] = "M", event[1] = "{\"a\":1}";  // so that repeats are repeats
  }
  return event;
}

}  // namespace evercore::simulate
