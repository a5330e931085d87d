#include "options.h"

#include <algorithm>
#include <string_view>

namespace evercore::gen {

const char* const help_text =
    R"(usage: evercoregen [options] HEADER… [-- COMPILER FLAG…]

Reads C++ headers, finds the structs that are marked, and writes the code and the SQL that follow from them.

  // evercore:aggregate                   the state of an aggregate
  // evercore:state-event [AGGREGATE…]    an event whose members replace the state's members of the same names
  // evercore:event [AGGREGATE…]          an event that the state folds in its apply(const Event&)

A mark is a comment of its own line, directly before the struct. Where there are several aggregates, an event names its own.

  -o, --output FILE    write a C++ header: aliases, lists of types and names, registry, decoder
      --sql FILE       write a SQL script: event types and their folds, a view an event type, a view a state
      --dialect NAME   of the script: both (default), one text for SQLite and PostgreSQL, in which times are text;
                       postgres, in which they are timestamptz
      --upcast         of the script: the views of event types read data in the shape of today, by evercore_upcast()
      --namespace NAME the header's namespace (default: generated)
      --check          write nothing; fail where a file is not what would be written
      --help           show this
      --version        show the version

The compiler is clang, as C++20; it needs the flags that find the headers' own includes: -- -Iinclude
Exit: 0 all is well, 1 a mark is wrong, a header does not compile or a file is stale, 2 the command line is wrong.
)";

namespace {

bool is_identifier(std::string_view name) {
  const auto letter = [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

bool is_namespace(std::string_view name) {
  for (std::size_t part; (part = name.find("::")) != name.npos; name.remove_prefix(part + 2)) {
    if (!is_identifier(name.substr(0, part))) return false;
  }
  return is_identifier(name);
}

// Walks over the arguments; an option's value is the next one, or follows a `=`.
class Arguments {
 public:
  explicit Arguments(std::span<char* const> arguments) : rest_(arguments) {}

  bool done() const { return rest_.empty(); }
  std::string take() {
    std::string argument = rest_.front();
    rest_ = rest_.subspan(1);
    return argument;
  }
  std::string value_of(const std::string& option) {
    if (done()) throw usage_fault("option " + option + " needs a value");
    return take();
  }

 private:
  std::span<char* const> rest_;
};

void set_once(std::string& where, std::string value, const std::string& option) {
  if (!where.empty()) throw usage_fault("option " + option + " is given twice");
  if (value.empty()) throw usage_fault("option " + option + " needs a value");
  where = std::move(value);
}

void require_sense(const Options& options) {
  if (options.headers.empty()) throw usage_fault("no header is named");
  if (options.header_output.empty() && options.sql_output.empty()) {
    throw usage_fault("nothing is to be written: name a file by -o or --sql");
  }
  if (options.header_output == options.sql_output) {
    throw usage_fault("-o and --sql name the same file");
  }
  if (options.shape == Shape::upcast && options.sql_output.empty()) {
    throw usage_fault("--upcast is of the script: name its file by --sql");
  }
  if (!is_namespace(options.name_space)) {
    throw usage_fault("\"" + options.name_space + "\" is not the name of a namespace");
  }
  for (const std::string& header : options.headers) {
    if (header.find_first_of("\"\\\n\r") != header.npos) {
      throw usage_fault("a header cannot be included under the name " + header);
    }
    if (header == options.header_output || header == options.sql_output) {
      throw usage_fault(header + " is a header to read, and would be overwritten");
    }
  }
}

}  // namespace

Options read_options(std::span<char* const> arguments) {
  Options options;
  std::string name_space, dialect;
  for (Arguments rest(arguments); !rest.done();) {
    std::string argument = rest.take(), given;
    const std::size_t equals = argument.find('=');
    if (argument.starts_with("--") && equals != argument.npos) {
      given = argument.substr(equals + 1);
      argument.resize(equals);
    }
    const auto value = [&] {
      return equals != std::string::npos ? given : rest.value_of(argument);
    };
    if (argument == "--") {
      while (!rest.done()) options.flags.push_back(rest.take());
    } else if (argument == "-o" || argument == "--output") {
      set_once(options.header_output, value(), argument);
    } else if (argument == "--sql") {
      set_once(options.sql_output, value(), argument);
    } else if (argument == "--namespace") {
      set_once(name_space, value(), argument);
    } else if (argument == "--dialect") {
      set_once(dialect, value(), argument);
    } else if (argument == "--upcast" && equals == std::string::npos) {
      options.shape = Shape::upcast;
    } else if (argument == "--check") {
      options.check = true;
    } else if (argument == "--help" || argument == "-h") {
      options.help = true;
    } else if (argument == "--version") {
      options.version = true;
    } else if (argument.starts_with("-")) {
      throw usage_fault("there is no option " + argument);
    } else {
      options.headers.push_back(argument);
    }
  }
  if (!name_space.empty()) options.name_space = name_space;
  if (dialect == "postgres") {
    options.dialect = Dialect::postgres;
  } else if (!dialect.empty() && dialect != "both") {
    throw usage_fault("there is no dialect " + dialect + "; it is both or postgres");
  }
  if (!options.help && !options.version) require_sense(options);
  return options;
}

}  // namespace evercore::gen
