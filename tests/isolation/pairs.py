"""Runs pairs of calls in every order of their steps through isolationtester, and looks at what each order leaves behind.

For each pair there are these permutations (A, B: the calls; end: COMMIT, undo: ROLLBACK):
  serial      A, end, B, end                  what may come out
  open        A, B, end of A, end of B        B waits for A, or passes it by: the outcome is that of a serial order
  undone      A, B, undo of A, end of B       the outcome is that of B alone
  stale       a look by A in REPEATABLE READ, B, end, A, end: a serial order; or A fails with 40001 or EV010, and it is B alone
  beside      an open append, A and B as single calls, the append's end: no deadlock
After each what the store holds is checked and every state is the fold of all events that were written, in Python."""
import itertools
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "postgres"))
from calls import CALLS, OF_STATES, PARTNERS  # noqa: E402
from harness import drop_databases, new_database, together  # noqa: E402
from oracle import RECORD, fold  # noqa: E402
from pq import Connection  # noqa: E402

PARTS = 4
ERROR = re.compile(r"^ERROR:  (.*)$", re.M)


def tester():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/lib/pgxs/src/test/isolation/isolationtester"))
    if not found:
        sys.exit("isolationtester is missing: tests/deps installs it with the server's packages")
    return found[-1]


def permutations():
    """(name, steps) of every permutation; a step is a session and what it does."""
    for a, b in itertools.product(CALLS, repeat=2):
        if not OF_STATES.isdisjoint({a, b}) and not {a, b} <= OF_STATES | PARTNERS:
            continue
        yield f"serial {a} {b}", [f"s1_{a}", "s1_end", f"s2_{b}", "s2_end"]
        yield f"open {a} {b}", [f"s1_{a}", f"s2_{b}", "s1_end", "s2_end"]
        yield f"undone {a} {b}", [f"s1_{a}", f"s2_{b}", "s1_undo", "s2_end"]
        yield f"stale {a} {b}", ["r_look", f"s2_{b}", "s2_end", f"r_{a}", "r_end"]
        yield f"beside {a} {b}", ["hold", f"t1_{a}", f"t2_{b}", "hold_end"]
    for a in CALLS:
        yield f"alone {a}", [f"s1_{a}", "s1_end"]


def specification(chosen):
    def session(name, steps):
        return f"session {name}\n" + "".join(f"step {step} {{ {sql}; }}\n" for step, sql in steps)

    text = "setup { SELECT public.begin_again(); }\nteardown { SELECT public.outcome(); }\n"
    for name in ("s1", "s2"):
        text += session(name, [(f"{name}_{call}", "BEGIN; " + sql) for call, sql in CALLS.items()]
                        + [(f"{name}_end", "COMMIT"), (f"{name}_undo", "ROLLBACK")])
    text += session("r", [("r_look", "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM evercore_log")]
                    + [(f"r_{call}", sql) for call, sql in CALLS.items()] + [("r_end", "COMMIT")])
    for name in ("t1", "t2"):
        text += session(name, [(f"{name}_{call}", sql) for call, sql in CALLS.items()])
    text += session("h", [("hold", "BEGIN; SELECT evercore_append(1, NULL, 'E', public.data('h'))"), ("hold_end", "COMMIT")])
    return text + "".join(f"permutation {' '.join(steps)}\n" for _, steps in chosen)


def faults(outcome):
    """What must not be, whatever the order."""
    yield from outcome["check"]
    for aggregate in outcome["aggregates"]:
        expected = {} if aggregate["erased"] else fold(aggregate["events"], outcome["folds"], outcome["upcasts"])
        if aggregate["state"] != expected:
            yield f"{aggregate['key']}: state {aggregate['state']}, the fold is {expected}"
        if aggregate["erased"] and aggregate["said"]:
            yield f"{aggregate['key']}: erased, and {aggregate['said']} events can still be read"
        if len(aggregate["events"] or []) != aggregate["sequence"]:
            yield f"{aggregate['key']}: {len(aggregate['events'] or [])} events were written, the version is {aggregate['sequence']}"
        custom = [kind for kind in aggregate["compacted"] or [] if outcome["folds"].get(kind) == "custom"]
        if custom and not aggregate["erased"] and max(aggregate["saved"] or [0]) < aggregate["base"]:
            yield f"{aggregate['key']}: custom events were compacted that no application snapshot covers"


def run(chosen):
    """The text that isolationtester printed for each permutation."""
    database = new_database()
    connection = Connection(database, None)
    connection.rows(RECORD + (HERE / "store.sql").read_text())
    connection.rows(f"ALTER DATABASE {connection.value('SELECT current_database()')} SET search_path = evercore, public")
    connection.close()
    done = subprocess.run([tester(), database], input=specification(chosen).encode(), capture_output=True, check=False,
                          env={"PGISOLATIONTIMEOUT": "120"})
    if done.returncode:
        raise RuntimeError(f"isolationtester ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    return re.split(r"^starting permutation: .*$", done.stdout.decode(), flags=re.M)[1:]


def run_all(chosen):
    """The results by name; in several databases at once, since isolationtester waits a good deal."""
    parts = [chosen[start::PARTS] for start in range(min(PARTS, len(chosen)))]
    results = {}

    def work(part):
        results.update({name: Result(text) for (name, _), text in zip(part, run(part), strict=True)})

    try:
        new_database()  # the template, before there are several threads
        together(*[lambda part=part: work(part) for part in parts])
    finally:
        drop_databases()
    return results


class Result:
    """What one permutation said: its errors, in order, and the store afterwards."""

    def __init__(self, text):
        self.text = text
        self.errors = [message[:5] if message.startswith("EV") else message for message in ERROR.findall(text)]
        self.outcome = json.loads(re.search(r"^ *(\{\"check\".*\})\s*$", text, re.M).group(1))

    def same(self, other):
        return sorted(self.errors) == sorted(other.errors) and self.outcome == other.outcome


SERIAL = "could not serialize access due to concurrent update"


def wrong(name, result, results):
    """Why a permutation did not come out right, or None."""
    if any("deadlock" in error for error in result.errors):
        return "deadlock"
    problems = list(faults(result.outcome))
    if problems:
        return "; ".join(problems)
    kind, *calls = name.split()
    if kind == "alone":
        return None if not result.errors or calls[0].endswith("_taken") else f"refused: {result.errors}"
    a, b = calls
    if strange := [error for error in result.errors if not error.startswith("EV") and not (kind == "stale" and error == SERIAL)]:
        return f"an error of the server's: {strange}"
    if kind == "open" and not any(result.same(results[f"serial {x} {y}"]) for x, y in ((a, b), (b, a))):
        return "the outcome is that of neither serial order"
    if kind == "undone":
        alone, errors = results[f"alone {b}"], results[f"alone {a}"].errors + results[f"alone {b}"].errors
        if result.outcome != alone.outcome or sorted(result.errors) != sorted(errors):
            return "the outcome is not that of the second alone"
    if kind == "stale" and not any(result.same(results[f"serial {x} {y}"]) for x, y in ((b, a), (a, b))):
        alone = results[f"alone {b}"]
        if result.outcome != alone.outcome or not set(result.errors) - set(alone.errors) <= {SERIAL, "EV010"}:
            return "the outcome is neither that of a serial order nor of the second alone"
    return None


def main():
    words = sys.argv[1:]
    everything = list(permutations())
    wanted = [name for name, _ in everything if all(word in name for word in words)]
    needed = set(wanted)
    for name in wanted:
        kind, *calls = name.split()
        if len(calls) == 2:
            a, b = calls
            needed |= {f"serial {a} {b}", f"serial {b} {a}"} if kind in ("open", "stale") else set()
            needed |= {f"alone {a}", f"alone {b}"}
    chosen = [(name, steps) for name, steps in everything if name in needed]
    results = run_all(chosen)
    failed = 0
    for name in wanted:
        if fault := wrong(name, results[name], results):
            failed += 1
            print(f"FAILED {name}: {fault}\n{results[name].text}", flush=True)
    print(f"{len(wanted) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not wanted else 0)


main()
