"""Leases: who holds a partition, with which token, and for how long; workers that stall and workers that are killed."""
import random
import threading

import harness
from harness import Later, equal, refused, together, waits_for_lock
from pq import Connection, Error
from test_subscription import LOST, ack, all_positions, another, claim, fetch, store


def claim_when_free(connection):
    """As soon as the lease of another has run out."""
    for _ in range(1000):
        token = claim(connection)
        if token is not None:
            return token
        connection.rows("SELECT pg_sleep(0.01)")
    raise AssertionError("no partition came free")


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


def test_an_ack_counts_its_lease_from_now():
    a = store(6)
    token = claim(a, 60)
    for position in (1, 2, 3):
        equal(ack(a, token, position), str(position))
    equal(a.value("SELECT lease_expires_at <= clock_timestamp() + interval '60 s' FROM evercore_subscription_partition"), "t")


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


def test_a_claim_is_flushed_before_its_token_is_used():
    connection = store()
    for wanted, given in (("off", "local"), ("on", "on"), ("remote_write", "remote_write")):
        connection.rows(f"BEGIN; SET LOCAL synchronous_commit = {wanted}")
        connection.rows("SELECT evercore_claim('p', 'w', 60)")
        equal(connection.value("SHOW synchronous_commit"), given)
        connection.rows("COMMIT")
