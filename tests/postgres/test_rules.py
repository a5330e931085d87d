"""Folds by rules beside the same told in Python, what a declaration and a fold by rules do beside other sessions, and what a damaged one says."""
import json
import random

from harness import Later, equal, new_database, refused, waits_for_lock
from pq import Connection
from random_rules import random_data, random_rules
from rules import parsed, step


def test_random_rules_fold_as_told_in_python():
    connection = Connection(new_database())
    for seed in range(200):
        dice = random.Random(seed)
        connection.rows(f"SET extra_float_digits = {dice.choice([1, 3, 0, -15])}")
        folds = {"merge": '[{"merge":""}]', "patch": '[{"patch":""}]', **{f"r{i}": random_rules(dice) for i in range(2)}}
        for name, rules in folds.items():
            connection.rows("SELECT evercore_event_type($1, $2)", f"{name} {seed}", name if name in ("merge", "patch") else rules)
        aggregate = connection.value("SELECT evercore_create('T')")
        state, states, amount = {}, [{}], dice.choice([4, 12, 30])
        snapshots = set(dice.sample(range(1, amount), 2))
        for sequence in range(1, amount + 1):
            name, data, reference = dice.choice(list(folds)), random_data(dice), dice.choice([None, "why"])
            connection.rows("SELECT evercore_append($1::bigint, NULL, $2, $3, $4, NULL, '2026-01-02T03:04:05Z')", aggregate, f"{name} {seed}", data, reference)
            state = step(state, parsed(folds[name]), parsed(data),
                         {"event_time": "2026-01-02T03:04:05.000000Z", "event_type": f"{name} {seed}", "reference": reference, "sequence": sequence})
            states.append(state)
            if sequence in snapshots:
                connection.rows("SELECT evercore_snapshot($1::bigint)", aggregate)
        for sequence in range(amount + 1):
            equal(parsed(connection.value("SELECT evercore_state($1::bigint, $2::bigint)", aggregate, str(sequence))), states[sequence], f"seed {seed} at {sequence}: {folds}")
        history = connection.rows("SELECT state FROM evercore_history($1::bigint)", aggregate)
        equal([parsed(row[0]) for row in history], states[1:], f"the history of seed {seed}: {folds}")
        if seed % 3 == 0:
            connection.rows("SELECT evercore_compact($1::bigint, 2)", aggregate)
            equal([parsed(row[0]) for row in connection.rows("SELECT state FROM evercore_history($1::bigint)", aggregate)], states[-2:], f"seed {seed}, compacted")
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_a_state_never_nests_deeper_than_512():
    """Each operation that would go deeper does nothing, and the others of the event do what they say."""
    connection = Connection(new_database())
    nested = lambda levels: "[" * levels + "]" * levels
    way = "".join("/w" for _ in range(510))
    rules = [{"set": {"/set": "/v"}}, {"append": {"/list": "/v"}}, {"set": {way: "/v"}}, {"append": {way + "/l": "/v"}}, {"add": {way + "/x/n": "/n"}}, {"set": {"/last": "/n"}}]
    connection.rows("SELECT evercore_event_type('D', $1)", json.dumps(rules))
    for levels in (0, 1, 2, 3, 509, 510, 511):
        aggregate = connection.value("SELECT evercore_create('T')")
        data = '{"n":1,"v":' + (nested(levels) if levels else "7") + "}"
        connection.rows("SELECT evercore_append($1::bigint, 0, 'D', $2)", aggregate, data)
        expected = step({}, rules, parsed(data), {})
        equal(parsed(connection.value("SELECT evercore_state($1::bigint)", aggregate)), expected, f"{levels} levels")
        equal(connection.value("SELECT evercore_snapshot($1::bigint)", aggregate), "1")
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_a_change_of_rules_is_seen_whole():
    """Snapshots of the old rules go with it; what is compacted stays as it was folded."""
    connection = Connection(new_database())
    connection.rows("""SELECT evercore_event_type('D', '[{"add":{"/balance":"/amount"}}]'), evercore_create('T', 'a'), evercore_create('T', 'b')""")
    for _ in range(3):
        connection.rows("""SELECT evercore_append(1, NULL, 'D', '{"amount":10}'), evercore_append(2, NULL, 'E', '{"amount":10}')""")
    connection.rows("SELECT evercore_snapshot(1), evercore_snapshot(2)")
    same = ' [ {"add" : {} }, {"add": {"\\/balance" : "\\u002famount"} } ] '
    for rules in ('[{"add":{"/balance":"/amount"}}]', same):
        connection.rows("SELECT evercore_event_type('D', $1)", rules)
        equal(connection.value("SELECT count(*) FROM evercore_snapshot"), "2", "no change")
    connection.rows("""SELECT evercore_event_type('D', '[{"subtract":{"/balance":"/amount"}}]')""")
    equal(connection.rows("SELECT aggregate_id FROM evercore_snapshot"), [("2",)])
    equal(connection.value("SELECT evercore_state(1)"), '{"balance": -30}')
    connection.rows("SELECT evercore_compact(1, 1)")
    equal(connection.value("SELECT evercore_state(1)"), '{"balance": -30}')
    for fold in ("merge", '[{"merge":""}]', '[{"add":{"/balance":"/amount"}}]'):
        refused(lambda fold=fold: connection.rows("SELECT evercore_event_type('D', $1)", fold), "EV010", 'EV010: event type "D" folded into compacted aggregate 1')
    connection.rows("SELECT evercore_compact(2, 1), evercore_event_type('E', '[{\"merge\":\"\"}]')")
    equal(connection.rows("SELECT event_type, fold = 'merge' FROM evercore_event_types ORDER BY 1"), [("D", "f"), ("E", "t")])
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_a_change_of_rules_waits_for_a_policys_snapshot_and_an_append_for_the_change():
    database = new_database()
    observer, declares, writes = Connection(database), Connection(database), Connection(database)
    old, new = '[{"add":{"/n":"/by"}}]', '[{"subtract":{"/n":"/by"}}]'
    observer.rows("SELECT evercore_event_type('D', $1), evercore_create('T', 'a'), evercore_snapshot_policy('T', 2, 2)", old)
    append = "SELECT evercore_append(1, NULL, 'D', '{\"by\":1}')"
    observer.rows(append)
    writes.rows("BEGIN; " + append)
    later = Later(lambda: declares.rows("SELECT evercore_event_type('D', $1)", new))
    equal(waits_for_lock(observer, declares.pid()), True)
    equal(observer.value("SELECT evercore_state(1)"), '{"n": 1}', "a reader meanwhile")
    writes.rows("COMMIT")
    later.result()
    equal(observer.value("SELECT evercore_state(1)"), '{"n": -2}')
    observer.rows(append)
    declares.rows("BEGIN")
    declares.rows("SELECT evercore_event_type('D', $1)", old)
    later = Later(lambda: writes.rows(append))
    equal(waits_for_lock(observer, writes.pid()), True)
    declares.rows("COMMIT")
    later.result()
    equal(observer.value("SELECT evercore_state(1)"), '{"n": 4}')
    equal(observer.rows("SELECT sequence, state FROM evercore_snapshot"), [("4", '{"n": 4}')])
    equal(observer.rows("SELECT * FROM evercore_check()"), [])


def test_a_reader_in_an_older_snapshot_folds_by_the_rules_that_he_sees():
    database = new_database()
    reads, writes = Connection(database), Connection(database)
    writes.rows("""SELECT evercore_event_type('D', '[{"add":{"/n":"/by"}}]'), evercore_create('T', 'a'), evercore_append(1, NULL, 'D', '{"by":1}')""")
    reads.rows("BEGIN ISOLATION LEVEL REPEATABLE READ")
    equal(reads.value("SELECT evercore_state(1)"), '{"n": 1}')
    writes.rows("""SELECT evercore_event_type('D', '[{"set":{"/m":"/by"}}]')""")
    equal(reads.value("SELECT evercore_state(1)"), '{"n": 1}')
    reads.rows("COMMIT")
    equal(reads.value("SELECT evercore_state(1)"), '{"m": 1}')


def test_an_erased_aggregate_has_no_state_by_rules():
    connection = Connection(new_database())
    connection.rows("""SELECT evercore_event_type('D', '[{"set":{"/who":{"field":"event_type"},"/k":{"value":1}}}]'), evercore_create('T', 'a'),
                              evercore_append(1, NULL, 'D', '{"by":1}'), evercore_erase(1)""")
    equal(connection.rows("SELECT state FROM evercore_history(1)"), [("{}",)])
    equal(connection.value("SELECT evercore_state(1)"), "{}")


def test_a_renamed_type_says_its_name_of_today():
    connection = Connection(new_database())
    connection.rows("""SELECT evercore_event_type('D', '[{"set":{"/by":{"field":"event_type"}}}]'), evercore_create('T', 'a'), evercore_append(1, NULL, 'D', '{}'),
                              evercore_snapshot(1), evercore_rename_type('event', 'D', 'E')""")
    equal(connection.value("SELECT evercore_state(1)"), '{"by": "E"}')
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_damaged_rules_are_named():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_event_type(n, '[{\"add\":{\"/n\":\"/by\"}}]') FROM unnest('{A,B,C,D,E}'::text[]) n")
    connection.rows("""UPDATE evercore_event_type SET rules = CASE name WHEN 'A' THEN '[{"add":{"/n":1}}]' WHEN 'B' THEN '{"add":1}' WHEN 'C' THEN '[{"set":{"/a":"","/a":""}}]'
                                                                 WHEN 'D' THEN NULL ELSE rules END""")
    connection.rows("UPDATE evercore_event_type SET fold = 'patch' WHERE name = 'E'")
    equal(connection.rows("SELECT problem FROM evercore_check()"), [(f'rules of "{name}" are damaged',) for name in "ABCDE"])


def test_above_read_committed_a_snapshot_by_policy_under_an_older_fold_fails():
    forms = ("SELECT evercore_append(1, NULL, 'E', '{}')",
             "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{}}]}]')",
             "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{}')")
    for form in forms:
        database = new_database()
        late, other = Connection(database), Connection(database)
        other.rows("SELECT evercore_create('T','a'), evercore_snapshot_policy('T', 2, 1)")
        other.rows("SELECT evercore_append(1, NULL, 'E', '{\"a\":{\"b\":1}}')")
        late.rows("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM evercore_log")
        other.rows("SELECT evercore_event_type('E', 'patch')")
        refused(lambda late=late, form=form: late.rows(form), "40001")
        late.rows("ROLLBACK")
        late.rows(form)
        equal(late.rows("SELECT sequence, state FROM evercore_snapshot"), [("2", '{"a": {"b": 1}}')])
        equal(other.rows("SELECT * FROM evercore_check()"), [])
