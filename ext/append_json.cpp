#include "append_json.h"

#include <array>

#include "error.h"
#include "json.h"
#include "payload_dom.h"
#include "value.h"

namespace evercore::ext {

namespace {

using simdjson::dom::element;

// The array is walked twice at once: as parsed elements, which are checked and unescaped, and as
// text, from which data and metadata are cut byte for byte.

/// The members of one object by the index of their name; those that are null count as absent. The
/// fault of an unknown name is kept: others go before it.
template <std::size_t N>
class ObjectMembers {
 public:
  using Names = std::array<std::string_view, N>;

  ObjectMembers(simdjson::dom::object object, Cursor& text, const Names& names,
                std::string_view what)
      : what_(what) {
    text.open();
    for (const auto [key, value] : object) {
      text.more();
      text.key();
      const Cursor at_value = text;
      const std::string_view slice = text.value();
      const auto name =
          static_cast<std::size_t>(std::find(names.begin(), names.end(), key) - names.begin());
      if (name == N) {
        if (unknown_.data() == nullptr) unknown_ = key;
        continue;
      }
      if ((seen_ >> name & 1) != 0) {
        throw error(4, "appends: duplicate key \"" + std::string(key) + "\"");
      }
      seen_ |= 1u << name;
      if (!value.is_null()) members_[name] = Member{value, slice, at_value};
    }
    text.more();
  }

  struct Member {
    element value;
    std::string_view slice;
    Cursor text{""};
  };
  [[nodiscard]] const std::optional<Member>& operator[](std::size_t name) const {
    return members_[name];
  }
  /// The member's text where it is a string.
  [[nodiscard]] std::optional<std::string_view> string(std::size_t name) const {
    std::string_view text;
    if (!members_[name] || members_[name]->value.get_string().get(text) != simdjson::SUCCESS) {
      return std::nullopt;
    }
    return text;
  }
  /// The same, or an integer in the place of it.
  [[nodiscard]] std::optional<std::string_view> text(std::size_t name) const {
    if (!members_[name] || members_[name]->value.is_string()) return string(name);
    const std::string_view slice = members_[name]->slice;
    return is_digits(slice.substr(slice.starts_with('-') ? 1 : 0)) ? std::optional(slice)
                                                                   : std::nullopt;
  }
  /// EV009 where it is there and no string, or no text.
  void require_string(std::size_t name, std::string_view argument) const {
    if (members_[name] && !string(name)) throw error(9, std::string(argument) + " is not text");
  }
  void require_text(std::size_t name, std::string_view argument) const {
    if (members_[name] && !text(name)) throw error(9, std::string(argument) + " is not text");
  }
  void refuse_unknown() const {
    if (unknown_.data() == nullptr) return;
    throw error(9, "unknown member \"" + std::string(unknown_) + "\" in an " + std::string(what_));
  }

 private:
  std::array<std::optional<Member>, N> members_;
  std::string_view what_;
  std::string_view unknown_;
  unsigned seen_ = 0;
};

enum AppendMember {
  append_id,
  append_type,
  append_key,
  append_expected,
  append_repeats,
  append_events
};
constexpr std::array<std::string_view, 6> append_names = {
    "aggregate_id", "aggregate_type", "natural_key", "expected", "repeats", "events"};
enum EventMember {
  event_type,
  event_data,
  event_reference,
  event_metadata,
  event_time,
  event_id,
  event_tags
};
constexpr std::array<std::string_view, 7> event_names = {
    "event_type", "data", "reference", "metadata", "event_time", "event_id", "tags"};
using AppendMembers = ObjectMembers<append_names.size()>;
using EventMembers = ObjectMembers<event_names.size()>;

std::int64_t integer_in(const AppendMembers::Member& member, std::string_view argument) {
  std::int64_t number = 0;
  if (member.value.get_int64().get(number) == simdjson::SUCCESS) return number;
  std::optional<std::int64_t> exact;
  std::string_view text;
  if (member.value.is_number()) exact = integer_of_number(member.slice);
  if (member.value.get_string().get(text) == simdjson::SUCCESS) exact = ext::integer_in(text);
  if (!exact) throw error(9, std::string(argument) + " is not an integer");
  return *exact;
}

/// Reads one element of the array: its header is checked with its first event.
class AppendReader {
 public:
  /// `known_type`: the event type that was checked last, in this array.
  AppendReader(Payload& payload, const AppendMembers& members, std::string_view& known_type,
               JsonAppends& out)
      : payload_(payload), members_(members), known_type_(known_type), out_(out) {}

  void read() {
    append_.first = out_.events.size();
    simdjson::dom::array events;
    const auto& member = members_[append_events];
    if (member && member->value.get_array().get(events) == simdjson::SUCCESS) {
      Cursor text = member->text;
      text.open();
      for (const element item : events) {
        text.more();
        read_event(item, text);
      }
    }
    append_.count = out_.events.size() - append_.first;
    if (append_.count == 0) refuse_empty();
    out_.appends.push_back(append_);
  }

 private:
  [[noreturn]] void refuse_empty() {
    check_names();
    check_rest();
    check_target();
    const auto& events = members_[append_events];
    if (!events) throw error(9, "events is missing");
    throw error(9, events->value.is_array() ? "events is empty" : "events is not an array");
  }

  void check_names() {
    if (!members_[append_id]) {
      require_key(members_[append_type].has_value(), members_[append_key].has_value());
    }
    if (const auto type = members_.string(append_type)) {
      check_name(*type, "aggregate_type", max_type_name);
      append_.target.type = *type;
    }
    if (const auto key = members_.text(append_key)) {
      check_name(*key, "natural_key", max_natural_key);
      append_.target.key = *key;
    }
  }

  void check_rest() {
    members_.refuse_unknown();
    if (members_[append_expected]) {
      append_.expected = integer_in(*members_[append_expected], "expected");
      if (*append_.expected < 0) throw out_of_range("expected", *append_.expected);
    }
    if (members_[append_repeats]) {
      append_.skips_repeats = members_.string(append_repeats) == "skip";
      if (!append_.skips_repeats) throw error(9, "repeats is not \"skip\"");
    }
  }

  void check_target() {
    members_.require_string(append_type, "aggregate_type");
    members_.require_text(append_key, "natural_key");
    if (!members_[append_id]) return;
    if (members_[append_type] || members_[append_key]) throw named_twice();
    append_.target.id = integer_in(*members_[append_id], "aggregate_id");
  }

  void read_event(element item, Cursor& text) {
    const bool is_first = out_.events.size() == append_.first;
    simdjson::dom::object object;
    if (item.get_object().get(object) != simdjson::SUCCESS) {
      if (is_first) check_names();
      throw error(9, "an event is not an object");
    }
    const EventMembers members(object, text, event_names, "event");
    NewEvent event;
    check_payloads(members, event);
    if (is_first) check_names();
    check_event_names(members, event);
    std::optional<GivenTags> tags;
    if (const auto& member = members[event_tags]) {
      tags.emplace().read(payload_, text_of(*member));
      tags->check_names();
    }
    if (!members[event_data]) throw error(9, "data is NULL");
    if (is_first) check_rest();
    check_event_rest(members, event, tags);
    if (is_first) check_target();
    if (auto taken = tags ? tags->take() : std::nullopt) {
      event.tags = &out_.tags.emplace_front(std::move(*taken));
    }
    out_.events.push_back(event);
  }

  void check_payloads(const EventMembers& members, NewEvent& event) {
    if (const auto& data = members[event_data]) event.data = checked_payload("data", *data);
    if (const auto& metadata = members[event_metadata]) {
      event.metadata = checked_payload("metadata", *metadata);
      check_size(event);
    }
  }

  /// A document stands there as JSON, or as a string that holds it.
  static std::string_view text_of(const EventMembers::Member& member) {
    std::string_view text;
    return member.value.get_string().get(text) == simdjson::SUCCESS ? text : member.slice;
  }

  std::string_view checked_payload(std::string_view argument, const EventMembers::Member& member) {
    std::string_view text;
    if (member.value.get_string().get(text) == simdjson::SUCCESS) {
      payload_.check(argument, text);
      return text;
    }
    payload_.dom().check(argument, member.value, member.slice);
    return member.slice;
  }

  void check_event_names(const EventMembers& members, NewEvent& event) {
    if (!members[event_type]) throw error(5, "event_type is NULL");
    if (const auto name = members.string(event_type)) {
      if (name->empty() || *name != known_type_) check_name(*name, "event_type", max_type_name);
      event.event_type = known_type_ = *name;
    }
    if (const auto id = members.text(event_id)) {
      check_name(*id, "event_id", max_event_id);
      event.event_id = *id;
    }
  }

  static void check_event_rest(const EventMembers& members, NewEvent& event,
                               const std::optional<GivenTags>& tags) {
    members.refuse_unknown();
    members.require_text(event_reference, "reference");
    if (const auto reference = members.text(event_reference)) {
      check_reference(*reference);
      event.reference = *reference;
    }
    members.require_text(event_time, "event_time");
    if (const auto time = members.text(event_time)) event.event_time = time_in(*time, "event_time");
    if (tags) tags->check_rest();
    members.require_string(event_type, "event_type");
    members.require_text(event_id, "event_id");
  }

  Payload& payload_;
  const AppendMembers& members_;
  std::string_view& known_type_;
  JsonAppends& out_;
  JsonAppend append_;
};

/// For a payload of an array that is no JSON: EV004 where it is at fault itself.
void check_piece(Payload& payload, std::string_view argument, std::string_view value) {
  if (value == "null") return;
  if (!value.starts_with('"')) return payload.check(argument, value);
  const std::string wrapped = "{\"\":" + std::string(value) + "}";
  const std::string word = payload.verdict(wrapped);
  if (word.empty()) return payload.check(argument, unescape(value.substr(1, value.size() - 2)));
  if (word != "NUL") throw error(4, std::string(argument) + ": " + word);
}

/// The same for tags, which are no payload: EV009.
void check_tags(std::string_view value) {
  if (find_fault("{\"\":" + std::string(value) + "}").word != "lone surrogate") return;
  throw not_tags();
}

JsonAppends read_array(Payload& payload, element root, std::string_view text) {
  simdjson::dom::array array;
  if (root.get_array().get(array) != simdjson::SUCCESS) throw error(9, "appends is not an array");
  JsonAppends out;
  std::string_view known_type;
  Cursor cursor(text);
  cursor.open();
  for (const element item : array) {
    cursor.more();
    simdjson::dom::object object;
    if (item.get_object().get(object) != simdjson::SUCCESS) {
      throw error(9, "an append is not an object");
    }
    const AppendMembers members(object, cursor, append_names, "append");
    AppendReader(payload, members, known_type, out).read();
  }
  return out;
}

bool is_json(Payload& payload, std::string_view text) {
  return payload.dom().parse(text).has_value();
}

void add_item(std::string& list, std::string_view item) {
  if (!list.empty()) list += ',';
  list += item;
}

/// An element with those of its events that come before the broken one; empty where there are none.
std::string events_before_fault(Payload& payload, std::string_view append) {
  std::string members;
  std::string events;
  for (Members part(append); part.next();) {
    if (part.raw_key() == "events") {
      Elements event(part.value());
      while (event.next() && is_json(payload, event.value())) add_item(events, event.value());
    } else {
      add_item(members, '"' + std::string(part.raw_key()) + "\":" + std::string(part.value()));
    }
  }
  if (events.empty()) return {};
  add_item(members, "\"events\":[" + events + "]");
  return "{" + members + "}";
}

/// What comes before the first document of the array that is broken by itself, as with a lone
/// surrogate; empty where the array is no JSON as a whole.
std::string before_fault(Payload& payload, std::string_view appends) {
  const Fault fault = find_fault(appends);
  if (fault.word == "not JSON" || fault.word == "not UTF-8" || fault.word == "too deep") return {};
  std::string sound;
  bool found = false;
  Elements append(appends);
  while (append.next()) {
    if (found) continue;
    found = !is_json(payload, append.value());
    const std::string part =
        found ? events_before_fault(payload, append.value()) : std::string(append.value());
    if (!part.empty()) add_item(sound, part);
  }
  return append.failed() ? std::string() : "[" + sound + "]";
}

/// For an array that is no JSON: EV004 named after the payload at fault, where it lies in one.
[[noreturn]] void refuse_appends(Payload& payload, std::string_view appends) {
  for (Elements append(appends); append.next();) {
    for (Members part(append.value()); part.next();) {
      if (part.raw_key() != "events") continue;
      for (Elements event(part.value()); event.next();) {
        for (Members member(event.value()); member.next();) {
          const std::string_view name = member.raw_key();
          if (name == "data" || name == "metadata") {
            check_piece(payload, name, member.value());
          } else if (name == "tags") {
            check_tags(member.value());
          }
        }
      }
    }
  }
  payload.check_value("appends", appends);
  throw error(4, "appends: not JSON");
}

}  // namespace

JsonAppends read_appends(Payload& payload, std::string_view text) {
  const auto root = payload.dom().parse(text);
  if (!root) {
    const std::string before = before_fault(payload, text);
    if (const auto sound = payload.dom().parse(before)) {
      static_cast<void>(read_array(payload, *sound, before));  // an earlier event may be at fault
    }
    refuse_appends(payload, text);
  }
  return read_array(payload, *root, text);
}

}  // namespace evercore::ext
