"""Twelve writers at once on one store, each a process; see history.py for what they do and what must hold."""
import json
import multiprocessing
import os
import queue
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "postgres"))
from history import WINDOW, Chance, borne, faults

WRITERS = 12


class Refused(Exception):
    def __init__(self, message):
        super().__init__(message)
        self.is_conflict = message.startswith("EV001: conflict: event ")


class Sqlite:
    """A connection to a store in a file."""

    newest = 0  # position that this writer has seen

    def __init__(self, path):
        import sqlite3

        self.error = sqlite3.Error
        self.connection = sqlite3.connect(path, isolation_level=None, timeout=120)
        self.connection.enable_load_extension(True)
        self.connection.load_extension("build/evercore")
        self.connection.execute("PRAGMA synchronous = OFF")

    def rows(self, sql, *parameters):
        try:
            return self.connection.execute(sql, parameters).fetchall()
        except self.error as failure:
            raise Refused(str(failure)) from failure

    def begin(self):
        self.rows("BEGIN IMMEDIATE")

    @staticmethod
    def parameters(*types):
        return ", ".join(f"CAST(?{number} AS {kind})" for number, kind in enumerate(types, 1))


class Postgres:
    """A session of a store on a server."""

    newest = 0

    def __init__(self, database):
        import pq

        self.error = pq.Error
        self.connection = pq.Connection(database)

    def rows(self, sql, *parameters):
        try:
            return self.connection.rows(sql, *parameters)
        except self.error as failure:
            raise Refused(failure.message if failure.code.startswith("EV") else f"{failure.code}: {failure.message}") from failure

    def begin(self):
        self.rows("BEGIN")

    @staticmethod
    def parameters(*types):
        return ", ".join(f"CAST(${number} AS {kind})" for number, kind in enumerate(types, 1))


def decide(store, chance):
    """One decision, or one append without; gives what history.faults() wants to know, None where nothing is to be checked."""
    condition, decision = [], None
    if not chance.unconditional():
        query = chance.query()
        asked_from = max(0, store.newest - chance.random.randrange(WINDOW))
        rows = [int(row[0]) for row in store.rows(f"SELECT position FROM evercore_query({store.parameters('text', 'bigint')})",
                                                  json.dumps(query), asked_from)]
        after = rows[-1] if rows else asked_from
        store.newest = max(store.newest, after)
        decision = {"query": query, "asked_from": asked_from, "rows": rows, "after": after}
        condition = [json.dumps(query), after]
    if chance.random.random() < 0.3:
        time.sleep(chance.random.random() * 0.003)
    held = chance.holds()
    call = f"SELECT evercore_append_many({store.parameters('text', *(('text', 'bigint') if condition else ()))})"
    if held is not None:
        store.begin()
    try:
        answer = json.loads(store.rows(call, json.dumps(chance.appends()), *condition)[0][0])
        if held is not None:
            time.sleep(held)
            if chance.rolls_back():
                store.rows("ROLLBACK")
                return decision
            store.rows("COMMIT")
    except Refused as refused:
        if held is not None:
            store.rows("ROLLBACK")
        if not refused.is_conflict or not condition:
            raise
        return decision
    store.newest = max(store.newest, answer[-1]["position"])
    if decision:
        decision["first"] = min(part["first_position"] for part in answer)
    return decision


def write(open_store, where, seed, count, by_types, results):
    try:
        store, chance, decisions = open_store(where), Chance(seed, by_types), []
        while len(decisions) < count:
            decision = decide(store, chance)
            if decision:
                decisions.append(decision)
        results.put((seed, decisions, None))
    except Exception as failure:  # what a single call must never give: a deadlock, a serialization failure, BUSY
        results.put((seed, [], repr(failure)))


def results_of(writers, results):
    """One of each writer; who died without a word is a failure."""
    missing = len(writers)
    while missing:
        try:
            alive = any(writer.is_alive() for writer in writers)
            yield results.get(timeout=1)
            missing -= 1
        except queue.Empty:
            if not alive:
                yield None, [], f"{missing} writers died"
                return


def run(open_store, where, count, by_types, seed):
    """So many decisions of all writers together; gives (checks that held, what did not)."""
    processes = multiprocessing.get_context("spawn")  # a connection does not go through a fork
    results = processes.Queue()
    writers = [processes.Process(target=write, args=(open_store, where, seed * 1000 + n, -(-count // WRITERS), by_types, results))
               for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    decisions, wrong = [], []
    for number, made, failure in results_of(writers, results):
        decisions += made
        if failure:
            wrong.append(f"writer {number}: {failure}")
    for writer in writers:
        writer.join()
    store = open_store(where)
    log = []
    for position, event_type, data, tags in store.rows("SELECT position, event_type, data, tags FROM evercore_log ORDER BY position"):
        log.append((int(position), event_type, borne(event_type, json.loads(data))))
        if json.loads(tags or "[]") != log[-1][2]:
            wrong.append(f"event {position} bears {tags}, not {log[-1][2]}")
    wrong = wrong[:10] + list(faults(log, decisions))[:10]
    wrong += [f"evercore_check: {row}" for row in store.rows("SELECT * FROM evercore_check()")][:10]
    refused = sum("first" not in one for one in decisions)
    if not wrong and refused == 0:
        wrong.append("no decision met another: nothing was tried")
    return len(decisions), refused, wrong
