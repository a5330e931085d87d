"""Which events a subscription reads: filters, partitions, starts, and by which index."""

import json
import random

INDEX = "CREATE INDEX evercore_event_by_type ON evercore_event (type_id, position)"


def read_all(db, name, limit):
    """Every position a subscription gives, over all its partitions, in batches."""
    seen = []
    while (token := db.claim(name)) is not None:
        while positions := db.fetch(token, name, limit):
            assert positions == sorted(positions) and len(positions) <= limit
            seen += positions
            db.ack(token, positions[-1], name)
    return sorted(seen)


def random_filter(rng):
    parts = {}
    if rng.random() < 0.5:
        parts["aggregate_type"] = rng.choice(["User", "Order", "Nothing"])
        if rng.random() < 0.5:
            parts["natural_key"] = rng.choice(["k0", "k3", "nobody"])
    if rng.random() < 0.6:
        parts[rng.choice(["event_types", "types"])] = rng.sample(["T0", "T1", "T2", "T3", "Never"], rng.randint(1, 4))
    if rng.random() < 0.4:
        parts["tags"] = rng.sample(["a", "b", "c"], rng.choice([1, 1, 2]))
    return parts


def test_every_way_to_fetch_gives_what_the_filter_says(store):
    db = store.main
    rng = random.Random(7)
    values = [(rng.choice(["User", "Order"]), f"k{rng.randrange(7)}", f"T{rng.randrange(4)}") for _ in range(600)]
    for aggregate_type, key, event_type in values:
        tags = rng.sample(["a", "b", "c"], rng.randrange(4))
        if (aggregate_type, key) == ("User", "k0"):
            tags = []  # it is compacted
        db.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, tags) VALUES (?, ?, ?, '{}', ?)",
                aggregate_type, key, event_type, json.dumps(tags))
    db.rows("SELECT evercore_compact(evercore_find('User', 'k0'), 5)")  # leaves holes in the positions
    log = db.rows("SELECT position, aggregate_type, natural_key, event_type, coalesce(tags, '[]') FROM evercore_log")
    for turn in range(60):
        if turn == 30:
            db.rows(INDEX)
        parts = random_filter(rng)
        start = rng.randrange(300)
        name = f"s{turn}"
        db.subscribe(name, json.dumps(parts), f"kept {start}", rng.choice([1, 1, 2, 5]))
        types = parts.get("event_types", parts.get("types"))
        expected = [p for p, a, k, t, tags in log if p > start and parts.get("aggregate_type", a) == a
                    and parts.get("natural_key", k) == k and t in (types or [t])
                    and set(parts.get("tags", [])) <= set(json.loads(tags))]
        lag = db.one("SELECT sum(lag_events) FROM evercore_subscriptions WHERE name = ?", name)
        assert lag == len(expected), (parts, lag)
        assert read_all(db, name, rng.choice([1, 7, 100])) == expected, parts
        assert db.one("SELECT sum(lag_events) FROM evercore_subscriptions WHERE name = ?", name) == 0


def test_an_aggregate_is_always_in_the_same_partition(store):
    db = store.main
    db.append_numbered(200, keys=17)
    db.subscribe("p", None, None, 4)
    home = {}
    while (token := db.claim()) is not None:
        partition = db.one("SELECT partition FROM evercore_subscriptions WHERE token = ?", token)
        for aggregate, in db.rows("SELECT aggregate_id FROM evercore_fetch('p', ?, 1000)", token):
            assert home.setdefault(aggregate, partition) == partition
    assert len(home) == 17 and set(home.values()) == {0, 1, 2, 3}


def machine_steps(db, sql, *values):
    """What SQLite did for a statement, nested ones included, in steps of its virtual machine."""
    steps = 0

    def count():
        nonlocal steps
        steps += 10
    db.db.set_progress_handler(count, 10)
    rows = db.rows(sql, *values)
    db.db.set_progress_handler(None, 0)
    return steps, len(rows)


def test_with_the_documented_index_a_filter_of_one_percent_looks_at_its_matches_alone(store):
    db = store.main
    db.append_numbered(20_000, keys=100, types=100)
    db.subscribe("p", '{"event_types":["T5"]}')
    db.subscribe("two", '{"event_types":["T5","T50"]}')
    fetch = "SELECT position FROM evercore_fetch(?, 1, 1000)"
    db.claim(), db.claim("two")
    scan, rows = machine_steps(db, fetch, "p")
    assert rows == 200 and scan > 20_000
    db.rows(INDEX)
    for name, matches in (("p", 200), ("two", 400)):
        steps, rows = machine_steps(db, fetch, name)
        assert rows == matches and steps < 50 * matches, (name, steps)
    db.rows("DROP INDEX evercore_event_by_type")
    db.rows("CREATE INDEX by_type ON evercore_event (type_id)")
    assert machine_steps(db, fetch, "p")[0] < 50 * 200


def test_a_filter_by_key_goes_through_the_aggregate(store):
    db = store.main
    db.append_numbered(20_000, keys=100)
    db.subscribe("p", '{"aggregate_type":"User","natural_key":"k7"}', 15_000)
    db.claim()
    steps, rows = machine_steps(db, "SELECT position FROM evercore_fetch('p', 1, 1000)")
    assert rows == 50 and steps < 5_000, steps


def test_where_it_starts_is_resolved_once(store):
    db = store.main
    for day in range(1, 6):
        db.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time)"
                " VALUES ('User', 'ann', 'A', '{}', ?)", f"2026-01-0{day}T00:00:00Z")
    db.subscribe("end", None, "end")
    db.subscribe("time", None, "2026-01-03T00:00:00Z")
    db.subscribe("future", None, "2027-01-01T00:00:00Z")
    db.subscribe("four", None, 4)
    at = dict(db.rows("SELECT name, position FROM evercore_subscriptions"))
    assert at == {"end": 5, "time": 2, "future": 5, "four": 4}
    for _ in range(3):
        db.append("ann")
    again = store.connect()  # a program that starts again while its cursor stands at the start
    again.subscribe("end", None, "end")
    again.subscribe("time", None, "2026-01-03T00:00:00Z")
    assert again.fetch(again.claim("end"), "end") == [6, 7, 8]
    assert again.fetch(again.claim("time"), "time") == [3, 4, 5, 6, 7, 8]
    assert db.refused("SELECT evercore_subscribe('x', NULL, 9)") == "EV009: start is out of range: 9"
    assert db.refused("SELECT evercore_subscribe('x', NULL, '12345678901234567890')") == (
        "EV009: start is out of range: 12345678901234567890")
    assert db.refused("SELECT evercore_subscribe('x', NULL, 'now')") == 'EV009: start is not a time: "now": write YYYY-MM-DD[Thh:mm[:ss[.ffffff]][Z|+hh:mm]]'


def test_the_filter_reads_back_in_its_canonical_form(store):
    db = store.main
    for given, canonical in [
            ('{ "event_types" : ["B","A","B"], "aggregate_type":"U\\u0073er" }',
             '{"aggregate_type":"User","event_types":["B","A","B"]}'),
            ('{"natural_key":"a\\"b","aggregate_type":"User"}', '{"aggregate_type":"User","natural_key":"a\\"b"}'),
            ("{}", None), ('{"event_types":null}', None), (None, None)]:
        db.subscribe("p", given)
        assert db.column("SELECT filter FROM evercore_subscriptions") == [canonical]


def test_a_faulty_filter_is_refused_and_changes_nothing(store):
    db = store.main
    db.subscribe("p", '{"event_types":["A"]}')
    for given, message in [
            ("[", "EV004: filter: not JSON"), ("[]", "EV004: filter: not an object"),
            ('{"event_types":["A"],"event_types":["B"]}', 'EV004: filter: duplicate key "event_types"'),
            ('{"kinds":["A"]}', 'EV009: filter: unknown member "kinds"'),
            ('{"natural_key":"ann"}', "EV009: filter: natural_key needs aggregate_type"),
            ('{"event_types":"A"}', "EV009: filter: event_types is not an array of names"),
            ('{"event_types":[1]}', "EV009: filter: event_types is not an array of names"),
            ('{"event_types":[]}', "EV009: filter: event_types is not an array of names"),
            ('{"event_types":[""]}', "EV005: event_type is empty"),
            ('{"aggregate_type":7}', "EV009: filter: aggregate_type is not text")]:
        said = db.refused("SELECT evercore_subscribe('p', ?)", given).split(" at byte ")[0]
        assert said == message, (given, said)
    assert db.one("SELECT filter FROM evercore_subscriptions") == '{"event_types":["A"]}'
