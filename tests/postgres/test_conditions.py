"""Queries and conditions between sessions: who waits for whom and who does not, and that of all who decide on one reading one is admitted."""
import json
import random
import threading

from harness import Later, equal, new_database, refused, together, waits_for_lock
from pq import Connection, Error
from test_plans import pages
from test_races import slow_down

KEYS = ("SELECT CASE classid::bigint WHEN hashtext('\"evercore\" tags')::bigint & 4294967295 THEN 'tag' WHEN hashtext('\"evercore\" types')::bigint & 4294967295 THEN 'type'"
        " WHEN hashtext('\"evercore\" store')::bigint & 4294967295 THEN 'store' END AS key, mode, count(*) FROM pg_locks"
        " WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND pid = $1 GROUP BY 1, 2 ORDER BY 1, 2")


def store(aggregates=8):
    database = new_database()
    connection = Connection(database)
    connection.rows("SELECT evercore_create('T', 'k' || i) FROM generate_series(1, $1::int) i", aggregates)
    return database, connection


def event(*tags, type="E", id=None):
    return {"event_type": type, "data": {}, **({"tags": tags} if tags else {}), **({"event_id": id} if id else {})}


def append(connection, aggregate, *events, condition=None, after=None):
    return connection.value("SELECT evercore_append_many($1, $2, $3)", json.dumps([{"aggregate_id": aggregate, "events": events}]),
                            None if condition is None else json.dumps(condition), after)


def read(connection, query, after=0):
    """The position to be handed to a condition."""
    return int(connection.value("SELECT coalesce(max(position), $2::bigint) FROM evercore_query($1, $2)", json.dumps(query), after))


def without_waiting(database):
    connection = Connection(database)
    connection.rows("SET lock_timeout = '1ms'")  # who needs no lock of another never sees it
    return connection


# == Racers ==

def race(query, racers, rounds=6, indexed=False, known=False):
    """Each round all read, then all append on what they read: one is admitted, the others are in conflict. A session whose first
    append it is goes another way than one that has `known` the store."""
    database, observer = store()
    if indexed:
        observer.rows("SELECT evercore_index_types()")
    slow_down(observer, "evercore_event")
    line = threading.Barrier(len(racers))
    outcomes = []

    def run(number, events):
        connection = Connection(database)
        if known:
            append(connection, number + 1, event("else"))
        for _ in range(rounds):
            after = read(connection, query)
            line.wait(300)
            try:
                append(connection, number + 1, *events, condition=query, after=after)
                outcomes.append("in")
            except Error as error:
                outcomes.append(error.code)
            line.wait(300)
    together(*[lambda number=number, events=events: run(number, events) for number, events in enumerate(racers)])
    equal({outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}, {"EV001": rounds * (len(racers) - 1), "in": rounds}, query)
    equal(observer.value("SELECT count(*) FROM evercore_query($1)", json.dumps(query)), str(rounds), "events")
    equal(observer.rows("SELECT * FROM evercore_check()"), [])


def test_of_eight_racers_on_a_tag_one_is_admitted():
    race([{"tags": ["c1"]}], [(event("c1", f"s{i}"),) for i in range(8)])


def test_of_eight_racers_on_two_tags_one_is_admitted():
    race([{"tags": ["c1", "c2"]}], [(event("x", "c2", "c1"),) for _ in range(8)])


def test_of_eight_racers_on_a_type_and_a_tag_one_is_admitted():
    race([{"types": ["F", "E"], "tags": ["c1"]}, {"tags": ["other"]}], [(event("c1"),) for _ in range(8)])


def test_of_eight_racers_on_one_type_and_a_tag_one_is_admitted():
    race([{"types": ["E"], "tags": ["c1"]}], [(event("s", "c1"),) for _ in range(8)], known=True)


def test_of_eight_racers_on_a_type_one_is_admitted():
    race([{"types": ["F", "E"]}], [(event(),) for _ in range(8)], indexed=True)


def test_of_eight_racers_on_everything_one_is_admitted():
    race([], [(event(),) for _ in range(8)], indexed=True)


def test_decisions_over_several_tags_never_break_their_rule():
    """A seat of a course is taken once, and a student takes one seat: eight clients at once, some of them in transactions that roll back."""
    database, observer = store()

    def work(number):
        connection, chance = Connection(database), random.Random(number)
        for _ in range(40):
            course, student = f"course{chance.randrange(3)}", f"student{chance.randrange(4)}"
            query = [{"types": ["Taken"], "tags": [course]}, {"types": ["Taken"], "tags": [student]}]
            rows = connection.rows("SELECT position FROM evercore_query($1)", json.dumps(query))
            if rows:
                continue
            connection.rows("BEGIN")
            try:
                append(connection, number + 1, event(course, student, type="Taken"), condition=query, after=0)
                connection.rows(chance.choice(["COMMIT", "ROLLBACK"]))
            except Error as error:
                connection.rows("ROLLBACK")
                equal(error.code, "EV001", error.message)
    together(*[lambda number=number: work(number) for number in range(8)])
    doubled = observer.rows("SELECT tag, count(*) FROM evercore_event_tag GROUP BY 1 HAVING count(*) > 1")
    equal(doubled, [], "tags taken twice")
    equal(observer.value("SELECT count(*) FROM evercore_event") > "0", True)


# == Who is overlooked, who is waited for ==

def test_a_late_commit_is_not_overlooked():
    query = [{"tags": ["c1"]}]
    for end in ("COMMIT", "ROLLBACK"):
        database, observer = store()
        late, other, waiting = Connection(database), Connection(database), Connection(database)
        late.rows("BEGIN")
        append(late, 1, event("c1"))
        append(other, 2, event("c1"))  # above it, and committed before
        equal(read(observer, query), 0, "what is read stops below what is under way")
        call = Later(lambda waiting=waiting: append(waiting, 3, event("x"), condition=query, after=2))
        equal(waits_for_lock(observer, waiting.pid()), True)
        late.rows(end)
        call.result()  # nothing stands above both
        refused(lambda: append(observer, 3, event("x"), condition=query, after=0), "EV001", f"EV001: conflict: event {1 if end == 'COMMIT' else 2} (E)")


def test_a_condition_waits_for_the_events_it_might_match_and_sees_them():
    database, observer = store()
    query = [{"tags": ["c1"]}]
    for writes in (lambda c: append(c, 1, event("c1")), lambda c: c.rows("SELECT evercore_append(1, NULL, 'E', '{}', tags => '[\"x\",\"c1\"]')"),
                   lambda c: c.rows("INSERT INTO evercore_append (aggregate_id, event_type, data, tags) VALUES (1, 'E', '{}', NULL), (1, 'E', '{}', '[\"c1\"]')"),
                   lambda c: c.rows("SELECT evercore_append(1, NULL, 'E', '{}', event_id => gen_random_uuid()::text, tags => '[\"c1\"]')")):
        after = read(observer, query)
        late, waiting = Connection(database), Connection(database)
        late.rows("BEGIN")
        writes(late)
        call = Later(lambda after=after, waiting=waiting: append(waiting, 2, event(), condition=query, after=after))
        equal(waits_for_lock(observer, waiting.pid()), True)
        late.rows("COMMIT")
        refused(call.result, "EV001")


def test_a_plain_condition_waits_for_a_plain_append_and_sees_it():
    database, observer = store()
    query = [{"types": ["E"], "tags": ["c1"]}]
    late, waiting, other = Connection(database), Connection(database), without_waiting(database)
    for connection in (late, waiting, other):
        append(connection, 3, event("else"))
    for writes in (lambda: append(late, 1, event("x", "c1")), lambda: late.rows("SELECT evercore_append(1, NULL, 'E', '{}', tags => '[\"x\",\"c1\"]')")):
        after = read(observer, query)
        late.rows("BEGIN")
        writes()
        call = Later(lambda after=after: append(waiting, 2, event("y"), condition=query, after=after))
        equal(waits_for_lock(observer, waiting.pid()), True)
        append(other, 4, event("x", "y"), condition=[{"types": ["E"], "tags": ["c2"]}], after=after)
        late.rows("COMMIT")
        refused(call.result, "EV001")
    equal(observer.rows("SELECT * FROM evercore_check()"), [])


PLAIN_AND_NOT = (  # what is appended, the condition, whether that is plain
    ([event("a", "b")], None, True), ([event("a", "b", "c")], None, True), ([event("a")], [{"types": ["E"], "tags": ["z"]}], True),
    ([event("a", "b", "a")], None, False), ([event("a", "b", "c", "d")], None, False), ([event("a"), event("b")], None, False),
    ([event('"')], None, False), ([event("a, b")], None, True), ([event("[a]", '", "')], None, False), ([event("\u00e9")], None, True),
    ([event("a", id="1")], None, False), ([event("a")], [{"tags": ["z"]}], False), ([event("a")], [{"types": ["E", "F"], "tags": ["z"]}], False),
    ([event("a")], [{"types": ["E"], "tags": ["z", "y"]}], False), ([event("a")], [{"types": ["E"], "tags": ["z"]}] * 2, False))


def test_what_is_plain_is_written_as_everything_is():
    _, connection = store()
    calls = "SELECT coalesce(sum(calls), 0) FROM pg_stat_xact_user_functions WHERE funcname = '_evercore_hold_keys'"
    connection.rows("SET track_functions = 'all'")
    append(connection, 8, event())
    for events, condition, plain in PLAIN_AND_NOT:
        before = int(connection.value("SELECT evercore_sequence(1)"))
        connection.rows("BEGIN")
        called = int(connection.value(calls))
        answer = json.loads(append(connection, 1, *events, condition=condition, after=None if condition is None else 0))
        equal(int(connection.value(calls)) == called, plain, (events, condition))
        connection.rows("COMMIT")
        position = int(connection.value("SELECT max(position) FROM evercore_event"))
        equal(answer, [{"aggregate_id": 1, "sequence": before + len(events), "position": position, "first_position": position - len(events) + 1}])
        tags = connection.rows("SELECT tags::text FROM evercore_event WHERE position >= $1 ORDER BY position", answer[0]["first_position"])
        equal([json.loads(row[0]) for row in tags], [list(dict.fromkeys(e["tags"])) for e in events])
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_a_prepared_append_holds_queries_back():
    database, observer = store()
    late, other = Connection(database), Connection(database)
    late.rows("BEGIN")
    append(late, 1, event("c1"))
    name = "late_" + observer.value("SELECT current_database()")
    late.rows(f"PREPARE TRANSACTION '{name}'")
    append(other, 2, event("c1"))
    append(other, 2, event("c2"))
    equal((read(observer, [{"tags": ["c1"]}]), read(observer, [{"tags": ["c2"]}])), (0, 3))
    late.rows(f"COMMIT PREPARED '{name}'")
    equal(read(observer, [{"tags": ["c1"]}]), 2)


def test_a_strangers_open_append_changes_nothing():
    database, observer = store()
    stranger, tagged, other = Connection(database), Connection(database), without_waiting(database)
    stranger.rows("BEGIN")
    append(stranger, 1, event())
    tagged.rows("BEGIN")
    append(tagged, 2, event("c2", "both"))
    append(other, 3, event("c1", "both"))
    query = [{"tags": ["c1"]}, {"tags": ["both", "c1"]}]
    after = read(other, query)
    equal(after, int(other.value("SELECT max(position) FROM evercore_log")), "neither bounds what is read")
    append(other, 3, event("c1"), condition=query[:1], after=after)
    equal(int(observer.value("SELECT evercore_head()")) < after, True, "followers stop below")
    for open_one in (stranger, tagged):
        open_one.rows("COMMIT")


def test_other_tags_wait_for_no_lock():
    database, observer = store()
    sessions = [without_waiting(database) for _ in range(4)]
    for number, session in enumerate(sessions):
        session.rows("BEGIN")
        append(session, number + 1, event(f"t{number}", "common"), condition=[{"tags": [f"t{number}"]}])
        session.rows("SELECT evercore_append($1, NULL, 'E', '{}', tags => '[\"common\"]')", number + 1)
    for session in sessions:
        equal(observer.rows(KEYS, session.pid()), [("store", "ShareLock", "1"), ("tag", "ExclusiveLock", "1"), ("tag", "ShareLock", "2")])
    equal(observer.value("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"), "0")
    for session in sessions:
        session.rows("COMMIT")


def test_who_neither_tags_nor_asks_holds_no_key():
    database, observer = store()
    session = Connection(database)
    session.rows("BEGIN")
    append(session, 1, event())
    session.rows("SELECT evercore_append(1, NULL, 'E', '{}'); INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{}'), (2, 'E', '{}')")
    equal(observer.rows(KEYS, session.pid()), [])
    session.rows("COMMIT")


def test_very_many_keys_become_one():
    database, observer = store()
    session, other = Connection(database), without_waiting(database)
    session.rows("BEGIN")
    for number in range(400):
        append(session, 1, event(f"t{number % 3}"))
    equal(observer.rows(KEYS, session.pid()), [("store", "ShareLock", "1"), ("tag", "ShareLock", "3")])
    session.rows("COMMIT")
    session.rows("BEGIN")
    for part in range(5):
        append(session, 1, *[event(f"t{part}_{number}") for number in range(60)])
    equal(observer.rows(KEYS, session.pid()), [("store", "ExclusiveLock", "1"), ("store", "ShareLock", "1"), ("tag", "ShareLock", "240")])
    refused(lambda: append(other, 2, event("t9")), "55P03")
    append(other, 2, event())
    equal(read(observer, [{"tags": ["t4_59"]}]), 0)
    session.rows("COMMIT")
    session.rows("BEGIN")
    append(session, 1, *[event(f"t{number}") for number in range(300)])
    equal(observer.rows(KEYS, session.pid()), [("store", "ExclusiveLock", "1")])
    session.rows("COMMIT")


def test_outside_read_committed_neither_is_to_be_had():
    _, connection = store()
    for level, name in (("REPEATABLE READ", "repeatable read"), ("SERIALIZABLE", "serializable")):
        for call, what in (("* FROM evercore_query('[]')", "a query"), ("evercore_append_many('[]', '[{\"tags\":[\"a\"]}]')", "a condition")):
            connection.rows(f"BEGIN ISOLATION LEVEL {level}")
            refused(lambda call=call: connection.rows(f"SELECT {call}"), "EV010", f"EV010: {what} needs READ COMMITTED: {name} cannot see late commits")
            connection.rows("ROLLBACK")


def test_its_own_events_are_among_the_rows_and_count():
    database, connection = store()
    connection.rows("BEGIN")
    append(connection, 1, event("c1"))
    equal(read(connection, [{"tags": ["c1"]}]), 1)
    refused(lambda: append(connection, 1, event("c1"), condition=[{"tags": ["c1"]}]), "EV001", "EV001: conflict: event 1 (E) matches the condition")
    connection.rows("ROLLBACK")


def test_a_reader_asks_in_a_transaction_that_only_reads():
    _, connection = store()
    append(connection, 1, event("c1"))
    connection.rows("SET ROLE evercore_reader; BEGIN READ ONLY")
    equal((read(connection, [{"tags": ["c1"]}]), read(connection, [{"types": ["E"]}]), read(connection, [])), (1, 1, 1))
    connection.rows("COMMIT")
    equal(connection.rows("SELECT position FROM evercore_query('[{\"tags\":[\"c1\"]}]'::jsonb)"), [("1",)])
    refused(lambda: connection.rows("SELECT evercore_append_many('[]', '[{\"tags\":[\"c1\"]}]')"), "42501")
    refused(lambda: connection.rows("SELECT evercore_index_types()"), "42501")
    connection.rows("RESET ROLE; SET ROLE evercore_writer; SELECT evercore_append_many('[]'::jsonb, '[{\"tags\":[\"c2\"]}]'::json)")
    refused(lambda: connection.rows("SELECT evercore_index_types()"), "42501")


# == The index by type ==

def test_the_index_by_type_is_a_declaration():
    database, observer = store()
    late, declares, behind = Connection(database), Connection(database), Connection(database)
    late.rows("BEGIN")
    append(late, 1, event())
    declared = Later(lambda: declares.rows("SELECT evercore_index_types()"))
    equal(waits_for_lock(observer, declares.pid()), True)
    # Whoever is under way before it, and has written nothing, waits, and takes part.
    one = {"event_type": "E", "data": {}}
    calls = []
    for sql, types in (("SELECT evercore_append(2, NULL, 'E', '{}')", "1"),
                       ("INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (3, 'E', '{}'), (3, 'F', '{}')", "2"),
                       (f"SELECT evercore_append_many('{json.dumps([{'aggregate_id': 4, 'events': [one]}])}')", "1"),
                       (f"SELECT evercore_append_many('{json.dumps([{'aggregate_id': 5, 'events': [one]}, {'aggregate_id': 6, 'events': [one]}])}')", "1")):
        session = Connection(database)
        session.rows("BEGIN; SELECT evercore_find('T', 'k1')")
        calls.append((session, Later(lambda session=session, sql=sql: session.rows(sql)), types))
        equal(waits_for_lock(observer, session.pid()), True)
    late.rows("COMMIT")
    declared.result()
    for session, call, types in calls:
        call.result()
        equal(observer.rows(KEYS, session.pid()), [("store", "ShareLock", "1"), ("type", "ShareLock", types)])
    equal(read(behind, [{"types": ["E"]}]), 1)
    waiting = Later(lambda: append(behind, 8, event(type="E"), condition=[{"types": ["E"]}], after=1))
    equal(waits_for_lock(observer, behind.pid()), True)
    for session, _, _ in calls:
        session.rows("COMMIT")
    refused(waiting.result, "EV001")
    equal(observer.value("SELECT evercore_index_types(0)"), "0")
    equal(observer.value("SELECT to_regclass('evercore_event_by_type')"), None)
    late.rows("BEGIN")
    append(late, 1, event())
    equal(observer.rows(KEYS, late.pid()), [])
    late.rows("COMMIT")
    equal(observer.rows("SELECT * FROM evercore_check()"), [])


def test_a_query_by_type_that_is_not_indexed_stops_at_every_floor():
    database, observer = store()
    stranger = Connection(database)
    append(observer, 2, event(type="F"))
    stranger.rows("BEGIN")
    append(stranger, 1, event(type="G"))
    append(observer, 2, event(type="F"))
    equal(read(observer, [{"types": ["F"]}]), 1)
    equal(read(observer, []), 1)
    stranger.rows("COMMIT; SELECT evercore_index_types()")
    equal(read(observer, [{"types": ["F"]}]), 3)
    stranger.rows("BEGIN")
    append(stranger, 1, event(type="G"))
    append(observer, 2, event(type="F"))
    equal((read(observer, [{"types": ["F"]}]), read(observer, [{"types": ["F", "G"]}]), read(observer, [])), (5, 3, 3))
    stranger.rows("COMMIT")


def test_a_lost_index_or_mark_is_named_and_mended():
    _, connection = store()
    connection.rows("SELECT evercore_index_types()")
    for sql, problem in (("DROP INDEX evercore_event_by_type", "index evercore_event_by_type is missing"),
                         ("DROP INDEX evercore_event_by_type; CREATE INDEX evercore_event_by_type ON evercore_event (event_type)", "index evercore_event_by_type is missing"),
                         ("SELECT setval('_evercore_highest', ((hashtext('\"evercore\"')::bigint & 32767) << 47))", "sequence _evercore_highest is behind its table")):
        connection.rows(sql)
        equal(connection.rows("SELECT problem FROM evercore_check()"), [(problem,)])
        connection.rows("SELECT evercore_migrate()")
        equal(connection.rows("SELECT problem FROM evercore_check()"), [])
    connection.rows("BEGIN")
    append(connection, 1, event())
    equal(connection.rows(KEYS, connection.pid()), [("store", "ShareLock", "1"), ("type", "ShareLock", "1")])
    connection.rows("COMMIT")


# == What they read ==

def test_what_compaction_removed_is_known_or_its_loss_is_named():
    _, connection = store(1)
    connection.rows("SELECT evercore_index_types()")
    for kind in ("G", "G", "H"):
        append(connection, 1, event(type=kind))
    connection.rows("SELECT evercore_compact(1, 1)")
    check = "SELECT aggregate_id, problem FROM evercore_check()"
    refused(lambda: append(connection, 1, event(), condition=[{"types": ["G"]}], after=0), "EV010", 'EV010: events of "G" up to 2 were compacted')
    for damage, problem in (("DELETE FROM evercore_compacted_type", "what was compacted of it is not known"),
                            ("UPDATE evercore_compacted_type SET position = 99", "what was compacted of it is beyond the head")):
        equal(connection.rows(check), [])
        connection.rows(f"BEGIN; {damage}")
        equal(connection.rows(check), [("1", problem)], damage)
        connection.rows("ROLLBACK")


def test_neither_reads_more_than_what_matches():
    database, connection = store()
    connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, tags)"
                    " SELECT 'L', 'k' || i % 100, 'E' || i % 5, '{}', CASE WHEN i % 2 = 0 THEN '[\"all\",\"of' || i % 1000 || '\"]' END FROM generate_series(1, 30000) i")
    connection.rows("SELECT evercore_index_types()")
    connection.rows("ANALYZE")
    fresh = Connection(database)
    for query in ([{"tags": ["of10"]}], [{"tags": ["all", "of10"]}], [{"types": ["E0"], "tags": ["all", "of10"]}], [{"types": ["E9"]}], [{"tags": ["none"]}],
                  [{"tags": ["of10"]}, {"tags": ["of12"], "types": ["E2", "E7"]}]):
        text = json.dumps(query)
        rows = int(fresh.value(f"SELECT count(*) FROM evercore_query('{text}')"))
        read_pages = pages(fresh, f"SELECT * FROM evercore_query('{text}')")
        equal(read_pages <= 150 + 20 * rows, True, f"{query}: {read_pages} pages for {rows} rows")
    head = int(fresh.value("SELECT evercore_head()"))
    for query in ([{"tags": ["all"]}], [{"types": ["E0"], "tags": ["all"]}], [{"types": ["E0", "E1"]}], [], [{"tags": ["all", "of10"]}]):
        text = json.dumps(query)
        for after in (head, head - 30):
            read_pages = pages(fresh, f"SELECT * FROM evercore_query('{text}', {after}, 2)")
            equal(read_pages <= 200, True, f"{query} after {after}: {read_pages} pages")
        read_pages = pages(fresh, f"SELECT evercore_append_many('[]', '{text}', {head})")
        equal(read_pages <= 200, True, f"condition {query}: {read_pages} pages")


def test_an_append_with_a_snapshot_older_than_the_index_by_type_is_not_beside_a_condition():
    append_e = ("SELECT evercore_append(1, NULL, 'E', '{}')", "SELECT evercore_append(1, NULL, 'E', '{}', tags => '[\"t\"]')",
                "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{}')",
                "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{}}]}]')")
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        for call in append_e:
            database, late = store()
            other = Connection(database)
            late.rows(f"BEGIN ISOLATION LEVEL {level}; SELECT count(*) FROM evercore_log")
            other.rows("SELECT evercore_index_types()")
            refused(lambda late=late, call=call: late.rows(call), "40001")
            late.rows("ROLLBACK")
            late.rows(f"BEGIN ISOLATION LEVEL {level}; SELECT count(*) FROM evercore_log; {call}; COMMIT")
            equal(other.value("SELECT count(*) FROM evercore_log"), "1")
