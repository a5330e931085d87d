// What declarations have left to evercore_fill(): of each type a range of ids, and how many of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "connection.h"
#include "event_type.h"

namespace evercore::ext {

enum class LeftOf { event_types, aggregate_types };

/// What is left of one type: `count` events or aggregates with ids above `after`, up to `upto`.
struct Left {
  std::int64_t type_id = 0;
  std::int64_t after = 0;
  std::int64_t upto = 0;
  std::int64_t count = 0;
};

/// What is left of each type, in the order of their names. Throws EV010 where the stored numbers are damaged.
[[nodiscard]] std::vector<Left> what_is_left(Connection& connection, LeftOf of);
/// Inside atomically() only: stores how far a type has come; all columns are NULL where nothing is left.
void store_left(Connection& connection, LeftOf of, const Left& left);

/// Does at most `most` of what is left, in parts: `next(left, wanted)` gives ids in order, `work(ids)` does
/// them. Returns how many of `most` remain.
template <typename Next, typename Work>
std::int64_t work_off(Left& left, std::int64_t most, const Next& next, const Work& work) {
  while (most > 0 && left.count > 0) {
    const std::int64_t wanted = std::min(most, most_at_once);
    const std::vector<std::int64_t> ids = next(left, wanted);
    const auto count = static_cast<std::int64_t>(ids.size());
    work(ids);
    most -= count;
    left.count -= count;
    if (count > 0) left.after = ids.back();
    if (count < wanted || left.count < 0) left.count = 0;  // whatever was counted once
  }
  return most;
}

}  // namespace evercore::ext
