// Queries by type and tag, appends that depend on one, and the index by type.
#include <algorithm>

#include "simulate/call.h"

namespace evercore::simulate {

namespace {

struct Item {
  std::vector<std::string> types, tags;
  std::optional<Number> after;
};

// As arguments: for each item its types and tags as JSON, and its position.

std::vector<Item> read_items(const Arguments& arguments, std::size_t from) {
  std::vector<Item> items;
  for (std::size_t at = from; at < arguments.size(); at += 3) {
    items.push_back({read_texts(text(arguments[at]).value_or("")),
                     read_texts(text(arguments[at + 1]).value_or("")), number(arguments[at + 2])});
  }
  return items;
}

std::string items_as_json(const Arguments& arguments, std::size_t from) {
  std::string out;
  for (const Item& item : read_items(arguments, from)) {
    std::string members;
    if (const Text types = texts_as_json(item.types)) members += ",\"types\":" + *types;
    if (const Text tags = texts_as_json(item.tags)) members += ",\"tags\":" + *tags;
    if (item.after) members += ",\"after\":" + cell(item.after);
    out += (out.empty() ? "{" : ",{") + members.substr(1) + "}";
  }
  return "[" + out + "]";
}

Arguments make_items(Maker& maker, bool with_after) {
  Arguments items;
  for (Number count = maker.random.below(4); count > 0; --count) {
    const bool tagged = maker.random.chance(70);
    items.push_back(!tagged || maker.random.chance(50)
                        ? maker.some({"[\"M\"]", "[\"P\",\"N\"]", "[\"later\",\"C\"]"})
                        : Argument());
    items.push_back(
        tagged ? maker.some({"[\"a\"]", "[\"a\",\"b\"]", "[\"c\"]", "[\"never\"]", "[\"a:1\"]"})
               : Argument());
    items.push_back(
        with_after && maker.random.chance(30)
            ? Argument(maker.random.between(0, maker.store.head + (maker.random.chance(3) ? 1 : 0)))
            : Argument());
  }
  return items;
}

bool has_item_without_tags(const std::vector<Item>& items) {
  return items.empty() || std::any_of(items.begin(), items.end(),
                                      [](const Item& item) { return item.tags.empty(); });
}

/// EV010 where compaction removed what an item without tags asks for.
void refuse_compacted(const Store& store, const std::vector<Item>& items, Number after) {
  std::map<std::string, Number> removed;
  for (const auto& [id, aggregate] : store.aggregates) {
    for (const auto& [type, position] : aggregate.compacted)
      removed[type] = std::max(removed[type], position);
  }
  const auto look = [](const std::string& type, Number position, Number from) {
    if (position > from)
      refuse(10, "events of \"" + type + "\" up to " + cell(position) + " were compacted");
  };
  if (items.empty() && !removed.empty()) {
    const auto newest =
        std::max_element(removed.begin(), removed.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    look(newest->first, newest->second, after);
  }
  for (const Item& item : items) {
    if (!item.tags.empty()) continue;
    for (const std::string& type : item.types) {
      const auto found = removed.find(type);
      if (found != removed.end()) look(type, found->second, item.after.value_or(after));
    }
  }
}

bool matches(const std::vector<Item>& items, const Event& event, Number after) {
  if (event.removed) return false;
  if (items.empty()) return event.position > after;
  return std::any_of(items.begin(), items.end(), [&](const Item& item) {
    const auto& types = item.types;
    return event.position > item.after.value_or(after) && event.bears(item.tags) &&
           (types.empty() || std::find(types.begin(), types.end(), event.type) != types.end());
  });
}

// after, limit, items

Rows query(Scene& scene, const Arguments& arguments) {
  const Number after = number(arguments[0]).value_or(0);
  const Number limit = number(arguments[1]).value_or(INT64_MAX);
  const std::vector<Item> items = read_items(arguments, 2);
  if (limit < 0) refuse(9, "limit is out of range: " + cell(limit));
  if (after > scene.store.head) refuse(9, "after is out of range: " + cell(after));
  refuse_compacted(scene.store, items, after);
  Rows rows;
  for (const Event& event : scene.store.events) {
    if (static_cast<Number>(rows.size()) == limit) break;
    if (matches(items, event, after)) rows.push_back(log_row(scene.store, event));
  }
  return rows;
}

// after, the number of items' arguments, items, appends

std::size_t appends_at(const Arguments& arguments) {
  return 2 + static_cast<std::size_t>(*number(arguments[1]));
}

Arguments appends_of(const Arguments& arguments) {
  return {arguments.begin() + static_cast<std::ptrdiff_t>(appends_at(arguments)), arguments.end()};
}

Arguments items_of(const Arguments& arguments) {
  return {arguments.begin() + 2,
          arguments.begin() + static_cast<std::ptrdiff_t>(appends_at(arguments))};
}

Arguments make_conditional(Maker& maker) {
  Arguments items = make_items(maker, true);
  Arguments arguments = {
      maker.random.chance(20)
          ? Argument()
          : Argument(maker.random.between(std::max<Number>(0, maker.store.head - 9),
                                          maker.store.head + (maker.random.chance(3) ? 1 : 0))),
      static_cast<Number>(items.size())};
  for (const Arguments& more : {items, make_appends(maker)})
    arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// What most decisions are: one event with tags, where nothing came under one type and one tag.
Arguments make_decision(Maker& maker) {
  Arguments arguments = {std::max<Number>(0, maker.store.head - maker.random.below(4)), Number{3},
                         maker.some({"[\"M\"]", "[\"P\"]"}),
                         maker.some({"[\"a\"]", "[\"b\"]", "[\"never\"]"}), Argument()};
  for (const Argument& argument : make_plain_append(maker)) arguments.push_back(argument);
  return arguments;
}

std::string conditional_sql(const Arguments& a) {
  const std::string items = items_as_json(items_of(a), 0);
  return "SELECT evercore_append_many(" + literal(appends_as_json(appends_of(a))) + ", " +
         literal(items) + ", " + literal(a[0]) + ")";
}

Rows append_on_condition(Scene& scene, const Arguments& arguments) {
  const Number after = number(arguments[0]).value_or(0);
  const std::vector<Item> items = read_items(items_of(arguments), 0);
  return append_many_if(scene, appends_of(arguments), [&] {
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (items[i].after.value_or(0) > scene.store.head)
        refuse(9, "condition: /" + std::to_string(i) + "/after: out of range");
    }
    if (after > scene.store.head) refuse(9, "after is out of range: " + cell(after));
    if (has_item_without_tags(items) && !scene.store.types_indexed)
      refuse(10, "a condition without tags needs the index by type: SELECT evercore_index_types()");
    refuse_compacted(scene.store, items, after);
    for (const Event& event : scene.store.events) {
      if (!matches(items, event, after)) continue;
      refuse(1, "conflict: event " + cell(event.position) + " (" + event.type +
                    ") matches the condition");
    }
  });
}

Rows index_types(Scene& scene, const Arguments& arguments) {
  scene.store.types_indexed = number(arguments[0]).value_or(1) == 1;
  return {scene.store.types_indexed ? "1" : "0"};
}

}  // namespace

std::vector<Call> query_calls() {
  return {
      {"evercore_query", 4, false, log_columns, "ttttttttttttt",
       [](Maker& m) {
         Arguments arguments = {m.random.between(0, m.store.head + (m.random.chance(3) ? 1 : 0)),
                                m.some({{}, {}, Number{3}, Number{-1}})};
         const Arguments items = make_items(m, false);
         arguments.insert(arguments.end(), items.begin(), items.end());
         return arguments;
       },
       query,
       [](const Arguments& a) {
         return "SELECT " + std::string(log_columns) + " FROM evercore_query(" +
                literal(items_as_json(a, 2)) + ", " + literal(a[0]) + ", " + literal(a[1]) + ")";
       }},
      {"evercore_append_many", 5, true, "", "j", make_conditional, append_on_condition,
       conditional_sql},
      {"evercore_append_many", 9, true, "", "j", make_decision, append_on_condition,
       conditional_sql},
      {"evercore_index_types", 1, true, "", "t",
       [](Maker& m) {
         return Arguments{m.some({{}, {}, Number{1}, Number{0}})};
       },
       index_types},
  };
}

}  // namespace evercore::simulate
