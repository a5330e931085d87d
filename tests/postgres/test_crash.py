"""Servers that die, and servers that follow: what was acknowledged is there, and a standby skips nothing."""
import os
import random
import signal
import subprocess
import tempfile
import threading
import time
from urllib.parse import parse_qs, urlsplit

import harness
from harness import ROOT, NotHere, equal, install, program, together
from pq import Connection, Error


class Server:
    """A server of the test's own, so that it can be killed."""

    def __init__(self, options=""):
        environment = {name: value for name, value in os.environ.items() if name not in ("EVERCORE_TEST_POSTGRES", "EVERCORE_SERVER_DATA")}
        environment["EVERCORE_SERVER_OPTIONS"] = options
        self.process = subprocess.Popen(
            [ROOT / "tests/postgres/with_server", "sh", "-c",
             'echo "$EVERCORE_TEST_POSTGRES $EVERCORE_SERVER_DATA $EVERCORE_SERVER_BIN"; cat >/dev/null'],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.uri, self.data, self.bin = self.process.stdout.readline().split()
        self.socket = parse_qs(urlsplit(self.uri).query)["host"][0]

    def as_server(self, *command):
        prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        return subprocess.run(prefix + list(command), check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self):
        with open(f"{self.data}/postmaster.pid", encoding="utf-8") as file:
            postmaster = int(file.readline())
        os.kill(postmaster, signal.SIGKILL)
        while True:
            try:
                os.kill(postmaster, 0)
                time.sleep(0.02)
            except ProcessLookupError:
                break

    def start(self):
        for _ in range(100):
            try:
                self.as_server(f"{self.bin}/pg_ctl", "-D", self.data, "-w", "-s", "-l", f"{self.socket}/log", "start")
                return
            except subprocess.CalledProcessError:
                time.sleep(0.1)
        raise AssertionError("the server did not come back")

    def check_files(self):
        """Every table and index, page by page: each row of a table is in its indexes."""
        database = urlsplit(self.uri).path[1:]
        try:
            checker = program("pg_amcheck")
        except NotHere:  # what it would ask
            connection = Connection(self.uri, None)
            connection.rows("CREATE EXTENSION IF NOT EXISTS amcheck")
            equal(connection.rows("""SELECT c.relname, f.* FROM pg_class c CROSS JOIN LATERAL verify_heapam(c.oid) f WHERE c.relkind = 'r'
                                     AND c.relpersistence = 'p'"""), [])
            connection.rows("SELECT bt_index_parent_check(c.oid, true) FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'btree' AND c.relkind = 'i'")
            return
        done = subprocess.run([checker, "--install-missing", "--heapallindexed", "--parent-check", "-h", self.socket,
                               "-U", "postgres", "-d", database], capture_output=True, text=True, check=False)
        equal((done.returncode, done.stdout + done.stderr), (0, ""))

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


def connect(uri):
    for _ in range(200):
        try:
            return Connection(uri)
        except Error:
            time.sleep(0.05)
    raise AssertionError("no connection")


def test_a_killed_server_keeps_what_it_acknowledged():
    server = Server()
    try:
        install(server.uri)
        admin = Connection(server.uri)
        admin.rows("SELECT evercore_create('T','k' || i) FROM generate_series(1, 20) i")
        admin.close()
        acknowledged, attempted = set(), set()
        stop = threading.Event()
        deaths = threading.Event()

        def write(number):
            dice = random.Random(number)
            connection, turn = connect(server.uri), 0
            while not stop.is_set():
                turn += 1
                ids = [f"{number}-{turn}-{i}" for i in range(dice.choice((1, 1, 5)))]
                attempted.update(ids)
                try:
                    if len(ids) == 1:
                        connection.rows(f"SELECT evercore_append({dice.randint(1, 20)}, NULL, 'E', '{{}}', '{ids[0]}')")
                    else:
                        rows = ",".join(f"({dice.randint(1, 20)}, 'E', '{{}}', '{one}')" for one in ids)
                        connection.rows(f"INSERT INTO evercore_append (aggregate_id, event_type, data, reference) VALUES {rows}")
                    acknowledged.update(ids)
                except Error as error:
                    if error.code[:2] not in ("08", "57"):
                        raise
                    deaths.set()
                    connection.close()
                    connection = connect(server.uri)
            connection.close()

        def kill():
            try:
                for _ in range(3):
                    time.sleep(0.7)
                    server.kill()
                    server.start()
                time.sleep(0.3)
            finally:
                stop.set()

        together(kill, *[lambda number=number: write(number) for number in range(6)])
        equal(deaths.is_set(), True, "the kills were felt")
        after = connect(server.uri)
        kept = {row[0] for row in after.rows("SELECT reference FROM evercore_log")}
        assert len(acknowledged) > 50, len(acknowledged)
        equal(sorted(acknowledged - kept), [], "acknowledged and lost")
        equal(sorted(kept - attempted), [], "never written")
        equal(after.value("SELECT count(*) FROM evercore_log"), str(len(kept)), "written twice")
        batches = {}
        for one in kept:
            batches.setdefault(one.rsplit("-", 1)[0], set()).add(one)
        for name, ids in batches.items():
            equal(ids, {one for one in attempted if one.rsplit("-", 1)[0] == name}, "a batch kept in part")
        equal(after.rows("SELECT * FROM evercore_check()"), [])
        equal(len(after.rows("SELECT position FROM evercore_follow()")), len(kept))
        head = int(after.value("SELECT max(position) FROM evercore_log"))
        after.rows("SELECT evercore_append(1, NULL, 'E', '{}')")
        assert int(after.value("SELECT max(position) FROM evercore_log")) > head
        after.close()
        server.check_files()
    finally:
        server.close()


def test_a_prepared_append_survives_a_crash_and_still_holds_followers():
    server = Server()
    try:
        install(server.uri)
        first = Connection(server.uri)
        first.rows("SELECT evercore_create('T','a'), evercore_create('T','b')")
        first.rows("BEGIN; SELECT evercore_append(1, NULL, 'E', '{}'); PREPARE TRANSACTION 'held'")
        first.close()
        server.kill()
        server.start()
        second = connect(server.uri)
        second.rows("SELECT evercore_append(2, NULL, 'E', '{}')")
        equal(second.rows("SELECT position FROM evercore_follow()"), [])
        second.rows("COMMIT PREPARED 'held'")
        equal(len(second.rows("SELECT position FROM evercore_follow()")), 2)
        second.close()
        server.check_files()
    finally:
        server.close()


def test_a_follower_on_a_standby_skips_nothing():
    primary = Server("wal_level=replica max_wal_senders=4 hot_standby=on")
    standby_home = tempfile.mkdtemp(prefix="evercore-standby.")
    standby = f"{standby_home}/data"
    started = False
    try:
        install(primary.uri)
        if os.getuid() == 0:
            subprocess.run(["chown", "postgres", standby_home], check=True)
        os.chmod(standby_home, 0o755)
        primary.as_server(program("pg_basebackup"), "-h", primary.socket, "-U", "postgres", "-D", standby, "-R", "-c", "fast")
        with open(f"{standby}/postgresql.conf", "a", encoding="utf-8") as file:
            file.write(f"unix_socket_directories = '{standby_home}'\n")
        primary.as_server(f"{primary.bin}/pg_ctl", "-D", standby, "-w", "-s", "-l", f"{standby_home}/log", "start")
        started = True
        standby_uri = primary.uri.replace(primary.socket, standby_home)
        admin = Connection(primary.uri)
        admin.rows("SELECT evercore_create('T','k' || i) FROM generate_series(1, 20) i; CREATE TABLE business (i int)")
        done = threading.Event()
        seen = []

        def write(number):
            dice = random.Random(number)
            connection = Connection(primary.uri)
            for _ in range(60):
                connection.rows("BEGIN; INSERT INTO business VALUES (1)")
                time.sleep(dice.uniform(0, 0.005))
                connection.rows(f"SELECT evercore_append({dice.randint(1, 20)}, NULL, 'E', '{{}}')")
                time.sleep(dice.uniform(0, 0.01))
                connection.rows("ROLLBACK" if dice.random() < 0.1 else "COMMIT")
            connection.close()

        def publish():
            connection = Connection(primary.uri)
            while not done.is_set():
                connection.rows("SELECT _evercore_publish_floor()")
                time.sleep(0.005)
            connection.rows("SELECT _evercore_publish_floor()")
            connection.close()

        def follow():
            connection, after = Connection(standby_uri), 0
            equal(connection.value("SELECT pg_is_in_recovery()"), "t")
            deadline = None
            while deadline is None or time.time() < deadline:
                rows = connection.rows(f"SELECT position FROM evercore_follow({after}, 50)")
                seen.extend(int(row[0]) for row in rows)
                after = seen[-1] if seen else 0
                if done.is_set() and deadline is None:
                    deadline = time.time() + 3
            connection.close()

        def writers():
            try:
                together(*[lambda number=number: write(number) for number in range(12)])
            finally:
                done.set()

        together(writers, publish, follow)
        committed = [int(row[0]) for row in admin.rows("SELECT position FROM evercore_log ORDER BY position")]
        assert len(committed) > 500
        equal(len(seen), len(committed), "events seen on the standby")
        equal(seen, committed, "what the standby's follower saw")
        other = Connection(standby_uri)
        equal(other.value("SELECT count(*) FROM evercore_query('[{\"types\":[\"E\"]}]')"), str(len(committed)), "what a query gives there")
        try:
            other.rows("SELECT evercore_append(1, NULL, 'E', '{}')")
            raise AssertionError("a standby took an append")
        except Error as error:
            equal(error.code, "25006")
        other.close()
        admin.close()
    finally:
        if started:
            primary.as_server(f"{primary.bin}/pg_ctl", "-D", standby, "-m", "immediate", "-s", "stop")
        primary.close()
        subprocess.run(["rm", "-rf", standby_home], check=True)
