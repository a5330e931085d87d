"""Documents at the edges of the payload profile, from a seed. What is legal the oracle says, not this file.

A document is made by the grammar, with the odd edge in it, and then damaged once or twice or not at all.
"""

import random

CHARACTERS = ["a", "b", "0", ":", "::", ",", "{", "}", "[", '"', "\\", "/", "é", "\u00ad", "\u2028", "\ufffd", "\ufffe", "\uffff",
              "\ufdd0", "\U0001f600", "\U0010ffff", "\U0001fffe", "\x7f", "\x80", "\n", "\t", "\b", "null", "1e5", "12345678901234567890"]
KEYS = ["a", "b", "c", "d", "aa", "", "a b", "a:b", "é", "\U0001f600", '"', "\\", "/", "null", "\uffff", "$", "a.b", "0"]
BLANKS = ["", "", "", "", " ", "\n", "\t ", "\r\n"]
SMALL_NUMBERS = ["0", "-0", "1", "-1", "10", "0.5", "-0.0", "1.0", "1e0", "1E+2", "-2.5E-7", "100", "1.10", "0e0", "0.000"]
INTEGERS = ["9223372036854775807", "-9223372036854775808", "9007199254740991", "9007199254740992", "9007199254740993",
            "999999999999999999", "1000000000000000000", "-9223372036854775807", "2147483648", "4294967296"]
WIDE_INTEGERS = ["9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616",
                 "99999999999999999999", "1" + "0" * 30, "-1" + "0" * 400]
LARGE = ["1e308", "-1e308", "1.7976931348623157e308", "1.7976931348623158e308", "17976931348623157" + "0" * 292 + ".0",
         "1e+00308", "0.1e309", "0.00001e313", "1e19", "9223372036854775808.0", "1e18", "1.5e300"]
TOO_LARGE = ["1e309", "-1e309", "1.7976931348623159e308", "1e400", "10e308", "1e99999", "179769313486231580793e289",
             "17976931348623158" + "9" * 293 + ".0", "0.1e310", "1e100000", "1E+999999", "1e00400"]
SMALL = ["1e-300", "5e-324", "2.2250738585072014e-308", "1e-400", "1e-9999", "1e-16383", "1.5e-16382", "0e-16383", "0.1e-16382",
         "100e-16383", "1e-00400"]
TOO_SMALL = ["1e-16384", "0e-16384", "1e-20000", "0.1e-16383", "1.50e-16382", "1e-99999", "0.0e-17000", "1e-100000", "1e-2147483648"]
ZEROS = ["0e99999", "-0e99999", "0.0e99999", "0e16384", "0e131072", "0e100000", "0e2147483647", "0e99999999999999999999", "0e-99999",
         "0.0e99999999999999999999", "0e9999999223372036854775807", "0e000000", "0e00000", "1e000001", "1e00001", "0e-00000"]
NUMBER_CLASSES = {"integers": INTEGERS, "wide integers": WIDE_INTEGERS, "large": LARGE, "too large numbers": TOO_LARGE, "small": SMALL,
                  "too small": TOO_SMALL, "zeros": ZEROS}
SURROGATES = [r"\ud800", r"\udc00", r"\uDBFF", r"\udfff", r"\ud800x", r"\ud800\ud800", r"\udc00\ud800", r"\ud800\n", r"\ud83d\u0041"]
BAD_UTF8 = [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xe2\x82", b"\x80", b"\xc3"]
RAW = [bytes([code]) for code in range(0x20)] + [b"\xef\xbb\xbf", b"\xc2\x85", b"\xe2\x80\xa8"]
JUNK = [b",", b":", b"{", b"}", b"[", b"]", b'"', b"\\", b"-", b"+", b".", b"e", b"E", b"0", b"nul", b"true", b"NaN", b"Infinity", b"0x1F", b"'",
        b"//c", b"/*c*/", b"{}", b"[]", b"01", b"1.", b".5", b"+1", b"\\x41", b"\\u12", b"\\u00g0", b"\\U0041", b"\x0c", b"{} {}", b"u0000", b"\\\\u0000"]


class Documents:
    """An endless source; `without` names classes of numbers and of damage that are left out."""

    def __init__(self, seed, without=()):
        self.random = random.Random(seed)
        self.numbers = [numbers for name, numbers in NUMBER_CLASSES.items() if name not in without]
        self.long_numbers = "long numbers" not in without
        self.damages = [damage for name, damage in DAMAGES.items() if name not in without]

    def one(self):
        document = self.shape().encode("utf-8", "surrogatepass")
        for _ in range(self.random.choice([0, 0, 0, 1, 1, 2])):
            document = self.random.choice(self.damages)(self, document)
        return document

    def shape(self):
        kind = self.random.random()
        if kind < 0.03:
            return self.value(3)  # a root of any kind
        if kind < 0.06:
            return self.deep(self.random.choice([2, 100, 510, 511, 512, 513, 514]))
        if kind < 0.09:
            return self.sized(self.random.randint(1018, 1030))
        return self.object(self.random.choice([1, 1, 2, 3]))

    def blank(self):
        return self.random.choice(BLANKS)

    def value(self, depth):
        kind = self.random.random()
        if depth > 0 and kind < 0.2:
            return self.object(depth - 1)
        if depth > 0 and kind < 0.35:
            items = [self.blank() + self.value(depth - 1) + self.blank() for _ in range(self.random.randint(0, 4))]
            return "[" + ",".join(items or [self.blank()]) + "]"
        if kind < 0.6:
            return self.number()
        if kind < 0.85:
            return self.string("".join(self.random.choices(CHARACTERS, k=self.random.randint(0, 5))))
        return self.random.choice(["true", "false", "null"])

    def object(self, depth):
        keys = self.random.sample(KEYS, self.random.choice([0, 1, 1, 2, 2, 3, 4, 6]))
        if self.random.random() < 0.02:
            keys += [f"k{i}" for i in range(self.random.choice([15, 16, 17, 40]))]
        members = [f"{self.blank()}{self.string(key)}{self.blank()}:{self.blank()}{self.value(depth)}{self.blank()}" for key in keys]
        return self.blank() + "{" + ",".join(members or [self.blank()]) + "}" + self.blank()

    def number(self):
        if self.random.random() < 0.6:
            return self.random.choice(SMALL_NUMBERS)
        if self.long_numbers and self.random.random() < 0.3:
            return self.long_number()
        return self.random.choice(self.random.choice(self.numbers))

    def long_number(self):
        """Many digits: fractions about 16,383 places, mantissas that their exponent makes small again."""
        zeros = self.random.choice([17, 19, 20, 308, 309, 400, 1000, 16380, 16382, 16383, 16384])
        return self.random.choice(["0." + "0" * (zeros - 1) + "1", "0." + "3" * zeros, "1" + "0" * zeros + f"e-{zeros}", "1." + "0" * zeros,
                                   "0." + "0" * zeros + f"e{zeros}", "0." + "0" * zeros + f"1e{zeros}", "9" * min(zeros, 308) + ".9"])

    def string(self, text):
        """A spelling of a text: each character raw where that is legal, or escaped."""
        return '"' + "".join(self.character(c) for c in text) + '"'

    def character(self, character):
        named = {'"': r"\"", "\\": r"\\", "/": r"\/", "\n": r"\n", "\t": r"\t", "\b": r"\b"}
        if character in named and self.random.random() < 0.7:
            return named[character]
        if character >= " " and character not in '"\\' and self.random.random() < 0.8:
            return character
        units = character.encode("utf-16-be")
        spelled = "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
        return spelled if self.random.random() < 0.5 else spelled.upper().replace("\\U", "\\u")

    def deep(self, depth):
        """Brackets to a depth: arrays, objects or both, the root an object."""
        openings = ["{" + self.string(self.random.choice(KEYS)) + ":" if self.random.random() < 0.5 else "[" for _ in range(depth - 1)]
        closings = ["}" if opening[0] == "{" else "]" for opening in reversed(openings)]
        return '{"n":' + "".join(openings) + self.random.choice(["1", '"x"', "null"]) + "".join(closings) + "}"

    def sized(self, size):
        made = self.object(2)
        pad = size - len(made.encode("utf-8", "surrogatepass")) - 9
        return '{"p":' + made + ',"q":"' + "x" * max(pad - 4, 0) + '"}'


def somewhere(source, document, piece):
    at = source.random.randint(0, len(document))
    return document[:at] + piece + document[at:]


def in_a_string(source, document, piece):
    """The piece inside a string of the document, where it has one."""
    quotes = [i for i, byte in enumerate(document) if byte == ord('"')]
    at = source.random.choice(quotes) + 1 if quotes else len(document)
    return document[:at] + piece + document[at:]


def as_member(source, document, member):
    """The piece as first or last member of an object of the document."""
    braces = [i for i, byte in enumerate(document) if byte in b"{}"]
    if not braces:
        return b"{" + member + b"}"
    at = source.random.choice(braces)
    if document[at] == ord("{"):
        return document[: at + 1] + member + b"," + document[at + 1 :]
    return document[:at] + b"," + member + document[at:]


def repeated_key(source, document):
    key = source.random.choice(KEYS)
    pair = [f"{source.string(key)}:{source.value(1)}" for _ in range(2)]
    return as_member(source, document, ",".join(pair).encode("utf-8", "surrogatepass"))


def cut(source, document):
    at = source.random.randint(0, len(document))
    return document[:at] + document[at + source.random.choice([1, 1, 2, 5]) :]


def doubled(source, document):
    first, last = sorted(source.random.choices(range(len(document) + 1), k=2))
    return document[:last] + document[first : min(last, first + 40)] + document[last:]


DAMAGES = {
    "key twice": repeated_key,
    "NUL": lambda source, document: in_a_string(source, document, source.random.choice([b"\\u0000", b"\\\\u0000", b"\\\\\\u0000"])),
    "surrogate": lambda source, document: in_a_string(source, document, source.random.choice(SURROGATES).encode()),
    "bad UTF-8": lambda source, document: in_a_string(source, document, source.random.choice(BAD_UTF8)),
    "raw character": lambda source, document: somewhere(source, document, source.random.choice(RAW)),
    "junk": lambda source, document: somewhere(source, document, source.random.choice(JUNK)),
    "number": lambda source, document: as_member(source, document, b'"n":' + source.number().encode()),
    "root": lambda source, document: source.random.choice([b"[" + document + b"]", b"[1e-20000]", b'"s"', b"1e-20000", b"null", b"", b" "]),
    "tail": lambda source, document: document + source.random.choice([b"\0", b"x", b"{}", b"]", b"}", b"\xff"]),
    "cut": cut,
    "doubled": doubled,
}
