"""A store whose schema gets another name: its functions go by the old one, and write nowhere until they are made anew."""
import subprocess

from harness import ROOT, equal, install, new_database, refused
from pq import Connection
from test_install import contents, fill

RENAMED = "EV010: schema {} was renamed: run sql/install for it again"
WRITES = ("ensure('T', 'x')", "create('T')", "rekey(1, 'x')", "append(1, NULL, 'E', '{}')", "append(1, NULL, 'E', '{}'::json)",
          "append(1, NULL, 'E', '{}'::jsonb, NULL, NULL, now())", "append(1, NULL, 'E', '{}', NULL, NULL, NULL, 'id')", "append_many('[]')",
          "append_many('[]', '[]')", "index_types()", "append_many('[]'::json)", "append_many('[]'::jsonb)", "event_type('E', 'patch')", "snapshot(1)", "save_snapshot(1, 1, '{}', 1)",
          "save_snapshot(1, 1, '{}'::jsonb, 1)", "snapshot_policy('T', 2, 1)", "compact(1)", "compact(1, 1)", "compact_type('T')", "erase(1)",
          "subscribe('s')", "subscribe('s', NULL, 1)", "subscribe('s', '{}'::json)", "subscribe('s', NULL, now())", "reset('s', 'beginning')",
          "reset('s', 1)", "reset('s', now())", "pause('s')", "resume('s')", "unsubscribe('s')", "claim('s', 'me', 60)", "fetch('s', 1)",
          "ack('s', 1, 1)", "renew('s', 1, 60)", "release('s', 1)", "restored()", "migrate()")


def writes_nowhere(sessions, schema):
    """Every function that writes refuses in every one of these sessions, whatever they called before."""
    for session in sessions:
        for call in ("_evercore_publish_floor()", *(f"evercore_{write}" for write in WRITES)):
            refused(lambda session=session, call=call: session.rows(f"SELECT {schema}.{call}"), "EV010", RENAMED.format(schema))


def used(database, *schemas):
    """A session that has called the functions of these stores."""
    session = Connection(database, None)
    for schema in schemas:
        for sql in ("ensure('T', 'k')", "append(1, NULL, 'E', '{}')", "append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{}}]}]')",
                    "subscribe('s', NULL, 'kept')", "pause('s')", "resume('s')", "claim('s', 'me', 60)", "snapshot(1)", "compact(1)"):
            session.rows(f"SELECT {schema}.evercore_{sql}")
    return session


def test_a_renamed_store_writes_nowhere_until_it_was_installed_again():
    database = new_database()
    connection = Connection(database)
    fill(connection)
    session = used(database, "evercore")
    was = contents(connection)
    connection.rows("ALTER SCHEMA evercore RENAME TO old_store")
    insert = "INSERT INTO old_store.evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('T', 'x', 'E', '{}')"
    writes_nowhere((session, Connection(database, None)), "old_store")
    # Its functions still go by the old name: no other store may take it before they do not.
    refused_by_install(database, "evercore", RENAMED.format("old_store"))
    equal(connection.value("SELECT to_regnamespace('evercore')"), None)
    install(database, "old_store", OWNER="evercore_owner", WRITER="evercore_writer", READER="evercore_reader")
    again = Connection(database, "old_store")
    equal(contents(again), was)
    for sql in (insert, "SELECT evercore_append(1, NULL, 'E', '{}'::jsonb)", "SELECT evercore_subscribe('new', '{}'::json, 'kept'), evercore_claim('new', 'me', 60)"):
        again.rows(sql)
    install(database)
    equal(Connection(database).value("SELECT count(*) FROM evercore_aggregates"), "0")
    equal(again.value("SELECT count(*) FROM old_store.evercore_check()"), "0")


def refused_by_install(database, schema, message):
    done = subprocess.run([ROOT / "sql/install", database, schema], check=False, capture_output=True, text=True)
    equal((done.returncode != 0, message in done.stderr), (True, True), done.stderr)


def test_stores_that_swapped_their_names_write_nowhere():
    database = new_database(False)
    for schema in ("a", "b"):  # where their roles are not the same the server itself refuses
        install(database, schema, OWNER="evercore_owner", WRITER="evercore_writer", READER="evercore_reader")
    session, fresh = used(database, "a", "b"), Connection(database, None)
    was = {schema: fresh.value(f"SELECT count(*) FROM {schema}.evercore_log") for schema in "ab"}
    fresh.rows("ALTER SCHEMA a RENAME TO c; ALTER SCHEMA b RENAME TO a; ALTER SCHEMA c RENAME TO b")
    for schema in "ab":
        writes_nowhere((session, fresh), schema)
    equal({schema: fresh.value(f"SELECT count(*) FROM {schema}.evercore_log") for schema in "ba"}, {"b": was["a"], "a": was["b"]})
