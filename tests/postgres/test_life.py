"""Nothing is given twice: positions and tokens after failovers, restores and switches to another server."""
import os
import subprocess
import tempfile

from harness import Later, equal, install, new_database, program, refused, together, uri, waits_for_lock
from pq import Connection
from test_crash import Server, connect

AHEAD = 1048576
BEHIND = "EV010: sequence evercore_event_position_seq is behind its table: SELECT evercore_migrate()"
REPLICA = ("EV010: this store is a logical replica, to which events come in the order of commits: follow it at its publisher,"
           " or drop the subscription and SELECT evercore_migrate()")
APPENDS = ("SELECT evercore_append(1, NULL, 'E', '{}')", "SELECT evercore_append(1, NULL, 'E', '{}', 'why')",
           "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{}},{\"event_type\":\"E\",\"data\":{}}]}]')",
           "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{}')",
           "BEGIN; SELECT pg_current_xact_id(); SELECT evercore_append(1, NULL, 'E', '{}'); COMMIT")


# Every call that writes, where there are an aggregate 1 of type T and key a, and a subscription s.
WRITERS = APPENDS + (
    "SELECT evercore_append(1, NULL, 'E', '{}', event_id => 'x')", "SELECT evercore_append(1, NULL, 'E', '{}'::jsonb, NULL, '{}'::jsonb)",
    "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('T', 'new', 'E', '{}')",
    "SELECT evercore_create('T', 'new')", "SELECT evercore_create('T')", "SELECT evercore_ensure('T', 'new')", "SELECT evercore_rekey(1, 'new')",
    "SELECT evercore_snapshot(1)", "SELECT evercore_save_snapshot(1, 1, '{}', 1)", "SELECT evercore_snapshot_policy('T', 9, 1)",
    "SELECT evercore_event_type('E', 'patch')", "SELECT evercore_compact(1, 1)", "SELECT evercore_compact_type('T')", "SELECT evercore_erase(1)",
    "SELECT evercore_rename_type('aggregate', 'T', 'U')", "SELECT evercore_restored()", "SELECT _evercore_publish_floor()",
    "SELECT evercore_subscribe('new')", "SELECT evercore_pause('s')", "SELECT evercore_resume('s')", "SELECT evercore_reset('s', 'end')",
    "SELECT evercore_claim('s', 'w', 60)", "SELECT evercore_ack('s', 1, 1)", "SELECT evercore_renew('s', 1, 60)", "SELECT evercore_release('s', 1)",
    "SELECT evercore_unsubscribe('s')")


def head(connection):
    return int(connection.value("SELECT coalesce(max(position), 0) FROM evercore_log"))


def append(connection, count=1):
    for _ in range(count):
        connection.rows("SELECT evercore_append(1, NULL, 'E', '{}')")
    return head(connection)


def store(events=5):
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T', 'a')")
    append(connection, events)
    return connection


def another(connection):
    return Connection(uri(connection.value("SELECT current_database()")))


class Copy:
    """A base backup of a server that starts as a server of its own."""

    def __init__(self, server, *options):
        self.server = server
        self.home = tempfile.mkdtemp(prefix="evercore-copy.")
        self.data = f"{self.home}/data"
        if os.getuid() == 0:
            subprocess.run(["chown", "postgres", self.home], check=True)
        os.chmod(self.home, 0o755)
        server.as_server(program("pg_basebackup"), "-h", server.socket, "-U", "postgres", "-D", self.data, "-c", "fast", *options)
        self.uri = server.uri.replace(server.socket, self.home)
        self.started = False

    def start(self, *settings):
        with open(f"{self.data}/postgresql.conf", "a", encoding="utf-8") as file:
            file.write("\n".join([f"unix_socket_directories = '{self.home}'", *settings, ""]))
        self.server.as_server(f"{self.server.bin}/pg_ctl", "-D", self.data, "-w", "-s", "-l", f"{self.home}/log", "start")
        self.started = True

    def promote(self):
        self.server.as_server(f"{self.server.bin}/pg_ctl", "-D", self.data, "-w", "-s", "promote")

    def close(self):
        if self.started:
            self.server.as_server(f"{self.server.bin}/pg_ctl", "-D", self.data, "-m", "immediate", "-s", "stop")
        subprocess.run(["rm", "-rf", self.home], check=True)


def wait_for(connection, sql):
    for _ in range(1000):
        if connection.value(sql) == "t":
            return
        connection.rows("SELECT pg_sleep(0.01)")
    raise AssertionError(f"never true: {sql}")


def test_a_failover_that_lost_commits_gives_nothing_twice():
    primary = Server("wal_level=replica max_wal_senders=4 hot_standby=on")
    standby = None
    try:
        install(primary.uri)
        admin = Connection(primary.uri)
        admin.rows("SELECT evercore_create('T', 'a'); SELECT evercore_subscribe('s'); SELECT evercore_claim('s', 'first', 60)")
        append(admin, 5)
        admin.rows("SELECT evercore_release('s', 1)")
        standby = Copy(primary, "-R")
        standby.start()
        lived = connect(standby.uri)
        wait_for(lived, "SELECT count(*) = 5 FROM evercore_log")
        for sql in WRITERS:
            if sql == "SELECT evercore_compact_type('T')":  # finds nothing that everybody has read
                continue
            refused(lambda sql=sql: lived.rows(sql), "25006")
            lived.rows("ROLLBACK")
        # From here on the standby receives nothing: what is acknowledged is lost.
        lived.rows("ALTER SYSTEM SET primary_conninfo = ''")
        lived.rows("SELECT pg_reload_conf()")
        wait_for(lived, "SELECT count(*) = 0 FROM pg_stat_wal_receiver")
        lost_head = append(admin, 200)
        equal(admin.value("SELECT max(position) FROM evercore_follow()"), str(lost_head))
        lost_token = admin.value("SELECT evercore_claim('s', 'old', 600)")
        primary.kill()
        standby.promote()
        wait_for(lived, "SELECT NOT pg_is_in_recovery()")
        writers = [lived] + [connect(standby.uri) for _ in range(7)]
        together(*[lambda writer=writer: append(writer, 3) for writer in writers])
        given = [int(row[0]) for row in lived.rows("SELECT position FROM evercore_log WHERE position > 5")]
        equal(len(given), 24)
        assert min(given) > lost_head, (min(given), lost_head)
        assert AHEAD < min(given) and max(given) < AHEAD + 200, "drawn ahead once"
        equal(len(lived.rows(f"SELECT position FROM evercore_follow({lost_head})")), 24, "a follower from beyond what was kept skips nothing")
        token = lived.value("SELECT evercore_claim('s', 'new', 600)")
        assert int(token) > int(lost_token) + 1000, (token, lost_token)
        refused(lambda: lived.rows(f"SELECT evercore_ack('s', {lost_token}, 5)"), "EV006")
        equal(lived.rows("SELECT * FROM evercore_check()"), [])
    finally:
        primary.close()
        if standby:
            standby.close()


def test_a_restore_to_an_earlier_time_gives_nothing_twice():
    archive = tempfile.mkdtemp(prefix="evercore-archive.")
    os.chmod(archive, 0o777)
    server = Server("wal_level=replica max_wal_senders=4")
    copy = None
    try:
        install(server.uri)
        admin = Connection(server.uri)
        admin.rows("SELECT evercore_create('T', 'a'); SELECT evercore_subscribe('s')")
        copy = Copy(server, "-X", "none")
        append(admin, 3)
        admin.rows("SELECT pg_create_restore_point('before')")
        lost = append(admin, 50)
        lost_token = admin.value("SELECT evercore_claim('s', 'old', 600)")
        admin.rows("SELECT pg_switch_wal()")
        admin.close()
        server.kill()
        server.as_server("sh", "-c", f"cp {server.data}/pg_wal/0* {archive}/ && touch {copy.data}/recovery.signal")
        copy.start(f"restore_command = 'cp {archive}/%f %p'", "recovery_target_name = 'before'", "recovery_target_action = 'promote'")
        restored = connect(copy.uri)
        wait_for(restored, "SELECT NOT pg_is_in_recovery()")
        equal(head(restored), 3)
        refused(lambda: restored.rows(f"SELECT * FROM evercore_follow({AHEAD})"), "EV009", f"EV009: after is out of range: {AHEAD}")
        token = int(restored.value("SELECT evercore_claim('s', 'new', 600)"))
        assert token > int(lost_token) and token > AHEAD, token
        assert append(restored) > max(lost, AHEAD)
        equal(restored.rows("SELECT * FROM evercore_check()"), [])
        restored.close()
    finally:
        server.close()
        if copy:
            copy.close()
        subprocess.run(["rm", "-rf", archive], check=True)


def test_a_mere_restart_draws_nothing_ahead():
    server = Server()
    try:
        install(server.uri)
        admin = Connection(server.uri)
        admin.rows("SELECT evercore_create('T', 'a'); SELECT evercore_append(1, NULL, 'E', '{}')")
        for end in ("fast", "immediate"):
            admin.close()
            server.as_server(f"{server.bin}/pg_ctl", "-D", server.data, "-m", end, "-w", "-s", "stop")
            server.start()
            admin = connect(server.uri)
            assert append(admin) < 100
    finally:
        server.close()


def test_another_server_is_noticed_by_an_append_and_by_a_claim():
    connection = store()
    connection.rows("SELECT evercore_subscribe('s'), setval('_evercore_system', 4711), setval('_evercore_timeline', 1)")
    # A session that has drawn does not look again: none outlives the end of a timeline.
    equal(append(another(connection)), 5 + AHEAD + 1)
    connection.rows("SELECT setval('_evercore_system', 4711)")
    equal(connection.value("SELECT evercore_claim('s', 'w', 60)"), str(2 * AHEAD + 1))
    equal(append(connection), 6 + 2 * AHEAD + 1)


def test_it_is_drawn_ahead_though_the_first_transaction_rolls_back_and_nobody_waits_for_it():
    connection = store()
    first = another(connection)
    connection.rows("SELECT setval('_evercore_system', 4711), setval('_evercore_timeline', 1), evercore_create('T', 'b')")
    first.rows("BEGIN; SELECT evercore_append(2, NULL, 'E', '{}')")
    connection.rows("SET lock_timeout = '5s'")
    equal(append(connection), 5 + AHEAD + 2)
    first.rows("ROLLBACK")
    equal(append(connection), 5 + AHEAD + 3)


def test_a_policy_that_is_not_seen_yet_is_kept_by_whoever_wakes():
    connection = store()
    connection.rows("SELECT evercore_subscribe('s'), evercore_create('T', 'b'), setval('_evercore_timeline', 1)")
    declaring, old = another(connection), another(connection)
    declaring.rows("BEGIN; SELECT evercore_snapshot_policy('T', 1, 1)")
    connection.rows("SELECT evercore_claim('s', 'w', 60)")
    declaring.rows("COMMIT")
    append(connection)
    equal(connection.rows("SELECT aggregate_id, sequence FROM evercore_snapshot"), [("1", "6")])
    # Who wakes reads the marks and writes them under this lock.
    connection.rows("BEGIN; SELECT FROM evercore_schema FOR UPDATE")
    waiting = Later(lambda: declaring.rows("SELECT evercore_snapshot_policy('T', 3, 1)"))
    equal(waits_for_lock(old, declaring.pid()), True)
    connection.rows("COMMIT")
    waiting.result()
    # In a snapshot from before the declaration, too.
    connection.rows("SELECT evercore_snapshot_policy('T', 0, 1), setval('_evercore_highest', pg_sequence_last_value('_evercore_highest') & 9223372036854775807)")
    old.rows("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM evercore_event LIMIT 1")
    connection.rows("SELECT evercore_snapshot_policy('T', 2, 1), setval('_evercore_timeline', 1)")
    refused(lambda: old.rows("SELECT evercore_append(2, NULL, 'E', '{}')"), "40001")
    append(connection, 2)
    equal(connection.rows("SELECT aggregate_id, sequence FROM evercore_snapshot"), [("1", "8")])
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_restored_by_hand():
    connection = store()
    connection.rows("SELECT evercore_subscribe('s')")
    equal(connection.value("SELECT evercore_restored()"), str(5 + AHEAD))
    equal(append(connection), 5 + AHEAD + 1)
    equal(connection.value("SELECT evercore_claim('s', 'w', 60)"), str(AHEAD + 1))
    connection.rows("SET ROLE evercore_writer")
    refused(lambda: connection.rows("SELECT evercore_restored()"), "42501")


def test_following_from_where_nothing_was_ever_drawn():
    connection = store()
    equal(connection.rows("SELECT * FROM evercore_follow(5)"), [])
    refused(lambda: connection.rows("SELECT * FROM evercore_follow(6)"), "EV009", "EV009: after is out of range: 6")
    empty = Connection(new_database())
    equal(empty.rows("SELECT * FROM evercore_follow(0)"), [])
    refused(lambda: empty.rows("SELECT * FROM evercore_follow(1)"), "EV009", "EV009: after is out of range: 1")


def test_a_logical_replica_refuses_followers_and_appends_until_it_has_taken_over():
    server = Server("wal_level=logical max_wal_senders=8 max_replication_slots=8")
    try:
        admin = Connection(server.uri, None)
        for name in ("publisher", "replica"):
            admin.rows(f"CREATE DATABASE {name}")
            install(uri(name, server.uri))
        publisher, replica = Connection(uri("publisher", server.uri)), Connection(uri("replica", server.uri))
        publisher.rows("CREATE PUBLICATION everything FOR ALL TABLES")
        publisher.rows("SELECT pg_create_logical_replication_slot('moving', 'pgoutput')")
        publisher.rows("SELECT evercore_snapshot_policy('T', 2, 1), evercore_create('T', 'a'), evercore_subscribe('s')")
        append(publisher, 10)
        publisher.rows("SELECT evercore_ack('s', evercore_claim('s', 'old', 600), 10); SELECT evercore_compact(1, 4), _evercore_publish_floor()")
        replica.rows(f"CREATE SUBSCRIPTION moving CONNECTION 'host={server.socket} user=postgres dbname=publisher' PUBLICATION everything"
                     " WITH (create_slot = false, slot_name = 'moving')")
        wait_for(replica, "SELECT count(*) = 4 FROM evercore_log")
        append(publisher, 5)
        wait_for(replica, "SELECT max(sequence) = 15 FROM evercore_log")
        wait_for(replica, "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel")
        equal(replica.value("SELECT count(*) FROM evercore_schema"), "1")
        equal(replica.value("SELECT evercore_state(1)"), publisher.value("SELECT evercore_state(1)"))
        for after in (0, 7, 15, 100):
            refused(lambda after=after: replica.rows(f"SELECT * FROM evercore_follow({after})"), "EV010", REPLICA)
        for sql in WRITERS:
            refused(lambda sql=sql: replica.rows(sql), "EV010", REPLICA)
            replica.rows("ROLLBACK")
        old = publisher.value("SELECT token FROM evercore_subscriptions")
        publisher.rows("SELECT evercore_ack('s', $1, 15)", old)
        wait_for(replica, "SELECT position = 15 FROM evercore_subscription_partition")
        replica.rows("ALTER SUBSCRIPTION moving DISABLE; ALTER SUBSCRIPTION moving SET (slot_name = NONE); DROP SUBSCRIPTION moving")
        publisher.rows("SELECT pg_drop_replication_slot('moving')") if publisher.value(
            "SELECT NOT active FROM pg_replication_slots WHERE slot_name = 'moving'") == "t" else None
        for sql in APPENDS + ("SELECT evercore_claim('s', 'w', 60)",):
            refused(lambda sql=sql: replica.rows(sql), "EV010", BEHIND)
            replica.rows("ROLLBACK")
        replica.rows("SELECT evercore_migrate()")
        equal(replica.rows("SELECT * FROM evercore_check()"), [])
        equal(replica.value("SELECT evercore_append(1, 15, 'E', '{}')"), "16")
        ((place,),) = replica.rows("SELECT position FROM evercore_follow(15)")
        assert AHEAD < int(place) < AHEAD + 50, place
        assert int(replica.value("SELECT evercore_create('T', 'b')")) > 1
        replica.rows("SELECT evercore_subscribe('t', NULL, 'kept'); SELECT evercore_create('U', 'c')")
        # A token that was given and taken back is in no table any more.
        replica.rows("UPDATE evercore_subscription_partition SET owner = NULL WHERE token = $1", old)
        token = int(replica.value("SELECT evercore_claim('s', 'new', 600)"))
        assert AHEAD < token < AHEAD + 50, token
        equal(append(replica), int(place) + 1, "drawn ahead once")
        refused(lambda: replica.rows(f"SELECT evercore_ack('s', {old}, 15)"), "EV006")
        equal(replica.value("SELECT count(*) FROM evercore_snapshot WHERE aggregate_id = 1 AND sequence = 16"), "1", "policies are followed")
    finally:
        server.close()


def test_a_version_that_a_trigger_keeps_back_is_told():
    connection = store(1)
    connection.rows("""SELECT evercore_create('T', 'b');
      CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
      CREATE TRIGGER keep BEFORE UPDATE ON evercore_aggregate FOR EACH ROW EXECUTE FUNCTION keep()""")
    two = 'SELECT evercore_append_many(\'[{"aggregate_id":1,"events":[{"event_type":"E","data":{}}]},{"aggregate_id":2,"events":[{"event_type":"E","data":{}}]}]\')'
    for sql in APPENDS + (two,):
        refused(lambda sql=sql: connection.rows(sql), "EV010", "EV010: a version was not counted")
        connection.rows("ROLLBACK")


def test_settings_that_are_no_numbers_break_no_append():
    connection = store(1)
    floor = connection.value("SELECT 'evercore.floor_' || to_hex(hashtext('\"evercore\"'))")
    for value in ("x", "", "-", "1e9", "99999999999999999999", "-5"):
        connection.rows(f"SELECT set_config('evercore.depth', $1, false), set_config('{floor}', $1, false), set_config('{floor}_key', $1, false)", value)
        for sql in APPENDS:
            connection.rows(sql)
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_a_stranger_with_all_keys_stops_no_append():
    connection = store(1)
    stranger = another(connection)
    stranger.rows("SELECT count(pg_advisory_lock(((hashtext('\"evercore\"')::bigint & 1048575) << 44) | p)) FROM generate_series(0, 60) p")
    stranger.rows("""SELECT count(pg_advisory_lock(hashtext('"evercore"'), hashtext((x.now + n)::text || i)))
                       FROM (SELECT pg_current_xact_id()::text::bigint AS now) x, generate_series(0, 60) n,
                            (SELECT '' AS i UNION ALL SELECT ' ' || k FROM generate_series(1, 16) k) k""")
    connection.rows("SET statement_timeout = '20s'")
    for sql in APPENDS:
        connection.rows(sql)
    connection.rows("BEGIN; SELECT evercore_append(1, NULL, 'E', '{}') FROM generate_series(1, 5)")
    equal(another(connection).value("SELECT min(position) FROM evercore_in_flight"), "0")
    equal(connection.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"), "1")
    connection.rows("ROLLBACK")
