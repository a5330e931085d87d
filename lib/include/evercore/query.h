// Queries: which events a decision rests on, by their types and tags, whatever aggregate they
// belong to.
//
//   store.with_retry([&](evercore::Context& ctx) {
//     // a course takes so many students
//     const auto course =
//         ctx.decide<Course, CourseOpened, StudentSubscribed>({{.tags = {"course:c1"}}});
//     if (course.students >= course.seats) throw evercore::refused_error("the course is full");
//     auto student = ctx.load<StudentAggregate>("s1");
//     student.apply(StudentSubscribed{"c1"}, {.tags = {"course:c1", "student:s1"}});
//   });
//
// Another writer may add an event that matches between the query and the commit: then the commit is
// a conflict_error, and with_retry() decides again over what is there now. That holds for events
// that bear the tags of the query: give them as you apply them, or let the event declare them
// (event.h).
//
// Context::query() gives the events, and Context::decide() what folding them gives. Both say what a
// query that cannot be throws.
#ifndef EVERCORE_QUERY_H
#define EVERCORE_QUERY_H

#include <string>
#include <vector>

#include "evercore/aggregate.h"
#include "evercore/detail/language.h"

namespace evercore {

// One alternative of a query: events of one of the types that bear all of the tags. At least one of
// the two lists must be given.
struct QueryItem {
  // Names in the store, as event_name<E>() gives them: at most 100. None: of any type. An event's
  // aliases are names of their own here.
  std::vector<std::string> types{};
  // At most 64, each of 1 to 255 characters, compared as they are spelled. None: whatever tags, and
  // then the index by type is needed where a commit depends on it (see Context::query()).
  std::vector<std::string> tags{};
};

// An event matches a query when it matches an item of it, of which there are at most 100; it
// matches an empty query always. It is given once, however many items it matches. Copied where it
// is asked: it need not live longer than the call.
//   {{.types = {"CourseOpened"}, .tags = {"course:c1"}}, {.tags = {"student:s1"}}}
using Query = std::vector<QueryItem>;

namespace detail {

// The query as JSON, the argument of evercore_query(). Nothing is checked here: the store does so.
std::string query_as_json(const Query& query);

// The state that folding the events in their order gives, from State{} on, whatever aggregates they
// belong to. Throws decode_error for an event that is not among Events, unless the state has
// ignore_unknown_events, or does not fit its struct, and what an apply() of the state throws.
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
