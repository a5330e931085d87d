// evercore_append_many: one JSON array, many events, many aggregates, one atomic call.
#include <charconv>
#include <string>
#include <vector>

#include "aggregate.h"
#include "append.h"
#include "error.h"
#include "json.h"
#include "snapshot.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

/// A string of the array: its slice where it has no escapes, its resolved text otherwise.
class Text {
 public:
  void set(std::string_view raw_value, std::string_view argument) {
    if (raw_value.front() != '"') throw error(9, std::string(argument) + " is not text");
    const std::string_view inside = raw_value.substr(1, raw_value.size() - 2);
    given_ = true;
    if (inside.find('\\') == std::string_view::npos) {
      slice_ = inside;
    } else {
      resolved_ = unescape(inside);
    }
  }
  [[nodiscard]] bool given() const { return given_; }
  [[nodiscard]] std::string_view view() const { return resolved_.empty() ? slice_ : resolved_; }
  [[nodiscard]] std::optional<std::string_view> optional() const {
    return given_ ? std::optional(view()) : std::nullopt;
  }

 private:
  std::string_view slice_;
  std::string resolved_;
  bool given_ = false;
};

struct EventTexts {
  Text event_type, reference, event_time, event_id;
  std::string_view data;
  std::optional<std::string_view> metadata;
};

struct Append {
  std::optional<std::int64_t> aggregate_id;
  Text aggregate_type, natural_key;
  std::optional<std::int64_t> expected;
  std::string_view events;
};

std::int64_t integer_in(std::string_view raw, std::string_view argument) {
  std::int64_t value = 0;
  const auto [end, ec] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (ec != std::errc() || end != raw.data() + raw.size()) {
    throw error(9, std::string(argument) + " is not an integer");
  }
  return value;
}

/// The key of the member at hand, and once only in its object.
std::string key_once(const Members& member, std::vector<std::string>& seen) {
  std::string key =
      member.key_is_escaped() ? unescape(member.raw_key()) : std::string(member.raw_key());
  for (const std::string& other : seen) {
    if (other == key) throw error(4, "appends: duplicate key \"" + key + "\"");
  }
  seen.push_back(key);
  return key;
}

[[noreturn]] void unknown_member(std::string_view key, std::string_view where) {
  throw error(9, "unknown member \"" + std::string(key) + "\" in an " + std::string(where));
}

Append read_append(std::string_view object) {
  if (object.front() != '{') throw error(9, "an append is not an object");
  Append append;
  std::vector<std::string> seen;
  for (Members member(object); member.next();) {
    const std::string key = key_once(member, seen);
    const std::string_view value = member.value();
    const bool null = value == "null";
    if (key == "aggregate_id") {
      if (!null) append.aggregate_id = integer_in(value, key);
    } else if (key == "aggregate_type") {
      if (!null) append.aggregate_type.set(value, key);
    } else if (key == "natural_key") {
      if (!null) append.natural_key.set(value, key);
    } else if (key == "expected") {
      if (!null) append.expected = integer_in(value, key);
    } else if (key == "events") {
      append.events = value;
    } else {
      unknown_member(key, "append");
    }
  }
  if (append.expected && *append.expected < 0) throw out_of_range("expected", *append.expected);
  if (append.events.empty()) throw error(9, "events is missing");
  if (append.events.front() != '[') throw error(9, "events is not an array");
  return append;
}

EventTexts read_event(std::string_view object) {
  if (object.front() != '{') throw error(9, "an event is not an object");
  EventTexts event;
  std::vector<std::string> seen;
  for (Members member(object); member.next();) {
    const std::string key = key_once(member, seen);
    const std::string_view value = member.value();
    const bool null = value == "null";
    if (key == "data") {
      if (!null) event.data = value;
    } else if (key == "metadata") {
      if (!null) event.metadata = value;
    } else if (key == "event_type") {
      if (!null) event.event_type.set(value, key);
    } else if (key == "reference") {
      if (!null) event.reference.set(value, key);
    } else if (key == "event_time") {
      if (!null) event.event_time.set(value, key);
    } else if (key == "event_id") {
      if (!null) event.event_id.set(value, key);
    } else {
      unknown_member(key, "event");
    }
  }
  return event;
}

NewEvent checked(Connection& connection, const EventTexts& texts) {
  if (!texts.event_type.given()) throw error(5, "event_type is NULL");
  if (texts.data.empty()) throw error(9, "data is NULL");
  NewEvent event;
  event.event_type = texts.event_type.view();
  event.data = texts.data;
  event.reference = texts.reference.optional();
  event.metadata = texts.metadata;
  event.event_id = texts.event_id.optional();
  if (texts.event_time.given()) event.event_time = time_in(texts.event_time.view(), "event_time");
  check_event(connection, event);
  return event;
}

std::int64_t target_of(Connection& connection, const Append& append) {
  if (append.aggregate_id) {
    if (append.aggregate_type.given() || append.natural_key.given()) {
      throw error(9, "aggregate_id is given together with a type or key");
    }
    return *append.aggregate_id;
  }
  if (!append.natural_key.given()) throw error(5, "neither aggregate_id nor natural_key given");
  if (!append.aggregate_type.given()) throw error(5, "aggregate_type is NULL");
  check_name(append.aggregate_type.view(), "aggregate_type", max_type_name);
  check_name(append.natural_key.view(), "natural_key", max_natural_key);
  return ensure_aggregate(connection, append.aggregate_type.view(), append.natural_key.view());
}

/// Counts what is new and what is a repeat; a call may not mix them.
struct Mixture {
  bool any_new = false;
  std::string repeated_id;  // the newest repeat's; empty: none

  void add(const Appended& appended, const NewEvent& event) {
    if (appended.repeated) {
      repeated_id = event.event_id.value_or("");
    } else {
      any_new = true;
    }
    if (!any_new || repeated_id.empty()) return;
    throw error(
        7, "event_id \"" + repeated_id + "\" exists: one call cannot mix repeats and new events");
  }
};

/// Stores the snapshot that the events from `first` to `last` made due.
void snapshot_if_crossed(Connection& connection, std::int64_t aggregate_id, std::int64_t first,
                         std::int64_t last) {
  const AggregateInfo* info = connection.transaction.aggregate(aggregate_id);
  const std::int64_t every = info == nullptr ? 0 : info->snapshot_every;
  if (every > 0 && last / every > (first - 1) / every) {
    store_snapshot_by_policy(connection, aggregate_id);
  }
}

void append_object(Connection& connection, std::string_view object, Mixture& mixture,
                   std::string& result) {
  const Append append = read_append(object);
  const std::int64_t aggregate_id = target_of(connection, append);
  std::optional<std::int64_t> expected = append.expected;
  Appended last;
  std::int64_t first = 0;
  Elements element(append.events);
  while (element.next()) {
    const EventTexts texts = read_event(element.value());
    const NewEvent event = checked(connection, texts);
    last = append_fully(connection, aggregate_id, expected, event, false);
    mixture.add(last, event);
    expected.reset();  // it is for the state before the first event; nobody can come between
    if (first == 0) first = last.sequence;
  }
  if (first == 0) throw error(9, "events is empty");
  if (!last.repeated) snapshot_if_crossed(connection, aggregate_id, first, last.sequence);
  result += result.size() > 1 ? ",{" : "{";
  result += "\"aggregate_id\":" + std::to_string(aggregate_id);
  result += ",\"sequence\":" + std::to_string(last.sequence);
  result += ",\"position\":" + std::to_string(last.position) + "}";
}

}  // namespace

void append_many(const Call& call) {
  Connection& connection = call.connection;
  const std::string_view appends = trim(required_text(call.arguments[0], "appends"));
  connection.payload.check_json("appends", appends);
  if (appends.front() != '[') throw error(9, "appends is not an array");
  std::string result = "[";
  atomically(connection, [&] {
    Mixture mixture;
    for (Elements element(appends); element.next();) {
      append_object(connection, element.value(), mixture, result);
    }
  });
  call.result_json(result + "]");
}

}  // namespace evercore::ext
