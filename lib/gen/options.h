// The command line of evercoregen.
#ifndef EVERCORE_GEN_OPTIONS_H
#define EVERCORE_GEN_OPTIONS_H

#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "writers.h"

namespace evercore::gen {

struct Options {
  std::vector<std::string> headers;
  std::vector<std::string> flags;  // what follows --, for the compiler
  std::string header_output;       // empty: none is written
  std::string sql_output;          // empty: none is written
  std::string name_space = "generated";
  Dialect dialect = Dialect::both;
  Shape shape = Shape::stored;
  bool check = false;
  bool help = false;
  bool version = false;
};

// A command line that cannot be understood; the text says why.
struct usage_fault : std::runtime_error {
  using runtime_error::runtime_error;
};

Options read_options(std::span<char* const> arguments);

extern const char* const help_text;

}  // namespace evercore::gen

#endif  // EVERCORE_GEN_OPTIONS_H
