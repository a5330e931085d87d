"""Upcasts on both engines beside the same told in Python: random declarations, which both must take or refuse in the same words,
and random documents, which must become the same, byte for byte where nothing is to be done, and stay so when upcast again."""

import json
import random
from decimal import Decimal

import fold
import stores

NAMES = ["a", "b", "c", "d", "", "a/b", "~", "0", "\u00e9", '"']
NUMBERS = "0 -0 1 1.0 1e2 0.10 1.50e-3 12345678901234567890.5 -9223372036854775808 1e-400".split()
SCALARS = [*NUMBERS, "null", "null", "true", '"text"', '"\\u0061\\/"', '""']
MOST_DEPTH = 512


class Refusal(Exception):
    pass


def pointer(tokens):
    return "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in tokens)


def read(text):
    """With numbers as they are spelled."""
    spelled = lambda digits: ("number", digits)
    return json.loads(text, parse_int=spelled, parse_float=spelled)


def by_value(value):
    """With numbers by what they are: a state may spell them anew."""
    if isinstance(value, dict):
        return {name: by_value(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [by_value(inner) for inner in value]
    return ("number", Decimal(value[1])) if isinstance(value, tuple) else value


def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max((depth(each) for each in inner), default=0)


class Upcast:
    """A declaration as it is read: its entries as (kind, place, taken, written, value), pointers as tuples of names."""

    def __init__(self, operations):
        self.entries = []
        for number, (kind, body) in enumerate(operations):
            for index, entry in enumerate(body):
                self.entries.append(self.entry(kind, f"/{number}/{kind}", index, entry))
        for at, later in enumerate(self.entries):
            for earlier in self.entries[:at + 1]:
                if conflict(earlier, later):
                    raise Refusal(f"EV009: upcast: {later[1]}: conflicts with {'itself' if earlier is later else earlier[1]}")

    @staticmethod
    def entry(kind, place, index, entry):
        if kind == "remove":
            return kind, f"{place}/{index}", entry, None, None
        path, value = entry
        place += pointer([pointer(path)])
        if kind == "default":
            return kind, place, None, path, value
        return kind, place, path, path[:-1] + (value,) if kind == "rename" else value, None

    def __call__(self, data):
        """Changes the data; gives whether anything was done."""
        done = False
        for kind, _, taken, written, value in self.entries:
            if kind == "default":
                done = put(data, written, read(value)) or done
                continue
            holder = reach(data, taken[:-1])
            if not isinstance(holder, dict) or taken[-1] not in holder:
                continue
            if kind != "remove" and not has_room(data, written, holder[taken[-1]]):
                continue
            value = holder.pop(taken[-1])
            done = True
            if kind != "remove":
                put(data, written, value)
        return done


def conflict(a, b):
    """Between what one entry takes away or writes and what another does."""
    within = lambda x, y: x is not None and y is not None and (x[:len(y)] == y or y[:len(x)] == x)
    return within(a[2], b[3]) or within(b[2], a[3]) or within(a[3], b[3]) and a[3] != b[3]


def reach(data, path):
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data


def has_room(data, path, value):
    if len(path) + depth(value) > MOST_DEPTH:
        return False
    for name in path:
        if not isinstance(data, dict):
            return False
        if name not in data:
            return True
        data = data[name]
    return False


def put(data, path, value):
    if not has_room(data, path, value):
        return False
    for name in path[:-1]:
        data = data.setdefault(name, {})
    data[path[-1]] = value
    return True


class Maker:
    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.names = self.dice.sample(NAMES, self.dice.randint(3, 5))

    def path(self):
        return tuple(self.dice.choice(self.names) for _ in range(self.dice.choice([1, 1, 1, 2, 2, 3])))

    def value(self, levels, deepest=509):
        kind = self.dice.random()
        if levels == 0 or kind < 0.5:
            return self.dice.choice(SCALARS)
        if kind < 0.85:
            return self.object(levels, deepest)
        if kind < 0.86:
            return "[" * deepest + "]" * deepest
        return "[" + ",".join(self.value(levels - 1, deepest) for _ in range(self.dice.randint(0, 2))) + "]"

    def object(self, levels, deepest=509):
        blank = self.dice.choice(["", "", " "])
        members = self.dice.sample(self.names, self.dice.randint(0, len(self.names)))
        return "{" + blank + ("," + blank).join(f"{json.dumps(name)}:{blank}{self.value(levels - 1, deepest)}" for name in members) + "}"

    def document(self):
        while True:
            text = self.object(4)
            if depth(read(text)) <= MOST_DEPTH:
                return text

    def operation(self):
        kind = self.dice.choice(["rename", "rename", "move", "move", "default", "default", "remove"])
        paths = {self.path() for _ in range(self.dice.choice([0, 1, 1, 1, 2, 3]))}
        if kind == "remove":
            return kind, sorted(paths)
        value = {"rename": lambda: self.dice.choice(self.names), "move": self.path, "default": lambda: self.value(2, 500)}[kind]
        return kind, [(path, value()) for path in sorted(paths)]

    def declaration(self):
        """Its operations; mostly one that is taken."""
        for _ in range(20):
            operations = [self.operation() for _ in range(self.dice.randint(1, 4))]
            try:
                Upcast(operations)
                return operations
            except Refusal:
                if self.dice.random() < 0.15:
                    return operations
        return operations

    def text(self, operations):
        """As it is declared."""
        parts = []
        for kind, body in operations:
            if kind == "remove":
                parts.append(f'{{"remove":{json.dumps([pointer(path) for path in body])}}}')
                continue
            value = {"rename": json.dumps, "move": lambda path: json.dumps(pointer(path)), "default": str}[kind]
            members = ", ".join(f"{json.dumps(pointer(path), ensure_ascii=self.dice.random() < 0.5)}: {value(given)}" for path, given in body)
            parts.append(f'{{"{kind}": {{{members}}}}}')
        return "[" + ", ".join(parts) + "]"

    def spoilt(self):
        """A declaration that is mostly none."""
        dice = self.dice
        pointers = ["/a", "/b", "/a/b", "a", "/a~", "/~2", "//", "", "/~01", "/a~1b"]
        value = lambda: dice.choice([json.dumps(dice.choice(pointers)), json.dumps(dice.choice(pointers)), "1", "null", "{}", "[]"])
        body = lambda: dice.choice(["{" + ",".join(f"{json.dumps(one)}:{value()}" for one in dice.sample(pointers, dice.randint(0, 2))) + "}",
                                    "[" + ",".join(value() for _ in range(dice.randint(0, 3))) + "]", value()])
        member = lambda: json.dumps(dice.choice(["rename", "move", "default", "remove", "Move", "a/b~"])) + ":" + body()
        one = lambda: dice.choice(["{" + member() + "}"] * 8 + ["{}", "1", "{" + member() + "," + member() + "}"])
        return dice.choice(["[" + ",".join(one() for _ in range(dice.randint(0, 3))) + "]"] * 9 + [value()])


class Engines(stores.Engines):
    def fault(self, seed):
        """The first difference in one declaration, what it makes of documents and one that is spoilt, or None."""
        maker = Maker(seed)
        operations = maker.declaration()
        declaration = maker.text(operations)
        try:
            upcast, verdict = Upcast(operations), "declared"
        except Refusal as refused:
            upcast, verdict = None, str(refused)
        for engine in self.both:
            if (said := declared(engine, f"E {seed}", declaration)) != verdict:
                return f"{engine.name}: {declaration}: {said}, and not {verdict}"
        documents = [maker.document() for _ in range(12)] if upcast else []
        for engine in self.both:
            for document in documents:
                if fault := difference(engine, f"E {seed}", upcast, document):
                    return f"{engine.name}: {declaration}: {document}: {fault}"
            if fault := upcast and folded(engine, f"E {seed}", upcast, documents):
                return f"{engine.name}: {declaration}: {documents}: {fault}"
        spoilt = maker.spoilt()
        said = [declared(engine, "Spoilt", spoilt) for engine in self.both]
        return None if said[0] == said[1] else f"{spoilt}: {said}"


def declared(engine, name, upcast):
    try:
        engine.rows("SELECT evercore_event_type($1, NULL, $2)", name, f'{{"upcast":{upcast}}}')
        return "declared"
    except stores.Refused as refused:
        return refused.message


def difference(engine, name, upcast, document):
    wanted = read(document)
    changed = upcast(wanted)
    once = engine.value("SELECT evercore_upcast($1, $2)", name, document)
    if read(once) != wanted:
        return once
    if not changed and once != document:
        return f"is not left as it is: {once}"
    twice = engine.value("SELECT evercore_upcast($1, $2)", name, once)
    return None if twice == once else f"becomes {once}, and upcast again {twice}"


def folded(engine, name, upcast, documents):
    """Where the state of events with these data, or what replay gives, is not that of data upcast."""
    aggregate = int(engine.value("SELECT evercore_create('T')"))
    state, today = {}, []
    for document in documents:
        engine.rows(f"SELECT evercore_append({aggregate}, NULL, $1, $2)", name, document)
        data = read(document)
        upcast(data)
        today.append(data)
        state = fold.merge(state, data)
    if by_value(read(engine.value(f"SELECT evercore_state({aggregate})"))) != by_value(state):
        return "state"
    replayed = engine.rows(f"SELECT data FROM evercore_replay({aggregate}) WHERE event_type IS NOT NULL ORDER BY sequence")
    return None if [read(row[0]) for row in replayed] == today else "replay"
