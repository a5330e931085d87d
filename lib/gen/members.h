// What the members of a struct become, and the sentence for those that cannot be stored: the same
// rules as those of <evercore/codec.h>, told before a compiler has to.
#ifndef EVERCORE_GEN_MEMBERS_H
#define EVERCORE_GEN_MEMBERS_H

#include <vector>

#include "clang.h"
#include "model.h"

namespace evercore::gen {

// The columns of a struct, in order of declaration; their SQL names are left to the caller. Looks
// into the structs that its members are made of, too. What cannot be stored goes into `faults`.
std::vector<Column> read_columns(const Unit& unit, CXCursor declaration,
                                 std::vector<Fault>& faults);

}  // namespace evercore::gen

#endif  // EVERCORE_GEN_MEMBERS_H
