"""Subscriptions: what a fetch may see, where cursors go, and what compaction waits for; who holds a partition is in test_lease.py."""
import random

import harness
from harness import Later, equal, install, new_database, refused, waits_for_lock
from pq import Connection

LOST = 'EV006: lease lost: token {} is not the current one of subscription "p"'
FETCHED = "SELECT coalesce(string_agg(position::text, ' ' ORDER BY position), '') FROM evercore_fetch('p', $1::bigint, $2::bigint)"


def store(events=0, keys=10, subscribe="'p'"):
    connection = Connection(new_database())
    append(connection, events, keys)
    connection.rows(f"SELECT evercore_subscribe({subscribe})")
    return connection


def append(connection, events, keys=10):
    connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)"
                    f" SELECT 'T', 'k' || i % {keys}, 'E' || i % 3, '{{}}' FROM generate_series(1, {events}) i")


def another(connection):
    again = Connection(harness.uri(connection.value("SELECT current_database()")))
    again.rows("SET lock_timeout = '20s'")
    return again


def claim(connection, lease=60):
    return connection.value(f"SELECT evercore_claim('p', 'w', {lease})")


def fetch(connection, token, limit=100):
    return connection.value(FETCHED, token, limit)


def ack(connection, token, position):
    return connection.value("SELECT evercore_ack('p', $1::bigint, $2::bigint)", token, position)


def all_positions(count, first=1):
    return " ".join(str(i) for i in range(first, count + 1))


def test_a_type_that_is_renamed_under_a_fetch_hides_none_of_its_events():
    for types in ('["E0"]', '["E0","E1"]'):
        a = store(6, 2, f"'p', '{{\"event_types\":{types}}}'")
        b, c = another(a), another(a)
        token = claim(a)
        wanted = c.value("SELECT string_agg(position::text, ' ' ORDER BY position) FROM evercore_log WHERE event_type = ANY "
                         "(ARRAY(SELECT json_array_elements_text($1::json)))", types)
        b.rows("BEGIN; LOCK TABLE evercore_event")
        late = Later(lambda: fetch(a, token))
        equal(waits_for_lock(c, a.pid()), True)
        b.rows("SELECT evercore_rename_type('event', 'E0', 'New'); COMMIT")
        equal(late.result(), wanted)
        equal(ack(a, token, None), "0")
        equal(fetch(a, token), wanted)


def test_a_fetch_whose_token_is_taken_while_it_waits_gives_nothing():
    a = store(6)
    b, c = another(a), another(a)
    token = claim(a)
    b.rows("BEGIN; LOCK TABLE evercore_event")
    late = Later(lambda: fetch(a, token))
    equal(waits_for_lock(c, a.pid()), True)
    b.rows(f"SELECT evercore_release('p', {token})")
    taken = claim(b)
    b.rows("COMMIT")
    refused(late.result, "EV006", LOST.format(token))
    equal(fetch(b, taken), all_positions(6))


def test_an_append_that_was_overtaken_takes_nothing_back_that_was_fetched():
    a = store(3)
    b = another(a)
    token = claim(a)
    equal(fetch(a, token), "1 2 3")
    # Whoever read the newest position before the third event was drawn, and takes its lock only now.
    b.rows("BEGIN")
    b.rows("SELECT pg_try_advisory_xact_lock_shared(((hashtext('\"evercore\"')::bigint & 1048575) << 44) | 1)")
    equal(fetch(a, token), "1")
    equal(ack(a, token, 3), "3")
    equal(a.value("SELECT evercore_subscribe('late', NULL, 3)"), "late")
    a.rows("SELECT evercore_reset('late', 2)")
    b.rows("SELECT evercore_append(1, NULL, 'E', '{}')")
    refused(lambda: ack(a, token, 4), "EV009", "EV009: position is out of range: 4")
    refused(lambda: a.rows("SELECT evercore_reset('late', 4)"), "EV009", "EV009: start is out of range: 4")
    refused(lambda: b.rows("SELECT evercore_ack('p', $1::bigint, 4)", token), "EV009", "EV009: position is out of range: 4")
    b.rows("ROLLBACK")
    equal(ack(a, token, 4), "4")


def test_a_fetch_never_passes_an_append_in_flight():
    a = store(3)
    slow, fast = another(a), another(a)
    token = claim(a)
    slow.rows("BEGIN; SELECT evercore_append(1, NULL, 'E', '{}')")
    fast.rows("SELECT evercore_append(2, NULL, 'E', '{}')")
    equal(fetch(a, token), "1 2 3")
    equal(ack(a, token, 3), "3")
    equal(fetch(a, token), "")
    equal(ack(a, token, None), "3")
    refused(lambda: ack(a, token, 5), "EV009", "EV009: position is out of range: 5")
    for what in ("evercore_subscribe('end', NULL, 'end')", "evercore_subscribe('time', NULL, now() + interval '1 day')"):
        a.rows("SELECT " + what)
    refused(lambda: a.rows("SELECT evercore_subscribe('five', NULL, 5)"), "EV009", "EV009: start is out of range: 5")
    equal(a.rows("SELECT name, position FROM evercore_subscriptions ORDER BY name"), [("end", "3"), ("p", "3"), ("time", "3")])
    slow.rows("COMMIT")
    equal(fetch(a, token), "4 5")
    equal(ack(a, token, 5), "5")
    slow.rows("BEGIN; SELECT evercore_append(1, NULL, 'E', '{}'); ROLLBACK")
    equal(fetch(a, token), "")
    equal(ack(a, token, None), "6", "past what was rolled back")
    equal(a.rows("SELECT * FROM evercore_check()"), [])
    a.rows("UPDATE evercore_subscription_partition SET position = 7 WHERE subscription_id = 1")
    equal(a.rows("SELECT * FROM evercore_check()"), [(None, None, 'cursor of subscription "p" is beyond the head')])


def test_a_start_above_read_committed_must_say_kept():
    a = store(5)
    a.rows("SELECT evercore_subscribe('q', '{\"event_types\":[\"X\"]}', 'end')")
    for level in ("repeatable read", "serializable"):
        for sql in ("SELECT evercore_subscribe('new')", "SELECT evercore_subscribe('new', NULL, 2)", "SELECT evercore_reset('q', 2)",
                    "SELECT evercore_reset('q', 'beginning')", "SELECT evercore_subscribe('q')"):
            a.rows("BEGIN ISOLATION LEVEL " + level)
            refused(lambda sql=sql: a.rows(sql), "EV010", f"EV010: a start that does not say kept needs READ COMMITTED: {level} cannot see late commits")
            a.rows("ROLLBACK")
        for sql in ("SELECT evercore_subscribe('new', NULL, 'kept')", "SELECT evercore_subscribe('new', NULL, 'end')", "SELECT evercore_reset('q', 'kept 2')",
                    "SELECT evercore_subscribe('q', NULL, 'kept')", "SELECT evercore_subscribe('q', '{\"event_types\":[\"X\"]}')"):
            a.rows(f"BEGIN ISOLATION LEVEL {level}; {sql}; ROLLBACK")


def test_a_fetch_needs_read_committed():
    a = store(5)
    token = claim(a)
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        a.rows("BEGIN ISOLATION LEVEL " + level)
        refused(lambda: fetch(a, token), "EV010", "EV010: following needs READ COMMITTED")
        a.rows("ROLLBACK; BEGIN ISOLATION LEVEL " + level)
        equal(ack(a, token, 2), "2")
        a.rows("ROLLBACK")
    a.rows("BEGIN READ ONLY")
    equal(fetch(a, token), all_positions(5))
    a.rows("COMMIT")
    equal(a.rows("SELECT provolatile, proparallel FROM pg_proc WHERE proname = 'evercore_fetch'"), [("v", "u")])


def test_an_ack_of_null_goes_as_far_as_an_empty_fetch_saw_with_the_same_filter():
    a = store(9, subscribe="'p', '{\"event_types\":[\"Never\"]}'")
    token = claim(a)
    equal(ack(a, token, None), "0", "nothing was looked at")
    equal(fetch(a, token), "")
    append(a, 1)
    a.rows("SELECT evercore_subscribe('p', '{\"event_types\":[\"E1\"]}')")
    equal(ack(a, token, None), "0", "another filter")
    equal(fetch(a, token), "1 4 7 10")
    equal(ack(a, token, None), "0")
    equal(ack(a, token, 10), "10")
    append(a, 2, 1)
    equal(fetch(a, token), "11")
    a.rows("SELECT evercore_pause('p')")
    equal((fetch(a, token), ack(a, token, 11)), ("", "11"))
    equal(claim(another(a)), None)
    a.rows("SELECT evercore_resume('p')")
    equal((fetch(a, token), ack(another(a), token, None)), ("", "12"))


def test_an_empty_fetch_counts_no_gap_of_positions():
    connection = Connection(new_database())
    for place in (0, 1000000, 2000000):
        connection.rows("SELECT setval('evercore_event_position_seq', $1) WHERE $1::bigint > 0", place)
        connection.rows("SELECT evercore_append(evercore_ensure('T', 'a'), NULL, 'E', '{}')")
    connection.rows("""SELECT evercore_subscribe('s', '{"event_types":["F"]}')""")
    token = connection.value("SELECT evercore_claim('s', 'w', 3600)")
    equal(connection.rows("SELECT * FROM evercore_fetch('s', $1)", token), [])
    equal(connection.value("SELECT evercore_ack('s', $1, NULL)", token), "2000001")


def test_an_ack_of_null_passes_no_append_in_flight():
    a = store(3)
    b = another(a)
    appended = "SELECT evercore_append(1, NULL, 'E', '{}')"
    for first in (True, False):  # the first append of a session takes another way
        token = claim(a)
        ack(a, token, a.value("SELECT max(position) FROM evercore_log"))
        b.rows("BEGIN; " + appended)
        equal(fetch(a, token), "")
        before = ack(a, token, None)
        b.rows("COMMIT")
        equal(fetch(a, token), str(int(before) + 1), first)
        a.rows(f"SELECT evercore_release('p', {token})")


def test_every_way_to_fetch_gives_what_the_filter_says():
    a = store(0)
    rng = random.Random(7)
    for _ in range(300):
        a.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES"
               f" ('{rng.choice(['User', 'Order'])}', 'k{rng.randrange(7)}', 'T{rng.randrange(4)}', '{{}}')")
    a.rows("SELECT evercore_unsubscribe('p'); SELECT evercore_compact(evercore_find('User', 'k0'), 5)")
    for turn in range(40):
        if turn == 20:
            a.rows("CREATE INDEX evercore_event_by_type ON evercore_event (event_type, position)")
        kind = rng.choice([None, "User", "Order", "Nothing"])
        key = rng.choice([None, "k0", "k3", "nobody"]) if kind else None
        types = rng.choice([None, rng.sample(["T0", "T1", "T2", "Never"], rng.randint(1, 3))])
        start = rng.randrange(200)
        passes = (f"position > {start}" + (f" AND aggregate_type = '{kind}'" if kind else "") + (f" AND natural_key = '{key}'" if key else "")
                  + (" AND event_type IN ('" + "','".join(types) + "')" if types else ""))
        a.rows("SELECT evercore_subscribe('p', json_strip_nulls(json_build_object('aggregate_type', $1::text, 'natural_key', $2::text,"
               f" 'event_types', $3::text[])), 'kept {start}', {rng.choice([1, 1, 2, 5])})", kind, key, "{" + ",".join(types) + "}" if types else None)
        expected = a.rows(f"SELECT position FROM evercore_log WHERE {passes} ORDER BY position")
        equal(a.value("SELECT sum(lag_events) FROM evercore_subscriptions"), str(len(expected)))
        seen = []
        limit = rng.choice([4, 7, 100])
        while (token := claim(a)) is not None:
            while batch := fetch(a, token, limit):
                seen += [(one,) for one in batch.split(" ")]
                ack(a, token, batch.split(" ")[-1])
            ack(a, token, None)
        equal(sorted(seen, key=lambda row: int(row[0])), expected, passes)
        equal(a.value("SELECT count(*) FROM evercore_subscriptions WHERE position <> (SELECT max(position) FROM evercore_log)"), "0")
        a.rows("SELECT evercore_unsubscribe('p')")


def test_with_the_documented_index_a_filter_looks_at_its_matches_alone():
    connection = store(20_000)
    connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)"
                    " SELECT 'T', 'k' || i % 10, 'R' || i % 100, '{}' FROM generate_series(1, 20000) i")
    connection.rows("CREATE INDEX evercore_event_by_type ON evercore_event (event_type, position)")
    connection.rows("ANALYZE")
    examined = "SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables WHERE relname = 'evercore_event'"
    for name, types in (("one", '"R7"'), ("four", '"R7","R8","R9","R50"')):
        connection.rows(f"""SELECT evercore_subscribe('{name}', '{{"event_types":[{types}]}}')""")
        connection.rows("BEGIN")
        token = connection.value(f"SELECT evercore_claim('{name}', 'w', 60)")
        before, matches = int(connection.value(examined)), 0
        while rows := connection.rows(f"SELECT position FROM evercore_fetch('{name}', {token}, 100)"):
            matches += len(rows)
            ack_of = f"SELECT evercore_ack('{name}', {token}, {rows[-1][0]})"
            connection.rows(ack_of)
        looked_at = int(connection.value(examined)) - before
        connection.rows("COMMIT")
        equal(matches, 200 * len(types.split(",")), name)
        assert looked_at <= 1.1 * matches + 100, (name, looked_at, matches)


def test_compaction_and_erasure_wait_for_the_partition_of_their_aggregate_alone():
    a = store(20, keys=4, subscribe="'p', '{\"aggregate_type\":\"T\"}', NULL, 2")
    tokens = dict(a.rows("SELECT partition, token FROM evercore_subscriptions") if claim(a) and claim(a) else [])
    said = 'EV010: aggregate 1 has events that subscription "p" has not read'
    ack(a, tokens["0"], 20)
    equal(a.value("SELECT evercore_compact(2, 0)"), "5")
    refused(lambda: a.rows("SELECT evercore_compact(1, 0)"), "EV010", said)
    refused(lambda: a.rows("SELECT evercore_erase(1)"), "EV010", said)
    other = another(a)
    other.rows("BEGIN")
    ack(other, tokens["1"], 20)
    refused(lambda: a.rows("SELECT evercore_compact(1, 0)"), "EV010", said)
    other.rows("COMMIT")
    equal(a.value("SELECT evercore_compact(1, 0)"), "5")
    equal(a.value("SELECT evercore_erase(3)"), "5")


def test_of_two_that_make_a_subscription_at_once_the_second_changes_what_the_first_made():
    a = store(10)
    observer = another(a)
    a.rows("BEGIN; SELECT evercore_subscribe('q', '{\"event_types\":[\"E1\"]}', 'beginning')")
    b = another(a)
    second = Later(lambda: b.value("SELECT evercore_subscribe('q', '{\"event_types\":[\"E2\"]}', 'end')"))
    equal(waits_for_lock(observer, b.pid()), True)
    a.rows("COMMIT")
    equal(second.result(), "q")
    equal(a.rows("SELECT filter, position FROM evercore_subscriptions WHERE name = 'q'"), [('{"event_types":["E2"]}', "0")])


def test_a_store_of_the_first_schema_version_says_so_and_is_upgraded():
    a = Connection(new_database())
    a.rows("SELECT evercore_migrate(1)")
    for sql in ("SELECT evercore_subscribe('p')", "SELECT evercore_claim('p', 'w', 1)", "SELECT * FROM evercore_fetch('p', 1)",
                "SELECT evercore_ack('p', 1, 1)", "SELECT evercore_pause('p')", "SELECT evercore_reset('p', 'end')"):
        refused(lambda sql=sql: a.rows(sql), "EV008", "EV008: the store is not migrated: SELECT evercore_migrate()")
    install(harness.uri(a.value("SELECT current_database()")))
    equal(a.value("SELECT version FROM evercore_schema"), "4")
    append(a, 10)
    a.rows("SET ROLE evercore_writer; SELECT evercore_subscribe('p', '{\"event_types\":[\"E1\"]}'::jsonb, now() - interval '1 day')")
    token = claim(a)
    equal(fetch(a, token), "1 4 7 10")
    equal(a.rows("SELECT name, owner, lag_events, active FROM evercore_subscriptions"), [("p", "w", "4", "t")])
    a.rows("RESET ROLE; SET ROLE evercore_reader")
    equal(a.value("SELECT token FROM evercore_subscriptions"), token)
    refused(lambda: fetch(a, token), "42501")
