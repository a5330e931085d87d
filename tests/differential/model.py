"""The contract as a small model: what every call of the surface must answer, and what it leaves behind.

Aggregates, positions and tokens are counted here without holes; histories.py knows what each engine calls them. A call
looks at all that it may refuse before it changes anything, or is undone as a whole (`Model.attempt`).
"""

import pickle

import fold
from fault import Fault
from model_subscription import Subscriptions
from rule import Scan


class Aggregate:
    def __init__(self, id, type, key):
        self.id, self.type, self.key = id, type, key
        self.version = self.base = 0
        self.erased = False
        self.first_time = self.last_time = self.compacted_time = None
        self.snapshots = {None: {}}  # version (None: the engine's) → sequence → state
        self.compacted = {}  # event type → the newest position removed

    def take_snapshot(self, sequence, state):
        if sequence > 0:
            self.snapshots[None][sequence] = state

    def drop_engine_snapshots(self, keep):
        kept = sorted(self.snapshots[None])[-keep:] + [self.base]
        self.snapshots[None] = {at: state for at, state in self.snapshots[None].items() if at in kept}


class Event:
    def __init__(self, aggregate, sequence, position, new):
        self.aggregate, self.sequence, self.position = aggregate, sequence, position
        self.type, self.data, self.id, self.time = new["event_type"], new["data"], new.get("event_id"), new.get("event_time")
        self.reference, self.metadata = new.get("reference"), new.get("metadata")
        self.content = new["data"]  # what a repeat is compared with, whatever becomes of the data
        self.removed = False


class Model(Subscriptions):
    def __init__(self):
        self.aggregates, self.events, self.subscriptions = [], [], {}
        self.policies = {}  # aggregate type → (every, keep)
        self.folds = {}  # event type → fold
        self.tokens = {}  # subscription → how many were given
        self.safe = 0  # the position that followers may read to: what is committed
        self.savepoints = []
        self.lax = False  # whether a start below what was compacted is taken

    # Transactions. Everything is small: a copy of the whole is what a rollback goes back to.

    def copy(self):
        return pickle.dumps({name: value for name, value in vars(self).items() if name != "savepoints"})

    def restore(self, copy):
        vars(self).update(pickle.loads(copy))

    def begin(self):
        self.savepoints.append(self.copy())

    def commit(self):
        self.savepoints.clear()
        self.safe = len(self.events)

    def rollback(self):
        self.restore(self.savepoints[0])
        self.savepoints.clear()

    def attempt(self, answer, arguments):
        """The answer to a call, or its Fault with nothing changed."""
        before = self.copy()
        try:
            return answer(self, *arguments)
        except Fault:
            self.restore(before)
            raise
        finally:
            if not self.savepoints:
                self.safe = len(self.events)

    # Finding

    def known(self, id, open=False):
        if id is None:
            raise Fault(2, "aggregate id is NULL: evercore_find found none")
        if not 1 <= id <= len(self.aggregates):
            raise Fault(2, f"no aggregate {id}")
        aggregate = self.aggregates[id - 1]
        if open and aggregate.erased:
            raise Fault(2, f"aggregate {id} was erased")
        return aggregate

    def find(self, type, key):
        return next((a.id for a in self.aggregates if a.type == type and a.key == key is not None), None)

    def add(self, type, key):
        self.policies.setdefault(type, (0, 1))
        self.aggregates.append(Aggregate(len(self.aggregates) + 1, type, key))
        return self.aggregates[-1].id

    def create(self, type, key):
        name(type, "aggregate_type", 255)
        if key is not None:
            name(key, "natural_key", 255)
            if self.find(type, key):
                raise Fault(3, f'natural key "{key}" is taken in aggregate type "{type}"')
        return self.add(type, key)

    def ensure(self, type, key):
        name(type, "aggregate_type", 255)
        name(key, "natural_key", 255)
        return self.find(type, key) or self.add(type, key)

    def rekey(self, id, key):
        name(key, "natural_key", 255)
        aggregate = self.known(id, open=True)
        if self.find(aggregate.type, key) not in (None, id):
            raise Fault(3, f'natural key "{key}" is taken in aggregate type "{aggregate.type}"')
        aggregate.key = key
        return id

    def kept(self, aggregate, after=0):
        return [e for e in self.events if e.aggregate == aggregate.id and e.sequence > after and not e.removed]

    def sequence(self, id, time):
        if time == "soon":
            raise Fault(9, 'at_time is not a time: "soon": write YYYY-MM-DD[Thh:mm[:ss[.ffffff]][Z|+hh:mm]]')
        aggregate = self.known(id)
        if time is None:
            return aggregate.version
        found = [e.sequence for e in self.kept(aggregate) if e.time <= time]
        if found or aggregate.base == 0:
            return max(found, default=0)
        if time >= aggregate.compacted_time:
            return aggregate.base
        raise Fault(2, f"times before {aggregate.compacted_time[:-1]}.000000Z of aggregate {id} were compacted")

    def rows_of_aggregates(self):
        return [(a.id, a.type, a.key, a.version, a.first_time, a.last_time, a.erased) for a in self.aggregates]

    def erase(self, id):
        aggregate = self.known(id)
        if aggregate.erased:
            return 0
        self.require_read(aggregate, aggregate.version)
        for event in self.kept(aggregate):
            event.data, event.reference, event.metadata = "{}", None, None
        aggregate.key, aggregate.erased, aggregate.snapshots = None, True, {None: {}}
        return aggregate.version - aggregate.base

    # Append

    def append(self, id, expected, *event):
        new = dict(zip(("event_type", "data", "reference", "metadata", "event_time", "event_id"), event))
        check_append({"aggregate_id": 0, "expected": expected, "events": [new]})
        self.known(id, open=True)
        return self.append_many([{"aggregate_id": id, "expected": expected, "events": [new]}])[0][1]

    def insert(self, rows):
        columns = ("aggregate_id", "aggregate_type", "natural_key", "expected")
        self.append_many([{**{column: row.get(column) for column in columns}, "events": [row]} for row in rows])

    def append_many(self, appends):
        """Each append is a dict as evercore_append_many takes it. Faults come in the order of the contract: the events by
        themselves, the targets, the repeats, the versions."""
        for append in appends:
            check_append(append)
        there = len(self.aggregates)
        targets = [append.get("aggregate_id") or self.ensure(append["aggregate_type"], append["natural_key"]) for append in appends]
        for id in targets:
            self.known(id, open=True)
        self.check_repeats(appends, targets)
        return [self.write(self.aggregates[id - 1], append, id if id <= there else "new") for id, append in zip(targets, appends)]

    def check_repeats(self, appends, targets):
        """EV007 for an event_id that has other content, and for a mixture of repeats and new events."""
        by_id = {event.id: (event.aggregate, event.type, event.content) for event in self.events if event.id is not None}
        others, mixed, new = set(), set(), False
        for append, target in zip(appends, targets):
            for event in append["events"]:
                id, content = event.get("event_id"), (target, event["event_type"], event["data"])
                if id is None or id not in by_id:
                    new = True
                    by_id[id] = content
                elif by_id[id] != content:
                    others.add(id)
                elif not append.get("repeats"):
                    mixed.add(id)
        if others or new and mixed:
            raise Fault(7, *(f'event_id "{id}" exists with other content' for id in others),
                        *(f'event_id "{id}" exists: one call cannot mix repeats and new events' for id in mixed | others))

    def write(self, aggregate, append, name):
        """One append: its answer (aggregate, sequence, position) of its last event. A conflict calls the aggregate by `name`."""
        before, passed, last, expected = aggregate.version, 0, None, append.get("expected")
        for new in append["events"]:
            known = next((e for e in self.events if e.id is not None and e.id == new.get("event_id")), None)
            if known:
                passed, last = passed + 1, known
                continue
            if expected is not None and aggregate.version == before and before != expected + passed:
                raise Fault(1, f"conflict: aggregate {name} is at sequence {before}, expected {expected + passed}")
            aggregate.version += 1
            last = Event(aggregate.id, aggregate.version, len(self.events) + 1, new)
            self.events.append(last)
            self.folds.setdefault(new["event_type"], "merge")
            aggregate.first_time, aggregate.last_time = aggregate.first_time or last.time, last.time
        every, keep = self.policies[aggregate.type]
        if every and aggregate.version // every > before // every:
            aggregate.take_snapshot(aggregate.version, self.folded(aggregate, aggregate.version))
            aggregate.drop_engine_snapshots(keep)
        return aggregate.id, last.sequence, last.position

    # Read

    def log_row(self, event):
        aggregate = self.aggregates[event.aggregate - 1]
        return (event.position, event.aggregate, aggregate.type, aggregate.key, event.sequence, event.type, event.data, event.reference,
                event.metadata, event.time, event.id)

    def log(self):
        return [self.log_row(e) for e in self.events if not e.removed]

    def follow(self, after, limit):
        if limit is not None and limit < 0:
            raise Fault(9, f"limit is out of range: {limit}")
        if after is not None and after > len(self.events):
            raise Fault(9, f"after is out of range: {after}")
        return [self.log_row(e) for e in self.events if (after or 0) < e.position <= self.safe and not e.removed][:limit]

    def aggregate_events(self, id, after, limit):
        if id is None or not 1 <= id <= len(self.aggregates):
            return []
        return [self.log_row(e) for e in self.kept(self.aggregates[id - 1], after or 0)][:limit]

    def replay(self, id, version):
        aggregate = self.known(id)
        sequence, state = self.replay_base(aggregate, version)
        return [(sequence, None, state)] + [(e.sequence, e.type, fold.parse(e.data)) for e in self.kept(aggregate, sequence)]

    def replay_base(self, aggregate, version):
        if aggregate.erased:
            return aggregate.base, {}
        own = aggregate.snapshots.get(version, {})
        usable = [at for at in own if at >= aggregate.base]
        if usable:
            return max(usable), own[max(usable)]
        if aggregate.base and self.has_custom(aggregate.compacted):
            raise Fault(2, f"aggregate {aggregate.id} was compacted to sequence {aggregate.base} under an application snapshot of another version")
        return (aggregate.base, aggregate.snapshots[None][aggregate.base]) if aggregate.base else (0, {})

    def has_custom(self, types):
        return any(self.folds[type] == "custom" for type in types)

    def folded(self, aggregate, sequence):
        """From the base on, through every event: snapshots must never make a difference."""
        state = aggregate.snapshots[None].get(aggregate.base, {})
        for event in self.kept(aggregate):
            if event.sequence <= sequence:
                state = fold.step(self.folds[event.type], state, fold.parse(event.data))
        return state

    def state(self, id, sequence):
        aggregate = self.known(id)
        sequence = aggregate.version if sequence is None else sequence
        if sequence < 0:
            raise Fault(9, f"at_sequence is out of range: {sequence}")
        if sequence > aggregate.version:
            raise Fault(2, f"aggregate {id} has no sequence {sequence}: it is at {aggregate.version}")
        if sequence < aggregate.base:
            raise Fault(2, f"sequence {sequence} of aggregate {id} was compacted: the oldest that can be read is {aggregate.base}")
        return self.folded(aggregate, sequence)

    def history(self, id):
        if id is None or not 1 <= id <= len(self.aggregates):
            return []
        aggregate = self.aggregates[id - 1]
        return [(e.sequence, e.type, e.time, e.reference, e.data, self.folded(aggregate, e.sequence)) for e in self.kept(aggregate)]

    # Fold, snapshots, compaction

    def event_type(self, type, kind):
        name(type, "event_type", 255)
        if kind not in ("merge", "patch", "custom"):
            raise Fault(9, f'fold is not merge, patch, custom or rules: "{kind}"')
        if self.folds.setdefault(type, "merge") == kind:
            return type
        using = [a for a in self.aggregates if any(e.type == type for e in self.kept(a)) or type in a.compacted]
        held = [a.id for a in using if a.base and not a.erased]
        if held:
            raise Fault(10, f'event type "{type}" folded into compacted aggregate {held[0]}')
        for aggregate in using:
            aggregate.snapshots[None] = {}
        self.folds[type] = kind
        return type

    def snapshot(self, id):
        aggregate = self.known(id, open=True)
        aggregate.take_snapshot(aggregate.version, self.folded(aggregate, aggregate.version))
        return aggregate.version

    def save_snapshot(self, id, sequence, state, version):
        aggregate = self.known(id, open=True)
        if not 1 <= sequence <= aggregate.version:
            raise Fault(2, f"aggregate {id} has no sequence {sequence}: it is at {aggregate.version}")
        if sequence < aggregate.base:
            raise Fault(2, f"sequence {sequence} of aggregate {id} was compacted: the oldest that can be read is {aggregate.base}")
        aggregate.snapshots.setdefault(version, {})[sequence] = fold.parse(state)
        return sequence

    def snapshot_policy(self, type, every, keep):
        name(type, "aggregate_type", 255)
        if every < 0 or every and keep < 1:
            raise Fault(9, f"every is out of range: {every}" if every < 0 else f"keep is out of range: {keep}")
        self.policies[type] = (every, keep)
        return type

    def compact(self, id, keep):
        if keep is not None and keep < 0:
            raise Fault(9, f"keep_events is out of range: {keep}")
        return self.compact_one(self.known(id), keep)[0]

    def compact_one(self, aggregate, keep):
        """How many events went, and whether anything did."""
        base = aggregate.base if keep is None else max(aggregate.version - keep, aggregate.base)
        removed = [e for e in self.kept(aggregate) if e.sequence <= base]
        if removed:
            self.require_cover(aggregate, removed)
            self.require_read(aggregate, base)
            if not aggregate.erased:
                aggregate.take_snapshot(base, self.folded(aggregate, base))
            for event in removed:
                event.removed = True
                aggregate.compacted[event.type] = max(event.position, aggregate.compacted.get(event.type, 0))
            aggregate.compacted_time = max([e.time for e in removed] + [aggregate.compacted_time or ""])
            aggregate.base = base
        before = sum(map(len, aggregate.snapshots.values()))
        for version, states in aggregate.snapshots.items():
            keepers = sorted(states)[-1:] + ([aggregate.base] if version is None else [])
            aggregate.snapshots[version] = {at: state for at, state in states.items() if at in keepers}
        return len(removed), bool(removed) or sum(map(len, aggregate.snapshots.values())) < before

    def require_cover(self, aggregate, removed):
        custom = [e.sequence for e in removed if self.folds[e.type] == "custom"]
        if aggregate.erased or not custom and not self.has_custom(aggregate.compacted):
            return
        if not any(at >= removed[-1].sequence for version, states in aggregate.snapshots.items() if version is not None for at in states):
            last = custom[-1] if custom else aggregate.base
            raise Fault(10, f"aggregate {aggregate.id} has custom events up to sequence {last} that no application snapshot covers")

    def require_read(self, aggregate, sequence):
        for title in sorted(self.subscriptions):
            if any(e.aggregate == aggregate.id and e.sequence <= sequence for e in self.unread(self.subscriptions[title])):
                raise Fault(10, f'aggregate {aggregate.id} has events that subscription "{title}" has not read')

    def compact_type(self, type, keep, most):
        if most is not None and most < 1:
            raise Fault(9, f"max is out of range: {most}")
        if type not in self.policies:
            raise Fault(2, f'no aggregate type "{type}"')
        done = 0
        for aggregate in sorted((a for a in self.aggregates if a.type == type), key=lambda a: (a.base - a.version, a.id)):
            if done == most:
                break
            try:
                done += self.compact_one(aggregate, keep)[1]
            except Fault:
                pass  # protected
        return done

    def stats(self):
        kept = [e for e in self.events if not e.removed]
        size = sum(len((e.data + (e.metadata or "")).encode()) for e in kept)
        snapshots = sum(len(states) for a in self.aggregates for states in a.snapshots.values())
        return [("aggregates", len(self.aggregates)), ("data_bytes", size), ("events", len(kept)), ("snapshots", snapshots),
                ("subscriptions", len(self.subscriptions))]


def name(value, argument, most):
    if value is None:
        raise Fault(5, f"{argument} is NULL")
    if value == "":
        raise Fault(5, f"{argument} is empty")
    if len(value) > most:
        raise Fault(5, f"{argument} is longer than {most} characters")


def check_append(append):
    """The events of one append by themselves: of the first at fault EV004, EV005, EV009 in this order."""
    by_id = append.get("aggregate_id") is not None
    for event in append["events"]:
        for argument in ("data", "metadata"):
            words = Scan(event[argument].encode()).words if event.get(argument) is not None else set()
            if words:
                raise Fault(4, *(f"{argument}: {word}" for word in words))
        if not by_id and append.get("natural_key") is None:
            raise Fault(5, "neither aggregate_id nor natural_key given")
        if not by_id:
            name(append.get("aggregate_type"), "aggregate_type", 255)
            name(append["natural_key"], "natural_key", 255)
        name(event.get("event_type"), "event_type", 255)
        if event.get("event_id") is not None:
            name(event["event_id"], "event_id", 255)
        if event.get("data") is None:
            raise Fault(9, "data is NULL")
        if append.get("expected") is not None and append["expected"] < 0:
            raise Fault(9, f"expected is out of range: {append['expected']}")
        if len(event.get("reference") or "") > 1000:
            raise Fault(9, "reference is longer than 1000 characters")
        if by_id and (append.get("aggregate_type") or append.get("natural_key")):
            raise Fault(9, "aggregate_id is given together with a type or key")
