// What a store is made of, where it differs from that, and how it is mended.
//
// The list is the migrations themselves: they are run into a database in memory, and its schema is
// compared with the store's. What users add is theirs: other indexes, triggers, views and columns.
#pragma once

#include <string>
#include <vector>

#include "connection.h"

namespace evercore::ext {

/// One row of sqlite_schema that has a text.
struct SchemaObject {
  std::string type;  ///< "table", "index", "trigger" or "view"
  std::string name;
  std::string sql;
};

/// Where the store is not what the migrations make.
struct Difference {
  const SchemaObject* expected;
  std::string text;     ///< such as "index evercore_event_sequence is missing"
  bool present;         ///< an object of this name and type is there, and is another one
  bool mendable;        ///< can be made again without a loss
  bool blocks = false;  ///< not mendable, and nothing works without it
};

/// What the migrations up to `version` make, in the order in which they make it.
class Schema {
 public:
  explicit Schema(std::int64_t version);
  [[nodiscard]] const std::vector<SchemaObject>& objects() const { return objects_; }
  [[nodiscard]] const SchemaObject* find(std::string_view name) const;

  /// That of the newest version, made once a process.
  [[nodiscard]] static const Schema& newest();

 private:
  std::vector<SchemaObject> objects_;
};

/// What is missing or different in main; reads alone. They point into `schema`.
[[nodiscard]] std::vector<Difference> differences(Connection& connection, const Schema& schema);

/// Inside a transaction that writes: makes again what can be. Throws EV010 where rows stand in the
/// way of a unique index, and where a table or a column is missing.
void mend(Connection& connection, const Schema& schema);

/// A trigger of a user's on a view of ours.
struct ViewTrigger {
  std::string view;
  std::string name;
  std::string sql;
  bool temporary = false;  ///< of this connection alone
};
/// Those on the views of `schema`: they go with a view that is made again.
[[nodiscard]] std::vector<ViewTrigger> triggers_on_views(Connection& connection,
                                                         const Schema& schema);
/// Makes those again that are gone, where their view is there.
void restore_triggers(Connection& connection, const std::vector<ViewTrigger>& triggers);

/// Throws EV010 where a temporary table or view has a name of evercore's: a migration would write
/// there.
void refuse_temporary_names(Connection& connection);

/// Runs one way of a migration, which may change the schema's text; throws what SQLite says of it.
void run_migration(Connection& connection, const std::string& script);
/// Runs a script of SQL; throws what SQLite says of it, or lost_transaction().
void run_script(Connection& connection, const std::string& script);

}  // namespace evercore::ext
