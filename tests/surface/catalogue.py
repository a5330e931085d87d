"""What a store shows of itself: the names, arguments and columns, asked of each engine's own catalogue.

Nothing here calls evercore. The answers are compared with catalogue.expected, so that a function, an
argument or a column that exists on one engine only fails.
"""

from pathlib import Path

from script import Block, parse_expected

RELATIONS = ["evercore_aggregate_types", "evercore_aggregates", "evercore_append", "evercore_event_types", "evercore_in_flight", "evercore_log", "evercore_subscriptions"]
TABLE_FUNCTIONS = {  # with the arguments that a call needs
    "evercore_check": "", "evercore_events": "1", "evercore_fetch": "'p', 1", "evercore_follow": "", "evercore_history": "1",
    "evercore_query": "'[]'", "evercore_replay": "1", "evercore_stats": "",
}
QUOTED = ", ".join(f"'{name}'" for name in RELATIONS)

SQLITE = {
    "functions": r"""SELECT name, group_concat(narg, ' ') FROM (SELECT DISTINCT name, narg FROM pragma_function_list
        WHERE name LIKE 'evercore\_%' ESCAPE '\' ORDER BY name, narg) GROUP BY name ORDER BY name;""",
    "argument names": None,
    "table functions": rf"""SELECT name, (SELECT group_concat(x.name, ', ') FROM pragma_table_xinfo(m.name) AS x
        WHERE x.hidden = 1) FROM pragma_module_list AS m WHERE name LIKE 'evercore\_%' ESCAPE '\'
        AND name NOT IN ({QUOTED}) ORDER BY name;""",
    "tables": r"""SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'evercore\_%' ESCAPE '\'
        ORDER BY name;""",
    "views": rf"""SELECT name FROM (SELECT name FROM sqlite_schema WHERE type = 'view'
        AND name LIKE 'evercore\_%' ESCAPE '\' UNION SELECT name FROM pragma_module_list WHERE name IN ({QUOTED})) ORDER BY name;""",
    "strangers": r"""SELECT name FROM pragma_function_list WHERE name LIKE '%evercore%' AND name NOT LIKE '\_evercore\_%'
        ESCAPE '\' AND name NOT LIKE 'evercore\_%' ESCAPE '\' UNION SELECT name FROM pragma_module_list WHERE name
        LIKE '%evercore%' AND name NOT LIKE '\_evercore\_%' ESCAPE '\' AND name NOT LIKE 'evercore\_%' ESCAPE '\'
        UNION SELECT name FROM sqlite_schema WHERE name NOT LIKE 'evercore\_%' ESCAPE '\'
        AND name NOT LIKE '\_evercore\_%' ESCAPE '\' AND name NOT LIKE 'sqlite\_%' ESCAPE '\';""",
}
OWN = "pronamespace = 'evercore'::regnamespace"
INPUTS = """(SELECT string_agg(name, ', ' ORDER BY place) FROM unnest(proargnames) WITH ORDINALITY AS a (name, place)
        WHERE place <= pronargs)"""
POSTGRES = {
    "functions": rf"""SELECT proname, string_agg(n::text, ' ' ORDER BY n) FROM (SELECT DISTINCT proname, n FROM pg_proc,
        generate_series((pronargs - pronargdefaults)::int, pronargs::int) AS n WHERE {OWN} AND NOT proretset
        AND prorettype <> 'trigger'::regtype AND proname LIKE 'evercore\_%') AS p
        GROUP BY proname ORDER BY proname COLLATE "C";""",
    "argument names": rf"""SELECT DISTINCT proname || '(' || coalesce({INPUTS}, '') || ')' AS call FROM pg_proc WHERE {OWN}
        AND proname LIKE 'evercore\_%' AND NOT proretset AND prorettype <> 'trigger'::regtype ORDER BY call;""",
    "table functions": rf"""SELECT DISTINCT ON (proname) proname, {INPUTS} FROM pg_proc WHERE {OWN} AND proretset
        AND proname LIKE 'evercore\_%' ORDER BY proname, pronargs DESC;""",
    "tables": r"""SELECT relname FROM pg_class WHERE relnamespace = 'evercore'::regnamespace AND relkind IN ('r', 'p')
        AND relname LIKE 'evercore\_%' ORDER BY relname;""",
    "views": r"""SELECT relname FROM pg_class WHERE relnamespace = 'evercore'::regnamespace AND relkind IN ('v', 'm')
        AND relname LIKE 'evercore\_%' ORDER BY relname;""",
    "strangers": r"""SELECT proname FROM pg_proc WHERE pronamespace = 'evercore'::regnamespace
        AND proname NOT LIKE 'evercore\_%' AND proname NOT LIKE '\_evercore\_%' UNION SELECT relname FROM pg_class
        WHERE relnamespace = 'evercore'::regnamespace AND relname NOT LIKE 'evercore\_%' AND relname NOT LIKE '\_evercore\_%';""",
}
TITLES = {
    "functions": "-- the functions that give a value, and how many arguments they take",
    "argument names": "-- the names of their arguments (SQLite has none to show)",
    "table functions": "-- the functions that give rows, and their arguments",
    "tables": "-- the tables of a store",
    "views": "-- the relations of a store",
    "strangers": "-- every name begins with evercore_, a helper's with _evercore_: no others",
}


def columns(engine, relation, arguments):
    """The statements that list the columns of a relation or a table function, in order."""
    if engine == "sqlite":
        return [f"SELECT group_concat(name, ', ') FROM pragma_table_xinfo('{relation}') WHERE hidden = 0;"]
    call = relation if arguments is None else f"{relation}({arguments})"
    return [f"CREATE TEMP VIEW shown_{relation} AS SELECT * FROM {call};",
            f"""SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
                WHERE attrelid = 'shown_{relation}'::regclass;"""]


def blocks(engine):
    made = []
    for key, statement in (SQLITE if engine == "sqlite" else POSTGRES).items():
        made.append(Block([TITLES[key]]))
        made[-1].statements += [statement] if statement else []
    for relation, arguments in {**{name: None for name in RELATIONS}, **TABLE_FUNCTIONS}.items():
        made.append(Block([f"-- columns of {relation}"]))
        made[-1].statements += columns(engine, relation, arguments)
    expected = Path(__file__).with_name("catalogue.expected").read_text(encoding="utf-8")
    return made, parse_expected(expected, engine)
