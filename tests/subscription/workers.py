"""Workers that share a subscription, appended to meanwhile, and killed again and again."""

import multiprocessing
import random
import sqlite3
import time

from store import connect

EVENTS, AGGREGATES, PARTITIONS = 20_000, 500, 8
WRITERS, WORKERS, KILLS = 4, 4, 10
LEASE = 0.3


def write(path, writer):
    """EVENTS / WRITERS events of this writer, each call some of any of the aggregates."""
    db = connect(path, 60)
    rng = random.Random(writer)
    left = EVENTS // WRITERS
    while left > 0:
        rows = [("Account", f"k{rng.randrange(AGGREGATES)}", "Moved", "{}") for _ in range(min(left, rng.randint(1, 60)))]
        marks = ", ".join(["(?, ?, ?, ?)"] * len(rows))
        db.rows(f"INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES {marks}",
                *[value for row in rows for value in row])
        left -= len(rows)


def handle_batch(db, token):
    """Effects and ack in one transaction. False at the end of what there is."""
    db.rows("BEGIN IMMEDIATE")
    try:
        before = db.one("SELECT coalesce(max(id), 0) FROM effect")
        db.rows("INSERT INTO effect (aggregate_id, sequence, position)"
                " SELECT aggregate_id, sequence, position FROM evercore_fetch('p', ?, 100)", token)
        last = db.one("SELECT max(position) FROM effect WHERE id > ?", before)
        db.ack(token, last)
        db.rows("COMMIT")
        return last is not None
    except BaseException:
        db.rows("ROLLBACK")
        raise


def work(path):
    """Takes what partition is free, some batches of it, gives it back; for ever."""
    db = connect(path, 60)
    while True:
        token = db.claim(lease=LEASE)
        if token is None:
            time.sleep(0.01)
            continue
        try:
            for _ in range(5):
                if not handle_batch(db, token):
                    break
            db.rows("SELECT evercore_release('p', ?)", token)
        except sqlite3.Error as error:
            if not str(error).startswith("EV006"):
                raise


def start(target, *arguments):
    process = multiprocessing.get_context("spawn").Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def test_killed_workers_leave_each_event_one_effect_in_the_order_of_its_aggregate(store):
    db = store.main
    db.rows("CREATE TABLE effect (id INTEGER PRIMARY KEY AUTOINCREMENT, aggregate_id, sequence, position)")
    db.subscribe("p", None, None, PARTITIONS)
    writers = [start(write, store.path, i) for i in range(WRITERS)]
    workers = [start(work, store.path) for _ in range(WORKERS)]
    rng = random.Random(1)
    try:
        deadline = time.monotonic() + 100
        for kill in range(1, KILLS + 1):
            while db.one("SELECT count(*) FROM effect") < kill * EVENTS // (KILLS + 2):
                assert time.monotonic() < deadline and all(w.is_alive() for w in workers), "no progress"
                time.sleep(0.01)
            victim = rng.randrange(WORKERS)
            workers[victim].kill()
            workers[victim].join()
            workers[victim] = start(work, store.path)
        while db.one("SELECT count(*) FROM effect") < EVENTS or any(w.is_alive() for w in writers):
            assert time.monotonic() < deadline and all(w.is_alive() for w in workers), "no end"
            time.sleep(0.05)
    finally:
        for process in writers + workers:
            process.kill()
            process.join()
    assert all(writer.exitcode == 0 for writer in writers)
    assert db.rows("SELECT aggregate_id, sequence FROM evercore_log EXCEPT SELECT aggregate_id, sequence FROM effect") == []
    assert db.one("SELECT count(*) FROM effect") == db.one("SELECT count(*) FROM evercore_log") == EVENTS
    assert db.rows("SELECT * FROM (SELECT sequence, row_number() OVER (PARTITION BY aggregate_id ORDER BY id) AS place"
                   " FROM effect) WHERE sequence <> place") == []
    assert db.one("SELECT sum(lag_events) FROM evercore_subscriptions") == 0
    assert db.rows("SELECT * FROM evercore_check") == []
