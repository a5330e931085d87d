"""Subscriptions: who holds a partition, what a fetch may see, workers that are killed, and what compaction waits for."""
import random
import threading

import harness
from harness import Later, equal, install, new_database, refused, together, waits_for_lock
from pq import Connection, Error

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


def claim_when_free(connection):
    """As soon as the lease of another has run out."""
    for _ in range(1000):
        token = claim(connection)
        if token is not None:
            return token
        connection.rows("SELECT pg_sleep(0.01)")
    raise AssertionError("no partition came free")


def fetch(connection, token, limit=100):
    return connection.value(FETCHED, token, limit)


def ack(connection, token, position):
    return connection.value("SELECT evercore_ack('p', $1::bigint, $2::bigint)", token, position)


def all_positions(count, first=1):
    return " ".join(str(i) for i in range(first, count + 1))


def test_a_stalled_worker_can_neither_read_nor_ack_nor_move_the_cursor_back():
    a = store(100)
    b = another(a)
    stale = claim(a, 0.2)
    equal(fetch(a, stale, 10), all_positions(10))
    token = claim_when_free(b)
    equal(int(token) > int(stale), True)
    equal(fetch(b, token, 1000), all_positions(100))
    equal(ack(b, token, 100), "100")
    for call in ("evercore_ack('p', 1, 10)", "evercore_ack('p', 1, NULL)", "evercore_ack('p', 1, 1000)", "evercore_renew('p', 1, 60)",
                 "evercore_release('p', 1)", "evercore_release('p', 1, 'late')", "count(*) FROM evercore_fetch('p', 1)"):
        refused(lambda call=call: a.rows("SELECT " + call), "EV006", LOST.format(stale))
    equal(b.rows("SELECT position, token, last_error FROM evercore_subscriptions"), [("100", token, None)])


def test_with_the_transactional_form_a_stalled_worker_has_no_effect():
    a = store(100)
    b = another(a)
    a.rows("CREATE TABLE effect (position bigint)")
    stale = claim(a, 0.2)
    a.rows("BEGIN")
    a.rows(f"INSERT INTO effect SELECT position FROM evercore_fetch('p', {stale})")
    token = claim_when_free(b)
    b.rows(f"BEGIN; INSERT INTO effect SELECT position FROM evercore_fetch('p', {token}); SELECT evercore_ack('p', {token}, 100); COMMIT")
    refused(lambda: ack(a, stale, 100), "EV006", LOST.format(stale))
    a.rows("ROLLBACK")
    refused(lambda: a.rows(f"INSERT INTO effect SELECT position FROM evercore_fetch('p', {stale})"), "EV006", LOST.format(stale))
    equal(b.rows("SELECT count(*), count(DISTINCT position) FROM effect"), [("100", "100")])


def test_an_ack_that_meets_an_open_claim_waits_and_then_knows():
    a = store(10)
    b, observer = another(a), another(a)
    for end, outcome in (("ROLLBACK", "5"), ("COMMIT", None)):
        token = claim(a, 0.000001)
        b.rows("BEGIN")
        equal(int(claim(b)) > int(token), True)
        later = Later(lambda token=token: ack(a, token, 5))
        equal(waits_for_lock(observer, a.pid()), True)
        b.rows(end)
        if outcome:
            equal(later.result(), outcome)
            a.rows(f"SELECT evercore_release('p', {token})")
        else:
            refused(later.result, "EV006", LOST.format(token))


def test_a_claim_does_not_wait_for_what_others_have_open():
    a = store(10, subscribe="'p', NULL, NULL, 2")
    b, observer = another(a), another(a)
    b.rows("SET lock_timeout = '1ms'")
    a.rows("BEGIN")
    first = claim(a)
    second = claim(b)
    equal(int(second) > int(first), True)
    equal(claim(b), None, "while the first claim is not committed")
    a.rows("ROLLBACK")
    b.rows(f"SELECT evercore_release('p', {second})")
    token = claim(a, 0.000001)
    a.rows("BEGIN")
    ack(a, token, 3)
    equal([claim(b) is None for _ in range(2)], [False, True], "an expired lease whose holder has acked in an open transaction")
    a.rows("COMMIT")
    for sql in ("SELECT evercore_pause('p')", "SELECT evercore_subscribe('p', '{\"event_types\":[\"E1\"]}')"):
        b.rows("SELECT evercore_reset('p', 'beginning')")
        a.rows("BEGIN; " + sql)
        equal(claim(b) is None, False, "while another has open: " + sql)
        a.rows("ROLLBACK")
    for sql in ("SELECT evercore_reset('p', 'end')", "SELECT evercore_unsubscribe('p')"):
        observer.rows("SELECT evercore_reset('p', 'beginning')")
        a.rows("BEGIN; " + sql)
        equal(claim(b), None, "while another has open: " + sql)
        a.rows("ROLLBACK")
    a.rows("SELECT evercore_unsubscribe('p')")
    refused(lambda: claim(b), "EV002", 'EV002: no subscription "p"')


def test_claims_at_once_never_give_a_partition_twice():
    a = store(0, subscribe="'p', NULL, NULL, 8")
    given = []

    def work_of(connection):
        while (token := claim(connection)) is not None:
            given.append(token)
    together(*[lambda connection=another(a): work_of(connection) for _ in range(6)])
    left = claim(a)  # one that two wanted at the same moment may have been passed over by both
    while left is not None:
        given.append(left)
        left = claim(a)
    equal(len(set(given)), 8)
    equal(sorted(given, key=int), [row[0] for row in a.rows("SELECT token FROM evercore_subscriptions ORDER BY token")])


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


def test_an_ack_counts_its_lease_from_now():
    a = store(6)
    token = claim(a, 60)
    for position in (1, 2, 3):
        equal(ack(a, token, position), str(position))
    equal(a.value("SELECT lease_expires_at <= clock_timestamp() + interval '60 s' FROM evercore_subscription_partition"), "t")


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


def test_the_number_of_partitions_changes_only_after_a_reset():
    a = store(20, subscribe="'p', NULL, 3, 2")
    said = 'EV010: subscription "p" has 2 partitions: reset it to change them'
    refused(lambda: a.rows("SELECT evercore_subscribe('p', NULL, NULL, 3)"), "EV010", said)
    equal(a.value("SELECT evercore_subscribe('p', NULL, NULL, 2)"), "p")
    a.rows("SELECT evercore_reset('p', 5)")
    a.rows("SELECT evercore_subscribe('p', NULL, NULL, 3)")
    equal(a.rows("SELECT partition, position FROM evercore_subscriptions ORDER BY 1"), [("0", "5"), ("1", "5"), ("2", "5")])
    token = claim(a)
    ack(a, token, 5)
    a.rows("SELECT evercore_subscribe('p', NULL, NULL, 2)")
    refused(lambda: ack(a, token, 6), "EV006", LOST.format(token))
    token = claim(a)
    ack(a, token, 6)
    refused(lambda: a.rows("SELECT evercore_subscribe('p', NULL, NULL, 3)"), "EV010", said)
    together(*[lambda b=another(a): b.rows("SELECT evercore_subscribe('q', NULL, 'end', 4)") for _ in range(8)])
    equal(a.value("SELECT count(*) FROM evercore_subscriptions WHERE name = 'q'"), "4")


def work(database, stop):
    """A worker: takes what is free, a few batches in the transactional form, gives it back. Killed, it begins anew."""
    while not stop.is_set():
        try:
            connection = Connection(database)
            connection.rows("SET application_name = 'worker'")
            while not stop.is_set():
                token = claim(connection, 0.3)
                if token is None:
                    connection.rows("SELECT pg_sleep(0.005)")
                    continue
                for _ in range(4):
                    connection.rows("BEGIN")
                    last = connection.value("WITH done AS (INSERT INTO effect (aggregate_id, sequence, position) SELECT aggregate_id, sequence, position"
                                            f" FROM evercore_fetch('p', {token}, 25) RETURNING position) SELECT max(position) FROM done")
                    ack(connection, token, last)
                    connection.rows("COMMIT")
                    if last is None:
                        break
                connection.rows(f"SELECT evercore_release('p', {token})")
        except Error as error:
            if error.code not in ("57P01", "08006", "EV006"):
                raise
        finally:
            connection.close()


def test_killed_workers_leave_each_event_one_effect_in_the_order_of_its_aggregate():
    events, writers, workers, kills = 2400, 4, 4, 10
    admin = store(0, subscribe="'p', NULL, NULL, 8")
    admin.rows("CREATE TABLE effect (id bigserial PRIMARY KEY, aggregate_id bigint, sequence bigint, position bigint)")
    database = harness.uri(admin.value("SELECT current_database()"))
    stop, failures = threading.Event(), []

    def write(number):
        connection = Connection(database)
        rng = random.Random(number)
        left = events // writers
        while left:
            rows = [f"('T', 'k{rng.randrange(100)}', 'E', '{{}}')" for _ in range(min(left, rng.randint(1, 12)))]
            connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES " + ", ".join(rows))
            left -= len(rows)
        connection.close()

    def guarded(call):
        try:
            call()
        except BaseException as error:  # pylint: disable=broad-except
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(lambda i=i: write(i),), daemon=True) for i in range(writers)]
    threads += [threading.Thread(target=guarded, args=(lambda: work(database, stop),), daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    killed = 0
    try:
        for _ in range(6000):
            done = int(admin.value("SELECT count(*) FROM effect"))
            if done == events or failures:
                break
            if killed < kills and done >= (killed + 1) * events // (kills + 2):
                killed += int(admin.value("SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity"
                                          " WHERE datname = current_database() AND application_name = 'worker' ORDER BY state = 'active' DESC, random() LIMIT 1) w"))
            admin.rows("SELECT pg_sleep(0.01)")
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    equal(failures, [])
    equal(killed, kills, "workers killed")
    equal(admin.rows("SELECT aggregate_id, sequence FROM evercore_log EXCEPT SELECT aggregate_id, sequence FROM effect"), [])
    equal(admin.rows("SELECT count(*), count(DISTINCT position) FROM effect"), [(str(events),) * 2])
    equal(admin.rows("SELECT * FROM (SELECT sequence, row_number() OVER (PARTITION BY aggregate_id ORDER BY id) AS place FROM effect) e"
                     " WHERE sequence <> place"), [])
    equal(admin.value("SELECT sum(lag_events) FROM evercore_subscriptions"), "0")
    equal(admin.rows("SELECT * FROM evercore_check()"), [])


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


def test_a_claim_is_flushed_before_its_token_is_used():
    connection = store()
    for wanted, given in (("off", "local"), ("on", "on"), ("remote_write", "remote_write")):
        connection.rows(f"BEGIN; SET LOCAL synchronous_commit = {wanted}")
        connection.rows("SELECT evercore_claim('p', 'w', 60)")
        equal(connection.value("SHOW synchronous_commit"), given)
        connection.rows("COMMIT")
