// Reading rules: the first fault in the order of the text, else steps.
#include <algorithm>
#include <array>

#include "error.h"
#include "json.h"
#include "rules.h"

namespace evercore::ext {

namespace {

[[noreturn]] void refuse(const std::string& pointer, const char* words) {
  throw error(9, "fold: " + pointer + (pointer.empty() ? "" : ": ") + words);
}

std::size_t count_members(std::string_view object) {
  std::size_t count = 0;
  for (Members member(object); member.next();) ++count;
  return count;
}

std::size_t count_elements(std::string_view array) {
  std::size_t count = 0;
  for (Elements element(array); element.next();) ++count;
  return count;
}

}  // namespace

class RulesReader {
 public:
  explicit RulesReader(Rules& rules) : rules_(rules) {}

  void read(std::string_view json) {
    if (targets_in(json) > max_targets) refuse("", "too large");
    std::size_t index = 0;
    for (Elements element(json); element.next(); ++index) {
      const std::string place = "/" + std::to_string(index);
      if (element.value().front() != '{' || count_members(element.value()) != 1) {
        refuse(place, "not an operation");
      }
      Members operation(element.value());
      operation.next();
      const std::string name = unescape(operation.raw_key());
      read_operation(place + pointer_to(name), name, operation.value());
    }
  }

 private:
  using Kind = Rules::Kind;
  static constexpr std::pair<std::string_view, Kind> operations[] = {
      {"set", Kind::set},       {"add", Kind::add},       {"subtract", Kind::subtract},
      {"append", Kind::append}, {"remove", Kind::remove}, {"merge", Kind::merge},
      {"patch", Kind::patch}};
  static constexpr std::string_view fields[] = {"event_time", "event_type", "reference",
                                                "sequence"};

  static std::optional<Kind> kind_of(std::string_view name) {
    for (const auto& [known, kind] : operations) {
      if (known == name) return kind;
    }
    return std::nullopt;
  }

  /// Counts the targets of all operations. One that takes no targets counts as one target, an empty list as none.
  static std::size_t targets_in(std::string_view json) {
    std::size_t count = 0;
    for (Elements element(json); element.next();) {
      if (element.value().front() != '{') continue;
      for (Members member(element.value()); member.next();) {
        const auto kind = kind_of(unescape(member.raw_key()));
        const char first = member.value().front();
        if (!kind || *kind == Kind::merge || *kind == Kind::patch) {
          ++count;
        } else if (*kind == Kind::remove) {
          if (first == '[') count += count_elements(member.value());
        } else if (first == '{') {
          count += count_members(member.value());
        }
      }
    }
    return count;
  }

  void read_operation(const std::string& place, std::string_view name, std::string_view body) {
    const auto kind = kind_of(name);
    if (!kind) refuse(place, "unknown operation");
    if (*kind == Kind::merge || *kind == Kind::patch) {
      rules_.steps_.push_back({*kind, {}, false, source_of(place, body)});
    } else if (*kind == Kind::remove) {
      read_removal(place, body);
    } else {
      if (body.front() != '{') refuse(place, "not an object");
      for (Members member(body); member.next();) {
        const std::string target = unescape(member.raw_key());
        const std::string at = place + pointer_to(target);
        Rules::Step step{*kind, target_of(at, target), false, {}};
        if (step.target.empty() && *kind != Kind::set) refuse(at, "not a target");
        step.source = source_of(at, member.value());
        add(std::move(step));
      }
    }
  }

  void read_removal(const std::string& place, std::string_view body) {
    if (body.front() != '[') refuse(place, "not an array");
    std::vector<std::string> seen;
    for (Elements element(body); element.next();) {
      const std::string at = place + "/" + std::to_string(seen.size());
      if (element.value().front() != '"') refuse(at, "not a target");
      const std::string target = string_of(element.value());
      Rules::Step step{Kind::remove, target_of(at, target), false, {}};
      if (step.target.empty()) refuse(at, "not a target");
      if (std::find(seen.begin(), seen.end(), target) != seen.end()) refuse(at, "twice");
      seen.push_back(target);
      add(std::move(step));
    }
  }

  void add(Rules::Step step) {
    step.named_by_data =
        std::any_of(step.target.begin(), step.target.end(),
                    [](const Rules::Token& token) { return token.place.has_value(); });
    rules_.steps_.push_back(std::move(step));
  }

  /// Reads a target token by token. A token that begins with { ends at the first } before a slash or the end.
  std::vector<Rules::Token> target_of(const std::string& place, std::string_view target) {
    std::vector<Rules::Token> path;
    if (!target.empty() && target.front() != '/') refuse(place, "not a target");
    while (!target.empty()) {
      target.remove_prefix(1);
      const bool braced = target.starts_with('{');
      const std::size_t size =
          braced ? braced_size(target) : std::min(target.find('/'), target.size());
      if (size == std::string_view::npos) refuse(place, "not a target");
      const std::string_view token = target.substr(0, size);
      target.remove_prefix(size);
      if (!(braced ? add_pointer(path, token.substr(1, size - 2)) : add_name(path, token))) {
        refuse(place, "not a target");
      }
    }
    return path;
  }

  static std::size_t braced_size(std::string_view target) {
    for (std::size_t i = 1; i < target.size(); ++i) {
      if (target[i] == '}' && (i + 1 == target.size() || target[i + 1] == '/')) return i + 1;
    }
    return std::string_view::npos;
  }

  bool add_pointer(std::vector<Rules::Token>& path, std::string_view pointer) {
    const auto tokens = tokens_of_pointer(pointer);
    if (!tokens || pointer.find('}') != std::string_view::npos) return false;
    path.push_back({{}, {}, rules_.pointers_.add(*tokens), std::string(pointer)});
    return true;
  }

  static bool add_name(std::vector<Rules::Token>& path, std::string_view token) {
    auto tokens = tokens_of_pointer("/" + std::string(token));
    if (!tokens) return false;
    std::string raw;
    append_quoted(raw, tokens->front());
    path.push_back(
        {std::move(tokens->front()), raw.substr(1, raw.size() - 2), std::nullopt, std::nullopt});
    return true;
  }

  Rules::Source source_of(const std::string& place, std::string_view json) {
    Rules::Source source;
    if (json.front() == '"') {
      source.pointer = string_of(json);
      const auto tokens = tokens_of_pointer(*source.pointer);
      if (!tokens) refuse(place, "not a source");
      source.place = rules_.pointers_.add(*tokens);
      return source;
    }
    if (json.front() != '{' || count_members(json) != 1) refuse(place, "not a source");
    Members member(json);
    member.next();
    const std::string name = unescape(member.raw_key());
    if (name == "value") {
      source.value = member.value();
    } else if (name == "field") {
      source.field = field_of(place + "/field", member.value());
      if (*source.field != Rules::Field::event_type) rules_.reads_row_ = true;
    } else {
      refuse(place, "not a source");
    }
    return source;
  }

  static Rules::Field field_of(const std::string& place, std::string_view json) {
    const std::string name = json.front() == '"' ? string_of(json) : std::string();
    const auto known = std::find(std::begin(fields), std::end(fields), name);
    if (known == std::end(fields)) refuse(place, "unknown field");
    return static_cast<Rules::Field>(known - std::begin(fields));
  }

  Rules& rules_;
};

Rules::Rules(std::string_view json) {
  RulesReader(*this).read(json);
}

}  // namespace evercore::ext
