"""Schemas of states between sessions: appends and declarations that meet; what is kept of states is in test_kept_state.py."""
import json
import random

from harness import Later, equal, new_database, refused, together, waits_for_lock
from pq import Connection, Error
from test_declared import FORMS, problems
from test_plans import pages

DECLARE = "SELECT evercore_aggregate_type('Account', $1)"
NOT_NEGATIVE = '{"schema":{"properties":{"balance":{"minimum":0}}}}'
WITHDRAW = {name: sql.replace("'E'", "'Withdrawn'").replace('"E"', '"Withdrawn"').replace('"a":1', '"amount":60') for name, sql in FORMS.items()}


def refusal(sequence, row=""):
    return f'EV011: state of "Account" "a" at sequence {sequence}: /balance: minimum{row}'


def store(declares=NOT_NEGATIVE, balance=100):
    """Account a with one event, and account b without; rules for deposits and withdrawals."""
    database = new_database()
    connection = Connection(database)
    connection.rows("SELECT evercore_event_type('Deposited', '[{\"add\":{\"/balance\":\"/amount\"}}]'),"
                    "       evercore_event_type('Withdrawn', '[{\"subtract\":{\"/balance\":\"/amount\"}}]'),"
                    "       evercore_create('Account', 'a'), evercore_create('Account', 'b')")
    if declares:
        connection.rows(DECLARE, declares)
    connection.rows("SELECT evercore_append(1, 0, 'Deposited', $1)", json.dumps({"amount": balance}))
    return database, connection


def kept(connection):
    return connection.rows("SELECT aggregate_id, sequence, state FROM evercore_kept_state ORDER BY 1")


# == Races ==

def of_account(connection, sql):
    """The statement for an account of its own, with its id."""
    id = connection.value("SELECT evercore_create('Account')")
    connection.rows("SELECT evercore_append($1, 0, 'Deposited', '{\"amount\":100}')", id)
    return id, for_account(sql, id)


def for_account(sql, id):
    return sql.replace("_append(1,", f"_append({id},").replace('"aggregate_id":1', f'"aggregate_id":{id}').replace("(1, '", f"({id}, '").replace("'i'", f"'i{id}'")


def test_of_two_withdrawals_that_race_one_is_refused_in_every_form():
    database, observer = store()
    a, b = Connection(database), Connection(database)
    for one, first in WITHDRAW.items():
        for other, second in WITHDRAW.items():
            id, first_sql = of_account(observer, first)
            second_sql = for_account(second.replace("'i'", "'j'"), id).replace("'j'", f"'j{id}'")
            a.rows("BEGIN")
            a.rows(first_sql)
            later = Later(lambda second_sql=second_sql: b.rows(second_sql))
            equal(waits_for_lock(observer, b.pid()), True, f"{one}, {other}")
            a.rows("COMMIT")
            sequence = 3 + (one == "insert of two") + (other == "insert of two")
            row = " (row 2)" if other == "insert of two" else ""
            refused(later.result, "EV011", f'EV011: state of "Account" {id} at sequence {sequence}: /balance: minimum{row}')
            equal(observer.value("SELECT evercore_state($1)->'balance'", id), "40", f"{one}, {other}")
            equal(observer.value("SELECT k.sequence = evercore_sequence($1) FROM evercore_kept_state k WHERE k.aggregate_id = $1::bigint", id), "t", f"{one}, {other}")
    equal(problems(observer), [])


def test_a_withdrawal_passes_where_the_one_before_it_is_rolled_back():
    database, observer = store()
    a, b = Connection(database), Connection(database)
    for name, form in WITHDRAW.items():
        id, sql = of_account(observer, form)
        a.rows("BEGIN")
        a.rows(sql)
        later = Later(lambda sql=sql: b.rows(sql))
        equal(waits_for_lock(observer, b.pid()), True, name)
        a.rows("ROLLBACK")
        later.result()
        equal(observer.value("SELECT evercore_state($1)->'balance'", id), "40", name)
    equal(problems(observer), [])


def test_two_withdrawals_in_one_call_or_statement_are_refused():
    _, connection = store()
    event = {"event_type": "Withdrawn", "data": {"amount": 60}}
    identified = [{**event, "event_id": str(i)} for i in range(2)]
    for appends in ([{"aggregate_id": 1, "events": [event, event]}], [{"aggregate_id": 1, "events": [event]}] * 2, [{"aggregate_id": 1, "events": identified}],
                    [{"aggregate_type": "Account", "natural_key": "a", "events": [event, event, {"event_type": "Deposited", "data": {"amount": 100}}]}]):
        refused(lambda appends=appends: connection.rows("SELECT evercore_append_many($1)", json.dumps(appends)), "EV011", refusal(3))
    values = "(1, 'Withdrawn', '{\"amount\":60}')"
    refused(lambda: connection.rows(f"INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES {values}, {values}"), "EV011", refusal(3, " (row 2)"))
    connection.rows("BEGIN")
    connection.rows(WITHDRAW["single"])
    refused(lambda: connection.rows(WITHDRAW["single"]), "EV011", refusal(3))
    connection.rows("ROLLBACK")
    equal(connection.value("SELECT evercore_sequence(1)"), "1")


def test_of_several_states_at_fault_the_first_in_the_order_of_the_call_is_named():
    _, connection = store()
    connection.rows("SELECT evercore_append(2, 0, 'Deposited', '{\"amount\":10}')")

    def withdraws(id, *amounts):
        return {"aggregate_id": id, "events": [{"event_type": "Withdrawn", "data": {"amount": amount}} for amount in amounts]}

    for appends, key, sequence in (([withdraws(1, 60), withdraws(2, 11), withdraws(1, 60)], "b", 2), ([withdraws(1, 60), withdraws(1, 60), withdraws(2, 11)], "a", 3),
                                   ([withdraws(2, 5, 6), withdraws(1, 101)], "b", 3), ([withdraws(2, 5), withdraws(1, 1, 100), withdraws(2, 6)], "a", 3)):
        refused(lambda appends=appends: connection.rows("SELECT evercore_append_many($1)", json.dumps(appends)), "EV011",
                f'EV011: state of "Account" "{key}" at sequence {sequence}: /balance: minimum')


def test_no_balance_of_twelve_writers_is_ever_negative():
    database, observer = store()
    outcomes = []

    def writer(seed):
        chance = random.Random(seed)
        connection = Connection(database)
        for _ in range(40):
            amount = chance.randint(1, 60)
            type = chance.choice(("Deposited", "Withdrawn", "Withdrawn"))
            event = {"event_type": type, "data": {"amount": amount}}
            sql, *arguments = chance.choice((
                ("SELECT evercore_append(1, NULL, $1, $2)", type, json.dumps({"amount": amount})),
                ("INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, $1, $2)", type, json.dumps({"amount": amount})),
                ("SELECT evercore_append_many($1)", json.dumps([{"aggregate_id": 1, "events": [event] * chance.randint(1, 3)}])),
                ("SELECT evercore_append_many($1)", json.dumps([{"aggregate_id": 2, "events": [event]}, {"aggregate_id": 1, "events": [event]}]))))
            try:
                connection.rows(sql, *arguments)
                outcomes.append(None)
            except Error as error:
                outcomes.append(error.code)

    together(*(lambda seed=seed: writer(seed) for seed in range(12)))
    equal(set(outcomes), {None, "EV011"})
    for id in (1, 2):
        equal(observer.value(f"SELECT min((state->>'balance')::numeric) >= 0 FROM evercore_history({id})"), "t")
    equal([row[:2] for row in kept(observer)], observer.rows("SELECT aggregate_id, sequence FROM evercore_aggregate ORDER BY 1"))
    equal(problems(observer), [])


# == Declarations ==

def test_every_form_of_append_waits_for_a_declaration_and_is_refused_by_it():
    for name, sql in WITHDRAW.items():
        database, observer = store(None, 0)
        declares, writes = Connection(database), Connection(database)
        declares.rows("BEGIN")
        declares.rows(DECLARE, NOT_NEGATIVE)
        later = Later(lambda writes=writes, sql=sql: refused(lambda: writes.rows(sql), "EV011", refusal(2 + (name == "insert of two"))))
        equal(waits_for_lock(observer, writes.pid()), True, name)
        declares.rows("COMMIT")
        later.result()
        equal(observer.value("SELECT evercore_sequence(1)"), "1", name)
        equal(problems(observer), [], name)


def test_a_declaration_waits_for_every_form_of_append_and_keeps_the_state_after_it():
    for name, sql in WITHDRAW.items():
        database, observer = store(None)
        declares, writes = Connection(database), Connection(database)
        writes.rows("BEGIN")
        writes.rows(sql)
        later = Later(lambda declares=declares: declares.rows(DECLARE, NOT_NEGATIVE))
        equal(waits_for_lock(observer, declares.pid()), True, name)
        writes.rows("COMMIT")
        later.result()
        version = observer.value("SELECT evercore_sequence(1)")
        equal(kept(observer), [("1", version, '{"balance": 40}')], name)
        refused(lambda observer=observer, sql=sql: observer.rows(sql.replace("'i'", "'j'")), "EV011", refusal(int(version) + 1 + (name == "insert of two")))


def test_a_changed_fold_waits_for_an_append_and_makes_what_is_kept_anew():
    database, observer = store()
    declares, writes = Connection(database), Connection(database)
    writes.rows("BEGIN")
    writes.rows(WITHDRAW["single"])
    later = Later(lambda: declares.rows("SELECT evercore_event_type('Withdrawn', 'custom')"))
    equal(waits_for_lock(observer, declares.pid()), True)
    writes.rows("COMMIT")
    later.result()
    equal(kept(observer), [("1", "2", '{"balance": 100}')])
    equal(problems(observer), [])


def test_a_changed_upcast_makes_what_is_kept_anew():
    _, connection = store()
    connection.rows("SELECT evercore_append(1, NULL, 'Withdrawn', '{\"sum\":60}')")
    equal(kept(connection), [("1", "2", '{"balance": 100}')])
    connection.rows("SELECT evercore_event_type('Withdrawn', NULL, '{\"upcast\":[{\"rename\":{\"/sum\":\"amount\"}}]}')")
    equal(kept(connection), [("1", "2", '{"balance": 40}')])
    for data in ('{"sum":60}', '{"amount":60}'):
        refused(lambda data=data: connection.rows("SELECT evercore_append(1, NULL, 'Withdrawn', $1)", data), "EV011", refusal(3))
    equal(problems(connection), [])


def test_above_read_committed_an_append_under_an_older_declaration_or_state_fails():
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        for name, sql in WITHDRAW.items():
            for change, arguments in ((DECLARE, (NOT_NEGATIVE,)), ("SELECT evercore_append(1, NULL, 'Withdrawn', '{\"amount\":50}')", ())):
                database, observer = store(None if arguments else NOT_NEGATIVE)
                writes = Connection(database)
                writes.rows(f"BEGIN ISOLATION LEVEL {level}; SELECT count(*) FROM evercore_log")
                observer.rows(change, *arguments)
                refused(lambda writes=writes, sql=sql: writes.rows(sql), "40001")
                writes.rows("ROLLBACK")
                writes.rows(f"BEGIN ISOLATION LEVEL {level}; SELECT count(*) FROM evercore_log")
                if arguments:
                    writes.rows(sql)
                    writes.rows("COMMIT")
                else:
                    refused(lambda writes=writes, sql=sql: writes.rows(sql), "EV011", refusal(3 + (name == "insert of two")))
                    writes.rows("ROLLBACK")
                equal(problems(observer), [], f"{level} {name}")


def test_declaring_needs_read_committed():
    _, connection = store(None)
    connection.rows("BEGIN ISOLATION LEVEL REPEATABLE READ")
    refused(lambda: connection.rows(DECLARE, NOT_NEGATIVE), "EV010", "EV010: declaring needs READ COMMITTED")


def test_what_is_declared_already_takes_no_lock():
    database, observer = store()
    writes = Connection(database)
    writes.rows("BEGIN")
    writes.rows(WITHDRAW["single"])
    observer.rows("SET lock_timeout = '1ms'")
    generation = observer.value("SELECT generation FROM _evercore_declared")
    observer.rows(DECLARE, NOT_NEGATIVE)
    observer.rows("SELECT evercore_aggregate_type('Account'), evercore_aggregate_type('Account', '{}'), evercore_aggregate_type('New', '{\"schema\":null}')")
    equal(observer.value("SELECT generation FROM _evercore_declared"), generation)
    refused(lambda: observer.rows(DECLARE, '{"schema":null}'), "55P03")


def test_two_who_declare_a_new_type_take_turns():
    database, observer = store(None)
    a, b = Connection(database), Connection(database)
    a.rows("BEGIN; SELECT evercore_ensure('New', 'n')")
    later = Later(lambda: b.rows("SELECT evercore_aggregate_type('New', $1)", NOT_NEGATIVE))
    equal(waits_for_lock(observer, b.pid()), True)
    observer.rows("SELECT evercore_append(1, NULL, 'Deposited', '{\"amount\":1}')")  # the declaration holds nobody up while it waits
    a.rows("COMMIT")
    later.result()
    equal(observer.rows("SELECT aggregate_type, filled FROM evercore_aggregate_types"), [("New", "t")])


def test_options_are_documents_of_every_type():
    _, connection = store(None)
    for no, cast in enumerate(("", "::text", "::json", "::jsonb", "::bytea")):
        schema = f'{{"schema":{{"required":["n{no}"]}}}}'
        equal(connection.value(f"SELECT evercore_aggregate_type('Account', '{schema}'{cast})"), "Account", cast)
        refused(lambda: connection.rows("SELECT evercore_append(2, NULL, 'E', '{}')"), "EV011", 'EV011: state of "Account" "b" at sequence 1: : required')
    refused(lambda: connection.rows("SELECT evercore_aggregate_type('Account', 7)"), "42883")


def test_a_writer_may_declare_what_is_declared_and_nothing_else():
    database, connection = store(None)
    writer = Connection(database)
    writer.rows("SET ROLE evercore_writer")
    refused(lambda: writer.rows(DECLARE, NOT_NEGATIVE), "42501", 'permission denied to declare a schema of "Account": let the owner of the store run SELECT evercore.evercore_aggregate_type')
    connection.rows(DECLARE, NOT_NEGATIVE)
    writer.rows(DECLARE, NOT_NEGATIVE)
    refused(lambda: writer.rows(DECLARE, '{"schema":null}'), "42501")
    refused(lambda: writer.rows(DECLARE, '{"schema":7}'), "EV009", "EV009: schema: not a schema")
    equal(writer.rows("SELECT aggregate_type FROM evercore_aggregate_types"), [("Account",)])
    refused(lambda: writer.rows("SELECT * FROM evercore_kept_state"), "42501")
    writer.rows(WITHDRAW["single"])
    refused(lambda: writer.rows(WITHDRAW["many"]), "EV011", refusal(3))


# == What is kept ==

def test_a_state_that_is_missing_or_of_another_sequence_is_made_up():
    for name, sql in WITHDRAW.items():
        for change in ("DELETE FROM evercore_kept_state", "UPDATE evercore_kept_state SET sequence = 0, state = '{\"balance\":1000}'",
                       "UPDATE evercore_kept_state SET sequence = 9, state = '{\"balance\":-1000}'", "UPDATE evercore_kept_state SET state = '{\"balance\":1e999999}'",
                       "UPDATE evercore_kept_state SET state = '{\"a\":\"\\u0000\"}'"):
            _, connection = store()
            connection.rows(change)
            if "e999999" in change or "u0000" in change:
                equal(problems(connection), ["kept state at sequence 1 differs from the fold"])
            connection.rows(sql)
            equal(kept(connection), [("1", connection.value("SELECT evercore_sequence(1)"), '{"balance": 40}')], f"{name}: {change}")
            refused(lambda connection=connection, sql=sql: connection.rows(sql.replace("'i'", "'j'")), "EV011")
            equal(problems(connection), [], f"{name}: {change}")


def test_what_is_kept_is_the_fold_to_the_last_digit():
    _, connection = store('{"schema":{}}', 0)
    for amount in ("9223372036854775807", "1", "0.1", "0.2", "1e300", "-1e300", "1.50", "100e2", "12345678901234567890.5", "1e-7"):
        connection.rows("SELECT evercore_append(1, NULL, 'Deposited', $1), evercore_append(1, NULL, 'Said', $1)", '{"amount":%s,"text":"\\u00e9"}' % amount)
        equal(connection.rows("SELECT state FROM evercore_kept_state"), connection.rows("SELECT _evercore_json_text(evercore_state(1))"), amount)
    equal(problems(connection), [])


def test_an_append_to_many_events_reads_and_writes_what_one_to_few_does():
    for policy in (0, 100):
        database, connection = store()
        connection.rows(f"SELECT evercore_snapshot_policy('Account', {policy}, 1)")
        connection.rows("SELECT evercore_append(2, NULL, 'Deposited', '{\"amount\":1}') FROM generate_series(1, 9)")
        connection.rows("VACUUM ANALYZE")
        warm = Connection(database)  # with plans that were made in the small store
        for name, sql in WITHDRAW.items():
            for call in range(8):
                warm.rows(for_account(sql.replace("'i'", f"'{call}'"), 2).replace(":60", ":0"))
        connection.rows("INSERT INTO evercore_append (aggregate_id, event_type, data) SELECT 1, 'Deposited', '{\"amount\":1}' FROM generate_series(1, 9999)")
        for session in (warm, Connection(database)):
            for name, sql in WITHDRAW.items():
                if "INSERT" in sql:
                    continue  # EXPLAIN does not count what its trigger reads
                few, many = (pages(session, for_account(sql.replace("'i'", f"'{id} {policy} {session is warm}'"), id).replace(":60", ":0")) for id in (2, 1))
                equal(many <= few + 40, True, f"{name}: {few} pages where there are few events, {many} where there are 10,000")
        equal(problems(connection), [])


def test_many_events_of_one_call_are_folded_once_each():
    _, connection = store()
    connection.rows("SET track_functions = 'all'")
    counted = "SELECT coalesce(sum(calls), 0) FROM pg_stat_xact_user_functions WHERE funcname IN ('_evercore_apply_steps', '_evercore_fold_step')"
    for amount in (10, 100, 1000):
        for sql in ("INSERT INTO evercore_append (aggregate_id, event_type, data) SELECT 1, 'Deposited', '{\"amount\":1}' FROM generate_series(1, %s)",
                    "SELECT evercore_append_many((SELECT json_build_array(json_build_object('aggregate_id', 1, 'events', json_agg("
                    "json_build_object('event_type', 'Deposited', 'data', json_build_object('amount', 1)))))::text FROM generate_series(1, %s)))"):
            connection.rows("BEGIN")
            before = int(connection.value(counted))
            connection.rows(sql % amount)
            equal(int(connection.value(counted)) - before, amount, sql)
            connection.rows("COMMIT")
    equal(kept(connection), [("1", "2221", '{"balance": 2320}')])


def test_a_trigger_of_the_users_that_appends_is_checked_too():
    _, connection = store()
    connection.rows("""
        CREATE FUNCTION public.fee() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF NEW.event_type = 'Withdrawn' THEN PERFORM evercore_append(NEW.aggregate_id, NULL, 'Charged', '{"amount":1}'); END IF; RETURN NULL; END $$;
        CREATE TRIGGER fee AFTER INSERT ON evercore_event FOR EACH ROW EXECUTE FUNCTION public.fee();
        SELECT evercore_event_type('Charged', '[{"subtract":{"/balance":"/amount"}}]')""")
    connection.rows("SELECT evercore_append(1, NULL, 'Withdrawn', '{\"amount\":98}')")
    equal((connection.value("SELECT evercore_state(1)"), kept(connection)), ('{"balance": 1}', [("1", "3", '{"balance": 1}')]))
    refused(lambda: connection.rows("SELECT evercore_append(1, NULL, 'Withdrawn', '{\"amount\":1}')"), "EV011", refusal(5))
    equal(problems(connection), [])
