// What a struct says of itself by static members whose values are texts in quotes.
#ifndef EVERCORE_GEN_LITERALS_H
#define EVERCORE_GEN_LITERALS_H

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clang.h"

namespace evercore::gen {

// The static member of that name.
std::optional<CXCursor> static_member(CXCursor declaration, std::string_view name);

// The text literals of a variable's initialiser, in order.
std::vector<std::string> literals(CXCursor variable);

}  // namespace evercore::gen

#endif  // EVERCORE_GEN_LITERALS_H
