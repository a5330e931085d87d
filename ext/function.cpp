#include "function.h"

#include <cstring>
#include <new>

#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

struct Registration {
  std::shared_ptr<Connection> connection;
  const Function* function;
};

void destroy_registration(void* registration) {
  delete static_cast<Registration*>(registration);
}

void run(const Function& function, const Call& call) {
  Connection& connection = call.connection;
  if (function.access == Access::writes) {
    const WriteGuard guard(connection, function.name);
    function.run(call);
  } else if (function.access == Access::reads) {
    const Connection::Reading reading(connection, function.name);
    connection.require_same_store();
    function.run(call);
  } else {
    function.run(call);
  }
}

void invoke(sqlite3_context* context, int count, sqlite3_value** values) noexcept {
  const auto* registration = static_cast<Registration*>(sqlite3_user_data(context));
  Connection& connection = *registration->connection;
  const bool in_transaction = sqlite3_get_autocommit(connection.db()) == 0;
  const auto is_gone = [&] {
    return in_transaction && sqlite3_get_autocommit(connection.db()) != 0;
  };
  try {
    try {
      run(*registration->function,
          {connection, context, {values, static_cast<std::size_t>(count)}});
    } catch (const Error& failure) {
      if (failure.code == Code::engine || !is_gone()) throw;
    }
    if (is_gone()) throw lost_transaction();
  } catch (...) {
    give_failure(context);
  }
}

int flags_of(Access access) {
  switch (access) {
    case Access::pure:
      return SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    case Access::reads:
      return SQLITE_UTF8 | SQLITE_RESULT_SUBTYPE;
    case Access::writes:
    case Access::internal:
      return SQLITE_UTF8 | SQLITE_DIRECTONLY | SQLITE_RESULT_SUBTYPE;
  }
  return SQLITE_UTF8;
}

}  // namespace

void give_failure(sqlite3_context* context) noexcept {
  try {
    throw;
  } catch (const Error& failure) {
    sqlite3_result_error(context, failure.text.c_str(), static_cast<int>(failure.text.size()));
    sqlite3_result_error_code(context, failure.sqlite_code);
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  } catch (...) {
    sqlite3_result_error(context, "evercore: an unexpected failure", -1);
  }
}

sqlite3_value* Call::optional(std::size_t index) const {
  if (index >= arguments.size() || is_null(arguments[index])) return nullptr;
  return arguments[index];
}

void Call::result(std::int64_t value) const {
  sqlite3_result_int64(context, value);
}

void Call::result(std::string_view text) const {
  auto* copy = static_cast<char*>(sqlite3_malloc64(text.size() + 1));
  if (copy == nullptr) throw std::bad_alloc();
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  sqlite3_result_text64(context, copy, text.size(), sqlite3_free, SQLITE_UTF8);
}

void Call::result_null() const {
  sqlite3_result_null(context);
}

void Call::result_json(std::string_view json) const {
  result(json);
  sqlite3_result_subtype(context, 'J');
}

int register_function(const std::shared_ptr<Connection>& connection, const Function& function) {
  for (int count = function.least_arguments; count <= function.most_arguments; ++count) {
    auto* registration = new (std::nothrow) Registration{connection, &function};
    if (registration == nullptr) return SQLITE_NOMEM;
    // On failure SQLite calls the destructor itself.
    const int rc = sqlite3_create_function_v2(connection->db(), function.name, count,
                                              flags_of(function.access), registration, invoke,
                                              nullptr, nullptr, destroy_registration);
    if (rc != SQLITE_OK) return rc;
  }
  return SQLITE_OK;
}

void unregister_function(sqlite3* db, const Function& function) {
  for (int count = function.least_arguments; count <= function.most_arguments; ++count) {
    sqlite3_create_function_v2(db, function.name, count, flags_of(function.access), nullptr,
                               nullptr, nullptr, nullptr, nullptr);
  }
}

}  // namespace evercore::ext
