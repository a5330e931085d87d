// What ANALYZE and PRAGMA optimize wrote of a store: none of it is kept.
//
// SQLite plans by the counts in sqlite_stat1, however old they are. Many programs run PRAGMA optimize when
// they close a store, perhaps when it has one event. From then on SQLite would scan tables it should search,
// for each event it reads. Without counts SQLite assumes that a table is large, which is always right here.
//
// So a writer looks for counts whenever another connection has changed the file, and deletes them.
// Other connections then read the schema again, and find none. This one has to be told, by ANALYZE of a table
// that has nothing to count; but that would end every running statement that opens a table later on, with
// "abort due to ROLLBACK". It waits for a write during which no other statement that opens one runs.
#pragma once

namespace evercore::ext {

class Connection;

/// Deletes the counts of evercore's tables. To be called with the write lock held. Leaves them where an
/// authorizer or a reader of a shared cache forbids it. True where there were some: a rollback brings them
/// back.
bool forget_statistics(Connection& connection);

/// Makes this connection plan without counts that were deleted, unless a running
/// statement forbids it.
void plan_anew(Connection& connection);

}  // namespace evercore::ext
