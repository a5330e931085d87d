"""Who may do what, and that functions which run as the owner cannot be led astray."""
from harness import equal, install, new_database, refused
from pq import Connection, Error

READING = ["SELECT * FROM evercore_log", "SELECT * FROM evercore_aggregates", "SELECT * FROM evercore_in_flight",
           "SELECT * FROM evercore_append", "SELECT * FROM evercore_follow()", "SELECT * FROM evercore_events(1)",
           "SELECT * FROM evercore_replay(1)", "SELECT evercore_state(1)", "SELECT * FROM evercore_history(1)",
           "SELECT evercore_find('T', 'a')", "SELECT evercore_sequence(1)", "SELECT evercore_sequence(1, now())",
           "SELECT * FROM evercore_check()", "SELECT * FROM evercore_stats()", "SELECT evercore_version()", "SELECT * FROM evercore_subscriptions"]
WRITING = ["SELECT evercore_subscribe('q', '{\"event_types\":[\"E\"]}'::jsonb, now())", "SELECT evercore_claim('p', 'w', 1)", "SELECT * FROM evercore_fetch('p', 1)",
           "SELECT evercore_ack('p', 1, NULL)", "SELECT evercore_renew('p', 1, 60)", "SELECT evercore_release('p', 1, 'x')", "SELECT evercore_pause('p')",
           "SELECT evercore_resume('p')", "SELECT evercore_reset('p', 'end')", "SELECT evercore_unsubscribe('p')",
           "SELECT evercore_append(1, NULL, 'E', '{}')", "SELECT evercore_append(1, NULL, 'E', json_build_object(), NULL, '{}'::jsonb, now())",
           "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{}}]}]'::jsonb)",
           "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('T', 'new', 'New', '{}')",
           "SELECT evercore_create('T')", "SELECT evercore_ensure('T', 'b')", "SELECT evercore_rekey(1, 'a')",
           "SELECT evercore_snapshot(1)", "SELECT evercore_save_snapshot(1, 1, '{}', 1)", "SELECT evercore_snapshot_policy('T', 0, 1)",
           "SELECT evercore_event_type('E', 'merge')", "SELECT evercore_event_type('Other', '[{\"add\":{\"/n\":\"/n\"}}]')",
           "SELECT evercore_event_type('E', NULL, '{}'::jsonb)", "SELECT evercore_aggregate_type('T')", "SELECT evercore_aggregate_type('T', '{\"schema\":null}'::json)",
           "SELECT _evercore_publish_floor()"]
OWNING = ["SELECT evercore_event_type('E', 'patch')", "SELECT evercore_compact(1, 100)", "SELECT evercore_compact_type('T')", "SELECT evercore_erase(evercore_ensure('T', 'b'))",
          "SELECT evercore_migrate()", "SELECT evercore_event_type('E', NULL, '{\"tags\":{\"a\":\"/a\"}}')",
          "SELECT evercore_event_type('E', NULL, '{\"tags\":{\"a\":\"/a\"}}'::jsonb)", "SELECT evercore_aggregate_type('T', '{\"schema\":true}')",
          "SELECT evercore_aggregate_type('T', '{\"schema\":true}'::json)", "SELECT evercore_fill()", "CREATE TRIGGER t AFTER INSERT ON evercore_event FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"]
TABLES = ["evercore_event", "evercore_aggregate", "evercore_aggregate_type", "evercore_event_type", "evercore_snapshot",
          "evercore_event_id", "evercore_compacted_type", "evercore_schema", "_evercore_floor", "_evercore_pending",
          "evercore_subscription", "evercore_subscription_partition", "evercore_kept_state"]


def roles():
    database = new_database()
    admin = Connection(database)
    admin.rows("SELECT evercore_create('T','a'); SELECT evercore_append(1, NULL, 'E', '{}')")
    admin.rows("SELECT evercore_subscribe('p', NULL, 'end'); SELECT evercore_claim('p', 'w', 60)")
    result = {}
    for role in ("owner", "writer", "reader"):
        result[role] = Connection(database)
        result[role].rows(f"SET ROLE evercore_{role}")
    return admin, result


def within(connection, sql):
    connection.rows("BEGIN")
    try:
        connection.rows(sql)
    finally:
        connection.rows("ROLLBACK")


def test_each_role_may_do_what_is_its_own():
    _, role = roles()
    for sql in READING:
        within(role["reader"], sql)
        if " FROM evercore_" not in sql or "(" in sql.split(" FROM ")[1]:
            within(role["writer"], sql)
        within(role["owner"], sql)
    for sql in WRITING:
        refused(lambda sql=sql: within(role["reader"], sql), "42501")
        within(role["writer"], sql)
        within(role["owner"], sql)
    for sql in OWNING:
        refused(lambda sql=sql: within(role["reader"], sql), "42501")
        refused(lambda sql=sql: within(role["writer"], sql), "42501")
        within(role["owner"], sql)


def test_no_table_can_be_touched_but_by_the_owner():
    admin, role = roles()
    tables = [row[0] for row in admin.rows("SELECT relname FROM pg_class WHERE relnamespace = 'evercore'::regnamespace AND relkind = 'r'")]
    equal(sorted(set(TABLES) - set(tables)), [])
    for table in tables + ["evercore_log", "evercore_aggregates", "evercore_in_flight", "evercore_subscriptions"]:
        column = admin.value("SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND attname NOT IN ('position', 'aggregate_id', 'type_id', 'subscription_id') ORDER BY attnum LIMIT 1", f"evercore.{table}")
        for who in ("writer", "reader"):
            for sql in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table}", f"DROP TABLE {table}",
                        f"INSERT INTO {table} DEFAULT VALUES", f"LOCK TABLE {table} IN EXCLUSIVE MODE", f"ALTER TABLE {table} ADD x int",
                        f"CREATE TRIGGER t AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"):
                if "TRUNCATE" in sql and table.endswith(("log", "aggregates", "flight", "subscriptions")):
                    continue
                try:
                    within(role[who], sql)
                    raise AssertionError(f"{who} could {sql}")
                except Exception as error:  # pylint: disable=broad-except
                    if getattr(error, "code", None) not in ("42501", "42809", "55000"):
                        raise
    for sql in ("SELECT setval('evercore_event_position_seq', 1)", "SELECT nextval('evercore_event_position_seq')", "CREATE TABLE evercore.x (i int)",
                "CREATE FUNCTION evercore.evercore_find(text, text, text) RETURNS int LANGUAGE sql AS 'SELECT 1'"):
        for who in ("writer", "reader"):
            refused(lambda sql=sql, who=who: within(role[who], sql), "42501")


# By name, in all forms: what a new function or relation is, too, has to be said here and in sql/roles.sql.
READERS = ("version time check stats find sequence head follow query validate upcast events replay state history _in_flight _lag _time_text").split()
WRITERS = ("create ensure rekey append append_many event_type aggregate_type snapshot save_snapshot snapshot_policy subscribe pause resume reset unsubscribe claim fetch ack renew"
           " release _publish_floor _json_text _declare_fold _hold_declarations _declares_states _options_text").split()
OWNERS = ("migrate restored rename_type index_types fill compact compact_type erase").split()
RELATIONS = {"reader": {f"evercore_{name}": "SELECT" for name in
                        ("schema event event_id event_tag event_type aggregate aggregate_type compacted_type kept_state snapshot subscription subscription_partition"
                         " log aggregates aggregate_types append event_types in_flight subscriptions").split()},
             "writer": {"evercore_append": "INSERT", "evercore_aggregate_types": "SELECT", "evercore_event_types": "SELECT", "evercore_subscriptions": "SELECT"}}
INTERNAL_RELATIONS = ("_declared _floor _new_event _pending _unread _highest _system _timeline _token aggregate_aggregate_id_seq aggregate_type_type_id_seq"
                      " event_position_seq subscription_subscription_id_seq").split()


def test_every_function_in_the_catalogue_is_its_roles():
    admin, _ = roles()
    named = {who: {("_evercore" if name[0] == "_" else "evercore_") + name for name in names}
             for who, names in (("reader", READERS), ("writer", WRITERS), ("owner", OWNERS))}
    equal(sorted(admin.rows("SELECT routine, least_role FROM _evercore_rights()")), sorted((name, who) for who in named for name in named[who]), "sql/roles.sql")
    here = "FROM pg_proc p WHERE p.pronamespace = 'evercore'::regnamespace"
    names = {name for name, in admin.rows(f"SELECT DISTINCT p.proname {here}")}
    known = set().union(*named.values())
    equal({name for name in names if name.startswith("evercore_")} - known, set(), "public functions that sql/roles.sql does not name")
    equal(known - names, set(), "named, and not there")
    for who, grantee in (("reader", "evercore_reader"), ("writer", "evercore_writer"), ("PUBLIC", "-")):
        wanted = named["reader"] | (named["writer"] if who == "writer" else set()) if who != "PUBLIC" else set()
        may = admin.rows(f"SELECT p.oid::regprocedure, p.proname {here}"
                         " AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x WHERE x.grantee::regrole::text = $1 AND NOT x.is_grantable)", grantee)
        all_forms = admin.rows(f"SELECT p.oid::regprocedure, p.proname {here} AND p.proname = ANY ($1)", "{" + ",".join(wanted) + "}")
        equal(sorted(may), sorted(all_forms), who)
    equal(admin.rows(f"SELECT p.oid::regprocedure {here} AND p.proowner <> 'evercore_owner'::regrole"), [], "all are the owner's")


def test_every_relation_in_the_catalogue_is_its_roles():
    admin, _ = roles()
    here = "FROM pg_class c WHERE c.relnamespace = 'evercore'::regnamespace AND c.relkind NOT IN ('i', 'I')"
    equal(sorted(name for name, in admin.rows(f"SELECT c.relname {here}")),
          sorted([*RELATIONS["reader"], *(("_evercore" if name[0] == "_" else "evercore_") + name for name in INTERNAL_RELATIONS)]))
    given = admin.rows(f"SELECT replace(x.grantee::regrole::text, 'evercore_', ''), c.relname, x.privilege_type, x.is_grantable::text"
                       f" {here.replace('WHERE', ', aclexplode(c.relacl) x WHERE')} AND x.grantee <> c.relowner")
    equal(sorted(given), sorted((who, name, privilege, "false") for who, names in RELATIONS.items() for name, privilege in names.items()))
    equal(admin.rows("SELECT a.attrelid::regclass, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
                     " WHERE c.relnamespace = 'evercore'::regnamespace AND a.attacl IS NOT NULL"), [], "rights on columns")


def test_a_stranger_may_do_nothing():
    admin, _ = roles()
    stranger = Connection(new_database(False), None)
    stranger.rows("DO $$ BEGIN CREATE ROLE evercore_test_stranger; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    admin.rows("SET ROLE evercore_test_stranger")
    for sql in ("SELECT * FROM evercore.evercore_log", "SELECT evercore.evercore_version()"):
        refused(lambda sql=sql: admin.rows(sql), "42501")


def test_events_are_append_only_even_for_the_owner():
    admin, role = roles()
    for connection in (admin, role["owner"]):
        for sql in ("UPDATE evercore_event SET data = '{}'", "DELETE FROM evercore_event", "TRUNCATE evercore_event",
                    "UPDATE evercore_event SET data = '{}' WHERE false"):
            refused(lambda sql=sql: within(connection, sql), "EV010", "EV010: events are append-only")
    refused(lambda: within(admin, "SET session_replication_role = replica; DELETE FROM evercore_event"), "EV010")
    within(role["owner"], "SELECT evercore_compact(1, 0)")
    kind = admin.value("SELECT min(event_type) FROM evercore_event")
    for call in ("evercore_compact(1, 0)", "evercore_erase(1)", f"evercore_rename_type('event', '{kind}', 'Other')"):
        refused(lambda call=call: within(role["owner"], f"SELECT {call}; DELETE FROM evercore_event"), "EV010", "EV010: events are append-only")


def test_a_hostile_schema_and_temporary_tables_are_not_seen():
    admin, role = roles()
    admin.rows("CREATE SCHEMA hostile; GRANT ALL ON SCHEMA hostile TO evercore_writer")
    writer = role["writer"]
    writer.rows("""
      CREATE FUNCTION hostile.caught(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'hijacked by % as %', $1, current_user; END $$;
      CREATE FUNCTION hostile.trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.caught('trigger'); END $$;
      CREATE FUNCTION hostile.bad(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.caught('operator'); END $$;
      CREATE FUNCTION hostile.badtext(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.caught('operator'); END $$;
      CREATE FUNCTION hostile.badadd(bigint, integer) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.caught('operator'); END $$;
      CREATE OPERATOR hostile.= (FUNCTION = hostile.bad, LEFTARG = bigint, RIGHTARG = bigint);
      CREATE OPERATOR hostile.<> (FUNCTION = hostile.bad, LEFTARG = bigint, RIGHTARG = bigint);
      CREATE OPERATOR hostile.= (FUNCTION = hostile.badtext, LEFTARG = text, RIGHTARG = text);
      CREATE OPERATOR hostile.+ (FUNCTION = hostile.badadd, LEFTARG = bigint, RIGHTARG = integer);
      CREATE FUNCTION hostile.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.caught('function'); END $$;
      CREATE FUNCTION hostile.coalesce_length(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.caught('function'); END $$;
      CREATE FUNCTION hostile.octet_length(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.caught('function'); END $$;
      CREATE FUNCTION hostile.current_setting(text, boolean) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.caught('function'); END $$;
      CREATE FUNCTION hostile._evercore_known(bigint, boolean) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.caught('function'); END $$;
      CREATE FUNCTION hostile._evercore_payload(text, text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.caught('function'); END $$;""")
    for table in TABLES:
        columns = ", ".join(f"{name} {kind}" for name, kind in admin.rows(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0", f"evercore.{table}"))
        for place in ("TEMP TABLE ", "TABLE hostile."):
            writer.rows(f"CREATE {place}{table} ({columns})")
            where = "pg_temp" if place.startswith("TEMP") else "hostile"
            writer.rows(f"CREATE TRIGGER trap BEFORE INSERT OR UPDATE OR DELETE ON {where}.{table} FOR EACH ROW EXECUTE FUNCTION hostile.trap()")
    for path in ("hostile, evercore, pg_catalog", "pg_temp, hostile, pg_catalog, evercore"):
        writer.rows(f"SET search_path = {path}")
        for sql in WRITING + [one for one in READING if "(" in one]:
            if "json_build_object" in sql or "now()" in sql:
                continue
            within(writer, sql.replace("evercore_append (", "evercore.evercore_append (").replace(" evercore_", " evercore.evercore_")
                   .replace("evercore.evercore.", "evercore.").replace(" _evercore_", " evercore._evercore_"))
    equal(admin.value("SELECT count(*) FROM evercore_event"), "1")


def test_temporary_views_are_not_seen_in_a_store_that_is_not_migrated():
    """The functions are there and the tables are not: a view of the caller's would call his functions as the owner."""
    database = new_database()
    admin = Connection(database)
    relations = {}
    for relation, name, kind in admin.rows("SELECT c.relname, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod) FROM pg_class c"
                                           " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
                                           " WHERE c.relnamespace = 'evercore'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname <> 'evercore_append'"):
        relations.setdefault(relation, []).append(f"CASE WHEN pg_temp.trap() THEN NULL::{kind} END AS {name}")
    equal(admin.value("SELECT evercore_migrate(0)"), "0")
    calls = [sql for sql in READING + WRITING if "FROM evercore_" not in sql or "(" in sql] + ["SELECT _evercore_lag(1, 0)"]
    for who in ("reader", "writer"):
        caller = Connection(database)
        caller.rows(f"SET ROLE evercore_{who}")
        caller.rows("CREATE FUNCTION pg_temp.trap() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN"
                    " IF current_user = 'evercore_owner' THEN RAISE EXCEPTION 'ran as the owner' USING ERRCODE = 'ZZ999'; END IF; RETURN true; END $$")
        caller.rows("GRANT EXECUTE ON FUNCTION pg_temp.trap() TO PUBLIC")
        for relation, columns in relations.items():
            caller.rows(f"CREATE TEMP VIEW {relation} AS SELECT {', '.join(columns)} FROM generate_series(1, 2); GRANT ALL ON {relation} TO PUBLIC")
        for sql in calls:
            try:
                within(caller, sql)
            except Error as error:
                equal(error.code == "ZZ999", False, sql)


def test_every_function_is_pinned_commented_and_marked():
    admin, _ = roles()
    here = "FROM pg_proc p WHERE p.pronamespace = 'evercore'::regnamespace AND p.prokind = 'f'"
    # An internal one that nobody else may call, and that no trigger calls, is on the path of the function that calls it.
    equal(admin.rows("SELECT p.oid::regprocedure " + here + " AND NOT coalesce('search_path=pg_catalog, evercore, pg_temp' = ANY (p.proconfig), false)"
                     " AND (p.prosecdef OR p.proname NOT LIKE '\\_%' OR p.prorettype = 'trigger'::regtype"
                     "      OR EXISTS (SELECT FROM aclexplode(p.proacl) x WHERE x.grantee <> p.proowner))"),
          [], "functions without a pinned search_path")
    equal(admin.rows("SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'evercore'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL"),
          [], "functions without a comment")
    equal(admin.rows("SELECT relname FROM pg_class WHERE relnamespace = 'evercore'::regnamespace AND relkind IN ('r', 'v')"
                     " AND obj_description(oid, 'pg_class') IS NULL"), [], "relations without a comment")
    equal(admin.rows("SELECT p.oid::regprocedure " + here + " AND pg_get_userbyid(p.proowner) <> 'evercore_owner'"), [], "functions of other owners")
    equal(admin.rows("SELECT p.oid::regprocedure " + here + " AND p.prosecdef AND p.proname LIKE 'evercore%' AND p.provolatile = 'i'"), [])
    volatile = dict(admin.rows("SELECT p.proname, p.provolatile::text || p.proparallel::text " + here + " AND p.proname LIKE 'evercore%'"))
    for name in ("evercore_follow", "evercore_fetch", "evercore_claim", "evercore_ack", "evercore_append", "evercore_append_many", "evercore_create", "evercore_compact", "evercore_migrate"):
        equal(volatile[name], "vu", name)
    for name in ("evercore_find", "evercore_events", "evercore_replay", "evercore_state", "evercore_history", "evercore_check"):
        equal(volatile[name][0], "s", name)


def test_two_stores_have_roles_of_their_own():
    database = new_database()
    install(database, "second-store")
    connection = Connection(database, '"second-store"')
    connection.rows("SET ROLE \"second-store_writer\"; SELECT evercore_ensure('T', 'x')")
    refused(lambda: connection.rows("SELECT evercore.evercore_find('T', 'x')"), "42501")
    connection.rows("RESET ROLE; SET ROLE evercore_writer")
    refused(lambda: connection.rows("SELECT \"second-store\".evercore_find('T', 'x')"), "42501")


def test_a_cast_of_the_callers_never_runs_as_the_owner():
    _, role = roles()
    calls = {"reader": ["evercore_time({})", "evercore_sequence(1, {})", "evercore_find({}, {})", "evercore_find('T', {})", "evercore_find({}, 'a')",
                        "evercore_follow(0, 1, {})"],
             "writer": ["evercore_append(1, NULL, 'E', {})", "evercore_append(1, NULL, 'E', '{{}}', {})", "evercore_append(1, NULL, 'E', '{{}}', NULL, {})",
                        "evercore_append(1, NULL, 'E', '{{}}', NULL, NULL, {})", "evercore_append(1, NULL, 'E', '{{}}', NULL, NULL, NULL, {})",
                        "evercore_append_many({})", "evercore_create({}, {})", "evercore_ensure({}, 'b')", "evercore_ensure('T', {})", "evercore_rekey(1, {})",
                        "evercore_claim('p', {}, 60)", "evercore_subscribe('q', {})", "evercore_subscribe('q', NULL, {})", "evercore_reset('p', {})",
                        "evercore_save_snapshot(1, 1, {}, 1)"]}
    types = {"pair": ("CREATE TYPE pg_temp.pair AS (a int)", "row(1)::pg_temp.pair"), "mood": ("CREATE TYPE pg_temp.mood AS ENUM ('T')", "'T'::pg_temp.mood"),
             "span": ("CREATE TYPE pg_temp.span AS RANGE (subtype = int)", "'[1,2)'::pg_temp.span")}
    targets = {"text": "'T'", "json": "'{}'", "jsonb": "'{}'", "bytea": "'{}'", "bigint": "1", "numeric": "1", "float8": "1", "uuid": "gen_random_uuid()", "date": "now()",
               "timestamp": "now()", "timestamptz": "now()"}
    tried = 0
    for kind in ("ASSIGNMENT", "IMPLICIT"):
        for name, (made, value) in types.items():
            for who in ("reader", "writer"):
                connection = role[who]
                connection.rows("BEGIN")
                connection.rows(made)
                for target, result in targets.items():
                    connection.rows(f"CREATE FUNCTION pg_temp.turn_{target}(pg_temp.{name}) RETURNS {target} LANGUAGE plpgsql AS $$BEGIN"
                                    " IF current_user = 'evercore_owner' THEN RAISE EXCEPTION 'ran as the owner' USING ERRCODE = 'ZZ999'; END IF;"
                                    f" RETURN {result}; END$$")
                    connection.rows(f"CREATE CAST (pg_temp.{name} AS {target}) WITH FUNCTION pg_temp.turn_{target}(pg_temp.{name}) AS {kind}")
                for call in calls[who]:
                    connection.rows("SAVEPOINT s")
                    try:
                        connection.rows(f"SELECT {call.format(value, value)}")
                    except Error as error:
                        equal(error.code == "ZZ999", False, f"{call} of a {name} with {kind} casts")
                    connection.rows("ROLLBACK TO s")
                    tried += 1
                connection.rows("ROLLBACK")
    equal(tried, 126)


def test_who_may_not_declare_tags_is_told_what_the_owner_runs():
    admin, role = roles()
    for fold, options in (("'patch'", """'{"tags":{"it''s":"/a"}}'"""), ("NULL", """'{"tags":null}'"""), ("NULL", """'{"tags":{"b":"/b"}}'::json""")):
        call = f"SELECT evercore.evercore_event_type('it''s', {fold}, {options})"
        told = refused(lambda call=call: role["writer"].rows(call), "42501", "permission denied to declare tags of \"it's\": let the owner of the store run ")
        statement = told[told.index("SELECT "):]
        equal(statement, call.removesuffix("::json)") + ")" if call.endswith("::json)") else call)
        role["owner"].rows(statement)
        role["writer"].rows(call)
    equal(admin.rows("SELECT event_type, fold, tags FROM evercore_event_types WHERE event_type = 'it''s'"), [("it's", "patch", '{"b":"/b"}')])


def test_a_writer_declares_the_first_fold_of_a_type_and_changes_none():
    admin, role = roles()
    declare = "SELECT evercore.evercore_event_type('First', {})"
    role["writer"].rows(declare.format("'patch'"))
    role["writer"].rows(declare.format("'patch'"))
    for other in ("'merge'", "'custom'", """'[{"add":{"/n":"/n"}}]'"""):
        told = refused(lambda other=other: role["writer"].rows(declare.format(other)), "42501", "permission denied to declare a fold of \"First\": let the owner")
    role["owner"].rows(told[told.index("SELECT "):].replace(", NULL)", ")"))
    role["owner"].rows(declare.format("'merge'"))
    refused(lambda: role["writer"].rows(declare.format("'patch'")), "42501", "permission denied to declare a fold of \"First\"")
    equal(admin.rows("SELECT fold FROM evercore_event_types WHERE event_type = 'First'"), [("merge",)])


def test_the_first_fold_of_a_type_that_has_events_is_the_owners():
    admin, role = roles()
    declare = "SELECT evercore.evercore_event_type('{}', {})"

    def refused_to_a_writer():
        for fold in ("'patch'", "'custom'", """'[{"add":{"/n":"/n"}}]'"""):
            refused(lambda fold=fold: role["writer"].rows(declare.format("E", fold)), "42501", 'permission denied to declare a fold of "E": let the owner')
        within(role["owner"], declare.format("E", "'custom'"))
    refused_to_a_writer()
    role["writer"].rows(declare.format("Other", "'custom'"))
    # Of a long log the index by type says so: without it nobody looks.
    admin.rows("SELECT setval('evercore.evercore_event_position_seq', 100001)")
    within(role["writer"], declare.format("E", "'custom'"))
    admin.rows("SELECT evercore_index_types()")
    refused_to_a_writer()
    role["writer"].rows(declare.format("Third", "'custom'"))
    role["writer"].rows(declare.format("E", "'merge'"))
    refused_to_a_writer()


def test_a_schema_is_the_owners_and_a_call_that_changes_nothing_a_writers_too():
    _, role = roles()
    declare = """SELECT evercore.evercore_event_type('Kept', {}, '{}')"""
    needs = '{"schema":{"required":["a"]}}'
    refused(lambda: role["writer"].rows(declare.format("NULL", needs)), "42501", "permission denied to declare a schema of \"Kept\": let the owner")
    role["owner"].rows(declare.format("NULL", needs))
    role["writer"].rows(declare.format("NULL", needs))
    refused(lambda: role["writer"].rows(declare.format("NULL", '{"schema":null}')), "42501")
    refused(lambda: role["reader"].rows(declare.format("NULL", needs)), "42501")
    equal(role["reader"].rows("SELECT evercore.evercore_validate('Kept', '{}'), evercore.evercore_validate('Kept', '{}', '{\"schema\":true}')"), [(": required", None)])


def test_an_upcast_is_the_owners_and_a_call_that_changes_nothing_a_writers_too():
    _, role = roles()
    declare = "SELECT evercore.evercore_event_type('Shaped', NULL, '{}')"
    renames = '{"upcast":[{"rename":{"/b":"a"}}]}'
    refused(lambda: role["writer"].rows(declare.format(renames)), "42501", 'permission denied to declare an upcast of "Shaped": let the owner')
    role["owner"].rows(declare.format(renames))
    role["writer"].rows(declare.format('{"upcast" : [{"rename":{"/b":"a"}}]}'))
    refused(lambda: role["writer"].rows(declare.format('{"upcast":[]}')), "42501")
    refused(lambda: role["reader"].rows(declare.format(renames)), "42501")
    equal(role["reader"].rows("SELECT evercore.evercore_upcast('Shaped', '{\"b\":1}'), evercore.evercore_upcast('Shaped', '{\"b\":1}'::jsonb)"), [('{"a":1}', '{"a":1}')])
