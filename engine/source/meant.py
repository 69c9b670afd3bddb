"""What a text that is no value of its type was surely meant as: what spreadsheets and keyboards make of one.

A number with thousands separators, a decimal comma or full-width signs, a day with slashes, `TRUE`: each is mended only
where nothing else can have been meant. `1,500` may be either, and so may the day `3/4/2026`.
"""
from __future__ import annotations

import datetime
import re

from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.semantics.lazy import Lazy
from engine.syntax.slips import FULL_WIDTH

_SIGNS = str.maketrans({**{wide: narrow for wide, narrow in FULL_WIDTH.items() if narrow in "0123456789+-.,%/:"},
                        "\u3000": " ", "\xa0": " ", "\u202f": " ", "\u2009": " ", "‐": "-", "‑": "-"})
_GROUPED = Lazy(r"([+-]?\d{1,3})((?:([, '])\d{3})(?:\3\d{3})*)(\.\d+)?( ?[%万亿])?", re.ASCII)
_COMMA = Lazy(r"[+-]?\d+,(?:\d{1,2}|\d{4,})( ?[%万亿])?", re.ASCII)
_DAY = Lazy(r"(\d{4})([-/.]|年)(\d{1,2})(?:\2|月)(\d{1,2})(日?)(?:[ T]00:00(?::00(?:\.0+)?)?)?", re.ASCII)
#: The days that a spreadsheet counts from, and the numbers that are days of 1954 to 2119.
_FIRST_DAY = datetime.date(1899, 12, 30)
_SERIAL = Lazy(r"[2-7]\d{4}(?:\.0)?", re.ASCII)


def meant(text: str, kind: Type) -> str | None:
    """A text that reads as a value of the type, None where it is not certain which."""
    plain = text.strip().translate(_SIGNS).strip()
    if kind.kind in dt.NUMERIC:
        return _number(plain)
    if kind.kind == dt.BOOLEAN:
        return plain.lower() if plain.lower() in ("true", "false") else None
    return _date(plain) if kind.kind == dt.DATE else None


def _number(plain: str) -> str | None:
    grouped = _GROUPED.fullmatch(plain)
    if grouped is not None:
        groups = re.split("[, ']", grouped[2])[1:]
        surely = len(groups) > 1 or groups[0].startswith("0") or grouped[3] != ","
        return grouped[1] + "".join(groups) + (grouped[4] or "") + (grouped[5] or "").strip() if surely else None
    return plain.replace(",", ".") if _COMMA.fullmatch(plain) else plain


def _date(plain: str) -> str | None:
    found = _DAY.fullmatch(plain)
    try:
        if found is not None:
            return datetime.date(int(found[1]), int(found[3]), int(found[4])).isoformat()
    except ValueError:
        return None
    if _SERIAL.fullmatch(plain):
        return (_FIRST_DAY + datetime.timedelta(days=int(float(plain)))).isoformat()
    return None
