// evercore_append_many: one JSON array, many events, many aggregates, one atomic call.
#include <array>
#include <string>

#include "aggregate.h"
#include "append.h"
#include "error.h"
#include "json.h"
#include "payload_dom.h"
#include "snapshot.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

using simdjson::dom::element;

// The array is walked twice at once: as parsed elements, which are checked and unescaped, and as
// text, from which data and metadata are cut byte for byte.

/// Tells the members of one kind of object apart, and that none stands twice.
template <std::size_t N>
class MemberNames {
 public:
  MemberNames(const std::array<std::string_view, N>& names, std::string_view where)
      : names_(names), where_(where) {}

  /// The index of the member's name. Throws EV004 for a second one, EV009 for a name that is none
  /// of them.
  std::size_t index(std::string_view key) {
    for (std::size_t i = 0; i < N; ++i) {
      if (names_[i] != key) continue;
      if ((seen_ >> i & 1) != 0) {
        throw error(4, "appends: duplicate key \"" + std::string(key) + "\"");
      }
      seen_ |= 1u << i;
      return i;
    }
    throw error(9, "unknown member \"" + std::string(key) + "\" in an " + std::string(where_));
  }

 private:
  const std::array<std::string_view, N>& names_;
  std::string_view where_;
  unsigned seen_ = 0;
};

constexpr std::array<std::string_view, 5> append_names = {"aggregate_id", "aggregate_type",
                                                          "natural_key", "expected", "events"};
constexpr std::array<std::string_view, 6> event_names = {"event_type", "data",       "reference",
                                                         "metadata",   "event_time", "event_id"};

/// What stands beside the events of one append.
struct Header {
  std::optional<std::int64_t> aggregate_id;
  std::optional<std::string_view> aggregate_type;
  std::optional<std::string_view> natural_key;
  std::optional<std::int64_t> expected;
  std::optional<simdjson::dom::array> events;
  Cursor events_text{""};
};

std::int64_t integer_in(element value, std::string_view argument) {
  std::int64_t number = 0;
  if (value.get_int64().get(number) != simdjson::SUCCESS) {
    throw error(9, std::string(argument) + " is not an integer");
  }
  return number;
}

std::string_view text_in(element value, std::string_view argument) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) {
    throw error(9, std::string(argument) + " is not text");
  }
  return text;
}

simdjson::dom::array array_in(element value, std::string_view argument) {
  simdjson::dom::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) {
    throw error(9, std::string(argument) + " is not an array");
  }
  return array;
}

Header read_header(element append, Cursor& text) {
  simdjson::dom::object object;
  if (append.get_object().get(object) != simdjson::SUCCESS) {
    throw error(9, "an append is not an object");
  }
  Header header;
  MemberNames names(append_names, "append");
  text.open();
  for (const auto [key, value] : object) {
    const std::size_t name = names.index(key);
    text.more();
    text.key();
    const Cursor at_value = text;
    static_cast<void>(text.value());
    if (value.is_null()) continue;
    switch (name) {
      case 0:
        header.aggregate_id = integer_in(value, key);
        break;
      case 1:
        header.aggregate_type = text_in(value, key);
        break;
      case 2:
        header.natural_key = text_in(value, key);
        break;
      case 3:
        header.expected = integer_in(value, key);
        break;
      default:
        header.events = array_in(value, key);
        header.events_text = at_value;
        break;
    }
  }
  text.more();
  if (header.expected && *header.expected < 0) throw out_of_range("expected", *header.expected);
  if (!header.events) throw error(9, "events is missing");
  return header;
}

/// Reads and checks one event; its texts live as long as the argument.
NewEvent read_event(Connection& connection, element value, Cursor& text) {
  simdjson::dom::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    throw error(9, "an event is not an object");
  }
  NewEvent event;
  bool has_type = false;
  element data;
  element metadata;
  MemberNames names(event_names, "event");
  text.open();
  for (const auto [key, member] : object) {
    const std::size_t name = names.index(key);
    text.more();
    text.key();
    const std::string_view slice = text.value();
    if (member.is_null()) continue;
    switch (name) {
      case 0:
        event.event_type = text_in(member, key);
        has_type = true;
        break;
      case 1:
        event.data = slice;
        data = member;
        break;
      case 2:
        event.reference = text_in(member, key);
        break;
      case 3:
        event.metadata = slice;
        metadata = member;
        break;
      case 4:
        event.event_time = time_in(text_in(member, key), key);
        break;
      default:
        event.event_id = text_in(member, key);
        break;
    }
  }
  text.more();
  if (!has_type) throw error(5, "event_type is NULL");
  if (event.data.empty()) throw error(9, "data is NULL");
  check_names(connection, event);
  if (event.metadata) {
    check_size(event);
    connection.payload.dom().check("metadata", metadata, *event.metadata);
  }
  connection.payload.dom().check("data", data, event.data);
  return event;
}

std::int64_t target_of(Connection& connection, const Header& append) {
  if (append.aggregate_id) {
    if (append.aggregate_type || append.natural_key) {
      throw error(9, "aggregate_id is given together with a type or key");
    }
    return *append.aggregate_id;
  }
  if (!append.natural_key) throw error(5, "neither aggregate_id nor natural_key given");
  if (!append.aggregate_type) throw error(5, "aggregate_type is NULL");
  check_name(*append.aggregate_type, "aggregate_type", max_type_name);
  check_name(*append.natural_key, "natural_key", max_natural_key);
  return ensure_aggregate(connection, *append.aggregate_type, *append.natural_key);
}

/// For an array that is no JSON: EV004 named after the payload at fault, where it lies in one.
[[noreturn]] void refuse_appends(Connection& connection, std::string_view appends) {
  for (Elements append(appends); append.next();) {
    for (Members part(append.value()); part.next();) {
      if (part.raw_key() != "events") continue;
      for (Elements event(part.value()); event.next();) {
        for (Members member(event.value()); member.next();) {
          const std::string_view name = member.raw_key();
          const bool payload = name == "data" || name == "metadata";
          if (payload && member.value() != "null") connection.payload.check(name, member.value());
        }
      }
    }
  }
  Payload::refuse("appends", appends);
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

void append_object(Connection& connection, element value, Cursor& text, Mixture& mixture,
                   std::string& result) {
  Header append = read_header(value, text);
  const std::int64_t aggregate_id = target_of(connection, append);
  std::optional<std::int64_t> expected = append.expected;
  Appended last;
  std::int64_t first = 0;
  append.events_text.open();
  for (const element item : *append.events) {
    append.events_text.more();
    const NewEvent event = read_event(connection, item, append.events_text);
    last = append_fully(connection, aggregate_id, expected, event, false);
    mixture.add(last, event);
    expected.reset();  // it is for the state before the first event; nobody can come between
    if (first == 0) first = last.sequence;
  }
  if (first == 0) throw error(9, "events is empty");
  if (!last.repeated) snapshot_if_crossed(connection, aggregate_id, first, last.sequence);
  result += result.size() > 1 ? ",{" : "{";
  result.append("\"aggregate_id\":").append(std::to_string(aggregate_id));
  result.append(",\"sequence\":").append(std::to_string(last.sequence));
  result.append(",\"position\":").append(std::to_string(last.position)).append("}");
}

}  // namespace

void append_many(const Call& call) {
  Connection& connection = call.connection;
  const std::string_view appends = required_text(call.arguments[0], "appends");
  const auto root = connection.payload.dom().parse(appends);
  if (!root) refuse_appends(connection, appends);
  const simdjson::dom::array array = array_in(*root, "appends");
  std::string result = "[";
  atomically(connection, [&] {
    Mixture mixture;
    Cursor text(appends);
    text.open();
    for (const element item : array) {
      text.more();
      append_object(connection, item, text, mixture, result);
    }
    call.result_json(result += "]");
  });
}

}  // namespace evercore::ext
