#include "constants.h"

#include "clang.h"

namespace evercore::gen {

namespace {

// libclang tells the values of enumerators and of no other constants: a text's size is one, and its bytes are
// eight to each of some more.
constexpr std::size_t piece = 8;
constexpr const char* prelude =
    "#include <evercore/evercore.h>\n"
    "constexpr unsigned long long evercoregen_piece(std::string_view text, unsigned long at) {\n"
    "  unsigned long long value = 0;\n"
    "  for (unsigned long i = at; i < at + 8 && i < text.size(); ++i) {\n"
    "    value |= static_cast<unsigned long long>(static_cast<unsigned char>(text[i])) << 8 * (i - "
    "at);\n"
    "  }\n"
    "  return value;\n"
    "}\n";
constexpr const char* enum_name = "evercoregen_value_";

std::string enum_of(std::size_t number, const std::string& values) {
  return "enum class " + (enum_name + std::to_string(number)) + " : unsigned long long {" + values +
         "};\n";
}

std::string bytes_of(const std::string& expression, std::size_t size) {
  std::string values;
  for (std::size_t at = 0; at < size; at += piece) {
    values += "b" + std::to_string(at) + " = evercoregen_piece(" + expression + ", " +
              std::to_string(at) + "),\n";
  }
  return values;
}

// The values of the enums of that program, each in a list of its own.
std::vector<std::vector<unsigned long long>> values_of(std::span<const std::string> headers,
                                                       std::span<const std::string> flags,
                                                       const std::string& program,
                                                       std::vector<Fault>& faults) {
  const Unit unit(headers, flags, prelude + program);
  faults.insert(faults.end(), unit.faults().begin(), unit.faults().end());
  std::vector<std::vector<unsigned long long>> values;
  if (!faults.empty()) return values;
  for (const CXCursor& part : children(unit.root())) {
    if (part.kind != CXCursor_EnumDecl || !name_of(part).starts_with(enum_name)) continue;
    values.emplace_back();
    for (const CXCursor& one : children(part)) {
      if (one.kind == CXCursor_EnumConstantDecl) {
        values.back().push_back(clang_getEnumConstantDeclUnsignedValue(one));
      }
    }
  }
  return values;
}

}  // namespace

std::vector<std::string> constant_texts(std::span<const std::string> headers,
                                        std::span<const std::string> flags,
                                        std::span<const std::string> expressions,
                                        std::vector<Fault>& faults) {
  if (expressions.empty()) return {};
  std::string program;
  for (std::size_t i = 0; i < expressions.size(); ++i) {
    program += enum_of(i, "size = " + expressions[i] + ".size()");
  }
  const auto sizes = values_of(headers, flags, program, faults);
  if (sizes.size() != expressions.size()) return {};
  program.clear();
  for (std::size_t i = 0; i < expressions.size(); ++i) {
    program += enum_of(i, bytes_of(expressions[i], sizes[i].front()));
  }
  const auto bytes = values_of(headers, flags, program, faults);
  if (bytes.size() != expressions.size()) return {};
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string& text = texts.emplace_back();
    for (const unsigned long long value : bytes[i]) {
      for (std::size_t at = 0; at < piece; ++at) text += static_cast<char>(value >> 8 * at & 0xff);
    }
    text.resize(sizes[i].front());
  }
  return texts;
}

}  // namespace evercore::gen
