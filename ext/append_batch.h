// Many events by one INSERT: what a statement costs by itself is then paid once for all of them.
//
// The INSERT reads the batch through a virtual table, `_evercore_staged`.
#pragma once

#include <cstdint>
#include <vector>

#include "append.h"
#include "event_row.h"
#include "table_function.h"

namespace evercore::ext {

/// The events that wait for their INSERT. Inside atomically() only, and only where no trigger of the
/// user's hangs on the events.
class Batch {
 public:
  /// Thrown where a row was not written, or not as it was given. Appending the events one by one shows why.
  struct Refused {};

  /// With a trigger on the table, SQLite copies the rows to a temporary one first: it stays in
  /// memory. No event may be larger.
  static constexpr std::size_t most_bytes = std::size_t{512} << 10;
  [[nodiscard]] static bool holds(const NewEvent& event);

  struct Row {
    std::int64_t aggregate_id;
    Place place;
    std::int64_t recorded_at;
    const NewEvent* event;
  };

  explicit Batch(Connection& connection) : connection_(connection) {}

  /// Stages an event without an event_id, which must live until it is written: its position.
  std::int64_t add(std::int64_t aggregate_id, const Place& place, const NewEvent& event,
                   std::int64_t recorded_at);
  /// Writes what is staged.
  void write();

  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  /// Counts a value that SQLite has read. An authorizer can put NULL in place of a column, which is then never read.
  void note_cell() { ++cells_; }

 private:
  Connection& connection_;
  std::vector<Row> rows_;
  std::int64_t head_ = 0;  // below the first of them
  std::size_t bytes_ = 0;  // of their texts
  std::int64_t cells_ = 0;
  Written last_ = written_data;  // the last column that one of them fills
};

extern const TableFunction staged_table;

}  // namespace evercore::ext
