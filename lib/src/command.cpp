#include <algorithm>

#include "evercore/engine.h"
#include "evercore/error.h"

namespace evercore {

Command::Command(const Statement& statement, std::initializer_list<Parameter> parameters,
                 RowSink rows)
    : statement_(&statement), parameters_{}, count_(parameters.size()), rows_(rows) {
  if (count_ > max_parameters) {
    throw argument_error("EV009: a statement takes at most " + std::to_string(max_parameters) +
                         " parameters");
  }
  if (!statement.foreign && count_ != statement.parameters) {
    throw usage_error("a statement of " + std::to_string(statement.parameters) +
                      " parameters was given " + std::to_string(count_));
  }
  std::copy(parameters.begin(), parameters.end(), parameters_.begin());
}

}  // namespace evercore
