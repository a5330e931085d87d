"""A subscription changed, paused, reset and removed while a worker runs; what is seen of it."""

import sqlite3

LOST = 'EV006: lease lost: token {} is not the current one of subscription "p"'


def working(store):
    """Ten events of two types, and a worker that has read four."""
    db = store.main
    db.append_numbered(10, types=2)
    db.subscribe()
    token = db.claim()
    db.ack(token, 4)
    return db, token


def test_a_changed_filter_holds_from_the_next_fetch_and_the_cursor_stays(store):
    db, token = working(store)
    db.subscribe("p", '{"event_types":["T1"]}')
    assert db.fetch(token) == [6, 8, 10]
    db.ack(token, 6)
    db.subscribe("p")
    assert db.fetch(token) == [7, 8, 9, 10]
    db.subscribe("p", '{"event_types":["Never"]}')
    assert db.fetch(token) == []
    db.subscribe("p")
    assert db.ack(token, None) == 6  # the empty fetch was under another filter


def test_a_paused_subscription_gives_nothing_and_loses_nothing(store):
    db, token = working(store)
    assert db.one("SELECT evercore_pause('p')") == "p"
    assert db.one("SELECT active FROM evercore_subscriptions") == 0
    assert db.fetch(token) == []
    assert db.ack(token, None) == 4
    assert db.ack(token, 6) == 6
    assert db.one("SELECT evercore_renew('p', ?, 60)", token) == "p"
    db.one("SELECT evercore_release('p', ?)", token)
    assert db.claim() is None
    assert db.one("SELECT evercore_resume('p')") == "p"
    assert db.fetch(db.claim()) == [7, 8, 9, 10]


def test_a_reset_takes_every_lease_and_moves_every_cursor(store):
    db, token = working(store)
    assert db.one("SELECT evercore_reset('p', 8)") == "p"
    assert db.refused("SELECT evercore_ack('p', ?, 10)", token) == LOST.format(token)
    assert db.fetch(db.claim()) == [9, 10]
    assert db.refused("SELECT evercore_reset('p', NULL)") == "EV009: start is NULL"


def test_a_removed_subscription_is_gone_for_its_worker(store):
    db, token = working(store)
    db.one("SELECT evercore_unsubscribe('p')")
    gone = 'EV002: no subscription "p"'
    for sql in ("SELECT evercore_ack('p', ?, 10)", "SELECT * FROM evercore_fetch('p', ?)",
                "SELECT evercore_release('p', ?)", "SELECT evercore_renew('p', ?, 1)"):
        assert db.refused(sql, token) == gone
    for sql in ("SELECT evercore_unsubscribe('p')", "SELECT evercore_claim('p', 'w', 1)",
                "SELECT evercore_pause('p')", "SELECT evercore_resume('p')", "SELECT evercore_reset('p', 'end')"):
        assert db.refused(sql) == gone
    assert db.rows("SELECT * FROM evercore_subscriptions") == []
    assert db.one("SELECT value FROM evercore_stats WHERE name = 'subscriptions'") == "0"


def test_the_number_of_partitions_changes_only_after_a_reset(store):
    db, token = working(store)
    refused = 'EV010: subscription "p" has 1 partitions: reset it to change them'
    assert db.refused("SELECT evercore_subscribe('p', NULL, NULL, 2)") == refused
    db.subscribe("p", None, None, 1)
    db.rows("SELECT evercore_reset('p', 3)")
    db.subscribe("p", None, None, 4)
    assert db.rows("SELECT partition, position FROM evercore_subscriptions") == [(i, 3) for i in range(4)]
    db.subscribe("p", None, None, 2)
    token = db.claim()
    db.ack(token, db.fetch(token)[0])
    assert db.refused("SELECT evercore_subscribe('p', NULL, NULL, 3)") == (
        'EV010: subscription "p" has 2 partitions: reset it to change them')
    assert db.refused("SELECT evercore_subscribe('q', NULL, NULL, 1025)") == "EV009: partitions is out of range: 1025"


def test_an_error_is_kept_until_an_ack(store):
    db, token = working(store)
    error = "SELECT last_error FROM evercore_subscriptions"
    db.rows("SELECT evercore_release('p', ?, 'mail server down')", token)
    assert db.one(error) == "mail server down"
    token = db.claim()
    db.rows("SELECT evercore_release('p', ?)", token)
    assert db.one(error) == "mail server down"
    db.ack(db.claim(), 4)
    assert db.one(error) is None


def test_the_relation_reads_without_the_extension(store):
    db, _ = working(store)
    plain = sqlite3.connect(store.path)
    rows = plain.execute("SELECT name, partition, position, lag_events, lag_seconds >= 0, owner FROM evercore_subscriptions")
    assert rows.fetchall() == [("p", 0, 4, 6, 1, "w")]
    plain.close()


def test_lag_in_seconds_is_the_age_of_the_oldest_unread(store):
    db = store.main
    db.append("ann")
    db.subscribe()
    db.rows("DROP TRIGGER evercore_event_no_update")
    db.rows("UPDATE evercore_event SET recorded_at = event_time - 90000000")
    assert 90 <= db.one("SELECT lag_seconds FROM evercore_subscriptions") < 9000
    db.ack(db.claim(), 1)
    assert db.rows("SELECT lag_events, lag_seconds FROM evercore_subscriptions") == [(0, 0)]


def test_check_finds_a_cursor_beyond_the_head(store):
    db, _ = working(store)
    assert db.rows("SELECT * FROM evercore_check") == []
    db.rows("UPDATE evercore_subscription_partition SET position = 99")
    assert db.rows("SELECT * FROM evercore_check") == [(None, None, 'cursor of subscription "p" is beyond the head')]


def test_the_migration_goes_back_only_without_events(store):
    db = store.main
    db.subscribe()
    assert db.one("SELECT evercore_migrate(1)") == 1
    assert db.refused("SELECT evercore_subscribe('p')") == "EV008: the store is not migrated: SELECT evercore_migrate()"
    assert db.one("SELECT evercore_migrate()") == 4
    db.append("ann")
    assert db.refused("SELECT evercore_migrate(1)") == "EV010: the store holds events"
