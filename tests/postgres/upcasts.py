"""Upcasts told in Python: what data in an older shape become."""
from rules import MOST_DEPTH, depth


def tokens(pointer):
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def holder(data, path):
    """The object that holds the last name of a path through objects, or None."""
    for name in path[:-1]:
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else None


def put(data, path, value):
    """The data with a value at a path, or None where something stands there or in the way, or that would be too deep."""
    if len(path) + depth(value) > MOST_DEPTH or not isinstance(data, dict):
        return None
    name, rest = path[0], path[1:]
    if name in data:
        inner = put(data[name], rest, value) if rest else None
        return None if inner is None else {**data, name: inner}
    for token in reversed(rest):
        value = {token: value}
    return {**data, name: value}


def taken(data, path):
    """The data without what stands at a path."""
    name, rest = path[0], path[1:]
    if rest:
        return {**data, name: taken(data[name], rest)}
    return {key: value for key, value in data.items() if key != name}


def upcast(data, operations):
    for operation, body in ((name, body) for one in operations for name, body in one.items()):
        for pointer in body:
            path = tokens(pointer)
            if operation == "default":
                data = put(data, path, body[pointer]) or data
                continue
            place = holder(data, path)
            if place is None or path[-1] not in place:
                continue
            if operation == "remove":
                data = taken(data, path)
                continue
            target = path[:-1] + [body[pointer]] if operation == "rename" else tokens(body[pointer])
            if put(data, target, place[path[-1]]) is not None:
                data = put(taken(data, path), target, place[path[-1]])
    return data
