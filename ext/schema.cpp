#include "schema.h"

#include <algorithm>
#include <map>
#include <memory>

#include "error.h"
#include "migrate.h"
#include "schema_text.h"
#include "write.h"

namespace evercore::ext {

namespace {

using Objects = std::vector<SchemaObject>;

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

Database open_in_memory() {
  sqlite3* db = nullptr;
  const int rc =
      sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  Database opened(db);
  if (rc != SQLITE_OK) throw engine_error(db, rc);
  return opened;
}

/// SQLite's own comparison of names, which knows the case of ASCII letters alone.
bool same_name(const std::string& a, std::string_view b) {
  return a.size() == b.size() &&
         sqlite3_strnicmp(a.data(), b.data(), static_cast<int>(b.size())) == 0;
}

const SchemaObject* find_in(const Objects& objects, std::string_view name) {
  const auto found = std::find_if(objects.begin(), objects.end(), [&](const SchemaObject& object) {
    return same_name(object.name, name);
  });
  return found == objects.end() ? nullptr : &*found;
}

/// The objects of main. Only those with a text: an index that a constraint made has none.
Objects objects_of(Connection& connection, const Schema* only) {
  Objects objects;
  Statement rows = connection.prepare_once(
      "SELECT type, name, sql FROM main.sqlite_schema WHERE typeof(sql) = 'text'"
      " AND lower(name) NOT GLOB 'sqlite_*' ORDER BY rowid");
  while (rows.step()) {
    if (only != nullptr && only->find(rows.text(1)) == nullptr) continue;
    objects.push_back(
        {std::string(rows.text(0)), std::string(rows.text(1)), std::string(rows.text(2))});
  }
  return objects;
}

std::string words(const SchemaObject& object, const char* what) {
  return object.type + " " + object.name + " is " + what;
}

/// A table may have more columns than ours. What is not alike and no column is a difference of the
/// table as a whole.
void compare_tables(const SchemaObject& expected, const std::string& actual_sql,
                    std::vector<Difference>& found) {
  const TableText ours = table_text_of(expected.sql);
  const TableText theirs = table_text_of(actual_sql);
  bool different = !theirs.readable || ours.options != theirs.options;
  const auto part_named = [&](const std::string& name) {
    return std::any_of(theirs.parts.begin(), theirs.parts.end(),
                       [&](const TableText::Part& part) { return part.name == name; });
  };
  const auto has = [](const TableText& table, const TableText::Part& wanted) {
    return std::any_of(table.parts.begin(), table.parts.end(), [&](const TableText::Part& part) {
      return part.name == wanted.name && part.text == wanted.text;
    });
  };
  for (const TableText::Part& part : ours.parts) {
    if (!theirs.readable || has(theirs, part)) continue;
    if (part.name.empty()) {
      different = true;
      continue;
    }
    const bool present = part_named(part.name);
    found.push_back(
        {&expected,
         "column " + expected.name + "." + part.name + " is " + (present ? "different" : "missing"),
         present, false, !present});
  }
  different |= std::any_of(theirs.parts.begin(), theirs.parts.end(),
                           [&](const auto& part) { return part.name.empty() && !has(ours, part); });
  if (different) found.push_back({&expected, words(expected, "different"), true, false, false});
}

void compare(const SchemaObject& expected, const SchemaObject* actual,
             std::vector<Difference>& found) {
  const bool table = expected.type == "table";
  if (actual == nullptr) {
    found.push_back({&expected, words(expected, "missing"), false, !table, table});
  } else if (actual->type != expected.type) {
    found.push_back({&expected, words(expected, "different"), true, false, true});
  } else if (same_sql(expected.sql, actual->sql)) {
    return;
  } else if (table) {
    compare_tables(expected, actual->sql, found);
  } else {
    found.push_back({&expected, words(expected, "different"), true, true, false});
  }
}

/// Names the first two rows that a unique index could not hold together.
Error doubles(Connection& connection, const SchemaObject& index) {
  const auto tokens = tokens_of(index.sql);  // CREATE UNIQUE INDEX name ON table (…)
  const std::string table = tokens.size() > 5 ? tokens[5].text : std::string();
  const IndexText text = index_text_of(index.sql);
  const std::string columns(text.columns);
  std::string sql = "SELECT min(rowid), max(rowid) FROM main." + table;
  if (!text.where.empty()) sql.append(" WHERE ").append(text.where);
  Statement find = connection.prepare_once(sql + " GROUP BY " + columns +
                                           " HAVING count(*) > 1 ORDER BY 1 LIMIT 1");
  std::string rows = "rows";
  if (find.step()) {
    rows += " " + std::to_string(find.integer(0)) + " and " + std::to_string(find.integer(1));
  }
  return error(10, "index " + index.name + " cannot be made: " + rows + " of " + table +
                       " have the same " + columns);
}

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

/// As sqlite3_exec(), but no statement runs without the transaction that the call stands in: each of a migration may read
/// the schema anew, and lose it there.
int execute(const Connection& connection, const std::string& script) {
  int rc = SQLITE_OK;
  for (const char* rest = script.c_str(); rc == SQLITE_OK && *rest != '\0';) {
    sqlite3_stmt* prepared = nullptr;
    rc = sqlite3_prepare_v2(connection.db(), rest, -1, &prepared, &rest);
    const std::unique_ptr<sqlite3_stmt, Finalize> statement(prepared);
    if (rc != SQLITE_OK || !statement) continue;
    require_same_transaction(connection);
    while ((rc = sqlite3_step(prepared)) == SQLITE_ROW) {
    }
    if (rc == SQLITE_DONE) rc = SQLITE_OK;
  }
  if (rc == SQLITE_OK) require_same_transaction(connection);
  return rc;
}

void make(Connection& connection, const SchemaObject& object) {
  const int rc = execute(connection, object.sql);
  if (rc == SQLITE_OK) return;
  const Error failure = engine_error(connection.db(), rc);
  if (object.type == "index" && (rc & 0xff) == SQLITE_CONSTRAINT) throw doubles(connection, object);
  throw failure;
}

/// Lets a migration change the schema's text, which a host may forbid to everybody's SQL.
class SchemaAccess {
 public:
  explicit SchemaAccess(sqlite3* db) : db_(db) {
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, -1, &defensive_);
    sqlite3_db_config(db, SQLITE_DBCONFIG_WRITABLE_SCHEMA, -1, &writable_);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, nullptr);
  }
  ~SchemaAccess() {
    sqlite3_db_config(db_, SQLITE_DBCONFIG_WRITABLE_SCHEMA, writable_, nullptr);
    sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, defensive_, nullptr);
  }
  SchemaAccess(const SchemaAccess&) = delete;
  SchemaAccess& operator=(const SchemaAccess&) = delete;

 private:
  sqlite3* db_;
  int defensive_ = 0;
  int writable_ = 0;
};

}  // namespace

void run_migration(Connection& connection, const std::string& script) {
  const SchemaAccess access(connection.db());
  run_script(connection, script);
}

void run_script(Connection& connection, const std::string& script) {
  const int rc = execute(connection, script);
  if (rc != SQLITE_OK) throw engine_error(connection.db(), rc);
}

Schema::Schema(std::int64_t version) {
  const Database db = open_in_memory();
  Connection connection(db.get());
  for (const Migration& migration : migrations) {
    if (migration.version <= version) run_migration(connection, up_part(migration));
  }
  objects_ = objects_of(connection, nullptr);
}

const SchemaObject* Schema::find(std::string_view name) const {
  return find_in(objects_, name);
}

const Schema& Schema::newest() {
  static const Schema schema(newest_schema_version());
  return schema;
}

std::vector<Difference> differences(Connection& connection, const Schema& schema) {
  const Objects actual = objects_of(connection, &schema);
  std::vector<Difference> found;
  for (const SchemaObject& expected : schema.objects()) {
    compare(expected, find_in(actual, expected.name), found);
  }
  return found;
}

void mend(Connection& connection, const Schema& schema) {
  const std::vector<Difference> found = differences(connection, schema);
  for (const Difference& difference : found) {
    if (difference.blocks) throw error(10, difference.text + ": evercore_migrate() cannot mend it");
  }
  const std::vector<ViewTrigger> triggers = triggers_on_views(connection, schema);
  for (const Difference& difference : found) {
    if (!difference.mendable || !difference.present) continue;
    const SchemaObject& object = *difference.expected;
    run_script(connection, "DROP " + object.type + " main." + object.name);
  }
  for (const Difference& difference : found) {
    if (difference.mendable) make(connection, *difference.expected);
  }
  restore_triggers(connection, triggers);
}

std::vector<ViewTrigger> triggers_on_views(Connection& connection, const Schema& schema) {
  std::vector<ViewTrigger> triggers;
  Statement rows = connection.prepare_once(
      "SELECT name, sql, tbl_name, 0 FROM main.sqlite_schema WHERE type = 'trigger'"
      " UNION ALL SELECT name, sql, tbl_name, 1 FROM temp.sqlite_schema WHERE type = 'trigger'");
  while (rows.step()) {
    const SchemaObject* on = schema.find(rows.text(2));
    if (on == nullptr || on->type != "view") continue;
    const bool temporary = rows.integer(3) != 0;
    if (!temporary && schema.find(rows.text(0)) != nullptr) continue;
    std::string sql(rows.text(1));
    if (temporary) sql.insert(sizeof "CREATE", "TEMP ");  // SQLite keeps the text without it
    triggers.push_back({on->name, std::string(rows.text(0)), std::move(sql), temporary});
  }
  return triggers;
}

void restore_triggers(Connection& connection, const std::vector<ViewTrigger>& triggers) {
  for (const ViewTrigger& trigger : triggers) {
    Statement look = connection.prepare_once(
        "SELECT EXISTS (SELECT 1 FROM (SELECT 0 AS temporary, type, name FROM main.sqlite_schema"
        " UNION ALL SELECT 1, type, name FROM temp.sqlite_schema)"
        " WHERE type = 'trigger' AND name = ?1 COLLATE NOCASE AND temporary = ?3),"
        " EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'view' AND name = ?2 COLLATE "
        "NOCASE)");
    look.bind(1, trigger.name).bind(2, trigger.view).bind(3, std::int64_t{trigger.temporary});
    look.step();
    const bool lost = look.integer(0) == 0 && look.integer(1) != 0;
    look.reset();
    if (lost) run_script(connection, trigger.sql);
  }
}

void refuse_temporary_names(Connection& connection) {
  Statement find = connection.prepare_once(
      "SELECT name FROM temp.sqlite_schema WHERE type IN ('table', 'view')"
      " AND (lower(name) GLOB 'evercore_*' OR lower(name) GLOB '_evercore_*') LIMIT 1");
  if (!find.step()) return;
  throw error(10, "temp." + std::string(find.text(0)) +
                      " bears a name of the store: drop it, a migration would meet it");
}

}  // namespace evercore::ext
