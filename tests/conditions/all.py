"""Runs the histories; the last line says how many decisions were explained."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "postgres"))
import harness
import history
import writers

COUNT = int(os.environ.get("EVERCORE_CONDITIONS", "10000"))
SEED = int(os.environ.get("SEED", "1"))


def on_sqlite(by_types):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "store.db")
        store = writers.Sqlite(path)
        store.rows("PRAGMA journal_mode = WAL")
        store.rows("SELECT evercore_migrate()")
        if by_types:
            store.rows("SELECT evercore_index_types()")
        return writers.run(writers.Sqlite, path, COUNT // 2, by_types, SEED + by_types)


def on_postgres(by_types):
    database = harness.new_database()
    store = writers.Postgres(database)
    if by_types:
        store.rows("SELECT evercore_index_types()")
        return writers.run(writers.Postgres, database, COUNT // 2, True, SEED + 1)
    # Strangers whose appends stay open all the time: neither waits for anybody, and nobody for them.
    strangers = [writers.Postgres(database) for _ in range(2)]
    for stranger, tags in zip(strangers, (None, '["stranger"]')):
        stranger.rows("SELECT evercore_create('Stranger')")
        stranger.begin()
        stranger.rows("SELECT evercore_append((SELECT max(aggregate_id) FROM evercore_aggregates), NULL, 'S', '{}', NULL, NULL, NULL, NULL, $1)", tags)
    try:
        return writers.run(writers.Postgres, database, COUNT // 2, False, SEED)
    finally:
        for stranger in strangers:
            stranger.rows("ROLLBACK")


def the_checker_finds():
    """A checker that finds nothing is no proof: each fault is made once."""
    log = [(1, "A", ["t0"]), (2, "B", ["t1"]), (3, "A", ["t0", "t1"])]
    read = {"query": [{"tags": ["t0"]}], "asked_from": 0, "rows": [1], "after": 1}
    right = dict(read, first=3)
    cases = [([right], 0), ([dict(read, rows=[1, 3], after=3)], 0), ([dict(right, first=4)], 1), ([dict(read, after=3)], 1),
             ([dict(read, rows=[1, 2])], 1), ([dict(right, query=[])], 1), ([dict(right, query=[{"types": ["B"]}], rows=[], after=0)], 1)]
    return [f"the checker says {found} of {case}, not {wanted}" for case, wanted in cases
            if (found := len(list(history.faults(log, case)))) != wanted]


def main():
    engines = sys.argv[1:] or ["sqlite", "postgres"]
    wrong = the_checker_finds()
    passed = 0
    for engine, run in (("sqlite", on_sqlite), ("postgres", on_postgres)):
        if engine not in engines:
            continue
        for by_types in (False, True):
            decisions, refused, faults = run(by_types)
            kind = "by tags and types" if by_types else "by tags"
            print(f"{engine}, {kind}: {decisions} decisions, {refused} of them refused, {len(faults)} not explained", flush=True)
            wrong += [f"{engine}, {kind}: {fault}" for fault in faults]
            passed += decisions if not faults else 0
    for fault in wrong:
        print("FAILED", fault)
    print(f"{passed} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
