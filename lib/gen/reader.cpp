#include "reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>

#include "clang.h"
#include "declarations.h"
#include "literals.h"
#include "marks.h"
#include "members.h"
#include "names.h"

namespace evercore::gen {

namespace {

// A declaration of a header, by the offset at which it begins.
using Declarations = std::multimap<std::pair<std::size_t, unsigned>, CXCursor>;

bool holds_declarations(CXCursor cursor) {
  return cursor.kind == CXCursor_Namespace || cursor.kind == CXCursor_StructDecl ||
         cursor.kind == CXCursor_ClassDecl || is_linkage(cursor);
}

Declarations find_declarations(const Unit& unit) {
  Declarations found;
  visit_below(unit.root(), [&](CXCursor cursor) {
    const Spot begin = spot_of(clang_getRangeStart(clang_getCursorExtent(cursor)));
    if (begin.file == nullptr) return false;
    const std::size_t header = unit.header_of(begin.file);
    if (header == unit.headers().size()) return false;
    if (clang_isDeclaration(cursor.kind)) found.emplace(std::pair(header, begin.offset), cursor);
    return holds_declarations(cursor);
  });
  return found;
}

std::string describe(CXCursor cursor) {
  const std::string name = name_of(cursor);
  switch (cursor.kind) {
    case CXCursor_StructDecl:
      return name + " is only declared here";
    case CXCursor_ClassDecl:
      return name + " is a class";
    case CXCursor_UnionDecl:
      return name + " is a union";
    case CXCursor_EnumDecl:
      return name + " is an enum";
    case CXCursor_ClassTemplate:
    case CXCursor_ClassTemplatePartialSpecialization:
    case CXCursor_FunctionTemplate:
    case CXCursor_TypeAliasTemplateDecl:
      return name + " is a template";
    case CXCursor_FunctionDecl:
    case CXCursor_CXXMethod:
      return name + " is a function";
    case CXCursor_TypeAliasDecl:
    case CXCursor_TypedefDecl:
      return name + " is an alias";
    case CXCursor_VarDecl:
    case CXCursor_FieldDecl:
      return name + " is a variable";
    case CXCursor_Namespace:
      return name + " is a namespace";
    default:
      return "this is none";
  }
}

// The struct that the first argument of a function is, or refers to.
CXCursor struct_taken_by(CXCursor function) {
  if (clang_Cursor_getNumArguments(function) < 1) return clang_getNullCursor();
  CXType type = clang_getCanonicalType(clang_getCursorType(clang_Cursor_getArgument(function, 0)));
  if (type.kind == CXType_LValueReference) type = clang_getPointeeType(type);
  return clang_getTypeDeclaration(type);
}

// Whether a state folds an event by hand; nothing where only a compiler can tell.
std::optional<bool> has_apply(CXCursor state, CXCursor event) {
  bool found = false;
  for (const CXCursor& part : children(state)) {
    if (name_of(part) != "apply") continue;
    if (part.kind == CXCursor_FunctionTemplate) return std::nullopt;
    found = found || (part.kind == CXCursor_CXXMethod &&
                      clang_equalCursors(clang_getCanonicalCursor(struct_taken_by(part)),
                                         clang_getCanonicalCursor(event)) != 0);
  }
  return found;
}

bool has_function(CXCursor declaration, std::string_view name) {
  for (const CXCursor& part : children(declaration)) {
    const bool function = part.kind == CXCursor_CXXMethod || part.kind == CXCursor_FunctionTemplate;
    if (function && name_of(part) == name) return true;
  }
  return false;
}

// One marked struct on its way into the model.
struct Marked {
  Mark mark;
  CXCursor cursor;
  std::size_t place = 0;  // in the model's list of its kind
};

class Reader {
 public:
  Reader(const Unit& unit, std::vector<Fault>& faults)
      : unit_(unit), faults_(faults), declarations_(find_declarations(unit)) {}

  Model read() {
    for (std::size_t header = 0; header < unit_.headers().size(); ++header) {
      for (Mark& mark : find_marks(unit_, header, faults_)) take(std::move(mark));
    }
    for (const Marked& marked : marked_) {
      if (marked.mark.kind != MarkKind::aggregate) join(marked);
    }
    for (const Aggregate& aggregate : model_.aggregates) {
      if (aggregate.events.empty()) {
        fault(aggregate.where, "no event is marked for the aggregate " + aggregate.name);
      }
    }
    check_views();
    check_stored_names();
    if (marked_.empty() && faults_.empty()) {
      fault({unit_.headers().front(), 1, 1}, "nothing is marked here; see evercoregen --help");
    }
    return std::move(model_);
  }

 private:
  void fault(const Location& where, std::string sentence) {
    faults_.push_back({where, std::move(sentence)});
  }

  // The struct that a mark stands before.
  std::optional<CXCursor> target_of(const Mark& mark) {
    const auto [first, last] = declarations_.equal_range({mark.header, mark.target});
    for (auto at = first; at != last; ++at) {
      if (at->second.kind == CXCursor_StructDecl && clang_isCursorDefinition(at->second)) {
        return at->second;
      }
    }
    const std::string what = first == last ? "this is none" : describe(first->second);
    fault(mark.where, "the mark stands before no struct: " + what);
    return std::nullopt;
  }

  bool can_be_named(const Mark& mark, CXCursor cursor) {
    for (CXCursor at = cursor; clang_isTranslationUnit(at.kind) == 0;
         at = clang_getCursorSemanticParent(at)) {
      if (is_linkage(at)) continue;
      const CX_CXXAccessSpecifier access = clang_getCXXAccessSpecifier(at);
      if (name_of(at).empty() || clang_Cursor_isAnonymous(at) || access == CX_CXXPrivate ||
          access == CX_CXXProtected) {
        fault(mark.where,
              "the mark stands before a struct that other files cannot name; give it a name, "
              "outside of unnamed namespaces and private parts");
        return false;
      }
    }
    return true;
  }

  void take(Mark mark) {
    const auto target = target_of(mark);
    if (!target || !can_be_named(mark, *target)) return;
    for (const Marked& other : marked_) {
      if (clang_equalCursors(other.cursor, *target)) {
        return fault(mark.where, name_of(*target) +
                                     " is marked twice; the first mark stands in line " +
                                     std::to_string(other.mark.where.line));
      }
    }
    Marked marked{std::move(mark), *target};
    if (marked.mark.kind == MarkKind::aggregate) {
      marked.place = model_.aggregates.size();
      model_.aggregates.push_back({describe_struct(marked, "aggregate_type"),
                                   {},
                                   has_function(*target, "fold_rules"),
                                   has_function(*target, "schema")});
    } else {
      marked.place = model_.events.size();
      const bool custom = marked.mark.kind == MarkKind::event;
      model_.events.push_back({describe_struct(marked, "event_type"),
                               custom ? Fold::custom : Fold::merge,
                               aliases_of(*target),
                               {}});
      add_older_names(*target, model_.events.back().older, 0);
      model_.events.back().tags = tags_of(*target, model_.events.back());
      model_.events.back().has_schema = has_function(*target, "schema");
    }
    marked_.push_back(std::move(marked));
  }

  Struct describe_struct(const Marked& marked, std::string_view pin) {
    const bool state = marked.mark.kind == MarkKind::aggregate;
    Struct described;
    described.where = unit_.show(clang_getCursorLocation(marked.cursor));
    described.name = name_of(marked.cursor);
    described.cpp = "::" + qualified_name(marked.cursor);
    described.stored = stored_name(marked.cursor, pin);
    described.view = snake_case(described.name) + (state ? "_state" : "");
    described.columns = read_columns(unit_, marked.cursor, faults_);
    name_columns(described, state);
    return described;
  }

  std::string stored_name(CXCursor declaration, std::string_view pin) {
    const auto pinned = static_member(declaration, pin);
    std::string name = name_of(declaration);
    const Location where = unit_.show(clang_getCursorLocation(pinned.value_or(declaration)));
    if (pinned) {
      const auto texts = literals(*pinned);
      if (texts.size() == 1) {
        name = texts.front();
      } else {
        fault(where,
              std::string(pin) + " is not one text in quotes, so that it cannot be read here");
      }
    }
    if (name.empty() || name.size() > 255) {
      fault(where,
            "the name in the store has 1 to 255 characters; pin another by " + std::string(pin));
    }
    return name;
  }

  std::vector<std::string> aliases_of(CXCursor declaration) {
    const auto aliases = static_member(declaration, "aliases");
    if (!aliases) return {};
    auto texts = literals(*aliases);
    if (texts.empty()) {
      fault(unit_.show(clang_getCursorLocation(*aliases)),
            "aliases are not texts in quotes, so that they cannot be read here");
    }
    return texts;
  }

  // What evercore_event_type() takes as the struct's declared_tags.
  std::string tags_of(CXCursor declaration, const Event& event) {
    const auto declared = static_member(declaration, "declared_tags");
    if (!declared) return {};
    const Location where = unit_.show(clang_getCursorLocation(*declared));
    const auto texts = literals(*declared);
    if (texts.empty() || texts.size() % 2 != 0) {
      fault(where,
            "declared_tags are not pairs of texts in quotes, so that they cannot be read here");
      return {};
    }
    std::string tags;
    for (std::size_t i = 0; i < texts.size(); i += 2) {
      const auto column =
          std::find_if(event.columns.begin(), event.columns.end(),
                       [&](const Column& one) { return one.member == texts[i + 1]; });
      if (column == event.columns.end()) {
        fault(where,
              "declared_tags names " + texts[i + 1] + ", which is no member of " + event.name);
        return {};
      }
      tags +=
          (tags.empty() ? "{\"" : ",\"") + texts[i] + "\":\"/" + pointer_token(column->json) + "\"";
    }
    return tags + "}";
  }

  // A member's name as a JSON Pointer spells it.
  static std::string pointer_token(std::string_view name) {
    std::string token;
    for (char c : name) token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return token;
  }

  // The names of the struct that an upcast() takes, and of those before it.
  void add_older_names(CXCursor declaration, std::vector<std::string>& names, int depth) {
    constexpr int most = 100;  // a struct that was itself before does not compile, later
    for (const CXCursor& part : children(declaration)) {
      if (part.kind != CXCursor_CXXMethod || name_of(part) != "upcast" || depth == most) continue;
      const CXCursor old = struct_taken_by(part);
      if (old.kind != CXCursor_StructDecl) continue;
      names.push_back(stored_name(old, "event_type"));
      for (std::string& alias : aliases_of(old)) names.push_back(std::move(alias));
      add_older_names(old, names, depth + 1);
    }
  }

  // Columns that every view has keep their names; a member of such a name gets a prefix.
  void name_columns(Struct& described, bool state) {
    static constexpr std::array<std::string_view, 5> fixed{"aggregate_id", "natural_key",
                                                           "sequence", "position", "event_time"};
    const auto end = state ? fixed.begin() + 3 : fixed.end();
    std::map<std::string, const Column*> taken;
    for (Column& column : described.columns) {
      column.name = snake_case(column.member);
      if (std::find(fixed.begin(), end, column.name) != end) {
        column.name = (state ? "state_" : "data_") + column.name;
      }
      if (column.name.size() > 63) {
        fault(column.where, "the name of column " + column.name + " is longer than 63 characters");
      }
      const auto [other, added] = taken.emplace(column.name, &column);
      if (!added) {
        fault(column.where, "members " + other->second->member + " and " + column.member +
                                " would both be the column " + column.name + "; rename one");
      }
    }
  }

  // Makes an event one of its aggregates' events.
  void join(const Marked& event) {
    const auto& names = event.mark.aggregates;
    if (names.empty() && model_.aggregates.size() > 1) {
      return fault(event.mark.where,
                   "there are several aggregates; say whose event this is, as in // "
                   "evercore:event " +
                       model_.aggregates.front().name);
    }
    for (const Marked& owner : marked_) {
      if (owner.mark.kind != MarkKind::aggregate) continue;
      Aggregate& aggregate = model_.aggregates[owner.place];
      const auto meant = [&](const std::string& name) {
        return name == aggregate.name || "::" + name == aggregate.cpp || name == aggregate.cpp;
      };
      const auto count = std::count_if(names.begin(), names.end(), meant);
      if (count > 1) fault(event.mark.where, "the mark names " + aggregate.name + " twice");
      if (count == 0 && !names.empty()) continue;
      aggregate.events.push_back(event.place);
      check_fold(event, owner);
    }
    for (const std::string& name : names) check_owner(event, name);
  }

  void check_owner(const Marked& event, const std::string& name) {
    const auto bears = [&](const Aggregate& aggregate) {
      return name == aggregate.name || "::" + name == aggregate.cpp || name == aggregate.cpp;
    };
    const auto count = std::count_if(model_.aggregates.begin(), model_.aggregates.end(), bears);
    if (count == 0) fault(event.mark.where, "no struct " + name + " is marked evercore:aggregate");
    if (count > 1) {
      fault(event.mark.where,
            "several aggregates are called " + name + "; write the qualified name");
    }
  }

  // The mark and the state must tell the same: the library asks the state, SQL the mark.
  void check_fold(const Marked& event, const Marked& owner) {
    const auto applied = has_apply(owner.cursor, event.cursor);
    const bool custom = event.mark.kind == MarkKind::event;
    if (!applied || *applied == custom) return;
    const std::string name = name_of(event.cursor), state = name_of(owner.cursor);
    fault(event.mark.where,
          custom ? name + " is marked as an event, but " + state + " has no apply(const " + name +
                       "&) to fold it; write one, or mark a state-event"
                 : name + " is marked as a state-event, but " + state + " has an apply(const " +
                       name + "&); mark an event, or drop the apply");
  }

  void check_views() {
    std::map<std::string, const Struct*> views;
    const auto check = [&](const Struct& described) {
      const std::string& view = described.view;
      if (view.starts_with("evercore_") || view.starts_with("sqlite_") || view.starts_with("pg_")) {
        fault(described.where, "the view of " + described.name + " would be called " + view +
                                   ", a name that is not for users to take; rename the struct");
      }
      if (view.size() > 63) {
        fault(described.where, "the name of view " + view + " is longer than 63 characters");
      }
      const auto [other, added] = views.emplace(view, &described);
      if (!added) {
        fault(described.where, other->second->cpp.substr(2) + " and " + described.cpp.substr(2) +
                                   " would both have the view " + view + "; rename one");
      }
    };
    for (const Aggregate& aggregate : model_.aggregates) check(aggregate);
    for (const Event& event : model_.events) check(event);
  }

  void check_stored_names() {
    std::map<std::string, const Struct*> names;
    const auto check = [&](const std::string& name, const Struct& described) {
      const auto [other, added] = names.emplace(name, &described);
      if (!added) {
        fault(described.where, other->second->cpp.substr(2) + " and " + described.cpp.substr(2) +
                                   " are both stored as \"" + name + "\"");
      }
    };
    for (const Aggregate& aggregate : model_.aggregates) check(aggregate.stored, aggregate);
    names.clear();
    for (const Event& event : model_.events) {
      check(event.stored, event);
      for (const std::string& alias : event.aliases) check(alias, event);
      for (const std::string& older : event.older) check(older, event);
    }
  }

  const Unit& unit_;
  std::vector<Fault>& faults_;
  Declarations declarations_;
  std::vector<Marked> marked_;
  Model model_;
};

}  // namespace

Model read_headers(std::span<const std::string> headers, std::span<const std::string> flags,
                   std::vector<Fault>& faults) {
  const Unit unit(headers, flags);
  faults = unit.faults();
  Model model;
  if (faults.empty()) model = Reader(unit, faults).read();
  if (faults.empty()) read_declarations(headers, flags, model, faults);
  std::sort(faults.begin(), faults.end());
  faults.erase(std::unique(faults.begin(), faults.end()), faults.end());
  return model;
}

}  // namespace evercore::gen
