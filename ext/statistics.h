// What ANALYZE and PRAGMA optimize wrote of a store: none of it is kept.
//
// SQLite plans by the counts in sqlite_stat1, however old they are. A store is analyzed by whoever closes it,
// at its first event as well, and would be walked ever after where it should be searched: once through for
// each event that is read. Without counts SQLite takes a table for a large one, which is always right here.
//
// So whoever writes looks for counts whenever the file's content is another than it knew, and takes them away.
// Other connections then read the schema anew, and find none. This one has to be told, by ANALYZE of a table
// that has nothing to count; but that would end every running statement that opens a table later on, with
// "abort due to ROLLBACK". It waits for a write during which no other statement that opens one runs.
#pragma once

namespace evercore::ext {

class Connection;

/// Takes away the counts of evercore's tables. To be called with the write lock held. Leaves them where an
/// authorizer or a reader of a shared cache is in the way. True where there were some: a rollback brings them
/// back.
bool forget_statistics(Connection& connection);

/// Makes this connection plan without counts that were taken away, unless a running
/// statement is in the way.
void plan_anew(Connection& connection);

}  // namespace evercore::ext
