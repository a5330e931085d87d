"""A store that lost the row or the table of its version runs no migration over what is there; and data restored under an open session."""
import subprocess
import tempfile

from harness import ROOT, equal, new_database, program, refused
from pq import Connection, Error
from test_install import contents, fill
from test_schema import WRITES

READS = ("events(1)", "follow()", "follow(0, 10)", "replay(1)", "state(1)", "history(1)", "find('T', 'k1')", "sequence(1)", "head()", "stats()", "check()",
         "query('[]')", "events(1, 0, NULL, 2)", "follow(0, NULL, '{}')")


def damaged(sql):
    database = new_database()
    connection = Connection(database)
    fill(connection)
    connection.rows("SELECT evercore_subscribe('s', NULL, 'kept')")
    connection.rows(sql)
    return database, connection


def test_an_empty_store_of_an_older_version_says_so():
    connection = Connection(new_database())
    for version in (3, 2, 1, 0):
        connection.rows(f"SELECT evercore_migrate({version})")
        for call in READS + ("restored()",):
            refused(lambda call=call: connection.rows(f"SELECT evercore_{call}"), "EV008", "EV008: the store is not migrated: SELECT evercore_migrate()")


def test_a_store_without_its_version_runs_no_migration():
    for sql, fault in (("DELETE FROM evercore_schema", "empty"), ("DROP TABLE evercore_schema", "missing")):
        database, connection = damaged(sql)
        message = f"EV008: the store is damaged: evercore_schema is {fault}, and its other tables are there"
        whole = "SELECT (SELECT count(*) FROM evercore_event), (SELECT sum(sequence) FROM evercore_aggregate), (SELECT count(*) FROM pg_class" \
                " WHERE relnamespace = 'evercore'::regnamespace)"
        was = connection.rows(whole)
        for call in ("evercore_migrate()", "evercore_migrate(3)", "evercore_migrate(1)", "evercore_migrate(0)"):
            refused(lambda call=call: connection.rows(f"SELECT {call}"), "EV008", message)
        installed = subprocess.run([ROOT / "sql/install", database], capture_output=True, text=True, check=False)
        equal((installed.returncode != 0, message in installed.stderr), (True, True), installed.stderr)
        equal(connection.rows(whole), was, sql)

        # In a session that has appended and in a new one: what needs the version says so, everything else is done as ever.
        for session in (connection, Connection(database)):
            for call in WRITES + READS:
                session.rows("BEGIN")
                try:
                    session.rows(f"SELECT * FROM evercore_{call}")
                except Error as error:
                    equal(error.code.startswith("EV"), True, f"{call}: {error}")
                session.rows("ROLLBACK")
        equal(connection.value("SELECT problem FROM evercore_check() WHERE problem LIKE '%evercore_schema%'"),
              "evercore_schema is empty" if fault == "empty" else "table evercore_schema is missing")

        # What the hint says makes it whole.
        for statement in hint(database).split("; "):
            connection.rows(statement)
        equal(connection.value("SELECT version FROM evercore_schema"), "4")
        equal([row[0] for row in connection.rows("SELECT problem FROM evercore_check()")], [], sql)
        equal(len(contents(connection)), 6)


def hint(database):
    told = subprocess.run(["psql", "-X", "-q", "-d", database, "-c", "SELECT evercore.evercore_migrate()"], capture_output=True, text=True, check=False).stderr
    return told.split("HINT:  ")[1].split("\n")[0]


def emptied(connection):
    """As no user may: the tables of the store are empty, its sequences are not."""
    connection.rows("SET session_replication_role = replica")
    connection.rows("ALTER TABLE evercore_event DISABLE TRIGGER evercore_append_only")
    for table in ("event", "aggregate", "aggregate_type", "event_type", "snapshot", "event_id", "compacted_type", "subscription_partition", "subscription"):
        connection.rows(f"DELETE FROM evercore_{table}")
    connection.rows("ALTER TABLE evercore_event ENABLE ALWAYS TRIGGER evercore_append_only")
    connection.rows("RESET session_replication_role")


def test_data_restored_under_an_open_session_gives_no_position_twice():
    source = new_database()
    Connection(source).rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) SELECT 'T', 'k', 'E', '{}' FROM generate_series(1, 20)")
    append = "SELECT evercore_append(1, NULL, 'E', '{}')"
    many = "SELECT evercore_append_many('[{\"aggregate_id\": 1, \"events\": [{\"event_type\": \"E\", \"data\": {}}, {\"event_type\": \"E\", \"data\": {}}]}]')"
    insert = "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{}'), (1, 'E', '{}')"
    for call in (append, many, insert):
        for amount in (3, 300):  # the session drew less than is restored, and more
            target = new_database()
            session, other = Connection(target), Connection(target)
            session.rows("SELECT evercore_ensure('T', 'k')")
            for _ in range(amount):
                session.rows(append)
            emptied(other)
            with tempfile.NamedTemporaryFile() as file:
                subprocess.run([program("pg_dump"), "-Fc", "--data-only", "--schema=evercore", "-f", file.name, source], check=True)
                subprocess.run([program("pg_restore"), "--exit-on-error", "-d", target, file.name], check=True)
            session.rows(call)
            other.rows(append)
            new = [int(row[0]) for row in session.rows("SELECT position FROM evercore_event ORDER BY sequence OFFSET 20")]
            equal(new, sorted(new), f"{call} after {amount}")
            equal(min(new) > max(amount, 20), True, f"{call} after {amount}: {new}")
            equal(session.rows("SELECT * FROM evercore_check()"), [])
            equal(len(other.rows("SELECT * FROM evercore_follow(20)")), len(new))
