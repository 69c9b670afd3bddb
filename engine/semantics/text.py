"""Kernels over texts, by code point, and the text of any value."""
from __future__ import annotations

from typing import Any

from engine.semantics import number, temporal
from engine.semantics.equality import CONTEXT, LIST, MAX_DEPTH, NUMBER, RANGE, STRING, kind_of
from engine.semantics.values import MAX_TEXT, LimitExceeded, Undefined
from engine.semantics.work import made


def concat(a: str, b: str) -> str:
    made(len(a) + len(b), MAX_TEXT, "text", "characters")
    return a + b


def length(text: str) -> int:
    return len(text)


def substring(text: str, start: float, count: float | None = None) -> str:
    """From the 1-based `start` (from the end where negative); fractions are cut off."""
    first = int(start)
    if first == 0:
        raise Undefined("positions in a text start at 1")
    first = first - 1 if first > 0 else len(text) + first
    if first < 0 or first > len(text):
        raise Undefined("the start lies outside the text")
    if count is None:
        return text[first:]
    if count < 0:
        raise Undefined("a length is not negative")
    return text[first:first + int(count)]


def upper(text: str) -> str:
    return text.upper()


def lower(text: str) -> str:
    return text.lower()


def before(text: str, match: str) -> str:
    at = text.find(match)
    return text[:at] if at >= 0 else ""


def after(text: str, match: str) -> str:
    at = text.find(match)
    return text[at + len(match):] if at >= 0 else ""


def contains(text: str, match: str) -> bool:
    return match in text


def starts(text: str, match: str) -> bool:
    return text.startswith(match)


def ends(text: str, match: str) -> bool:
    return text.endswith(match)


def join(items: list[Any], delimiter: str | None = None) -> str:
    """The texts of a list, nulls left out."""
    parts = [item for item in items if item is not None]
    if not all(isinstance(item, str) for item in parts):
        raise Undefined("a list of texts is joined")
    between = delimiter or ""
    made(sum(map(len, parts)) + len(between) * len(parts), MAX_TEXT, "text", "characters")
    return between.join(parts)


def to_number(text: str, grouping: str | None = None, decimal: str | None = None) -> int | float:
    """The number that `text` writes with the given separators."""
    if grouping not in (None, " ", ",", "."):
        raise Undefined("a grouping separator is a space, `,` or `.`")
    if decimal not in (None, ",", "."):
        raise Undefined("a decimal separator is `,` or `.`")
    if grouping is not None and grouping == decimal:
        raise Undefined("the two separators differ")
    plain = text
    if grouping is not None:
        plain = plain.replace(grouping, "")
    if decimal is not None:
        if decimal != "." and "." in plain:
            raise Undefined(f"`{_short(text)}` is not a number")
        plain = plain.replace(decimal, ".")
    if len(plain) > 400 or not plain.isascii() or any(c not in "0123456789.eE+-" for c in plain):
        raise Undefined(f"`{_short(text)}` is not a number")
    try:
        value = float(plain)
    except ValueError:
        raise Undefined(f"`{_short(text)}` is not a number") from None
    value = number.settle(value)
    return int(value) if value.is_integer() and abs(value) <= 2**53 else value


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def to_string(value: Any) -> str:
    """FEEL's `string`: a text as it is, others as FEEL writes them."""
    if isinstance(value, str):
        return value
    parts: list[str] = []
    _write(value, parts, 0)
    text = "".join(parts)
    made(len(text), MAX_TEXT, "text", "characters")
    return text


def _write(value: Any, out: list[str], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise LimitExceeded(f"values are nested at most {MAX_DEPTH} deep")
    if len(out) > MAX_TEXT:
        raise LimitExceeded(f"a text has at most {MAX_TEXT:,} characters")
    kind = kind_of(value)
    if value is None:
        out.append("null")
    elif isinstance(value, bool):
        out.append("true" if value else "false")
    elif kind == NUMBER:
        out.append(number.format_number(value))
    elif kind == STRING:
        out.append(quoted(value))
    elif kind == LIST:
        out.append("[")
        for index, item in enumerate(value):
            if index:
                out.append(", ")
            _write(item, out, depth + 1)
        out.append("]")
    elif kind == CONTEXT:
        out.append("{")
        for index, (key, item) in enumerate(value.items()):
            if index:
                out.append(", ")
            out.append(f"{key_text(key)}: ")
            _write(item, out, depth + 1)
        out.append("}")
    elif kind == RANGE:
        _write_range(value, out, depth)
    elif kind == "function":
        out.append("function")
    else:
        out.append(temporal.format_temporal(value))


def _write_range(value: Any, out: list[str], depth: int) -> None:
    if value.sign:
        out.append(f"({value.sign} ")
        _write(value.low if value.sign not in ("<", "<=") else value.high, out, depth + 1)
        out.append(")")
        return
    out.append("[" if value.low_closed else "(")
    _write(value.low, out, depth + 1)
    out.append("..")
    _write(value.high, out, depth + 1)
    out.append("]" if value.high_closed else ")")


def quoted(text: str) -> str:
    """A text as a FEEL literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return '"' + escaped.replace("\t", "\\t") + '"'


def key_text(key: str) -> str:
    """The name of a member as a context's text has it."""
    words = key.split(" ")
    return key if all(word.isidentifier() for word in words) else quoted(key)
