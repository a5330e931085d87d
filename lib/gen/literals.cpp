#include "literals.h"

#include "clang.h"

namespace evercore::gen {

namespace {

// What a literal that libclang spells in quotes says: it writes octal numbers for what is not
// ASCII.
std::string unquote(std::string_view spelled) {
  static constexpr std::string_view letters = "abfnrtv", meanings = "\a\b\f\n\r\t\v";
  spelled = spelled.substr(1, spelled.size() - 2);
  std::string text;
  for (std::size_t i = 0; i < spelled.size(); ++i) {
    if (spelled[i] != '\\' || i + 1 == spelled.size()) {
      text += spelled[i];
      continue;
    }
    ++i;
    if (const std::size_t letter = letters.find(spelled[i]); letter != letters.npos) {
      text += meanings[letter];
    } else if (spelled[i] >= '0' && spelled[i] <= '7' && i + 2 < spelled.size()) {
      text += static_cast<char>((spelled[i] - '0') * 64 + (spelled[i + 1] - '0') * 8 +
                                (spelled[i + 2] - '0'));
      i += 2;
    } else {
      text += spelled[i];
    }
  }
  return text;
}

}  // namespace

std::vector<std::string> literals(CXCursor variable) {
  std::vector<std::string> found;
  visit_below(variable, [&](CXCursor part) {
    if (part.kind != CXCursor_StringLiteral) return true;
    const std::string spelled = name_of(part);
    if (spelled.starts_with('"')) found.push_back(unquote(spelled));
    return false;
  });
  return found;
}

std::optional<CXCursor> static_member(CXCursor declaration, std::string_view name) {
  for (const CXCursor& part : children(declaration)) {
    if (part.kind == CXCursor_VarDecl && name_of(part) == name) return part;
  }
  return std::nullopt;
}

}  // namespace evercore::gen
