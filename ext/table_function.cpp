#include "table_function.h"

#include <array>
#include <cstring>
#include <new>

#include "error.h"
#include "time.h"
#include "value.h"

namespace evercore::ext {

namespace {

// idxNum, made in best_index and read in filter: the low 8 bits say which arguments are given, in
// the order of the hidden columns; the bits above say which columns the query uses, as colUsed
// does, up to 20; the one above these says that the rows must come in their ascending order.
constexpr int argument_bits = 8;
constexpr unsigned ascending_bit = 1u << 28;
constexpr double no_plan = 1e99;
constexpr std::uint64_t column_mask = (std::uint64_t{1} << 20) - 1;

struct Module {
  std::shared_ptr<Connection> connection;
  const TableFunction* table;
};

struct Table {
  sqlite3_vtab base;
  const Module* module;
};

struct Cursor {
  sqlite3_vtab_cursor base;
  std::unique_ptr<Rows> rows;
  bool at_end;
};

Table& table_of(sqlite3_vtab* vtab) {
  return *reinterpret_cast<Table*>(vtab);
}
Cursor& cursor_of(sqlite3_vtab_cursor* cursor) {
  return *reinterpret_cast<Cursor*>(cursor);
}

void set_message(sqlite3_vtab* vtab, const std::string& text) {
  sqlite3_free(vtab->zErrMsg);
  vtab->zErrMsg = sqlite3_mprintf("%s", text.c_str());
}

/// Runs `work` at the border to SQLite: its exceptions become result codes and messages of `vtab`.
template <typename Work>
int guarded(sqlite3_vtab* vtab, Work work) noexcept {
  try {
    const Module& module = *table_of(vtab).module;
    const Connection::Reading reading(*module.connection, module.table->name);
    work();
    return SQLITE_OK;
  } catch (const Error& failure) {
    set_message(vtab, failure.text);
    return failure.sqlite_code;
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  } catch (...) {
    return SQLITE_ERROR;
  }
}

int connect(sqlite3* db, void* module, int, const char* const*, sqlite3_vtab** out,
            char**) noexcept {
  const int rc = sqlite3_declare_vtab(db, static_cast<Module*>(module)->table->declaration);
  if (rc != SQLITE_OK) return rc;
  auto* table = new (std::nothrow) Table{{}, static_cast<Module*>(module)};
  if (table == nullptr) return SQLITE_NOMEM;
  *out = &table->base;
  return SQLITE_OK;
}

int disconnect(sqlite3_vtab* vtab) noexcept {
  delete &table_of(vtab);
  return SQLITE_OK;
}

/// Every argument must be given as a usable `=`; the planner tries again where one is not usable.
/// It also asks for plans of the single terms of an OR, without the arguments: such a plan is
/// priced so that it is never taken, and is an error in filter where no other one exists.
int best_index(sqlite3_vtab* vtab, sqlite3_index_info* info) noexcept {
  const TableFunction& function = *table_of(vtab).module->table;
  std::array<int, argument_bits> constraint_of{};
  constraint_of.fill(-1);
  for (int i = 0; i < info->nConstraint; ++i) {
    const auto& constraint = info->aConstraint[i];
    const int argument = constraint.iColumn - function.columns;
    if (argument < 0 || constraint.op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
    if (constraint.usable == 0) return SQLITE_CONSTRAINT;
    constraint_of[static_cast<std::size_t>(argument)] = i;
  }
  unsigned given = 0;
  bool complete = true;
  int next = 0;
  for (int argument = 0; argument < function.arguments; ++argument) {
    const int i = constraint_of[static_cast<std::size_t>(argument)];
    if (i < 0) {
      if (argument < function.required_arguments) complete = false;
      continue;
    }
    info->aConstraintUsage[i].argvIndex = ++next;
    info->aConstraintUsage[i].omit = 1;
    given |= 1u << argument;
  }
  info->idxNum = static_cast<int>((info->colUsed & column_mask) << argument_bits | given);
  const bool of_one_aggregate = function.required_arguments > 0;
  info->estimatedCost = !complete ? no_plan : of_one_aggregate ? 100 : 1e6;
  info->estimatedRows = of_one_aggregate ? 100 : 1'000'000;
  info->orderByConsumed = info->nOrderBy == 1 && info->aOrderBy[0].desc == 0 &&
                          info->aOrderBy[0].iColumn == function.ordered_column;
  if (info->orderByConsumed != 0) info->idxNum |= static_cast<int>(ascending_bit);
  return SQLITE_OK;
}

int open(sqlite3_vtab*, sqlite3_vtab_cursor** out) noexcept {
  auto* cursor = new (std::nothrow) Cursor{{}, nullptr, true};
  if (cursor == nullptr) return SQLITE_NOMEM;
  *out = &cursor->base;
  return SQLITE_OK;
}

/// A cursor that was not read to its end still has its statement. Hosts that finalize every
/// statement they find meet that one first, since it is the younger, and then the one that reads
/// the cursor.
int close(sqlite3_vtab_cursor* base) noexcept {
  Cursor& cursor = cursor_of(base);
  if (cursor.rows != nullptr) {
    table_of(base->pVtab).module->connection->mistrusting([&] { cursor.rows.reset(); });
  }
  delete &cursor;
  return SQLITE_OK;
}

int next(sqlite3_vtab_cursor* base) noexcept {
  Cursor& cursor = cursor_of(base);
  return guarded(base->pVtab, [&] {
    cursor.at_end = !cursor.rows->next();
    if (cursor.at_end) cursor.rows.reset();
  });
}

int filter(sqlite3_vtab_cursor* base, int index, const char*, int,
           sqlite3_value** values) noexcept {
  Cursor& cursor = cursor_of(base);
  const Module& module = *table_of(base->pVtab).module;
  cursor.rows.reset();
  cursor.at_end = true;
  const int rc = guarded(base->pVtab, [&] {
    module.connection->require_same_store();
    TableArguments arguments;
    arguments.columns_used = static_cast<unsigned>(index) >> argument_bits & column_mask;
    arguments.ascending = (static_cast<unsigned>(index) & ascending_bit) != 0;
    int taken = 0;
    for (int i = 0; i < module.table->arguments; ++i) {
      if (i < module.table->required_arguments && (index >> i & 1) == 0) {
        throw Error{std::string(module.table->name) + "() takes at least " +
                    std::to_string(module.table->required_arguments) + " argument(s)"};
      }
      sqlite3_value* value = (index >> i & 1) != 0 ? values[taken++] : nullptr;
      arguments.values.push_back(value != nullptr && !is_null(value) ? value : nullptr);
    }
    cursor.rows = module.table->open(*module.connection, arguments);
  });
  return rc != SQLITE_OK || cursor.rows == nullptr ? rc : next(base);
}

int eof(sqlite3_vtab_cursor* cursor) noexcept {
  return cursor_of(cursor).at_end ? 1 : 0;
}

int column(sqlite3_vtab_cursor* base, sqlite3_context* context, int index) noexcept {
  Cursor& cursor = cursor_of(base);
  if (index >= table_of(base->pVtab).module->table->columns) {
    sqlite3_result_null(context);  // an argument; its constraint is applied already
    return SQLITE_OK;
  }
  return guarded(base->pVtab, [&] { cursor.rows->column(context, index); });
}

int rowid(sqlite3_vtab_cursor* cursor, sqlite3_int64* out) noexcept {
  *out = cursor_of(cursor).rows->rowid();
  return SQLITE_OK;
}

constexpr sqlite3_module methods = [] {
  sqlite3_module module{};
  module.xConnect = connect;
  module.xBestIndex = best_index;
  module.xDisconnect = disconnect;
  module.xOpen = open;
  module.xClose = close;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  return module;
}();

void destroy_module(void* module) {
  delete static_cast<Module*>(module);
}

}  // namespace

int register_table(const std::shared_ptr<Connection>& connection, const TableFunction& table) {
  auto* module = new (std::nothrow) Module{connection, &table};
  if (module == nullptr) return SQLITE_NOMEM;
  return sqlite3_create_module_v2(connection->db(), table.name, &methods, module, destroy_module);
}

std::optional<Aggregate> find_for_rows(Connection& connection, sqlite3_value* id) {
  if (id == nullptr) return std::nullopt;
  return find_aggregate_by_id(connection, integer_of(id, "aggregate_id"));
}

std::int64_t limit_of(sqlite3_value* value) {
  return value == nullptr ? -1 : integer_from(value, "limit", 0);
}

void give_text(sqlite3_context* context, std::string_view text) {
  // No text here is longer than SQLite's own limit of 2^31 - 1 bytes: it came from SQLite.
  sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

void give_name(sqlite3_context* context, const std::string& name) {
  sqlite3_result_text(context, name.c_str(), -1, SQLITE_TRANSIENT);
}

void give_value(sqlite3_context* context, sqlite3_value* value) {
  const int type = sqlite3_value_type(value);
  if (type == SQLITE_NULL) return sqlite3_result_null(context);
  if (type == SQLITE_INTEGER) return sqlite3_result_int64(context, sqlite3_value_int64(value));
  if (type != SQLITE_TEXT || sqlite3_value_encoding(value) != SQLITE_UTF8) {
    return sqlite3_result_value(context, value);
  }
  // As a blob: as text, SQLite would copy it here to end it with a NUL.
  const auto* text = static_cast<const char*>(sqlite3_value_blob(value));
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value));
  std::array<char, 1024> ended;
  if (size >= ended.size() || text == nullptr || std::memchr(text, 0, size) != nullptr) {
    return give_text(context, {text == nullptr ? "" : text, size});
  }
  // A text that SQLite knows to end with a NUL it need not copy again when the host asks for it.
  std::memcpy(ended.data(), text, size);
  ended[size] = 0;
  sqlite3_result_text(context, ended.data(), -1, SQLITE_TRANSIENT);
}

void give_time(sqlite3_context* context, std::int64_t microseconds) {
  std::array<char, time_text_size> text;
  format_time(microseconds, text);
  give_text(context, {text.data(), text.size()});
}

}  // namespace evercore::ext
