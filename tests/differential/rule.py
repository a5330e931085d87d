"""The payload profile as an oracle: a small exact scanner of JSON, written from the rule and from nothing else.

A document with several faults may be refused for any one of them, so the verdict is a set of words.
"""

import re
from decimal import Decimal

MOST_BYTES = 16 * 1024 * 1024
MOST_DEPTH = 512
MOST_PLACES = 16383  # of the last digit after the point
TOO_LARGE = 2**1024 - 2**970  # what rounds to infinity as a double

BLANKS = re.compile(rb"[ \t\n\r]*")
PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
NUMBER = re.compile(rb"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?)([0-9]+))?")
UNIT = re.compile(rb"\\u([0-9a-fA-F]{4})")
ESCAPES = {ord(c): v for c, v in zip('"\\/bfnrt', '"\\/\b\f\n\r\t')}
WORDS = ((b"true", True), (b"false", False), (b"null", None))


def nesting(text):
    """How deep brackets nest outside strings, in text that need not be JSON."""
    depth = deepest = 0
    for bracket in re.findall(rb"[][{}]", re.sub(rb'"(?:[^"\\]|\\.)*"?', b"", text, flags=re.S)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


class NotJson(Exception):
    """The text breaks the grammar: nothing after it can be looked at."""


class Scan:
    """One pass over a document: `words` are its faults (empty: legal), `value` is what it says.

    A number is ("number", Decimal), so that 1 and true differ and all digits count."""

    def __init__(self, document):
        self.text = document
        self.at = 0
        self.words = set()
        self.value = None
        if len(document) > MOST_BYTES:
            self.words.add("too large")
        try:
            document.decode("utf-8")
        except UnicodeDecodeError:
            self.words.add("not UTF-8")
        try:
            self.value = self.document()
            if not isinstance(self.value, dict):
                self.words.add("not an object")
        except NotJson:
            self.words.add("not JSON")
            if nesting(self.text) > MOST_DEPTH:
                self.words.add("too deep")

    def peek(self):
        return self.text[self.at : self.at + 1]

    def blanks(self):
        self.at = BLANKS.match(self.text, self.at).end()

    def take(self, character):
        self.blanks()
        if self.peek() != character:
            raise NotJson
        self.at += 1

    def document(self):
        """Without recursion: any depth is looked at. `open` are the containers around the place."""
        root, opened = [], []
        self.into(root, opened)
        while opened:
            container = opened[-1]
            self.blanks()
            if self.peek() == (b"}" if isinstance(container, dict) else b"]"):
                self.at += 1
                opened.pop()
                continue
            if container:
                self.take(b",")
            self.into(container, opened)
        self.blanks()
        if self.at != len(self.text):
            raise NotJson
        return root[0]

    def into(self, container, opened):
        """Reads the next member or element into a container."""
        key = self.key(container) if isinstance(container, dict) else None
        self.blanks()
        value = self.opening(opened) if self.peek() in (b"{", b"[") else self.scalar()
        if key is None:
            container.append(value)
        else:
            container[key] = value

    def opening(self, opened):
        if len(opened) >= MOST_DEPTH:
            self.words.add("too deep")
        value = {} if self.peek() == b"{" else []
        opened.append(value)
        self.at += 1
        return value

    def key(self, container):
        self.blanks()
        if self.peek() != b'"':
            raise NotJson
        key = self.string()
        if key in container:
            self.words.add(f'duplicate key "{key}"')
        self.take(b":")
        return key

    def scalar(self):
        if self.peek() == b'"':
            return self.string()
        for word, value in WORDS:
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        return self.number()

    def string(self):
        parts = []
        self.at += 1
        while True:
            plain = PLAIN.match(self.text, self.at)
            parts.append(plain.group().decode("utf-8", "surrogateescape"))
            self.at = plain.end()
            if self.peek() == b'"':
                self.at += 1
                return "".join(parts)
            if self.peek() != b"\\":
                raise NotJson
            parts.append(self.escape())

    def escape(self):
        unit = UNIT.match(self.text, self.at)
        if not unit:
            character = ESCAPES.get(self.text[self.at + 1]) if self.at + 1 < len(self.text) else None
            if character is None:
                raise NotJson
            self.at += 2
            return character
        self.at = unit.end()
        code = int(unit[1], 16)
        if code == 0:
            self.words.add("NUL")
        if 0xD800 <= code <= 0xDBFF:
            low = UNIT.match(self.text, self.at)
            if low and 0xDC00 <= int(low[1], 16) <= 0xDFFF:
                self.at = low.end()
                return chr(0x10000 + (code - 0xD800) * 0x400 + int(low[1], 16) - 0xDC00)
        if 0xD800 <= code <= 0xDFFF:
            self.words.add("lone surrogate")
        return chr(code)

    def number(self):
        found = NUMBER.match(self.text, self.at)
        if not found:
            raise NotJson
        self.at = found.end()
        if not number_fits(*(None if part is None else part.decode() for part in found.groups())):
            self.words.add("number out of range")
            return None
        return "number", Decimal(found[0].decode())


def number_fits(sign, whole, fraction, exponent_sign, exponent):
    if fraction is None and exponent is None:
        return len(whole) <= 19 and -(2**63) <= int(sign + whole) < 2**63
    if exponent is not None and len(exponent) > 5:
        return False
    power = int((exponent_sign or "") + (exponent or "0"))
    fraction = fraction or ""
    if len(fraction) - power > MOST_PLACES:
        return False
    digits = (whole + fraction).lstrip("0")
    if len(digits) - len(fraction) + power > 309:  # more digits before the point than the largest double has
        return not digits
    return Decimal(f"{digits or 0}e{power - len(fraction)}") < TOO_LARGE
