// What the structs of a model declare by functions: schema() of events, fold_rules() of states.
#ifndef EVERCORE_GEN_DECLARATIONS_H
#define EVERCORE_GEN_DECLARATIONS_H

#include <span>
#include <string>
#include <vector>

#include "model.h"

namespace evercore::gen {

// Evaluates the functions that the reader has seen, and writes what they say into the model's events.
void read_declarations(std::span<const std::string> headers, std::span<const std::string> flags,
                       Model& model, std::vector<Fault>& faults);

}  // namespace evercore::gen

#endif  // EVERCORE_GEN_DECLARATIONS_H
