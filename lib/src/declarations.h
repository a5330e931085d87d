// What a program's types declare to a store, beside what the store declares already.
#ifndef EVERCORE_SRC_DECLARATIONS_H
#define EVERCORE_SRC_DECLARATIONS_H

#include <list>
#include <string>
#include <vector>

#include "evercore/aggregate.h"
#include "evercore/engine.h"

namespace evercore::detail {

// What becomes of a declaration of the store's that is another than the type's.
enum class Present { stays, is_replaced };

// Not to be copied: the commands of a copy would refer to the texts of the first.
struct Declarations {
  Declarations() = default;
  Declarations(Declarations&&) = default;
  Declarations& operator=(Declarations&&) = default;

  std::vector<Command> commands;         // that declare what is to be declared
  std::list<std::string> texts;          // that they refer to
  std::vector<std::string> differences;  // sentences: what the store declares otherwise
};

// Reads what the store declares of the type and its events. The commands live as long as the type.
Declarations declarations_of(const AggregateType& type, Session& session, Present present);

}  // namespace evercore::detail

#endif  // EVERCORE_SRC_DECLARATIONS_H
