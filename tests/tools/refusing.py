"""What is refused: the row is named, and nothing is written."""

from old import Old

from carrying import carried, expected_log, log, places, same


def refused(store, *words, **settings):
    """Carrying fails with these words, and the store is as it was."""
    before = (log(store), store.rows("SELECT aggregate_id, natural_key, sequence FROM evercore_aggregates ORDER BY 1"), store.has_map())
    code, said = store.carry(**settings)
    assert code, said
    for word in words:
        assert word in said, f"no {word!r} in:\n{said}"
    assert "the store has all" not in said, said
    after = (log(store), store.rows("SELECT aggregate_id, natural_key, sequence FROM evercore_aggregates ORDER BY 1"), store.has_map())
    assert after == before, "something was written"
    return said


def with_event(store, *words, **other):
    """A database with one event at fault, which alone is named, then mended."""
    old = Old(40, 6)
    event = old.event(1, **other)
    after = [old.event(1), old.event(2)]
    store.fresh(old)
    said = refused(store, f"event {event['id']}: ", *words)
    assert not any(f"event {later['id']}: " in said for later in after), said
    event["state"], event["reference"] = "{}", ""
    store.put(old)
    if "state" in other or "reference" in other:
        carried(store)
        same(log(store), expected_log(store, old))


def a_state_that_is_no_json(store):
    with_event(store, state="{")


def an_empty_state(store):
    with_event(store, state="")


def a_state_that_is_no_object(store):
    with_event(store, "not an object" if store.name == "postgres" else "not a JSON object", state="[1]")


def a_state_with_a_duplicate_key(store):
    with_event(store, 'EV004: data: duplicate key "a"', state='{"a":1,"a":2}')


def a_number_beyond_int64(store):
    with_event(store, "EV004: data: number out of range", state='{"a":18446744073709551615}')


def a_long_reference(store):
    with_event(store, "reference is longer than 1000 characters", reference="x" * 1001)


def an_unknown_event_type(store):
    with_event(store, "its type is not in event_types", event_type_id=99)


def an_unknown_aggregate(store):
    old = Old(40, 6)
    event = old.event(99)
    store.fresh(old)
    refused(store, f"event {event['id']}: its aggregate 99 is not in aggregates")


def a_time_that_is_none(store):
    for spelling in ("yesterday", "2025-02-30 00:00:00+00:00", "2025-09-12 03:00:00 CEST", ""):
        with_event(store, "EV009: event_time is not a time", event_time=spelling)


a_time_that_is_none.engines = ("sqlite",)


def an_infinite_time(store):
    with_event(store, 'EV009: event_time is not a time: "infinity"', event_time="infinity")


an_infinite_time.engines = ("postgres",)


def a_hole_in_a_sequence(store):
    old = Old(40, 6)
    old.sequences[1] += 1
    event = old.event(1)
    old.event(1)
    store.fresh(old)
    refused(store, f"event {event['id']}: aggregate 1 goes from sequence {event['sequence'] - 2} to {event['sequence']}")


def an_unknown_aggregate_type(store):
    old = Old(40, 6)
    aggregate = old.aggregate(99, None)
    store.fresh(old)
    refused(store, f"aggregate {aggregate['id']}: its type is not in aggregate_types")


def an_empty_natural_key(store):
    old = Old(40, 6)
    aggregate = old.aggregate(1, "")
    store.fresh(old)
    refused(store, f"aggregate {aggregate['id']}: its natural key is empty")


def a_key_that_the_store_has(store):
    old = Old(40, 6)
    aggregate = old.aggregate(1, "ann")
    store.fresh(old)
    store.rows("SELECT evercore_create('User', 'ann')")
    refused(store, f"aggregate {aggregate['id']}: User \"ann\" is in the store already")


def an_aggregate_that_went_on_on_both_sides(store):
    old = Old(40, 6)
    store.fresh(old)
    carried(store)
    store.rows(f"SELECT evercore_append({places(store)[1]}, NULL, 'Own', '{{}}')")
    event = old.event(1)
    store.put(old)
    refused(store, f"event {event['id']}: refused", "EV001: conflict")


def a_table_that_was_lost(store):
    old = Old(40, 6)
    store.fresh(old)
    carried(store)
    store.rows("DROP TABLE from_go_aggregate")
    refused(store, "aggregate 1: ", "is in the store already, and not from here")


def a_snapshot_of_nothing(store):
    old = Old(40, 6)
    snapshot = old.add("snapshots", aggregate_id=1, sequence=99, state="{}")
    store.fresh(old)
    refused(store, f"snapshot {snapshot['id']}: aggregate 1 has no sequence 99", snapshot_version=1)
    carried(store)


def a_snapshot_that_is_no_object(store):
    old = Old(40, 6)
    snapshot = old.add("snapshots", aggregate_id=1, sequence=1, state="[]")
    old.tables["snapshots"] = [snapshot]
    store.fresh(old)
    refused(store, f"snapshot {snapshot['id']}: ", snapshot_version=1)


def a_custom_type_that_there_is_not(store):
    old = Old(40, 6)
    store.fresh(old)
    refused(store, 'custom: no event type "UserLogedIn"', custom="UserCreated,UserLogedIn")


def many_rows_at_fault_are_counted(store):
    old = Old(200, 30)
    spoiled = []
    for aggregate in range(1, 31):
        spoiled.append(old.event(aggregate, state="null"))
    store.fresh(old)
    said = refused(store, "and 10 more", *(f"event {event['id']}: " for event in spoiled[:20]))
    assert f"event {spoiled[20]['id']}: " not in said, said


def an_old_database_that_is_not_there(store):
    store.fresh(Old(0, 1))
    if store.name == "sqlite":
        store.old.write_bytes(b"")
    else:
        store.rows("DROP SCHEMA old CASCADE")
    code, said = store.carry()
    assert code and "old." in said, said
    assert not store.has_map()


CHECKS = [a_state_that_is_no_json, an_empty_state, a_state_that_is_no_object, a_state_with_a_duplicate_key, a_number_beyond_int64,
          a_long_reference, an_unknown_event_type, an_unknown_aggregate, a_time_that_is_none, an_infinite_time, a_hole_in_a_sequence,
          an_unknown_aggregate_type, an_empty_natural_key, a_key_that_the_store_has, an_aggregate_that_went_on_on_both_sides,
          a_table_that_was_lost, a_snapshot_of_nothing, a_snapshot_that_is_no_object, a_custom_type_that_there_is_not,
          many_rows_at_fault_are_counted, an_old_database_that_is_not_there]
