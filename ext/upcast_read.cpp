// Reading upcasts: the first fault in the order of the text, then the first conflict, else steps.
//
// What is taken away (renamed, moved, removed) must have nothing to do with what is written (the new place
// of those, and that of a default), and nothing written may lie below anything else that is: then a step
// that has nothing left to do has nothing to do for ever, and data in the new shape stay as they are.
#include <algorithm>
#include <optional>

#include "error.h"
#include "json.h"
#include "rules.h"
#include "upcast.h"

namespace evercore::ext {

namespace {

[[noreturn]] void refuse(const std::string& pointer, std::string_view words) {
  throw error(9, "upcast: " + pointer + (pointer.empty() ? "" : ": ") + std::string(words));
}

/// A pointer has one spelling: so one is below another where that, and a slash, begins it.
bool is_below(std::string_view pointer, std::string_view other) {
  return pointer.size() > other.size() && pointer.starts_with(other) &&
         pointer[other.size()] == '/';
}

bool are_related(std::string_view a, std::string_view b) {
  return a == b || is_below(a, b) || is_below(b, a);
}

std::size_t count_items(std::string_view json) {
  std::size_t count = 0;
  if (json.front() == '{') {
    for (Members member(json); member.next();) ++count;
  } else if (json.front() == '[') {
    for (Elements element(json); element.next();) ++count;
  }
  return count;
}

}  // namespace

class UpcastReader {
 public:
  explicit UpcastReader(Upcast& upcast) : upcast_(upcast) {}

  void read(std::string_view json) {
    if (json.size() > max_upcast_bytes || entries_in(json) > max_targets) refuse("", "too large");
    std::size_t index = 0;
    for (Elements element(json); element.next(); ++index) {
      const std::string place = "/" + std::to_string(index);
      if (element.value().front() != '{' || count_items(element.value()) != 1) {
        refuse(place, "not an operation");
      }
      Members operation(element.value());
      operation.next();
      const std::string name = unescape(operation.raw_key());
      read_operation(place + pointer_to(name), name, operation.value());
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) refuse_conflict(i);
  }

 private:
  using Kind = Upcast::Kind;
  static constexpr std::pair<std::string_view, Kind> operations[] = {
      {"rename", Kind::rename},
      {"move", Kind::move},
      {"default", Kind::give_default},
      {"remove", Kind::remove}};

  /// What conflicts are about: pointers, and where the declaration has them.
  struct Entry {
    std::string place;
    std::string taken;    ///< empty: nothing
    std::string written;  ///< empty: nothing
  };

  static std::size_t entries_in(std::string_view json) {
    std::size_t count = 0;
    for (Elements element(json); element.next();) {
      if (element.value().front() != '{') continue;
      for (Members member(element.value()); member.next();) count += count_items(member.value());
    }
    return count;
  }

  void read_operation(const std::string& place, std::string_view name, std::string_view body) {
    const auto* const known =
        std::find_if(std::begin(operations), std::end(operations),
                     [&](const auto& operation) { return operation.first == name; });
    if (known == std::end(operations)) refuse(place, "unknown operation");
    if (known->second == Kind::remove) return read_removal(place, body);
    if (body.front() != '{') refuse(place, "not an object");
    for (Members member(body); member.next();) {
      const std::string pointer = unescape(member.raw_key());
      const std::string at = place + pointer_to(pointer);
      Upcast::Path path = path_of(at, pointer);
      if (known->second == Kind::give_default) {
        entries_.push_back({at, {}, pointer});
        add({Kind::give_default, {}, std::move(path), std::string(member.value())});
      } else {
        std::string target = known->second == Kind::rename
                                 ? renamed(at, pointer, member.value())
                                 : text_of(at, member.value(), "not a pointer");
        Upcast::Path to = path_of(at, target);
        entries_.push_back({at, pointer, std::move(target)});
        add({known->second, std::move(path), std::move(to), {}});
      }
    }
  }

  void read_removal(const std::string& place, std::string_view body) {
    if (body.front() != '[') refuse(place, "not an array");
    std::size_t index = 0;
    for (Elements element(body); element.next(); ++index) {
      const std::string at = place + "/" + std::to_string(index);
      const std::string pointer = text_of(at, element.value(), "not a pointer");
      add({Kind::remove, path_of(at, pointer), {}, {}});
      entries_.push_back({at, pointer, {}});
    }
  }

  void add(Upcast::Step step) {
    std::vector<std::string> pointer;
    for (const auto& token : step.from.empty() ? step.to : step.from) pointer.push_back(token.key);
    step.place = upcast_.pointers_.add(pointer);
    upcast_.steps_.push_back(std::move(step));
  }

  static std::string text_of(const std::string& place, std::string_view json, const char* fault) {
    if (json.front() != '"') refuse(place, fault);
    return string_of(json);
  }

  static Upcast::Path path_of(const std::string& place, std::string_view pointer) {
    auto tokens = tokens_of_pointer(pointer);
    if (!tokens || tokens->empty()) refuse(place, "not a pointer");
    Upcast::Path path;
    for (std::string& token : *tokens) {
      std::string raw;
      append_quoted(raw, token);
      path.push_back({std::move(token), raw.substr(1, raw.size() - 2)});
    }
    return path;
  }

  /// The pointer to a member of the same object.
  static std::string renamed(const std::string& place, std::string_view pointer,
                             std::string_view name) {
    const std::string text = text_of(place, name, "not a name");
    return std::string(pointer.substr(0, pointer.rfind('/'))) + pointer_to(text);
  }

  /// With an earlier entry, the first of them, or with itself.
  void refuse_conflict(std::size_t index) const {
    const Entry& later = entries_[index];
    for (std::size_t i = 0; i <= index; ++i) {
      const Entry& earlier = entries_[i];
      if (!conflict(earlier, later)) continue;
      refuse(later.place, "conflicts with " + (i == index ? "itself" : earlier.place));
    }
  }

  static bool conflict(const Entry& a, const Entry& b) {
    if (!a.taken.empty() && !b.written.empty() && are_related(a.taken, b.written)) return true;
    if (!b.taken.empty() && !a.written.empty() && are_related(b.taken, a.written)) return true;
    if (a.written.empty() || b.written.empty()) return false;
    return is_below(a.written, b.written) || is_below(b.written, a.written);
  }

  Upcast& upcast_;
  std::vector<Entry> entries_;
};

Upcast::Upcast(std::string_view json) {
  UpcastReader(*this).read(json);
}

}  // namespace evercore::ext
