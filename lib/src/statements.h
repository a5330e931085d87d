// Every text of the SQL surface that the library speaks. They are the same on both engines.
#ifndef EVERCORE_SRC_STATEMENTS_H
#define EVERCORE_SRC_STATEMENTS_H

#include "evercore/engine.h"
#include "recorded_event.h"

namespace evercore::statements {

inline constexpr Statement version{"SELECT {}evercore_version()", ""};
inline constexpr Statement migrate{"SELECT {}evercore_migrate()", ""};
inline constexpr Statement check{"SELECT aggregate_id, position, problem FROM {}evercore_check()",
                                 ""};
inline constexpr Statement declare_event_type{"SELECT {}evercore_event_type($1, $2, $3)", "ttt"};
// Declares what the store does not declare yet of a type: the fold, and as options the tags, the schema, or
// both. To be run only in a transaction in which nobody else can declare.
inline constexpr Statement declare_undeclared{
    "SELECT {}evercore_event_type($1, CASE WHEN d.fold IS NULL THEN $2 END,"
    " CASE WHEN d.tags IS NOT NULL AND d.schema IS NOT NULL THEN NULL"
    " WHEN d.schema IS NOT NULL THEN $3 WHEN d.tags IS NOT NULL THEN $4 ELSE $5 END)"
    " FROM (SELECT 1) AS o LEFT JOIN {}evercore_event_types d ON d.event_type = $1",
    "ttttt"};
// Declares nothing; refuses what any declaration would.
inline constexpr Statement declare_nothing{"SELECT {}evercore_event_type($1)", "t"};
// A part that nobody declared is NULL.
inline constexpr Statement declared{
    "SELECT fold, CAST(tags AS text), CAST(schema AS text) FROM {}evercore_event_types"
    " WHERE event_type = $1",
    "t"};
inline constexpr Statement declare_aggregate_type{"SELECT {}evercore_aggregate_type($1, $2)", "tt"};
inline constexpr Statement declare_undeclared_states{
    "SELECT {}evercore_aggregate_type($1, $2) WHERE NOT EXISTS (SELECT 1 FROM"
    " {}evercore_aggregate_types WHERE aggregate_type = $1 AND schema IS NOT NULL)",
    "tt"};
inline constexpr Statement declared_states{
    "SELECT CAST(schema AS text) FROM {}evercore_aggregate_types WHERE aggregate_type = $1", "t"};
inline constexpr Statement rename_type{"SELECT {}evercore_rename_type($1, $2, $3)", "ttt"};

inline constexpr Statement create{"SELECT {}evercore_create($1, $2)", "tt"};
inline constexpr Statement ensure{"SELECT {}evercore_ensure($1, $2)", "tt"};
inline constexpr Statement find{"SELECT {}evercore_find($1, $2)", "tt"};
inline constexpr Statement rekey{"SELECT {}evercore_rekey($1, $2)", "it"};
inline constexpr Statement sequence{"SELECT {}evercore_sequence($1)", "i"};
inline constexpr Statement sequence_at{"SELECT {}evercore_sequence($1, $2)", "it"};

inline constexpr Statement append{"SELECT {}evercore_append($1, $2, $3, $4, $5, $6, $7, $8)",
                                  "iittttt"
                                  "t"};
// A call of its own, so that an append without tags need not name them.
inline constexpr Statement append_tagged{
    "SELECT {}evercore_append($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    "iitttttt"
    "t"};
inline constexpr Statement append_many{"SELECT {}evercore_append_many($1)", "t"};
inline constexpr Statement append_on_condition{"SELECT {}evercore_append_many($1, $2, $3)", "tti"};

// The base row comes first. It has no event type and no position, so its own values are given in those
// columns: each column more would cost time in every row.
#define EVERCORE_REPLAY_COLUMNS                                                             \
  "sequence, coalesce(event_type, aggregate_type), data, coalesce(position, aggregate_id)," \
  " CASE WHEN position IS NULL THEN natural_key END"

inline constexpr Statement replay{
    "SELECT " EVERCORE_REPLAY_COLUMNS " FROM {}evercore_replay($1, $2)", "ii"};
inline constexpr Statement replay_key{"SELECT " EVERCORE_REPLAY_COLUMNS
                                      " FROM {}evercore_replay({}evercore_find($1, $2), $3)",
                                      "tti"};
// The same with what EventInfo tells.
inline constexpr Statement replay_info{"SELECT " EVERCORE_REPLAY_COLUMNS
                                       ", event_time, recorded_at, reference, metadata"
                                       " FROM {}evercore_replay($1, $2)",
                                       "ii"};
inline constexpr Statement replay_key_info{"SELECT " EVERCORE_REPLAY_COLUMNS
                                           ", event_time, recorded_at, reference, metadata"
                                           " FROM {}evercore_replay({}evercore_find($1, $2), $3)",
                                           "tti"};

inline constexpr Statement events{
    detail::select_events<" FROM {}evercore_events($1, $2, $3)">.data(), "iii"};
inline constexpr Statement follow{detail::select_events<" FROM {}evercore_follow($1, $2)">.data(),
                                  "ii"};
inline constexpr Statement follow_filtered{
    detail::select_events<" FROM {}evercore_follow($1, $2, $3, $4)">.data(), "iiti"};
inline constexpr Statement head{"SELECT {}evercore_head()", ""};
inline constexpr Statement query{detail::select_events<" FROM {}evercore_query($1)">.data(), "t"};
inline constexpr Statement state{"SELECT {}evercore_state($1)", "i"};
inline constexpr Statement state_at{"SELECT {}evercore_state($1, $2)", "ii"};

inline constexpr Statement save_snapshot{"SELECT {}evercore_save_snapshot($1, $2, $3, $4)", "iiti"};

// A start is sent as text, also where it is a position. A filter of NULL lets everything through.
inline constexpr Statement subscribe{"SELECT {}evercore_subscribe($1, $2, $3, $4)", "ttti"};
inline constexpr Statement claim{"SELECT {}evercore_claim($1, $2, $3 / 1000.0)", "tti"};
// The events of a fetch. Where there are none, one row tells by its first column whether anything was appended
// after $1: the first such position below zero, or zero.
inline constexpr Statement fetch{
    detail::select_events<
        " FROM (SELECT 1) AS o LEFT JOIN {}evercore_fetch($2, $3, $4) AS f ON true",
        "coalesce(position, (SELECT -n.position FROM {}evercore_follow($1, 1) AS n), 0)">
        .data(),
    "itii"};
inline constexpr Statement ack{"SELECT {}evercore_ack($1, $2, $3)", "tii"};
inline constexpr Statement renew{"SELECT {}evercore_renew($1, $2, $3 / 1000.0)", "tii"};
inline constexpr Statement release{"SELECT {}evercore_release($1, $2, $3)", "tit"};
// How many partitions there are, and whether it is not paused.
inline constexpr Statement subscription{
    "SELECT count(*), count(CASE WHEN active THEN 1 END) FROM {}evercore_subscriptions"
    " WHERE name = $1",
    "t"};
inline constexpr Statement last_position{
    "SELECT position FROM {}evercore_log ORDER BY position DESC LIMIT 1", ""};
inline constexpr Statement first_in_flight{"SELECT min(position) FROM {}evercore_in_flight", ""};

#undef EVERCORE_REPLAY_COLUMNS

}  // namespace evercore::statements

#endif  // EVERCORE_SRC_STATEMENTS_H
