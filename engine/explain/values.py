"""Values of an explanation: as JSON, and as people write them."""
from __future__ import annotations

import re
from typing import Any

from engine.explain.phrases import Phrases
from engine.semantics.temporal import format_temporal

#: Below this a whole number is written without groups: years and identifiers are numbers too.
GROUPED = 10_000
#: Characters of a text that are shown; the JSON form has all.
LONGEST = 300

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\U000e0000-\U000e007f]"
)
_DURATION = re.compile(r"(-?)P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?")
_UNITS = ("year", "month", "day", "hour", "minute", "second")


def plain(value: Any) -> Any:
    """A value as JSON has it: dates, times and durations as ISO text."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return format_temporal(value)


def visible(text: str) -> str:
    """User text on one line, control and directional characters as escapes."""
    return _UNSEEN.sub(lambda m: f"\\u{{{ord(m[0]):x}}}", text)


def show(value: Any, kind: Any, phrases: Phrases, currency: str | None = None, percent: bool = False) -> str:
    """A JSON value of the described type `kind` as a person writes it.

    Numbers are grouped by thousands, money has its currency, `percent` shows a number in hundredths;
    null is "no value", an empty list "none".
    """
    if value is None:
        return phrases["no value"]
    if value is True or value is False:
        return phrases["true"] if value else phrases["false"]
    if isinstance(value, (int, float)):
        if kind == "money":
            text = money(value)
            return f"{currency} {text}" if currency else text
        if kind == "rows":
            return phrases["row" if value == 1 else "rows"].format(value)
        if kind == "groups":
            return phrases["group" if value == 1 else "groups"].format(value)
        return number(value * 100) + "%" if percent or kind == "percent" else number(value)
    if isinstance(value, str):
        if isinstance(kind, str) and kind.endswith("duration"):
            return duration(value, phrases)
        return visible(value if len(value) <= LONGEST else f"{value[:LONGEST]}…") if value else '""'
    if isinstance(value, list):
        item = kind.get("list") if isinstance(kind, dict) else None
        shown = [show(v, item, phrases, currency, percent) for v in value[:20]]
        if len(value) > 20:
            shown.append(phrases["and more"].format(len(value) - 20))
        between = "; " if any(isinstance(v, dict) for v in value) else phrases["comma"]
        return between.join(shown) if shown else phrases["none"]
    fields = (kind.get("fields") if isinstance(kind, dict) else None) or {}
    parts = (f"{visible(n)} {show(v, fields.get(n), phrases, currency, percent)}" for n, v in value.items())
    return phrases["pause"].join(parts)


def number(value: float) -> str:
    """A number with grouped thousands and at most six digits that matter, more where fewer would look round.

    0.99999999 must not be shown as 1 beside the rule that it just fails.
    """
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= GROUPED else str(value)
    size = abs(value)
    if size >= 1e15 or (value and size < 1e-6):
        return repr(value)
    near = value
    for digits in (max(6, len(str(int(size))) + 2), 12, 17):
        mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
        near = float(f"{mantissa}e{power}")
        if abs(near - value) <= 1e-12 * size or not mantissa.endswith("0"):
            break
    text = f"{near:,}" if size >= GROUPED else f"{near:.15f}".rstrip("0") if size < 1e-3 else repr(near)
    text = text.removesuffix(".0").rstrip(".")
    return "0" if text == "-0" else text


def money(value: float) -> str:
    """An amount with grouped thousands: cents only where there are any, finer parts only where they count."""
    for digits in (0, 2, 4):
        text = f"{value:,.{digits}f}"
        if abs(float(text.replace(",", "")) - value) <= max(1e-4, 1e-12 * abs(value)):
            break
    if digits > 2:
        text = text[:-2] + text[-2:].rstrip("0")
    return "0" if text == "-0" else text


def duration(text: str, phrases: Phrases) -> str:
    """`P1Y2M` as "1 year 2 months"."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return text
    counts = [(c, u) for c, u in zip(match.groups()[1:], _UNITS, strict=True) if c is not None and float(c)]
    parts = [phrases[u if c == "1" else f"{u}s"].format(c) for c, u in counts]
    return match[1] + (phrases["space"].join(parts) or phrases["days"].format(0))
