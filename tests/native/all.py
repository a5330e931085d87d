"""Runs suites beside a server that has evercore_native, and adds up their counts: see tests/native/run."""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ["aggregate", "append", "append_many", "arguments", "data_schema", "event_types", "idempotency", "names", "payload", "payload_cases", "query", "snapshot",
           "state_schema", "tags"]
TESTS = ["test_arguments", "test_data_schema", "test_declared", "test_life", "test_order", "test_plans", "test_races", "test_refusals", "test_repeats", "test_rights", "test_sequences"]


def run(environment, *command):
    """Runs a suite, shows what it says, and gives its counts."""
    done = subprocess.run([str(part) for part in command], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    sys.stdout.write(done.stdout)
    sys.stdout.flush()
    counts = re.fullmatch(r"(\d+) passed, (\d+) failed", done.stdout.rstrip().rsplit("\n", 1)[-1])
    passed, failed = (int(count) for count in counts.groups()) if counts else (0, 1)
    return passed, failed or int(done.returncode != 0)


def main():
    whole = "--whole" in sys.argv
    words = [word for word in sys.argv[1:] if word != "--whole"]
    plain = {name: value for name, value in os.environ.items() if name != "EVERCORE_AFTER_INSTALL"}
    counts = [run(plain, sys.executable, ROOT / "tests/native/test_native.py", *words)]
    if not words:
        counts += [
            run(os.environ, ROOT / "tests/surface/run", "--engine", "postgres", *([] if whole else SCRIPTS)),
            run(os.environ, sys.executable, ROOT / "tests/postgres/all.py", *([] if whole else TESTS)),
        ]
    passed, failed = (sum(column) for column in zip(*counts))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
