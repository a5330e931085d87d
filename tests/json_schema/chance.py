"""Schemas and documents by chance, from a seed: both engines have to say the same of each."""

import json
import random

from question import Question

NAMES = ["a", "b", "c", "d", "", "a/b", "~", "\u00e9", "\uffff", "\U0001f600"]
NUMBERS = """0 -0 1 -1 2 3 100 1e2 100.0 1.5e1 0.1 0.5 -0.5 0.30000000000000004 0.3 1.00000000000000000001 9007199254740992 9007199254740993
    9007199254740993.0 9007199254740992.5 9223372036854775807 -9223372036854775808 9223372036854775807.0 9223372036854775808.0
    -9223372036854775809.0 1e19 1e308 -1e308 1e-400 5e-324""".split()
TEXTS = ["", "a", "ab", "abc", "\u00e9\u0301", "\U0001f600", "\\u0061", "\\ud83d\\ude00b", "2024-02-29", "2023-02-29", "2024-02-29T23:59:60Z",
         "2024-02-29T12:00:00.5+01:00", "2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2eb8aa08"]
TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]
COUNTS = ["minProperties", "maxProperties", "minItems", "maxItems", "minLength", "maxLength", "minContains", "maxContains"]
BOUNDS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]
WRONG = ['{"type":"text"}', '{"pattern":"x"}', '{"minItems":-1}', '{"minimum":"1"}', '{"required":["a","a"]}', '{"$ref":"#"}', '{"allOf":[]}', "7",
         '{"$ref":"#/$defs/none"}', '{"format":"time"}', '{"$id":"x"}', '{"items":[]}', '{"enum":1}', '{"type":["null","null"]}']


class Maker:
    def __init__(self, seed):
        self.chance = random.Random(seed)

    def pick(self, *choices):
        return self.chance.choice(choices)

    def some(self, items, most):
        return self.chance.sample(items, self.chance.randint(0, most))

    @staticmethod
    def object(members):
        return "{" + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{value}" for name, value in members) + "}"

    def value(self, depth):
        kind = self.chance.randint(0, 9 if depth > 0 else 6)
        if kind < 2:
            return self.pick("null", "true", "false")
        if kind < 5:
            return self.pick(*NUMBERS)
        if kind < 7:
            return '"' + self.pick(*TEXTS) + '"'
        if kind < 8:
            return "[" + ",".join(self.value(depth - 1) for _ in range(self.chance.randint(0, 4))) + "]"
        return self.document(depth - 1)

    def document(self, depth):
        return self.object((name, self.value(depth)) for name in self.some(NAMES, 4))

    def schema(self, depth, at_root=False):
        if not at_root and self.chance.random() < 0.1:
            return self.pick("true", "false", "true", "false", self.pick(*WRONG))
        members = {}
        for _ in range(self.chance.randint(1, 4)):
            keyword, value = self.keyword(depth)
            members[keyword] = value
        if at_root:
            members["$defs"] = self.object((name, self.schema(1)) for name in ["x", "y"])
        return self.object(members.items())

    def schemas(self, depth):
        return "[" + ",".join(self.schema(depth) for _ in range(self.chance.randint(1, 3))) + "]"

    def keyword(self, depth):
        kind = self.chance.randint(0, 19 if depth > 0 else 7)
        if kind == 0:
            return "type", self.pick(json.dumps(self.pick(*TYPES)), json.dumps(self.chance.sample(TYPES, 3)))
        if kind == 1:
            return "enum", "[" + ",".join(self.value(2) for _ in range(self.chance.randint(0, 4))) + "]"
        if kind == 2:
            return "const", self.value(2)
        if kind == 3:
            return self.pick(*COUNTS), self.pick("0", "1", "2", "2.0", "3")
        if kind == 4:
            return self.pick(*BOUNDS), self.pick(*NUMBERS)
        if kind == 5:
            return self.pick("uniqueItems", "deprecated"), self.pick("true", "true", "false")
        if kind == 6:
            return "format", self.pick('"date"', '"date-time"', '"uuid"')
        if kind == 7:
            return "required", json.dumps(self.some(NAMES, 2))
        if kind < 11:
            return "properties", self.object((name, self.schema(depth - 1)) for name in self.some(NAMES, 4))
        if kind == 11:
            return self.pick("additionalProperties", "propertyNames", "not"), self.schema(depth - 1)
        if kind < 14:
            return self.pick("items", "contains"), self.schema(depth - 1)
        if kind == 14:
            return self.pick("if", "then", "else"), self.schema(depth - 1)
        if kind < 17:
            return self.pick("allOf", "anyOf", "oneOf", "prefixItems"), self.schemas(depth - 1)
        if kind == 17:
            return "$ref", self.pick('"#"', '"#/$defs/x"', '"#/$defs/y"')
        if kind == 18:
            return "dependentRequired", self.object((name, json.dumps(self.some(NAMES, 2))) for name in self.some(NAMES, 2))
        return "dependentSchemas", self.object((name, self.schema(depth - 1)) for name in self.some(NAMES, 2))


def questions(count, seed):
    maker = Maker(seed)
    for number in range(count):
        schema, document = maker.schema(3, at_root=True), maker.document(3)
        yield Question(f"{number} of seed {seed}", schema, document, "")
