// Scalar functions: one row of a table each, and the border between SQLite's C frames and C++.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "connection.h"

namespace evercore::ext {

/// One call of a scalar function.
struct Call {
  Connection& connection;
  sqlite3_context* context;
  std::span<sqlite3_value*> arguments;

  /// Argument `index`, or null where it was left off or is NULL: both mean the default.
  [[nodiscard]] sqlite3_value* optional(std::size_t index) const;

  /// A writing function gives its result inside atomically(), so that memory which runs out here
  /// undoes what it wrote.
  void result(std::int64_t value) const;
  void result(std::string_view text) const;
  void result_null() const;
  void result_json(std::string_view json) const;  ///< with SQLite's JSON subtype
};

/// What a function may do, and so where it may be called.
enum class Access {
  pure,      ///< needs no store: anywhere, also in an untrusted schema
  reads,     ///< may stand in views
  writes,    ///< DIRECTONLY, and under the discipline of write.h
  internal,  ///< for the statements of the extension alone
};

struct Function {
  const char* name;
  int least_arguments;
  int most_arguments;
  Access access;
  void (*run)(const Call& call);
};

/// In a catch block of what SQLite calls: the exception at hand becomes the call's error.
void give_failure(sqlite3_context* context) noexcept;

/// Registers `function` under each number of arguments it takes. Gives a SQLite result code.
int register_function(const std::shared_ptr<Connection>& connection, const Function& function);
/// Takes it back, for a load that fails half way.
void unregister_function(sqlite3* db, const Function& function);

}  // namespace evercore::ext
