#include "rules.h"

#include <algorithm>
#include <array>

#include "error.h"
#include "json.h"
#include "sum.h"
#include "time.h"

namespace evercore::ext {

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

}  // namespace

void Rules::apply(State& state, std::string_view data, const EventFields& fields) const {
  FoundValues values(pointers_);
  const std::span<std::string_view> found = values.all();
  if (!trim(data).starts_with('{') || !pointers_.find(data, found)) {
    throw error(4, "data: not JSON; evercore_check() names the place");
  }
  for (const Step& step : steps_) run(step, state, found, fields);
}

void Rules::run(const Step& step, State& state, std::span<const std::string_view> found,
                const EventFields& fields) const {
  std::string text;
  std::string_view source;
  if (step.source.field) {
    if (*step.source.field == Field::reference && fields.reference.data() == nullptr) return;
    source = text = text_of(*step.source.field, fields);
  } else if (step.source.pointer) {
    source = found[step.source.place];
  } else {
    source = step.source.value;
  }
  if (source.empty() && step.kind != Kind::remove) return;
  state.open();
  if (step.kind == Kind::merge || step.kind == Kind::patch) {
    if (!source.starts_with('{')) return;
    return state.apply(step.kind == Kind::merge ? Fold::merge : Fold::patch, source);
  }
  if (step.target.empty()) {
    if (source.starts_with('{')) state = State(source);
    return;
  }
  if (!step.named_by_data) return change(step, step.target, state, source);
  if (const auto path = path_of(step, found)) change(step, *path, state, source);
}

std::string Rules::text_of(Field field, const EventFields& fields) {
  switch (field) {
    case Field::event_time: {
      std::array<char, time_text_size> time;
      format_time(fields.event_time, time);
      return quoted({time.data(), time.size()});
    }
    case Field::event_type:
      return quoted(fields.event_type);
    case Field::reference:
      return quoted(fields.reference);
    case Field::sequence:
      return std::to_string(fields.sequence);
  }
  return {};
}

/// The target with the names that come from the data; nothing where one of them is neither text nor an
/// integer.
std::optional<std::vector<Rules::Token>> Rules::path_of(const Step& step,
                                                        std::span<const std::string_view> found) {
  std::vector<Token> path;
  path.reserve(step.target.size());
  for (const Token& token : step.target) {
    if (!token.place) {
      path.push_back(token);
      continue;
    }
    auto name = name_of_value(found[*token.place]);
    if (!name) return std::nullopt;
    const std::string raw = quoted(*name);
    path.push_back({std::move(*name), raw.substr(1, raw.size() - 2), std::nullopt, std::nullopt});
  }
  return path;
}

/// Objects on the way are made once the operation is known to do something.
void Rules::change(const Step& step, const std::vector<Token>& path, State& state,
                   std::string_view source) {
  if (path.size() > max_depth) return;
  State* holder = &state;
  std::size_t reached = 0;
  for (; reached + 1 < path.size(); ++reached) {
    State::Member* member = holder->find(path[reached].key);
    if (member == nullptr) break;
    if (!member->is_object()) return;
    holder = &State::inner_of(*member);
  }
  const Token& last = path.back();
  State::Member* member = reached + 1 == path.size() ? holder->find(last.key) : nullptr;
  const std::size_t levels = max_depth - path.size();
  std::optional<std::string> sum;
  switch (step.kind) {
    case Kind::remove:
      if (member != nullptr) holder->remove(*member);
      return;
    case Kind::add:
    case Kind::subtract: {
      if (!is_number(source)) return;
      const bool counts = member != nullptr && is_number(member->value);
      sum = sum_of(counts ? std::string_view(member->value) : "0", source,
                   step.kind == Kind::subtract);
      if (!sum) return;
      source = *sum;
      break;
    }
    case Kind::append:
      if (levels == 0 || !fits(source, levels - 1)) return;
      if (member != nullptr) return member->append(source);
      break;
    default:
      if (!fits(source, levels)) return;
  }
  for (; reached + 1 < path.size(); ++reached) {
    holder = &State::inner_of(holder->add(path[reached].raw_key, path[reached].key));
  }
  if (member == nullptr) member = &holder->add(last.raw_key, last.key);
  if (step.kind != Kind::append) return member->set(source);
  member->set("[]");
  member->append(source);
}

bool Rules::only_merge() const {
  return steps_.size() == 1 && steps_[0].kind == Kind::merge && steps_[0].source.pointer == "";
}

bool Rules::same(const Step& a, const Step& b) {
  const auto same_token = [](const Token& x, const Token& y) {
    return x.key == y.key && x.pointer == y.pointer;
  };
  if (a.kind != b.kind || a.source.pointer != b.source.pointer ||
      a.source.field != b.source.field || a.source.value.empty() != b.source.value.empty()) {
    return false;
  }
  return std::equal(a.target.begin(), a.target.end(), b.target.begin(), b.target.end(),
                    same_token) &&
         (a.source.value.empty() || same_json(a.source.value, b.source.value));
}

bool Rules::same_as(const Rules& other) const {
  return std::equal(steps_.begin(), steps_.end(), other.steps_.begin(), other.steps_.end(), same);
}

}  // namespace evercore::ext
