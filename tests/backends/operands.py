"""Operands of every kind: boundaries, ties, month ends, leap days, Unicode, and what lies anywhere."""
from __future__ import annotations

import datetime
import math
from random import Random
from typing import Any

from engine.semantics.values import YearsMonths

#: Inputs by the kind of their values, or by what a number or text is used for.
INPUTS = {
    "number": "a b c r", "n": "n", "whole": "w v", "money": "m k", "text": "s t", "numeral": "numeral",
    "stamp": "stamp", "values": "region", "boolean": "flag", "date": "d e", "moment": "g f", "time": "h i",
    "days": "x y", "months": "p q", "year": "year", "month": "month day", "clock": "hour minute second",
}
DECLARED = {
    "number": "type: number", "n": "type: number", "whole": "type: number, decimals: 0", "money": "type: money",
    "text": "type: string", "numeral": "type: string", "stamp": "type: string",
    "values": "type: string, values: [SH, bj, Gd]", "boolean": "type: boolean", "date": "type: date",
    "moment": "type: date and time", "time": "type: time", "days": "type: days and time duration",
    "months": "type: years and months duration", "year": "type: number", "month": "type: number",
    "clock": "type: number",
}
NUMBERS = (
    0.0, 1.0, -1.0, 2.0, 3.0, 0.1, 0.3, -0.3, 0.5, 1.5, 2.5, -2.5, 1e-13, 1 - 1e-13, 1 + 3e-12, 100.0, 12.345, 0.015,
    2.0**53, 2.0**53 + 2, -(2.0**60), 1e15, 123456789012345.67, 1e22, -1e99, 1e-300, 5e-324, 1e-9, 720.0, -745.5, 1 / 3,
)
TEXTS = (
    "", "a", "b", "ab", "abc", "a.b", "a\nb", "bc", "日本", "a日b", "😀x", "ß", "É", "it's", 'q"q', "b\\c", "$",
    "12-34", "x" * 40, "caab", "e\u0301", " ", "axxb", "AB", "\u212a", "\u017f", "K", "s",
)
NUMERALS = (
    "1", "12.5", "-3", "+7", "1e5", "1E-7", ".5", "5.", "1,234.5", "1.234,5", "1 234", "", "-", ".", "e5", "0x10",
    "1_0", " 1", "1 ", "inf", "nan", "1e999", "1e-999", "0.1", "123456789012345678901234567890", "2024-02-29", "١",
    "1e", "--1", "9007199254740993", "0.30000000000000004", "1,2,3", "1.2.3",
)
STAMPS = (
    "2024-02-29T10:30:00", "2024-02-29T10:30:00.5", "2024-02-29T23:59:59.123456789", "2024-02-30T10:00:00",
    "2024-02-29T24:00:00", "9999-12-31T24:00:00", "2024-02-29T24:00:01", "2024-02-29T10:30:00Z", "2024-02-29",
    "0001-01-01T00:00:00", "0000-01-01T00:00:00", "2023-02-29", "2024-13-01", "2024-1-01", "12:30:00", "24:00:00",
    "23:59:60", "12:30", "12:30:00+01:00", "12:30:00.1234567891", "12:30:00.000001", "-2024-01-01",
    "2024-02-29 10:30:00", "2024-02-29T10:30:00\n", "", "25:00:00", "00:00:00.0000009",
)
DATES = tuple(map(datetime.date.fromisoformat, (
    "2024-01-31", "2024-02-29", "2023-02-28", "2024-03-31", "2024-12-31", "2025-01-01", "0001-01-01", "9999-12-31",
    "1970-01-01", "1969-12-31", "2000-02-29", "1900-03-01", "2020-12-28", "2021-01-03", "2024-02-01", "2024-05-30",
)))
CLOCKS = tuple(map(datetime.time.fromisoformat, (
    "00:00:00", "23:59:59.999999", "12:00:00", "10:30:15.5", "00:00:00.000001", "10:30:15.25", "10:30:15",
)))
DAYS = tuple(datetime.timedelta(days, seconds, micros) for days, seconds, micros in (
    (0, 0, 0), (1, 0, 0), (-1, 0, 0), (30, 0, 0), (0, 86_399, 999_999), (-1, 0, 1), (400, 3661, 500_000), (0, 0, 1),
    (0, 0, -7), (50_000_000, 0, 0), (-50_000_000, 0, 0), (49_999_999, 1, 1), (3_652_059, 0, 0), (-800_000, 5, 3),
    (0, 3600, 0), (0, 60, 0), (0, 1, 0), (106_000, 1, 7),
))
MONTHS = tuple(map(YearsMonths, (0, 1, -1, 12, 13, -25, 120_000, -30_000, 1_200_000_000, -1_200_000_000, 7)))


def drawn(kind: str, random: Random) -> Any:
    """A value at a boundary, at a tie or anywhere."""
    if random.random() < 0.08:
        return None
    often = random.random() < 0.7
    if kind == "number":
        base = random.choice(NUMBERS) if often else random.uniform(-1e4, 1e4)
        cents = round(base, 2) if abs(base) < 1e9 else base
        return random.choice((base, base, base, math.nextafter(base, 1e300), 3 * (base / 3), cents))
    if kind == "n":
        return float(random.choice((0, 1, 2, 3, -1, -2, 2.9, -0.5, 22, 23, 300, 309, -309, 6177, 0.7, 5)))
    if kind == "whole":
        return random.choice((0, 1, 2, 3, -7, 10, -1, 2**53, -(2**53), 97, random.randint(-1000, 1000)))
    if kind == "money":
        return random.choice((0.0, 1.0, 99.995, 99.99, 100.0, -0.005, 1e9, 0.3, 12345.675, random.uniform(-1e6, 1e6)))
    if kind in ("year", "month", "clock"):
        near = {"year": (2023, 2024, 1, 9999, 0, 10_000, -5, 1900, 2000, 2024.7, 1e12),
                "month": (1, 2, 12, 0, 13, 28, 29, 30, 31, 32, 4.9, -1, 1e20),
                "clock": (0, 23, 24, 59, 59.9999999999, 59.9999995, 60, 10.5, 0.0000000005, 0.0000015, -1, 1.1, -0.5)}
        return float(random.choice(near[kind]))
    if kind == "text":
        return random.choice(TEXTS) if often else "".join(random.choices("abc.1日\\$", k=random.randint(0, 6)))
    if kind == "numeral":
        return random.choice(NUMERALS) if often else repr(random.uniform(-1, 1) * 10.0 ** random.randint(-300, 300))
    if kind == "stamp":
        return random.choice(STAMPS)
    if kind == "values":
        return random.choice(("SH", "bj", "Gd"))
    if kind == "boolean":
        return random.random() < 0.5
    if kind == "date":
        return random.choice(DATES) if often else datetime.date.fromordinal(random.randint(1, 3_652_059))
    if kind == "moment":
        return datetime.datetime.combine(drawn("date", random) or DATES[0], drawn("time", random) or CLOCKS[0])
    if kind == "time":
        return random.choice(CLOCKS)
    if kind == "days":
        if often:
            return random.choice(DAYS)
        return datetime.timedelta(microseconds=random.randint(-10**random.randint(1, 18), 10**random.randint(1, 18)))
    return random.choice(MONTHS) if often else YearsMonths(random.randint(-5000, 5000))


def rows(seed: str, count: int) -> list[dict[str, Any]]:
    random = Random(seed)
    return [
        {name: drawn(kind, random) for kind, names in INPUTS.items() for name in names.split()} for _ in range(count)
    ]
