// What a program's types declare to a store, beside what the store declares already.
#ifndef EVERCORE_SRC_DECLARATIONS_H
#define EVERCORE_SRC_DECLARATIONS_H

#include <deque>
#include <string>
#include <vector>

#include "evercore/aggregate.h"
#include "evercore/engine.h"

namespace evercore::detail {

// What becomes of a declaration of the store's that is another than the type's.
enum class Present { stays, is_replaced };

struct Declarations {
  std::vector<Command> commands;  // which declare what is to be declared
  std::vector<std::string>
      differences;                // each a sentence, of what the store declares in another way
  std::deque<std::string> texts;  // that the commands refer to
};

// Reads what the store declares of the type's events. The commands live as long as the type.
Declarations declarations_of(const AggregateType& type, Session& session, Present present);

}  // namespace evercore::detail

#endif  // EVERCORE_SRC_DECLARATIONS_H
