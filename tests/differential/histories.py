"""Random calls on both engines and on the model: every answer must be the model's, and so must what is left at the end.

A history is a list of (name of a call, arguments) in the model's words, so that it can be cut and run again.
"""

import bisect
import json
import re
from datetime import datetime, timezone

import fold
import stores
from calls import CALLS, LAST, TURNS, Arguments, spelled_appends
from fault import Fault
from model import Model

NUMBERS = re.compile(r"(aggregate|token|position|range:) (\d+)")
KIND_OF = {"aggregate": "a", "token": "t", "position": "p", "range:": "p"}


class Names:
    """What one engine calls the model's aggregates, positions and tokens: they may leave numbers out, the model does not."""

    def __init__(self):
        self.known = {"a": [], "p": []}  # and the tokens of each subscription, by its name

    def of(self, kind, title):
        return self.known.get(kind) if kind != "t" else self.known.setdefault(("t", title), [])

    def to_engine(self, kind, value, title=None):
        if kind == "M":
            return spelled_appends(value, self)
        if kind == "j":
            return None if value is None else json.dumps(value)
        if kind == "S":
            return value and re.sub(r"\d+$", lambda found: str(self.to_engine("p", int(found[0]))), value)
        known = self.of(kind, title)
        if not known or value is None or value < 1:
            return value
        return known[value - 1] if value <= len(known) else value + known[-1] - len(known)

    def to_model(self, kind, value, title=None):
        if value is None:
            return None
        if kind in "apt":
            known, value = self.of(kind, title), int(value)
            beyond = value - known[-1] if known else value
            return len(known) + beyond if beyond > 0 else bisect.bisect_right(known, value)
        if kind == "n":
            return int(value)
        if kind == "b":
            return value in (1, "t")
        if kind == "J":
            return fold.parse(value)
        if kind == "A":
            return [tuple(self.to_model(k, answer[n]) for k, n in (("a", "aggregate_id"), ("n", "sequence"), ("p", "position")))
                    for answer in json.loads(value)]
        if kind == "m":
            return datetime.fromisoformat(value).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return value

    def message(self, text):
        """What it says in the model's words. An aggregate that the refused call itself made has no name."""
        title = re.search(r'subscription "(.*)"', text)
        made = re.match(r"EV001: conflict: aggregate (\d+)", text)
        if made and int(made[1]) > (self.known["a"] or [0])[-1]:
            return text.replace(f"aggregate {made[1]}", "aggregate new", 1)
        return NUMBERS.sub(lambda found: f"{found[1]} {self.to_model(KIND_OF[found[1]], found[2], title and title[1])}", text)


class Side:
    """One engine in a store of its own, driven in the model's words."""

    def __init__(self, store):
        self.store = store
        self.names = Names()
        self.inside = False
        self.script = []

    def turn(self, word):
        self.script.append(word)
        if self.store.name == "sqlite" and word == "BEGIN":
            word = "BEGIN IMMEDIATE"
        self.store.rows(word)
        self.inside = word not in ("COMMIT", "ROLLBACK")

    def ask(self, call, arguments):
        """("rows", rows) or ("fault", code, message). Where an error aborts the transaction, a savepoint keeps it."""
        sql, bound = call.spell(self.names, arguments)
        self.script.append(pasted(sql, bound))
        guarded = self.inside and self.store.name == "postgres"
        if guarded:
            self.store.rows("SAVEPOINT call")
        try:
            rows = self.store.rows(sql, *bound)
        except stores.Refused as refused:
            if guarded:
                self.store.rows("ROLLBACK TO call; RELEASE call")
            return "fault", refused.code, self.names.message(refused.message)
        if guarded:
            self.store.rows("RELEASE call")
        return "rows", rows

    def translate(self, call, arguments, answer):
        """Rows in the model's words, once what the call made has got its names."""
        if answer[0] == "fault":
            return answer
        return "rows", [tuple(self.names.to_model(kind, value, arguments[0] if arguments else row[0])
                              for kind, value in zip(call.columns, row)) for row in answer[1]]

    def learn(self, model, call, arguments, answer):
        """Names what the call made."""
        known = self.names.known
        for kind, most, relation in (("p", len(model.events), "position FROM evercore_log WHERE position"),
                                     ("a", len(model.aggregates), "aggregate_id FROM evercore_aggregates WHERE aggregate_id")):
            if len(known[kind]) < most:
                newest = known[kind][-1] if known[kind] else 0
                known[kind] += [int(row[0]) for row in self.store.rows(f"SELECT {relation} > $1 ORDER BY 1", newest)]
        if call.columns == "t" and answer[0] == "rows" and answer[1][0][0] is not None:
            self.names.of("t", arguments[0]).append(int(answer[1][0][0]))

    def forget(self, model):
        """What a rollback undid has no names any more."""
        most = {"p": len(model.events), "a": len(model.aggregates)}
        for kind, names in self.names.known.items():
            del names[most[kind] if kind in most else model.tokens.get(kind[1], 0) :]


def pasted(sql, bound):
    """A call as it can be pasted into a shell."""
    def literal(found):
        value = bound[int(found[1]) - 1]
        return "NULL" if value is None else str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"
    return re.sub(r"\$(\d+)", literal, sql)


class Run:
    """One history on both engines and the model."""

    def __init__(self, without=()):
        self.without = without
        self.model = Model()
        self.model.lax = "kept" in without
        self.sides = [Side(store) for store in stores.both()]

    def close(self):
        for side in self.sides:
            side.store.close()

    def step(self, name, arguments):
        """What is wrong after one more call, or None."""
        if name in TURNS:
            return self.turn(name)
        call = CALLS[name]
        expected = expectation(self.model, call, arguments)
        for side in self.sides:
            answer = side.ask(call, arguments)
            if expected[0] == "rows":
                side.learn(self.model, call, arguments, answer)
            actual = side.translate(call, arguments, answer)
            if not same(expected, actual, self.may_differ(name, arguments)):
                return f"{side.store.name}: {name}{arguments}\n  expected {expected}\n  answered {actual}"
        return None

    def may_differ(self, name, arguments):
        """Whether another fault than the model's may be named: where several rows of an INSERT are at fault."""
        several = name == "insert" and len(arguments[0]) > 1
        return several or "order" in self.without and name in ("append", "insert", "append_many")

    def turn(self, word):
        inside = bool(self.model.savepoints)
        if inside == (word == "BEGIN") or word == "ROLLBACK TO" and len(self.model.savepoints) == 1:
            return None  # it would be an error of the engine
        if word in ("BEGIN", "SAVEPOINT"):
            self.model.begin()
        elif word == "ROLLBACK TO":
            self.model.restore(self.model.savepoints[-1])
        elif word == "ROLLBACK":
            self.model.rollback()
        else:
            self.model.commit()
        if word in ("SAVEPOINT", "ROLLBACK TO"):
            word = f"{word} level{len(self.model.savepoints)}"
        for side in self.sides:
            side.turn(word)
            side.forget(self.model)
        return None

    def last(self):
        """What is left, asked when all is over."""
        asked = [(name, ()) for name in LAST if name != "follow"] + [("follow", (None, None))]
        for aggregate in self.model.aggregates:
            asked += [("state", (aggregate.id, None)), ("history", (aggregate.id,))]
        faults = (self.step(name, arguments) for name, arguments in [("COMMIT", ()), *asked])
        return next((fault for fault in faults if fault), None)


def expectation(model, call, arguments):
    try:
        answer = model.attempt(call.answer, arguments)
    except Fault as fault:
        return "fault", fault.code, fault.messages
    if not call.columns:
        return "rows", []
    return "rows", answer if isinstance(answer, list) and call.columns != "A" else [(answer,)]


def same(expected, actual, may_differ=False):
    if expected[0] == "fault":
        return actual[0] == "fault" and may_differ or actual[0] == "fault" and actual[1] == expected[1] and actual[2] in expected[2]
    return actual[0] == "rows" and actual[1] == expected[1]


def key(fault):
    """What makes two faults the same, to one who makes a history smaller: who, which call, which codes."""
    return fault and (fault.split("(")[0], re.findall(r"'fault', '(\w+)'", fault))


def made(seed, about, length, without):
    """A history from a seed, made while the model follows it; with it the first fault, and the script of the engine at fault."""
    arguments = Arguments(seed, about, without)
    column = 1 if about == "fold" else 0
    names = {**{name: call.weights for name, call in CALLS.items()}, **TURNS}
    weights = [weight[column] for weight in names.values()]
    history, run, fault = [], Run(without), None
    try:
        while len(history) < length and not fault:
            name = arguments.random.choices(list(names), weights)[0]
            history.append((name, CALLS[name].make(arguments, run.model) if name in CALLS else ()))
            fault = run.step(*history[-1])
        return history, fault or run.last()
    finally:
        run.close()


def replayed(history, without=()):
    """The first fault of a history that is run again, and the script that leads to it."""
    run = Run(without)
    try:
        faults = (run.step(name, arguments) for name, arguments in history)
        fault = next((fault for fault in faults if fault), None) or run.last()
        at_fault = next((side for side in run.sides if fault and fault.startswith(side.store.name)), run.sides[0])
        return fault, at_fault.script
    finally:
        run.close()
