#include "clang.h"

#include <algorithm>
#include <filesystem>

namespace evercore::gen {

namespace {

// The program that includes the headers; it exists in memory only.
constexpr const char* program_name = "evercoregen-headers.cpp";

Location location_of(const Spot& spot, std::string file) {
  return {std::move(file), spot.line, spot.column};
}

}  // namespace

std::string text_of(CXString string) {
  const char* text = clang_getCString(string);
  std::string copy = text == nullptr ? "" : text;
  clang_disposeString(string);
  return copy;
}

Unit::Unit(std::span<const std::string> headers, std::span<const std::string> flags,
           std::string_view after)
    : headers_(headers.begin(), headers.end()), index_(clang_createIndex(0, 0)) {
  std::string program;
  for (const std::string& header : headers_) {
    paths_.push_back(std::filesystem::absolute(header).lexically_normal().string());
    program += "#include \"" + paths_.back() + "\"\n";
  }
  program += after;
  std::vector<const char*> arguments{"-xc++", "-std=c++20"};
  for (const std::string& flag : flags) arguments.push_back(flag.c_str());
  CXUnsavedFile source{program_name, program.data(), program.size()};
  CXTranslationUnit unit = nullptr;
  const CXErrorCode code = clang_parseTranslationUnit2(
      index_.get(), program_name, arguments.data(), static_cast<int>(arguments.size()), &source, 1,
      CXTranslationUnit_SkipFunctionBodies | CXTranslationUnit_KeepGoing |
          CXTranslationUnit_DetailedPreprocessingRecord,
      &unit);
  unit_.reset(unit);
  if (code != CXError_Success) {
    faults_.push_back({{headers_.front(), 1, 1}, "libclang could not parse this with these flags"});
    return;
  }
  for (unsigned i = 0; i < clang_getNumDiagnostics(unit); ++i) {
    CXDiagnostic diagnostic = clang_getDiagnostic(unit, i);
    if (clang_getDiagnosticSeverity(diagnostic) >= CXDiagnostic_Error) {
      faults_.push_back({show(clang_getDiagnosticLocation(diagnostic)),
                         text_of(clang_getDiagnosticSpelling(diagnostic))});
    }
    clang_disposeDiagnostic(diagnostic);
  }
}

CXFile Unit::file(std::size_t header) const {
  return clang_getFile(unit_.get(), paths_[header].c_str());
}

std::size_t Unit::header_of(CXFile file) const {
  std::size_t header = 0;
  while (header < paths_.size() && clang_File_isEqual(file, this->file(header)) == 0) ++header;
  return header;
}

Location Unit::show(CXSourceLocation location) const {
  const Spot spot = spot_of(location);
  if (spot.file == nullptr) return location_of(spot, headers_.front());
  const std::size_t header = header_of(spot.file);
  return location_of(
      spot, header < headers_.size() ? headers_[header] : text_of(clang_getFileName(spot.file)));
}

Tokens::Tokens(const Unit& unit, std::size_t header) : unit_(unit.get()) {
  const CXFile file = unit.file(header);
  std::size_t size = 0;
  clang_getFileContents(unit_, file, &size);
  clang_tokenize(
      unit_,
      clang_getRange(clang_getLocationForOffset(unit_, file, 0),
                     clang_getLocationForOffset(unit_, file, static_cast<unsigned>(size))),
      &tokens_, &count_);
}

void visit_below(CXCursor parent, const std::function<bool(CXCursor)>& function) {
  const auto call = [](CXCursor child, CXCursor, CXClientData data) {
    const auto& then = *static_cast<const std::function<bool(CXCursor)>*>(data);
    return then(child) ? CXChildVisit_Recurse : CXChildVisit_Continue;
  };
  clang_visitChildren(parent, call, const_cast<std::function<bool(CXCursor)>*>(&function));
}

std::vector<CXCursor> children(CXCursor parent) {
  std::vector<CXCursor> found;
  visit_below(parent, [&](CXCursor child) {
    found.push_back(child);
    return false;
  });
  return found;
}

std::vector<CXCursor> fields(CXType type) {
  std::vector<CXCursor> found;
  const auto call = [](CXCursor field, CXClientData data) {
    static_cast<std::vector<CXCursor>*>(data)->push_back(field);
    return CXVisit_Continue;
  };
  clang_Type_visitFields(type, call, &found);
  return found;
}

std::string name_of(CXCursor cursor) {
  return text_of(clang_getCursorSpelling(cursor));
}

bool is_linkage(CXCursor cursor) {  // older libclangs do not tell
  return cursor.kind == CXCursor_LinkageSpec || cursor.kind == CXCursor_UnexposedDecl;
}

std::string qualified_name(CXCursor cursor) {
  std::string name = name_of(cursor);
  for (CXCursor around = clang_getCursorSemanticParent(cursor);
       clang_Cursor_isNull(around) == 0 && clang_isTranslationUnit(around.kind) == 0;
       around = clang_getCursorSemanticParent(around)) {
    if (!clang_Cursor_isInlineNamespace(around) && !is_linkage(around))
      name = name_of(around) + "::" + name;
  }
  return name;
}

Spot spot_of(CXSourceLocation location) {
  Spot spot;
  clang_getFileLocation(location, &spot.file, &spot.line, &spot.column, &spot.offset);
  return spot;
}

}  // namespace evercore::gen
