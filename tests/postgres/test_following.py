"""Followers beyond what was drawn or on a logical replica that was migrated; folds of fewer events than promised."""
from harness import equal, install, new_database, refused, uri
from pq import Connection
from test_crash import Server

REPLICA = "EV010: this store is a logical replica"


def five_events(target=None):
    connection = Connection(target or new_database())
    connection.rows("SELECT evercore_create('T','a'), evercore_subscribe('s'), evercore_claim('s','o',600)")
    connection.rows("SELECT evercore_append(1, NULL, 'E', '{\"n\":1}') FROM generate_series(1, 5)")
    return connection


def test_nobody_follows_from_beyond_what_was_drawn():
    target = new_database()
    connection = five_events(target)
    equal(connection.rows("SELECT * FROM evercore_follow(5)"), [])
    refused(lambda: connection.rows("SELECT * FROM evercore_follow(6)"), "EV009", "EV009: after is out of range: 6")
    connection.rows("BEGIN; SELECT evercore_append(1, NULL, 'E', '{}')")
    other = Connection(target)
    equal(other.rows("SELECT * FROM evercore_follow(6)"), [])  # drawn, and not committed
    connection.rows("ROLLBACK")
    equal(other.rows("SELECT * FROM evercore_follow(6)"), [])
    connection.rows("UPDATE evercore_subscription_partition SET position = 7")
    refused(lambda: connection.rows("SELECT * FROM evercore_fetch('s', 1)"), "EV009", 'EV009: cursor of subscription "s" is beyond the head: 7')
    empty = Connection(new_database())
    equal(empty.rows("SELECT * FROM evercore_follow(0)"), [])
    refused(lambda: empty.rows("SELECT * FROM evercore_follow(1)"), "EV009", "EV009: after is out of range: 1")


def test_a_filter_that_is_none_gives_what_is_given_without():
    connection = Connection(new_database())
    forms = ("0, NULL, NULL", "0, NULL, NULL, NULL", "0, NULL, '{}'", "0, NULL, '{}', 9223372036854775807", "0, NULL, NULL, 9223372036854775807")
    for amount in (0, 3, 100):
        connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) SELECT 'T', 'k' || i % 2, 'E' || i % 3, '{}' FROM generate_series(1, $1::int) i",
                        amount)
        every = connection.rows("SELECT * FROM evercore_log ORDER BY position")
        for form in forms:
            equal(connection.rows(f"SELECT * FROM evercore_follow({form})"), every, form)
            equal(connection.rows(f"SELECT * FROM evercore_follow({form.replace('0, NULL', '0, 70')})"), every[:70], form)
        of_two = [row for row in every if row[5] in ("E0", "E2")]
        equal(connection.rows("""SELECT * FROM evercore_follow(0, NULL, '{"event_types":["E0","E2"]}')"""), of_two)
    connection.rows("SELECT setval('_evercore_timeline', 0)")  # as in a copy of the tables alone
    equal(connection.rows("SELECT * FROM evercore_follow(0, 3)"), every[:3])
    connection.rows("SELECT setval('evercore_event_position_seq', 2)")
    refused(lambda: connection.rows("SELECT * FROM evercore_follow(2)"), "EV010")


def test_a_logical_replica_is_not_followed_wherever_its_sequence_stands():
    server = Server("wal_level=logical")
    try:
        admin = Connection(server.uri, None)
        for name in ("publisher", "replica"):
            admin.rows(f"CREATE DATABASE {name}")
            install(uri(name, server.uri))
        publisher, replica = (Connection(uri(name, server.uri)) for name in ("publisher", "replica"))
        publisher.rows("CREATE PUBLICATION p FOR TABLE evercore_aggregate_type, evercore_aggregate, evercore_event")
        publisher.rows("SELECT pg_create_logical_replication_slot('s', 'pgoutput')")
        # Within one server the slot has to be there before: making it would wait for the transaction that makes it.
        replica.rows(f"CREATE SUBSCRIPTION s CONNECTION 'host={server.socket} user=postgres dbname=publisher' PUBLICATION p WITH (create_slot = false)")
        refused(lambda: replica.rows("SELECT * FROM evercore_follow()"), "EV010", REPLICA)  # before the first event came
        publisher.rows("SELECT evercore_create('T','a')")
        publisher.rows("SELECT evercore_append(1, NULL, 'E', '{\"n\":1}') FROM generate_series(1, 5)")
        while replica.value("SELECT count(*) FROM evercore_log") != "5":
            pass
        equal(replica.value("SELECT evercore_state(1)"), '{"n": 1}')
        for _ in range(2):
            refused(lambda: replica.rows("SELECT * FROM evercore_follow()"), "EV010", REPLICA)
            replica.rows("SELECT evercore_migrate()")
        replica.rows("ALTER SUBSCRIPTION s DISABLE; ALTER SUBSCRIPTION s SET (slot_name = NONE)")
        replica.rows("DROP SUBSCRIPTION s")
        equal(replica.value("SELECT count(*) FROM evercore_follow()"), "5")
    finally:
        server.close()


def damage(connection, sql):
    connection.rows(f"ALTER TABLE evercore_event DISABLE TRIGGER evercore_append_only; {sql}; ALTER TABLE evercore_event ENABLE ALWAYS TRIGGER evercore_append_only")


def test_a_fold_of_fewer_events_than_promised_is_an_error():
    for fold in ("merge", "patch"):
        connection = five_events()
        connection.rows("SELECT evercore_event_type('E', $1), evercore_unsubscribe('s')", fold)
        damage(connection, "DELETE FROM evercore_event WHERE sequence IN (2, 3)")
        for call in ("evercore_state(1)", "evercore_state(1, 3)", "evercore_snapshot(1)", "evercore_compact(1, 1)", "evercore_history(1)",
                     "count(*) FROM evercore_replay(1)"):
            refused(lambda: connection.rows(f"SELECT {call}"), "EV010",
                    "EV010: events of aggregate 1 are missing between sequences 1 and 4: evercore_check() names the place")
        equal(connection.value("SELECT evercore_state(1, 1)"), '{"n": 1}')
        equal(connection.value("SELECT string_agg(sequence::text, ',') FROM evercore_events(1)"), "1,4,5")
        equal(connection.value("SELECT evercore_save_snapshot(1, 3, '{}', 7)"), "3")
        equal(connection.value("SELECT string_agg(sequence::text, ',') FROM evercore_replay(1, 7)"), "3,4,5")
        assert connection.rows("SELECT * FROM evercore_check()")
        damage(connection, "DELETE FROM evercore_event")
        refused(lambda: connection.rows("SELECT evercore_state(1)"), "EV010", "EV010: events of aggregate 1 are missing between sequences 0 and 6")


def test_compacted_and_erased_aggregates_are_whole():
    connection = five_events()
    connection.rows("SELECT evercore_ack('s', 1, 5), evercore_compact(1, 3)")
    equal(connection.value("SELECT evercore_state(1)"), '{"n": 1}')
    connection.rows("SELECT evercore_erase(1)")
    equal(connection.value("SELECT evercore_state(1)"), "{}")
    equal(connection.value("SELECT string_agg(sequence || state::text, ',') FROM evercore_history(1)"), "3{},4{},5{}")
    equal(connection.value("SELECT string_agg(sequence || data::text, ',') FROM evercore_replay(1)"), "2{},3{},4{},5{}")
    connection.rows("SELECT evercore_create('T', 'b'), evercore_append(2, NULL, 'E', '{\"n\":1}'), evercore_append(2, NULL, 'E', '{\"n\":2}'), evercore_compact(2, NULL)")
    damage(connection, "DELETE FROM evercore_snapshot; UPDATE evercore_aggregate SET base = 1 WHERE aggregate_id = 2; DELETE FROM evercore_event WHERE aggregate_id = 2 AND sequence = 1")
    for call in ("evercore_state(2)", "count(*) FROM evercore_replay(2)", "count(*) FROM evercore_replay(2, 7)"):
        refused(lambda: connection.rows(f"SELECT {call}"), "EV010", "EV010: events of aggregate 2 are missing between sequences 0 and 2")
