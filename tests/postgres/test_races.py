"""Many clients at once: nothing lost, nothing doubled, no deadlock, each event id once."""
import json

from harness import Later, equal, new_database, refused, together, waits_for_lock
from pq import Connection, Error

CLIENTS = 32


def many(database, work, clients=CLIENTS):
    def one(number):
        connection = Connection(database)
        try:
            work(connection, number)
        finally:
            connection.close()
    together(*[lambda number=number: one(number) for number in range(clients)])


def slow_down(connection, table):
    """Each row takes a while to go in, so that calls overlap for certain."""
    connection.rows("CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END $$;"
                    f"CREATE TRIGGER slow BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION public.slow()")


def test_any_never_conflicts():
    database = new_database()
    connection = Connection(database)
    connection.rows("SELECT evercore_create('T','hot')")

    def work(client, number):
        for _ in range(50):
            client.rows(f"SELECT evercore_append(1, NULL, 'E', '{{\"by\":{number}}}')")
    many(database, work)
    equal(connection.value("SELECT evercore_sequence(1)"), str(CLIENTS * 50))
    equal(connection.rows("SELECT count(*), count(DISTINCT sequence), max(sequence) FROM evercore_log"), [(str(CLIENTS * 50),) * 3])
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_exact_versions_count_each_success_once_and_burn_nothing():
    database = new_database()
    connection = Connection(database)
    connection.rows("SELECT evercore_create('T','hot')")
    successes = [0] * 8

    def work(client, number):
        while successes[number] < 20:
            version = client.value("SELECT evercore_sequence(1)")
            try:
                client.rows(f"SELECT evercore_append(1, {version}, 'E', '{{}}')")
                successes[number] += 1
            except Error as error:
                equal(error.code, "EV001")
    many(database, work, 8)
    equal(connection.value("SELECT evercore_sequence(1)"), "160")
    equal(connection.value("SELECT max(position) FROM evercore_log"), "160", "positions without holes")


def test_get_or_create_of_the_same_keys():
    database = new_database()
    connection = Connection(database)

    def work(client, number):
        for key in range(100):
            key = (key * 7 + number) % 100
            if number % 2:
                client.rows(f"SELECT evercore_ensure('T', 'k{key}')")
            else:
                client.rows(f"INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('T', 'k{key}', 'E', '{{}}')")
    many(database, work)
    equal(connection.rows("SELECT count(*), sum(sequence) FROM evercore_aggregates"), [("100", str(100 * CLIENTS // 2))])
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_calls_over_many_aggregates_in_opposite_orders_do_not_deadlock():
    database = new_database()
    connection = Connection(database)
    connection.rows("SELECT evercore_create('T','k' || i) FROM generate_series(0, 11) i")
    slow_down(connection, "evercore_aggregate")

    def work(client, number):
        for turn in range(12):
            keys = [f"{turn} {i}" if i % 2 else i for i in range(12)]
            keys = keys if number % 2 else keys[::-1]
            if number % 4 < 2:
                rows = ",".join(f"('T', 'k{key}', 'E{key}', '{{}}', NULL)" for key in keys)
                client.rows(f"INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) VALUES {rows}")
            else:
                appends = [{"aggregate_type": "T", "natural_key": f"k{key}",
                            "events": [{"event_type": "E", "data": {}, "event_id": f"{number} {turn} {key}"}]} for key in keys]
                client.rows("SELECT evercore_append_many($1)", json.dumps(appends))
    many(database, work, 16)
    equal(connection.value("SELECT count(*) FROM evercore_log"), str(16 * 12 * 12))
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_event_ids_in_opposite_orders_do_not_deadlock():
    """Two calls that race for twenty ids over four times as many aggregates: one wins, the other is EV007."""
    for _ in range(2):
        database = new_database()
        connection = Connection(database)
        connection.rows("SELECT evercore_create('T','k' || i) FROM generate_series(1, 400) i")
        slow_down(connection, "evercore_event")
        outcomes = []

        def work(client, number):
            order = [f"id {i}" for i in range(20)][::1 if number % 2 else -1]
            appends = [{"aggregate_id": number * 20 + i + 1, "events": [{"event_type": "E", "data": {}, "event_id": one}]} for i, one in enumerate(order)]
            try:
                client.rows("SELECT evercore_append_many($1)", json.dumps(appends))
                outcomes.append("ok")
            except Error as error:
                outcomes.append(error.code)
        many(database, work, 4)
        equal(sorted(outcomes), ["EV007", "EV007", "EV007", "ok"])
        connection.close()


def test_one_event_id_from_many_clients():
    database = new_database()
    connection = Connection(database)
    connection.rows("SELECT evercore_create('T','a')")
    given = []

    def work(client, number):
        for turn in range(10):
            given.append((turn, client.value(f"SELECT evercore_append(1, NULL, 'E', '{{\"t\":{turn}}}', NULL, NULL, NULL, 'id{turn}')")))
            client.rows(f"SELECT evercore_append(1, NULL, 'Other', '{{\"n\":{number}}}')")
    many(database, work, 16)
    equal(len(set(given)), 10, "one sequence for each id")
    equal(connection.value("SELECT count(*) FROM evercore_log WHERE event_type = 'E'"), "10")
    equal(connection.rows("SELECT * FROM evercore_check()"), [])
    refused(lambda: connection.rows("SELECT evercore_append(1, NULL, 'E', '{\"t\": 1}', NULL, NULL, NULL, 'id1')"),
            "EV007", 'EV007: event_id "id1" exists with other content')


def test_a_repeat_waits_for_the_first():
    database = new_database()
    first, second, observer = Connection(database), Connection(database), Connection(database)
    first.rows("SELECT evercore_create('T','a'), evercore_create('T','b')")
    for end, same, other in (("COMMIT", "1", "EV007"), ("ROLLBACK", None, None)):
        mark = "c" if end == "COMMIT" else "r"
        first.rows(f"BEGIN; SELECT evercore_append(1, NULL, 'E', '{{}}', NULL, NULL, NULL, '{mark}')")
        late = Later(lambda: second.value(f"SELECT evercore_append(1, NULL, 'E', '{{}}', NULL, NULL, NULL, '{mark}')"))
        equal(waits_for_lock(observer, second.pid()), True)
        first.rows(end)
        equal(late.result(), same or "3", end)
        first.rows(f"BEGIN; SELECT evercore_append(1, NULL, 'E', '{{}}', NULL, NULL, NULL, '{mark}2')")
        late = Later(lambda: second.value(f"SELECT evercore_append(2, NULL, 'E', '{{}}', NULL, NULL, NULL, '{mark}2')"))
        equal(waits_for_lock(observer, second.pid()), True)
        first.rows(end)
        if other:
            refused(late.result, other, f'EV007: event_id "{mark}2" exists with other content')
        else:
            late.result()


def test_one_row_by_key_waits_as_many_do():
    """A row names the aggregate of a key that is renamed, or erased, in a transaction that is open, or whose event_id that one gives."""
    many_rows = "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data{}) VALUES ('T','a','E','{{}}'{})"
    single = """SELECT evercore_append_many('[{{"aggregate_type":"T","natural_key":"a","events":[{{"event_type":"E","data":{{}}{}}}]}}]')"""
    forms = ((many_rows.format("", ""), many_rows.format(", event_id", ", 'x'")), (single.format(""), single.format(', "event_id":"x"')))
    for plain, identified in forms:
        for change, log in (("SELECT evercore_rekey(1, 'b')", [("1", "1")]), ("SELECT evercore_erase(1)", [("2", "1")]),
                            ("SELECT evercore_append(1, NULL, 'Other', '{}', event_id => 'y')", [("1", "1"), ("1", "2")])):
            for call in (plain, identified):
                database = new_database()
                first, second, observer = Connection(database), Connection(database), Connection(database)
                first.rows("SELECT evercore_create('T','a')")
                first.rows("BEGIN; " + change)
                late = Later(lambda: second.rows(call))
                equal(waits_for_lock(observer, second.pid()), True, call)
                first.rows("COMMIT")
                late.result()
                equal(first.rows("SELECT aggregate_id, sequence FROM evercore_log ORDER BY position"), log, f"{change}; {call}")
                equal(first.rows("SELECT * FROM evercore_check()"), [])
                for connection in (first, second, observer):
                    connection.close()
        database = new_database()
        first, second, observer = Connection(database), Connection(database), Connection(database)
        first.rows("SELECT evercore_create('T','a'), evercore_create('T','z')")
        for mark, end in (("c", "COMMIT"), ("r", "ROLLBACK")):
            first.rows(f"BEGIN; SELECT evercore_append(2, NULL, 'E', '{{}}', event_id => '{mark}')")
            late = Later(lambda: second.rows(identified.replace('"x"', f'"{mark}"').replace("'x'", f"'{mark}'")))
            equal(waits_for_lock(observer, second.pid()), True)
            first.rows(end)
            if end == "COMMIT":
                refused(late.result, "EV007", f'EV007: event_id "{mark}" exists with other content')
            else:
                late.result()


def test_above_read_committed_a_race_asks_for_a_retry():
    database = new_database()
    first, second = Connection(database), Connection(database)
    first.rows("SELECT evercore_create('T','a')")
    second.rows("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM evercore_log")
    first.rows("SELECT evercore_append(1, NULL, 'E', '{}')")
    refused(lambda: second.rows("SELECT evercore_append(1, NULL, 'E', '{}')"), "40001")


def test_compaction_beside_appends():
    database = new_database()
    connection = Connection(database)
    connection.rows("SELECT evercore_create('T','a'), evercore_snapshot_policy('T', 7, 2)")

    def work(client, number):
        for turn in range(40):
            if number == 0:
                client.rows("SELECT evercore_compact(1, 5)")
            elif number == 1:
                client.rows("SELECT evercore_compact_type('T', 3)")
            else:
                client.rows(f"SELECT evercore_append(1, NULL, 'E', '{{\"n{number}\":{turn}}}', NULL, NULL, NULL, '{number} {turn}')")
    many(database, work, 8)
    equal(connection.value("SELECT evercore_sequence(1)"), "240")
    equal(json.loads(connection.value("SELECT evercore_state(1)")), {f"n{n}": 39 for n in range(2, 8)})
    equal(connection.rows("SELECT * FROM evercore_check()"), [])
    equal(connection.value("SELECT evercore_append(1, 0, 'E', '{\"n2\":0}', NULL, NULL, NULL, '2 0') < 241"), "t", "compacted ids are known")


def test_an_event_id_costs_no_subtransaction():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T','a')")
    connection.rows("BEGIN; DO $$ BEGIN FOR i IN 1..200 LOOP PERFORM evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, 'i' || i); END LOOP; END $$")
    equal(connection.rows("SELECT count(DISTINCT xmin::text), count(*) FROM evercore_event"), [("1", "200")])
    connection.rows("COMMIT")


def test_an_event_id_that_is_compacted_while_another_waits_for_it():
    database = new_database()
    first, second, observer = (Connection(database) for _ in range(3))
    first.rows("SELECT evercore_create('T','a'), evercore_create('T','b')")
    event = '{"event_type":"E","data":{},"event_id":"%s"}'
    forms = {"single": ("SELECT evercore_append(2, NULL, 'E', '{}', NULL, NULL, NULL, '%s')", ""),
             "array": (f"SELECT evercore_append_many('[{{\"aggregate_id\":2,\"events\":[{event}]}}]')", ""),
             "row": ("INSERT INTO evercore_append (aggregate_id, event_type, data, event_id) VALUES (2, 'E', '{}', '%s')", ""),
             "rows": ("INSERT INTO evercore_append (aggregate_id, event_type, data, event_id) VALUES (2, 'E', '{}', 'new'), (2, 'E', '{}', '%s')", " (row 2)")}
    for mark, (form, row) in forms.items():
        for compacted in (False, True):
            identity = f"{mark} {compacted}"
            first.rows(f"BEGIN; SELECT evercore_append(1, NULL, 'E', '{{}}', NULL, NULL, NULL, '{identity}')")
            late = Later(lambda form=form, identity=identity: second.rows(form % identity))
            equal(waits_for_lock(observer, second.pid()), True)
            first.rows("SELECT evercore_compact(1, 0); COMMIT" if compacted else "COMMIT")
            refused(late.result, "EV007", f'EV007: event_id "{identity}" exists with other content{row}')
    equal(first.value("SELECT evercore_sequence(2)"), "0")
    equal(first.rows("SELECT * FROM evercore_check()"), [])


def test_a_racing_event_id_above_read_committed_asks_for_a_retry():
    database = new_database()
    first, second = Connection(database), Connection(database)
    first.rows("SELECT evercore_create('T','a'), evercore_create('T','b')")
    second.rows("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM evercore_log")
    first.rows("SELECT evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, 'i')")
    refused(lambda: second.rows("SELECT evercore_append(2, NULL, 'E', '{}', NULL, NULL, NULL, 'i')"), "40001")


def test_a_declaration_that_changes_nothing_takes_no_lock():
    database = new_database()
    writer, other = Connection(database), Connection(database)
    writer.rows("SELECT evercore_create('T','a'), evercore_event_type('E', 'patch'), evercore_snapshot_policy('T', 5, 2)")
    writer.rows("BEGIN; SELECT evercore_append(1, NULL, 'E', '{}')")
    other.rows("SET lock_timeout = '5s'; BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT evercore_event_type('E', 'patch'), evercore_snapshot_policy('T', 5, 2)")
    equal(other.value("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'ShareRowExclusiveLock'"), "0")
    other.rows("COMMIT")
    writer.rows("COMMIT")


def test_a_policy_waits_for_the_maker_of_its_type_without_holding_up_appends():
    database = new_database()
    maker, declarer, writer = Connection(database), Connection(database), Connection(database)
    writer.rows("SELECT evercore_create('T','a')")
    maker.rows("BEGIN; SELECT evercore_create('New')")
    late = Later(lambda: declarer.value("SELECT evercore_snapshot_policy('New', 1, 1)"))
    equal(waits_for_lock(writer, declarer.pid()), True)
    writer.rows("SET lock_timeout = '5s'; SELECT evercore_append(1, NULL, 'E', '{}')")
    maker.rows("COMMIT")
    equal(late.result(), "New")


def test_compact_type_waits_for_nobody_once_it_has_compacted_one():
    database = new_database()
    writer, compactor, other = Connection(database), Connection(database), Connection(database)
    writer.rows("SELECT evercore_create('T') FROM generate_series(1, 3)")
    writer.rows("SELECT evercore_append(i, NULL, 'E', '{}') FROM generate_series(1, 3) i")
    writer.rows("BEGIN; SELECT evercore_append(2, NULL, 'E', '{}')")
    equal(compactor.value("SELECT evercore_compact_type('T', 0)"), "2")
    late = Later(lambda: compactor.value("SELECT evercore_compact_type('T', 0)"))
    equal(waits_for_lock(other, compactor.pid()), True, "the only one left is waited for")
    writer.rows("COMMIT")
    equal(late.result(), "1")
    equal(compactor.value("SELECT evercore_compact_type('T', 0)"), "0")
    equal(compactor.rows("SELECT * FROM evercore_check()"), [])


def test_erasure_needs_to_see_what_others_committed():
    database = new_database()
    eraser, writer = Connection(database), Connection(database)
    writer.rows("SELECT evercore_create('T'); SELECT evercore_append(1, NULL, 'E', '{}')")
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        eraser.rows(f"BEGIN ISOLATION LEVEL {level}; SELECT count(*) FROM evercore_log")
        writer.rows("SELECT evercore_snapshot(1), evercore_subscribe('s')")
        refused(lambda: eraser.rows("SELECT evercore_erase(1)"), "EV010", f"EV010: erasure needs READ COMMITTED: {level.lower()} cannot see late commits")
        eraser.rows("ROLLBACK")


def test_an_event_id_that_was_compacted_since_an_older_snapshot_is_not_taken_twice():
    database = new_database()
    late, other = Connection(database), Connection(database)
    forms = ("SELECT evercore_append(2, NULL, 'E', '{{}}', NULL, NULL, NULL, 'x{}')",
             "INSERT INTO evercore_append (aggregate_id, event_type, data, event_id) VALUES (2, 'E', '{{}}', 'x{}')",
             "SELECT evercore_append_many('[{{\"aggregate_id\":2,\"events\":[{{\"event_type\":\"E\",\"data\":{{}},\"event_id\":\"x{}\"}}]}}]')")
    other.rows("SELECT evercore_create('T'), evercore_create('T')")
    number = 0
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        for form in forms:
            number += 1
            late.rows(f"BEGIN ISOLATION LEVEL {level}; SELECT evercore_find('T', 'k')")
            other.rows(f"SELECT evercore_append(1, NULL, 'E', '{{}}', NULL, NULL, NULL, 'x{number}')")
            other.rows("SELECT evercore_compact(1, 0)")
            late.rows("SAVEPOINT s")
            refused(lambda: late.rows(form.format(number)), "40001")
            late.rows("ROLLBACK TO s")
            late.rows(form.format(f"{number}-new"))
            late.rows("COMMIT")
    equal(other.value("SELECT count(*) FROM evercore_event_id WHERE aggregate_id = 0"), "0")
    equal(other.value("SELECT evercore_compact(2, 0)"), "6")
    equal(other.rows("SELECT * FROM evercore_check()"), [])


def test_an_append_by_key_that_waits_for_an_erasure_makes_a_new_aggregate():
    database = new_database()
    eraser, late, observer = Connection(database), Connection(database), Connection(database)
    eraser.rows("SELECT evercore_create('T', 'other')")

    def many(*appends):
        return f"SELECT evercore_append_many('[{','.join(appends)}]')"

    key, event = '"aggregate_type":"T","natural_key":"k"', '{"event_type":"E","data":{}}'
    plain, identified = f'{{{key},"events":[{event}]}}', f'{{{key},"events":[{event[:-1]},"event_id":"i"}}]}}'
    insert = "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('T', 'k', 'E', '{}')"
    alone = (many(plain), many(plain, plain), many(identified), insert)
    with_others = (many(plain, f'{{"aggregate_id":1,"events":[{event}]}}'), insert + ", ('T', 'other', 'E', '{}')")
    for call in (*alone, *with_others):
        erased = eraser.value("SELECT evercore_ensure('T', 'k')")
        eraser.rows(f"BEGIN; SELECT evercore_erase({erased})")
        waiting = Later(lambda call=call: late.rows(call))
        equal(waits_for_lock(observer, late.pid()), True)
        eraser.rows("COMMIT")
        if call in alone:
            waiting.result()
            equal(observer.value("SELECT evercore_find('T', 'k') > $1::bigint", erased), "t", call)
        else:
            refused(waiting.result, "40001")
            equal(observer.value("SELECT evercore_find('T', 'k')"), None, call)
    equal(observer.rows("SELECT * FROM evercore_check()"), [])


def test_compaction_waits_for_cursors_that_are_made_or_moved_back():
    database = new_database()
    reader, compactor, observer = Connection(database), Connection(database), Connection(database)
    reader.rows("SELECT evercore_create('T'); SELECT evercore_append(1, NULL, 'E', '{}')")
    reader.rows("SELECT evercore_subscribe('old', '{\"event_types\":[\"E\"]}', 'end')")
    for begins in ("evercore_subscribe('new')", "evercore_subscribe('old')", "evercore_reset('old', 'beginning')"):
        for compaction, answer in (("evercore_compact(1, 0)", None), ("evercore_compact_type('T', 0)", "0")):
            reader.rows(f"BEGIN; SELECT {begins}, evercore_reset('old', 'beginning')")
            late = Later(lambda compaction=compaction: compactor.value(f"SELECT {compaction}"))
            equal(waits_for_lock(observer, compactor.pid()), True, begins)
            observer.rows("SET lock_timeout = '5s'; SELECT evercore_append(1, NULL, 'E', '{}')")
            reader.rows("COMMIT")
            if answer is None:
                refused(late.result, "EV010")
            else:
                equal(late.result(), answer)
        reader.rows("SELECT evercore_unsubscribe(s.name) FROM (SELECT DISTINCT name FROM evercore_subscriptions) s")
        reader.rows("SELECT evercore_subscribe('old', '{\"event_types\":[\"E\"]}', 'end')")
    compactor.rows("BEGIN; SELECT evercore_unsubscribe('old'), evercore_compact(1, 0)")
    late = Later(lambda: reader.value("SELECT evercore_subscribe('late', NULL, 'end')"))
    equal(waits_for_lock(observer, reader.pid()), True)
    compactor.rows("COMMIT")
    equal(late.result(), "late")


def test_compaction_above_read_committed_is_refused():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T'); SELECT evercore_append(1, NULL, 'E', '{}')")
    for call in ("evercore_compact(1, 0)", "evercore_compact_type('T', 0)"):
        connection.rows("BEGIN ISOLATION LEVEL REPEATABLE READ")
        refused(lambda call=call: connection.rows(f"SELECT {call}"), "EV010", "EV010: compaction needs READ COMMITTED: repeatable read")
        connection.rows("ROLLBACK")
    connection.rows("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT evercore_compact(1); COMMIT")


def test_nobody_stops_calls_that_draw_many_positions():
    address = new_database()
    stranger = Connection(address)
    stranger.rows("SELECT evercore_create('T', 'k')")
    stranger.rows("SELECT pg_advisory_lock(hashtextextended('evercore draw', 'evercore.evercore_event'::regclass::oid::bigint))")
    stranger.rows("BEGIN; LOCK TABLE _evercore_declared IN SHARE UPDATE EXCLUSIVE MODE")

    def draw():
        session = Connection(address)
        session.rows("SET statement_timeout = '30s'")
        for _ in range(4):
            equal(session.value("SELECT cardinality(_evercore_draw(50000))"), "50000")

    together(draw, draw, draw)
    stranger.rows("ROLLBACK")
    together(draw, draw, draw)


def test_a_call_that_is_cancelled_leaves_no_lock_behind():
    address = new_database()
    observer = Connection(address)
    equal(observer.rows(r"SELECT proname FROM pg_proc WHERE pronamespace = 'evercore'::regnamespace AND prosrc ~ 'pg_(try_)?advisory_lock'"), [],
          "functions that take a lock of the session's")

    def draw():
        session = Connection(address)
        for wait in range(1, 31):
            session.rows(f"SET statement_timeout = {wait}")
            try:
                session.rows("SELECT cardinality(_evercore_draw(20000))")
            except Error as error:
                equal(error.code, "57014")
            for _ in range(1000):  # the time may be over for these words, too
                try:
                    session.rows("ROLLBACK; SET statement_timeout = 0")
                    break
                except Error as error:
                    equal(error.code, "57014")
            equal(session.rows("SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND mode NOT IN ('AccessShareLock', 'ExclusiveLock')"), [])
            equal(session.rows("SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'"), [])

    together(draw, draw, draw)
