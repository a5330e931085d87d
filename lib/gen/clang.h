// The little of libclang's C interface that evercoregen needs, with owners for what must be given
// back. A Unit outlives every cursor, type and token taken from it.
#ifndef EVERCORE_GEN_CLANG_H
#define EVERCORE_GEN_CLANG_H

#include <clang-c/Index.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model.h"

namespace evercore::gen {

// Takes over a string of libclang's.
std::string text_of(CXString string);

// A parsed translation unit and the index it belongs to.
class Unit {
 public:
  // Parses a program that includes these headers, and holds nothing else but what is to come after them.
  // Faults are what the compiler calls errors; the unit may be looked at only when there are none.
  Unit(std::span<const std::string> headers, std::span<const std::string> flags,
       std::string_view after = {});

  const std::vector<Fault>& faults() const noexcept { return faults_; }
  CXTranslationUnit get() const noexcept { return unit_.get(); }
  CXCursor root() const { return clang_getTranslationUnitCursor(unit_.get()); }
  const std::vector<std::string>& headers() const noexcept { return headers_; }

  CXFile file(std::size_t header) const;
  // The number of the header that a file is, or that of headers() when it is none of them.
  std::size_t header_of(CXFile file) const;
  // A place as it is to be shown: a header is called what the command line called it.
  Location show(CXSourceLocation location) const;

 private:
  struct DisposeIndex {
    void operator()(void* index) const { clang_disposeIndex(index); }
  };
  struct DisposeUnit {
    void operator()(CXTranslationUnitImpl* unit) const { clang_disposeTranslationUnit(unit); }
  };

  std::vector<std::string> headers_;
  std::vector<std::string> paths_;  // the same, absolute
  std::unique_ptr<void, DisposeIndex> index_;
  std::unique_ptr<CXTranslationUnitImpl, DisposeUnit> unit_;
  std::vector<Fault> faults_;
};

// The tokens of one header, comments among them.
class Tokens {
 public:
  Tokens(const Unit& unit, std::size_t header);
  Tokens(const Tokens&) = delete;
  Tokens& operator=(const Tokens&) = delete;
  ~Tokens() { clang_disposeTokens(unit_, tokens_, count_); }

  std::span<const CXToken> all() const noexcept { return {tokens_, count_}; }

 private:
  CXTranslationUnit unit_;
  CXToken* tokens_ = nullptr;
  unsigned count_ = 0;
};

// Calls the function for each child, and for the children of those where it gives true.
void visit_below(CXCursor parent, const std::function<bool(CXCursor)>& function);
std::vector<CXCursor> children(CXCursor parent);
// The data members of a struct, those of an instantiated template too.
std::vector<CXCursor> fields(CXType type);

std::string name_of(CXCursor cursor);
// Whether it is an extern "C++" block, which is no part of any name.
bool is_linkage(CXCursor cursor);
// "shop::User". Inline namespaces, such as the library's own for versions, are left out.
std::string qualified_name(CXCursor cursor);
// Where a declaration begins, as line, column and offset of its file.
struct Spot {
  CXFile file = nullptr;
  unsigned line = 0;
  unsigned column = 0;
  unsigned offset = 0;
};
Spot spot_of(CXSourceLocation location);

}  // namespace evercore::gen

#endif  // EVERCORE_GEN_CLANG_H
