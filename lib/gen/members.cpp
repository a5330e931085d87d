#include "members.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>

#include "literals.h"

namespace evercore::gen {

namespace {

// As in <evercore/detail/members.h>.
constexpr std::size_t max_members = 40;

constexpr std::string_view not_plain =
    "has a type that is not a plain struct; use a plain struct, or bool, an integer, double, "
    "std::string, an enum, std::chrono::sys_time, std::optional, vector, array, map or variant of "
    "such, or say by evercore::json_value how it is stored";

// Either what a type becomes, or why it cannot be stored.
struct Verdict {
  ColumnKind kind = ColumnKind::text;
  std::string_view refused{};
};

Verdict refuse(std::string_view sentence) {
  return {ColumnKind::text, sentence};
}

bool is_character(CXType type) {
  switch (type.kind) {
    case CXType_Char_S:
    case CXType_Char_U:
    case CXType_WChar:
    case CXType_Char16:
    case CXType_Char32:
      return true;
    default:  // libclang 14 has no kind for it
      return text_of(clang_getTypeSpelling(type)) == "char8_t";
  }
}

CXType argument(CXType type, unsigned index) {
  return clang_getCanonicalType(clang_Type_getTemplateArgumentAsType(type, index));
}

std::string name_of_type(CXType type) {
  return qualified_name(clang_getTypeDeclaration(type));
}

// What a union or struct without a name stands in, which check_struct() refuses. Newer clangs have a name for it.
bool is_nameless_record(CXCursor member) {
  return clang_Cursor_isAnonymousRecordDecl(
             clang_getTypeDeclaration(clang_getCursorType(member))) != 0;
}

// Looks at one struct and at all that its members are made of.
class Inspector {
 public:
  Inspector(const Unit& unit, std::vector<Fault>& faults) : unit_(unit), faults_(faults) {
    find_json_values();
  }

  std::vector<Column> inspect(CXCursor declaration) {
    const CXType type = clang_getCanonicalType(clang_getCursorType(declaration));
    around_.push_back(type);
    check_struct(declaration);
    std::vector<Column> columns;
    const auto members = fields(type);
    const auto names = json_names(declaration);
    if (members.size() > max_members) {
      fault(declaration, name_of(declaration) +
                             " has more than 40 members, which cannot be reflected; group them "
                             "into structs of their own");
    }
    for (const CXCursor& member : members) {
      if (name_of(member).empty() || is_nameless_record(member)) continue;  // the first: padding
      const Verdict verdict = judge_member(member);
      if (!verdict.refused.empty()) {
        fault(member, "member " + name_of(member) + " " + std::string(verdict.refused));
      }
      const auto renamed = names.find(name_of(member));
      columns.push_back({unit_.show(clang_getCursorLocation(member)), name_of(member),
                         renamed != names.end() ? renamed->second : name_of(member), std::string(),
                         verdict.kind});
    }
    around_.pop_back();
    return columns;
  }

 private:
  void fault(CXCursor where, std::string sentence) {
    faults_.push_back({unit_.show(clang_getCursorLocation(where)), std::move(sentence)});
  }

  // The names that a struct's json_names give its members.
  std::map<std::string, std::string> json_names(CXCursor declaration) {
    std::map<std::string, std::string> names;
    const auto variable = static_member(declaration, "json_names");
    if (!variable) return names;
    const auto texts = literals(*variable);
    if (texts.empty() || texts.size() % 2 != 0) {
      fault(*variable,
            "json_names are not pairs of texts in quotes, so that they cannot be read here");
      return names;
    }
    for (std::size_t i = 0; i < texts.size(); i += 2) {
      const std::string& name = texts[i + 1];
      // What SQLite reads as more than a member's name.
      if (name.find_first_of(".[\"$") != name.npos ||
          (name.front() >= '0' && name.front() <= '9')) {
        fault(*variable, "member " + texts[i] + " is called " + name +
                             " in JSON, which SQL's paths into JSON do not allow");
      }
      names[texts[i]] = name;
    }
    return names;
  }

  // The types for which the headers say by json_value how they are stored, and as what.
  void find_json_values() {
    visit_below(unit_.root(), [&](CXCursor cursor) {
      if (cursor.kind != CXCursor_StructDecl && cursor.kind != CXCursor_ClassDecl) {
        return (cursor.kind == CXCursor_Namespace && name_of(cursor) != "std") ||
               is_linkage(cursor);
      }
      if (name_of(cursor) != "json_value" || qualified_name(cursor) != "evercore::json_value") {
        return false;
      }
      for (const CXCursor& part : children(cursor)) {
        if (part.kind != CXCursor_CXXMethod || name_of(part) != "to_json") continue;
        CXType stored = clang_getCanonicalType(clang_getCursorResultType(part));
        if (stored.kind == CXType_LValueReference) stored = clang_getPointeeType(stored);
        stored_.push_back({argument(clang_getCursorType(cursor), 0), stored});
      }
      return false;
    });
  }

  // What keeps a struct from being plain, whatever its members are.
  void check_struct(CXCursor declaration) {
    const CXCursor general = clang_getSpecializedCursorTemplate(declaration);
    const std::string name = name_of(declaration);
    for (const CXCursor& part : children(clang_Cursor_isNull(general) ? declaration : general)) {
      if (part.kind == CXCursor_CXXBaseSpecifier) {
        fault(part, name + " has a base class, which cannot be reflected; make the base a member");
      } else if (part.kind == CXCursor_Constructor) {
        fault(part, name +
                        " has a constructor, so it is not a plain struct; initialise members "
                        "where they are declared");
      } else if (part.kind == CXCursor_CXXMethod && clang_CXXMethod_isVirtual(part)) {
        fault(part, name + " has a virtual function, so it is not a plain struct");
      } else if (clang_Cursor_isAnonymousRecordDecl(part)) {
        fault(part, part.kind == CXCursor_UnionDecl
                        ? "nobody knows which member of a union is set; use std::variant"
                        : "a struct without a name cannot be reflected; give its members a struct "
                          "of their own");
      }
    }
  }

  Verdict judge_member(CXCursor member) {
    const CXType type = clang_getCursorType(member);
    if (clang_Cursor_isBitField(member)) {
      return refuse("is a bit-field, which cannot be reflected; use std::uint8_t or bool");
    }
    if (clang_getCXXAccessSpecifier(member) != CX_CXXPublic) {
      return refuse("is not public; make all members public");
    }
    if (clang_isConstQualifiedType(clang_getCanonicalType(type))) {
      return refuse("is const, so that it cannot be decoded into; drop the const");
    }
    // The path of a JSON member in SQLite begins with one.
    if (name_of(member).find('$') != std::string::npos) {
      return refuse("has a $ in its name, which SQL's paths into JSON do not allow");
    }
    return judge(clang_getCanonicalType(type));
  }

  Verdict judge(CXType type) {
    for (const Stored& one : stored_) {
      if (clang_equalTypes(one.type, type) != 0) return judge_stored(one.as);
    }
    if (is_character(type)) {
      return refuse(
          "is a character, which is neither text nor a number; use std::string, or std::int8_t "
          "for a small number");
    }
    switch (type.kind) {
      case CXType_Bool:
        return {ColumnKind::boolean};
      case CXType_SChar:
      case CXType_UChar:
      case CXType_Short:
      case CXType_UShort:
      case CXType_Int:
      case CXType_UInt:
      case CXType_Long:
      case CXType_ULong:
      case CXType_LongLong:
      case CXType_ULongLong:
        return {ColumnKind::integer};
      case CXType_Float:
      case CXType_Double:
        return {ColumnKind::number};
      case CXType_LongDouble:
        return refuse("is a long double, which cannot be stored exactly; use double");
      case CXType_Enum:
        return {ColumnKind::text};
      case CXType_Pointer:
      case CXType_MemberPointer:
      case CXType_NullPtr:
        return refuse(pointer);
      case CXType_LValueReference:
      case CXType_RValueReference:
        return refuse("is a reference, which cannot be stored; use the value itself");
      case CXType_ConstantArray:
      case CXType_IncompleteArray:
        return refuse("is a C array; use std::array or std::vector");
      case CXType_Record:
        return judge_record(type);
      default:
        return refuse(not_plain);
    }
  }

  // What to_json() gives.
  Verdict judge_stored(CXType type) {
    if (type.kind == CXType_Pointer) return {ColumnKind::text};  // to characters
    if (type.kind == CXType_Record && name_of_type(type) == "std::basic_string_view") {
      return {ColumnKind::text};
    }
    return judge(type);
  }

  Verdict judge_record(CXType type) {
    const std::string name = name_of_type(type);
    if (clang_getTypeDeclaration(type).kind == CXCursor_UnionDecl) {
      return refuse("is a union, of which nobody knows which member is set; use std::variant");
    }
    if (name == "evercore::RawJson") return {ColumnKind::json};
    if (!name.starts_with("std::")) return judge_struct(type);
    if (name == "std::basic_string" && argument(type, 0).kind == CXType_Char_S &&
        name_of_type(argument(type, 2)) == "std::allocator") {
      return {ColumnKind::text};
    }
    if (name == "std::optional") return judge_optional(argument(type, 0));
    if (name == "std::vector" || name == "std::array" || name == "std::set") {
      return judge_part(argument(type, 0), ColumnKind::array);
    }
    if (name == "std::pair" || name == "std::tuple") return judge_parts(type, ColumnKind::array);
    if (name == "std::chrono::year_month_day") return {ColumnKind::text};
    if (name == "std::map" || name == "std::unordered_map") return judge_map(type);
    if (name == "std::variant") return judge_parts(type, ColumnKind::object);
    if (name == "std::chrono::time_point" &&
        name_of_type(argument(type, 0)) == "std::chrono::system_clock") {
      return {ColumnKind::time};
    }
    if (name == "std::basic_string_view") {
      return refuse("is a std::string_view, which does not own its text; use std::string");
    }
    if (name == "std::unique_ptr" || name == "std::shared_ptr") return refuse(pointer);
    if (name == "std::chrono::duration") {
      if (judge(argument(type, 0)).kind == ColumnKind::integer) return {ColumnKind::text};
      return refuse(
          "is a duration that is not of integers; use one that is, such as "
          "std::chrono::nanoseconds");
    }
    return refuse(not_plain);
  }

  // What holds values of another type can be stored when they can.
  Verdict judge_part(CXType part, ColumnKind whole) {
    const Verdict verdict = judge(part);
    return verdict.refused.empty() ? Verdict{whole} : verdict;
  }

  Verdict judge_optional(CXType held) {
    if (held.kind == CXType_Record && name_of_type(held) == "std::optional") {
      return refuse("is an optional of an optional, with two kinds of nothing; use one optional");
    }
    return judge(held);
  }

  Verdict judge_map(CXType type) {
    const CXType key = argument(type, 0);
    for (const Stored& one : stored_) {
      if (clang_equalTypes(one.type, key) != 0 && judge_stored(one.as).kind == ColumnKind::text) {
        return judge_part(argument(type, 1), ColumnKind::object);
      }
    }
    const bool text = key.kind == CXType_Record && name_of_type(key) == "std::basic_string";
    if (!text && key.kind != CXType_Enum) {
      return refuse("is a map whose keys cannot be member names; use std::string or an enum");
    }
    return judge_part(argument(type, 1), ColumnKind::object);
  }

  Verdict judge_parts(CXType type, ColumnKind whole) {
    const int count = clang_Type_getNumTemplateArguments(type);
    for (int i = 0; i < count; ++i) {
      const CXType alternative = argument(type, static_cast<unsigned>(i));
      if (alternative.kind == CXType_Record && name_of_type(alternative) == "std::monostate") {
        continue;
      }
      const Verdict verdict = judge(alternative);
      if (!verdict.refused.empty()) return verdict;
    }
    return {whole};
  }

  // A struct may hold vectors of itself.
  Verdict judge_struct(CXType type) {
    const auto same = [&](const CXType& other) { return clang_equalTypes(type, other) != 0; };
    if (std::none_of(around_.begin(), around_.end(), same)) {
      inspect(clang_getTypeDeclaration(type));
    }
    return {ColumnKind::object};
  }

  static constexpr std::string_view pointer =
      "is a pointer, which cannot be stored; use the value itself, or std::optional of it where it "
      "may be missing";

  struct Stored {
    CXType type;
    CXType as;
  };

  const Unit& unit_;
  std::vector<Fault>& faults_;
  std::vector<CXType> around_;
  std::vector<Stored> stored_;
};

}  // namespace

std::vector<Column> read_columns(const Unit& unit, CXCursor declaration,
                                 std::vector<Fault>& faults) {
  return Inspector(unit, faults).inspect(declaration);
}

}  // namespace evercore::gen
