"""Who holds a partition: tokens, leases, and what a worker that lost its lease can still do."""

import time

LOST = 'EV006: lease lost: token {} is not the current one of subscription "p"'


def claim_when_free(db, lease=60):
    while (token := db.claim(lease=lease)) is None:
        pass
    return token


def test_a_stalled_worker_can_neither_read_nor_ack_nor_move_the_cursor_back(store):
    a, b = store.connect(), store.connect()
    a.append_numbered(100)
    a.subscribe()
    stale = a.claim(lease=0.2)
    assert a.fetch(stale, limit=10) == list(range(1, 11))
    token = claim_when_free(b)
    assert token > stale
    while positions := b.fetch(token):
        b.ack(token, positions[-1])
    assert b.cursor() == 100
    for call in ("evercore_ack('p', ?, 10)", "evercore_ack('p', ?, NULL)", "evercore_renew('p', ?, 60)",
                 "evercore_release('p', ?)", "evercore_release('p', ?, 'late')"):
        assert a.refused(f"SELECT {call}", stale) == LOST.format(stale), call
    assert a.refused("SELECT * FROM evercore_fetch('p', ?)", stale) == LOST.format(stale)
    assert b.rows("SELECT position, owner, token, last_error FROM evercore_subscriptions") == [(100, "w", token, None)]


def test_with_the_transactional_form_a_stalled_worker_has_no_effect(store):
    a, b = store.connect(), store.connect()
    a.append_numbered(100)
    a.subscribe()
    a.rows("CREATE TABLE effect (position INTEGER)")
    stale = a.claim(lease=0.2)
    read_before_the_stall = a.fetch(stale)
    token = claim_when_free(b)
    b.rows("BEGIN IMMEDIATE")
    b.rows("INSERT INTO effect SELECT position FROM evercore_fetch('p', ?, 1000)", token)
    b.ack(token, b.one("SELECT max(position) FROM effect"))
    b.rows("COMMIT")
    a.rows("BEGIN IMMEDIATE")
    for position in read_before_the_stall:
        a.rows("INSERT INTO effect VALUES (?)", position)
    assert a.refused("SELECT evercore_ack('p', ?, 100)", stale) == LOST.format(stale)
    a.rows("ROLLBACK")
    a.rows("BEGIN IMMEDIATE")
    assert a.refused("INSERT INTO effect SELECT position FROM evercore_fetch('p', ?)", stale) == LOST.format(stale)
    a.rows("ROLLBACK")
    assert b.column("SELECT position FROM effect ORDER BY position") == list(range(1, 101))


def test_an_expired_lease_that_nobody_took_is_still_good(store):
    db = store.main
    db.append_numbered(5)
    db.subscribe()
    token = db.claim(lease=0.000001)
    assert db.fetch(token) == [1, 2, 3, 4, 5]
    assert db.ack(token, 3) == 3
    assert db.one("SELECT evercore_renew('p', ?, 60)", token) == "p"
    assert db.claim() is None


def test_a_live_lease_is_not_given_again_whatever_the_owner_is_called(store):
    db = store.main
    db.subscribe()
    assert db.claim(owner="w") == 1
    assert db.claim(owner="w") is None
    assert db.claim(owner="v") is None


def test_a_claim_gives_null_at_once_while_another_transaction_writes(store):
    db, other = store.main, store.connect()
    db.append_numbered(5)
    db.subscribe()
    token = other.claim()
    other.rows("BEGIN IMMEDIATE")
    other.ack(token, 2)
    started = time.monotonic()
    assert db.claim() is None
    assert time.monotonic() - started < 5  # busy_timeout is 10 s
    other.rows("COMMIT")


def test_a_renewal_and_an_ack_keep_the_lease_alive(store):
    db = store.main
    db.append_numbered(5)
    db.subscribe()
    token = db.claim(lease=100)
    expires = "SELECT lease_expires_at FROM evercore_subscriptions"
    back = "UPDATE evercore_subscription_partition SET lease_expires_at = 1"
    first = db.one(expires)
    db.rows(back)
    db.ack(token, 0)  # moves nothing, renews by the length of the claim
    assert db.one(expires) >= first
    db.rows(back)
    db.one("SELECT evercore_renew('p', ?, 5)", token)
    assert "2026" <= db.one(expires) < first
    db.rows(back)
    db.ack(token, 1)  # by the length of the renewal
    assert "2026" <= db.one(expires) < first


def test_tokens_go_on_after_a_reset_and_after_a_second_life(store):
    db = store.main
    db.subscribe()
    tokens = []
    for again in ("SELECT evercore_release('p', 1)", "SELECT evercore_reset('p', 'beginning')",
                  "SELECT evercore_unsubscribe('p')", "SELECT 1"):
        tokens.append(db.claim())
        db.rows(again)
        db.subscribe()
    assert tokens == [1, 2, 3, 4]
    assert db.refused("SELECT evercore_ack('p', 3, 0)") == LOST.format(3)


def test_claims_go_to_the_partition_that_waited_longest(store):
    db = store.main
    db.subscribe("p", None, None, 3)
    assert [db.claim() for _ in range(4)] == [1, 2, 3, None]
    partition = "SELECT partition FROM evercore_subscriptions WHERE token = ?"
    assert [db.one(partition, t) for t in (1, 2, 3)] == [0, 1, 2]
    for token in (2, 1):
        db.rows("SELECT evercore_release('p', ?)", token)
    assert [db.one(partition, db.claim()) for _ in range(2)] == [0, 1]


def test_an_ack_of_a_lower_position_changes_nothing(store):
    db = store.main
    db.append_numbered(5)
    db.subscribe()
    token = db.claim()
    assert [db.ack(token, position) for position in (3, 1, -7, 3, 4)] == [3, 3, 3, 3, 4]
    assert db.refused("SELECT evercore_ack('p', ?, 6)", token) == "EV009: position is out of range: 6"
    assert db.cursor() == 4


def test_an_ack_of_null_moves_past_what_the_last_empty_fetch_saw(store):
    db = store.main
    db.append_numbered(10, types=2)
    db.subscribe("p", '{"event_types":["T9"]}')
    token = db.claim()
    assert db.ack(token, None) == 0  # nothing was looked at
    assert db.fetch(token) == []
    db.append("late", "A")
    assert db.ack(token, None) == 10
    assert db.fetch(token, limit=0) == []  # looks at nothing
    assert db.ack(token, None) == 10
    assert db.fetch(token) == []
    assert db.ack(token, None) == 11
    db.append("late", "T9")
    assert db.fetch(token) == [12]
    assert db.ack(token, None) == 11
    assert store.connect().ack(token, None) == 11


def test_an_ack_of_null_does_not_trust_what_was_rolled_back(store):
    db, other = store.main, store.connect()
    db.append_numbered(3)
    db.subscribe("p", '{"event_types":["Wanted"]}')
    token = db.claim()
    db.rows("BEGIN")
    for _ in range(5):
        db.append("x", "Other")
    assert db.fetch(token) == []
    db.rows("ROLLBACK")
    assert db.ack(token, None) == 0  # what it saw is forgotten
    for _ in range(5):
        other.append("y", "Wanted")
    assert db.ack(token, None) == 0  # and those positions were taken by others
    assert db.fetch(token) == [4, 5, 6, 7, 8]
    assert db.fetch(token) == [4, 5, 6, 7, 8]


def test_a_cursor_that_was_rolled_back_leaves_nothing_unread_behind(store):
    for undo in ("ROLLBACK", "ROLLBACK TO s"):
        db = store.connect()
        db.append_numbered(3)
        db.subscribe(undo)
        token = db.one("SELECT evercore_claim(?, 'w', 30)", undo)
        head = db.one("SELECT evercore_head()")
        db.rows("BEGIN")
        db.rows("SAVEPOINT s")
        db.one("SELECT evercore_ack(?, ?, ?)", undo, token, head)
        assert db.rows("SELECT position FROM evercore_fetch(?, ?)", undo, token) == []
        db.rows(undo)
        assert db.one("SELECT evercore_ack(?, ?, NULL)", undo, token) == 0
        unread = db.rows("SELECT position FROM evercore_fetch(?, ?, 1000)", undo, token)
        assert [position for (position,) in unread] == list(range(1, head + 1))
        if undo != "ROLLBACK":
            db.rows("COMMIT")


def test_an_ack_of_null_works_in_the_transaction_that_fetched(store):
    db = store.main
    db.append_numbered(3)
    db.subscribe("p", '{"event_types":["Wanted"]}')
    token = db.claim()
    db.rows("CREATE TABLE effect (position INTEGER)")
    db.rows("BEGIN IMMEDIATE")
    db.rows("INSERT INTO effect SELECT position FROM evercore_fetch('p', ?)", token)
    assert db.ack(token, None) == 3
    db.rows("COMMIT")
    assert db.cursor() == 3


def test_a_write_that_could_not_be_atomic_is_refused(store):
    db = store.main
    db.append_numbered(3)
    db.subscribe()
    token = db.claim()
    assert db.refused("SELECT evercore_ack('p', ?, position) FROM evercore_fetch('p', ?)", token, token)[:5] == "EV010"
    assert db.refused("SELECT evercore_ack('p', (SELECT token FROM evercore_subscriptions), 1)")[:5] == "EV010"
    assert db.cursor() == 0
