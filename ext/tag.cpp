#include "tag.h"

#include <algorithm>

#include "aggregate.h"
#include "connection.h"
#include "error.h"
#include "json.h"
#include "maintenance.h"
#include "payload_dom.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

constexpr std::size_t most_remembered = 50'000;

/// As append_quoted(), but with the short escapes of PostgreSQL's array_to_json().
void append_tag(std::string& out, std::string_view tag) {
  constexpr std::string_view controls = "\b\f\n\r\t";
  constexpr std::string_view letters = "bfnrt";
  if (tag.find_first_of(controls) == std::string_view::npos) return append_quoted(out, tag);
  std::string inside;
  out += '"';
  for (const char& c : tag) {
    const std::size_t control = controls.find(c);
    if (control != std::string_view::npos) {
      out += '\\';
      out += letters[control];
      continue;
    }
    inside.clear();
    append_quoted(inside, {&c, 1});
    out.append(inside, 1, inside.size() - 2);
  }
  out += '"';
}

std::string too_many() {
  return "tags are more than " + std::to_string(max_tags);
}

std::int64_t ensure_id(Connection& connection, std::string_view tag) {
  if (const auto known = connection.tags.find(tag)) return *known;
  auto id = find_tag(connection, tag);
  if (!id) {
    const Arrival arrival(connection.db());
    connection.prepare("INSERT INTO main.evercore_tag (tag) VALUES (?1)").bind(1, tag).run();
    id = arrival.rowid();
  }
  connection.tags.learn(tag, *id);
  return *id;
}

bool has_row(Connection& connection, std::int64_t tag_id, std::int64_t type_id,
             std::int64_t position) {
  return connection
      .prepare(
          "SELECT 1 FROM main.evercore_event_tag"
          " WHERE tag_id = ?1 AND type_id = ?2 AND position = ?3")
      .bind(1, tag_id)
      .bind(2, type_id)
      .bind(3, position)
      .step();
}

struct TaggedEvent {
  std::int64_t position;
  std::int64_t type_id;
  std::string tags;
};

std::vector<TaggedEvent> tagged_events(Connection& connection, std::int64_t aggregate_id) {
  Statement find = connection.prepare(
      "SELECT position, type_id, tags FROM main.evercore_event INDEXED BY evercore_event_sequence"
      " WHERE aggregate_id = ?1 AND tags IS NOT NULL");
  find.bind(1, aggregate_id);
  std::vector<TaggedEvent> events;
  while (find.step()) {
    events.push_back({find.integer(0), find.integer(1), std::string(find.text(2))});
  }
  return events;
}

/// The numbers of the tags whose rows went.
std::vector<std::int64_t> remove_rows(Connection& connection,
                                      const std::vector<TaggedEvent>& events) {
  std::vector<std::int64_t> ids;
  for (const TaggedEvent& event : events) {
    const auto tags = stored_tags(connection.payload, event.tags);
    if (!tags) throw damaged("tags of event " + std::to_string(event.position));
    for (const std::string& name : tags->names) {
      const auto id = find_tag(connection, name);
      if (!id) continue;
      connection
          .prepare(
              "DELETE FROM main.evercore_event_tag"
              " WHERE tag_id = ?1 AND type_id = ?2 AND position = ?3")
          .bind(1, *id)
          .bind(2, event.type_id)
          .bind(3, event.position)
          .run();
      if (has_row(connection, *id, event.type_id, event.position)) {
        throw cut_short("a tag of event " + std::to_string(event.position) + " stays");
      }
      ids.push_back(*id);
    }
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace

void GivenTags::read(Payload& payload, std::string_view json) {
  simdjson::dom::array array;
  const auto root = payload.dom().parse_aside(json);
  sound_ = root && root->get_array().get(array) == simdjson::SUCCESS;
  if (!sound_) return;
  for (const simdjson::dom::element item : array) {
    std::string_view name;
    sound_ = item.get_string().get(name) == simdjson::SUCCESS &&
             name.find('\0') == std::string_view::npos;
    if (!sound_) return;
    add(name);
  }
}

void GivenTags::add(std::string_view name) {
  if (name_fault_.empty()) name_fault_ = fault_of_name(name, "tag", max_tag);
  if (too_many_ || std::find(tags_.names.begin(), tags_.names.end(), name) != tags_.names.end()) {
    return;
  }
  too_many_ = tags_.names.size() == max_tags;
  if (too_many_) return;
  tags_.names.emplace_back(name);
  tags_.text += tags_.text.empty() ? '[' : ',';
  append_tag(tags_.text, name);
}

void GivenTags::check_names() const {
  if (sound_ && !name_fault_.empty()) throw error(5, name_fault_);
}

void GivenTags::check_rest() const {
  if (!sound_) throw not_tags();
  if (too_many_) throw error(9, too_many());
}

std::string GivenTags::fault() const {
  if (!name_fault_.empty()) return name_fault_;
  return too_many_ ? too_many() : std::string();
}

Error not_tags() {
  return error(9, "tags is not an array of texts");
}

std::optional<Tags> GivenTags::take() {
  if (tags_.names.empty()) return std::nullopt;
  tags_.text += ']';
  return std::move(tags_);
}

std::optional<Tags> stored_tags(Payload& payload, std::string_view text) {
  GivenTags given;
  given.read(payload, text);
  if (!given.sound()) return std::nullopt;
  auto tags = given.take();
  return tags && tags->text == text ? tags : std::nullopt;
}

std::optional<std::int64_t> TagIds::find(std::string_view tag) const {
  const auto found = ids_.find(tag);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

void TagIds::learn(std::string_view tag, std::int64_t id) {
  if (ids_.size() >= most_remembered) forget();
  since_commit_ = true;
  ids_.insert_or_assign(std::string(tag), id);
}

std::optional<std::int64_t> find_tag(Connection& connection, std::string_view tag) {
  Statement find = connection.prepare("SELECT tag_id FROM main.evercore_tag WHERE tag = ?1");
  return find.bind(1, tag).step() ? std::optional(find.integer(0)) : std::nullopt;
}

void index_tags(Connection& connection, const Tags& tags, std::int64_t type_id,
                std::int64_t position) {
  for (const std::string& name : tags.names) {
    const std::int64_t id = ensure_id(connection, name);
    const Arrival arrival(connection.db());
    connection
        .prepare(
            "INSERT INTO main.evercore_event_tag (tag_id, type_id, position) VALUES (?1, ?2, ?3)")
        .bind(1, id)
        .bind(2, type_id)
        .bind(3, position)
        .run();
    if (!arrival.came()) throw vanished();
  }
}

void remove_tags(Connection& connection, std::int64_t aggregate_id) {
  const std::vector<TaggedEvent> events = tagged_events(connection, aggregate_id);
  if (events.empty()) return;
  connection.tags.forget();
  with_maintenance(connection, [&] {
    for (const std::int64_t id : remove_rows(connection, events)) {
      connection
          .prepare(
              "DELETE FROM main.evercore_tag WHERE tag_id = ?1 AND NOT EXISTS"
              " (SELECT 1 FROM main.evercore_event_tag WHERE tag_id = ?1)")
          .bind(1, id)
          .run();
    }
  });
}

bool is_indexed(Connection& connection, const Tags& tags, std::int64_t type_id,
                std::int64_t position) {
  return std::all_of(tags.names.begin(), tags.names.end(), [&](const std::string& name) {
    const auto id = find_tag(connection, name);
    return id && has_row(connection, *id, type_id, position);
  });
}

std::optional<std::string> tagged(Connection& connection, const Aggregate& aggregate,
                                  std::int64_t sequence) {
  Statement find = connection.prepare(
      "SELECT position FROM main.evercore_event INDEXED BY evercore_event_sequence"
      " WHERE aggregate_id = ?1 AND sequence <= ?2 AND (tags IS NOT NULL OR data IS NOT NULL"
      " AND type_id IN (SELECT type_id FROM main.evercore_event_type WHERE fill_upto IS NOT NULL))"
      " ORDER BY sequence LIMIT 1");
  if (!find.bind(1, aggregate.id).bind(2, sequence).step()) return std::nullopt;
  return "event " + std::to_string(find.integer(0)) + " bears tags and stays";
}

}  // namespace evercore::ext
