"""Schemas of states, with rules, upcasts and schemas of data beside them, on both engines: random declarations, which both must take or refuse
in the same words, and random events, of which each must be taken by both or refused by both with the same fault, and leave the same state."""

import json
import random
import sys
from pathlib import Path

import stores  # finds the folder of random_rules
sys.path.append(str(Path(__file__).resolve().parents[1] / "json_schema"))
import by_rules
import by_upcasts
import chance
import random_rules

# What a state comes to by sums: each bound and value is next to another of these.
EDGES = ["9223372036854775807", "-9223372036854775808", "9007199254740993", "9007199254740992", "1e308", "-1e308", "0.1", "0.2", "-0", "1e-400", "3", "-3"]


class Maker:
    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.schemas = chance.Maker(seed)
        self.upcasts = by_upcasts.Maker(seed)

    def bounds(self):
        """Of what sums make of it."""
        keyword = self.dice.choice(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "const"])
        member = self.dice.choice([f'"type":{json.dumps(self.dice.choice(["integer", "number", ["integer", "null"]]))}', f'"{keyword}":{self.dice.choice([*EDGES, "0.30000000000000004"])}',
                                   f'"not":{{"{keyword}":{self.dice.choice(EDGES)}}}'])
        return f'{{"properties":{{"{self.dice.choice(["a", "b", "sum"])}":{{{member}}}}}}}'

    def schema(self):
        return self.bounds() if self.dice.random() < 0.5 else self.schemas.schema(2, at_root=True)

    def fold(self):
        adds = json.dumps([{self.dice.choice(["add", "subtract"]): {"/" + self.dice.choice(["a", "b", "sum"]): "/" + self.dice.choice(["a", "b"])}}])
        return self.dice.choice(["merge", "patch", adds, adds, random_rules.random_rules(self.dice)])

    def options(self):
        members = []
        if self.dice.random() < 0.5:
            members.append('"upcast":' + self.upcasts.text(self.upcasts.declaration()))
        if self.dice.random() < 0.2:
            members.append('"schema":' + self.schema())
        return "{" + ",".join(members) + "}"

    def data(self):
        numbers = ",".join(f'"{name}":{self.dice.choice(EDGES)}' for name in self.dice.sample(["a", "b"], self.dice.randint(1, 2)))
        return self.dice.choice([lambda: "{" + numbers + "}", lambda: "{" + numbers + "}", lambda: self.schemas.document(2),
                                 lambda: random_rules.random_data(self.dice), self.upcasts.document])()


class Engines(stores.Engines):
    def said(self, sql, *parameters):
        """What both engines say, or raises the difference."""
        answers = []
        for engine in self.both:
            try:
                answers.append(str(engine.value(sql, *parameters)))
            except stores.Refused as refused:
                answers.append(refused.message)
        if answers[0] != answers[1]:
            raise AssertionError(f"{sql} {parameters}: {answers}")
        return answers[0]

    def fault(self, seed):
        """The first difference in the declarations and the history of one aggregate, or None."""
        maker, kind = Maker(seed), f"T {seed}"
        types = [f"{name} {seed}" for name in "xyz"]
        try:
            for name in types:
                self.said("SELECT evercore_event_type($1, $2, $3)", name, maker.fold(), maker.options())
            self.said("SELECT evercore_aggregate_type($1, $2)", kind, '{"schema":' + maker.schema() + "}")
            key = self.said("SELECT evercore_ensure($1, 'k')", kind)
            for number in range(12):
                if number == 8:
                    # As it stands the next append has to be right by this one.
                    self.said("SELECT evercore_aggregate_type($1, $2)", kind, '{"schema":' + maker.schema() + "}")
                if number == 10:
                    self.said("SELECT evercore_event_type($1, $2, $3)", types[0], maker.fold(), maker.options())
                self.said(f"SELECT evercore_append({key}, NULL, $1, $2, NULL, NULL, '{by_rules.WHEN}')", maker.dice.choice(types), maker.data())
                states = [by_rules.read(engine.value(f"SELECT evercore_state({key})")) for engine in self.both]
                if states[0] != states[1]:
                    return f"{seed}: state {number}: {states}"
            for engine in self.both:
                if problems := engine.rows("SELECT * FROM evercore_check()") if maker.dice.random() < 0.05 else []:
                    return f"{engine.name}: {problems}"
        except AssertionError as different:
            return str(different)
        return None
