"""Races: each round eight processes read by one query, wait for each other, and append on what they read. One is admitted."""
import json
import multiprocessing
import queue

import history
from writers import Refused

RACERS = 8
# What is asked, what each racer then appends, and how often; C declares the tag (history.DECLARED).
TAKES = {
    "a tag": ([{"tags": ["t:1"]}], {"event_type": "A", "data": {}, "tags": ["t:1"]}, 200),
    "a declared tag and a type": ([{"types": ["C"], "tags": ["t:1"]}, {"tags": ["t:2", "u:2"]}], {"event_type": "C", "data": {"of": 1}}, 50),
    "a type": ([{"types": ["A", "B"]}], {"event_type": "B", "data": {}}, 50),
    "everything": ([], {"event_type": "A", "data": {}}, 50),
}


def race(open_store, where, number, take, line, results):
    query, event, rounds = TAKES[take]
    call = json.dumps([{**history.aggregate(number, number % 2 == 0), "events": [event]}])
    outcomes = []
    try:
        store = open_store(where)
        for _ in range(rounds):
            rows = store.rows(f"SELECT coalesce(max(position), 0) FROM evercore_query({store.parameters('text')})", json.dumps(query))
            after = int(rows[0][0])
            line.wait(300)
            try:
                store.rows(f"SELECT evercore_append_many({store.parameters('text', 'text', 'bigint')})", call, json.dumps(query), after)
                outcomes.append("admitted")
            except Refused as refused:
                outcomes.append("refused" if refused.is_conflict else str(refused))
            line.wait(300)
    except Exception as failure:  # the others must not wait for this one
        line.abort()
        outcomes.append(repr(failure))
    results.put(outcomes)


def run(open_store, where, take):
    """The rounds of one race; gives how many, and what went wrong."""
    query, _, rounds = TAKES[take]
    processes = multiprocessing.get_context("spawn")
    line, results = processes.Barrier(RACERS), processes.Queue()
    racers = [processes.Process(target=race, args=(open_store, where, number, take, line, results)) for number in range(RACERS)]
    for racer in racers:
        racer.start()
    try:
        outcomes = [results.get(timeout=600) for _ in racers]
    except queue.Empty:
        return rounds, ["a racer died"]
    finally:
        for racer in racers:
            racer.join(1)
            racer.kill()
    wanted = ["admitted"] + ["refused"] * (RACERS - 1)
    wrong = [f"round {number}: {sorted(each)}" for number, each in enumerate(zip(*outcomes)) if sorted(each) != wanted][:3]
    store = open_store(where)
    written = int(store.rows(f"SELECT count(*) FROM evercore_query({store.parameters('text')})", json.dumps(query))[0][0])
    if any(len(each) != rounds for each in outcomes) or written != rounds:
        wrong.append(f"{written} events after {rounds} rounds, and {[each[-1:] for each in outcomes]}")
    return rounds, wrong
