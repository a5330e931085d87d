// Queries: which events a decision rests on, by their types and tags, whatever aggregate they belong to.
//
//   store.with_retry([&](evercore::Context& ctx) {
//     // a course takes so many students
//     const auto course = ctx.decide<Course, CourseOpened, StudentSubscribed>({{.tags = {"course:c1"}}});
//     if (course.students >= course.seats) throw evercore::refused_error("the course is full");
//     auto student = ctx.load<StudentAggregate>("s1");
//     student.apply(StudentSubscribed{"c1"}, {.tags = {"course:c1", "student:s1"}});
//   });
//
// Another writer may add an event that matches between the query and the commit: then the commit is a
// conflict_error, and with_retry() decides again over what is there now.
#ifndef EVERCORE_QUERY_H
#define EVERCORE_QUERY_H

#include <string>
#include <vector>

#include "evercore/aggregate.h"
#include "evercore/detail/language.h"

namespace evercore {

// One alternative of a query: events of one of the types (of any, where there are none) that bear all of
// the tags. At least one of the two must be given.
struct QueryItem {
  std::vector<std::string> types{};
  std::vector<std::string> tags{};
};

// An event matches a query when it matches an item of it; it matches an empty query always.
using Query = std::vector<QueryItem>;

namespace detail {

// The argument of evercore_query().
std::string query_as_json(const Query& query);

// What folding events gives, whatever aggregates they belong to. Throws decode_error.
template <class State, class... Events>
State fold_events(const std::vector<RecordedEvent>& events) {
  StateAggregate<State, Events...> folded;
  for (const RecordedEvent& event : events) {
    EventInfo info{event.aggregate_id,
                   event.sequence,
                   event.position,
                   event.event_time,
                   event.recorded_at,
                   {},
                   {}};
    if (event.reference) info.reference = *event.reference;
    if (event.metadata) info.metadata = *event.metadata;
    folded.fold({event.event_type, event.data, info});
  }
  return folded.state();
}

}  // namespace detail
}  // namespace evercore

#endif  // EVERCORE_QUERY_H
