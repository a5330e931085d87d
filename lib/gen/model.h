// What evercoregen knows of a set of headers, free of libclang: the reader makes it, the writers
// turn it into text.
#ifndef EVERCORE_GEN_MODEL_H
#define EVERCORE_GEN_MODEL_H

#include <cstddef>
#include <string>
#include <vector>

namespace evercore::gen {

// A place in a header, counted from 1.
struct Location {
  std::string file;
  unsigned line = 0;
  unsigned column = 0;

  auto operator<=>(const Location&) const = default;
};

// What is wrong, and where.
struct Fault {
  Location where;
  std::string sentence;

  auto operator<=>(const Fault&) const = default;
};

// What a member becomes in SQL. An optional is what it holds.
enum class ColumnKind { boolean, integer, number, text, time, array, object, json };

// A member of a struct and the column it becomes.
struct Column {
  Location where;
  std::string member;  // its name in C++
  std::string json;    // its name in the stored JSON
  std::string name;    // its name in SQL, not quoted
  ColumnKind kind = ColumnKind::text;
};

// A marked struct.
struct Struct {
  Location where;
  std::string name;    // the unqualified name
  std::string cpp;     // the qualified one, "::shop::User"
  std::string stored;  // the name in the store
  std::string view;    // the name of its view, not quoted
  std::vector<Column> columns;
};

// How an event came to be marked: `state-event` folds by merge, `event` in the state's apply().
enum class Fold { merge, custom };

struct Event : Struct {
  Fold fold = Fold::merge;
  std::vector<std::string> aliases;  // names it had before
  std::vector<std::string> older;    // names of the structs that it was before, by upcast()
  std::string tags{};                // the tags it declares, a JSON object; empty: none
  std::string rules{};               // by which SQL folds a custom event; empty: it does not
  bool has_schema = false;           // whether it has a schema()
  std::string schema{};              // what that says of its data
};

struct Aggregate : Struct {
  std::vector<std::size_t> events;  // indexes into Model::events, in the order of the source
  bool has_rules = false;           // whether the state has a fold_rules()
  bool has_schema = false;          // whether it has a schema()
  std::string schema{};             // what that says of the states
};

// Everything that was marked, in the order of the source.
struct Model {
  std::vector<Aggregate> aggregates;
  std::vector<Event> events;
};

}  // namespace evercore::gen

#endif  // EVERCORE_GEN_MODEL_H
