// Names once written stay: a struct that is renamed would leave the events it stored behind.
#ifndef EVERCORE_GEN_PINS_H
#define EVERCORE_GEN_PINS_H

#include <string>
#include <string_view>
#include <vector>

#include "model.h"

namespace evercore::gen {

// The names that a header written before lists and that nothing in the model has any more, by
// name, alias or older struct. `path` is where that header is, `written` its text.
std::vector<Fault> lost_names(const std::string& path, std::string_view written,
                              const Model& model);

}  // namespace evercore::gen

#endif  // EVERCORE_GEN_PINS_H
