// What is kept of the states of one aggregate, as evercore_check walks along it.
#pragma once

#include "connection.h"

namespace evercore::ext {

/// The engine snapshots of one aggregate in order of sequence, one at hand.
class Snapshots {
 public:
  explicit Snapshots(Connection& connection)
      : rows_(connection.prepare(
            "SELECT sequence, state FROM main.evercore_snapshot WHERE aggregate_id = ?1"
            " AND application = 0 ORDER BY sequence")) {}

  void start(std::int64_t aggregate_id) {
    rows_.reset();
    rows_.bind(1, aggregate_id);
    next();
  }
  void next() { there_ = rows_.step(); }
  [[nodiscard]] bool there() const { return there_; }
  [[nodiscard]] std::int64_t sequence() const { return rows_.integer(0); }
  [[nodiscard]] std::string_view state() const { return rows_.text(1); }

 private:
  Statement rows_;
  bool there_ = false;
};

/// The kept state of one aggregate.
class Kept {
 public:
  explicit Kept(Connection& connection)
      : row_(connection.prepare(
            "SELECT sequence, state FROM main.evercore_kept_state WHERE aggregate_id = ?1")) {}

  void start(std::int64_t aggregate_id) {
    row_.reset();
    there_ = row_.bind(1, aggregate_id).step();
  }
  /// To be called once it was checked.
  void pass() { there_ = false; }
  [[nodiscard]] bool there() const { return there_; }
  [[nodiscard]] std::int64_t sequence() const { return row_.integer(0); }
  [[nodiscard]] std::string_view state() const { return row_.text(1); }

 private:
  Statement row_;
  bool there_ = false;
};

}  // namespace evercore::ext
