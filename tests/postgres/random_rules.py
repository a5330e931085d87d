"""Random rules, and data that they find something in."""
import json

NUMBERS = ["0", "1", "-1", "7", "1e2", "100.0", "1.5e1", "0.1", "0.2", "-0.0", "9007199254740993", "9223372036854775807", "-9223372036854775808",
           "9.2e18", "1e19", "-1e19", "1e300", "1e308", "-1e308", "5e-324", "1e-400", "123456789.125", "4611686018427387904", "1e22", "1e23", "9.5e22", "-1e23", "9223372036854774784", "1.7976931348623157e308",
           "8.98846567431158e307"]
NAMES = ["a", "b", "c", "", "a/b", "m~n", "0", "1"]


def escaped(name):
    return "/" + name.replace("~", "~0").replace("/", "~1")


def random_value(dice, depth=0):
    """A JSON text."""
    kind = dice.randint(0, 9) if depth < 3 else dice.randint(0, 6)
    if kind < 4:
        return dice.choice(NUMBERS)
    if kind < 7:
        return dice.choice(['"a"', '"x/y"', '""', "null", "true"])
    if kind == 7:
        return "[" + ",".join(random_value(dice, depth + 1) for _ in range(dice.randint(0, 3))) + "]"
    return "{" + ",".join(f"{json.dumps(name)}:{random_value(dice, depth + 1)}" for name in dice.sample(NAMES, dice.randint(0, 4))) + "}"


def random_data(dice):
    return "{" + ",".join(f"{json.dumps(name)}:{random_value(dice, 1)}" for name in dice.sample(NAMES, dice.randint(0, 5))) + "}"


def random_pointer(dice, most=3):
    return "".join(escaped(dice.choice(NAMES)) for _ in range(dice.choice([1, 1, 2, most])))


def random_source(dice):
    kind = dice.randint(0, 9)
    if kind < 7:
        return json.dumps(dice.choice(["", random_pointer(dice), random_pointer(dice), random_pointer(dice), "/a/-"]))
    if kind < 9:
        return '{"value":' + random_value(dice) + "}"
    return '{"field":"%s"}' % dice.choice(["event_time", "event_type", "reference", "sequence"])


def random_target(dice):
    return "".join("/{" + dice.choice(["", random_pointer(dice, 2), random_pointer(dice, 1)]) + "}" if dice.random() < 0.25 else escaped(dice.choice(NAMES))
                   for _ in range(dice.choice([1, 1, 2, 3])))


def random_rules(dice):
    def operation():
        name = dice.choice(["set", "set", "add", "add", "subtract", "append", "remove", "merge", "patch"])
        if name in ("merge", "patch"):
            return json.dumps(name) + ":" + random_source(dice)
        targets = sorted({random_target(dice) for _ in range(dice.randint(0, 3))}, key=lambda _: dice.random())
        if name == "remove":
            return '"remove":' + json.dumps(targets)
        if name == "set" and dice.random() < 0.1:
            targets.append("")
        return json.dumps(name) + ":{" + ",".join(json.dumps(target) + ":" + random_source(dice) for target in targets) + "}"
    return "[" + ",".join("{" + operation() + "}" for _ in range(dice.randint(0, 5))) + "]"
