"""The fold as an oracle: merge and patch over parsed JSON, numbers by their exact value."""

import json
from decimal import Decimal


def number(text):
    return "number", Decimal(text)


def parse(text):
    """JSON that an engine computed; ValueError where it is none."""
    return json.loads(text, parse_int=number, parse_float=number, parse_constant=refuse)


def refuse(word):
    raise ValueError(f"{word} is no JSON")


def merge(state, data):
    """Members that are not null replace those of the state, whole."""
    return {**state, **{key: value for key, value in data.items() if value is not None}}


def patch(target, change):
    """RFC 7396, section 2."""
    if not isinstance(change, dict):
        return change
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = patch(result.get(key), value)
    return result


def step(fold, state, data):
    return {"merge": merge, "patch": patch, "custom": lambda state, _: state}[fold](state, data)
