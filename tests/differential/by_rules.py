"""Folds by rules on both engines beside the same told in Python (tests/postgres/rules.py): random rules, histories, and
declarations with a fault, which both must refuse in the same words."""

import json
import random
from decimal import Decimal

import stores  # finds the folder of the next two
import random_rules
import rules

WHEN, FIELD_TIME = "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"
SPOILT = ["/a", "a", "/a~", "/a~2", "/{/a", "/{a}", "/{/a}b}", "{/a}", "//", "", "/{}"]


def told(value):
    """A value whose numbers are told from true and false."""
    if isinstance(value, dict):
        return {key: told(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [told(inner) for inner in value]
    return ("number", Decimal(value)) if rules.is_number(value) else value


def read(text):
    return told(rules.parsed(text))


def spoilt(dice):
    """Rules as text, mostly with a fault."""
    source = lambda: dice.choice([json.dumps(dice.choice(SPOILT)), "1", "null", "{}", '{"value":1}', '{"value":1,"field":"sequence"}', '{"field":"x"}',
                                  '{"field":"sequence"}', '{"field":7}'])
    body = lambda: dice.choice(["{" + ",".join(f"{json.dumps(t)}:{source()}" for t in dice.sample(SPOILT, dice.randint(0, 2))) + "}",
                                "[" + ",".join(dice.choice([json.dumps(dice.choice(SPOILT)), "1"]) for _ in range(dice.randint(0, 3))) + "]", source()])
    member = lambda: json.dumps(dice.choice(["set", "add", "subtract", "append", "remove", "merge", "patch", "Set", "a/b~"])) + ":" + body()
    one = lambda: dice.choice(["{" + member() + "}"] * 8 + ["{}", "1", "{" + member() + "," + member() + "}"])
    return "[" + ",".join(one() for _ in range(dice.randint(0, 3))) + "]"


class Engines(stores.Engines):
    def fault(self, seed):
        """The first difference in one history and one declaration, or None."""
        dice = random.Random(seed)
        folds = {"merge": "merge", "patch": "patch", **{f"r{i}": random_rules.random_rules(dice) for i in range(2)}}
        events = [(dice.choice(list(folds)), random_rules.random_data(dice), dice.choice([None, "why"])) for _ in range(dice.choice([4, 12, 30]))]
        snapshots = set(dice.sample(range(1, len(events)), 2))
        wanted = self.model(seed, folds, events)
        for engine in self.both:
            if fault := self.difference(engine, seed, folds, events, snapshots, wanted):
                return f"{engine.name}: {fault}: {folds}, {events}"
        return self.words(spoilt(dice))

    @staticmethod
    def model(seed, folds, events):
        state, states = {}, [{}]
        for sequence, (name, data, reference) in enumerate(events, 1):
            given = [{folds[name]: ""}] if folds[name] in ("merge", "patch") else rules.parsed(folds[name])
            fields = {"event_time": FIELD_TIME, "event_type": f"{name} {seed}", "reference": reference, "sequence": sequence}
            state = rules.step(state, given, rules.parsed(data), fields)
            states.append(told(state))
        return states

    @staticmethod
    def difference(engine, seed, folds, events, snapshots, wanted):
        for name, fold in folds.items():
            engine.rows("SELECT evercore_event_type($1, $2)", f"{name} {seed}", fold)
        ids = [int(engine.value("SELECT evercore_create('T')")) for _ in range(2)]
        for sequence, (name, data, reference) in enumerate(events, 1):
            for aggregate in ids:
                engine.rows(f"SELECT evercore_append({aggregate}, NULL, $1, $2, $3, NULL, '{WHEN}')", f"{name} {seed}", data, reference)
            if sequence in snapshots:
                engine.rows(f"SELECT evercore_snapshot({ids[1]})")
        for aggregate in ids:
            for sequence, state in enumerate(wanted):
                if read(engine.value(f"SELECT evercore_state({aggregate}, {sequence})")) != state:
                    return f"state at {sequence}"
            if [read(row[0]) for row in engine.rows(f"SELECT state FROM evercore_history({aggregate}) ORDER BY sequence")] != wanted[1:]:
                return "history"
        texts = {engine.value(f"SELECT evercore_state({aggregate})") for aggregate in ids}  # jsonb spells some numbers anew
        return None if len(texts) == 1 or engine.name == "postgres" else f"by a snapshot another text: {texts}"

    def words(self, declaration):
        said = []
        for engine in self.both:
            try:
                engine.rows("SELECT evercore_event_type('Spoilt', $1)", declaration)
                said.append("declared")
            except stores.Refused as refused:
                said.append(refused.message)
        return None if said[0] == said[1] else f"{declaration}: {said}"
