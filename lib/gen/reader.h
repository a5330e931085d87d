// From headers to the model: parses them, finds the marks and the structs these stand before, and
// checks that the whole makes sense.
#ifndef EVERCORE_GEN_READER_H
#define EVERCORE_GEN_READER_H

#include <span>
#include <string>
#include <vector>

#include "model.h"

namespace evercore::gen {

// The model of what is marked in these headers, compiled with these flags. With faults, which come
// sorted by place, the model is of no use.
Model read_headers(std::span<const std::string> headers, std::span<const std::string> flags,
                   std::vector<Fault>& faults);

}  // namespace evercore::gen

#endif  // EVERCORE_GEN_READER_H
