"""Texts that are times, or nearly, offered to evercore_time on both engines and judged by an oracle."""

import datetime
import random
import re

import stores

FORM = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|z|([+-])(\d\d)(?::?(\d\d)|:(\d\d):(\d\d))?)?)?", re.ASCII)
WANTED = ": write YYYY-MM-DD[Thh:mm[:ss[.ffffff]][Z|+hh:mm]]"


def oracle(text):
    """The canonical form, or None where it is no time."""
    found = FORM.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.group(1, 2, 3, 4, 5, 6))
    hours, minutes, seconds = int(found[10] or 0), int(found[11] or found[12] or 0), int(found[13] or 0)
    if hours > 15 or minutes > 59 or seconds > 59:
        return None
    offset = datetime.timedelta(hours=hours, minutes=minutes, seconds=seconds) * (-1 if found[9] == "-" else 1)
    try:
        moment = datetime.datetime(year, month, day, hour, minute, second, int((found[7] or "").ljust(6, "0")[:6])) - offset
    except (ValueError, OverflowError):
        return None
    return f"{moment.year:04}-{moment:%m-%dT%H:%M:%S.%f}Z"


def one(dice):
    """A text that is a time by and large, often with something changed."""
    text = "%04d-%02d-%02d" % (dice.choice([1, 4, 1582, 1900, 1969, 2000, 2024, 2026, 9999, dice.randrange(0, 10000)]), dice.randrange(0, 14),
                               dice.choice([0, 1, 28, 29, 30, 31, 32, dice.randrange(1, 29)]))
    if dice.random() < 0.9:
        text += dice.choice("TTTt  _") + "%02d:%02d" % (dice.randrange(0, 26), dice.randrange(0, 62))
        if dice.random() < 0.8:
            text += ":%02d" % dice.randrange(0, 62)
            if dice.random() < 0.5:
                text += "." + "".join(dice.choice("0123456789") for _ in range(dice.randrange(0, 12)))
        zone = dice.randrange(0, 8)
        sign, part = dice.choice("+-"), lambda top: "%02d" % dice.randrange(0, top)
        text += ["", "Z", "z", sign + part(18), sign + part(18) + part(62), sign + part(18) + ":" + part(62),
                 sign + part(18) + ":" + part(62) + ":" + part(62), sign + part(18) + part(60) + part(60)][zone]
    for _ in range(dice.choice([0, 0, 0, 1, 2])):
        at = dice.randrange(0, len(text) + 1)
        text = text[:at] + dice.choice(["", " ", "0", "9", ":", "-", "+", "Z", ".", "é", "\n", "١"]) + text[at + dice.randrange(0, 2):]
    return text


class Engines:
    """Both engines; PostgreSQL in a session that writes times another way."""

    def __init__(self):
        self.sqlite, self.postgres = stores.Sqlite(), stores.Postgres()
        self.postgres.rows("SET timezone = 'Asia/Kathmandu'")
        self.postgres.rows("SET datestyle = 'SQL, DMY'")

    def close(self):
        self.sqlite.close()
        self.postgres.close()

    def judge(self, text):
        """What is wrong about the answers to a text, or None."""
        expected = oracle(text) or f'EV009: value is not a time: "{text}"' + WANTED
        for store, sql in ((self.sqlite, "SELECT evercore_time($1)"),
                           (self.postgres, "SELECT to_char(evercore_time($1) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")):
            try:
                said = store.value(sql, text)
            except stores.Refused as refused:
                said = refused.message
            if said != expected:
                return f"{store.name}: {text!r} gave {said!r}, not {expected!r}"
        return None


def faults(engines, seed, count):
    dice = random.Random(seed)
    return [fault for fault in (engines.judge(one(dice)) for _ in range(count)) if fault]
