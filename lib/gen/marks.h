// Marks: the comments that say what a struct is.
//
//   // evercore:aggregate                      the state of an aggregate
//   // evercore:state-event [Aggregate…]       an event whose members replace the state's
//   // evercore:event [Aggregate…]             an event that the state's apply() folds
//
// A mark is a // comment of its own line, directly before the struct; other comments may stand
// between them, an empty line may not. An event names its aggregates where there are several.
#ifndef EVERCORE_GEN_MARKS_H
#define EVERCORE_GEN_MARKS_H

#include <string>
#include <vector>

#include "clang.h"
#include "model.h"

namespace evercore::gen {

enum class MarkKind { aggregate, state_event, event };

struct Mark {
  Location where;
  MarkKind kind = MarkKind::aggregate;
  std::vector<std::string> aggregates;  // as the mark names them
  std::size_t header = 0;
  unsigned target = 0;  // the offset of what the mark stands before
};

// The marks of one header, in order; what is wrong with others goes into `faults`. Code that the
// preprocessor leaves out has no marks.
std::vector<Mark> find_marks(const Unit& unit, std::size_t header, std::vector<Fault>& faults);

}  // namespace evercore::gen

#endif  // EVERCORE_GEN_MARKS_H
