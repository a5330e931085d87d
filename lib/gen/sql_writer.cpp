#include "names.h"
#include "writers.h"

namespace evercore::gen {

namespace {

constexpr std::string_view head =
    "--\n"
    "-- Run it on a migrated store, again whenever it has changed; in PostgreSQL with the store's "
    "schema on the\n"
    "-- search_path, behind a schema of your own that takes the views. A member of another kind "
    "than its column\n"
    "-- says reads as NULL.\n";

// `source -> 'member'` as text: JSON, which tells "5" from 5.
std::string json_of(std::string_view source, const Column& column) {
  return "CAST(" + std::string(source) + " -> " + sql_text(column.json) + " AS text)";
}

// The member's value where the condition holds of it, in that type; NULL elsewhere. Engines differ
// in what a cast makes of a text that does not fit: an error in one, 0 in the other.
std::string value_where(std::string_view source, const Column& column, std::string_view condition,
                        std::string_view type) {
  return "CAST(CASE WHEN " + std::string(condition) + " THEN " + std::string(source) + " ->> " +
         sql_text(column.json) + " END AS " + std::string(type) + ")";
}

std::string expression(std::string_view source, const Column& column, Dialect dialect) {
  const std::string json = json_of(source, column);
  switch (column.kind) {
    case ColumnKind::boolean:
      return value_where(source, column, json + " IN ('true', 'false')", "boolean");
    case ColumnKind::integer:
      return value_where(source, column, "ltrim(" + json + ", '-0123456789') = ''", "bigint");
    case ColumnKind::number:
      return value_where(source, column, "ltrim(" + json + ", '+-.0123456789Ee') = ''",
                         "double precision");
    case ColumnKind::text:
      return value_where(source, column, json + " LIKE '\"%'", "text");
    case ColumnKind::time:
      return value_where(source, column, json + " LIKE '\"____-__-__T__:__:__%Z\"'",
                         dialect == Dialect::postgres ? "timestamptz" : "text");
    case ColumnKind::json:
      return std::string(source) + " -> " + sql_text(column.json);
    case ColumnKind::array:
    case ColumnKind::object:
      break;
  }
  return "CASE WHEN " + json + (column.kind == ColumnKind::array ? " LIKE '[%'" : " LIKE '{%'") +
         " THEN " + std::string(source) + " -> " + sql_text(column.json) + " END";
}

void add_columns(std::string& out, std::string_view source, const Struct& described,
                 Dialect dialect) {
  for (const Column& column : described.columns) {
    out += ",\n       " + expression(source, column, dialect) + " AS " + sql_name(column.name);
  }
}

// A name that the event has or had before: it folds as the event does, with the same tags.
void declare(std::string& out, const Event& event, std::string_view name) {
  const std::string_view fold = event.fold == Fold::merge ? "merge" : "custom";
  out += "SELECT evercore_event_type(" + sql_text(name) + ", " +
         sql_text(event.rules.empty() ? fold : event.rules);
  std::string options = event.tags.empty() ? "" : "\"tags\":" + event.tags;
  // Who still writes under an old name may write what the event was then.
  if (!event.schema.empty() && name == event.stored) {
    options += (options.empty() ? "\"schema\":" : ",\"schema\":") + event.schema;
  }
  if (!options.empty()) out += ", " + sql_text("{" + options + "}");
  out += ");\n";
}

// A name of a struct that the event was before, whose members are others.
void declare_older(std::string& out, Fold fold, std::string_view name) {
  out += "SELECT evercore_event_type(" + sql_text(name) +
         (fold == Fold::merge ? ", 'merge');\n" : ", 'custom');\n");
}

std::string create(const Struct& described) {
  const std::string view = sql_name(described.view);
  return "DROP VIEW IF EXISTS " + view + ";\nCREATE VIEW " + view + " AS\nSELECT ";
}

// As the log stores it, and under its older names.
std::string condition_of(const Event& event) {
  if (event.aliases.empty()) return "event_type = " + sql_text(event.stored);
  std::string condition = "event_type IN (" + sql_text(event.stored);
  for (const std::string& alias : event.aliases) condition += ", " + sql_text(alias);
  return condition + ")";
}

// The grouping keeps both engines from upcasting the data again for every column, and lets conditions on
// position, aggregate and the like through to the indexes.
void add_event(std::string& out, const Event& event, Dialect dialect, Shape shape) {
  const std::string fixed = "position, aggregate_id, natural_key, sequence, event_time";
  out += "\n-- Each " + event.cpp.substr(2) + "\n" + create(event) + fixed;
  add_columns(out, "data", event, dialect);
  if (shape == Shape::stored) {
    out += "\n  FROM evercore_log\n WHERE " + condition_of(event) + ";\n";
    return;
  }
  out += "\n  FROM (SELECT " + fixed +
         ",\n               evercore_upcast(event_type, CAST(data AS text)) AS data\n"
         "          FROM evercore_log\n         WHERE " +
         condition_of(event) + "\n         GROUP BY " + fixed +
         ", event_type, CAST(data AS text)) AS upcast;\n";
}

// The grouping keeps both engines from folding the state again for every column that reads it, and
// lets a condition on the natural key through to the index.
void add_state(std::string& out, const Aggregate& aggregate, Dialect dialect) {
  out += "\n-- The state of each " + aggregate.cpp.substr(2) + ", as SQL folds it\n" +
         create(aggregate) + "aggregate_id, natural_key, sequence";
  add_columns(out, "state", aggregate, dialect);
  out +=
      "\n  FROM (SELECT aggregate_id, natural_key, sequence, evercore_state(aggregate_id) AS "
      "state\n"
      "          FROM evercore_aggregates\n         WHERE aggregate_type = " +
      sql_text(aggregate.stored) +
      "\n         GROUP BY aggregate_id, natural_key, sequence) AS folded;\n";
}

}  // namespace

std::string write_sql(const Model& model, std::span<const std::string> sources, Dialect dialect,
                      Shape shape) {
  std::string out = "-- Generated by evercoregen " EVERCORE_VERSION " from ";
  for (const std::string& source : sources) out += (&source == &sources[0] ? "" : ", ") + source;
  out += "; do not edit.\n";
  out += dialect == Dialect::both ? "-- For SQLite and PostgreSQL.\n" : "-- For PostgreSQL.\n";
  out += head;
  out += "\n";
  for (const Event& event : model.events) {
    declare(out, event, event.stored);
    for (const std::string& alias : event.aliases) declare(out, event, alias);
    for (const std::string& older : event.older) declare_older(out, event.fold, older);
  }
  for (const Aggregate& aggregate : model.aggregates) {
    if (aggregate.schema.empty()) continue;
    out += "SELECT evercore_aggregate_type(" + sql_text(aggregate.stored) + ", " +
           sql_text("{\"schema\":" + aggregate.schema + "}") + ");\n";
  }
  for (const Event& event : model.events) add_event(out, event, dialect, shape);
  for (const Aggregate& aggregate : model.aggregates) add_state(out, aggregate, dialect);
  return out;
}

}  // namespace evercore::gen
