// The three forms of append: one event, many in one call, rows of an INSERT.
//
// All answer by one rule, `append_all`: the events by themselves, the targets, the repeats, the
// versions, in this order. Arguments of several appends are flat: for each its target (id, type, key),
// expected, repeats and count of events, then seven columns an event.
#include <algorithm>
#include <set>
#include <utility>

#include "simulate/call.h"

namespace evercore::simulate {

namespace {

struct Append {
  Argument id;
  Text type, key;
  std::optional<Number> expected;
  bool skips = false;
  std::vector<NewEvent> events;
};

struct Appended {
  Number aggregate, sequence, position;
  Number first_position = 0;  ///< of the first new event, or of the first where all are repeats
  bool repeated = true;       ///< all of them
};

NewEvent read_event(const Append& append, const Argument* columns) {
  NewEvent event{text(columns[0]),
                 text(columns[1]),
                 text(columns[2]),
                 text(columns[3]),
                 text(columns[5]),
                 {},
                 {}};
  check_payload("data", event.data);
  check_payload("metadata", event.metadata);
  if (!number(append.id) && append.type) check_name(append.type, "aggregate_type", longest_type);
  if (!number(append.id) && append.key) check_name(append.key, "natural_key", longest_key);
  check_name(event.type, "event_type", longest_type);
  const Text tags = text(columns[6]);
  const bool sound = !tags || (tags->front() == '[' && *tags != "[7]");
  if (tags && sound) event.tags = read_texts(*tags);
  for (const std::string& tag : event.tags) check_name(tag, "tag", longest_type);
  if (!event.data) refuse(9, "data is NULL");
  if (append.expected && *append.expected < 0)
    refuse(9, "expected is out of range: " + cell(append.expected));
  if (const Text time = text(columns[4])) event.time = require_time(*time, "event_time");
  if (!sound) refuse(9, "tags is not an array of texts");
  return event;
}

std::vector<Append> read_appends(const Arguments& arguments) {
  std::vector<Append> appends;
  for (std::size_t at = 0; at < arguments.size();) {
    Append append{arguments[at],
                  text(arguments[at + 1]),
                  text(arguments[at + 2]),
                  number(arguments[at + 3]),
                  text(arguments[at + 4]).has_value(),
                  {}};
    const Number count = *number(arguments[at + 5]);
    at += 6;
    for (Number i = 0; i < count; ++i, at += 7)
      append.events.push_back(read_event(append, &arguments[at]));
    appends.push_back(std::move(append));
  }
  return appends;
}

/// EV007 for an event_id with other content, and for repeats beside new events.
void check_repeats(const Store& store, const std::vector<Append>& appends,
                   const std::vector<Number>& targets) {
  struct Content {
    Number aggregate;
    std::string type, data;
    bool operator==(const Content&) const = default;
  };
  std::map<std::string, Content> met;
  std::set<std::string> others, repeats;
  bool any_new = false;
  for (std::size_t i = 0; i < appends.size(); ++i) {
    for (const NewEvent& event : appends[i].events) {
      if (!event.id) {
        any_new = true;
        continue;
      }
      const Content content{targets[i], *event.type, *event.data};
      if (const Event* there = store.with_id(*event.id))
        met.insert({*event.id, {there->aggregate, there->type, there->content}});
      const auto [at, is_new] = met.insert({*event.id, content});
      if (is_new) {
        any_new = true;
      } else if (at->second != content) {
        others.insert(*event.id);
      } else if (!appends[i].skips) {
        repeats.insert(*event.id);
      }
    }
  }
  if (others.empty() && (repeats.empty() || !any_new)) return;
  Refusal refusal;
  for (const std::string& id : others)
    refusal.messages.push_back("EV007: event_id \"" + id + "\" exists with other content");
  repeats.insert(others.begin(), others.end());
  for (const std::string& id : repeats) {
    refusal.messages.push_back("EV007: event_id \"" + id +
                               "\" exists: one call cannot mix repeats and new events");
  }
  throw refusal;
}

/// `wrong` gets the EV011 of each state that is not taken.
Appended write(Scene& scene, Number target, const Append& append, std::vector<std::string>& wrong) {
  Store& store = scene.store;
  const Number before = store.known(target).version;
  Number passed = 0;
  Appended last{target, 0, 0};
  for (const NewEvent& event : append.events) {
    Aggregate& aggregate = store.known(target);
    if (const Event* there = event.id ? store.with_id(*event.id) : nullptr) {
      ++passed;
      last.sequence = there->sequence;
      last.position = there->position;
      if (last.first_position == 0) last.first_position = there->position;
      continue;
    }
    if (append.expected && aggregate.version == before && before != *append.expected + passed) {
      refuse(1, "conflict: aggregate " + cell(target) + " is at sequence " + cell(before) +
                    ", expected " + cell(*append.expected + passed));
    }
    const Event& written = store.write(aggregate, event, scene.now);
    if (const Text fault = store.fault_of_state(aggregate)) wrong.push_back(*fault);
    last.sequence = written.sequence;
    last.position = written.position;
    if (std::exchange(last.repeated, false)) last.first_position = written.position;
  }
  store.snapshot_if_due(store.known(target), before);
  return last;
}

/// In one call all ids must be there at its start; rows see what rows before them made.
enum class Targets { at_start, row_by_row };

std::vector<Appended> write_all(Scene& scene, const std::vector<Append>& appends, Targets look,
                                std::vector<std::string>& wrong) {
  std::vector<Number> targets;
  for (const Append& append : appends) {
    if (number(append.id) && look == Targets::at_start) scene.store.open(number(append.id));
  }
  for (const Append& append : appends) {
    if (number(append.id)) scene.store.open(number(append.id));
    targets.push_back(number(append.id) ? *number(append.id)
                                        : scene.store.ensure(*append.type, *append.key));
  }
  check_repeats(scene.store, appends, targets);
  std::vector<Appended> done;
  for (std::size_t i = 0; i < appends.size(); ++i)
    done.push_back(write(scene, targets[i], appends[i], wrong));
  return done;
}

/// EV011 of each new event whose schema does not take its data.
std::vector<std::string> untaken_of(const Store& store, const std::vector<Append>& appends) {
  std::vector<std::string> messages;
  for (const Append& append : appends) {
    for (const NewEvent& event : append.events) {
      const Text fault = store.fault_of(*event.type, event.data);
      if (!fault || (event.id && store.with_id(*event.id) != nullptr)) continue;
      messages.push_back("EV011: data of \"" + *event.type + "\": " + *fault);
    }
  }
  return messages;
}

/// Of several rows at fault either may be named; of a call the first event whose data are not taken, else
/// the first whose state is not.
std::vector<Appended> append_all(Scene& scene, const std::vector<Append>& appends,
                                 Targets look = Targets::at_start) {
  std::vector<std::string> untaken = untaken_of(scene.store, appends);
  std::vector<std::string> wrong;
  std::vector<Appended> done;
  const auto with_states = [&] {
    untaken.insert(untaken.end(), wrong.begin(), wrong.end());
    return untaken;
  };
  try {
    done = write_all(scene, appends, look, wrong);
  } catch (Refusal& refusal) {
    if (look == Targets::row_by_row) {
      for (const std::string& message : with_states()) refusal.messages.push_back(message);
    }
    throw;
  }
  with_states();
  if (untaken.empty()) return done;
  if (look == Targets::at_start) untaken.resize(1);
  throw Refusal{untaken};
}

// One event: id, expected, and the event's columns.

Arguments make_append(Maker& maker) {
  const Argument id = maker.id();
  Arguments arguments = {id, maker.expected(maker.version(id))};
  for (Argument& column : maker.event()) arguments.push_back(std::move(column));
  return arguments;
}

Rows append(Scene& scene, const Arguments& arguments) {
  Append append{arguments[0], {}, {}, number(arguments[1]), false, {}};
  append.events.push_back(read_event(append, &arguments[2]));
  if (!number(append.id)) scene.store.known(std::nullopt);
  return {cell(append_all(scene, {append})[0].sequence)};
}

// Many in one call.

void add_target(Maker& maker, Arguments& arguments, Number count, bool by_call) {
  Argument id = maker.random.chance(50) ? maker.id() : Argument();
  Number version = maker.version(id);
  Argument type, key;
  if (!number(id)) {
    type = maker.random.chance(50) ? "T" : "U";
    key = maker.key();
    Store copy = maker.store;
    if (const Aggregate* there = copy.find(*text(type), *text(key))) version = there->version;
  }
  const Argument skips = by_call && maker.random.chance(30) ? Argument("skip") : Argument();
  for (const Argument& argument : {id, type, key, maker.expected(version), skips, Argument(count)})
    arguments.push_back(argument);
}

Arguments make_many(Maker& maker, Number most_appends, Number most_events, bool by_call) {
  Arguments arguments;
  for (Number appends = maker.random.between(1, most_appends); appends > 0; --appends) {
    const Number count = maker.random.between(1, most_events);
    add_target(maker, arguments, count, by_call);
    for (Number i = 0; i < count; ++i) {
      for (Argument& column : maker.event()) arguments.push_back(std::move(column));
    }
  }
  return arguments;
}

std::string member(const char* name, const Argument& value, bool raw = false) {
  if (const auto as_number = number(value)) return json_string(name) + ":" + cell(as_number) + ",";
  const Text as_text = text(value);
  if (!as_text) return "";
  return json_string(name) + ":" + (raw ? *as_text : json_string(*as_text)) + ",";
}

std::string without_comma(std::string json) {
  if (json.back() == ',') json.pop_back();
  return json;
}

std::string many_as_json(const Arguments& arguments) {
  std::string out = "[";
  for (std::size_t at = 0; at < arguments.size();) {
    out += "{" + member("aggregate_id", arguments[at]) +
           member("aggregate_type", arguments[at + 1]) + member("natural_key", arguments[at + 2]) +
           member("expected", arguments[at + 3]) + member("repeats", arguments[at + 4]) +
           "\"events\":[";
    const Number count = *number(arguments[at + 5]);
    at += 6;
    for (Number i = 0; i < count; ++i, at += 7) {
      out +=
          without_comma(
              "{" + member("event_type", arguments[at]) + member("data", arguments[at + 1], true) +
              member("reference", arguments[at + 2]) + member("metadata", arguments[at + 3], true) +
              member("event_time", arguments[at + 4]) + member("event_id", arguments[at + 5]) +
              member("tags", arguments[at + 6], true)) +
          "},";
    }
    out = without_comma(out) + "]},";
  }
  return without_comma(out) + "]";
}

Rows answer(const std::vector<Appended>& appended) {
  std::string out = "[";
  for (const Appended& last : appended) {
    out += std::string(out.size() > 1 ? "," : "") + "{\"aggregate_id\":" + cell(last.aggregate) +
           ",\"first_position\":" + cell(last.first_position) +
           ",\"sequence\":" + cell(last.sequence) + ",\"position\":" + cell(last.position) +
           (last.repeated ? ",\"repeated\":true}" : "}");
  }
  return {canonical(parse_json(out + "]"))};
}

std::string many_sql(const Arguments& arguments) {
  return "SELECT evercore_append_many(" + literal(many_as_json(arguments)) + ")";
}

Rows append_many(Scene& scene, const Arguments& arguments) {
  return answer(append_all(scene, read_appends(arguments)));
}

// Rows of an INSERT.

std::string rows_as_sql(const char* verb, const Arguments& arguments) {
  std::string out = std::string(verb) +
                    " INTO evercore_append (aggregate_id, aggregate_type, natural_key, expected, "
                    "event_type, data, reference, "
                    "metadata, event_time, event_id, tags) VALUES ";
  for (std::size_t at = 0; at < arguments.size(); at += 13) {
    out += at > 0 ? ", (" : "(";
    for (const std::size_t column : {0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12})
      out += (column > 0 ? ", " : "") + literal(arguments[at + column]);
    out += ")";
  }
  return out;
}

/// In a row an empty text in a column that may be left off is a fault.
std::vector<Append> read_rows(const Arguments& arguments) {
  std::vector<Append> rows = read_appends(arguments);
  for (const Append& row : rows) {
    if (row.events[0].reference == "") refuse(9, "reference is empty");
  }
  return rows;
}

Rows insert(Scene& scene, const Arguments& arguments) {
  append_all(scene, read_rows(arguments), Targets::row_by_row);
  return {};
}

/// Under OR IGNORE each row stands for itself: a fault skips it, a repeat is none.
Rows insert_or_ignore(Scene& scene, const Arguments& arguments) {
  for (std::size_t at = 0; at < arguments.size(); at += 13) {
    const Store before = scene.store;
    try {
      append_all(scene, read_rows({arguments.begin() + static_cast<std::ptrdiff_t>(at),
                                   arguments.begin() + static_cast<std::ptrdiff_t>(at + 13)}));
    } catch (const Refusal&) {
      scene.store = before;
    }
  }
  return {};
}

Rows copy_back(Scene& scene, const Arguments& arguments) {
  if (*number(arguments[0]) > scene.store.head)
    refuse(9, "after is out of range: " + cell(number(arguments[0])));
  std::vector<Append> appends;
  for (const Event& event : scene.store.events) {
    if (event.position <= *number(arguments[0]) || event.position > scene.safe || event.removed)
      continue;
    if (static_cast<Number>(appends.size()) == *number(arguments[1])) break;
    Append append{{}, "T", "copies", {}, false, {}};
    append.events.push_back({event.type, event.data, {}, {}, {}, {}, {}});
    appends.push_back(append);
  }
  append_all(scene, appends, Targets::row_by_row);
  return {};
}

}  // namespace

void check_payload(const std::string& argument, const Text& json) {
  if (!json) return;
  if (json->front() != '{') refuse(4, argument + ": not an object");
  if (*json == "{\"a\":1,\"a\":2}") refuse(4, argument + ": duplicate key \"a\"");
}

Arguments make_appends(Maker& maker) {
  return make_many(maker, 3, 4, true);
}

Arguments make_plain_append(Maker& maker) {
  const Argument id = number(maker.id()).value_or(1);
  const Argument type = maker.some({"M", "P"});
  const Argument tags = maker.some({"[\"a\"]", "[\"b\",\"a\"]", "[\"c\"]"});
  return {
      id, {}, {},  maker.expected(maker.version(id)), {}, Number{1}, type, maker.object(2), {}, {},
      {}, {}, tags};
}

std::string appends_as_json(const Arguments& arguments) {
  return many_as_json(arguments);
}

/// The condition is looked at before the first write, and said behind all that goes before it.
Rows append_many_if(Scene& scene, const Arguments& arguments,
                    const std::function<void()>& refuse_by_condition) {
  const std::vector<Append> appends = read_appends(arguments);
  std::optional<Refusal> refused;
  try {
    refuse_by_condition();
  } catch (const Refusal& refusal) {
    if (refusal.messages[0].starts_with("EV009")) throw;
    refused = refusal;
  }
  std::vector<std::string> untaken = untaken_of(scene.store, appends);
  std::vector<std::string> wrong;
  const std::vector<Appended> done = write_all(scene, appends, Targets::at_start, wrong);
  untaken.insert(untaken.end(), wrong.begin(), wrong.end());
  // `repeated` is of an append whose events are all repeats.
  const bool any_new =
      std::any_of(done.begin(), done.end(), [](const Appended& last) { return !last.repeated; });
  if (refused && any_new) throw *refused;
  if (!untaken.empty()) throw Refusal{{untaken.front()}};
  return answer(done);
}

std::vector<Call> append_calls() {
  const auto rows = [](Maker& m) { return make_many(m, 4, 1, false); };
  return {
      {"evercore_append", 14, true, "", "t", make_append, append},
      {"evercore_append_many", 8, true, "", "j", [](Maker& m) { return make_many(m, 3, 4, true); },
       append_many, many_sql},
      {"evercore_append_many", 3, true, "", "j", make_plain_append, append_many, many_sql},
      {"evercore_append", 8, true, "", "", rows, insert,
       [](const Arguments& a) { return rows_as_sql("INSERT", a); }},
      {"evercore_append", 5, true, "", "", rows, insert_or_ignore,
       [](const Arguments& a) { return rows_as_sql("INSERT OR IGNORE", a); }, false},
      {"evercore_append", 1, true, "", "",
       [](Maker& m) {
         return Arguments{m.random.between(0, m.store.head), m.random.between(0, 3)};
       },
       copy_back,
       [](const Arguments& a) {
         return "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) "
                "SELECT 'T', 'copies', event_type, data "
                "FROM evercore_follow(" +
                literal(a[0]) + ", " + literal(a[1]) + ")";
       }},
  };
}

}  // namespace evercore::simulate
