// From the model to text. The same model gives the same bytes.
#ifndef EVERCORE_GEN_WRITERS_H
#define EVERCORE_GEN_WRITERS_H

#include <span>
#include <string>
#include <string_view>

#include "model.h"

namespace evercore::gen {

// The C++ header: aliases of the aggregates, lists of types and of their names, the registry and
// the decoder, in a namespace. `sources` are the marked headers as an #include in that file spells
// them; `guard` is its include guard.
std::string write_header(const Model& model, std::span<const std::string> sources,
                         std::string_view name_space, std::string_view guard);

// What SQL a script is for: `both` is one text for either engine, in which members that are times
// are columns of text; in a script for PostgreSQL alone they are timestamptz.
enum class Dialect { both, postgres };

// What the views of event types read: data as they are stored, or in the shape that their type has today.
enum class Shape { stored, upcast };

// The SQL script: event types with their folds, a view an event type, a view a state.
std::string write_sql(const Model& model, std::span<const std::string> sources, Dialect dialect,
                      Shape shape);

}  // namespace evercore::gen

#endif  // EVERCORE_GEN_WRITERS_H
