"""Compaction and erasure wait for those who have not read, and for nobody else."""

UNREAD = 'EV010: aggregate 1 has events that subscription "{}" has not read'


def two_types(store):
    """Aggregate 1: User ann with A, B, A, B; aggregate 2: Order 1 with one A."""
    db = store.main
    for event_type in "ABAB":
        db.append("ann", event_type)
    db.append("1", "A", aggregate_type="Order")
    return db


def test_a_cursor_holds_back_what_it_has_not_read(store):
    db = two_types(store)
    db.subscribe()
    token = db.claim()
    assert db.refused("SELECT evercore_compact(1, 2)") == UNREAD.format("p")
    db.ack(token, 2)
    assert db.one("SELECT evercore_compact(1, 2)") == 2
    assert db.refused("SELECT evercore_compact(1, 1)") == UNREAD.format("p")
    assert db.refused("SELECT evercore_erase(1)") == UNREAD.format("p")
    db.ack(token, 4)
    assert db.one("SELECT evercore_compact(1, 0)") == 2
    assert db.one("SELECT evercore_erase(1)") == 0
    assert db.refused("SELECT evercore_erase(2)")[:5] == "EV010"
    db.ack(token, 5)
    assert db.one("SELECT evercore_erase(2)") == 1


def test_a_subscription_to_one_type_does_not_hold_back_another(store):
    db = two_types(store)
    db.subscribe("orders", '{"aggregate_type":"Order"}')
    db.subscribe("bob", '{"aggregate_type":"User","natural_key":"bob"}')
    db.subscribe("deleted", '{"event_types":["Deleted"]}')
    assert db.one("SELECT evercore_compact(1, 1)") == 3
    assert db.one("SELECT evercore_erase(1)") == 1
    assert db.refused("SELECT evercore_erase(2)")[:5] == "EV010"


def test_a_filter_by_event_type_holds_back_its_own_events_alone(store):
    db = two_types(store)
    db.subscribe("b", '{"event_types":["B"]}')
    assert db.one("SELECT evercore_compact(1, 3)") == 1
    assert db.refused("SELECT evercore_compact(1, 2)") == UNREAD.format("b")
    db.ack(db.claim("b"), 2, "b")
    assert db.one("SELECT evercore_compact(1, 1)") == 2


def test_a_paused_subscription_holds_back_too_and_the_smallest_name_is_given(store):
    db = two_types(store)
    db.subscribe("q")
    db.subscribe("p")
    db.rows("SELECT evercore_pause('p')")
    assert db.refused("SELECT evercore_compact(1, 0)") == UNREAD.format("p")
    db.rows("SELECT evercore_unsubscribe('p')")
    assert db.refused("SELECT evercore_compact(1, 0)") == UNREAD.format("q")
    db.rows("SELECT evercore_reset('q', 'end')")
    assert db.one("SELECT evercore_compact(1, 0)") == 4


def test_only_the_partition_of_an_aggregate_counts(store):
    db = two_types(store)
    db.subscribe("p", None, None, 2)
    first, second = db.claim(), db.claim()  # partitions 0 and 1: aggregates 2 and 1
    db.ack(first, 5)
    assert db.refused("SELECT evercore_compact(1, 0)") == UNREAD.format("p")
    db.ack(second, 4)
    db.rows("SELECT evercore_reset('p', 0)")
    db.ack(db.claim(), 0)
    db.ack(db.claim(), 4)
    assert db.one("SELECT evercore_compact(1, 0)") == 4
    assert db.refused("SELECT evercore_erase(2)")[:5] == "EV010"


def test_compaction_of_a_type_passes_over_what_is_unread(store):
    db = store.main
    db.append_numbered(30, keys=3)
    db.subscribe("k1", '{"aggregate_type":"User","natural_key":"k1"}')
    assert db.one("SELECT evercore_compact_type('User', 0)") == 2
    assert db.one("SELECT count(*) FROM evercore_log") == 10
    assert db.fetch(db.claim("k1"), "k1") == list(range(2, 31, 3))
    assert db.one("SELECT evercore_compact_type('User', 0)") == 0
    assert db.rows("SELECT * FROM evercore_check") == []


def test_a_worker_goes_on_after_a_compaction(store):
    db = two_types(store)
    db.subscribe()
    token = db.claim()
    db.ack(token, 5)
    db.rows("SELECT evercore_compact(1, 0), evercore_compact(2, 0)")
    assert db.fetch(token) == []
    assert db.ack(token, None) == 5
    db.append("ann", "C")
    assert db.fetch(token) == [6]
    assert db.one("SELECT lag_events FROM evercore_subscriptions") == 1
