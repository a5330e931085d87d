"""Runs the races and the histories; the last line says how many rounds and decisions were as they must be."""
import contextlib
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "postgres"))
import harness
import history
import races
import writers

COUNT = int(os.environ.get("EVERCORE_CONDITIONS", "10000"))
SEED = int(os.environ.get("SEED", "1"))


def prepare(store, by_types):
    for number in range(history.AGGREGATES):
        store.rows(f"SELECT evercore_create({store.parameters('text', 'text')})", "T", str(number))
    if by_types:
        store.rows("SELECT evercore_index_types()")
    for event_type, tags in history.DECLARED.items():
        store.rows(f"SELECT evercore_event_type({store.parameters('text', 'text', 'text')})", event_type, None, json.dumps({"tags": tags}))


@contextlib.contextmanager
def sqlite_store(by_types):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "store.db")
        store = writers.Sqlite(path)
        store.rows("PRAGMA journal_mode = WAL")
        store.rows("SELECT evercore_migrate()")
        prepare(store, by_types)
        yield writers.Sqlite, path


@contextlib.contextmanager
def postgres_store(by_types):
    database = harness.new_database()
    prepare(writers.Postgres(database), by_types)
    yield writers.Postgres, database


def strangers(database):
    """Appends that stay open all the time: neither waits for anybody, and nobody for them. Not by type: there nothing is unrelated."""
    for tags in (None, '["stranger"]'):
        stranger = writers.Postgres(database)
        stranger.rows("SELECT evercore_create('Stranger')")
        stranger.begin()
        stranger.rows("SELECT evercore_append((SELECT max(aggregate_id) FROM evercore_aggregates), NULL, 'S', '{}', NULL, NULL, NULL, NULL, $1)", tags)
        yield stranger


def decide(engine, by_types):
    with ENGINES[engine](by_types) as (open_store, where):
        held = list(strangers(where)) if engine == "postgres" and not by_types else []
        decisions, refused, faults = writers.run(open_store, where, COUNT // 2, by_types, SEED + by_types)
        for stranger in held:
            stranger.rows("ROLLBACK")
    what = f"{engine}, by tags{' and types' if by_types else ''}"
    print(f"{what}: {decisions} decisions, {refused} of them refused, {len(faults)} not explained", flush=True)
    return decisions if not faults else 0, [f"{what}: {fault}" for fault in faults]


def race(engine, take):
    with ENGINES[engine](not any("tags" in item for item in races.TAKES[take][0])) as (open_store, where):
        rounds, wrong = races.run(open_store, where, take)
    print(f"{engine}, {races.RACERS} racers on {take}: {rounds} rounds, {len(wrong)} wrong", flush=True)
    return rounds if not wrong else 0, [f"{engine}, racers on {take}: {fault}" for fault in wrong]


ENGINES = {"sqlite": sqlite_store, "postgres": postgres_store}


def the_checker_finds():
    """A checker that finds nothing is no proof: each fault is made once."""
    log = [(1, "A", ["t0"]), (2, "B", ["t1"]), (3, "A", ["t0", "t1"])]
    read = {"query": [{"tags": ["t0"]}], "asked_from": 0, "rows": [1], "after": 1}
    right = dict(read, first=3)
    cases = [([right], 0), ([dict(read, rows=[1, 3], after=3)], 0), ([dict(right, first=4)], 1), ([dict(read, after=3)], 1),
             ([dict(read, rows=[1, 2])], 1), ([dict(right, query=[])], 1), ([dict(right, query=[{"types": ["B"]}], rows=[], after=0)], 1)]
    wrong = [f"the checker says {found} of {case}, not {wanted}" for case, wanted in cases
             if (found := len(list(history.faults(log, case)))) != wanted]
    bears = history.borne("D", {"of": "3", "all": [1, 0, 1], "given": ["t:3", "u:5"]})
    return wrong + ([] if bears == ["u:1", "u:0", "t:3", "u:5"] else [f"the checker says that an event bears {bears}"])


def main():
    words = set(sys.argv[1:])
    wrong = the_checker_finds()
    passed = 0
    for engine in [engine for engine in ENGINES if engine in words] or ENGINES:
        made = [race(engine, take) for take in races.TAKES] if "histories" not in words else []
        if "races" not in words:
            made += [decide(engine, by_types) for by_types in (False, True)]
        passed += sum(held for held, _ in made)
        wrong += [fault for _, faults in made for fault in faults]
    for fault in wrong:
        print("FAILED", fault)
    print(f"{passed} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
