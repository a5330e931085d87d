"""The cases of cases.tsv: a name, a schema, a document and the verdict, apart by tabs.

The verdict is `ok`, the fault that is named, or the error of a declaration; `-` for the document is {}. In schema and document
<<text*n>> stands for a text so many times.
"""

import re
from pathlib import Path

from question import Question

CASES = Path(__file__).resolve().parent / "cases.tsv"


def questions():
    for line in CASES.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, schema, document, verdict = line.split("\t")
        yield Question(name, spelled(schema), "{}" if document == "-" else spelled(document), verdict)


def spelled(text):
    return re.sub(r"<<(.+?)\*(\d+)>>", lambda part: part[1] * int(part[2]), text)
