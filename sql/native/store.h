// What a session knows of a store: its name, its plans, and how far it has drawn.
//
// The server leaves a C function by longjmp where something fails. So nothing that has a destructor is alive
// where the server is called: C++ with strings and vectors stands in functions of its own (payload.h,
// appends.h), which throw nothing, and everything else here is plain data in the server's memory.
#pragma once

#include <limits>

#include "server.h"

namespace evercore::native {

/// Kept for the session.
struct Store {
  Oid schema;
  char name[NAMEDATALEN];  ///< of its schema, when its functions were made
  bool renamed;            ///< since then: they do not know it any more
  std::int64_t name_bits;  ///< of the marks in _evercore_highest; see @name_bits@ in sql/macros.txt
  std::int64_t name_space;  ///< of the locks that followers look at; see @namespace@
  std::int64_t drawn;  ///< a newest position that this session has seen; below 0 before the first
  std::int64_t floor;  ///< the position in the key that the transaction `floor_of` holds
  LocalTransactionId floor_of;
  SPIPlanPtr find_type;
  SPIPlanPtr find_types;
  SPIPlanPtr raise_version;
  SPIPlanPtr raise_for_new;
  SPIPlanPtr raise_by;
  SPIPlanPtr insert_event;
  SPIPlanPtr insert_new_event;
  SPIPlanPtr find_removed;
  SPIPlanPtr insert_events;
  char prefix[NAMEDATALEN * 2 + 4];  ///< its schema, quoted, and a point
  Store* next;
};

/// The store whose function is called.
Store* find_store(FunctionCallInfo call);

/// The newest position and the marks beside it.
struct Newest {
  Oid positions;  ///< the sequence
  Oid highest;    ///< the other one
  std::int64_t position;
  std::int64_t marks;
  bool usual;  ///< this store at home, nothing replicated, nothing set back: see sql/life.sql
};
Newest read_newest(const Store* store);
// The marks that make an append look closer, as in sql/macros.txt.
constexpr std::int64_t position_bits = (std::int64_t{1} << 44) - 1;
constexpr std::int64_t declares_tags = std::int64_t{1} << 44;  ///< or schemas of data
constexpr std::int64_t by_type = std::int64_t{1} << 45;
constexpr std::int64_t checks_states = std::int64_t{1} << 62;
constexpr std::int64_t policy = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kept_marks = policy | checks_states | by_type | declares_tags;

/// Holds off declarations until the transaction ends, as every append does, and gives the marks after that.
std::int64_t hold_declarations(const Store* store, const Newest& newest);

/// Makes followers stop below every position that this transaction draws from now on; see sql/floor.sql.
void hold_floor(Store* store, const Newest& newest);

/// After an event was written at a position: what @mark_position@ does.
void mark_position(const Store* store, const Newest& newest, std::int64_t first, std::int64_t last);

/// What the function would have done without this module. Not inside SPI.
Datum call_sql(FunctionCallInfo call);
/// The same of a function that may draw positions.
Datum call_sql(FunctionCallInfo call, Store* store);

/// A statement in which %s stands for the store's prefix, prepared when it is run first. Inside SPI.
int run(const Store* store, SPIPlanPtr* plan, const char* statement, int count, const Oid* types,
        const Datum* values, const char* nulls);
/// The same once, for what is rare.
int run_once(const Store* store, const char* statement, int count, const Oid* types,
             const Datum* values, const char* nulls);
/// A bigint of the row that a statement gave last.
std::int64_t integer_of_row(int column);

}  // namespace evercore::native
