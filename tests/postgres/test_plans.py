"""What the functions read, counted in rows: no plan that was kept from a smaller store, or was never helped by ANALYZE, may scan."""
import json
import re
import subprocess

from harness import equal, new_database
from pq import Connection

TABLES = ("evercore_aggregate", "evercore_aggregate_type", "evercore_event", "evercore_event_id")


def rows_read(connection, sql, *arguments):
    """What a statement reads of the tables of the store, in rows."""
    connection.rows("BEGIN")
    counted = f"SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables WHERE relname IN {TABLES}"
    before = int(connection.value(counted))
    connection.rows(sql, *arguments)
    amount = int(connection.value(counted)) - before
    connection.rows("COMMIT")
    return amount


def pages(connection, sql):
    """What a statement reads of a store that is in the server's memory, in pages."""
    connection.rows(sql)
    plan = "".join(row[0] for row in connection.rows("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF) " + sql))
    return int(re.search(r"Buffers: shared hit=(\d+)", plan)[1])


def warmed_up(analyzed):
    """A connection that made its plans in a store of two aggregates, with or without statistics of that."""
    connection = Connection(new_database())
    for key in ("a", "b"):
        connection.rows("SELECT evercore_append_many($1)", json.dumps(appends("W", [key], {})))
        connection.rows("SELECT evercore_append_many($1)", json.dumps(appends("W", [key, "c"], {"event_id": "many " + key})))
        connection.rows(insert("W", 1, {"event_id": "'insert " + key + "'"}))
    if analyzed:
        connection.rows("ANALYZE")
    return connection


def appends(type, keys, members):
    return [{"aggregate_type": type, "natural_key": str(key), "events": [{
        "event_type": "E", "data": {}, **{name: value + str(key) if name == "event_id" else value for name, value in members.items()}}]} for key in keys]


def insert(type, amount, columns):
    names = "".join(", " + name for name in columns)
    values = "".join(", " + value for value in columns.values())
    return (f"INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data{names}) "
            f"SELECT '{type}', 'k' || i, 'E', '{{}}'{values} FROM generate_series(1, {amount}) i")


def test_an_import_reads_as_many_rows_as_it_writes():
    amount = 1000
    for analyzed in (False, True):
        connection = warmed_up(analyzed)
        for no, columns in enumerate(({}, {"event_id": "'e' || i"}, {"reference": "'r'"}, {"metadata": "'{}'"}, {"event_time": "'2026-01-01'"}, {"expected": "0"})):
            read = rows_read(connection, insert(f"I{no}", amount, columns))
            equal(read <= 10 * amount, True, f"{read} rows read for {amount} rows with {columns}, analyzed: {analyzed}")
            read = rows_read(connection, insert(f"I{no}", amount, {**columns, **({"event_id": "'f' || i"} if "event_id" in columns else {}),
                                                                   **({"expected": "1"} if "expected" in columns else {})}))
            equal(read <= 10 * amount, True, f"{read} rows read for {amount} known keys with {columns}, analyzed: {analyzed}")
        for no, members in enumerate(({}, {"event_id": "m"}, {"reference": "r"}, {"metadata": {}}, {"event_time": "2026-01-01"})):
            read = rows_read(connection, "SELECT evercore_append_many($1)", json.dumps(appends(f"M{no}", range(amount), members)))
            equal(read <= 10 * amount, True, f"{read} rows read by append_many of {amount} with {members}, analyzed: {analyzed}")
        # … and a call of one event after that
        for one in (appends("M0", [7], {}), appends("M0", [7], {"event_id": "one"}), appends("M0", [7, 8], {}),
                    [{"aggregate_id": 1, "events": [{"event_type": "E", "data": {}}]}] * 2):
            read = rows_read(connection, "SELECT evercore_append_many($1)", json.dumps(one))
            equal(read <= 20, True, f"{read} rows read by append_many of {one}, analyzed: {analyzed}")
        for sql in (insert("I0", 1, {}), insert("I0", 1, {"event_id": "'last'"}), "SELECT evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, 'single')",
                    "SELECT evercore_append(1, NULL, 'E', '{}')", "SELECT evercore_ensure('M0', '9'), evercore_find('M0', '10')"):
            read = rows_read(connection, sql)
            equal(read <= 20, True, f"{read} rows read by {sql}, analyzed: {analyzed}")


def test_one_event_by_key_and_event_id_reads_a_few_rows():
    for analyzed in (False, True):
        connection = warmed_up(analyzed)
        calls = ("SELECT evercore_append(1, NULL, 'E', '{}', event_id => $1)",
                 "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) VALUES ('W', 'a', 'E', '{}', $1)",
                 """SELECT evercore_append_many('[{"aggregate_type":"W","natural_key":"a","events":[{"event_type":"E","data":{},"event_id":"' || $1 || '"}]}]')""")
        for number, call in enumerate(calls):
            for turn in range(8):  # after five the server keeps a plan
                connection.rows(call, f"{number} {turn}")
        connection.rows(insert("T", 20000, {"event_id": "'t' || i"}))
        for number, call in enumerate(calls):
            read = rows_read(connection, call, f"{number} new")
            equal(read <= 12, True, f"{read} rows read, {'analyzed' if analyzed else 'never analyzed'}: {call}")
            read = rows_read(connection, call, f"{number} new")
            equal(read <= 12, True, f"{read} rows read by the repeat, {'analyzed' if analyzed else 'never analyzed'}: {call}")


def reads_few_when_grown(connection, calls, most, analyzed):
    """Each call reads at most that many rows of a store that grew by 20,000 aggregates since the session made its plans."""
    for call in calls * 8:  # after five the server keeps a plan
        connection.rows(call)
    connection.rows(insert("W", 20000, {}))
    for call in calls:
        read = rows_read(connection, call)
        equal(read <= most, True, f"{read} rows read, {'analyzed' if analyzed else 'never analyzed'}: {call}")


def test_a_session_of_a_small_store_reads_a_few_rows_when_it_has_grown():
    for analyzed in (False, True):
        connection = warmed_up(analyzed)
        calls = ("SELECT evercore_append(1, NULL, 'E', '{}')", "SELECT evercore_ensure('W', 'a')", "SELECT evercore_find('W', 'b')",
                 "SELECT evercore_append(1, NULL, 'E', '{}', tags => '[\"t\"]')")
        reads_few_when_grown(connection, calls, 12, analyzed)


def test_readers_of_a_small_store_read_a_few_rows_when_it_has_grown():
    for analyzed in (False, True):
        connection = warmed_up(False)
        connection.rows("SELECT evercore_subscribe('s')")
        token = connection.value("SELECT evercore_claim('s', 'w', 3600)")
        connection.rows("""SELECT evercore_append(1, NULL, 'E', '{}', tags => '["t"]'), evercore_subscribe('tagged', '{"tags":["t"]}')""")
        tagged = connection.value("SELECT evercore_claim('tagged', 'w', 3600)")
        if analyzed:
            connection.rows("ANALYZE")
        calls = ("SELECT * FROM evercore_follow(0, 10)", """SELECT * FROM evercore_follow(0, 10, '{"event_types":["E"]}')""",
                 """SELECT * FROM evercore_follow(0, 10, '{"aggregate_type":"W"}')""", f"SELECT * FROM evercore_fetch('s', {token}, 10)",
                 "SELECT * FROM evercore_events(1)", "SELECT * FROM evercore_events(1, 0, 10, 1000)", "SELECT * FROM evercore_replay(1)",
                 "SELECT * FROM evercore_history(1)", "SELECT evercore_state(1)", "SELECT evercore_state(1, 2)",
                 "SELECT evercore_sequence(1, '2026-01-01')", "SELECT evercore_snapshot(1)", "SELECT evercore_save_snapshot(1, 1, '{}', 1)",
                 """SELECT * FROM evercore_query('[{"types":["E"],"tags":["t"]}]')""", f"SELECT * FROM evercore_fetch('tagged', {tagged}, 10)",
                 """SELECT * FROM evercore_follow(0, 10, '{"tags":["t"]}')""", """SELECT * FROM evercore_follow(0, 10, '{"tags":["t"],"aggregate_type":"W"}')""")
        reads_few_when_grown(connection, calls, 60, analyzed)


def test_a_reader_of_a_rare_type_reads_by_the_index_of_types():
    connection = Connection(new_database())
    connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)"
                    " SELECT 'T', 'k' || i % 50, CASE WHEN i % 2000 = 7 THEN 'Rare' ELSE 'E' || i % 10 END, '{}' FROM generate_series(1, 20000) i")
    connection.rows("SELECT evercore_index_types(1)")
    connection.rows("ANALYZE")
    wanted = connection.rows("SELECT position FROM evercore_log WHERE event_type = 'Rare' ORDER BY 1")
    for number, (filter, most) in enumerate((('{"types":["Rare"]}', 80), ('{"types":["Rare","Rarer"]}', 80), ('{"types":["Rare"],"aggregate_type":"T"}', 120))):
        connection.rows("SELECT evercore_subscribe($1, $2, 'beginning')", f"s{number}", filter)
        token = connection.value("SELECT evercore_claim($1, 'w', 3600)", f"s{number}")
        for call in (f"SELECT position FROM evercore_follow(0, 100, '{filter}')", f"SELECT position FROM evercore_fetch('s{number}', {token}, 100)"):
            for _ in range(8):  # after five the server keeps a plan
                equal(connection.rows(call), wanted, call)
            read = rows_read(connection, call)
            equal(read <= most, True, f"{read} rows read: {call}")


def test_compaction_of_a_type_looks_at_no_more_than_it_is_asked_for():
    connection = Connection(new_database())
    connection.rows("SET track_functions = 'all'")
    connection.rows(insert("T", 200, {}))
    connection.rows(insert("T", 200, {}))
    counted = "SELECT coalesce(sum(calls), 0) FROM pg_stat_xact_user_functions WHERE funcname = '_evercore_protected'"
    for most in (1, 5):
        connection.rows("BEGIN")
        before = int(connection.value(counted))
        equal(connection.value(f"SELECT evercore_compact_type('T', 1, {most})"), str(most))
        equal(int(connection.value(counted)) - before, 2 * most, "once to choose an aggregate and once when it is locked")
        connection.rows("ROLLBACK")


def plans_of(database, settings, sql):
    """The plans of all statements that a call runs, in a session of its own, as auto_explain prints them; each begins with the statement."""
    script = f"LOAD 'auto_explain'; SET search_path = evercore; SET auto_explain.log_min_duration = 0; " \
             f"SET auto_explain.log_nested_statements = on; {settings} SET client_min_messages = log;"
    told = subprocess.run(["psql", "-X", "-q", "-d", database, "-c", script, "-c", sql], capture_output=True, text=True, check=True).stderr
    return told.split("Query Text: ")[1:]


def test_no_call_compiles_its_plans():
    # Under enable_seqscan = off and its like a plan without another way costs 10^10, and the server compiled it for a third of a second.
    database = new_database()
    equal(Connection(database).rows("""SELECT proname FROM pg_proc WHERE pronamespace = 'evercore'::regnamespace
                                       AND 'enable_seqscan=off' = ANY (proconfig) AND NOT 'jit=off' = ANY (proconfig)"""), [])
    Connection(database).rows("SELECT evercore_create('T', 'k' || i) FROM generate_series(1, 3) i")
    Connection(database).rows("SELECT evercore_subscribe('s'), evercore_claim('s', 'me', 60)")
    event = '"events": [{"event_type": "E", "data": {}}]'
    named = '"events": [{"event_type": "E", "data": {}, "event_id": "%s"}]'
    Connection(database).rows("SELECT evercore_aggregate_type('T', '{\"schema\":{\"properties\":{\"a\":{\"minimum\":0}}}}')")
    calls = (f"SELECT evercore_append_many('[{{\"aggregate_id\": 1, {event}}}]')",
             f"SELECT evercore_append_many('[{{\"aggregate_id\": 1, {event}}}, {{\"aggregate_id\": 2, {event}}}]')",
             f"SELECT evercore_append_many('[{{\"aggregate_type\": \"T\", \"natural_key\": \"new\", {named % 'a'}}}]')",
             "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{}')",
             "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) SELECT 'T', i, 'E', '{}' FROM generate_series(1, 3) i",
             "SELECT evercore_append(1, NULL, 'E', '{}')", "SELECT evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, 'b')",
             "SELECT evercore_append(1, NULL, 'E', '{}', event_id => 'c', tags => '[\"t\"]')", "SELECT evercore_append(1, NULL, 'E', '{}', 'r', tags => '[\"t\"]')",
             "SELECT * FROM evercore_follow(0)", "SELECT * FROM evercore_follow(0, 10)", "SELECT * FROM evercore_follow(0, 10, '{\"event_types\": [\"E\"]}')",
             "SELECT * FROM evercore_fetch('s', 1)", "SELECT evercore_ack('s', 1, 1)", "SELECT * FROM evercore_events(1)", "SELECT * FROM evercore_events(1, 0, -1)",
             "SELECT * FROM evercore_replay(1)", "SELECT evercore_state(1)", "SELECT * FROM evercore_history(1)", "SELECT evercore_sequence(1)")
    options = {"schema": {"required": ["a"], "properties": {"a": {"enum": [1, 2]}, "b": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"type": "object"}}},
               "upcast": [{"rename": {"/old": "a", "/c/d": "e"}}, {"default": {"/b": {}}}, {"remove": ["/x", "/y"]}], "tags": {"t": "/a"}}
    rules = [{"add": {"/a": "/a"}}, {"set": {"/b": "/b", "/{/b}": {"value": 1}}}, {"remove": ["/c", "/d"]}]
    declaring = (f"SELECT evercore_event_type('D', '{json.dumps(rules)}', '{json.dumps(options)}')", f"SELECT evercore_validate('D', '{{}}', '{json.dumps(options)}')".replace(', "tags": {"t": "/a"}', ""),
                 "SELECT evercore_upcast('D', '{\"old\":1}')", "SELECT evercore_validate('D', '{\"old\":3}')", "SELECT evercore_append(1, NULL, 'D', '{\"old\":1}')",
                 "SELECT evercore_state(1)", "SELECT * FROM evercore_replay(1)", "SELECT evercore_aggregate_type('U', '{\"schema\":{}}')", "SELECT evercore_fill()",
                 "SELECT evercore_snapshot(1)", "SELECT * FROM evercore_query('[{\"tags\":[\"t:1\"]}]')", "SELECT * FROM evercore_check()")
    for sql in (*calls, *declaring):
        equal([plan for plan in plans_of(database, "", sql) if "JIT:" in plan], [], sql)
    for sql in calls:
        if "evercore_append(1" in sql or "ack" in sql or "sequence" in sql:
            continue  # of rows found by a key, whose plans stay cheap however large the store is
        plans = plans_of(database, "SET jit_above_cost = 1; SET jit_inline_above_cost = -1; SET jit_optimize_above_cost = -1;", sql)
        equal([plan for plan in plans if "JIT:" in plan and not plan.startswith(sql)], [], sql)


def test_no_reader_starts_workers():
    database = new_database()
    Connection(database).rows(insert("T", 200, {}))
    Connection(database).rows("SELECT evercore_subscribe('s'), evercore_claim('s', 'me', 60)")
    script = """
      LOAD 'auto_explain'; SET search_path = evercore;
      SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on; SET client_min_messages = log;
      SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET min_parallel_index_scan_size = 0;
    """
    def plans(sql):
        told = subprocess.run(["psql", "-X", "-q", "-d", database, "-c", script + sql], capture_output=True, text=True, check=True).stderr
        return ["Gather" in told, "evercore_event" in told]
    equal(plans("SELECT count(*) FROM evercore_event WHERE sequence > 0"), [True, True], "a statement that may")
    for sql in ("SELECT * FROM evercore_follow(100)", "SELECT * FROM evercore_follow(100, 10)", "SELECT * FROM evercore_follow(0, 10, '{}', 150)",
                "SELECT * FROM evercore_fetch('s', 1, 1)"):
        equal(plans(sql), [False, True], sql)


def test_a_fetch_of_a_rare_event_looks_at_a_bounded_number_of_events():
    connection = Connection(new_database())
    connection.rows(insert("T", 1, {}))
    for filter, call in (({"event_types": ["Rare"]}, "rare"), ({"event_types": ["Rare"], "aggregate_type": "T"}, "both"), ({"aggregate_type": "U"}, "type"),
                         ({"event_types": ["Rare"], "aggregate_type": "T", "natural_key": "k1"}, "key")):
        connection.rows("SELECT evercore_subscribe($1, $2)", call, json.dumps(filter))
    connection.rows("""SELECT evercore_subscribe('parts', '{"aggregate_type": "T", "natural_key": "k1"}', 'beginning', 2)""")
    connection.rows("INSERT INTO evercore_event (aggregate_id, sequence, event_type, data) SELECT 1, i, 'Common', '{}' FROM generate_series(2, 250000) i")
    connection.rows("UPDATE evercore_aggregate SET sequence = 250000 WHERE aggregate_id = 1")
    connection.rows("SELECT evercore_restored()")  # a gap of a million positions is no work
    connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('U', 'u', 'Rare', '{}'), ('T', 'k1', 'Rare', '{}')")
    for part in range(2):
        token = connection.value("SELECT evercore_claim('parts', $1, 60)", part)
        read = rows_read(connection, "SELECT * FROM evercore_fetch('parts', $1)", token)
        equal(read <= 200, True, f"{read} rows read by a partition that has the aggregate, or has not")
    for name in ("rare", "both", "key", "type"):  # the last looks at the aggregate of each event, and its type
        token = connection.value("SELECT evercore_claim($1, 'w', 60)", name)
        cursor = "0"
        for call in range(3):
            read = rows_read(connection, "SELECT * FROM evercore_fetch($1, $2)", name, token)
            equal(read <= 100100 * (3 if name == "type" else 1), True, f"{read} rows read by fetch {call} of {name}")
            if call == 1:  # a call that is cut short loses what it looked at, and no more
                connection.rows("BEGIN; SELECT * FROM evercore_fetch('" + name + "', " + token + "); ROLLBACK")
            moved = connection.value("SELECT position FROM evercore_subscriptions WHERE name = $1", name)
            equal(int(moved) > int(cursor) or call == 2, True, f"the cursor of {name} moves over what its filter keeps out")
            cursor = moved
        found = connection.rows("SELECT event_type, aggregate_type FROM evercore_fetch($1, $2)", name, token)
        equal(len(found), 2 if name == "rare" else 1, name)
        equal(connection.value("SELECT lag_events FROM evercore_subscriptions WHERE name = $1", name), str(len(found)), name)


def test_an_old_snapshot_costs_a_reader_of_one_aggregate_its_dead_versions_once():
    database = new_database()
    writer, reader, stranger = Connection(database), Connection(database), Connection(database)
    writer.rows("SELECT evercore_create('T', 'k'), evercore_subscribe('s'), evercore_claim('s', 'w', 3600)")
    stranger.rows("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM pg_class LIMIT 1")
    for _ in range(1000):
        writer.rows("SELECT evercore_append(1, NULL, 'E', '{}')")

    tokens = {}
    for name, filter, partitions in (("typed", '{"event_types":["E"]}', 1), ("kind", '{"aggregate_type":"T"}', 1), ("parts", None, 2)):
        writer.rows("SELECT evercore_subscribe($1, $2, NULL, $3)", name, filter, partitions)
        for _ in range(partitions):
            tokens[name] = writer.value("SELECT evercore_claim($1, 'w', 3600)", name)
    calls = ("SELECT evercore_sequence(1)", """SELECT * FROM evercore_follow(0, 100, '{"event_types":["E"]}')""",
             """SELECT * FROM evercore_follow(0, 100, '{"aggregate_type":"T"}')""", "SELECT * FROM evercore_follow(0, 100, NULL, 1000)",
             *(f"SELECT * FROM evercore_fetch('{name}', {token}, 200)" for name, token in tokens.items()),
              "SELECT * FROM evercore_follow(0, 100)", "SELECT * FROM evercore_follow()", "SELECT * FROM evercore_fetch('s', 1, 200)", "SELECT * FROM evercore_events(1, 0, 100)", "SELECT * FROM evercore_events(1, 0, -100)",
             "SELECT * FROM evercore_events(1, 0, NULL, 100)", "SELECT evercore_state(1, 100)", "SELECT count(*) FROM evercore_replay(1)",
             "SELECT evercore_append(1, NULL, 'E', '{}')")
    then = [pages(reader, sql) for sql in calls]
    stranger.rows("COMMIT")
    reader.rows("VACUUM evercore_aggregate")
    for sql, was in zip(calls, then):
        now = pages(reader, sql)
        equal(was - now < 4 * then[0], True, f"{sql}: {was} pages, {now} without the old snapshot")


def test_followers_of_few_and_of_many_aggregates_read_the_same():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_subscribe('s'), evercore_claim('s', 'w', 3600)")
    connection.rows("""SELECT evercore_subscribe('typed', '{"event_types":["E"]}'), evercore_claim('typed', 'w', 3600)""")
    connection.rows("""SELECT evercore_subscribe('kind', '{"aggregate_type":"T1"}'), evercore_claim('kind', 'w', 3600)""")
    for pattern in ("1", "i % 2", "i % 3", "i", "i / 5", "CASE WHEN i % 20 = 0 THEN i ELSE 0 END", "CASE WHEN i < 100 THEN 0 ELSE i END", "i / 20"):
        before = connection.value("SELECT evercore_head()")
        connection.rows(f"INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) "
                        f"SELECT 'T' || i % 2, 'k' || {pattern}, 'E', json_build_object('i', i)::text FROM generate_series(1, 300) i")
        for limit in (None, 63, 64, 100, 300):
            columns = "position, aggregate_id, aggregate_type, natural_key, sequence, event_type, data, event_time"
            followed = connection.rows(f"SELECT {columns} FROM evercore_follow($1, $2)", before, limit)
            equal(followed, connection.rows(f"SELECT {columns} FROM evercore_log WHERE position > $1 ORDER BY position LIMIT $2", before, limit),
                  f"{pattern}, {limit} events")
            if limit:
                equal(connection.rows(f"SELECT {columns} FROM evercore_fetch('s', 1, $1)", limit), followed, f"{pattern}, {limit} events by fetch")
                equal(connection.rows(f"SELECT {columns} FROM evercore_fetch('typed', 2, $1)", limit), followed, f"{pattern}, {limit} events of a type")
                of_kind = [row for row in followed if row[2] == "T1"]
                equal(connection.rows(f"SELECT {columns} FROM evercore_fetch('kind', 3, $1)", limit)[:len(of_kind)], of_kind, f"{pattern}, {limit} events")
                equal(connection.rows(f"SELECT {columns} FROM evercore_follow($1, $2, '{{\"aggregate_type\":\"T1\"}}')", before, limit)[:len(of_kind)],
                      of_kind, f"{pattern}, {limit} events of a type of aggregates")
        connection.rows("SELECT evercore_ack('s', 1, evercore_head()), evercore_ack('typed', 2, evercore_head()), evercore_ack('kind', 3, evercore_head())")


def test_a_long_fold_in_blocks_gives_what_one_event_after_the_other_gives():
    connection = Connection(new_database())
    connection.rows(insert("T", 1, {}))
    connection.rows("""INSERT INTO evercore_event (aggregate_id, sequence, event_type, data)
        SELECT 1, i, 'E', CASE WHEN i % 3 = 0 THEN json_build_object('k' || i, i, 'k' || i - 1, NULL) WHEN i % 7 = 0 THEN json_build_object('k' || i / 7, -i)
                               ELSE json_build_object('k' || i, i) END FROM generate_series(2, 5000) i""")
    connection.rows("UPDATE evercore_aggregate SET sequence = 5000 WHERE aggregate_id = 1")
    expected = {}
    for i in range(2, 5001):
        expected[f"k{i // 7}" if i % 3 and i % 7 == 0 else f"k{i}"] = -i if i % 3 and i % 7 == 0 else i
    equal(json.loads(connection.value("SELECT evercore_state(1)")), expected, "the state")
    connection.rows("SELECT evercore_snapshot(1)")
    equal(json.loads(connection.value("SELECT evercore_state(1)")), expected, "from its snapshot")


def test_a_fold_copies_in_proportion_to_what_it_reads():
    connection = Connection(new_database())
    connection.rows("SET track_functions = 'all'; SELECT evercore_event_type('P', 'patch'), evercore_create('T', 'k' || i) FROM generate_series(1, 4) i")
    event = "INSERT INTO evercore_event (aggregate_id, sequence, event_type, data) SELECT {}, i, {}, {} FROM generate_series(1, {}) i"
    connection.rows(event.format(1, "'P'", "json_build_object('items', json_build_object('k' || i, 1))", 8000))
    connection.rows(event.format(2, "'P'", "json_build_object('items', json_build_object('k' || i, repeat('x', 2000)))", 8000))
    connection.rows(event.format(3, "'M'", "json_build_object('k' || 100000 + i, 100000 + i)", 40000))
    connection.rows(event.format(4, "'M'", "(SELECT json_object_agg('k' || i * 80 + j, j) FROM generate_series(1, 80) j)", 512))
    connection.rows("UPDATE evercore_aggregate a SET sequence = (SELECT max(e.sequence) FROM evercore_event e WHERE e.aggregate_id = a.aggregate_id)")

    # Patches: each of these calls copies what is there of the state.
    counted = """SELECT coalesce(sum(calls), 0) FROM pg_stat_xact_user_functions
                  WHERE funcname IN ('_evercore_apply', '_evercore_merge_patch', '_evercore_patch_deep', '_evercore_fold_step')"""

    def copies(id, sequence):
        connection.rows("BEGIN")
        members = connection.value("SELECT count(*) FROM jsonb_each(evercore_state($1, $2) -> 'items')", id, sequence)
        equal(members, str(sequence), "the members of the state")
        amount = int(connection.value(counted))
        connection.rows("ROLLBACK")
        return amount
    equal(max(copies(1, 4000), copies(1, 8000)) <= 3, True, "small patches are applied at once")
    few, more = copies(2, 4000), copies(2, 8000)
    equal(few < 10 and more <= few + 1, True, f"a state of 8 MB is copied {few} times, one of 16 MB {more} times")

    # Merges: each step copies the state so far.
    connection.rows("""CREATE FUNCTION counted(state jsonb, data jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
                         PERFORM set_config('test.copied', (current_setting('test.copied')::bigint + pg_column_size(state) + pg_column_size(data))::text, false);
                         RETURN state || data; END $$""")
    connection.rows("CREATE OR REPLACE AGGREGATE evercore._evercore_merge(jsonb) (SFUNC = evercore.counted, STYPE = jsonb, INITCOND = '{}')")

    def copied(id, sequence, members):
        connection.rows("SET test.copied = '0'")
        equal(connection.value("SELECT count(*) FROM jsonb_each(evercore_state($1, $2))", id, sequence), str(sequence * members), "the members of the state")
        return int(connection.value("SHOW test.copied"))
    for id, few, many, members in ((3, 10000, 40000, 1), (4, 128, 512, 80)):
        fewer, all_of_them = copied(id, few, members), copied(id, many, members)
        equal(all_of_them < 4.2 * fewer, True, f"{fewer} bytes copied for {few} merges, {all_of_them} for {many}")


def test_a_state_from_its_snapshot_reads_little_more_than_the_snapshot():
    connection = Connection(new_database())
    data = "(SELECT json_object_agg('k' || i * 1000 + j, md5(i::text || j)) FROM generate_series(1, 1000) j)"
    connection.rows(f"INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) SELECT 'T', 'k', 'E', {data}::text FROM generate_series(1, 40) i")
    connection.rows("SELECT evercore_snapshot(1)")
    snapshot = pages(connection, "SELECT length(state::text) FROM evercore_snapshot WHERE aggregate_id = 1")
    equal(snapshot > 200, True, f"a snapshot of {snapshot} pages is large enough to tell")
    state = pages(connection, "SELECT length(evercore_state(1)::text)")
    equal(state <= 1.2 * snapshot, True, f"{state} pages read for a state of {snapshot}")
    equal(rows_read(connection, "SELECT evercore_state(1)") <= 10, True, "no event of it is read again")
