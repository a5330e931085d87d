// What passes the filter of a subscription, in SQL, for a fetch, a follower and compaction. The view
// _evercore_unread says the same in its migration, for the lag that is shown: tests/extension/passes_test.cpp
// compares them. `e` is the event; a part of a filter that is NULL lets everything through.
#pragma once

#define EVERCORE_PASSES_PART(part, test) "(" part " IS NULL OR " test ")"

/// The type of `event`, by the column type_ids of `filter`, which is ',3,5,'.
#define EVERCORE_PASSES_TYPES(filter, event) \
  EVERCORE_PASSES_PART(filter ".type_ids",   \
                       "instr(" filter ".type_ids, ',' || " event ".type_id || ',') > 0")
/// The same of a JSON array that is one for the whole statement: it is read once, and an event then costs a
/// quarter. The + keeps the IN from being taken for a way to search.
#define EVERCORE_PASSES_TYPE_ARRAY(ids) \
  EVERCORE_PASSES_PART(ids, "+e.type_id IN (SELECT value FROM json_each(" ids "))")

/// Whether the event has all the tags of a JSON array.
#define EVERCORE_BEARS(tags)                                                 \
  "NOT EXISTS (SELECT 1 FROM json_each(" tags                                \
  ") w WHERE NOT EXISTS ("                                                   \
  "SELECT 1 FROM main.evercore_tag t CROSS JOIN main.evercore_event_tag x"   \
  " WHERE t.tag = w.value AND x.tag_id = t.tag_id AND x.type_id = e.type_id" \
  " AND x.position = e.position))"
#define EVERCORE_PASSES_TAGS(tags) EVERCORE_PASSES_PART(tags, EVERCORE_BEARS(tags))

/// The type and the natural key of aggregate `id` as the columns of `filter` say them.
// clang-format off
#define EVERCORE_PASSES_AGGREGATE(filter, id)                                                          \
  EVERCORE_PASSES_PART(filter ".aggregate_type",                                                       \
    "EXISTS (SELECT 1 FROM main.evercore_aggregate a"                                                  \
    " JOIN main.evercore_aggregate_type t ON t.type_id = a.type_id"                                    \
    " WHERE a.aggregate_id = " id " AND t.name = " filter ".aggregate_type"                            \
    " AND " EVERCORE_PASSES_PART(filter ".natural_key", "a.natural_key = " filter ".natural_key") ")")
// clang-format on
/// The type by its id, where `a` is the aggregate.
#define EVERCORE_PASSES_AGGREGATE_TYPE(type_id) \
  EVERCORE_PASSES_PART(type_id, "a.type_id = " type_id)
