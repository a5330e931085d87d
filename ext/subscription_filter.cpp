// What a filter is: {"aggregate_type":"User","natural_key":"ann","event_types":["A","B"],"tags":["a"]},
// each member optional, a key only with its type. `types` is another word for `event_types`.
#include <algorithm>

#include "error.h"
#include "fold.h"
#include "json.h"
#include "subscription.h"
#include "value.h"

namespace evercore::ext {

namespace {

bool is_string(std::string_view json) {
  return !json.empty() && json.front() == '"';
}

std::string string_of(std::string_view json) {
  return unescape(json.substr(1, json.size() - 2));
}

std::optional<std::string> name_in(std::string_view json, std::string_view member,
                                   std::size_t most) {
  if (json == "null") return std::nullopt;
  if (!is_string(json)) throw error(9, "filter: " + std::string(member) + " is not text");
  std::string name = string_of(json);
  check_name(name, member, most);
  return name;
}

/// `what` is one of them.
std::vector<std::string> names_in(std::string_view json, std::string_view member,
                                  std::string_view what, std::size_t longest) {
  std::vector<std::string> names;
  if (json == "null") return names;
  const auto refuse = [&] {
    return error(9, "filter: " + std::string(member) + " is not an array of names");
  };
  if (json.front() != '[') throw refuse();
  for (Elements element(json); element.next();) {
    if (!is_string(element.value())) throw refuse();
    names.push_back(string_of(element.value()));
    check_name(names.back(), what, longest);
  }
  if (names.empty()) throw refuse();
  return names;
}

void append_member(std::string& out, std::string_view key) {
  out += out.size() > 1 ? "," : "";
  append_quoted(out, key);
  out += ':';
}

/// Whether the column type_ids holds what the event types of a filter are known as.
bool are_ids_of(Connection& connection, const std::vector<std::string>& names,
                std::string_view text) {
  const auto ids = parse_type_ids(text);
  if (!ids || names.empty()) return false;
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    const auto id = find_event_type(connection, name);
    return id && std::find(ids->begin(), ids->end(), *id) != ids->end();
  });
}

/// Whether the columns of a row of SUBSCRIPTION_FILTERS are what its text says.
bool says_what_it_holds(Connection& connection, const Statement& row) {
  Filter filter;
  if (!row.is_null(1)) {
    filter = parse_filter(connection, row.text(1));
    if (canonical(filter) != row.text(1)) return false;
  }
  const auto is = [&](int column, const std::optional<std::string>& part) {
    return part ? !row.is_null(column) && row.text(column) == *part : row.is_null(column);
  };
  if (!is(2, filter.aggregate_type) || !is(3, filter.natural_key)) return false;
  if (!is(5, filter.tags.empty() ? std::nullopt : std::optional(array_of(filter.tags)))) {
    return false;
  }
  if (row.is_null(4)) return filter.event_types.empty();
  return are_ids_of(connection, filter.event_types, row.text(4));
}

}  // namespace

bool is_sound_filter(Connection& connection, const Statement& row) {
  try {
    return says_what_it_holds(connection, row);
  } catch (const Error& failure) {
    if (failure.code == Code::engine) throw;
    return false;
  }
}

Filter parse_filter(Connection& connection, std::string_view json) {
  connection.payload.check("filter", json);
  Filter filter;
  std::string types;  // by which word they are given
  for (Members member(json); member.next();) {
    const std::string key = unescape(member.raw_key());
    if (key == "aggregate_type") {
      filter.aggregate_type = name_in(member.value(), key, max_type_name);
    } else if (key == "natural_key") {
      filter.natural_key = name_in(member.value(), key, max_natural_key);
    } else if (key == "event_types" || key == "types") {
      if (!types.empty()) throw error(9, "filter: types and event_types are one");
      types = key;
      filter.event_types = names_in(member.value(), key, "event_type", max_type_name);
    } else if (key == "tags") {
      filter.tags = names_in(member.value(), key, "tag", max_tag);
      if (filter.tags.size() > max_tags) {
        throw error(9, "filter: tags are more than " + std::to_string(max_tags));
      }
    } else {
      throw error(9, "filter: unknown member \"" + key + "\"");
    }
  }
  if (filter.natural_key && !filter.aggregate_type) {
    throw error(9, "filter: natural_key needs aggregate_type");
  }
  return filter;
}

std::string array_of(const std::vector<std::string>& names) {
  std::string out = "[";
  for (const std::string& name : names) {
    if (out.size() > 1) out += ',';
    append_quoted(out, name);
  }
  return out + "]";
}

std::string canonical(const Filter& filter) {
  std::string out = "{";
  if (filter.aggregate_type) {
    append_member(out, "aggregate_type");
    append_quoted(out, *filter.aggregate_type);
  }
  if (filter.natural_key) {
    append_member(out, "natural_key");
    append_quoted(out, *filter.natural_key);
  }
  if (!filter.event_types.empty()) {
    append_member(out, "event_types");
    out += array_of(filter.event_types);
  }
  if (!filter.tags.empty()) {
    append_member(out, "tags");
    out += array_of(filter.tags);
  }
  return out + "}";
}

}  // namespace evercore::ext
