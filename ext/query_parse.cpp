// Reading a query: its faults are named by a JSON Pointer, the first in the order of the document.
#include <algorithm>

#include "error.h"
#include "json.h"
#include "query.h"
#include "tag.h"
#include "value.h"

namespace evercore::ext {

namespace {

constexpr std::size_t most_items = 100;
constexpr std::size_t most_types = 100;  // of an item

std::size_t count_of(std::string_view array) {
  std::size_t count = 0;
  for (Elements element(array); element.next();) ++count;
  return count;
}

class Reader {
 public:
  Reader(std::string_view argument, bool takes_after)
      : argument_(argument), takes_after_(takes_after) {}

  /// Of legal JSON.
  Query read(std::string_view json) const {
    if (json.front() != '[') refuse("", "not an array");
    if (count_of(json) > most_items) refuse("", more_than(most_items) + " items");
    Query query;
    for (Elements item(json); item.next();) {
      query.items.push_back(read_item('/' + std::to_string(query.items.size()), item.value()));
    }
    return query;
  }

 private:
  [[noreturn]] void refuse(const std::string& pointer, const std::string& what) const {
    throw error(9, argument_ + ": " + (pointer.empty() ? "" : pointer + ": ") + what);
  }
  static std::string more_than(std::size_t most) { return "more than " + std::to_string(most); }

  QueryItem read_item(const std::string& place, std::string_view json) const {
    if (json.front() != '{') refuse(place, "not an object");
    QueryItem item;
    for (Members member(json); member.next();) {
      const std::string key = unescape(member.raw_key());
      const std::string at = place + pointer_to(key);
      if (key == "types") {
        item.types = read_names(at, member.value(), most_types, "event_type", max_type_name);
      } else if (key == "tags") {
        item.tags = read_names(at, member.value(), max_tags, "tag", max_tag);
      } else if (key == "after" && takes_after_) {
        item.after = read_after(at, member.value());
      } else {
        refuse(at, "unknown member");
      }
    }
    if (item.types.empty() && item.tags.empty()) refuse(place, "empty");
    return item;
  }

  /// Each once.
  std::vector<std::string> read_names(const std::string& place, std::string_view json,
                                      std::size_t most, std::string_view what,
                                      std::size_t longest) const {
    if (json.front() != '[') refuse(place, "not an array");
    const std::size_t count = count_of(json);
    if (count == 0) refuse(place, "empty");
    if (count > most) refuse(place, more_than(most));
    std::vector<std::string> names;
    std::size_t index = 0;
    for (Elements element(json); element.next(); ++index) {
      const std::string_view value = element.value();
      if (value.front() != '"') refuse(place + '/' + std::to_string(index), "not text");
      std::string name = unescape(value.substr(1, value.size() - 2));
      check_name(name, what, longest);
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(std::move(name));
      }
    }
    return names;
  }

  std::int64_t read_after(const std::string& place, std::string_view json) const {
    const bool number = json.front() == '-' || is_digits(json.substr(0, 1));
    const auto after = number ? integer_of_number(json) : std::nullopt;
    if (!after) refuse(place, "not an integer");
    if (*after < 0) refuse(place, "out of range");
    return *after;
  }

  std::string argument_;
  bool takes_after_;
};

Query parse(Connection& connection, std::string_view argument, bool takes_after,
            std::string_view json) {
  connection.payload.check_value(argument, json);
  return Reader(argument, takes_after).read(trim(json));
}

}  // namespace

Query parse_query(Connection& connection, std::string_view json) {
  return parse(connection, "query", false, json);
}

Query parse_condition(Connection& connection, std::string_view json) {
  return parse(connection, "condition", true, json);
}

}  // namespace evercore::ext
