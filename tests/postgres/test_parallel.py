"""What is marked PARALLEL SAFE: it calls nothing that is not, has no exception block, and the surface is the same in a worker."""
import os
import re
import subprocess

from harness import ROOT, equal, new_database
from pq import Connection


def test_marks_agree_with_what_bodies_do():
    connection = Connection(new_database())
    routines = connection.rows("SELECT proname, proparallel, prosrc FROM pg_proc WHERE pronamespace = 'evercore'::regnamespace")
    unsafe = {name for name, mark, _ in routines if mark != "s"}
    wrong = []
    for name, mark, body in routines:
        body = re.sub(r"--.*|'(?:[^']|'')*'", "", body)
        if mark == "s":
            called = {call for call in re.findall(r"\b(_?evercore_\w+)\(", body) if call in unsafe}
            wrong += [f"{name} calls {call}" for call in sorted(called)]
            wrong += [f"{name} has an exception block"] if re.search(r"\bEXCEPTION\s+WHEN\b", body) else []
            wrong += [f"{name} writes or locks"] if re.search(r"\b(INSERT INTO|UPDATE \w|DELETE FROM|LOCK TABLE|FOR UPDATE|FOR SHARE)\b|\b(nextval|set_config|pg_\w*advisory\w*)\(", body) else []
    equal(wrong, [])
    assert any(mark == "s" for _, mark, _ in routines)


def test_the_surface_is_the_same_where_everything_goes_to_a_worker():
    version = int(Connection(os.environ["EVERCORE_TEST_POSTGRES"], None).value("SHOW server_version_num"))
    setting = "debug_parallel_query=on" if version >= 160000 else "force_parallel_mode=on"
    environment = {name: value for name, value in os.environ.items() if name != "EVERCORE_TEST_POSTGRES"}
    done = subprocess.run([ROOT / "tests/surface/run", "--engine", "postgres", "append", "fold"],
                          env={**environment, "EVERCORE_SERVER_OPTIONS": setting}, capture_output=True, text=True, check=False)
    equal(done.stdout.strip().rsplit("\n", 1)[-1].split(", ")[-1], "0 failed", done.stdout[-4000:])
