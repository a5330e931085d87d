"""The calls of the surface as a table: how each is spelled, what it takes and gives, and which part of the model answers it.

A new capability joins by an entry, with a method of the model. The kinds of arguments and columns are letters:
  a aggregate id   p position   t token   S a start   j JSON as a Python value   J JSON that the engine computed
  M the appends of append_many   A its answer   n number   s text   m time   b boolean
"""

import json
import random

from model import Model

TYPES, KEYS, EVENT_TYPES, NAMES = ["T", "U"], ["a", "b", "c", "é", "\U0001f600"], ["M", "P", "C", "N"], ["r", "s"]
MEMBERS = ["a", "b", "c", "d"]
SCALARS = ["0", "1", "-0", "1.0", "1e2", "0.5", "9223372036854775807", "-9223372036854775808", "1e300", "1e19", "5e-324", "null", "null", "true",
           "false", '""', '"x"', '"\\u00e9"', '"\\ud83d\\ude00"', "[]", "[null,{\"a\":null}]", "{}"]
ILLEGAL = ["[1]", "{", '{"a":1,"a":2}', '{"a":"\\u0000"}', '{"a":"\\ud800"}', '{"a":9223372036854775808}', '{"a":1e400}', ""]
UNKNOWN = 10**12
FOLD = "fold"  # histories that are about states; others are about the whole surface
LOG = "position, aggregate_id, aggregate_type, natural_key, sequence, event_type, data, reference, metadata, event_time, event_id"
LOG_KINDS = "passnssssms"


class Arguments:
    """Makes arguments from a seed, most of them right."""

    def __init__(self, seed, about, without=()):
        self.random = random.Random(seed)
        self.about = about
        self.without = without
        self.clock = 0

    def pick(self, *values):
        return self.random.choice(values)

    def chance(self, of):
        return self.random.random() < of

    def id(self, model):
        if self.chance(0.02) or not model.aggregates:
            return self.pick(None, UNKNOWN)
        return self.random.randint(1, len(model.aggregates))

    def type(self):
        return self.pick(*TYPES) if not self.chance(0.02) else self.pick("", "t" * 256, "none", None)

    def key(self):
        return self.pick(*KEYS) if not self.chance(0.02) else self.pick("", "é" * 255, "k" * 256, None)

    def time(self):
        """Mostly later than the last, sometimes not."""
        self.clock += 1
        minute = self.clock if self.chance(0.9) else self.random.randint(0, self.clock)
        return f"2026-01-{minute // 1440 + 1:02}T{minute // 60 % 24:02}:{minute % 60:02}:00Z"

    def value(self, depth):
        if depth > 0 and self.chance(0.4):
            return self.object(depth - 1)
        return self.pick(*SCALARS)

    def object(self, depth):
        keys = self.random.sample(MEMBERS, self.random.randint(0, 3))
        return "{" + ",".join(f'"{key}":{self.value(depth)}' for key in keys) + "}"

    def data(self):
        if self.about == FOLD and self.chance(0.1):
            keys = self.random.sample(range(400), 200)  # many members
            return "{" + ",".join(f'"k{key}":{self.value(1)}' for key in keys) + "}"
        if self.about == FOLD and self.chance(0.1):
            depth = self.pick(20, 100, 300, 511) if "deep" not in self.without else 100
            return '{"a":' * depth + self.object(0) + "}" * depth
        if self.about != FOLD and self.chance(0.02):
            return self.pick(*ILLEGAL)
        return self.object(self.pick(0, 1, 2, 3))

    def event(self):
        event = {"event_type": self.pick(*EVENT_TYPES), "data": self.data(), "event_time": self.time()}
        if self.chance(0.2):
            event["reference"] = self.pick("who", "", "r" * 1000)
        if self.chance(0.2):
            event["metadata"] = self.object(1)
        if self.chance(0.3) and self.about != FOLD:
            event["event_id"] = f"i{self.random.randint(1, 12)}"
            if self.chance(0.7):  # so that repeats are repeats
                event["data"], event["event_type"] = '{"a":1}', "M"
        if self.chance(0.02) and self.about != FOLD:
            event.update(self.pick({"event_type": ""}, {"event_type": "e" * 256}, {"event_type": None}, {"event_id": ""}, {"data": None},
                                   {"reference": "r" * 1001}, {"metadata": "[]"}))
        return event

    def expected(self, version):
        return version + self.pick(0, 0, 0, 0, 1, -1) if self.chance(0.4) else None

    def target(self, model):
        """Where an append of a batch goes, and the version there."""
        if self.chance(0.5):
            id = self.id(model)
            target = {"aggregate_id": id} if id else {"aggregate_type": "T", "natural_key": "a"}
        else:
            target = {"aggregate_type": self.pick(*TYPES), "natural_key": self.pick(*KEYS)}
            id = model.find(**{"type": target["aggregate_type"], "key": target["natural_key"]})
        return target, model.aggregates[id - 1].version if id and id <= len(model.aggregates) else 0

    def append(self, model):
        id = self.id(model)
        event = self.event()
        version = model.aggregates[id - 1].version if id and id <= len(model.aggregates) else 0
        columns = ("event_type", "data", "reference", "metadata", "event_time", "event_id")
        return id, self.expected(version), *(event.get(column) for column in columns)

    def appends(self, model):
        appends = []
        for _ in range(self.pick(1, 1, 2, 3)):
            target, version = self.target(model)
            appends.append({**target, "expected": self.expected(version), "events": [self.event() for _ in range(self.pick(1, 1, 2, 3, 7))]})
            if "skip" not in self.without and self.chance(0.3):
                appends[-1]["repeats"] = "skip"
        for event in (event for append in appends for event in append["events"]):
            if event["data"] in ("{", ""):  # it would break the array
                event["data"] = "[1]"
        return (appends,)

    def rows(self, model):
        rows = []
        for _ in range(self.pick(1, 2, 3)):
            target, version = self.target(model)
            event = self.event()
            if event.get("reference") == "":  # in a row it is a fault, not a reference
                del event["reference"]
            rows.append({**target, "expected": self.expected(version) if not rows else None, **event})
        return (rows,)

    def token(self, model, title):
        known = model.subscriptions.get(title)
        return known.token if known and known.token and not self.chance(0.1) else self.pick(1, UNKNOWN)

    def title(self):
        return self.pick(*NAMES) if not self.chance(0.03) else "nobody"

    def start(self, model):
        kept = self.pick("kept ", "") if "kept" not in self.without else ""
        return kept + self.pick("beginning", "end", f"{self.random.randint(0, len(model.events))}") if not self.chance(0.2) else None

    def filter(self):
        filter = {}
        if self.chance(0.6):
            filter["aggregate_type"] = self.pick(*TYPES)
            if self.chance(0.4):
                filter["natural_key"] = self.pick(*KEYS)
        if self.chance(0.4):
            filter["event_types"] = self.random.sample(EVENT_TYPES, 2)
        return filter or None

    def held(self, model):
        title = self.title()
        return title, self.token(model, title)

    def sequence(self, model, id):
        version = model.aggregates[id - 1].version if id and id <= len(model.aggregates) else 0
        return self.random.randint(-1 if self.chance(0.05) else 0, version + (1 if self.chance(0.05) else 0))

    def id_and_sequence(self, model):
        id = self.id(model)
        return id, self.sequence(model, id) if self.chance(0.7) else None

    def save_snapshot(self, model):
        id = self.id(model)
        return id, self.sequence(model, id), self.object(2), self.pick(1, 1, 2)


class Call:
    """`weights` are how often it comes in histories about the whole surface, and about folds."""

    def __init__(self, weights, sql, kinds, columns, make, answer):
        self.weights, self.sql, self.kinds, self.columns, self.make, self.answer = weights, sql, kinds, columns, make, answer

    def spell(self, names, arguments):
        """The SQL, and what is bound to it on one engine."""
        return self.sql, [names.to_engine(kind, value, arguments[0]) for kind, value in zip(self.kinds, arguments)]


class Insert(Call):
    COLUMNS = ("aggregate_id", "aggregate_type", "natural_key", "expected", "event_type", "data", "reference", "metadata", "event_time", "event_id")

    def spell(self, names, arguments):
        values, bound = [], []
        for row in arguments[0]:
            values.append("(" + ", ".join(f"${len(bound) + i + 1}" for i in range(len(self.COLUMNS))) + ")")
            bound += [names.to_engine("a" if column == "aggregate_id" else "s", row.get(column)) for column in self.COLUMNS]
        return f"INSERT INTO evercore_append ({', '.join(self.COLUMNS)}) VALUES {', '.join(values)}", bound


def spelled_appends(appends, names):
    """The JSON of append_many, data and metadata byte for byte: a third of them as strings that hold them."""
    spelled = []
    for append in appends:
        head = {key: value for key, value in append.items() if key != "events"}
        if head.get("aggregate_id") is not None:
            head["aggregate_id"] = names.to_engine("a", head["aggregate_id"])
        events = []
        for event in append["events"]:
            plain = json.dumps({key: value for key, value in event.items() if key not in ("data", "metadata")})[:-1]
            raw = "".join(f', "{key}": {event[key] if len(event[key]) % 3 else json.dumps(event[key])}' for key in ("data", "metadata") if event.get(key) is not None)
            events.append(plain + raw + "}")
        spelled.append(json.dumps(head)[:-1] + ', "events": [' + ", ".join(events) + "]}")
    return "[" + ", ".join(spelled) + "]"


def reads(function, columns=LOG):
    return f"SELECT {columns} FROM {function}"


CALLS = {
    "create": Call((3, 1), "SELECT evercore_create($1, $2)", "ss", "a", lambda g, m: (g.type(), g.pick(g.key(), None)), Model.create),
    "ensure": Call((3, 1), "SELECT evercore_ensure($1, $2)", "ss", "a", lambda g, m: (g.type(), g.key()), Model.ensure),
    "find": Call((1, 0), "SELECT evercore_find($1, $2)", "ss", "a", lambda g, m: (g.type(), g.key()), Model.find),
    "rekey": Call((2, 0), "SELECT evercore_rekey($1, $2)", "as", "a", lambda g, m: (g.id(m), g.key()), Model.rekey),
    "sequence": Call((2, 0), "SELECT evercore_sequence($1, $2)", "as", "n", lambda g, m: (g.id(m), g.pick(None, g.time(), g.time(), "soon")), Model.sequence),
    "erase": Call((1, 0), "SELECT evercore_erase($1)", "a", "n", lambda g, m: (g.id(m),), Model.erase),
    "append": Call((14, 10), "SELECT evercore_append($1, $2, $3, $4, $5, $6, $7, $8)", "assssssss", "n", Arguments.append, Model.append),
    "append_many": Call((10, 8), "SELECT evercore_append_many($1)", "M", "A", Arguments.appends, Model.append_many),
    "insert": Insert((10, 8), None, "", "", Arguments.rows, Model.insert),
    "log": Call((1, 0), reads("evercore_log ORDER BY position"), "", LOG_KINDS, lambda g, m: (), Model.log),
    "follow": Call((3, 0), reads("evercore_follow($1, $2)"), "pn", LOG_KINDS,
                   lambda g, m: (g.random.randint(0, len(m.events)) if "beyond" in g.without or not g.chance(0.05) else UNKNOWN, g.pick(None, None, 3, -1)),
                   Model.follow),
    "events": Call((2, 0), reads("evercore_events($1, $2, $3)"), "ann", LOG_KINDS,
                   lambda g, m: (*g.id_and_sequence(m), g.pick(None, 0, 2)), Model.aggregate_events),
    "replay": Call((3, 4), reads("evercore_replay($1, $2)", "sequence, event_type, data"), "an", "nsJ",
                   lambda g, m: (g.id(m), g.pick(None, None, 1, 2)), Model.replay),
    "state": Call((5, 10), "SELECT evercore_state($1, $2)", "an", "J", Arguments.id_and_sequence, Model.state),
    "history": Call((1, 3), reads("evercore_history($1) ORDER BY sequence", "sequence, event_type, event_time, reference, data, state"), "a",
                    "nsmssJ", lambda g, m: (g.id(m),), Model.history),
    "event_type": Call((3, 3), "SELECT evercore_event_type($1, $2)", "ss", "s",
                       lambda g, m: (g.pick(*EVENT_TYPES), g.pick("merge", "patch", "patch", "custom") if not g.chance(0.02) else "other"), Model.event_type),
    "snapshot": Call((2, 4), "SELECT evercore_snapshot($1)", "a", "n", lambda g, m: (g.id(m),), Model.snapshot),
    "save_snapshot": Call((2, 2), "SELECT evercore_save_snapshot($1, $2, $3, $4)", "annsn", "n", Arguments.save_snapshot, Model.save_snapshot),
    "snapshot_policy": Call((1, 1), "SELECT evercore_snapshot_policy($1, $2, $3)", "snn", "s",
                            lambda g, m: (g.type(), g.pick(0, 2, 3, 5, -1), g.pick(1, 2, 0)), Model.snapshot_policy),
    "compact": Call((3, 4), "SELECT evercore_compact($1, $2)", "an", "n", lambda g, m: (g.id(m), g.pick(None, 0, 1, 3, -1)), Model.compact),
    "compact_type": Call((1, 1), "SELECT evercore_compact_type($1, $2, $3)", "snn", "n",
                         lambda g, m: (g.pick(*TYPES, "none"), g.pick(None, 0, 2), g.pick(None, None, 1, 0)), Model.compact_type),
    "subscribe": Call((4, 0), "SELECT evercore_subscribe($1, $2, $3)", "sjS", "s", lambda g, m: (g.pick(*NAMES), g.filter(), g.start(m)), Model.subscribe),
    "reset": Call((1, 0), "SELECT evercore_reset($1, $2)", "sS", "s", lambda g, m: (g.title(), g.start(m) or "end"), Model.reset),
    "unsubscribe": Call((1, 0), "SELECT evercore_unsubscribe($1)", "s", "s", lambda g, m: (g.title(),), Model.unsubscribe),
    "pause": Call((1, 0), "SELECT evercore_pause($1)", "s", "s", lambda g, m: (g.title(),), lambda m, title: m.set_active(title, False)),
    "resume": Call((2, 0), "SELECT evercore_resume($1)", "s", "s", lambda g, m: (g.title(),), lambda m, title: m.set_active(title, True)),
    "claim": Call((4, 0), "SELECT evercore_claim($1, $2, 3600)", "ss", "t", lambda g, m: (g.title(), g.pick("w1", "w2")), Model.claim),
    "fetch": Call((5, 0), reads("evercore_fetch($1, $2, $3)"), "stn", LOG_KINDS, lambda g, m: (*g.held(m), g.pick(None, 1, 3, 0)), Model.fetch),
    "ack": Call((6, 0), "SELECT evercore_ack($1, $2, $3)", "stp", "p",
                lambda g, m: (*g.held(m), g.random.randint(0, m.safe) if not g.chance(0.03) else UNKNOWN), Model.ack),
    "renew": Call((1, 0), "SELECT evercore_renew($1, $2, 3600)", "st", "s", Arguments.held, Model.renew),
    "release": Call((2, 0), "SELECT evercore_release($1, $2, $3)", "sts", "s", lambda g, m: (*g.held(m), g.pick(None, "why")), Model.release),
    "aggregates": Call((1, 0), reads("evercore_aggregates ORDER BY aggregate_id",
                                     "aggregate_id, aggregate_type, natural_key, sequence, first_event_time, last_event_time, erased"), "", "assnmmb",
                       lambda g, m: (), Model.rows_of_aggregates),
    "subscriptions": Call((1, 0), reads("evercore_subscriptions ORDER BY name", "name, position, lag_events, owner, token, active, last_error"), "",
                          "spnstbs", lambda g, m: (), Model.rows_of_subscriptions),
    "stats": Call((1, 1), reads("evercore_stats() WHERE name IN ('aggregates', 'data_bytes', 'events', 'snapshots', 'subscriptions') ORDER BY name",
                                "name, value"), "", "sn", lambda g, m: (), Model.stats),
    "check": Call((0, 1), reads("evercore_check()", "aggregate_id, position, problem"), "", "aps", lambda g, m: (), lambda m: []),
}
# What ends a transaction is no call of the surface: histories.py runs it.
TURNS = {"BEGIN": (3, 2), "COMMIT": (4, 3), "ROLLBACK": (2, 1), "SAVEPOINT": (2, 1), "ROLLBACK TO": (2, 1)}
LAST = ("log", "follow", "aggregates", "subscriptions", "stats", "check")  # asked at the end of every history
