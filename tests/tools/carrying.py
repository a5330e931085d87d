"""What is carried: all of it, as it was, once."""

import hashlib
import json
import sqlite3
from datetime import timedelta

from old import START, Old, spelled

EVENT_COUNT = 10_000


def carried(store, **settings):
    code, said = store.carry(**settings)
    assert code == 0, said
    return said


def same(actual, expected):
    """Fails with the first difference, not with ten thousand rows."""
    for place, (one, other) in enumerate(zip(actual, expected)):
        assert one == other, f"row {place}: {one} where {other} was expected"
    assert len(actual) == len(expected), f"{len(actual)} rows where {len(expected)} were expected"


def places(store):
    """Which aggregate became which."""
    return {int(old): int(new) for old, new in store.rows("SELECT old_id, aggregate_id FROM from_go_aggregate ORDER BY old_id")}


def log(store):
    return store.rows(f"SELECT aggregate_id, aggregate_type, coalesce(natural_key, '-'), sequence, event_type, data, coalesce(reference, '-'),"
                      f" coalesce(CAST(metadata AS text), '-'), {store.time('event_time')}, event_id FROM evercore_log ORDER BY position")


def expected_log(store, old, only=lambda event: True):
    """The log as it must be, from the old rows alone but for the new ids."""
    place = places(store)
    aggregates = {row["id"]: row for row in old.tables["aggregates"]}
    rows = []
    for event in filter(only, old.tables["events"]):
        aggregate = aggregates[event["aggregate_id"]]
        rows.append([str(place[aggregate["id"]]), old.name("aggregate_types", aggregate["aggregate_type_id"]),
                     aggregate["natural_key"] or "-", str(event["sequence"]), old.name("event_types", event["event_type_id"]),
                     event["state"], event["reference"] or "-", "-",
                     f"{event['event_time']:%Y-%m-%dT%H:%M:%S}.{event['event_time'].microsecond:06d}Z", f"go-{event['id']}"])
    return rows


def merged(old, aggregate, without=()):
    state = {}
    for event in old.tables["events"]:
        if event["aggregate_id"] == aggregate and old.name("event_types", event["event_type_id"]) not in without:
            state.update({name: value for name, value in json.loads(event["state"]).items() if value is not None})
    return state


def states(store):
    return {int(number): json.loads(state)
            for number, state in store.rows("SELECT old_id, evercore_state(aggregate_id) FROM from_go_aggregate ORDER BY old_id")}


def everything_is_carried_in_order(store):
    old = Old(EVENT_COUNT, 400)
    store.fresh(old)
    said = carried(store)
    assert f"the store has all of 400 aggregates and {EVENT_COUNT} events" in said, said
    same(log(store), expected_log(store, old))
    same(store.rows("SELECT aggregate_type, coalesce(natural_key, '-'), sequence FROM evercore_aggregates ORDER BY aggregate_id"),
         [[old.name("aggregate_types", row["aggregate_type_id"]), row["natural_key"] or "-", str(old.sequences.get(row["id"], 0))]
          for row in old.tables["aggregates"]])
    assert store.rows("SELECT * FROM evercore_check()") == []
    folded = states(store)
    for row in old.tables["aggregates"]:
        assert folded[row["id"]] == merged(old, row["id"]), row


def again_nothing_changes(store):
    old = Old(EVENT_COUNT, 400)
    store.fresh(old)
    carried(store)
    before = store.rows("SELECT position, event_id, recorded_at FROM evercore_log ORDER BY position")
    said = carried(store)
    assert "to carry: 0 aggregates, 0 events" in said, said
    assert f"the store has all of 400 aggregates and {EVENT_COUNT} events" in said, said
    same(store.rows("SELECT position, event_id, recorded_at FROM evercore_log ORDER BY position"), before)


def what_came_meanwhile_is_carried_next(store):
    old = Old(300, 40)
    store.fresh(old)
    carried(store)
    fresh = old.aggregate(1, "came later")["id"]
    unnamed = old.aggregate(2, None)["id"]
    for aggregate in (fresh, 1, unnamed, 2, fresh):
        old.event(aggregate)
    store.put(old)
    # The store may go on meanwhile where the old database does not.
    store.rows(f"SELECT evercore_append({places(store)[3]}, NULL, 'Own', '{{}}')")
    store.rows("SELECT evercore_create('User', 'own')")
    said = carried(store)
    assert "to carry: 2 aggregates, 5 events" in said, said
    own = [row for row in log(store) if row[4] == "Own"]
    assert len(own) == 1
    same([row for row in log(store) if row[4] != "Own"], expected_log(store, old))
    assert store.rows("SELECT * FROM evercore_check()") == []


def compacted_and_erased_aggregates_stay_so(store):
    old = Old(300, 20)
    store.fresh(old)
    carried(store)
    place = places(store)
    store.rows(f"SELECT evercore_compact({place[1]}, 1)")
    store.rows(f"SELECT evercore_erase({place[2]})")
    state = store.rows(f"SELECT evercore_state({place[1]})")
    assert "to carry: 0 aggregates, 0 events" in carried(store)
    assert store.rows(f"SELECT evercore_state({place[1]})") == state
    old.event(1)
    store.put(old)
    assert "to carry: 0 aggregates, 1 events" in carried(store)
    assert store.rows(f"SELECT evercore_sequence({place[1]})") == [[str(old.sequences[1])]]
    event = old.event(2)
    store.put(old)
    code, said = store.carry()
    assert code and f"event {event['id']}: refused" in said and "was erased" in said, said


def custom_event_types_are_passed_over(store):
    old = Old(300, 20)
    store.fresh(old)
    said = carried(store, custom="UserLoggedIn,Geändert")
    assert "declared 2 event types as custom" in said, said
    folded = states(store)
    for row in old.tables["aggregates"]:
        assert folded[row["id"]] == merged(old, row["id"], ("UserLoggedIn", "Geändert")), row
    carried(store)
    assert states(store) == folded


def snapshots_are_carried_when_a_version_is_said(store):
    old = Old(300, 12)
    store.fresh(old)
    carried(store)
    assert store.rows("SELECT value FROM evercore_stats() WHERE name = 'snapshots'") == [["0"]]
    carried(store, snapshot_version=7)
    newest = {row["aggregate_id"]: row for row in old.tables["snapshots"]}
    assert newest, "the test needs snapshots"
    assert store.rows("SELECT value FROM evercore_stats() WHERE name = 'snapshots'") == [[str(len(newest))]]
    for aggregate, new in places(store).items():
        base = store.rows(f"SELECT sequence, data FROM evercore_replay({new}, 7) WHERE event_type IS NULL")
        snapshot = newest.get(aggregate, {"sequence": 0, "state": "{}"})
        assert base == [[str(snapshot["sequence"]), snapshot["state"]]], base
        assert store.rows(f"SELECT sequence FROM evercore_replay({new}, 8) WHERE event_type IS NULL") == [["0"]]


def the_old_database_is_only_read(store):
    old = Old(50, 5)
    store.fresh(old)
    before = hashlib.sha256(store.old.read_bytes()).hexdigest()
    carried(store)
    assert hashlib.sha256(store.old.read_bytes()).hexdigest() == before
    assert not list(store.home.glob("old.db-*"))


the_old_database_is_only_read.engines = ("sqlite",)

def a_database_in_use_is_carried_with_what_is_in_its_wal(store):
    old = Old(50, 5)
    store.fresh(old)
    program = sqlite3.connect(store.old)
    program.execute("PRAGMA journal_mode = WAL")
    event = old.event(1)
    program.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", list({**event, "event_time": spelled(event["event_time"])}.values()))
    program.commit()
    program.execute("SELECT * FROM events").fetchone()  # and reads on meanwhile
    carried(store)
    same(log(store), expected_log(store, old))
    program.close()


a_database_in_use_is_carried_with_what_is_in_its_wal.engines = ("sqlite",)

SPELLINGS = {
    "2025-09-12 03:00:00+00:00": "2025-09-12T03:00:00.000000Z",
    "2025-09-12 03:00:00.1+00:00": "2025-09-12T03:00:00.100000Z",
    "2025-09-12 03:00:00.123456789+00:00": "2025-09-12T03:00:00.123456Z",
    "2025-09-12 03:00:00.999999999-07:30": "2025-09-12T10:30:00.999999Z",
    "2025-12-31 23:30:00.5 -0100 CET": "2026-01-01T00:30:00.500000Z",
    "2025-09-12 03:00:00.123456789 +0530 IST m=+0.012345678": "2025-09-11T21:30:00.123456Z",
    "2025-09-12 03:00:00 +0000 UTC": "2025-09-12T03:00:00.000000Z",
    "2025-09-12T03:00:00.25Z": "2025-09-12T03:00:00.250000Z",
    "2025-09-12 03:00:00": "2025-09-12T03:00:00.000000Z",
    "1969-12-31 23:59:59.999999+00:00": "1969-12-31T23:59:59.999999Z",
    "0001-01-01 00:00:00+00:00": "0001-01-01T00:00:00.000000Z",
}


def every_spelling_of_a_time_is_read(store):
    old = Old(0, 1)
    for spelling in SPELLINGS:
        old.event(1, event_time=spelling)
    store.fresh(old)
    carried(store)
    same(store.rows("SELECT event_time FROM evercore_log ORDER BY position"), [[time] for time in SPELLINGS.values()])


every_spelling_of_a_time_is_read.engines = ("sqlite",)


def old_times_are_in_the_zone_that_is_said(store):
    old = Old(0, 1)
    old.event(1, event_time=START)
    store.fresh(old)
    carried(store, zone="America/Lima")
    there = START + timedelta(hours=5)
    assert store.rows(f"SELECT {store.time('event_time')} FROM evercore_log") == [[f"{there:%Y-%m-%dT%H:%M:%S}.000000Z"]]


old_times_are_in_the_zone_that_is_said.engines = ("postgres",)


def members_of_the_roles_may_carry(store):
    old = Old(50, 5)
    store.fresh(old)
    store.say(store.address, "DROP ROLE IF EXISTS evercore_tools_carrier", "CREATE ROLE evercore_tools_carrier LOGIN",
              "GRANT evercore_tools_owner, evercore_tools_writer TO evercore_tools_carrier",
              "GRANT USAGE ON SCHEMA old TO evercore_tools_carrier", "GRANT SELECT ON ALL TABLES IN SCHEMA old TO evercore_tools_carrier")
    superuser, store.address = store.address, store.address.replace("postgres@", "evercore_tools_carrier@", 1)
    try:
        carried(store)
    finally:
        store.address = superuser
    same(log(store), expected_log(store, old))


members_of_the_roles_may_carry.engines = ("postgres",)

CHECKS = [everything_is_carried_in_order, again_nothing_changes, what_came_meanwhile_is_carried_next,
          compacted_and_erased_aggregates_stay_so, custom_event_types_are_passed_over,
          snapshots_are_carried_when_a_version_is_said, the_old_database_is_only_read,
          a_database_in_use_is_carried_with_what_is_in_its_wal, every_spelling_of_a_time_is_read,
          old_times_are_in_the_zone_that_is_said, members_of_the_roles_may_carry]
