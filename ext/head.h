// The head of the store: how far it goes, and how far a follower may read.
//
// SQLite shows a connection its own uncommitted rows and has no way to ask for the others alone. So
// the connection remembers which head was committed, together with the data version of the file at
// that time: that version changes with every commit, of whatever connection, and with nothing else.
// While it stands, what was committed is the same, however often this connection's transaction
// writes, returns to a savepoint or is rolled back.
#pragma once

#include <cstdint>

namespace evercore::ext {

class Connection;

/// A committed head, and the data version of the file under which it is the right one.
struct CommittedHead {
  bool known = false;
  unsigned data_version = 0;
  std::int64_t position = 0;
};

/// The two ends of the log, as they are now.
struct Head {
  std::int64_t newest = 0;     ///< the newest position ever taken, by this transaction too
  std::int64_t committed = 0;  ///< what a follower may read to
};

/// The newest position that was ever taken, by this transaction too.
[[nodiscard]] std::int64_t head_position(Connection& connection);

/// Both ends. Throws EV010 where this connection would read what others have not committed.
[[nodiscard]] Head load_head(Connection& connection);

/// To be called before a write whose own statement may look at the head: what is committed ends
/// where the log does now.
void note_head(Connection& connection);

/// To be called after the first append of a write transaction that is still open: what is committed
/// ends below its position.
void note_append(Connection& connection, std::int64_t position);

}  // namespace evercore::ext
