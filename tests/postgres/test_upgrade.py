"""A store that the scripts of a release made becomes one of this version, by the script and by the extension, with all that is in it and around it."""
import gzip
import json

import harness
from harness import ROOT, equal, install, new_database, refused
from pq import Connection
from test_install import VERSION, ServerWithExtension, on_this_server

RELEASES = sorted(path.stem for path in (ROOT / "sql/signatures").glob("*.txt") if path.stem != VERSION)
SIGNATURES = ("SELECT format('%s(%s) RETURNS %s', p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)) COLLATE \"C\""
              " FROM pg_proc p WHERE p.pronamespace = $1::regnamespace ORDER BY 1")


def lines(path):
    return (ROOT / path).read_text().splitlines()


def script_of(release):
    return gzip.decompress((ROOT / f"tests/postgres/releases/evercore-{release}.sql.gz").read_bytes()).decode()


def install_release(database, release, schema="evercore"):
    script = script_of(release).replace("@extschema@", f'"{schema}"')
    for role in ("owner", "writer", "reader"):
        script = script.replace(f"@{role}@", f'"{schema}_{role}"')
    connection = Connection(database, None)
    connection.rows(f"BEGIN; {script}; COMMIT")
    connection.close()


def signatures(connection, schema="evercore"):
    return [row[0] for row in connection.rows(SIGNATURES, schema)]


def test_a_signature_of_a_release_is_here_or_retired():
    """Who changes the shape of a function adds the old line to sql/retired.txt, so that an upgrade drops it."""
    here = signatures(Connection(new_database()))
    retired = lines("sql/retired.txt")
    released = [line for release in RELEASES for line in lines(f"sql/signatures/{release}.txt")]
    equal([line for line in released if line not in here and line not in retired], [], "neither here nor in sql/retired.txt")
    equal([line for line in retired if line in here], [], "retired, and here")
    equal([line for line in retired if line not in released], [], "retired, and of no release")


def test_the_signatures_of_a_release_are_those_of_its_scripts():
    for release in RELEASES:
        database = new_database(False)
        install_release(database, release)
        equal(signatures(Connection(database)), lines(f"sql/signatures/{release}.txt"), release)


# What the release took and this version does not: it stays, and evercore_check names it.
ODD = "[1e-20000]"


def fill(connection):
    """Everything that a store of the release can hold."""
    connection.rows("SELECT evercore_event_type('Patch', 'patch'), evercore_snapshot_policy('T', 4, 1)")
    connection.rows("""INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id)
                       SELECT 'T', 'k' || i % 3, CASE i % 2 WHEN 0 THEN 'E' ELSE 'Patch' END, '{"i":' || i || '}', 'id' || i FROM generate_series(1, 30) i""")
    connection.rows("SELECT evercore_save_snapshot(2, 4, '{\"own\":true}', 7), evercore_snapshot(1), evercore_create('U', 'none')")
    connection.rows("SELECT evercore_append_many('[{\"aggregate_type\":\"M\",\"natural_key\":\"many\",\"events\":[{\"event_type\":\"E\",\"data\":{\"n\":1}},"
                    "{\"event_type\":\"E\",\"data\":{\"n\":2},\"event_id\":\"many2\"}]}]')")
    connection.rows("SELECT evercore_append(evercore_ensure('O', 'odd'), 0, 'Odd', $1)", ODD)
    connection.rows("SELECT evercore_append(evercore_find('O', 'odd'), 1, ' Odd ', '{\"x\":1.0,\"y\":-0,\"z\":0.1000000000000000055511151231257827}', 'a reference',"
                    " '{\"by\":\"ann\"}', '1969-12-31T23:59:59.5Z', 'odd2')")
    connection.rows("SELECT evercore_append(evercore_ensure('G', 'gone'), 0, 'E', '{\"secret\":1}', 'r', '{\"m\":1}')")
    connection.rows("SELECT evercore_erase(evercore_find('G', 'gone'))")
    connection.rows("SELECT evercore_compact(1, 3)")
    connection.rows("""SELECT evercore_subscribe('all', NULL), evercore_subscribe('some', '{"event_types":["E"],"aggregate_type":"T"}', 'beginning', 2)""")
    token = connection.value("SELECT evercore_claim('all', 'me', 3600)")
    fetched = connection.rows("SELECT position FROM evercore_fetch('all', $1, 5)", token)
    connection.rows("SELECT evercore_ack('all', $1, $2)", token, fetched[-1][0])
    return token


def surround(connection, role):
    """What users put around a store: roles in its roles, rights on single functions, a trigger, views."""
    connection.rows(f"CREATE ROLE {role}_writes IN ROLE evercore_writer; CREATE ROLE {role}_reads IN ROLE evercore_reader; CREATE ROLE {role}_many;"
                    f" GRANT USAGE ON SCHEMA evercore TO {role}_many; GRANT EXECUTE ON FUNCTION evercore_append_many(jsonb) TO {role}_many WITH GRANT OPTION;"
                    f" GRANT SELECT ON evercore_log, evercore_subscriptions TO {role}_many")
    connection.rows("CREATE TABLE public.noticed (place bigint);"
                    " CREATE FUNCTION public.notice() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS"
                    " $$ BEGIN INSERT INTO noticed VALUES (NEW.position); RETURN NULL; END $$;"
                    " CREATE TRIGGER app_notice AFTER INSERT ON evercore_event FOR EACH ROW EXECUTE FUNCTION public.notice();"
                    " CREATE VIEW public.app_log AS SELECT l.position, l.natural_key, l.data FROM evercore_log l")


# Those that the release has.
COLUMNS = "position, aggregate_id, aggregate_type, natural_key, sequence, event_type, data, reference, metadata, event_time, recorded_at, event_id"


def contents(connection):
    return [(what, row) for what in
            (f"{COLUMNS} FROM evercore_log ORDER BY position", "aggregate_id, aggregate_type, natural_key, sequence, first_event_time, last_event_time FROM evercore_aggregates ORDER BY 1", f"{COLUMNS} FROM evercore_follow()",
             f"{COLUMNS} FROM evercore_replay(1)", f"{COLUMNS} FROM evercore_replay(2, 7)", "evercore_state(1)", "evercore_state(2)", "evercore_state(evercore_find('M', 'many'))",
             "* FROM evercore_history(3)", "aggregate_id, sequence, version, state FROM evercore_snapshot ORDER BY 1, 2, 3",
             "name, partition, filter, position, owner, token, lease_expires_at, active FROM evercore_subscriptions ORDER BY 1, 2",
             "position, natural_key, data FROM public.app_log ORDER BY 1", "place FROM public.noticed") for row in connection.rows(f"SELECT {what}")]


def calls_every_form(connection):
    """Every form of append, each of which appends one event to an aggregate of its own type, and the functions that read and keep house."""
    target = connection.value("SELECT evercore_ensure('New', 'forms')")
    forms = ["'{}'", "'{}'::json", "'{}'::jsonb", "'{}'::text, 'r', '{}'::jsonb", "'{}'::json, NULL, '{}'::json, '2026-01-01T00:00:00Z'", "'{}', 'r', NULL, now()",
             "'{}'::jsonb, 'r', NULL, now(), 'form1'", "'{}', NULL, NULL, NULL, 'form2'", "'{}', 5", "'{}'::jsonb, gen_random_uuid()",
             "'{}'::json, 'r', '{}'::jsonb, now()", "'{}', NULL, NULL, now()::timestamp, gen_random_uuid()"]
    for number, form in enumerate(forms):
        equal(connection.value(f"SELECT evercore_append({target}, {number}, 'E', {form})"), str(number + 1), form)
    count = len(forms)
    for cast in ("", "::json", "::jsonb"):
        count += 1
        connection.rows(f"SELECT evercore_append_many('[{{\"aggregate_id\":{target},\"events\":[{{\"event_type\":\"E\",\"data\":{{}},\"event_id\":\"m{count}\"}}]}}]'{cast})")
    connection.rows(f"INSERT INTO evercore_append (aggregate_id, event_type, data, event_id) VALUES ({target}, 'E', '{{}}', 'i1'), ({target}, 'E', '{{}}', NULL)")
    equal(connection.value(f"SELECT evercore_sequence({target})"), str(count + 2))
    for call in (f"evercore_state({target})", f"evercore_snapshot({target})", f"evercore_save_snapshot({target}, 3, '{{}}'::jsonb, 1)", f"evercore_sequence({target}, now())",
                 f"evercore_rekey({target}, 'other')", "evercore_create('New')", "evercore_ensure('New', 7)", "evercore_find('New', 7)", "evercore_head()", "evercore_version()",
                 "evercore_subscribe('s', '{}'::jsonb, now())", "evercore_reset('s', now())", "evercore_pause('s')", "evercore_resume('s')", "evercore_unsubscribe('s')",
                 "evercore_reset('all', 'end')", f"evercore_compact({target}, 1)", "evercore_compact_type('New')", "evercore_rename_type('event', 'E', 'Renamed')",
                 "evercore_rename_type('event', 'Renamed', 'E')", f"evercore_erase({target})"):
        connection.rows(f"SELECT {call}")
    for rows in ("events(2)", "history(2)", "replay(2)", "follow(0, 10, '{}'::jsonb)", "stats()"):
        assert connection.rows(f"SELECT * FROM evercore_{rows}"), rows


def is_upgraded(connection, role, was, token):
    now = contents(connection)
    equal([row for row in now if row not in was], [row for row in was if row not in now])
    equal(now, was)
    equal(connection.rows("SELECT evercore_version(), version::text FROM evercore_schema"), [(VERSION, str(len(list((ROOT / "migrations/postgres").glob("*.sql")))))])
    equal(set(signatures(connection)) ^ set(signatures(Connection(new_database()))), set(), "functions left over or lacking")
    (odd, place), = connection.rows("SELECT aggregate_id, position FROM evercore_log WHERE event_type = 'Odd'")
    equal(connection.rows("SELECT * FROM evercore_check()"), [(odd, place, "payload: not an object")], "only what the release should not have taken")
    equal(connection.value("SELECT evercore_state($1)", odd), '{"x": 1.0, "y": 0, "z": 0.1000000000000000055511151231257827}')
    equal(connection.value("SELECT count(*) FROM evercore_log WHERE data::text LIKE '%secret%'"), "0")

    # Repeats are known, and a worker goes on with the lease it has.
    before = connection.value("SELECT max(position) FROM evercore_log")
    equal(connection.value("SELECT evercore_append(1, NULL, 'Patch', '{\"i\":1}', NULL, NULL, NULL, 'id1')"), "1")
    equal(connection.value("SELECT max(position) FROM evercore_log"), before)
    fetched = connection.rows("SELECT position FROM evercore_fetch('all', $1, 1000)", token)
    equal((len(fetched), fetched[-1][0]), (int(connection.value("SELECT count(*) FROM evercore_log")) - 5, before))
    equal(connection.value("SELECT evercore_ack('all', $1, $2)", token, before), before)
    refused(lambda: connection.rows("DELETE FROM evercore_event"), "EV010")

    equal(connection.value("SELECT has_function_privilege($1, 'evercore_append_many(anyelement)', 'EXECUTE WITH GRANT OPTION')", role + "_many"), "t",
          "a right on a form that is gone, as it was given")

    calls_every_form(connection)
    noticed = connection.value("SELECT count(*) FROM public.noticed")
    many = "SELECT evercore_append_many('[{\"aggregate_id\":2,\"events\":[{\"event_type\":\"E\",\"data\":{}}]}]'::jsonb)"
    for user, may, may_not in (("writes", "SELECT evercore_append(2, NULL, 'E', '{}'::jsonb)", "SELECT * FROM evercore_log"), ("many", many, "SELECT evercore_erase(2)"),
                               ("many", "SELECT * FROM evercore_log, evercore_subscriptions", "SELECT evercore_append(2, NULL, 'E', '{}')"),
                               ("reads", "SELECT * FROM evercore_log, evercore_check()", "SELECT evercore_append(2, NULL, 'E', '{}'::jsonb)")):
        connection.rows(f"SET ROLE {role}_{user}")
        connection.rows(may)
        refused(lambda may_not=may_not: connection.rows(may_not), "42501")
        connection.rows("RESET ROLE")
    equal(connection.value("SELECT count(*) FROM public.noticed"), str(int(noticed) + 2), "the user's trigger")
    equal(connection.value("SELECT count(*) FROM public.app_log"), connection.value("SELECT count(*) FROM evercore_log"), "the user's view")
    equal(connection.value("SELECT count(*) FROM evercore_check()"), "1")


def upgraded(conninfo, connection, make, upgrade):
    """Makes a store of the release, fills and surrounds it, upgrades it, and looks; roles are the whole server's."""
    role = connection.value("SELECT current_database()")
    make()
    connection.rows("SET search_path = evercore, public")
    session = Connection(conninfo)
    token = fill(connection)
    surround(connection, role)
    session.rows("SELECT evercore_append(2, NULL, 'E', '{}'), evercore_state(2)")
    was = contents(connection)
    try:
        upgrade()
        is_upgraded(connection, role, was, token)
        session.rows("SELECT evercore_append(2, NULL, 'E', '{}'), evercore_state(2)")
    finally:
        connection.rows("RESET ROLE; DROP OWNED BY " + ", ".join(f"{role}_{user}" for user in ("writes", "reads", "many")))
        connection.rows("DROP ROLE " + ", ".join(f"{role}_{user}" for user in ("writes", "reads", "many")))


def test_a_store_of_a_release_is_upgraded_by_the_script():
    for release in RELEASES:
        conninfo = new_database(False)
        upgraded(conninfo, Connection(conninfo, None), lambda: install_release(conninfo, release), lambda: install(conninfo))


def test_a_store_of_a_release_is_upgraded_as_an_extension():
    def check():
        for release in RELEASES:
            conninfo = new_database(False)
            connection = Connection(conninfo, None)
            upgraded(conninfo, connection, lambda: connection.rows(f"CREATE EXTENSION evercore VERSION '{release}'; SELECT evercore.evercore_migrate()"),
                     lambda: connection.rows("ALTER EXTENSION evercore UPDATE; SELECT evercore_migrate()"))
            equal(connection.rows("SELECT count(*) FROM pg_proc p WHERE p.pronamespace = 'evercore'::regnamespace AND NOT EXISTS (SELECT FROM pg_depend d"
                                  " WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')"), [("0",)], "all are members")
    with ServerWithExtension() as server:
        on_this_server(server.uri, check)


def test_a_view_on_what_is_retired_is_named_and_nothing_is_done():
    database = new_database(False)
    install_release(database, "0.1.0")
    connection = Connection(database)
    connection.rows("SELECT evercore_append(evercore_ensure('T', 'a'), 0, 'E', '{}')")
    connection.rows("CREATE VIEW public.app_then AS SELECT evercore_sequence(1, now()) AS then; CREATE VIEW public.app_follow AS SELECT * FROM evercore_follow(0, 9)")
    before = signatures(connection)
    message = refused(lambda: install_by_hand(connection), "EV010", "EV010: functions that this version has no more are in use: ")
    assert "view app_then depends on function evercore_sequence(bigint,timestamp with time zone)" in message, message
    equal((signatures(connection), connection.value("SELECT evercore_version()")), (before, "0.1.0"))
    assert "view app_follow depends on function evercore_follow(bigint,bigint)" in message, message
    equal(connection.rows("SELECT * FROM public.app_then"), [("1",)])
    connection.rows("DROP VIEW public.app_then, public.app_follow")
    install_by_hand(connection)
    connection.rows("CREATE VIEW public.app_then AS SELECT evercore_sequence(1, now()) AS then")
    equal(connection.rows("SELECT * FROM public.app_then"), [("1",)])


def install_by_hand(connection):
    script = (ROOT / "build/evercore.sql").read_text().replace("@extschema@", "evercore")
    for role in ("owner", "writer", "reader"):
        script = script.replace(f"@{role}@", f"evercore_{role}")
    try:
        connection.rows(f"BEGIN; {script}; COMMIT")
    finally:
        connection.rows("ROLLBACK")


def check_extension_under_the_script():
    connection = Connection(new_database(False), None)
    connection.rows("CREATE EXTENSION evercore VERSION '0.1.0'; SET search_path = evercore, public; SELECT evercore_migrate()")
    message = refused(lambda: install_by_hand(connection), "EV010", "EV010: cannot drop function ")
    assert "because extension evercore requires it" in message, message
    equal(connection.value("SELECT evercore_version()"), "0.1.0")


def test_the_script_does_not_upgrade_an_extension():
    with ServerWithExtension() as server:
        on_this_server(server.uri, check_extension_under_the_script)


def test_an_upgrade_that_stopped_half_way_by_an_earlier_build_is_mended():
    """A store in which functions of the release stayed beside those of this version."""
    database = new_database()
    connection = Connection(database)
    appends = json.dumps([{"aggregate_type": "T", "natural_key": key, "events": [{"event_type": "E", "data": {}}]} for key in "ab"])
    connection.rows("CREATE FUNCTION _evercore_hold_floor() RETURNS boolean LANGUAGE sql AS 'SELECT false'")
    refused(lambda: connection.rows("SELECT evercore_append_many($1)", appends), "42725")
    install(database)
    connection.rows("SELECT evercore_append_many($1)", appends)
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_a_member_without_the_owners_rights_upgrades_and_quoted_names_hide_nothing():
    """NOINHERIT: the script acts as the owner wherever it needs to."""
    for release in RELEASES:
        database = new_database(False)
        install_release(database, release)
        connection = Connection(database)
        role = connection.value("SELECT current_database()") + "_member"
        connection.rows(f"CREATE ROLE {role} LOGIN NOINHERIT; GRANT evercore_owner TO {role};"
                        f" ALTER DATABASE {connection.value('SELECT current_database()')} SET quote_all_identifiers = on")
        connection.rows("SELECT evercore_create('T', 'a'), evercore_append(1, NULL, 'E', '{}')")
        try:
            install(database.replace("//postgres@", f"//{role}@"))
            equal(connection.rows("SELECT * FROM evercore_check()"), [])
            connection.rows("SET quote_all_identifiers = off")
            equal(signatures(connection), signatures(Connection(new_database())), "no retired function is left")
        finally:
            connection.rows(f"DROP OWNED BY {role}; DROP ROLE {role}")
