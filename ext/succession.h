// Checks, while the events of one aggregate are read, that none is missing.
//
// A compaction or an erasure on the same connection removes events while a statement reads them, and a
// damaged store lacks some. Folding what is left would give a state that never was.
#pragma once

#include <cstdint>

#include "aggregate.h"
#include "error.h"

namespace evercore::ext {

/// The events of `aggregate`, as it was when the reading began, after one sequence and up to
/// another.
class Succession {
 public:
  Succession(const Aggregate& aggregate, std::int64_t after, std::int64_t upto)
      : aggregate_(aggregate), last_(after), upto_(upto) {}

  [[nodiscard]] bool follows(std::int64_t sequence) const { return sequence == last_ + 1; }
  [[nodiscard]] std::int64_t last() const { return last_; }
  [[nodiscard]] bool complete() const { return last_ >= upto_; }
  void moved_to(std::int64_t sequence) { last_ = sequence; }

  /// To be called with each event: throws EV010 where it is not the next one.
  void next(Connection& connection, std::int64_t sequence) {
    if (!follows(sequence)) refuse(connection);
    moved_to(sequence);
  }
  /// To be called at the end: throws EV010 where some are missing.
  void end(Connection& connection) const {
    if (!complete()) refuse(connection);
  }
  /// To be called where an event has no data: only those of erased aggregates have none.
  void blank(Connection& connection) const {
    if (!aggregate_.erased) refuse_if_changed(connection);
  }
  /// Throws EV010 if the aggregate was compacted or erased since.
  void refuse_if_changed(Connection& connection) const;

 private:
  [[noreturn]] void refuse(Connection& connection) const;

  Aggregate aggregate_;
  std::int64_t last_;
  std::int64_t upto_;
};

/// EV010: `last` is there, and so is `next`, and nothing between them.
[[nodiscard]] Error missing_events(std::int64_t aggregate_id, std::int64_t last, std::int64_t next);

/// Throws EV010 for a snapshot of events that are gone: somebody deleted the newest ones without
/// evercore.
void require_snapshot_in(const Aggregate& aggregate, std::int64_t sequence);

/// Throws EV010 unless all events after one sequence up to another are there.
void require_events(Connection& connection, const Aggregate& aggregate, std::int64_t after,
                    std::int64_t upto);

}  // namespace evercore::ext
