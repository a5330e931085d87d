// What constant expressions of the headers' own are, by the compiler's word.
#ifndef EVERCORE_GEN_CONSTANTS_H
#define EVERCORE_GEN_CONSTANTS_H

#include <span>
#include <string>
#include <vector>

#include "model.h"

namespace evercore::gen {

// The texts that these expressions, constants of the type std::string_view, are. The headers are parsed
// again for it, with <evercore/evercore.h>. Gives nothing, and says why in the faults, where one does
// not compile.
std::vector<std::string> constant_texts(std::span<const std::string> headers,
                                        std::span<const std::string> flags,
                                        std::span<const std::string> expressions,
                                        std::vector<Fault>& faults);

}  // namespace evercore::gen

#endif  // EVERCORE_GEN_CONSTANTS_H
