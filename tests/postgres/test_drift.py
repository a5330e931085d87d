"""What was taken away or changed is named by evercore_check() and put back by evercore_migrate(), which leaves alone what is right."""
import subprocess

from harness import ROOT, equal, install, new_database, refused, uri
from pq import Connection

INDEXES = ("SELECT t.relname, i.relname, coalesce(c.contype::text, ''), regexp_replace(pg_get_indexdef(x.indexrelid), '^CREATE (UNIQUE )?INDEX .* USING ', '')"
           " FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid"
           " LEFT JOIN pg_constraint c ON c.conindid = x.indexrelid AND c.contype IN ('p', 'u')"
           " WHERE t.relnamespace = 'evercore'::regnamespace AND x.indisunique ORDER BY i.relname COLLATE \"C\"")
CATALOGUE = ("SELECT c.name, c.oid, c.xmin FROM (SELECT 'function' AS name, oid, xmin FROM pg_proc UNION ALL SELECT 'relation', oid, xmin FROM pg_class"
             " UNION ALL SELECT 'trigger', oid, xmin FROM pg_trigger UNION ALL SELECT 'constraint', oid, xmin FROM pg_constraint) c ORDER BY 1, 2::text")


def store():
    connection = Connection(new_database())
    connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id)"
                    " SELECT 'T', 'k' || i % 3, 'E', '{}', 'id' || i FROM generate_series(1, 9) i")
    return connection


def problems(connection):
    return [row[0] for row in connection.rows("SELECT problem FROM evercore_check()")]


def mended(connection, sql, problem):
    connection.rows(sql)
    equal(problems(connection), [problem], sql)
    connection.rows("SELECT evercore_migrate()")
    equal(problems(connection), [], sql)


def test_the_lists_are_what_a_fresh_store_has():
    connection = store()
    equal(connection.rows("SELECT * FROM _evercore_indexes() ORDER BY name COLLATE \"C\""), connection.rows(INDEXES))
    equal(connection.rows("SELECT * FROM _evercore_relations() ORDER BY name COLLATE \"C\""),
          connection.rows("SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' ELSE 'sequence' END, relname FROM pg_class"
                          " WHERE relnamespace = 'evercore'::regnamespace AND relkind IN ('r', 'v', 'S') ORDER BY relname COLLATE \"C\""))
    equal(connection.rows("SELECT relation, name, state, kind FROM _evercore_triggers() ORDER BY name COLLATE \"C\""),
          connection.rows("SELECT c.relname, t.tgname, t.tgenabled, t.tgtype FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                          " WHERE c.relnamespace = 'evercore'::regnamespace AND NOT t.tgisinternal ORDER BY t.tgname COLLATE \"C\""))


def test_each_index_is_missed_and_made_again():
    connection = store()
    for relation, name, contype, _ in connection.rows(INDEXES):
        kind, drop = ("constraint", f"ALTER TABLE {relation} DROP CONSTRAINT {name}") if contype else ("index", f"DROP INDEX {name}")
        mended(connection, drop, f"{kind} {name} is missing")
    for name, columns in (("evercore_event_sequence", "evercore_event (aggregate_id, sequence)"), ("evercore_aggregate_key", "evercore_aggregate (natural_key)")):
        mended(connection, f"DROP INDEX {name}; CREATE INDEX {name} ON {columns}", f"index {name} is different")
    mended(connection, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'evercore_event_event_id'::regclass", "index evercore_event_event_id is invalid")


def test_each_trigger_is_missed_and_made_again():
    connection = store()
    for relation, name, state in connection.rows("SELECT relation, name, state FROM _evercore_triggers()"):
        mended(connection, f"DROP TRIGGER {name} ON {relation}", f"trigger {name} is missing")
        if relation != "evercore_append":
            mended(connection, f"ALTER TABLE {relation} DISABLE TRIGGER {name}", f"trigger {name} is disabled")
            mended(connection, f"ALTER TABLE {relation} ENABLE {'REPLICA' if state == 'A' else 'ALWAYS'} TRIGGER {name}", f"trigger {name} is different")


def test_each_relation_that_can_be_made_again_is():
    connection = store()
    for (name,) in connection.rows("SELECT name FROM _evercore_relations() WHERE kind = 'view'"):
        connection.rows(f"DROP VIEW {name} CASCADE")
        equal(f"view {name} is missing" in problems(connection), True)
        connection.rows("SELECT evercore_migrate()")
        equal(problems(connection), [], name)
    for name in ("_evercore_declared", "_evercore_floor", "_evercore_pending", "evercore_compacted_type", "evercore_event_id", "evercore_event_type",
                 "evercore_snapshot", "evercore_subscription", "evercore_subscription_partition"):
        connection.rows(f"DROP TABLE {name} CASCADE")
        equal(f"table {name} is missing" in problems(connection), True)
        connection.rows("SELECT evercore_migrate()")
        equal(problems(connection), [], name)
    for name in ("_evercore_policy", "_evercore_token", "_evercore_system"):
        connection.rows(f"DROP SEQUENCE {name}")
        equal(problems(connection), [f"sequence {name} is missing"])
        connection.rows("SELECT evercore_migrate()")
        equal(problems(connection), [], name)
    equal(connection.rows("SELECT * FROM _evercore_indexes() ORDER BY name COLLATE \"C\""), connection.rows(INDEXES))
    connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('T', 'k1', 'E', '{}')")
    connection.rows("SET ROLE evercore_reader; SELECT * FROM evercore_log; RESET ROLE; SET ROLE evercore_writer; SELECT evercore_subscribe('s')")


def test_rows_that_stand_in_the_way_are_named():
    connection = store()
    connection.rows("DROP INDEX evercore_event_event_id; INSERT INTO evercore_event (aggregate_id, sequence, event_type, data, event_id) VALUES (1, 4, 'E', '{}', 'id1')")
    refused(lambda: connection.rows("SELECT evercore_migrate()"), "EV010",
            "EV010: index evercore_event_event_id cannot be made: Key (event_id)=(id1) is duplicated.")


def test_other_owners_are_named_and_an_installation_takes_over():
    database = new_database()
    connection = Connection(database)
    connection.rows("ALTER TABLE evercore_event OWNER TO postgres; ALTER FUNCTION evercore_version() OWNER TO postgres")
    equal(problems(connection), ["owner of function evercore_version() is postgres", "owner of sequence evercore_event_position_seq is postgres",
                                 "owner of table evercore_event is postgres"])
    install(database)
    equal(problems(connection), [])


def test_a_store_that_is_up_to_date_is_left_alone():
    database = new_database()
    busy, other, migrator = Connection(database), Connection(database), Connection(database)
    busy.rows("SELECT evercore_create('T', 'a'), evercore_create('T', 'b')")
    busy.rows("BEGIN; SELECT evercore_append(1, NULL, 'E', '{}')")
    before = migrator.rows(CATALOGUE)
    migrator.rows("SET lock_timeout = '1s'; SELECT evercore_migrate()")
    equal(migrator.rows(CATALOGUE), before)
    subprocess.run([ROOT / "sql/install", database + "&options=-c%20lock_timeout%3D1s"], check=True)
    other.rows("SET lock_timeout = '1s'; SELECT evercore_append(2, NULL, 'E', '{}')")
    busy.rows("COMMIT")
