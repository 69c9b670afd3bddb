"""Plain data of a policy file, read by its declared type.

The file keeps the text as typed, so `no` under `values: [yes, no]` is the word and
`3.10` under `type: string` keeps its zero; under `type: number` the suffixes `%`,
`万` and `亿` are read as in expressions.
"""
from __future__ import annotations

import datetime
import decimal
import re

from engine.semantics import dtypes as dt
from engine.semantics import temporal
from engine.semantics.dtypes import Type
from engine.semantics.values import YearsMonths
from engine.source.meant import meant

_NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(%|万|亿)?")
_SCALE = {None: 0, "%": -2, "万": 4, "亿": 8}


class NotReadable(Exception):
    """Why a text is no value of its type, with a hint, and the text that was surely meant, if that is certain."""

    def __init__(self, message: str, help: str | None = None, meant: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help if meant is None else f"write `{meant}`"
        self.meant = meant


def read(text: str, kind: Type) -> object:
    """The value of a non-empty plain text under `kind`; raises NotReadable."""
    try:
        return _read(text, kind)
    except NotReadable as why:
        surely = meant(text, kind)
        if surely is None or surely == text or not _reads(surely, kind):
            raise
        raise NotReadable(why.message, why.help, surely) from None


def _reads(text: str, kind: Type) -> bool:
    try:
        _read(text, kind)
    except NotReadable:
        return False
    return True


def _read(text: str, kind: Type) -> object:
    if kind.kind in dt.NUMERIC:
        return number(text)
    if kind.kind == dt.STRING:
        return unquoted(text)
    if kind.kind == dt.BOOLEAN:
        if text in ("true", "false"):
            return text == "true"
        raise NotReadable(f"`{text}` is not true or false", "write `true` or `false`")
    return _temporal(text, kind)


def number(text: str) -> int | float:
    """A number with an optional `%`, `万` or `亿`, correctly rounded; an int where whole."""
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        hint = None
        if re.fullmatch(r"[\d,.\s%]+", text):
            hint = "write it without thousands separators, and with a point before the decimals"
        elif text.startswith('"'):
            hint = "write the number without quotes"
        elif text and (text[0] in "¥￥$€£" or text[-1] in "元¥$€£"):
            hint = "write the number without the currency, which stands under `currency`"
        elif text.startswith("#"):
            hint = "a formula of the spreadsheet failed here; write the number"
        raise NotReadable(f"`{text}` is not a number", hint or "a computed result starts with `=`")
    exact = decimal.Decimal(found[1]).scaleb(_SCALE[found[2]])
    return int(exact) if exact == exact.to_integral_value() and abs(exact) < 2**53 else float(exact)


def unquoted(text: str) -> str:
    """Text, without the double quotes that may stand around it."""
    if len(text) >= 2 and text[0] == text[-1] == '"' and '"' not in text[1:-1]:
        return text[1:-1]
    return text


def _temporal(text: str, kind: Type) -> object:
    text = unquoted(text)
    try:
        if kind.kind == dt.DATE:
            return datetime.date.fromisoformat(text)
        if kind.kind == dt.TIME:
            return _local(datetime.time.fromisoformat(text), text)
        if kind.kind == dt.DATE_TIME:
            return _local(datetime.datetime.fromisoformat(text), text)
    except ValueError:
        raise NotReadable(f"`{text}` is not a {kind.kind}", _FORMS[kind.kind]) from None
    value = temporal.parse_duration(text)
    wanted = datetime.timedelta if kind.kind == dt.DAYS_DURATION else YearsMonths
    if not isinstance(value, wanted):
        raise NotReadable(f"`{text}` is not a {kind.kind}", _FORMS[kind.kind])
    return value


def _local(value: datetime.time | datetime.datetime, text: str) -> object:
    if value.tzinfo is not None:
        raise NotReadable(f"`{text}` has a time zone", "dates and times are local in a policy; leave the zone out")
    return value


_FORMS = {
    dt.DATE: "dates are written YYYY-MM-DD",
    dt.TIME: "times are written hh:mm:ss",
    dt.DATE_TIME: "dates and times are written YYYY-MM-DDThh:mm:ss",
    dt.DAYS_DURATION: "durations in days are written P30D",
    dt.MONTHS_DURATION: "durations in months are written P1Y6M",
}
