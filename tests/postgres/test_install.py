"""Getting a store: by script, twice, two of them, several at once; by extension; up and down; moved by dump and restore."""
import gzip
import os
import pathlib
import re
import subprocess
import tempfile

import extension_server
import harness
from harness import ROOT, equal, install, new_database, program, refused, together, uri
from pq import Connection, Error
from test_drift import left_alone, migrate

VERSION = (ROOT / "VERSION").read_text().strip()


def catalogue(connection, schema="evercore"):
    return connection.rows("SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = $1::regnamespace"
                           " UNION ALL SELECT c.oid::regclass::text || c.relkind::text FROM pg_class c WHERE c.relnamespace = $1::regnamespace"
                           " UNION ALL SELECT tgname || tgenabled::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = $1::regnamespace"
                           " ORDER BY 1", schema)


def fill(connection):
    connection.rows("SELECT evercore_event_type('Patch', 'patch'), evercore_snapshot_policy('T', 4, 1)")
    connection.rows("""INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id)
                       SELECT 'T', 'k' || i % 3, CASE i % 2 WHEN 0 THEN 'E' ELSE 'Patch' END, '{"i":' || i || '}', 'id' || i FROM generate_series(1, 30) i""")
    connection.rows("SELECT evercore_compact(1, 3); SELECT evercore_save_snapshot(2, 4, '{}', 7); SELECT evercore_create('U', 'none')")


def contents(connection):
    return [connection.rows(f"SELECT * FROM {what}") for what in
            ("evercore_log ORDER BY position", "evercore_aggregates ORDER BY aggregate_id", "evercore_stats()", "evercore_check()", "evercore_replay(1)",
             "evercore_replay(2, 7)")]


def goes_on(connection):
    """What a restored store must do: next position, next sequence, next id, known ids, policies, the append-only seat belt."""
    equal(connection.value("SELECT evercore_append(1, 10, 'E', '{\"x\":1}')"), "11")
    equal(connection.value("SELECT max(position) FROM evercore_follow()"), "31")
    equal(connection.value("SELECT evercore_create('T', 'new')"), "5")
    equal(connection.value("SELECT evercore_append(1, NULL, 'Patch', '{\"i\":1}', NULL, NULL, NULL, 'id1')"), "1")
    equal(connection.value("SELECT evercore_append(1, NULL, 'E', '{\"x\":1}')"), "12")
    equal(connection.value("SELECT count(*) FROM evercore_snapshot WHERE aggregate_id = 1 AND sequence = 12"), "1", "the policy")
    refused(lambda: connection.rows("DELETE FROM evercore_event"), "EV010")
    refused(lambda: connection.rows("INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{')"), "EV004")
    equal(connection.rows("SELECT * FROM evercore_check()"), [])
    equal(connection.value("SELECT evercore_migrate()"), connection.value("SELECT version FROM evercore_schema"))


def test_installing_twice_changes_nothing():
    database = new_database()
    connection = Connection(database)
    fill(connection)
    before = catalogue(connection), contents(connection)
    install(database)
    equal((catalogue(connection), contents(connection)), before)
    subprocess.run(["make", "-s", "-C", ROOT, "sql-install", f"DATABASE={database}", "SCHEMA=evercore"], check=True)
    equal((catalogue(connection), contents(connection)), before)
    goes_on(connection)


def test_installing_many_times_at_once():
    database = new_database(False)
    together(*[lambda: install(database)] * 6)
    connection = Connection(database)
    fill(connection)
    goes_on(connection)


def test_two_stores_do_not_touch_each_other():
    database = new_database()
    install(database, "two")
    first, second = Connection(database), Connection(database, "two")
    fill(first)
    equal(second.rows("SELECT * FROM evercore_log"), [])
    fill(second)
    equal(second.rows("SELECT position, data FROM evercore_log ORDER BY 1"), first.rows("SELECT position, data FROM evercore_log ORDER BY 1"))
    first.rows("SELECT evercore_erase(1)")
    goes_on(second)
    equal(second.rows("SELECT 1 FROM pg_depend d JOIN pg_class c ON c.oid = d.objid JOIN pg_class r ON r.oid = d.refobjid"
                      " WHERE c.relnamespace = 'two'::regnamespace AND r.relnamespace = 'evercore'::regnamespace"), [])
    first.rows("DROP SCHEMA evercore CASCADE")
    equal(second.value("SELECT evercore_append(1, 12, 'E', '{}')"), "13")


def test_names_that_could_break_out_are_refused():
    for schema in ('x"; DROP TABLE y; --', "a b", ""):
        done = subprocess.run([ROOT / "sql/install", "", schema], capture_output=True, text=True, check=False)
        if schema:
            equal((done.returncode, "letters, digits" in done.stderr), (2, True), schema)


def test_down_and_up():
    connection = Connection(new_database())
    newest = connection.value("SELECT evercore_migrate()")
    everything = catalogue(connection)
    equal(connection.value("SELECT evercore_migrate(0)"), "0")
    for sql in ("SELECT evercore_append(1, NULL, 'E', '{}')", "SELECT evercore_find('T', 'a')", "SELECT evercore_ensure('T', 'a')", "SELECT evercore_create('T')",
                "SELECT * FROM evercore_follow()", "SELECT evercore_state(1)", "SELECT * FROM evercore_check()", "SELECT * FROM evercore_stats()",
                "SELECT evercore_append_many('[]')", "SELECT * FROM evercore_events(1)", "SELECT * FROM evercore_history(1)", "SELECT evercore_sequence(1)",
                "SELECT evercore_snapshot(1)", "SELECT evercore_compact(1)", "SELECT evercore_compact_type('T')", "SELECT evercore_event_type('E', 'patch')",
                "SELECT evercore_snapshot_policy('T', 1, 1)", "SELECT evercore_rekey(1, 'x')", "SELECT evercore_erase(1)", "SELECT * FROM evercore_replay(1)"):
        refused(lambda sql=sql: connection.rows(sql), "EV008", "EV008: the store is not migrated: SELECT evercore_migrate()")
    equal(connection.value("SELECT evercore_migrate()"), newest)
    equal(catalogue(connection), everything)
    fill(connection)
    refused(lambda: connection.rows("SELECT evercore_migrate(0)"), "EV010", "EV010: the store holds events")
    refused(lambda: connection.rows("SELECT evercore_migrate(99)"), "EV009", "EV009: target is out of range: 99")
    connection.rows("UPDATE evercore_schema SET version = 98")
    refused(lambda: connection.rows("SELECT evercore_migrate()"), "EV008", "EV008: the store has schema version 98, newer than this evercore knows")


def test_migrations_read_as_goose_reads_them():
    connection = Connection(new_database(False), None)
    connection.rows("CREATE SCHEMA g; SET search_path = g, pg_temp")
    for path in sorted((ROOT / "migrations/postgres").glob("*.sql")):
        up = path.read_text().split("-- +goose Up\n")[1].split("-- +goose Down\n")[0]
        down = path.read_text().split("-- +goose Down\n")[1]
        connection.rows("BEGIN")
        for statement in up.split(";\n") if "StatementBegin" not in up else [up]:
            if statement.strip():
                connection.rows(statement)
        connection.rows("COMMIT")
        assert down.strip()


def dump_and_restore(database, *arguments):
    """Into a new database, as an administrator would; gives its URI."""
    target = new_database(False)
    dump, restore = program("pg_dump"), program("pg_restore")
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run([dump, "-Fc", *arguments, "-f", file.name, database], check=True)
        subprocess.run([restore, "--exit-on-error", "-d", target, file.name], check=True)
    return target


def test_dump_and_restore_of_a_store_installed_by_script():
    database = new_database()
    connection = Connection(database)
    fill(connection)
    restored = Connection(dump_and_restore(database))
    equal(contents(restored), contents(connection))
    equal(catalogue(restored), catalogue(connection))
    goes_on(restored)
    restored.rows("SET ROLE evercore_writer; SELECT evercore_append(1, NULL, 'E', '{}')")
    refused(lambda: restored.rows("SELECT * FROM evercore_log"), "42501")
    only = Connection(dump_and_restore(database, "-n", "evercore"))
    goes_on(only)


def test_a_restore_as_another_role_is_taken_over_by_an_installation():
    database = new_database()
    connection = Connection(database)
    fill(connection)
    target = new_database(False)
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run([program("pg_dump"), "-Fc", "--schema=evercore", "-f", file.name, database], check=True)
        subprocess.run([program("pg_restore"), "--exit-on-error", "--no-owner", "--no-privileges", "-d", target, file.name], check=True)
    install(target)
    restored = Connection(target)
    equal(contents(restored), contents(connection))
    equal(catalogue(restored), catalogue(connection))
    goes_on(restored)
    restored.rows("SET ROLE evercore_writer; SELECT evercore_append(1, NULL, 'E', '{}')")


def test_a_restore_of_data_alone_leaves_one_row_where_there_is_one():
    database = new_database()
    connection = Connection(database)
    fill(connection)
    connection.rows("SELECT evercore_event_type('Other', 'patch'), _evercore_publish_floor()")
    target = new_database()
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run([program("pg_dump"), "-Fc", "--data-only", "--schema=evercore", "-f", file.name, database], check=True)
        subprocess.run([program("pg_restore"), "--exit-on-error", "-d", target, file.name], check=True)
    restored = Connection(target)
    equal(restored.rows("SELECT version FROM evercore_schema"), connection.rows("SELECT version FROM evercore_schema"))
    equal(contents(restored), contents(connection))
    equal(restored.value("SELECT evercore_migrate()"), connection.value("SELECT evercore_migrate()"))
    install(target)
    goes_on(restored)


def test_a_role_that_may_create_roles_installs():
    admin = Connection(new_database(False), None)
    name = admin.value("SELECT current_database()")
    admin.rows(f"CREATE ROLE {name} LOGIN CREATEROLE; GRANT ALL ON DATABASE {name} TO {name}")
    conninfo = uri(name).replace("postgres@", f"{name}@")
    names = {"OWNER": f"{name}_o", "WRITER": f"{name}_w", "READER": f"{name}_r"}
    for _ in range(2):
        install(conninfo, "evercore", **names)
    admin.rows("SET search_path = evercore, public; SELECT evercore_append(evercore_ensure('T', 'a'), NULL, 'E', '{}')")
    equal(admin.rows("SELECT * FROM evercore_check()"), [])
    admin.rows(f"DROP SCHEMA evercore CASCADE; REVOKE ALL ON DATABASE {name} FROM {name}; DROP OWNED BY {name}_o, {name}_w, {name}_r, {name} CASCADE;"
               f" DROP ROLE {name}_o, {name}_w, {name}_r, {name}")


def test_a_role_without_any_right_to_roles_installs_with_roles_made_beforehand():
    admin = Connection(new_database(False), None)
    name = admin.value("SELECT current_database()")
    admin.rows(f"CREATE ROLE {name} LOGIN; CREATE ROLE {name}_o; CREATE ROLE {name}_w; CREATE ROLE {name}_r;"
               f" GRANT {name}_o TO {name}; GRANT ALL ON DATABASE {name} TO {name}, {name}_o")
    conninfo = uri(name).replace("postgres@", f"{name}@")
    names = {"OWNER": f"{name}_o", "WRITER": f"{name}_w", "READER": f"{name}_r"}
    for _ in range(2):
        install(conninfo, "evercore", **names)
    equal(admin.value("SELECT proowner::regrole FROM pg_proc WHERE proname = 'evercore_create'"), f"{name}_o")
    admin.rows("SET search_path = evercore, public; SELECT evercore_append(evercore_ensure('T', 'a'), NULL, 'E', '{}')")
    equal(admin.rows("SELECT * FROM evercore_check()"), [])
    admin.rows(f"DROP SCHEMA evercore CASCADE; DROP OWNED BY {name}_o, {name}_w, {name}_r, {name} CASCADE;"
               f" DROP ROLE {name}_o, {name}_w, {name}_r, {name}")


class ServerWithExtension(extension_server.Server):
    """A server that finds this evercore as an extension, and older versions to come from."""

    def extension_files(self):
        for entry in (ROOT / "build/pg").iterdir():
            yield entry.name, entry.read_bytes()
        for path in (ROOT / "tests/postgres/releases").glob("evercore--*.sql.gz"):
            yield path.stem, gzip.decompress(path.read_bytes())
        # Older versions, and the way from them; one knows the first migration alone.
        older = (ROOT / f"build/pg/evercore--{VERSION}.sql").read_text().replace(f"SELECT '{VERSION}'", "SELECT '0.0.1'")
        oldest, cut = re.subn(r"^, \(2, '.*?(?=^\$migrations\$;)", "", older, flags=re.DOTALL | re.MULTILINE)
        assert cut == 1
        upgrade = subprocess.check_output([ROOT / "sql/bundle", "upgrade"])
        yield "evercore--0.0.0.sql", oldest.replace("SELECT '0.0.1'", "SELECT '0.0.0'").encode()
        yield f"evercore--0.0.0--{VERSION}.sql", upgrade
        yield "evercore--0.0.1.sql", older.encode()
        yield f"evercore--0.0.1--{VERSION}.sql", upgrade


def on_this_server(server, call):
    before, harness.SERVER = harness.SERVER, server
    made = harness._made[:]
    harness._made.clear()
    try:
        return call()
    finally:
        harness.SERVER = before
        harness._made[:] = made


def check_extension():
    connection = Connection(new_database(False), None)
    database = uri(connection.value("SELECT current_database()"), harness.SERVER)
    connection.rows("CREATE EXTENSION evercore VERSION '0.0.1'")
    connection.rows("SET search_path = evercore, public")
    refused(lambda: connection.rows("SELECT evercore_append(1, NULL, 'E', '{}')"), "EV008", "EV008: the store is not migrated")
    connection.rows("SELECT evercore_migrate()")
    fill(connection)
    was = contents(connection)
    equal(connection.value("SELECT evercore_version()"), "0.0.1")
    connection.rows(f"ALTER EXTENSION evercore UPDATE TO '{VERSION}'")
    equal(connection.value("SELECT evercore_version()"), VERSION)
    equal(contents(connection), was)
    everything = catalogue(connection)
    connection.rows("CREATE OR REPLACE FUNCTION evercore_find(type text, key text) RETURNS bigint LANGUAGE sql AS $$ SELECT 1 $$;"
                    " DROP INDEX evercore_event_sequence; ALTER TABLE evercore_event ALTER data DROP NOT NULL")
    equal(connection.rows("SELECT problem FROM evercore_check()"), [("function evercore_find(text, text) is different",)])
    connection.rows("SELECT evercore_migrate()")
    equal(connection.rows("SELECT * FROM evercore_check()"), [])
    was = contents(connection)

    restored = Connection(dump_and_restore(database))
    equal(contents(restored), was)
    equal(catalogue(restored), everything)
    equal(restored.value("SELECT count(*) FROM pg_extension WHERE extname = 'evercore'"), "1")
    goes_on(restored)

    connection.rows("DROP EXTENSION evercore CASCADE")
    equal(len(connection.rows("SELECT * FROM evercore_log")), 23, "the events stay when the extension goes")
    connection.rows("CREATE EXTENSION evercore; SELECT evercore_migrate()")
    equal(contents(connection), was)
    equal(catalogue(connection), everything)
    goes_on(connection)
    connection.rows("SET ROLE evercore_writer; SELECT evercore_append(1, NULL, 'E', '{}')")

    script = Connection(new_database(False))
    install(uri(script.value("SELECT current_database()"), harness.SERVER))
    names = "SELECT p.oid::regprocedure::text, p.proacl::text, pg_get_functiondef(p.oid) FROM pg_proc p WHERE p.pronamespace = 'evercore'::regnamespace AND p.prokind = 'f' ORDER BY 1"
    connection.rows("RESET ROLE")
    for by_extension, by_script in zip(connection.rows(names), script.rows(names)):
        equal(by_extension[0], by_script[0])
        equal(by_extension[2].replace("'evercore'::regnamespace", ""), by_script[2].replace('"evercore"', "evercore").replace('"evercore_writer"', "evercore_writer").replace('"evercore_owner"', "evercore_owner")
              .replace('"evercore_reader"', "evercore_reader").replace("'evercore'::regnamespace", ""))
    left_alone(database, lambda _: connection.rows("ALTER EXTENSION evercore UPDATE"), migrate)


def test_as_an_extension():
    with ServerWithExtension() as server:
        on_this_server(server.uri, check_extension)


def older_store(connection, version, schema, source):
    """Makes the tables of an older version in a schema and pours the rows of another store into them, as that version had them."""
    connection.rows(f"CREATE SCHEMA IF NOT EXISTS {schema}; SET search_path = {schema}, pg_temp")
    if connection.value(f"SELECT to_regclass('{schema}.evercore_event')") is None:
        for path in sorted((ROOT / "migrations/postgres").glob("*.sql"))[:version]:
            connection.rows(path.read_text().split("-- +goose Up\n")[1].split("-- +goose Down\n")[0])
    connection.rows(f"SET session_replication_role = replica; DELETE FROM {schema}._evercore_floor")
    for (table,) in connection.rows(f"SELECT relname FROM pg_class WHERE relnamespace = '{schema}'::regnamespace AND relkind = 'r' AND relname <> 'evercore_schema'"):
        columns = ", ".join(row[0] for row in connection.rows(
            "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped", f"{schema}.{table}"))
        connection.rows(f"INSERT INTO {schema}.{table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {source}.{table}")
    connection.rows("SET session_replication_role = origin")
    for (sequence,) in connection.rows(f"SELECT relname FROM pg_class WHERE relnamespace = '{schema}'::regnamespace AND relkind = 'S'"):
        if sequence == "_evercore_policy":  # there is a policy
            connection.rows(f"SELECT nextval('{schema}.{sequence}')")
        else:
            connection.rows(f"SELECT setval('{schema}.{sequence}', last_value, is_called) FROM {source}.{sequence}")
    connection.rows(f"SET search_path = {schema}, public")


def is_at_the_newest_version(connection, was):
    """What a store of an older schema version must be once it was upgraded: the same data, and subscriptions that read it."""
    newest = len(list((ROOT / "migrations/postgres").glob("*.sql")))
    equal(connection.value("SELECT version FROM evercore_schema"), str(newest))
    equal(contents(connection), was)
    bounds = "SELECT count(*), count(*) FILTER (WHERE c.position = a.base_position) FROM evercore_compacted_type c JOIN evercore_aggregate a USING (aggregate_id)"
    (compacted, bounded), = connection.rows(bounds)
    equal(int(compacted) > 0 and bounded, compacted, "positions of what an older version compacted")
    refused(lambda: connection.rows("SELECT evercore_subscribe('s')"), "EV010", 'EV010: subscription "s" would miss events that were compacted, up to position ')
    connection.rows("SELECT evercore_subscribe('s', NULL, 'kept')")
    token = connection.value("SELECT evercore_claim('s', 'me', 60)")
    kept = [row[0] for row in connection.rows("SELECT position FROM evercore_log ORDER BY position")]
    equal([row[0] for row in connection.rows("SELECT position FROM evercore_fetch('s', $1, 1000)", token)], kept)
    equal(connection.value("SELECT evercore_ack('s', $1, $2)", token, kept[-1]), kept[-1])
    equal(connection.value("SELECT lag_events FROM evercore_subscriptions"), "0")
    goes_on(connection)


def waits_to_be_migrated(connection):
    """Functions of this version on a store of an older one."""
    for sql in ("SELECT evercore_subscribe('s')", "SELECT evercore_append(1, NULL, 'E', '{}')", "SELECT evercore_state(1)", "SELECT * FROM evercore_follow()",
                "SELECT evercore_append_many('[]')", "SELECT evercore_claim('s', 'me', 60)",
                "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{}')"):
        refused(lambda sql=sql: connection.rows(sql), "EV008", "EV008: the store is not migrated: SELECT evercore_migrate()")


def filled_source(connection, conninfo):
    install(conninfo, "source")
    connection.rows("SET search_path = source, public")
    fill(connection)
    return contents(connection)


def check_upgrade_of_an_extension():
    conninfo = new_database(False)
    connection = Connection(conninfo, None)
    was = filled_source(connection, conninfo)
    connection.rows("CREATE EXTENSION evercore VERSION '0.0.0'; SET search_path = evercore, public")
    equal(connection.value("SELECT evercore_migrate()"), "1")
    older_store(connection, 1, "evercore", "source")
    connection.rows("ALTER EXTENSION evercore UPDATE")
    equal(connection.rows("SELECT evercore_version(), version FROM evercore_schema"), [(VERSION, "1")], "before evercore_migrate")
    waits_to_be_migrated(connection)
    connection.rows("SELECT evercore_migrate()")
    is_at_the_newest_version(connection, was)
    fresh = Connection(new_database(False), None)
    fresh.rows("CREATE EXTENSION evercore; SET search_path = evercore, public; SELECT evercore_migrate()")
    equal(catalogue(connection), catalogue(fresh))


def test_an_extension_at_schema_version_1_is_upgraded_with_its_data():
    with ServerWithExtension() as server:
        on_this_server(server.uri, check_upgrade_of_an_extension)


def test_a_store_of_each_older_schema_version_is_upgraded_with_its_data():
    database = new_database()
    connection = Connection(database)
    was = filled_source(connection, database)
    for version in (1, 2):
        older_store(connection, version, f"v{version}", "source")
        install(database, f"v{version}")
        is_at_the_newest_version(connection, was)
        connection.rows(f"SET search_path = evercore, v{version}")
        equal(sorted(row[0].replace(f"v{version}.", "") for row in catalogue(connection, f"v{version}")), sorted(row[0] for row in catalogue(connection)))


def test_functions_of_this_version_refuse_a_store_of_an_older_one():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_migrate(2)")
    waits_to_be_migrated(connection)
    connection.rows("SELECT evercore_migrate(1)")
    waits_to_be_migrated(connection)
    connection.rows("SELECT evercore_migrate()")
    fill(connection)
    goes_on(connection)


def test_an_extension_does_not_take_strange_functions_for_its_own():
    def check():
        connection = Connection(new_database(False), None)
        connection.rows("CREATE SCHEMA evercore; CREATE FUNCTION evercore.evercore_version() RETURNS text LANGUAGE sql AS $$ SELECT 'strange' $$")
        try:
            connection.rows("CREATE EXTENSION evercore")
        except Error as error:
            equal(error.code, "42723")
            return
        raise AssertionError("the extension took a function that was there")
    with ServerWithExtension() as server:
        on_this_server(server.uri, check)
