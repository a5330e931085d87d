"""What was taken away or changed is named by evercore_check() and put back by evercore_migrate(), which leaves alone what is right."""
from harness import equal, install, new_database, refused
from pq import Connection

INDEXES = ("SELECT t.relname, i.relname, coalesce(c.contype::text, CASE WHEN x.indisunique THEN '' ELSE 'i' END), regexp_replace(pg_get_indexdef(x.indexrelid), '^CREATE (UNIQUE )?INDEX .* USING ', '')"
           " FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid"
           " LEFT JOIN pg_constraint c ON c.conindid = x.indexrelid AND c.contype IN ('p', 'u')"
           " WHERE t.relnamespace = 'evercore'::regnamespace ORDER BY i.relname COLLATE \"C\"")
KINDS = ("proc", "class", "trigger", "constraint", "namespace", "rewrite", "attrdef", "type", "cast", "aggregate:aggfnoid", "attribute:attrelid", "index:indexrelid",
         "description:objoid", "depend:objid", "shdepend:objid", "auth_members:member", "authid", "sequence:seqrelid", "init_privs:objoid")
CATALOGUE = " UNION ALL ".join("SELECT '{0}', {1}::bigint, xmin::text, count(*) FROM pg_{0} GROUP BY 1, 2, 3".format(kind.split(":")[0], kind.split(":")[-1] if ":" in kind else "oid")
                               for kind in KINDS) + " ORDER BY 1, 2, 3"


def store():
    connection = Connection(new_database())
    connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id)"
                    " SELECT 'T', 'k' || i % 3, 'E', '{}', 'id' || i FROM generate_series(1, 9) i")
    return connection


def problems(connection):
    return [row[0] for row in connection.rows("SELECT problem FROM evercore_check()")]


def as_owner(connection, sql):
    """As the owner, where that is enough: what others make belongs to them, and is named too."""
    if "LEAKPROOF" in sql or "pg_index" in sql:
        return connection.rows(sql)
    connection.rows("SET ROLE evercore_owner")
    try:
        return connection.rows(sql)
    finally:
        connection.rows("RESET ROLE")


def mended(connection, sql, problem):
    as_owner(connection, sql)
    equal(problems(connection), [problem], sql)
    connection.rows("SELECT evercore_migrate()")
    equal(problems(connection), [], sql)


def test_the_lists_are_what_a_fresh_store_has():
    connection = store()
    equal(connection.rows("SELECT * FROM _evercore_indexes() ORDER BY name COLLATE \"C\""), connection.rows(INDEXES))
    equal(connection.rows("SELECT * FROM _evercore_relations() ORDER BY name COLLATE \"C\""),
          connection.rows("SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'c' THEN 'type' ELSE 'sequence' END, relname FROM pg_class"
                          " WHERE relnamespace = 'evercore'::regnamespace AND relkind IN ('r', 'v', 'S', 'c') ORDER BY relname COLLATE \"C\""))
    equal(connection.rows("SELECT relation, name, state, kind FROM _evercore_triggers() ORDER BY name COLLATE \"C\""),
          connection.rows("SELECT c.relname, t.tgname, t.tgenabled, t.tgtype FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                          " WHERE c.relnamespace = 'evercore'::regnamespace AND NOT t.tgisinternal ORDER BY t.tgname COLLATE \"C\""))


def test_each_index_is_missed_and_made_again():
    connection = store()
    for relation, name, contype, _ in connection.rows(INDEXES):
        kind, drop = ("constraint", f"ALTER TABLE {relation} DROP CONSTRAINT {name}") if contype in ("p", "u") else ("index", f"DROP INDEX {name}")
        mended(connection, drop, f"{kind} {name} is missing")
    for name, columns in (("evercore_event_sequence", "evercore_event (aggregate_id, sequence)"), ("evercore_aggregate_key", "evercore_aggregate (natural_key)")):
        mended(connection, f"DROP INDEX {name}; CREATE INDEX {name} ON {columns}", f"index {name} is different")
    mended(connection, "ALTER TABLE evercore_event DROP CONSTRAINT evercore_event_pkey, ADD CONSTRAINT evercore_event_pkey PRIMARY KEY (position, sequence)",
           "constraint evercore_event_pkey is different")
    mended(connection, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'evercore_event_event_id'::regclass", "index evercore_event_event_id is invalid")


def test_each_trigger_is_missed_and_made_again():
    connection = store()
    for relation, name, state in connection.rows("SELECT relation, name, state FROM _evercore_triggers()"):
        mended(connection, f"DROP TRIGGER {name} ON {relation}", f"trigger {name} is missing")
        if relation != "evercore_append":
            mended(connection, f"ALTER TABLE {relation} DISABLE TRIGGER {name}", f"trigger {name} is disabled")
            mended(connection, f"ALTER TABLE {relation} ENABLE {'REPLICA' if state == 'A' else 'ALWAYS'} TRIGGER {name}", f"trigger {name} is different")


def named(connection, problems_wanted, *changes):
    """These changes together are named, all of them and nothing else, and migrated away."""
    for sql in changes:
        as_owner(connection, sql)
    equal(sorted(problems(connection)), sorted(problems_wanted), changes[0])
    connection.rows("SELECT evercore_migrate()")
    equal(problems(connection), [], changes[0])


def test_functions_columns_and_checks_are_all_in_the_lists():
    connection = store()
    equal(connection.rows("SELECT to_regprocedure(signature)::oid FROM _evercore_functions() UNION SELECT '_evercore_source()'::regprocedure ORDER BY 1"),
          connection.rows("SELECT oid FROM pg_proc WHERE pronamespace = 'evercore'::regnamespace ORDER BY 1"))
    equal(connection.rows("SELECT relation, name FROM _evercore_columns() ORDER BY 1, 2"),
          connection.rows("SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'evercore'::regnamespace"
                          " AND c.relkind = 'r' AND a.attnum > 0 ORDER BY c.relname COLLATE \"C\", a.attname COLLATE \"C\""))
    equal(connection.rows("SELECT relation, name FROM _evercore_checks() ORDER BY name COLLATE \"C\""),
          connection.rows("SELECT conrelid::regclass, conname FROM pg_constraint WHERE connamespace = 'evercore'::regnamespace AND contype = 'c' ORDER BY conname COLLATE \"C\""))
    equal(connection.rows("SELECT name FROM _evercore_views() ORDER BY 1"), connection.rows("SELECT name FROM _evercore_relations() WHERE kind = 'view' ORDER BY 1"))


# Without these nothing can be named or mended from inside: evercore_check, evercore_migrate and what both begin with.
MACHINERY = ("evercore_check", "evercore_migrate", "_evercore_ready", "_evercore_source", "_evercore_functions", "_evercore_function_faults",
             "_evercore_make_functions", "_evercore_forms")


def functions(connection):
    return connection.rows("SELECT p.oid::regprocedure, f.signature, pg_get_functiondef(p.oid), p.proname FROM _evercore_functions() f"
                           " JOIN pg_proc p ON p.oid = to_regprocedure(f.signature) WHERE p.prokind = 'f'")


def test_each_function_is_missed_and_made_again():
    database = new_database()
    connection = Connection(database)
    before = connection.rows("SELECT p.oid::regprocedure, pg_get_functiondef(p.oid), p.proacl FROM pg_proc p"
                             " WHERE p.pronamespace = 'evercore'::regnamespace AND p.prokind = 'f' ORDER BY p.oid::regprocedure::text")
    dropped = [(name, signature) for name, signature, _, plain in functions(connection) if plain not in MACHINERY]
    for name, _ in dropped:
        connection.rows(f"DROP FUNCTION {name} CASCADE")
    named(connection, [f"function {signature} is missing" for _, signature in dropped], "SELECT 1")
    for name, _, _, plain in functions(connection):
        if plain in MACHINERY:
            connection.rows(f"DROP FUNCTION {name}")
    install(database)
    equal(problems(connection), [])
    equal(connection.rows("SELECT p.oid::regprocedure, pg_get_functiondef(p.oid), p.proacl FROM pg_proc p"
                          " WHERE p.pronamespace = 'evercore'::regnamespace AND p.prokind = 'f' ORDER BY p.oid::regprocedure::text"), before)


def test_what_is_made_anew_keeps_the_rights_that_a_user_gave():
    connection = store()
    role = connection.value("SELECT current_database()") + "_may"
    connection.rows(f"CREATE ROLE {role}")
    try:
        definition = connection.value("SELECT pg_get_functiondef('evercore_rekey(bigint, text)'::regprocedure)")
        connection.rows("DROP FUNCTION evercore_rekey(bigint, text); " + definition.replace("new_key text", "given text"))
        connection.rows("ALTER FUNCTION evercore_rekey(bigint, text) OWNER TO evercore_owner;"
                        f" GRANT EXECUTE ON FUNCTION evercore_rekey(bigint, text) TO {role} WITH GRANT OPTION")
        connection.rows("DROP VIEW evercore_aggregates; CREATE VIEW evercore_aggregates AS SELECT 1 AS one;"
                        f" ALTER VIEW evercore_aggregates OWNER TO evercore_owner; GRANT SELECT ON evercore_aggregates TO {role}")
        connection.rows("SELECT evercore_migrate()")
        equal(problems(connection), [])
        equal(connection.value("SELECT has_function_privilege($1, 'evercore_rekey(bigint, text)', 'EXECUTE WITH GRANT OPTION')"
                               " AND has_table_privilege($1, 'evercore_aggregates', 'SELECT')", role), "t")
    finally:
        connection.rows(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_routine_that_bears_a_name_of_ours_is_named_and_never_becomes_the_owners():
    database = new_database()
    connection = Connection(database)
    role = connection.value("SELECT current_database()") + "_plants"
    connection.rows(f"CREATE ROLE {role}; GRANT CREATE, USAGE ON SCHEMA evercore TO {role}; SET ROLE {role}")
    try:
        connection.rows("""CREATE FUNCTION evercore.evercore_find(integer) RETURNS void LANGUAGE sql SECURITY DEFINER AS 'SELECT';
                           CREATE FUNCTION evercore.evercore_mine() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'SELECT'; RESET ROLE""")
        wanted = ["function evercore_find(integer) is not evercore's", f"owner of function evercore_find(integer) is {role}",
                  f"owner of function evercore_mine() is {role}"]
        equal(sorted(problems(connection)), wanted)
        install(database)
        connection.rows("SELECT evercore_migrate()")
        equal(sorted(problems(connection)), wanted)
        connection.rows("ALTER FUNCTION evercore_head() OWNER TO " + role)
        install(database)
        equal(sorted(problems(connection)), wanted, "what is evercore's by its signature is taken over")
    finally:
        connection.rows(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_stranger_who_holds_keys_stops_no_migration():
    database = new_database()
    stranger, connection = Connection(database), Connection(database)
    stranger.rows("SELECT pg_advisory_lock(hashtextextended(key, 0)) FROM unnest(ARRAY['evercore install', 'evercore_migrate \"evercore\"']) AS key")
    connection.rows("SET statement_timeout = '100s'; SELECT evercore_migrate()")
    install(database, PGOPTIONS="-c statement_timeout=100s -c lock_timeout=1s")
    equal(problems(connection), [])


def test_each_body_of_a_function_is_compared_and_made_again():
    connection = store()
    everything = functions(connection)
    for _, _, definition, _ in everything:
        connection.rows(definition[:definition.rindex("$function$")] + " $function$")
    named(connection, [f"function {signature} is different" for _, signature, _, _ in everything], "SELECT 1")
    mended(connection, "CREATE OR REPLACE FUNCTION evercore_find(type text, key text) RETURNS bigint LANGUAGE sql AS $$ SELECT 1 $$",
           "function evercore_find(text, text) is different")


def test_each_attribute_of_a_function_is_compared_and_made_again():
    connection = store()
    for change in ("SECURITY INVOKER", "IMMUTABLE", "STRICT", "PARALLEL RESTRICTED", "LEAKPROOF", "COST 5", "RESET search_path", "RESET ALL",
                   "SET search_path = public", "SET enable_sort = off", "SET search_path = pg_catalog, evercore"):
        mended(connection, f"ALTER FUNCTION evercore_claim(text, text, float8) {change}", "function evercore_claim(text, text, double precision) is different")
    mended(connection, "ALTER FUNCTION evercore_follow(bigint, bigint) ROWS 5", "function evercore_follow(bigint, bigint) is different")
    same = connection.value("SELECT pg_get_functiondef('evercore_rekey(bigint, text)'::regprocedure)")
    for arguments in ("id bigint, given text", "id bigint, new_key text DEFAULT 'x'::text"):
        mended(connection, "DROP FUNCTION evercore_rekey(bigint, text);" + same.replace("id bigint, new_key text", arguments),
               "function evercore_rekey(bigint, text) is different")
    for change in ("DROP FUNCTION {0}; CREATE FUNCTION evercore_rekey(id bigint, key text) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
                   "DROP FUNCTION {0}; CREATE FUNCTION evercore_rekey(id bigint, new_key text) RETURNS text LANGUAGE sql AS 'SELECT 1::text'",
                   "DROP FUNCTION {0}; CREATE PROCEDURE evercore_rekey(id bigint, new_key text) LANGUAGE sql AS 'SELECT 1'",
                   "COMMENT ON FUNCTION {0} IS 'something else'", "COMMENT ON FUNCTION {0} IS NULL"):
        mended(connection, change.format("evercore_rekey(bigint, text)"), "function evercore_rekey(bigint, text) is different")
    mended(connection, "CREATE OR REPLACE AGGREGATE _evercore_merge(jsonb) (SFUNC = pg_catalog.jsonb_concat, STYPE = jsonb, INITCOND = '{\"a\":1}')",
           "function _evercore_merge(jsonb) is different")
    equal(connection.value("SELECT evercore_rekey(1, 'new')"), "1")
    connection.rows("SET ROLE evercore_writer; SELECT evercore_rekey(1, 'newer'); RESET ROLE")


VALUES = {"bigint": "7", "integer": "7", "boolean": "(1 = 1)", "json": "'{}'", "jsonb": "'{}'", "jsonpath": "'$'", "bytea": "''", "text[]": "'{}'", "text[] COLLATE \"C\"": "'{}'", "interval": "'1 s'", "uuid": "'" + 32 * "0" + "'"}


def columns(connection, condition):
    return connection.rows(f"SELECT relation, name, type, standard FROM _evercore_columns() WHERE {condition}")


def test_each_column_is_compared_and_made_again():
    connection = store()
    changed = columns(connection, "NOT identity")
    named(connection, [f"column {relation}.{name} is different" for relation, name, _, _ in changed],
          *[f"ALTER TABLE {relation} ALTER {name} " + ("DROP DEFAULT" if standard else "SET DEFAULT "
            + VALUES.get(kind, "now()" if kind.startswith("timestamp") else "'x'")) for relation, name, kind, standard in changed])
    changed = [row for row in columns(connection, "required AND NOT identity") if connection.value(
        "SELECT NOT EXISTS (SELECT FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey)"
        " WHERE x.indisprimary AND x.indrelid = $1::regclass AND a.attname = $2)", row[0], row[1]) == "t"]
    named(connection, [f"column {relation}.{name} is different" for relation, name, _, _ in changed],
          *[f"ALTER TABLE {relation} ALTER {name} DROP NOT NULL" for relation, name, _, _ in changed])
    named(connection, ["column evercore_event.event_id is different", "column evercore_aggregate.base_position is different"],
          "ALTER TABLE evercore_event ALTER event_id SET NOT NULL",
          "ALTER TABLE evercore_aggregate ADD CONSTRAINT filled CHECK (base_position IS NOT NULL) NOT VALID; ALTER TABLE evercore_aggregate DROP CONSTRAINT filled;"
          " UPDATE evercore_aggregate SET base_position = 0; ALTER TABLE evercore_aggregate ALTER base_position SET NOT NULL")


def test_types_of_columns_are_made_again():
    connection = store()
    views = "DROP VIEW evercore_log, evercore_aggregates, _evercore_unread;"
    was = connection.rows("SELECT * FROM evercore_log ORDER BY position")
    for change in ("data TYPE jsonb", "reference TYPE varchar(10)", 'event_id TYPE text COLLATE "POSIX"', "sequence TYPE integer",
                   "recorded_at TYPE text USING to_char(recorded_at, 'YYYY-MM-DD HH24:MI:SS.USOF')"):
        connection.rows(views + f"ALTER TABLE evercore_event ALTER {change}")
        equal(f"column evercore_event.{change.split()[0]} is different" in problems(connection), True, change)
        connection.rows("SELECT evercore_migrate()")
        equal(problems(connection), [], change)
        equal(connection.rows("SELECT * FROM evercore_log ORDER BY position"), was, change)


def test_each_column_that_is_gone_is_named_and_comes_back_where_it_may_be_empty():
    connection = Connection(new_database())
    places = {}
    for relation, name, _, _ in columns(connection, "relation <> 'evercore_schema'"):
        places.setdefault(relation, []).append(name)
    for place in range(max(len(names) for names in places.values())):
        gone = [(relation, names[place]) for relation, names in places.items() if place < len(names)]
        for relation, name in gone:
            connection.rows(f"ALTER TABLE {relation} DROP COLUMN {name} CASCADE")
        equal([row for row in problems(connection) if row.startswith("column")], sorted(f"column {relation}.{name} is missing" for relation, name in gone))
        for relation in ("_evercore_declared", "_evercore_floor"):
            if relation in dict(gone) and dict(gone)[relation] != "one_row":
                connection.rows(f"DELETE FROM {relation}")
        connection.rows("SELECT evercore_migrate()")
        equal(problems(connection), [], gone)
    equal(connection.value("SELECT evercore_append(evercore_ensure('T', 'a'), 0, 'E', '{}')"), "1")
    refused(lambda: connection.rows("ALTER TABLE evercore_event DROP COLUMN event_type CASCADE; SELECT evercore_migrate()"), "EV010",
            "EV010: column evercore_event.event_type cannot be made: ")


def test_the_row_of_a_table_of_one_is_missed_and_written_again():
    connection = store()
    condition = "SELECT evercore_append_many('[]', '[{\"types\":[\"Other\"]}]', 0)"
    for by_type in (False, True):
        if by_type:
            connection.rows("SELECT evercore_index_types()")
        for table in ("_evercore_declared", "_evercore_floor"):
            connection.rows(f"DELETE FROM {table}")
            if table == "_evercore_declared":  # whether types are indexed is not known, and none may hold a lock on what it sees
                refused(lambda: connection.rows(condition), "EV010", "EV010: a condition without tags needs the index by type: SELECT evercore_index_types()")
            equal(problems(connection), [f"{table} is empty"])
            connection.rows("SELECT evercore_migrate()")
            equal(problems(connection), [], table)
            equal(connection.value("SELECT by_type FROM _evercore_declared"), "t" if by_type else "f", table)
        connection.rows("SELECT evercore_append(1, NULL, 'E', '{}')")
    equal(connection.rows(condition), [("[]",)])


def test_identities_and_their_sequences_are_made_again():
    connection = store()
    mended(connection, "ALTER TABLE evercore_event ALTER position SET GENERATED BY DEFAULT", "column evercore_event.position is different")
    for change in ("", "CREATE SEQUENCE evercore_event_position_seq; SELECT setval('evercore_event_position_seq', 40);"):
        as_owner(connection, "ALTER TABLE evercore_event ALTER position DROP IDENTITY;" + change)
        equal(problems(connection)[:1], ["column evercore_event.position is different" if change else "sequence evercore_event_position_seq is missing"])
        connection.rows("SELECT evercore_migrate()")
        equal(problems(connection), [])
        equal(connection.value("SELECT evercore_append(1, NULL, 'E', '{}')") is not None, True)
    equal(connection.value("SELECT max(position) FROM evercore_log"), "41")
    mended(connection, "ALTER SEQUENCE evercore_event_position_seq MAXVALUE 1000", "sequence evercore_event_position_seq is different")


def test_columns_that_were_made_to_draw_or_to_reckon_their_values_do_so_no_more():
    connection = store()
    for relation, was in (("evercore_event", "by default"), ("evercore_aggregate", "always")):
        standard = connection.value("SELECT standard FROM _evercore_columns() WHERE relation = $1 AND name = 'sequence'", relation)
        mended(connection, f"ALTER TABLE {relation} ALTER sequence DROP DEFAULT, ALTER sequence ADD GENERATED {was} AS IDENTITY", f"column {relation}.sequence is different")
        equal(connection.value("SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum"
                               " WHERE d.adrelid = $1::regclass AND a.attname = 'sequence'", relation), standard)
    as_owner(connection, "DROP VIEW evercore_log; ALTER TABLE evercore_event DROP COLUMN reference, ADD COLUMN reference text GENERATED ALWAYS AS (event_type || '!') STORED")
    equal(problems(connection), ["view evercore_log is missing", "column evercore_event.reference is different"])
    connection.rows("SELECT evercore_migrate(), evercore_append(1, NULL, 'E', '{}', reference => 'r')")
    equal(problems(connection), [])
    equal(connection.rows("SELECT DISTINCT reference FROM evercore_log ORDER BY 1"), [("E!",), ("r",)], "what was reckoned stays")


def test_each_check_is_compared_and_made_again():
    connection = store()
    for relation, name, definition in connection.rows("SELECT * FROM _evercore_checks()"):
        mended(connection, f"ALTER TABLE {relation} DROP CONSTRAINT {name}", f"constraint {name} is missing")
        mended(connection, f"ALTER TABLE {relation} DROP CONSTRAINT {name}; ALTER TABLE {relation} ADD CONSTRAINT {name} CHECK (true)", f"constraint {name} is different")
        mended(connection, f"ALTER TABLE {relation} DROP CONSTRAINT {name}; ALTER TABLE {relation} ADD CONSTRAINT {name} {definition} NOT VALID",
               f"constraint {name} is invalid")
    refused(lambda: connection.rows("ALTER TABLE evercore_event_type DROP CONSTRAINT evercore_event_type_fold_check;"
                                    " INSERT INTO evercore_event_type VALUES ('X', 'mrege'); SELECT evercore_migrate()"),
            "EV010", "EV010: constraint evercore_event_type_fold_check cannot be made: check constraint \"evercore_event_type_fold_check\" of relation")


def test_each_definition_of_a_view_is_compared_and_made_again():
    connection = store()
    definitions = connection.rows("SELECT name, rtrim(definition, ';') FROM _evercore_views()")
    for name, definition in definitions:
        connection.rows(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM ({definition}) q WHERE 1 = 2")
    named(connection, [f"view {name} is different" for name, _ in definitions], "SELECT 1")
    mended(connection, "ALTER VIEW evercore_log SET (security_barrier)", "view evercore_log is different")
    mended(connection, "ALTER VIEW evercore_append ALTER data SET DEFAULT '{}'", "view evercore_append is different")
    named(connection, ["view _evercore_unread is different"], "DROP VIEW _evercore_unread; CREATE VIEW _evercore_unread AS SELECT 1 AS subscription_id")
    named(connection, ["view evercore_log is different"], "DROP VIEW evercore_log; CREATE VIEW evercore_log AS SELECT 1 AS position")
    equal(connection.value("SELECT count(*) FROM evercore_log"), "9")
    refused(lambda: as_owner(connection, "DROP VIEW evercore_log; CREATE VIEW evercore_log AS SELECT 1 AS position; CREATE VIEW mine AS SELECT * FROM evercore_log;"
                                    " SELECT evercore_migrate()"), "EV010", "EV010: view evercore_log cannot be made: view mine depends on view evercore_log")
    equal(problems(connection), [])
    connection.rows("CREATE VIEW mine AS SELECT count(*) FROM evercore_log")
    mended(connection, f"CREATE OR REPLACE VIEW evercore_log AS {dict(definitions)['evercore_log']} WHERE e.position > 5", "view evercore_log is different")
    equal(connection.value("SELECT * FROM mine"), "9")


def test_tables_that_a_crash_would_empty_are_named():
    connection = store()
    mended(connection, "ALTER TABLE evercore_event SET UNLOGGED", "table evercore_event is different")
    mended(connection, "ALTER TABLE _evercore_pending SET LOGGED", "table _evercore_pending is different")


def test_each_relation_that_can_be_made_again_is():
    connection = store()
    for (name,) in connection.rows("SELECT name FROM _evercore_relations() WHERE kind = 'view'"):
        connection.rows(f"DROP VIEW {name} CASCADE")
        equal(f"view {name} is missing" in problems(connection), True)
        connection.rows("SELECT evercore_migrate()")
        equal(problems(connection), [], name)
    for name in ("_evercore_declared", "_evercore_floor", "_evercore_pending", "evercore_compacted_type", "evercore_event_id", "evercore_event_type",
                 "evercore_kept_state", "evercore_snapshot", "evercore_subscription", "evercore_subscription_partition"):
        connection.rows(f"DROP TABLE {name} CASCADE")
        equal(f"table {name} is missing" in problems(connection), True)
        if name == "evercore_subscription":  # nobody reads, and the rest goes on
            equal(connection.value("SELECT value FROM evercore_stats() WHERE name = 'subscriptions'"), "0")
            equal(connection.rows("SELECT evercore_compact(1), evercore_erase(2)"), [("0", "3")])
        connection.rows("SELECT evercore_migrate()")
        equal(problems(connection), [], name)
    for kind, name in (("sequence", "_evercore_highest"), ("sequence", "_evercore_token"), ("sequence", "_evercore_system"),
                       ("type", "_evercore_new_event")):
        connection.rows(f"DROP {kind} {name}")
        equal(problems(connection), [f"{kind} {name} is missing"])
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


def left_alone(database, *updates):
    """While an append is open these neither wait, nor make others wait, nor write a row of the catalogue."""
    busy, other, observer = Connection(database), Connection(database), Connection(database)
    busy.rows("SELECT evercore_create('T', 'a'), evercore_create('T', 'b')")
    busy.rows("BEGIN; SELECT evercore_append(1, NULL, 'E', '{}')")
    before = observer.rows(CATALOGUE)
    for update in updates:
        update(database)
        equal(observer.rows(CATALOGUE), before)
    other.rows("SET lock_timeout = '1s'; SELECT evercore_append(2, NULL, 'E', '{}')")
    busy.rows("COMMIT")


def migrate(database):
    Connection(database).rows("SET lock_timeout = '1s'; SELECT evercore_migrate()")


def install_at_once(database):
    install(database, PGOPTIONS="-c lock_timeout=1s")


def test_a_store_that_is_up_to_date_is_left_alone():
    left_alone(new_database(), migrate, install_at_once, migrate)
