"""Random histories of decisions, and the check that some serial order explains them.

Writers ask a random query, think, and append on the condition that nothing which matches has come since. All of it is
written down: what each query gave, and where the events of each admitted append stand. The checker then looks at the log
alone. Two things must hold of every decision:

1. It had read all of what lay below: every event that matches, between where the query was asked from and its last row,
   was among its rows.
2. Nothing came between: no event that matches stands between that last row and the events that were admitted.

Then the order of positions is a serial order that admits the same appends.

Some tags are given and some declared by the event's type. What an event ought to bear stands in its data, so that the checker needs
neither the store's tags nor its declarations.
"""
import random

TYPES = ("A", "B", "C", "D")
TAGS = ("t:0", "t:1", "t:2", "t:3", "t:4", "u:0", "u:1")
DECLARED = {"C": {"t": "/of"}, "D": {"u": "/all", "t": "/of"}}
AGGREGATES = 40
WINDOW = 60  # how far back a query begins: from 0 each would read the whole log


def aggregate(number, by_id):
    """One of those that were made before, in their order."""
    return {"aggregate_id": number + 1} if by_id else {"aggregate_type": "T", "natural_key": str(number)}


def matches(event, item):
    _, event_type, tags = event
    return ("types" not in item or event_type in item["types"]) and set(item.get("tags", ())) <= set(tags)


def matches_query(event, query):
    return not query or any(matches(event, item) for item in query)


def borne(event_type, data):
    """The tags of an event by its type and data: those declared, then those given."""
    tags = []
    for prefix, pointer in DECLARED.get(event_type, {}).items():
        value = data.get(pointer[1:], [])
        tags += [f"{prefix}:{one}" for one in (value if isinstance(value, list) else [value])]
    return list(dict.fromkeys(tags + data.get("given", [])))


class Chance:
    """What a writer does next, by its seed. `by_types`: items without tags, and the query of everything, may be asked."""

    def __init__(self, seed, by_types):
        self.random = random.Random(seed)
        self.by_types = by_types

    def query(self):
        if self.by_types and self.random.random() < 0.03:
            return []
        return [self._item() for _ in range(self.random.randint(1, 3))]

    def _item(self):
        kind = self.random.random()
        item = {}
        if kind < 0.4 or (self.by_types and kind < 0.55):
            item["types"] = self.random.sample(TYPES, self.random.randint(1, 2))
        if kind >= 0.55 or kind < 0.4 and not self.by_types or kind < 0.25:
            item["tags"] = self.random.sample(TAGS, self.random.choice((1, 1, 1, 2)))
        elif not self.by_types:
            item["tags"] = [self.random.choice(TAGS)]
        return item

    def appends(self):
        appends = []
        for _ in range(self.random.choice((1, 1, 1, 2))):
            events = [self._event() for _ in range(self.random.choice((1, 1, 2)))]
            appends.append({**aggregate(self.random.randrange(AGGREGATES), self.random.random() < 0.5), "events": events})
        return appends

    def _event(self):
        event = {"event_type": self.random.choice(TYPES), "data": {}}
        if self.random.random() < 0.5:
            event["data"]["of"] = self.random.choice((self.random.randrange(5), str(self.random.randrange(5))))
        if self.random.random() < 0.3:
            event["data"]["all"] = [self.random.randrange(2) for _ in range(self.random.randrange(3))]
        given = self.random.sample(TAGS, self.random.choice((0, 1, 1, 2, 3)))
        if given:
            event["tags"] = event["data"]["given"] = given
        return event

    def unconditional(self):
        return self.random.random() < 0.2

    def holds(self):
        """How long a transaction stays open after its append, in seconds; None: a single call."""
        return self.random.random() * 0.020 if self.random.random() < 0.1 else None

    def rolls_back(self):
        return self.random.random() < 0.2


def faults(log, decisions):
    """What no serial order explains. `log`: (position, event_type, tags) in order; `decisions`: dicts with query, asked_from,
    rows, after, and, where it was admitted, first, the position of its first event."""
    at = {event[0]: event for event in log}
    for decision in decisions:
        query, rows = decision["query"], set(decision["rows"])
        for position in range(decision["asked_from"] + 1, decision["after"] + 1):
            if position in at and matches_query(at[position], query) and position not in rows:
                yield f"event {position} below {decision['after']} was overlooked by {query}, asked from {decision['asked_from']}"
        for position in rows:
            if position not in at or not matches_query(at[position], query):
                yield f"row {position} of {query} is no event that matches"
        for position in range(decision["after"] + 1, decision.get("first", 0)):
            if position in at and matches_query(at[position], query):
                yield f"admitted at {decision['first']} over event {position}, which {query} after {decision['after']} had not read"
