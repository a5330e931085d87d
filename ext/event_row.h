// The columns of evercore_event that are written with an event, each with the number of its parameter.
// The statements that append, and what they read a batch from, follow from this list. A placeholder of
// a position (restored.cpp, compact.cpp) is no event.
#pragma once

namespace evercore::ext {

// Each event has the leading ones. `first` is `column` without a comma before it.
// clang-format off
#define EVERCORE_WRITTEN_LEADING(first, column) \
  first(1, aggregate_id)                        \
  column(2, sequence)                           \
  column(3, type_id)                            \
  column(4, event_time)                         \
  column(5, data)
#define EVERCORE_WRITTEN_TRAILING(column) \
  column(6, recorded_at)                  \
  column(7, reference)                    \
  column(8, metadata)                     \
  column(9, event_id)                     \
  column(10, tags)
// clang-format on

#define EVERCORE_WRITTEN_FIRST_NAME(number, name) #name
#define EVERCORE_WRITTEN_NAME(number, name) ", " #name
#define EVERCORE_LEADING_NAMES \
  EVERCORE_WRITTEN_LEADING(EVERCORE_WRITTEN_FIRST_NAME, EVERCORE_WRITTEN_NAME)
#define EVERCORE_WRITTEN_NAMES \
  EVERCORE_LEADING_NAMES EVERCORE_WRITTEN_TRAILING(EVERCORE_WRITTEN_NAME)

#define EVERCORE_WRITTEN_NUMBER(number, name) written_##name = number,
/// The numbers of the parameters.
enum Written {
  EVERCORE_WRITTEN_LEADING(EVERCORE_WRITTEN_NUMBER, EVERCORE_WRITTEN_NUMBER)
      EVERCORE_WRITTEN_TRAILING(EVERCORE_WRITTEN_NUMBER)
};
#undef EVERCORE_WRITTEN_NUMBER

#define EVERCORE_WRITTEN_COUNT(number, name) +1
inline constexpr int leading_written =
    EVERCORE_WRITTEN_LEADING(EVERCORE_WRITTEN_COUNT, EVERCORE_WRITTEN_COUNT);
inline constexpr int all_written =
    leading_written EVERCORE_WRITTEN_TRAILING(EVERCORE_WRITTEN_COUNT);
#undef EVERCORE_WRITTEN_COUNT

#define EVERCORE_PARAMETER(number, name) ", ?" #number
/// One event: `sequence` and `type_id` are expressions, the other values are parameters.
#define EVERCORE_INSERT_EVENT(conflict_clause, sequence, type_id)               \
  "INSERT " conflict_clause "INTO main.evercore_event (" EVERCORE_WRITTEN_NAMES \
  ") VALUES (?1, " sequence ", " type_id                                        \
  ", ?4, ?5" EVERCORE_WRITTEN_TRAILING(EVERCORE_PARAMETER) ")"

}  // namespace evercore::ext
