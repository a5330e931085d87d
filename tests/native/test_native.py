"""How the module comes into stores and goes: by script and by extension, by dump and restore, and where versions differ."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "postgres"))
import harness
from harness import Later, equal, install, new_database, refused, uri, waits_for_lock
from pq import Connection
from test_install import dump_and_restore
from test_plans import rows_read

FUNCTIONS = ["_evercore_payload_fault", "_evercore_schema_fault", "evercore_append", "evercore_append_many"]


def languages(connection, schema="evercore"):
    """The functions of the module, and those that it has put aside."""
    return connection.rows("SELECT p.proname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.pronamespace = $1::regnamespace"
                           " AND l.lanname = 'c' ORDER BY 1", schema), connection.rows(
        "SELECT p.proname FROM pg_proc p WHERE p.pronamespace = $1::regnamespace AND p.proname ~ '_evercore_(sql|native)_' ORDER BY 1", schema)


def is_replaced(connection, schema="evercore"):
    native, aside = languages(connection, schema)
    equal([name for (name,) in native], FUNCTIONS)
    equal(len(aside), 5)
    equal(connection.rows(f"SELECT problem FROM {schema}.evercore_check()"), [])


def is_plain(connection, schema="evercore"):
    equal(languages(connection, schema), ([], []))
    equal(connection.rows(f"SELECT problem FROM {schema}.evercore_check()"), [])


def appends(connection, schema="evercore"):
    """Three events, by each form once: in a session of its own they go through SQL first, then through the module."""
    before = int(connection.value(f"SELECT count(*) FROM {schema}.evercore_log"))
    connection.rows(f"SELECT {schema}.evercore_append({schema}.evercore_ensure('T', 'a'), NULL, 'E', '{{\"a\":1}}')")
    connection.rows(f"SELECT {schema}.evercore_append({schema}.evercore_ensure('T', 'a'), NULL, 'E', '{{\"a\":2}}')")
    connection.rows(f"""SELECT {schema}.evercore_append_many('[{{"aggregate_type":"T","natural_key":"a","events":[{{"event_type":"E","data":{{"a":3}}}}]}}]')""")
    equal(int(connection.value(f"SELECT count(*) FROM {schema}.evercore_log")), before + 3)
    equal(connection.rows(f"SELECT problem FROM {schema}.evercore_check()"), [])


def test_a_store_of_a_script_gets_the_functions_and_keeps_its_owner_and_rights():
    connection = Connection(new_database())
    rights = "SELECT p.oid::regprocedure::text, p.proowner::regrole::text, p.proacl::text FROM pg_proc p WHERE p.proname = ANY ($1) AND pronamespace = 'evercore'::regnamespace ORDER BY 1"
    before = connection.rows(rights, "{" + ",".join(FUNCTIONS) + "}")
    connection.rows("CREATE EXTENSION evercore_native")
    is_replaced(connection)
    equal(connection.rows(rights, "{" + ",".join(FUNCTIONS) + "}"), before)
    appends(connection)
    connection.rows("SELECT evercore_migrate()")
    is_replaced(connection)
    install(uri(connection.value("SELECT current_database()")))
    is_replaced(connection)
    appends(connection)
    appends(connection)
    connection.rows("SET ROLE evercore_writer")
    equal(connection.value("SELECT evercore_append(1, 9, 'E', '{}')"), "10")
    refused(lambda: connection.rows("SELECT _evercore_sql_append(1, NULL, 'E', '{}', NULL, NULL, NULL, NULL, NULL)"), "42501")
    connection.rows("SET ROLE evercore_reader")
    refused(lambda: connection.rows("SELECT evercore_append(1, NULL, 'E', '{}')"), "42501")


def test_dropping_the_extension_puts_the_functions_in_sql_back():
    connection = Connection(new_database())
    connection.rows("CREATE EXTENSION evercore_native")
    appends(connection)
    connection.rows("DROP EXTENSION evercore_native")
    is_plain(connection)
    appends(connection)
    connection.rows("CREATE EXTENSION evercore_native; DROP EXTENSION IF EXISTS amcheck, evercore_native CASCADE")
    is_plain(connection)
    # Nothing can be put back before this: the functions stay, and go on.
    connection.rows("CREATE EXTENSION evercore_native; DROP SCHEMA evercore_native CASCADE")
    is_replaced(connection)
    appends(connection)
    connection.rows("CREATE EXTENSION evercore_native; DROP EXTENSION evercore_native")
    is_plain(connection)
    appends(connection)


def test_a_store_of_the_extension_and_one_of_a_script_in_one_database():
    database = new_database(False)
    connection = Connection(database, None)
    connection.rows("CREATE EXTENSION evercore; SELECT evercore.evercore_migrate()")
    install(database, "Second-1")
    connection.rows("CREATE EXTENSION evercore_native")
    for schema in ("evercore", '"Second-1"'):
        is_replaced(connection, schema)
        appends(connection, schema)
    connection.rows("ALTER EXTENSION evercore UPDATE; SELECT evercore.evercore_migrate()")
    is_replaced(connection)
    restored = Connection(dump_and_restore(database), None)
    for schema in ("evercore", '"Second-1"'):
        is_replaced(restored, schema)
        appends(restored, schema)
    restored.rows("DROP EXTENSION evercore_native")
    for schema in ("evercore", '"Second-1"'):
        is_plain(restored, schema)
        appends(restored, schema)
    connection.rows("DROP EXTENSION evercore CASCADE; CREATE EXTENSION evercore; SELECT evercore.evercore_migrate()")
    appends(connection)
    equal(connection.value("SELECT evercore_native.replace_functions()"), "2")
    is_replaced(connection)
    appends(connection)


def test_a_store_made_later_is_replaced_when_asked_for():
    database = new_database(False)
    connection = Connection(database, None)
    connection.rows("CREATE EXTENSION evercore_native")
    install(database)
    is_plain(connection)
    equal(connection.value("SELECT evercore_native.replace_functions()"), "1")
    is_replaced(connection)
    appends(connection)


def test_a_store_of_another_version_is_left_as_it_is():
    connection = Connection(new_database())
    connection.rows("CREATE OR REPLACE FUNCTION evercore_version() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT '9.9.9'::text $$")
    connection.rows("CREATE EXTENSION evercore_native")
    equal(languages(connection), ([], []))
    equal(connection.value("SELECT evercore_native.replace_functions()"), "0")


def test_a_function_of_another_version_of_the_module_is_made_anew_in_sql():
    connection = Connection(new_database())
    connection.rows("CREATE EXTENSION evercore_native")
    connection.rows("UPDATE pg_proc SET probin = '$libdir/evercore_native-0.1.9' WHERE probin ~ 'evercore_native' AND proname = 'evercore_append'")
    equal(len(connection.rows("SELECT problem FROM evercore_check()")), 1)
    connection.rows("SELECT evercore_migrate()")
    equal(connection.rows("SELECT problem FROM evercore_check()"), [])
    appends(connection)


def test_what_an_owner_leaves_in_his_store_is_not_run_by_the_superuser_who_makes_the_extension():
    connection = Connection(new_database())
    connection.rows("CREATE TABLE public.who (name text); GRANT ALL ON public.who TO PUBLIC")
    for function in ("_evercore_functions()", "_evercore_source()", "evercore_version()"):
        body = connection.value("SELECT pg_get_functiondef(to_regprocedure($1))", function)
        if "LANGUAGE plpgsql" in body:
            connection.rows(body.replace("BEGIN", "BEGIN INSERT INTO public.who VALUES (current_user);", 1).replace(" STABLE", " VOLATILE"))
    connection.rows("CREATE EXTENSION evercore_native")
    equal(connection.rows("SELECT name FROM public.who"), [])


def test_a_schema_that_only_looks_like_a_store_gets_no_function_of_the_superuser():
    connection = Connection(new_database())
    connection.rows("CREATE EXTENSION evercore_native")
    planted = "stranger_" + connection.value("SELECT pg_backend_pid()")
    texts = [connection.value("SELECT pg_get_functiondef(to_regprocedure('evercore.' || $1))", function)
             for function in ("_evercore_hold_floor(bigint)", "evercore_version()")]
    connection.rows(f"CREATE SCHEMA {planted}; CREATE ROLE {planted}; ALTER SCHEMA {planted} OWNER TO {planted}; SET ROLE {planted}")
    for text in texts:
        connection.rows(text.replace("FUNCTION evercore.", f"FUNCTION {planted}.").replace('"evercore"', planted))
    connection.rows("RESET ROLE")
    equal(connection.value("SELECT evercore_native.replace_functions()"), "1")
    equal(connection.rows("SELECT proname FROM pg_proc WHERE pronamespace = $1::text::regnamespace AND proowner <> $1::text::regrole", planted), [])
    equal(languages(connection, planted), ([], []))
    connection.rows(f"DROP OWNED BY {planted}; DROP ROLE {planted}")


def test_what_an_owner_makes_of_the_functions_beside_the_module_ends_no_server():
    database = new_database()
    Connection(database).rows("CREATE EXTENSION evercore_native; SET ROLE evercore_owner;"
                              " CREATE OR REPLACE FUNCTION _evercore_native_name() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT NULL::text'")
    refused(lambda: Connection(database).rows("SELECT evercore_append(1, NULL, 'E', '{}')"), "XX000")
    other = Connection(new_database())
    other.rows("CREATE EXTENSION evercore_native")
    appends(other)
    other.rows("SET ROLE evercore_owner; DROP FUNCTION _evercore_resolve(bigint[], text[], text[], boolean);"
               " CREATE FUNCTION _evercore_resolve(bigint[], text[], text[], boolean) RETURNS text LANGUAGE sql AS 'SELECT chr(120)'")
    refused(lambda: other.rows("""SELECT evercore_append_many('[{"aggregate_type":"T","natural_key":"a","events":[{"event_type":"E","data":{}}]}]')"""), "22P02")


def test_a_repeat_that_waited_for_the_first_counts_no_version():
    database = new_database()
    first, second, observer = Connection(database), Connection(database), Connection(database)
    first.rows("CREATE EXTENSION evercore_native")
    appends(first)
    appends(second)
    for other, answer in (("1", "7"), ("2", "8")):
        first.rows(f"BEGIN; SELECT evercore_append(1, NULL, 'E', '{{}}', event_id => 'first {other}')")
        late = Later(lambda: second.value(f"SELECT evercore_append(1, NULL, 'E', '{{}}', event_id => 'first 1')"))
        equal(waits_for_lock(observer, second.pid()), True)
        first.rows("COMMIT")
        equal(late.result(), "7")
        equal(first.value("SELECT evercore_sequence(1)"), answer)
    equal(first.value("SELECT evercore_append(1, 8, 'E', '{}', event_id => 'third')"), "9")
    equal(first.value("SELECT evercore_append(1, 8, 'E', '{}', event_id => 'third')"), "9")
    refused(lambda: first.rows("SELECT evercore_append(1, 8, 'E', '{}', event_id => 'fourth')"), "EV001")


def test_a_renamed_schema_is_told_from_its_store():
    connection = Connection(new_database())
    connection.rows("CREATE EXTENSION evercore_native")
    appends(connection)
    connection.rows("ALTER SCHEMA evercore RENAME TO moved; SET search_path = moved, public")
    refused(lambda: connection.rows("SELECT evercore_append(1, NULL, 'E', '{}')"), "EV010")
    refused(lambda: connection.rows("""SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"E","data":{}}]}]')"""), "EV010")
    connection.rows("ALTER SCHEMA moved RENAME TO evercore; SET search_path = evercore, public")
    appends(connection)


def test_a_declaration_that_an_append_waited_for_is_seen_by_it():
    database = new_database()
    one, other = Connection(database), Connection(database)
    one.rows("CREATE EXTENSION evercore_native")
    appends(one)
    appends(other)
    one.rows("BEGIN; SELECT evercore_event_type('E', NULL, '{\"schema\":{\"required\":[\"b\"]}}')")
    pid = other.value("SELECT pg_backend_pid()")
    waiting = Later(lambda: other.rows("SELECT evercore_append(1, NULL, 'E', '{\"a\":4}')"))
    assert waits_for_lock(Connection(database), pid)
    one.rows("COMMIT")
    refused(waiting.result, "EV011", "EV011: data of \"E\": : required")


def test_an_array_of_appends_reads_as_many_rows_as_it_writes_by_the_statistics_of_a_small_store():
    connection = Connection(new_database())
    connection.rows("CREATE EXTENSION evercore_native")
    appends(connection)
    connection.rows("ANALYZE")
    connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) SELECT 'T', 'k' || i, 'E', '{}' FROM generate_series(1, 10000) i")
    some = json.dumps([{"aggregate_type": "T", "natural_key": f"k{i}", "events": [{"event_type": "E", "data": {}}]} for i in range(9001, 10001)])
    read = rows_read(connection, "SELECT evercore_append_many($1)", some)
    equal(read <= 5000, True, f"{read} rows read")


if __name__ == "__main__":
    harness.main([sys.modules[__name__]])
