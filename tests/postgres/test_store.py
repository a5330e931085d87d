"""The surface on PostgreSQL where it is PostgreSQL's own matter, and compaction over random histories."""
import json
import random
import re

from harness import Later, equal, new_database, refused, waits_for_lock
from pq import Connection, Error
from rules import merged, patched


def folded(state, fold, data):
    if fold == "patch":
        return patched(state, data)
    if fold == "merge":
        return merged(state, data)
    return state


def random_data(dice, depth=0):
    value = lambda: dice.choice([1, "null", None, None, True, [1, None], 2.5]) if depth > 1 or dice.random() < 0.6 else random_data(dice, depth + 1)
    return {dice.choice("abcde"): value() for _ in range(dice.randint(0, 3))}


def test_random_histories_fold_compact_and_replay_the_same():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_event_type('merge', 'merge'), evercore_event_type('patch', 'patch'), evercore_event_type('custom', 'custom')")
    outcomes = {"removed": 0, "EV010": 0}
    for seed in range(200):
        dice = random.Random(seed)
        kinds = dice.choice([["merge"], ["merge", "merge", "undeclared"], ["merge", "patch"], ["merge", "patch", "custom"], ["merge"] * 8 + ["custom"]])
        identity = connection.value("SELECT evercore_create('T')")
        states = [{}]
        for _ in range(dice.randint(1, 14)):
            kind, data = dice.choice(kinds), random_data(dice)
            connection.rows(f"SELECT evercore_append({identity}, {len(states) - 1}, $1, $2)", kind, json.dumps(data))
            states.append(folded(states[-1], "merge" if kind == "undeclared" else kind, data))
            if dice.random() < 0.15:
                connection.rows(f"SELECT evercore_snapshot({identity})")
            if dice.random() < 0.2:
                connection.rows(f"SELECT evercore_save_snapshot({identity}, {dice.randint(1, len(states) - 1)}, '{{\"app\":1}}', {dice.randint(1, 2)})")
        version = len(states) - 1

        def seen(base):
            view = [json.loads(connection.value(f"SELECT evercore_state({identity}, {at})")) for at in range(base, version + 1)]
            history = [(row[0], json.loads(row[1])) for row in connection.rows(f"SELECT sequence, state FROM evercore_history({identity}) WHERE sequence > {base}")]
            row = connection.rows(f"SELECT * FROM evercore_aggregates WHERE aggregate_id = {identity}")
            return view, history, row, connection.value(f"SELECT evercore_sequence({identity})")

        for _ in range(2):
            keep = dice.randint(0, version + 1)
            was = int(connection.value(f"SELECT base FROM evercore_aggregate WHERE aggregate_id = {identity}"))
            base = max(version - keep, was)
            before = seen(base)
            equal(before[0], states[base:], f"the fold, seed {seed}")
            newest = connection.rows(f"SELECT version, max(sequence) FROM evercore_snapshot WHERE aggregate_id = {identity} AND version IS NOT NULL GROUP BY 1 ORDER BY 1")
            replays = {}
            for number in (1, 2):
                if base and any(int(v) == number and int(s) >= base for v, s in newest):
                    replays[number] = connection.rows(f"SELECT * FROM evercore_replay({identity}, {number})")
            try:
                removed = int(connection.value(f"SELECT evercore_compact({identity}, {keep})"))
                equal(removed, base - was, f"events removed, seed {seed}")
                outcomes["removed"] += removed
            except Error as error:
                equal(error.code, "EV010")
                outcomes["EV010"] += 1
                base = was
                equal(seen(base)[0], states[base:])
                continue
            equal(seen(base), before, f"what is kept reads the same, seed {seed}")
            replay = connection.rows(f"SELECT sequence, event_type, data FROM evercore_replay({identity})")
            state = json.loads(replay[0][2])
            for _, kind, data in replay[1:]:
                state = folded(state, "merge" if kind == "undeclared" else kind, json.loads(data))
            equal(state, states[-1], f"the replay, seed {seed}")
            equal(connection.rows(f"SELECT version, max(sequence) FROM evercore_snapshot WHERE aggregate_id = {identity} AND version IS NOT NULL"
                                  " GROUP BY 1 ORDER BY 1"), newest, "the newest of any version stays")
            for number, rows in replays.items():
                equal(connection.rows(f"SELECT * FROM evercore_replay({identity}, {number})"), rows, f"replay of version {number}, seed {seed}")
            refused(lambda base=base: connection.value(f"SELECT evercore_state({identity}, {base - 1})"), "EV002" if base > 0 else "EV009")
    equal(connection.rows("SELECT * FROM evercore_check()"), [])
    assert min(outcomes.values()) > 20, outcomes


def test_positions_grow_past_what_was_compacted():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T', 'a'); SELECT evercore_append(1, NULL, 'E', '{\"a\":1}'), evercore_append(1, NULL, 'E', '{\"b\":2}')")
    connection.rows("SELECT evercore_compact(1, 0)")
    equal(connection.value("SELECT value FROM evercore_stats() WHERE name = 'head_position'"), "2")
    connection.rows("SELECT evercore_append(1, 2, 'E', '{\"c\":3}')")
    equal(connection.rows("SELECT position, sequence FROM evercore_follow()"), [("3", "3")])
    equal(json.loads(connection.value("SELECT evercore_state(1)")), {"a": 1, "b": 2, "c": 3})


def test_an_insert_that_reads_the_log_does_not_feed_on_itself():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T', 'a'); SELECT evercore_append(1, NULL, 'E', '{}')")
    for source in ("evercore_log", "evercore_events(1)", "evercore_follow()"):
        before = int(connection.value("SELECT count(*) FROM evercore_log"))
        connection.rows(f"INSERT INTO evercore_append (aggregate_id, event_type, data) SELECT aggregate_id, event_type, data FROM {source}")
        equal(connection.value("SELECT count(*) FROM evercore_log"), str(2 * before), source)


def test_an_insert_is_atomic_and_keeps_nothing_behind():
    connection = Connection(new_database())
    many = "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) SELECT 'T', 'k' || i % 100, 'E', CASE i WHEN 10000 THEN '{' ELSE '{}' END FROM generate_series(1, COUNT) i"
    refused(lambda: connection.rows(many.replace("COUNT", "10000")), "EV004", "EV004: data: not JSON")
    connection.rows("BEGIN; SAVEPOINT s")
    refused(lambda: connection.rows(many.replace("COUNT", "10000")), "EV004")
    connection.rows("ROLLBACK TO s; SELECT evercore_create('T', 'x')")
    connection.rows(many.replace("COUNT", "9999") + "; COMMIT")
    equal(connection.value("SELECT count(*) FROM evercore_log"), "9999")
    equal(connection.value("SELECT count(*) FROM _evercore_pending"), "0")
    equal(connection.rows("SELECT position, natural_key, sequence FROM evercore_log WHERE position IN (1, 100, 101, 9999) ORDER BY 1"),
          [("1", "k1", "1"), ("100", "k0", "1"), ("101", "k1", "2"), ("9999", "k99", "100")])
    equal(connection.rows("SELECT * FROM evercore_append"), [])
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_inserts_inside_inserts():
    """A function in the SELECT, and a trigger on the events, that append themselves."""
    connection = Connection(new_database())
    connection.rows("""
      SELECT evercore_create('T', 'outer'), evercore_create('T', 'inner'), evercore_create('T', 'projected');
      CREATE FUNCTION public.nested(i int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (2, 'Inner', json_build_object('i', i)), (2, 'Inner', '{}');
        RETURN json_build_object('i', i); END $$;
      CREATE FUNCTION public.project() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.aggregate_id = 1 THEN INSERT INTO evercore.evercore_append (aggregate_id, event_type, data) VALUES (3, 'Seen', NEW.data); END IF;
        RETURN NEW; END $$;
      CREATE TRIGGER project AFTER INSERT ON evercore_event FOR EACH ROW EXECUTE FUNCTION public.project();
      INSERT INTO evercore_append (aggregate_id, event_type, data) SELECT 1, 'Outer', public.nested(i) FROM generate_series(1, 5) i""")
    equal(connection.rows("SELECT aggregate_id, count(*), max(sequence) FROM evercore_log GROUP BY 1 ORDER BY 1"), [("1", "5", "5"), ("2", "10", "10"), ("3", "5", "5")])
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_forged_rows_of_an_insert_are_checked():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T', 'a'); GRANT USAGE ON SCHEMA public TO evercore_writer")
    forged = '{"aggregate_id":1,"event_type":"E","data":"{broken"}'
    refused(lambda: connection.rows(f"""SET ROLE evercore_writer; INSERT INTO evercore_append (aggregate_id, event_type, data)
        SELECT 1, 'E', CASE WHEN set_config('evercore.rows_1', '{forged}', true) IS NULL THEN '' ELSE '{{}}' END"""), "EV004")


def test_policies_and_folds():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_snapshot_policy('T', 3, 2), evercore_create('T', 'a')")
    for i in range(1, 11):
        connection.rows(f"SELECT evercore_append(1, NULL, 'E', '{{\"n\":{i}}}')")
    snapshots = "SELECT sequence FROM evercore_snapshot WHERE aggregate_id = 1 ORDER BY 1"
    equal(connection.rows(snapshots), [("6",), ("9",)])
    connection.rows("SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[" + ",".join(['{"event_type":"E","data":{}}'] * 7) + "]}]')")
    equal(connection.rows(snapshots), [("9",), ("17",)])
    connection.rows("SELECT evercore_event_type('E', 'merge')")
    equal(connection.rows(snapshots), [("9",), ("17",)], "an unchanged fold changes nothing")
    connection.rows("SELECT evercore_event_type('E', 'custom')")
    equal(connection.rows(snapshots), [])
    equal(connection.value("SELECT evercore_state(1)"), "{}")
    refused(lambda: connection.rows("SELECT evercore_compact(1, 2)"), "EV010", "EV010: aggregate 1 has custom events up to sequence 15 that no application snapshot covers")
    connection.rows("SELECT evercore_save_snapshot(1, 15, '{\"mine\":1}', 4)")
    equal(connection.value("SELECT evercore_compact(1, 2)"), "15")
    refused(lambda: connection.rows("SELECT evercore_event_type('E', 'merge')"), "EV010", 'EV010: event type "E" folded into compacted aggregate 1')
    refused(lambda: connection.rows("SELECT * FROM evercore_replay(1, 5)"), "EV002",
            "EV002: aggregate 1 was compacted to sequence 15 under an application snapshot of another version")
    equal(connection.value("SELECT data FROM evercore_replay(1, 4)"), '{"mine":1}')


def test_check_finds_what_is_wrong():
    connection = Connection(new_database())
    connection.rows("""INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) SELECT 'T', 'k' || i % 6, 'E', '{"i":' || i || '}' FROM generate_series(1, 60) i;
      INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) SELECT 'D', k, 'E', '{}', k FROM unnest('{x,y,z}'::text[]) k;
      SELECT evercore_compact(a, 0) FROM generate_series(7, 9) a; UPDATE evercore_event_id SET digest = NULL WHERE event_id = 'x';
      UPDATE evercore_event_id SET digest = '1' WHERE event_id = 'y'; UPDATE evercore_aggregate SET erased = true, natural_key = NULL WHERE aggregate_id = 9;
      SELECT evercore_snapshot(6), evercore_compact(5, 2); SET evercore.compacting = 'on';
      DELETE FROM evercore_event WHERE aggregate_id = 1 AND sequence IN (3, 4, 10);
      UPDATE evercore_event SET data = '{"a":1,"a":2}' WHERE aggregate_id = 2 AND sequence = 2;
      UPDATE evercore_event SET metadata = '[]' WHERE aggregate_id = 2 AND sequence = 3;
      ALTER TABLE evercore_event ALTER position SET GENERATED BY DEFAULT;
      UPDATE evercore_event SET position = 1000 WHERE aggregate_id = 4 AND sequence = 1;
      UPDATE evercore_snapshot SET state = '{}' WHERE aggregate_id = 6; DELETE FROM evercore_snapshot WHERE aggregate_id = 5;
      UPDATE evercore_aggregate SET sequence = 9 WHERE aggregate_id = 3""")
    equal(connection.rows("SELECT aggregate_id, problem FROM evercore_check()"),
          [("1", "sequences 3 to 4 are missing"), ("1", "sequence 10 is missing"),
           ("2", 'payload: duplicate key "a"'), ("2", "metadata: not an object"),
           ("3", "the aggregate is at sequence 9, below this event's 10"), ("4", "position is not above that of sequence 1"),
           ("5", "base snapshot at sequence 8 is missing"), ("6", "engine snapshot at sequence 10 differs from the fold"),
           ("7", "the digest of an event_id is missing or damaged"), ("8", "the digest of an event_id is missing or damaged"),
           ("9", "the digest of an event_id is left of an erased aggregate"),
           (None, "column evercore_event.position is different"), (None, "sequence evercore_event_position_seq is behind its table")])


def test_check_reads_on_where_the_server_cannot_read_what_is_stored():
    unreadable = ('{"a":"\\u0000"}', '{"a":"\\ud800"}', '{"a":1e-20000}', "[1]", "7")
    for state in unreadable:
        connection = Connection(new_database())
        connection.rows("""INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) SELECT 'T', k, 'E', '{"n":1}' FROM unnest('{a,b,c,c}'::text[]) k;
          SELECT evercore_aggregate_type('T', '{"schema":{}}'), evercore_snapshot(1), evercore_compact(2, 0), evercore_snapshot(3)""")
        connection.rows("UPDATE evercore_snapshot SET state = $1", state)
        connection.rows("UPDATE evercore_kept_state SET state = $1 WHERE aggregate_id = 1", state)
        equal(connection.rows("SELECT aggregate_id, position, problem FROM evercore_check()"),
              [("1", "1", "engine snapshot at sequence 1 differs from the fold"), ("1", "1", "kept state at sequence 1 differs from the fold"),
               ("2", None, "engine snapshot at sequence 1 differs from the fold"), ("2", None, "kept state at sequence 1 differs from the fold"),
               ("3", "4", "engine snapshot at sequence 2 differs from the fold")], state[:40])
    connection = Connection(new_database())
    connection.rows("""SELECT evercore_event_type('E', NULL, '{"tags":{"n":"/n"}}');
      INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) SELECT 'T', 'k', 'E', '{"m":1}' FROM generate_series(1, 2);
      SELECT evercore_snapshot(1); SET evercore.compacting = 'on'; UPDATE evercore_event SET data = '{"n":"\\u0000"}' WHERE sequence = 1""")
    equal(connection.rows("SELECT position, problem FROM evercore_check()"),
          [("1", "payload: NUL"), ("2", "engine snapshot at sequence 2 differs from the fold")])


def test_check_names_snapshots_beyond_the_newest_event():
    connection = Connection(new_database())
    connection.rows("""INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('T', 'a', 'E', '{"n":1}'), ('T', 'b', 'E', '{"n":1}');
      SELECT evercore_snapshot(1), evercore_save_snapshot(2, 1, '{}', 7); UPDATE evercore_snapshot SET sequence = 3""")
    equal(connection.rows("SELECT aggregate_id, position, problem FROM evercore_check()"),
          [("1", None, "engine snapshot at sequence 3 differs from the fold"), ("2", None, "application snapshot at sequence 3 is beyond the newest event")])
    missing = "EV010: events of aggregate %d are missing between sequences 1 and 4: evercore_check() names the place"
    refused(lambda: connection.rows("SELECT * FROM evercore_replay(1)"), "EV010", missing % 1)
    refused(lambda: connection.rows("SELECT * FROM evercore_replay(2, 7)"), "EV010", missing % 2)


def test_check_names_rows_of_compaction_that_nobody_compacted():
    compact = """INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) SELECT 'T', k, 'E', '{}' FROM unnest('{a,a,b}'::text[]) k;
      SELECT evercore_compact(1, 0)"""
    damaged, unknown = "what was compacted of it is damaged", "what was compacted of it is not known"
    for damage, named in {"INSERT INTO evercore_compacted_type VALUES (2, 'E', 1)": ("2", damaged), "INSERT INTO evercore_compacted_type VALUES (1, 'F', -1)": ("1", damaged),
                          "UPDATE evercore_compacted_type SET position = 0": ("1", unknown), "DELETE FROM evercore_compacted_type": ("1", unknown),
                          "INSERT INTO evercore_compacted_type VALUES (9, 'E', 1)": ("9", "no such aggregate, and rows of evercore_compacted_type")}.items():
        connection = Connection(new_database())
        connection.rows(compact)
        equal(connection.rows("SELECT problem FROM evercore_check()"), [])
        connection.rows(damage)
        equal(connection.rows("SELECT aggregate_id, problem FROM evercore_check()"), [named], damage)


def test_erasure_leaves_nothing_readable():
    connection = Connection(new_database())
    connection.rows("""SELECT evercore_create('T', 'ann'), evercore_create('T', 'bob');
      SELECT evercore_append(1, NULL, 'E', '{"secret":1}', 'secret', '{"secret":2}', NULL, 'known'), evercore_append(1, NULL, 'E', '{"secret":3}'),
             evercore_append(1, NULL, 'E', '{"secret":4}'), evercore_append(2, NULL, 'E', '{"kept":1}');
      SELECT evercore_save_snapshot(1, 1, '{"secret":5}', 1), evercore_snapshot(1), evercore_compact(1, 1)""")
    digests = "SELECT count(digest) FROM evercore_event_id"
    equal(connection.value(digests), "1")
    equal(connection.value("SELECT evercore_erase(1)"), "1")
    equal(connection.value("SELECT evercore_erase(1)"), "0")
    equal(connection.value(digests), "0")
    for table, in connection.rows("SELECT oid::regclass FROM pg_class WHERE relnamespace = 'evercore'::regnamespace AND relkind = 'r'"):
        equal(connection.rows(f"SELECT * FROM {table} t WHERE t::text LIKE '%secret%' OR t::text LIKE '%ann%'"), [], table)
    equal(connection.rows("SELECT sequence, data FROM evercore_events(1)"), [("3", "{}")])
    equal(connection.value("SELECT evercore_state(1)"), "{}")
    for sql in ("SELECT evercore_append(1, NULL, 'E', '{}')", "SELECT evercore_rekey(1, 'x')", "SELECT evercore_snapshot(1)",
                "SELECT evercore_save_snapshot(1, 3, '{}', 1)", "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{}}]}]')"):
        refused(lambda sql=sql: connection.rows(sql), "EV002", "EV002: aggregate 1 was erased")
    equal(connection.value("SELECT evercore_ensure('T', 'ann')"), "3")
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_a_key_taken_meanwhile():
    database = new_database()
    first, second, observer = Connection(database), Connection(database), Connection(database)
    first.rows("BEGIN; SELECT evercore_create('T', 'ann')")
    late = Later(lambda: second.value("SELECT evercore_create('T', 'ann')"))
    equal(waits_for_lock(observer, second.pid()), True)
    first.rows("COMMIT")
    refused(late.result, "EV003", 'EV003: natural key "ann" is taken in aggregate type "T"')
    equal(second.value("SELECT evercore_create('U', 'ann') IS NOT NULL"), "t")
    refused(lambda: second.value("SELECT evercore_rekey(evercore_create('T', 'eve'), 'ann')"), "EV003")


def random_appends(dice):
    appends = []
    for _ in range(dice.randint(1, 4)):
        place = {"aggregate_id": dice.randint(1, 3)} if dice.random() < 0.5 else {"aggregate_type": "T", "natural_key": dice.choice("abcdefgh")}
        if dice.random() < 0.2:
            place["expected"] = dice.choice([0, 1, 2, None])
        events = []
        for _ in range(dice.randint(1, 4)):
            events.append({"event_type": dice.choice(["E", "F"]), "data": {"n": dice.randint(1, 99)}, "reference": "r:" + str(dice.randint(1, 9))})
            if dice.random() < 0.3:
                events[-1].update(dice.choice([{"metadata": {"m": 1}}, {"metadata": None}, {"event_time": "2024-02-29 01:02:03"}, {"event_time": None},
                                               {"event_time": "2024-02-28 01:02:03Z"}, {"event_type": ""}, {"metadata": []}, {"other": 1}]))
        appends.append({**place, "events": events})
    return json.dumps(appends)


def test_a_plain_document_is_appended_as_any_other():
    """The same documents to two stores; in one, an escaped colon sends each the long way round."""
    plain, other = Connection(new_database()), Connection(new_database())
    dice = random.Random(7)
    refusals = 0
    for connection in (plain, other):
        connection.rows("SELECT evercore_create('T', k) FROM unnest('{a,b,c}'::text[]) k; SELECT evercore_snapshot_policy('T', 3, 2)")
    for _ in range(400):
        document = random_appends(dice)
        said = []
        for connection, text in ((plain, document), (other, document.replace("r:", "r\\u003a"))):
            try:
                said.append(connection.value("SELECT evercore_append_many($1)", text))
            except Error as error:
                said.append(error.message)
        equal(re.sub(r'"position": \d+', "", said[1]), re.sub(r'"position": \d+', "", said[0]), document)
        refusals += said[0].startswith("EV")
    assert 100 < refusals < 300, refusals
    for rows in ("SELECT aggregate_id, aggregate_type, natural_key, sequence, event_type, data, reference, metadata, CASE WHEN event_time <> recorded_at THEN event_time END"
                 " FROM evercore_log ORDER BY position", "SELECT aggregate_id, sequence, state FROM evercore_snapshot ORDER BY 1, 2", "SELECT * FROM evercore_check()"):
        equal(other.rows(rows), plain.rows(rows))


def test_an_event_that_a_trigger_makes_vanish_is_not_acknowledged():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T','a')")
    connection.rows("CREATE FUNCTION public.vanish() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.event_type <> 'Bad' THEN NEW END; END $$;"
                    "CREATE TRIGGER vanish BEFORE INSERT ON evercore_event FOR EACH ROW EXECUTE FUNCTION public.vanish()")
    bad = '{"event_type":"Bad","data":{}}'
    for call in ("SELECT evercore_append(1, NULL, 'Bad', '{}')",
                 "SELECT evercore_append(1, NULL, 'Bad', '{}', NULL, NULL, NULL, 'i')",
                 f"""SELECT evercore_append_many('[{{"aggregate_id":1,"events":[{{"event_type":"E","data":{{}}}},{bad}]}}]')""",
                 f"""SELECT evercore_append_many('[{{"aggregate_id":1,"events":[{bad},{{"event_type":"E","data":{{}},"event_id":"j"}}]}}]')""",
                 "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{}'), (1, 'Bad', '{}')"):
        refused(lambda call=call: connection.rows(call), "EV010", "EV010: an event was not written")
    equal(connection.value("SELECT evercore_append(1, 0, 'E', '{}')"), "1")
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_a_range_of_times_is_found_by_an_index():
    connection = Connection(new_database())
    connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time)"
                    " SELECT 'A', 'k', 'E', '{}', timestamptz '2026-01-01T00:00:00Z' + i * interval '1 minute' FROM generate_series(1, 5000) i")
    connection.rows("CREATE INDEX app_event_by_time ON evercore_event ((coalesce(event_time, recorded_at)))")
    query = ("SELECT position, data FROM evercore_log WHERE event_time >= evercore_time('2026-01-02T08:00Z') AND event_time < evercore_time('2026-01-02T09:00Z')"
             " ORDER BY event_time, position")
    for before in ("SELECT 1", "ANALYZE evercore_event"):
        connection.rows(before)
        equal(len(connection.rows(query)), 60)
        plan = "\n".join(row[0] for row in connection.rows("EXPLAIN " + query))
        assert "app_event_by_time" in plan and "Seq Scan on evercore_event" not in plan, plan


def test_no_relation_is_so_dear_in_a_new_store_that_the_server_compiles_it():
    connection = Connection(new_database())
    connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)"
                    " SELECT 'T', 'k' || i % 10, 'E', '{}' FROM generate_series(1, 100) i")
    connection.rows("SELECT evercore_subscribe('s', NULL, NULL, 3)")
    equal(connection.value("SHOW jit"), "on")
    for relation in ("evercore_log", "evercore_aggregates", "evercore_subscriptions", "evercore_in_flight"):
        plan = "\n".join(row[0] for row in connection.rows(f"EXPLAIN ANALYZE SELECT * FROM {relation}"))
        equal("JIT" in plan, False, plan)
