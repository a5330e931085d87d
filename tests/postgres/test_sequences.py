"""Sequences that are wrong: behind their tables, set back, with a cache. Nothing is given twice for that."""
from harness import equal, refused, uri
from pq import Connection
from test_life import APPENDS, BEHIND, another, append, head, store

CACHE = "EV010: sequence evercore_event_position_seq has a cache: SELECT evercore_migrate()"


def test_a_sequence_behind_its_table_is_refused_by_every_form_of_append():
    for setting in ("1, false", "3", "4"):
        connection = store(50)
        connection.rows("SELECT evercore_compact(1, 40)")
        other = another(connection)
        append(other)
        Connection(uri(connection.value("SELECT current_database()"))).rows(f"SELECT setval('evercore_event_position_seq', {setting})")
        fresh = another(connection)
        for sql in APPENDS:
            for session in (connection, other, fresh):
                refused(lambda sql=sql, session=session: session.rows(sql), "EV010", BEHIND)
                session.rows("ROLLBACK")
        equal(head(connection), 51)


def test_followers_of_a_sequence_that_was_never_drawn_are_told():
    connection = store(5)
    connection.rows("SELECT evercore_subscribe('s', NULL, 'end'); UPDATE evercore_subscription_partition SET position = 0")
    token = connection.value("SELECT evercore_claim('s', 'w', 60)")
    connection.rows("SELECT setval('evercore_event_position_seq', 1, false)")
    for after in ("", "0", "3", "5", "100"):
        refused(lambda after=after: connection.rows(f"SELECT * FROM evercore_follow({after})"), "EV010", BEHIND)
    refused(lambda: connection.rows("SELECT * FROM evercore_fetch('s', $1)", token), "EV010", BEHIND)
    equal(connection.rows("SELECT * FROM evercore_check()"), [(None, None, "sequence evercore_event_position_seq is behind its table")])
    connection.rows("SELECT evercore_migrate()")
    equal(connection.rows("SELECT * FROM evercore_check()"), [])
    equal(connection.value("SELECT count(*) FROM evercore_follow(0)"), "5")
    equal(append(connection), 6)


def test_migrate_mends_every_sequence():
    connection = store(5)
    connection.rows("SELECT evercore_snapshot_policy('T', 100, 1); SELECT evercore_subscribe('s'); SELECT evercore_claim('s', 'w', 60)")
    names = ("evercore_event_position_seq", "evercore_aggregate_aggregate_id_seq", "evercore_aggregate_type_type_id_seq",
             "evercore_subscription_subscription_id_seq", "_evercore_token", "_evercore_highest")
    for name in names:
        connection.rows(f"SELECT setval('{name}', 1, false)")
        equal(connection.rows("SELECT problem FROM evercore_check()"), [(f"sequence {name} is behind its table",)])
        connection.rows("SELECT evercore_migrate()")
        equal(connection.rows("SELECT problem FROM evercore_check()"), [])
        connection.rows(f"ALTER SEQUENCE {name} CACHE 7")
        equal(connection.rows("SELECT problem FROM evercore_check()"), [(f"sequence {name} has a cache",)])
        connection.rows(f"ALTER SEQUENCE {name} INCREMENT BY 2")
        equal(connection.rows("SELECT problem FROM evercore_check()"), [(f"sequence {name} has a cache",), (f"sequence {name} is different",)])
        connection.rows("SELECT evercore_migrate()")
        equal(connection.rows("SELECT problem FROM evercore_check()"), [])
    connection.rows("SELECT evercore_create('U', 'b'), evercore_subscribe('t'), evercore_claim('t', 'w', 60)")
    equal(append(connection), 6)
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_ids_behind_their_tables_are_drawn_on():
    """What met a row of its own id was EV003, 40001, P0002, or went round for ever."""
    connection = store()
    connection.rows("SELECT evercore_create('T', 'b'), evercore_create('U', 'a'), evercore_subscribe('s'), evercore_subscribe('t')")
    calls = ("SELECT evercore_create('T')", "SELECT evercore_create('T', 'k{0}')", "SELECT evercore_ensure('T', 'k{0}')", "SELECT evercore_create('V{0}', 'a')",
             "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('T', 'k{0}', 'E', '{{}}'), ('W{0}', 'k{0}', 'E', '{{}}')",
             "SELECT evercore_append_many('[{{\"aggregate_type\":\"X{0}\",\"natural_key\":\"k\",\"events\":[{{\"event_type\":\"E\",\"data\":{{}}}}]}}]')",
             "SELECT evercore_snapshot_policy('Y{0}', 5, 1)", "SELECT evercore_subscribe('s{0}')")
    connection.rows("SET statement_timeout = '60s'")
    for number, sql in enumerate(calls):
        for name in ("evercore_aggregate_aggregate_id_seq", "evercore_aggregate_type_type_id_seq", "evercore_subscription_subscription_id_seq"):
            connection.rows(f"SELECT setval('{name}', 1, false)")
        connection.rows(sql.format(number))
        connection.rows("SELECT _evercore_draw_ids()")
        equal(connection.rows("SELECT * FROM evercore_check()"), [], sql)
    refused(lambda: connection.rows("SELECT evercore_create('T', 'a')"), "EV003")
    equal(connection.value("SELECT evercore_ensure('T', 'a')"), "1")


def test_a_sequence_behind_a_wholly_compacted_log_is_refused():
    connection = store(50)
    connection.rows("SELECT evercore_compact(1, 0), setval('evercore_event_position_seq', 1, false)")
    for sql in APPENDS:
        refused(lambda sql=sql: connection.rows(sql), "EV010", BEHIND)
        connection.rows("ROLLBACK")


def test_a_sequence_with_a_cache_gives_no_position_below_the_head():
    connection = store()
    other = another(connection)
    append(other)
    connection.rows("ALTER SEQUENCE evercore_event_position_seq CACHE 20")
    for sql in APPENDS:
        fresh = another(connection)
        refused(lambda sql=sql, fresh=fresh: fresh.rows(sql), "EV010", CACHE)
    connection.rows("SELECT evercore_append(1, NULL, 'E', '{}')")
    other.rows("SELECT evercore_append(1, NULL, 'E', '{}')")
    top = head(connection)
    for session in (connection, other):
        for sql in APPENDS:
            refused(lambda sql=sql, session=session: session.rows(sql), "EV010", CACHE)
            session.rows("ROLLBACK")
    equal(head(connection), top)


def test_a_claim_is_above_every_token_that_the_table_shows():
    connection = store()
    connection.rows("SELECT evercore_subscribe('s', NULL, NULL, 2); UPDATE evercore_subscription_partition SET token = 500 WHERE partition = 1")
    assert int(connection.value("SELECT evercore_claim('s', 'a', 60)")) > 500


def test_a_sequence_behind_what_was_compacted_is_refused_in_every_session():
    connection = store(1)
    first = another(connection)
    append(first)
    connection.rows("SELECT evercore_create('T', 'b')")
    connection.rows("SELECT evercore_append(2, NULL, 'E', '{}') FROM generate_series(1, 98)")
    connection.rows("SELECT evercore_compact(2, 0), setval('evercore_event_position_seq', 98)")  # no longer than since the last mark
    for session in (connection, first, another(connection)):
        for sql in APPENDS:
            refused(lambda sql=sql, session=session: session.rows(sql), "EV010", BEHIND)
            session.rows("ROLLBACK")
        refused(lambda session=session: session.rows("SELECT * FROM evercore_follow(0)"), "EV010", BEHIND)
    equal(connection.rows("SELECT problem FROM evercore_check()"), [("what was compacted of it is beyond the head",), ("sequence evercore_event_position_seq is behind its table",)])
    connection.rows("SELECT evercore_migrate()")
    equal(connection.rows("SELECT problem FROM evercore_check()"), [])
    equal(append(first), 101)


def test_a_sequence_that_is_set_back_under_open_sessions_is_refused():
    for compacted in (False, True):
        connection = store(1)
        first = another(connection)
        append(first)
        connection.rows("SELECT evercore_append(1, NULL, 'E', '{}') FROM generate_series(1, 98)")
        if compacted:
            connection.rows("SELECT evercore_compact(1, 1)")
        for change in ("SELECT setval('evercore_event_position_seq', 50)", "ALTER SEQUENCE evercore_event_position_seq RESTART WITH 60"):
            connection.rows(change)
            for session in (connection, first, another(connection)):
                for sql in APPENDS:
                    refused(lambda sql=sql, session=session: session.rows(sql), "EV010", BEHIND)
                    session.rows("ROLLBACK")
                refused(lambda session=session: session.rows("SELECT * FROM evercore_follow(0)"), "EV010", BEHIND)
            connection.rows("SELECT evercore_migrate()")
            equal(connection.value("SELECT last_value FROM evercore_event_position_seq"), "100")
        equal(append(first), 101)
        equal(connection.rows("SELECT problem FROM evercore_check()"), [])


def test_positions_have_44_bits():
    connection = store()
    for change in ("MAXVALUE 9", "AS smallint MAXVALUE 30000", "MAXVALUE 9223372036854775807", "MINVALUE 0 START 0"):
        connection.rows(f"ALTER SEQUENCE evercore_event_position_seq {change}")
        equal(connection.rows("SELECT problem FROM evercore_check()"), [("sequence evercore_event_position_seq is different",)], change)
        connection.rows("SELECT evercore_migrate()")
        equal(connection.rows("SELECT problem FROM evercore_check()"), [], change)
    refused(lambda: connection.rows("SELECT setval('evercore_event_position_seq', 1::bigint << 44)"), "22003")
    equal(append(connection), 6)
    connection.rows("SELECT setval('evercore_event_position_seq', (1::bigint << 44) - 1)")
    refused(lambda: connection.rows("SELECT evercore_restored()"), "EV010", "EV010: sequence evercore_event_position_seq has no positions left")
    for sql in APPENDS:
        refused(lambda sql=sql: another(connection).rows(sql), "EV010", "EV010: sequence evercore_event_position_seq has no positions left")
    equal(connection.rows("SELECT problem FROM evercore_check()"), [("sequence evercore_event_position_seq has no values left",)])


def test_a_sequence_at_its_end_is_not_mended():
    connection = store(1)
    connection.rows("SELECT setval('evercore_aggregate_type_type_id_seq', 2147483647); ALTER SEQUENCE evercore_aggregate_type_type_id_seq CACHE 7")
    refused(lambda: connection.rows("SELECT evercore_migrate()"), "EV010",
            "EV010: sequence evercore_aggregate_type_type_id_seq has no values left: it stands at 2147483647")


def test_a_claim_takes_no_token_from_a_sequence_with_a_cache():
    connection = store(1)
    connection.rows("SELECT evercore_subscribe('s'); ALTER SEQUENCE _evercore_token CACHE 20")
    for session in (connection, another(connection)):
        refused(lambda session=session: session.rows("SELECT evercore_claim('s', 'w', 60)"), "EV010",
                "EV010: sequence _evercore_token has a cache: SELECT evercore_migrate()")
    connection.rows("SELECT evercore_migrate()")
    equal(connection.value("SELECT evercore_claim('s', 'w', 60)"), "1")
