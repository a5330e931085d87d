"""Rules told in Python: what a fold by rules must give. Numbers are integers where they are written so, and else of decimal exactness."""
import json
import re
import sys
from decimal import Decimal

sys.setrecursionlimit(10000)  # documents of 512 levels

MOST_DEPTH = 512
TOKEN = re.compile(r"/(?:\{([^}]*)\}(?=/|$)|([^/]*))")


def parsed(text):
    return json.loads(text, parse_float=Decimal)


def depth(value):
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, (dict, list)) + max(map(depth, members), default=0)


def integer(number):
    """A number as an integer of 64 bits where its value is one, else None."""
    if isinstance(number, bool) or not isinstance(number, (int, Decimal)) or number != number.__trunc__():
        return None
    return int(number) if -2**63 <= number < 2**63 else None


def is_number(value):
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def total(target, source, sign):
    """What a sum becomes, or None where it does nothing."""
    if not is_number(source):
        return None
    target = target if is_number(target) else 0
    whole = (integer(target), integer(source))
    if None not in whole and -2**63 <= whole[0] + sign * whole[1] < 2**63:
        return whole[0] + sign * whole[1]
    result = float(target) + sign * float(source)
    return Decimal(repr(result)) if abs(result) < float("inf") else None


def at(data, pointer):
    """(what stands there,) or () where nothing does."""
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        if isinstance(data, dict) and token in data:
            data = data[token]
        elif isinstance(data, list) and re.fullmatch("0|[1-9][0-9]*", token) and int(token) < len(data):
            data = data[int(token)]
        else:
            return ()
    return (data,)


def found(source, data, event):
    if isinstance(source, str):
        return at(data, source)
    if "value" in source:
        return (source["value"],)
    value = event.get(source["field"])
    return () if value is None else (value,)


def path(target, data):
    """The names of a target, or None where one of the data's is neither text nor an integer."""
    names = []
    for pointer, name in TOKEN.findall(target):
        if f"/{{{pointer}}}" in target and not name and (pointer or f"/{{}}" in target):
            value = at(data, pointer)
            if not value or not isinstance(value[0], str) and integer(value[0]) is None:
                return None
            names.append(value[0] if isinstance(value[0], str) else str(integer(value[0])))
        else:
            names.append(name.replace("~1", "/").replace("~0", "~"))
    return names


def patched(target, patch):
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = patched(target.get(key), value)
    return target


def merged(state, data):
    return {**state, **{key: value for key, value in data.items() if value is not None}}


def become(operation, target, source, room):
    """(what a target becomes,) or ()."""
    if not source:
        return ()
    if operation in ("add", "subtract"):
        result = total(target[0] if target else None, source[0], 1 if operation == "add" else -1)
        return () if result is None else (result,)
    if operation == "set":
        return source if depth(source[0]) <= room else ()
    if target and not isinstance(target[0], list) or depth(source[0]) > room - 1:
        return ()
    return ((target[0] if target else []) + [source[0]],)


def changed(state, names, operation, source):
    """The state with one target changed; objects that hold it are made anew."""
    if not names:
        return source[0] if operation == "set" and source and isinstance(source[0], dict) else state
    way, made = [state], False
    for name in names[:-1]:
        made = made or name not in way[-1]
        way.append({} if made else way[-1][name])
        if not isinstance(way[-1], dict):
            return state
    if operation == "remove":
        result = {key: value for key, value in way[-1].items() if key != names[-1]}
        if made:
            return state
    else:
        value = become(operation, (way[-1][names[-1]],) if names[-1] in way[-1] else (), source, MOST_DEPTH - len(names))
        if not value or len(names) > MOST_DEPTH:
            return state
        result = {**way[-1], names[-1]: value[0]}
    for holder, name in zip(reversed(way[:-1]), reversed(names[:-1])):
        result = {**holder, name: result}
    return result


def step(state, rules, data, event):
    """The state after one more event, whose fields are given."""
    for operation, body in ((name, body) for one in rules for name, body in one.items()):
        if operation in ("merge", "patch"):
            source = found(body, data, event)
            if source and isinstance(source[0], dict):
                state = (merged if operation == "merge" else patched)(state, source[0])
            continue
        for target, given in body.items() if isinstance(body, dict) else [(target, None) for target in body]:
            names = path(target, data)
            if names is not None:
                state = changed(state, names, operation, found(given, data, event) if given is not None else ())
    return state
