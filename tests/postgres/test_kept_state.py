"""What is kept of states for appends: how it is filled, what erasure leaves of it, its damage, its dumps."""
import subprocess
import tempfile

from harness import Later, equal, install, new_database, program, refused, waits_for_lock
from pq import Connection
from test_declared import problems
from test_install import dump_and_restore
from test_state_schema import DECLARE, NOT_NEGATIVE, WITHDRAW, kept, refusal, store

MARK = 4611686018427387904


def left_undone(connection, amount):
    """As a declaration over more than 100,000 aggregates leaves a type."""
    connection.rows("DELETE FROM evercore_kept_state")
    connection.rows("UPDATE evercore_aggregate_type SET filled_to = 0, unfilled = $1::bigint WHERE name = 'Account'", amount)


# == Filling and erasure ==

def test_filling_goes_by_aggregate_and_passes_over_what_is_kept_or_erased():
    database, observer = store()
    observer.rows("SELECT evercore_append(evercore_ensure('Account', 'k' || i), 0, 'Deposited', '{\"amount\":1}') FROM generate_series(3, 7) i")
    left_undone(observer, 6)  # b has no event
    equal(observer.rows("SELECT filled FROM evercore_aggregate_types"), [("f",)])
    observer.rows("SELECT evercore_append(4, NULL, 'Deposited', '{\"amount\":1}'), evercore_erase(5)")
    equal(observer.value("SELECT evercore_fill(2)"), "4")
    equal([row[0] for row in kept(observer)], ["1", "3", "4"])
    equal(observer.value("SELECT evercore_fill()"), "0")
    equal([row[0] for row in kept(observer)], ["1", "3", "4", "6", "7"])
    equal(observer.rows("SELECT filled FROM evercore_aggregate_types"), [("t",)])
    equal(problems(observer), [])


def test_filling_counts_events_and_aggregates_together():
    _, connection = store()
    left_undone(connection, 1)
    connection.rows("UPDATE evercore_event_type SET tags = '{\"of\":\"/amount\"}', unfilled = 1 WHERE name = 'Deposited'; SELECT _evercore_mark(17592186044416)")
    equal([connection.value(f"SELECT evercore_fill({most})") for most in (1, 1, 1)], ["1", "0", "0"])
    equal((connection.value("SELECT tags FROM evercore_event"), kept(connection)), ('["of:100"]', [("1", "1", '{"balance": 100}')]))


def test_filling_waits_for_an_append_and_for_an_erasure():
    for change, after in ((WITHDRAW["single"], [("1", "2", '{"balance": 40}')]), ("SELECT evercore_erase(1)", [])):
        database, observer = store()
        left_undone(observer, 1)
        changes, fills = Connection(database), Connection(database)
        changes.rows("BEGIN; " + change)
        later = Later(lambda fills=fills: fills.value("SELECT evercore_fill()"))
        equal(waits_for_lock(observer, fills.pid()), True, change)
        changes.rows("COMMIT")
        equal(later.result(), "0")
        equal(kept(observer), after, change)
        equal(problems(observer), [], change)


def test_an_append_and_an_erasure_wait_for_filling():
    for change, after in ((WITHDRAW["single"], [("1", "2", '{"balance": 40}')]), ("SELECT evercore_erase(1)", [])):
        database, observer = store()
        left_undone(observer, 1)
        changes, fills = Connection(database), Connection(database)
        fills.rows("BEGIN; SELECT evercore_fill()")
        later = Later(lambda changes=changes, change=change: changes.rows(change))
        equal(waits_for_lock(observer, changes.pid()), True, change)
        fills.rows("COMMIT")
        later.result()
        equal(kept(observer), after, change)
        equal(problems(observer), [], change)


def test_a_declaration_of_more_than_it_does_at_once_leaves_the_rest():
    _, connection = store(None)
    connection.rows("INSERT INTO evercore_aggregate (type_id, sequence, base, erased) SELECT 1, 1, 1, false FROM generate_series(1, 100000)")
    connection.rows("INSERT INTO evercore_snapshot (aggregate_id, sequence, state) SELECT aggregate_id, 1, '{\"balance\":5}' FROM evercore_aggregate WHERE base = 1")
    connection.rows(DECLARE, NOT_NEGATIVE)
    equal((kept(connection), connection.value("SELECT unfilled FROM evercore_aggregate_type")), ([], "100001"))
    refused(lambda: connection.rows("SELECT evercore_append(1, NULL, 'Withdrawn', '{\"amount\":101}')"), "EV011", refusal(2))
    equal(connection.value("SELECT evercore_fill(3)"), "99998")
    equal([row[0] for row in kept(connection)], ["1", "3", "4"])
    connection.rows(DECLARE, '{"schema":true}')  # what is kept depends on no schema
    equal(connection.value("SELECT unfilled FROM evercore_aggregate_type"), "99998")
    connection.rows(DECLARE, '{"schema":null}')
    equal((kept(connection), connection.value("SELECT unfilled FROM evercore_aggregate_type")), ([], "0"))
    connection.rows("DELETE FROM evercore_aggregate WHERE aggregate_id = 100002")
    connection.rows(DECLARE, NOT_NEGATIVE)
    equal(connection.rows("SELECT count(*), (SELECT unfilled FROM evercore_aggregate_type) FROM evercore_kept_state"), [("100000", "0")])


# == Damage ==

def test_check_names_what_is_kept_and_is_not_the_fold():
    _, connection = store()
    for sequence, state in ((1, '{"balance":99}'), (1, "{}"), (0, '{"balance":100}'), (2, '{"balance":100}')):
        connection.rows("BEGIN")
        connection.rows("UPDATE evercore_kept_state SET sequence = $1::bigint, state = $2::json", sequence, state)
        equal(problems(connection), [f"kept state at sequence {sequence} differs from the fold"])
        connection.rows("ROLLBACK")
    connection.rows("INSERT INTO evercore_kept_state VALUES (99, 1, '{}'); SELECT evercore_erase(2); INSERT INTO evercore_kept_state VALUES (2, 1, '{}')")
    equal(connection.rows("SELECT aggregate_id, problem FROM evercore_check()"),
          [("2", "a kept state is left of an erased aggregate"), ("99", "no such aggregate, and a kept state is left")])


def test_a_damaged_schema_is_named_and_its_path_mended():
    _, connection = store()
    path = connection.value("SELECT schema_path FROM evercore_aggregate_type")
    for text in ("7", '{"pattern":"x"}', '{"a":1,"a":1}'):
        connection.rows("UPDATE evercore_aggregate_type SET schema = $1::json", text)
        equal(problems(connection), ['schema of aggregate type "Account" is damaged'], text)
    connection.rows(DECLARE, NOT_NEGATIVE)
    for other in (None, "1 == 1"):
        connection.rows("UPDATE evercore_aggregate_type SET schema_path = $1::jsonpath", other)
        equal(problems(connection), ['schema of aggregate type "Account" is damaged'], other)
        connection.rows("SELECT evercore_migrate()")
        equal((problems(connection), connection.value("SELECT schema_path FROM evercore_aggregate_type")), ([], path), other)


def test_the_mark_of_schemas_of_states_is_missed_and_mended():
    for mends in ("SELECT evercore_migrate()", "SELECT evercore_restored()"):
        _, connection = store()
        connection.rows(f"SELECT setval('_evercore_highest', pg_sequence_last_value('_evercore_highest'::regclass) & ~{MARK})")
        equal(problems(connection), ["sequence _evercore_highest is behind its table"])
        connection.rows(mends)
        equal(problems(connection), [])
        for name, sql in WITHDRAW.items():
            sequence = 2 + (name == "insert of two")
            refused(lambda connection=connection, sql=sql: connection.rows(sql.replace(":60", ":101")), "EV011", refusal(sequence))


def test_a_dump_keeps_what_is_declared_and_kept():
    database, original = store()
    original.rows("SELECT evercore_append(2, NULL, 'Deposited', '{\"amount\":5}'); UPDATE evercore_aggregate_type SET filled_to = 1, unfilled = 1")
    data, other = new_database(), new_database(False)
    with tempfile.NamedTemporaryFile() as file:
        for target, part, how in ((other, "--schema=evercore", ("--no-owner", "--no-privileges")), (data, "--data-only", ())):
            subprocess.run([program("pg_dump"), "-Fc", part, "-f", file.name, database], check=True)
            subprocess.run([program("pg_restore"), "--exit-on-error", *how, "-d", target, file.name], check=True)
    install(other)
    for target in (dump_and_restore(database), dump_and_restore(database, "-n", "evercore"), other, data):
        restored = Connection(target)
        for what in ("evercore_aggregate_types", "evercore_aggregate_type", "evercore_kept_state ORDER BY 1", "evercore_log ORDER BY 1", "evercore_check()"):
            equal(restored.rows(f"SELECT * FROM {what}"), original.rows(f"SELECT * FROM {what}"), what)
        for name, sql in WITHDRAW.items():
            refused(lambda restored=restored, sql=sql: restored.rows(sql.replace(":60", ":101")), "EV011", refusal(2 + (name == "insert of two")))
        restored.rows(WITHDRAW["single"])
        equal((restored.value("SELECT evercore_fill()"), problems(restored)), ("0", []))
