"""What the PostgreSQL tests share: databases with a store in them, threads, and the loop that runs tests."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import traceback
from urllib.parse import urlsplit, urlunsplit

from pq import Connection, Error

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVER = os.environ.get("EVERCORE_TEST_POSTGRES", "")
_made = []


def uri(database, server=None):
    parts = urlsplit(server or SERVER)
    return urlunsplit(parts._replace(path="/" + database))


def install(conninfo, schema="evercore", **environment):
    subprocess.run([ROOT / "sql/install", conninfo, schema], check=True, env={**os.environ, **environment})
    if command := os.environ.get("EVERCORE_AFTER_INSTALL"):  # tests/native/run puts its functions in
        subprocess.run([*command.split(), conninfo], check=True)


def new_database(store=True):
    """A database of its own for one test, with a migrated store unless told otherwise; gives its URI."""
    template = "evercore_test_store"
    admin = Connection(SERVER, None)
    if store and template not in _made:
        admin.rows(f"DROP DATABASE IF EXISTS {template}")
        admin.rows(f"CREATE DATABASE {template} TEMPLATE template0 ENCODING 'UTF8'")
        _made.append(template)
        install(uri(template))
    name = f"evercore_test_{os.getpid()}_{len(_made)}"
    _made.append(name)
    # files copied as they are, which is fast where nothing is synced; 14 knows no other way
    strategy = "STRATEGY file_copy" if server_major() >= 15 else ""
    admin.rows(f"CREATE DATABASE {name} TEMPLATE {template if store else 'template0'} ENCODING 'UTF8' {strategy}")
    admin.close()
    return uri(name)


def before_drop(database):
    """What is to be done with a database that a test leaves: tests/coverage/sql counts there."""
    if command := os.environ.get("EVERCORE_BEFORE_DROP"):
        subprocess.run([*command.split(), database], check=True)


def drop_databases():
    admin = Connection(SERVER, None)
    for held, name in admin.rows("SELECT gid, database FROM pg_prepared_xacts"):
        if name in _made:
            Connection(uri(name), None).rows(f"ROLLBACK PREPARED '{held}'")
    for name in _made:
        before_drop(uri(name))
        admin.rows(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    admin.close()


def equal(actual, expected, what=""):
    if actual != expected:
        raise AssertionError(f"{what or 'value'}\n   expected {expected!r}\n   actual   {actual!r}")


def refused(call, code, message=None):
    """The call must raise this SQLSTATE, and begin its message so."""
    try:
        result = call()
    except Error as error:
        equal(error.code, code, f"the code of: {error.message}")
        if message is not None and not error.message.startswith(message):
            raise AssertionError(f"message\n   expected {message!r}\n   actual   {error.message!r}") from error
        return error.message
    raise AssertionError(f"expected {code}, got {result!r}")


class NotHere(Exception):
    """A program that a test needs is not on this machine: the test is named, and neither passed nor failed."""


def program(name):
    """A program of the server's own version, or the newest of this machine where that can speak to the server."""
    own = pathlib.Path(os.environ.get("EVERCORE_SERVER_BIN", "/usr/bin")) / name
    if own.exists():
        return own
    found = shutil.which(name)
    if found:
        version = int(re.search(r"(\d+)", subprocess.check_output([found, "--version"], text=True)).group(1))
        if version >= server_major():
            return found
    raise NotHere(f"no {name} for PostgreSQL {server_major()}")


def server_major():
    return int(Connection(SERVER, None).value("SHOW server_version_num")) // 10000


def together(*calls):
    """Runs calls in threads of their own, waits for all, and raises the first failure."""
    failures = []

    def guarded(call):
        try:
            call()
        except BaseException as error:  # pylint: disable=broad-except
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(call,), daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(1200)  # whoever waits for ever
        if thread.is_alive():
            raise AssertionError("a thread did not end within 1,200 s")
    if failures:
        raise failures[0]


class Later:
    """A call in a thread of its own, to see it wait for a lock."""

    def __init__(self, call):
        self._outcome = []
        self._thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self._thread.start()

    def _run(self, call):
        try:
            self._outcome.append((call(), None))
        except BaseException as error:  # pylint: disable=broad-except
            self._outcome.append((None, error))

    def done(self, seconds=0.0):
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self, seconds=300.0):
        if not self.done(seconds):
            raise AssertionError(f"the call did not end within {seconds} s")
        value, error = self._outcome[0]
        if error:
            raise error
        return value


def waits_for_lock(observer, pid, seconds=300):
    """True once that backend waits for a lock."""
    for _ in range(int(seconds * 100)):
        if observer.value("SELECT wait_event_type FROM pg_stat_activity WHERE pid = $1::int", pid) == "Lock":
            return True
        observer.rows("SELECT pg_sleep(0.01)")
    return False


def main(modules):
    passed = failed = 0
    wanted = sys.argv[1:]
    try:
        for module in modules:
            for name, test in list(vars(module).items()):
                if not name.startswith("test_") or not callable(test):
                    continue
                if wanted and not any(word in f"{module.__name__}.{name}" for word in wanted):
                    continue
                try:
                    test()
                    passed += 1
                except NotHere as reason:
                    print(f"not run: {module.__name__}.{name}: {reason}", flush=True)
                except Exception:  # pylint: disable=broad-except
                    failed += 1
                    print(f"FAILED {module.__name__}.{name}\n{traceback.format_exc()}", flush=True)
    finally:
        drop_databases()
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
