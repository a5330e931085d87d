// The columns of evercore_event that are written with an event, each with the number of its parameter.
// The statements that append, and what they read a batch from, follow from this list. A placeholder of
// a position (restored.cpp, compact.cpp) is no event.
#pragma once

namespace evercore::ext {

// Each event has the leading ones; a batch leaves out what none of its events fills, from the end on.
// `first` is `column` without a comma before it.
// clang-format off
#define EVERCORE_WRITTEN_LEADING(first, column) \
  first(1, aggregate_id)                        \
  column(2, sequence)                           \
  column(3, type_id)                            \
  column(4, event_time)                         \
  column(5, data)
#define EVERCORE_WRITTEN_BESIDE(column) \
  column(6, recorded_at)                \
  column(7, reference)                  \
  column(8, metadata)
#define EVERCORE_WRITTEN_TAGS(column) \
  column(9, tags)                     \
  column(10, declared_tags)
#define EVERCORE_WRITTEN_TRAILING(column) \
  EVERCORE_WRITTEN_BESIDE(column) EVERCORE_WRITTEN_TAGS(column) column(11, event_id)
// clang-format on

#define EVERCORE_WRITTEN_FIRST_NAME(number, name) #name
#define EVERCORE_WRITTEN_NAME(number, name) ", " #name
#define EVERCORE_LEADING_NAMES \
  EVERCORE_WRITTEN_LEADING(EVERCORE_WRITTEN_FIRST_NAME, EVERCORE_WRITTEN_NAME)
#define EVERCORE_NAMES_BESIDE EVERCORE_LEADING_NAMES EVERCORE_WRITTEN_BESIDE(EVERCORE_WRITTEN_NAME)
#define EVERCORE_NAMES_TO_TAGS EVERCORE_NAMES_BESIDE EVERCORE_WRITTEN_TAGS(EVERCORE_WRITTEN_NAME)
#define EVERCORE_WRITTEN_NAMES \
  EVERCORE_LEADING_NAMES EVERCORE_WRITTEN_TRAILING(EVERCORE_WRITTEN_NAME)

#define EVERCORE_WRITTEN_NUMBER(number, name) written_##name = number,
/// The numbers of the parameters.
enum Written {
  EVERCORE_WRITTEN_LEADING(EVERCORE_WRITTEN_NUMBER, EVERCORE_WRITTEN_NUMBER)
      EVERCORE_WRITTEN_TRAILING(EVERCORE_WRITTEN_NUMBER)
};
#undef EVERCORE_WRITTEN_NUMBER

#define EVERCORE_PARAMETER(number, name) ", ?" #number
#define EVERCORE_INSERT(conflict_clause, names, sequence, type_id, trailing)             \
  "INSERT " conflict_clause "INTO main.evercore_event (" names ") VALUES (?1, " sequence \
  ", " type_id ", ?4, ?5" trailing ")"
/// One event: `sequence` and `type_id` are expressions, the other values are parameters.
#define EVERCORE_INSERT_EVENT(conflict_clause, sequence, type_id)             \
  EVERCORE_INSERT(conflict_clause, EVERCORE_WRITTEN_NAMES, sequence, type_id, \
                  EVERCORE_WRITTEN_TRAILING(EVERCORE_PARAMETER))
/// The same for an event that has neither tags nor an event_id.
#define EVERCORE_INSERT_SIMPLE(conflict_clause, sequence, type_id)           \
  EVERCORE_INSERT(conflict_clause, EVERCORE_NAMES_BESIDE, sequence, type_id, \
                  EVERCORE_WRITTEN_BESIDE(EVERCORE_PARAMETER))

}  // namespace evercore::ext
