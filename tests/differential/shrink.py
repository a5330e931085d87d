"""Makes a failing case small: what can be left out without the failure going away is left out."""


def shrink(items, fails, most_tries=400):
    """The smallest part of a sequence found that still fails; `fails` is asked at most so often."""
    tries = 0
    size = max(len(items) // 2, 1)
    while True:
        at, smaller = 0, False
        while at < len(items):
            shorter = items[:at] + items[at + size :]
            tries += 1
            if tries > most_tries:
                return items
            if fails(shorter):
                items, smaller = shorter, True
            else:
                at += size
        if size == 1 and not smaller:
            return items
        size = max(size // 2, 1)
