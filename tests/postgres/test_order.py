"""Positions without skips: what a follower has passed never gets a new event, whoever commits when."""
import os
import random
import threading
import time

from harness import Later, equal, new_database, refused, together, waits_for_lock
from pq import Connection, Error

CLIENTS = 16
EVENTS = int(os.environ.get("EVERCORE_ORDER_EVENTS", "300"))
LONGEST_HOLD = float(os.environ.get("EVERCORE_ORDER_HOLD", "0.020"))


def positions(connection, after=0):
    return [int(row[0]) for row in connection.rows(f"SELECT position FROM evercore_follow({after})")]


def test_a_late_commit_is_not_skipped():
    database = new_database()
    first, second, follower = Connection(database), Connection(database), Connection(database)
    first.rows("SELECT evercore_create('T','a'), evercore_create('T','b')")
    first.rows("BEGIN; SELECT evercore_append(1, NULL, 'E', '{\"by\":1}')")
    second.rows("SELECT evercore_append(2, NULL, 'F', '{\"by\":2}')")
    equal(positions(follower), [], "before the first commits")
    equal(len(follower.rows("SELECT * FROM evercore_log")), 1, "the log shows what is committed")
    equal(follower.value("SELECT position FROM evercore_in_flight"), "0", "the floor")
    equal(follower.value("SELECT holder FROM evercore_in_flight").startswith(f"pid {first.pid()} "), True, "the holder")
    equal(follower.value("SELECT since < clock_timestamp() FROM evercore_in_flight"), "t")
    first.rows("COMMIT")
    equal(positions(follower), [1, 2], "after both committed")
    equal(follower.rows("SELECT * FROM evercore_in_flight"), [])


def test_a_rolled_back_append_stops_holding():
    database = new_database()
    first, second = Connection(database), Connection(database)
    first.rows("SELECT evercore_create('T','a'); SELECT evercore_append(1, NULL, 'E', '{}')")
    first.rows("BEGIN; SELECT evercore_append(1, NULL, 'E', '{}')")
    equal(positions(second), [1])
    first.rows("ROLLBACK")
    first.rows("SELECT evercore_append(1, NULL, 'E', '{}')")
    equal(positions(second), [1, 3])


def test_a_lock_lost_with_a_savepoint_is_taken_again():
    database = new_database()
    first, second, follower = Connection(database), Connection(database), Connection(database)
    first.rows("SELECT evercore_create('T','a'), evercore_create('T','b'); SELECT evercore_append(1, NULL, 'E', '{}'), evercore_append(1, NULL, 'F', '{}')")
    first.rows("BEGIN; SAVEPOINT s; SELECT evercore_append(1, NULL, 'E', '{}'); ROLLBACK TO s")
    equal(follower.rows("SELECT * FROM evercore_in_flight"), [], "the lock went with the savepoint")
    first.rows("SELECT evercore_append(1, NULL, 'E', '{}')")
    second.rows("SELECT evercore_append(2, NULL, 'F', '{}')")
    equal(positions(follower), [1, 2])
    first.rows("COMMIT")
    equal(positions(follower), [1, 2, 4, 5])


def test_a_forged_hint_loses_nothing():
    for hint in ("9999999", "4", "-5", "0", "-17592186044416"):
        database = new_database()
        admin = Connection(database)
        admin.rows("SELECT evercore_create('T','a'), evercore_create('T','b'); SELECT evercore_append(2, NULL, 'E', '{}'), evercore_append(2, NULL, 'F', '{}')")
        setting = admin.value("SELECT 'evercore.floor_' || to_hex(hashtext('\"evercore\"'))")
        first, second, follower = Connection(database), Connection(database), Connection(database)
        # A transaction that has no id yet does not look at the setting.
        for level, begun in (("SET", "SELECT 1"), ("SET LOCAL", "SELECT 1"), ("SET", "SELECT pg_current_xact_id()"), ("SET LOCAL", "SELECT pg_current_xact_id()")):
            first.rows(f"BEGIN; {begun}; SET ROLE evercore_writer; {level} {setting} = '{hint}'; SELECT evercore_append(1, NULL, 'E', '{{}}')")
            before = positions(follower)
            second.rows("SELECT evercore_append(2, NULL, 'F', '{}')")
            seen = positions(follower)
            equal(seen, before, f"with the hint {hint}")
            first.rows("COMMIT; RESET ROLE")
            equal(seen + positions(follower, max(seen, default=0)), positions(follower), f"after the commit, with the hint {hint}")
        for connection in (admin, first, second, follower):
            connection.close()


def test_a_replayed_hint_after_a_savepoint_loses_nothing():
    database = new_database()
    first, second, follower = Connection(database), Connection(database), Connection(database)
    first.rows("SELECT evercore_create('T','a'), evercore_create('T','b'); SELECT evercore_append(1, NULL, 'E', '{}'), evercore_append(2, NULL, 'F', '{}')")
    setting = first.value("SELECT 'evercore.floor_' || to_hex(hashtext('\"evercore\"'))")
    first.rows("BEGIN; SELECT pg_current_xact_id(); SET ROLE evercore_writer; SAVEPOINT s; SELECT evercore_append(1, NULL, 'E', '{}')")
    hint = first.value(f"SELECT current_setting('{setting}')")
    first.rows(f"ROLLBACK TO s; SET LOCAL {setting} = '{hint}'; SELECT evercore_append(1, NULL, 'E', '{{}}')")
    second.rows("SELECT evercore_append(2, NULL, 'F', '{}')")
    equal(positions(follower), [1, 2])
    first.rows("COMMIT")
    equal(positions(follower), [1, 2, 4, 5])


def test_many_appends_in_one_transaction_take_few_locks():
    database = new_database()
    writer, observer = Connection(database), Connection(database)
    writer.rows("SELECT evercore_create('T','a'); SELECT evercore_append(1, NULL, 'E', '{}')")
    writer.rows("BEGIN; DO $$ BEGIN FOR i IN 1..8000 LOOP PERFORM evercore_append(1, NULL, 'E', '{}'); END LOOP; END $$")
    assert int(observer.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) in (1, 2)
    writer.rows("COMMIT")
    equal(len(positions(observer)), 8001)


def test_a_prepared_transaction_holds_the_floor():
    database = new_database()
    first, second, follower = Connection(database), Connection(database), Connection(database)
    first.rows("SELECT evercore_create('T','a'), evercore_create('T','b')")
    first.rows("BEGIN; SELECT evercore_append(1, NULL, 'E', '{}'); PREPARE TRANSACTION 'evercore_order'")
    second.rows("SELECT evercore_append(2, NULL, 'F', '{}')")
    equal(positions(follower), [])
    equal(follower.value("SELECT holder FROM evercore_in_flight"), "prepared transaction")
    first.rows("COMMIT PREPARED 'evercore_order'")
    equal(positions(follower), [1, 2])


def test_appends_of_one_event_as_json_go_on_above_read_committed():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T', 'a')")
    for version, level in enumerate(("REPEATABLE READ", "SERIALIZABLE")):
        connection.rows(f"BEGIN ISOLATION LEVEL {level}")
        for whose, more in (('"aggregate_id":1', f'"event_id":"{level}"'), ('"aggregate_type":"T","natural_key":"a"', '"tags":["t"]')):
            connection.rows(f"""SELECT evercore_append_many('[{{{whose},"events":[{{"event_type":"E","data":{{}},{more}}}]}}]')""")
        connection.rows("COMMIT")
        equal(connection.value("SELECT max(sequence) FROM evercore_log"), str(2 * version + 2))


def test_following_needs_read_committed():
    connection = Connection(new_database())
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        connection.rows(f"BEGIN ISOLATION LEVEL {level}")
        refused(lambda: connection.rows("SELECT * FROM evercore_follow()"), "EV010", "EV010: following needs READ COMMITTED")
        connection.rows("ROLLBACK")


def test_a_follower_inside_one_statement_sees_what_was_committed_before_it_read():
    """A STABLE follower would miss a row committed while its statement waited."""
    database = new_database()
    first, gate, follower = Connection(database), Connection(database), Connection(database)
    first.rows("SELECT evercore_create('T','a')")
    gate.rows("SELECT pg_advisory_lock(77)")
    late = Later(lambda: follower.rows("SELECT f.position FROM (SELECT pg_advisory_lock(77)) l, LATERAL evercore_follow(CASE WHEN l IS NULL THEN 0 ELSE 0 END) f"))
    equal(waits_for_lock(first, follower.pid()), True)
    first.rows("SELECT evercore_append(1, NULL, 'E', '{}')")
    gate.rows("SELECT pg_advisory_unlock(77)")
    equal(late.result(), [("1",)])


def test_what_begins_between_the_floor_and_the_reading_is_left_for_the_next_time():
    """The follower waits for a table lock after it has asked for the floor; an append begins then, and a later one commits."""
    database = new_database()
    first, second, gate, follower = (Connection(database) for _ in range(4))
    first.rows("SELECT evercore_create('T','a'), evercore_create('T','b'); SELECT evercore_append(1, NULL, 'E', '{}')")
    equal(positions(follower), [1])
    gate.rows("BEGIN; LOCK TABLE evercore_aggregate_type IN ACCESS EXCLUSIVE MODE")
    late = Later(lambda: positions(follower))
    equal(waits_for_lock(second, follower.pid()), True)
    first.rows("BEGIN; SELECT evercore_append(1, NULL, 'E', '{}')")
    second.rows("SELECT evercore_append(2, NULL, 'E', '{}')")
    gate.rows("COMMIT")
    equal(late.result(), [1], "positions drawn after the follower asked")
    first.rows("COMMIT")
    equal(positions(follower), [1, 2, 3])


def test_two_stores_do_not_hold_each_other():
    from harness import install
    database = new_database()
    install(database, "other")
    first, second = Connection(database), Connection(database, "other")
    first.rows("SELECT evercore_create('T','a'); BEGIN; SELECT evercore_append(1, NULL, 'E', '{}')")
    second.rows("SELECT evercore_create('T','a'); SELECT evercore_append(1, NULL, 'E', '{}')")
    equal(positions(second), [1])
    equal(second.rows("SELECT * FROM evercore_in_flight"), [])
    first.rows("COMMIT")
    refused(lambda: first.rows("SET ROLE evercore_reader; SELECT * FROM other.evercore_log"), "42501")


def lock_keys(connection, shared, first, last):
    """Session locks on the store's own keys, as anyone who may connect can take them."""
    connection.rows(f"SELECT count(pg_advisory_lock{shared}(((hashtext('\"evercore\"')::bigint & 1048575) << 44) | p)) FROM generate_series({first}, {last}) p")


def test_a_strangers_locks_stop_no_append_and_no_follower():
    database = new_database()
    first, second, follower = Connection(database), Connection(database), Connection(database)
    first.rows("CREATE ROLE evercore_test_stranger LOGIN")
    try:
        stranger = Connection(database.replace("postgres@", "evercore_test_stranger@"), None)
        first.rows("SELECT evercore_create('T','a'), evercore_create('T','b'); SELECT evercore_append(1, NULL, 'E', '{}')")
        lock_keys(stranger, "", 0, 3000)
        first.rows("SET lock_timeout = '10s'")
        first.rows("SELECT evercore_append(1, NULL, 'E', '{}')")
        first.rows("SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{}}]}]')")
        first.rows("INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{}')")
        equal(positions(follower), [1, 2, 3, 4])
        # The floor is held none the less, and a transaction of any length holds few locks.
        first.rows("BEGIN; DO $$ BEGIN FOR i IN 1..500 LOOP PERFORM evercore_append(1, NULL, 'E', '{}'); END LOOP; END $$")
        second.rows("SELECT evercore_append(2, NULL, 'F', '{}')")
        equal(positions(follower, 4), [])
        equal(int(first.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")) <= 2, True)
        first.rows("COMMIT")
        equal(len(positions(follower, 4)), 501)
        stranger.close()
    finally:
        Connection(database).rows("DROP ROLE IF EXISTS evercore_test_stranger")


def test_where_lower_keys_are_free_a_floor_near_the_head_is_taken():
    database = new_database()
    first, second, stranger, follower = (Connection(database) for _ in range(4))
    first.rows("SELECT evercore_create('T','a'), evercore_create('T','b'), setval('evercore_event_position_seq', 1000000)")
    lock_keys(stranger, "", 999500, 1000500)
    first.rows("BEGIN; SELECT evercore_append(1, NULL, 'E', '{}')")
    second.rows("SELECT evercore_append(2, NULL, 'F', '{}')")
    equal(positions(follower), [])
    equal(int(follower.value("SELECT position FROM evercore_in_flight")) > 0, True, "not the floor of zero")
    first.rows("COMMIT")
    equal(positions(follower), [1000001, 1000002])


def test_a_strangers_shared_lock_is_named():
    database = new_database()
    first, stranger, follower = Connection(database), Connection(database), Connection(database)
    first.rows("SELECT evercore_create('T','a'); SELECT evercore_append(1, NULL, 'E', '{}')")
    stranger.rows("SET application_name = 'stranger'")
    lock_keys(stranger, "_shared", 0, 0)
    equal(positions(follower), [])
    equal(follower.value("SELECT holder FROM evercore_in_flight").endswith("stranger"), True)
    stranger.rows("SELECT pg_advisory_unlock_all()")
    equal(positions(follower), [1])


def test_a_stranger_who_holds_keys_of_conditions_is_named():
    database = new_database()
    first, stranger, follower = Connection(database), Connection(database), Connection(database)
    first.rows("SELECT evercore_create('T','a'), evercore_index_types()")
    stranger.rows("SET application_name = 'stranger'")
    for key in ("hashtext('\"evercore\" types'), hashtext('E' COLLATE \"C\")", "hashtext('\"evercore\" tags'), hashtext('t')", "hashtext('\"evercore\" store'), 0"):
        stranger.rows(f"SELECT pg_advisory_lock({key})")
        [(place, holder)] = follower.rows("SELECT position, holder FROM evercore_in_flight")
        equal((place, holder.endswith("stranger")), (None, True))
        stranger.rows("SELECT pg_advisory_unlock_all()")
        equal(follower.rows("SELECT * FROM evercore_in_flight"), [])
    first.rows("BEGIN; SELECT evercore_append(1, NULL, 'E', '{}', tags => '[\"t\"]')")
    equal(follower.rows("SELECT count(*), count(position) FROM evercore_in_flight"), [("1", "1")])


class Traffic:
    """Writers of every kind, and followers who write down what they got."""

    def __init__(self, database, stranger):
        self.database = database
        self.stranger = stranger
        self.done = threading.Event()
        self.aggregates = 40
        admin = Connection(database)
        admin.rows("CREATE TABLE business (id bigserial, note text)")
        admin.rows(f"SELECT evercore_create('T', 'k' || i) FROM generate_series(1, {self.aggregates}) i")
        admin.close()

    def write(self, number):
        dice = random.Random(number)
        connection = Connection(self.database)
        written = 0
        while written < EVENTS:
            shape = dice.random()
            try:
                if shape < 0.4:
                    connection.rows("BEGIN" if dice.random() < 0.1 else "SELECT 1")
                    connection.rows(f"SELECT evercore_append({dice.randint(1, self.aggregates)}, NULL, 'E', '{{\"w\":{number}}}')")
                    written += 1
                    connection.rows("ROLLBACK" if dice.random() < 0.1 else "COMMIT")
                elif shape < 0.6:
                    chosen = [dice.randint(1, self.aggregates) for _ in range(5)]
                    events = ",".join(['{"event_type":"B","data":{"b":true}}'] * 4)
                    appends = ",".join(f'{{"aggregate_id":{one},"events":[{events}]}}' for one in chosen)
                    connection.rows(f"SELECT evercore_append_many('[{appends}]')")
                    written += 20
                else:
                    connection.rows("BEGIN; INSERT INTO business (note) VALUES ('first')")
                    time.sleep(dice.uniform(0, LONGEST_HOLD))
                    one, other = sorted((dice.randint(1, self.aggregates), dice.randint(1, self.aggregates)))
                    connection.rows(f"SELECT evercore_append({one}, NULL, 'E', '{{}}')")
                    time.sleep(dice.uniform(0, LONGEST_HOLD))
                    connection.rows(f"SELECT evercore_append({other}, NULL, 'E', '{{}}')")
                    written += 2
                    connection.rows("ROLLBACK" if dice.random() < 0.1 else "COMMIT")
            except Error as error:
                if error.code != "40P01":
                    raise
                connection.rows("ROLLBACK")
        connection.close()

    def follow(self, into):
        connection = Connection(self.database)
        after = 0
        while True:
            last_round = self.done.is_set()
            rows = connection.rows(f"SELECT position, aggregate_id, sequence FROM evercore_follow({after}, 500)")
            into.extend(tuple(map(int, row)) for row in rows)
            if rows:
                after = int(rows[-1][0])
            elif last_round:
                break
        connection.close()

    def run(self):
        followers = [[] for _ in range(3)]
        idle = Connection(self.database)
        if self.stranger:
            idle.rows("BEGIN; INSERT INTO business (note) VALUES ('stranger')")

        def writers():
            try:
                together(*[lambda number=number: self.write(number) for number in range(CLIENTS)])
            finally:
                self.done.set()

        together(writers, *[lambda into=into: self.follow(into) for into in followers])
        committed = [tuple(map(int, row)) for row in
                     idle.rows("SELECT position, aggregate_id, sequence FROM evercore_log ORDER BY position")]
        if self.stranger:
            idle.rows("ROLLBACK")
        assert len(committed) > CLIENTS * EVENTS // 2, len(committed)
        for seen in followers:
            equal(len(seen), len(committed), "events delivered")
            equal(seen, committed, "what a follower saw")
        per_aggregate = {}
        for _, aggregate, sequence in committed:
            equal(sequence, per_aggregate.get(aggregate, 0) + 1, f"the next sequence of aggregate {aggregate}")
            per_aggregate[aggregate] = sequence
        equal(idle.rows("SELECT * FROM evercore_check()"), [], "evercore_check")
        idle.close()


def test_followers_get_everything_once_and_in_order():
    Traffic(new_database(), stranger=False).run()


def test_followers_keep_up_beside_a_strangers_open_transaction():
    Traffic(new_database(), stranger=True).run()
