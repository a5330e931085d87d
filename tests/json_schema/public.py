"""The cases of the public suite: its required files, and three formats of its optional ones.

The root of an event's data is an object. A document of another kind is therefore judged as the member `v` of one, by a schema whose
`$defs` holds the case's own, to which `v` refers; what the case's schema refers to within itself is lifted to where it stands then.
"""

import json
from pathlib import Path

from question import Question

ONE = {"additionalProperties", "propertyNames", "items", "contains", "not", "if", "then", "else"}
LISTS = {"prefixItems", "allOf", "anyOf", "oneOf"}
MAPS = {"properties", "dependentSchemas", "$defs"}
PLAIN = set("""type enum const required minProperties maxProperties minContains maxContains minItems maxItems uniqueItems minimum maximum
    exclusiveMinimum exclusiveMaximum minLength maxLength dependentRequired title description default examples $comment deprecated
    readOnly writeOnly""".split())
FORMATS = {"date", "date-time", "uuid"}
DRAFT = "https://json-schema.org/draft/2020-12/schema"
ANNOTATION = "string is only an annotation by default"  # of a format: what evercore asserts


def files(folder):
    root = Path(folder) / "tests" / "draft2020-12"
    yield from sorted(root.glob("*.json"))
    for name in sorted(FORMATS):
        yield root / "optional" / "format" / f"{name}.json"


def groups(folder):
    for path in files(folder):
        for group in json.loads(path.read_text(encoding="utf-8")):
            yield path, group


def questions(folder):
    for path, group in groups(folder):
        name = f"{path.stem}: {group['description']}"
        schema = group["schema"]
        if stranger(schema) or holds_nul(schema):
            yield Question(name, json.dumps(schema), "{}", "EV009" if stranger(schema) else "EV004")
            continue
        for test in group["tests"]:
            yield question(f"{name}: {test['description']}", schema, test)


def question(name, schema, test):
    if holds_nul(test["data"]):
        expected = "EV004"
    else:
        expected = "ok" if test["valid"] and ANNOTATION not in test["description"] else "refused"
    if isinstance(test["data"], dict):
        return Question(name, json.dumps(schema), json.dumps(test["data"]), expected)
    whole = {"properties": {"v": {"$ref": "#/$defs/case"}}, "$defs": {"case": lifted(schema)}}
    return Question(name, json.dumps(whole), json.dumps({"v": test["data"]}), expected)


def holds_nul(value):
    return "\\u0000" in json.dumps(value)


def below(schema):
    """The schemas that stand in a schema, each with its keyword."""
    for keyword, value in schema.items():
        if keyword in ONE:
            yield keyword, value
        elif keyword in LISTS:
            yield from ((keyword, item) for item in value)
        elif keyword in MAPS:
            yield from ((keyword, item) for item in value.values())


def stranger(schema, at_root=True):
    """The first that evercore does not take, by which the declaration is EV009; None where there is none."""
    if isinstance(schema, bool):
        return None
    for keyword, value in schema.items():
        if keyword == "$ref" and value != "#" and not value.startswith("#/$defs/"):
            return "`$ref` to elsewhere"
        if keyword == "$id" and not at_root:
            return "`$id` below the root"
        if keyword == "format" and value not in FORMATS:
            return "other formats"
        if keyword == "$schema" and value != DRAFT:
            return "`$schema` of another draft"
        if keyword not in ONE | LISTS | MAPS | PLAIN | {"$ref", "$id", "$schema", "format"}:
            return f"`{keyword}`"
    return next(filter(None, (stranger(item, False) for _, item in below(schema))), None)


def lifted(schema):
    """The same schema where it stands at #/$defs/case."""
    if isinstance(schema, bool):
        return schema
    out = {}
    for keyword, value in schema.items():
        if keyword in ONE:
            out[keyword] = lifted(value)
        elif keyword in LISTS:
            out[keyword] = [lifted(item) for item in value]
        elif keyword in MAPS:
            out[keyword] = {name: lifted(item) for name, item in value.items()}
        elif keyword == "$ref":
            out[keyword] = "#/$defs/case" + value[1:]
        elif keyword != "$id":
            out[keyword] = value
    return out


def listing(folder):
    """Of each file: the cases that are judged, and the schemas that are refused, and why."""
    rows, why, judged, refused, outside = [], {}, 0, 0, 0
    for path in files(folder):
        cases = nays = 0
        for group in json.loads(path.read_text(encoding="utf-8")):
            if reason := stranger(group["schema"]):
                nays += 1
                why[reason] = why.get(reason, 0) + 1
            else:
                cases += len(group["tests"])
                outside += sum(holds_nul(test["data"]) or holds_nul(group["schema"]) for test in group["tests"])
        rows.append(f"| {path.stem} | {cases} | {nays} |")
        judged, refused = judged + cases, refused + nays
    yield from ["| file | cases | refused |", "|---|---|---|", *rows, f"| in all | {judged} | {refused} |"]
    yield f"{outside} of the cases hold U+0000"
    yield "; ".join(f"{reason} {count}" for reason, count in sorted(why.items(), key=lambda item: -item[1]))
