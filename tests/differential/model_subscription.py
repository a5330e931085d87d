"""The part of the model that knows subscriptions, each with one partition."""
from fault import Fault


class Subscription:
    def __init__(self, filter, cursor):
        self.filter, self.cursor = filter, cursor
        self.token = self.owner = self.error = None
        self.active = True


class Subscriptions:
    """Of a Model: its events, aggregates, tokens and subscriptions."""

    def passes(self, filter, aggregate, type):
        return (filter.get("aggregate_type") in (None, aggregate.type) and filter.get("natural_key") in (None, aggregate.key)
                and type in (filter.get("event_types") or [type]))

    def unread(self, subscription):
        return [e for e in self.events if e.position > subscription.cursor and not e.removed
                and self.passes(subscription.filter, self.aggregates[e.aggregate - 1], e.type)]

    def subscription(self, title):
        if title not in self.subscriptions:
            raise Fault(2, f'no subscription "{title}"')
        return self.subscriptions[title]

    def start(self, title, filter, start):
        """Where a start lies; EV010 where compaction removed what the filter wants after it, unless `kept` says it is meant."""
        kept, _, place = (start or "beginning").rpartition("kept")
        place = place.strip() or "beginning"
        position = {"beginning": 0, "end": self.safe}.get(place)
        position = int(place) if position is None else position
        if position > self.safe:
            raise Fault(9, f"start is out of range: {position}")
        return self.within_kept(title, filter, position, (start or "").startswith("kept"))

    def within_kept(self, title, filter, position, meant):
        lost = max((p for a in self.aggregates for t, p in a.compacted.items() if self.passes(filter, a, t)), default=0)
        if lost > position and not meant and not self.lax:
            raise Fault(10, f'subscription "{title}" would miss events that were compacted, up to position {lost}: '
                            "begin the start with the word kept to say that this is meant")
        return position

    def subscribe(self, title, filter, start):
        filter = filter or {}
        if "natural_key" in filter and "aggregate_type" not in filter:
            raise Fault(9, "filter: natural_key needs aggregate_type")
        for type in filter.get("event_types", []):
            self.folds.setdefault(type, "merge")
        if title in self.subscriptions:
            known = self.subscriptions[title]
            if known.filter != filter:
                self.within_kept(title, filter, known.cursor, (start or "").startswith("kept"))
            known.filter = filter
        else:
            self.subscriptions[title] = Subscription(filter, self.start(title, filter, start))
        return title

    def reset(self, title, start):
        subscription = self.subscription(title)
        subscription.cursor = self.start(title, subscription.filter, start)
        subscription.token = subscription.owner = subscription.error = None
        return title

    def unsubscribe(self, title):
        self.subscription(title)
        del self.subscriptions[title]
        return title

    def set_active(self, title, active):
        self.subscription(title).active = active
        return title

    def claim(self, title, owner):
        subscription = self.subscription(title)
        if subscription.owner is not None or not subscription.active:
            return None
        self.tokens[title] = self.tokens.get(title, 0) + 1
        subscription.token, subscription.owner = self.tokens[title], owner
        return subscription.token

    def held(self, title, token):
        subscription = self.subscription(title)
        if subscription.owner is None or subscription.token != token:
            raise Fault(6, f'lease lost: token {token} is not the current one of subscription "{title}"')
        return subscription

    def fetch(self, title, token, limit):
        subscription = self.held(title, token)
        if not subscription.active:
            return []
        return [self.log_row(e) for e in self.unread(subscription) if e.position <= self.safe][: 100 if limit is None else limit]

    def ack(self, title, token, position):
        subscription = self.held(title, token)
        if position > max(self.safe, subscription.cursor):
            raise Fault(9, f"position is out of range: {position}")
        subscription.cursor, subscription.error = max(subscription.cursor, position), None
        return subscription.cursor

    def release(self, title, token, error):
        subscription = self.held(title, token)
        subscription.owner, subscription.error = None, error or subscription.error
        return title

    def renew(self, title, token):
        self.held(title, token)
        return title

    def rows_of_subscriptions(self):
        return [(title, s.cursor, len(self.unread(s)), s.owner, s.token if s.owner else None, s.active, s.error)
                for title, s in sorted(self.subscriptions.items())]
