"""One question to an engine: what evercore_validate says of a document under a schema."""

from dataclasses import dataclass


@dataclass
class Question:
    name: str
    schema: str  # JSON
    document: str  # JSON
    expected: str  # `ok`, a fault, an error; `refused` is any fault, EV009 and EV004 any error of that code

    @property
    def statement(self):
        options = '{"schema":' + self.schema + "}"
        return f"SELECT evercore_validate('Case', {literal(self.document)}, {literal(options)}) AS fault;"

    def is_right(self, said):
        if self.expected == "refused":
            return said != "ok" and not said.startswith("EV0")
        return said == self.expected or (len(self.expected) == 5 and said.startswith(self.expected + ":"))


def literal(text):
    return "'" + text.replace("'", "''") + "'"
