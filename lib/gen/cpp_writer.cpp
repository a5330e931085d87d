#include "names.h"
#include "writers.h"

namespace evercore::gen {

namespace {

constexpr std::string_view stale = "this header is stale; run evercoregen again";

// Items of a list, one a line, indented, separated by commas.
template <class Items, class Spell>
std::string lines(const Items& items, std::string_view indent, const Spell& spell) {
  std::string out;
  for (const auto& item : items) {
    out += (out.empty() ? "\n" : ",\n") + std::string(indent) + spell(item);
  }
  return out;
}

template <class Items>
std::string types(const Items& items, std::string_view indent) {
  return lines(items, indent, [](const auto& item) { return item.cpp; });
}

std::string alias_of(const Aggregate& aggregate) {
  return aggregate.name + "Aggregate";
}

void add_aggregates(std::string& out, const Model& model) {
  for (const Aggregate& aggregate : model.aggregates) {
    out += "// The aggregate whose state is " + aggregate.cpp.substr(2) + ".\nusing " +
           alias_of(aggregate) + " = evercore::StateAggregate<\n    " + aggregate.cpp + "," +
           lines(aggregate.events, "    ",
                 [&](std::size_t event) { return model.events[event].cpp; }) +
           ">;\n\n";
  }
  out +=
      "// Every aggregate type, for EventStore::warmup().\n"
      "inline constexpr evercore::Registry<" +
      lines(model.aggregates, "    ", [](const Aggregate& a) { return alias_of(a); }) +
      ">\n    registry{};\n\n";
}

template <class Items>
void add_names(std::string& out, std::string_view comment, std::string_view array,
               const Items& items) {
  out += "// " + std::string(comment) + "\ninline constexpr std::array<std::string_view, " +
         std::to_string(items.size()) + "> " + std::string(array) + "{" +
         lines(items, "    ", [](const auto& item) { return cpp_text(item.stored); }) + "};\n\n";
}

void add_decoder(std::string& out, const Model& model) {
  out +=
      "// Any of the events.\nusing AnyEvent = std::variant<" + types(model.events, "    ") +
      ">;\n\n"
      "// Decodes a stored event as the struct whose name, alias or older form it bears. Gives "
      "nothing\n"
      "// for an event of another type. Throws evercore::decode_error when the data does not fit.\n"
      "inline std::optional<AnyEvent> decode(const evercore::RecordedEvent& event) {\n";
  for (const Event& event : model.events) {
    out += "  if (auto decoded = evercore::decode_event<" + event.cpp +
           ">(event)) {\n    return AnyEvent(std::in_place_type<" + event.cpp +
           ">, std::move(*decoded));\n  }\n";
  }
  out += "  return std::nullopt;\n}\n\n";
}

void add_assertion(std::string& out, const std::string& condition) {
  out += "static_assert(" + condition + ",\n              " + cpp_text(stale) + ");\n";
}

// What the script and the lists say must be what the library will do.
void add_assertions(std::string& out, const Model& model) {
  out += "// The names are pinned: an event keeps the name it is stored under.\n";
  for (const Aggregate& aggregate : model.aggregates) {
    add_assertion(out, "evercore::detail::aggregate_name<" + aggregate.cpp +
                           ">() == " + cpp_text(aggregate.stored));
    if (aggregate.schema.empty()) continue;
    add_assertion(out, "evercore::detail::declared_schema<" + aggregate.cpp +
                           ">() == " + cpp_text(aggregate.schema));
  }
  for (const Event& event : model.events) {
    add_assertion(out, "evercore::event_name<" + event.cpp + ">() == " + cpp_text(event.stored));
    for (const auto& [function, text] :
         {std::pair("event_tags", &event.tags), std::pair("declared_schema", &event.schema)}) {
      if (text->empty()) continue;
      add_assertion(out, "evercore::detail::" + std::string(function) + "<" + event.cpp +
                             ">() == " + cpp_text(*text));
    }
  }
  for (const Aggregate& aggregate : model.aggregates) {
    for (const std::size_t index : aggregate.events) {
      const Event& event = model.events[index];
      const std::string fold = event.fold == Fold::merge ? "merge"
                               : event.rules.empty()     ? "custom"
                                                         : event.rules;
      add_assertion(out, "evercore::detail::declared_fold<" + aggregate.cpp + ", " + event.cpp +
                             ">() == " + cpp_text(fold));
    }
  }
  out +=
      "static_assert(evercore::detail::event_names_differ<" + types(model.events, "    ") +
      ">(),\n              \"two events have one name (aliases and old structs included)\");\n\n";
}

}  // namespace

std::string write_header(const Model& model, std::span<const std::string> sources,
                         std::string_view name_space, std::string_view guard) {
  std::string from, includes;
  for (const std::string& source : sources) {
    from += (from.empty() ? "" : ", ") + source;
    includes += "#include \"" + source + "\"\n";
  }
  const std::string space(name_space), once(guard);
  std::string out = "// Generated by evercoregen " EVERCORE_VERSION " from " + from +
                    "; do not edit.\n// clang-format off\n#ifndef " + once + "\n#define " + once +
                    "\n\n#include <evercore/evercore.h>\n\n#include <array>\n#include <optional>\n"
                    "#include <string_view>\n#include <utility>\n#include <variant>\n\n" +
                    includes + "\nnamespace " + space + " {\n\n";
  add_aggregates(out, model);
  add_names(out, "The names of the aggregate types, as they are stored.", "aggregate_types",
            model.aggregates);
  add_names(out, "The names of the event types, as they are stored.", "event_types", model.events);
  add_decoder(out, model);
  add_assertions(out, model);
  out += "}  // namespace " + space + "\n\n#endif  // " + once + "\n";
  return out;
}

}  // namespace evercore::gen
