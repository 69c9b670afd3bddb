"""Values of literals: texts without their escapes, numbers to the nearest double."""
from __future__ import annotations

import math
import re

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{6})|(.))", re.DOTALL)
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}


def decode(body: str) -> str:
    """A string literal's value: escapes resolved, surrogate pairs joined, lone ones replaced.

    A backslash before any other character stands for itself, as in regular expressions.
    """
    if "\\" in body:
        def swap(m: re.Match[str]) -> str:
            if m[3] is not None:
                return _SIMPLE_ESCAPES.get(m[3], m[0])
            point = int(m[1] or m[2], 16)
            return chr(point) if point <= 0x10FFFF else m[0]

        body = _ESCAPE.sub(swap, body)
    if not body.isascii() and any("\ud800" <= c <= "\udfff" for c in body):
        body = body.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return body


def plain(text: str, shift: int) -> str:
    """The digits of `text`, a decimal without an exponent, with the point moved `shift` places right."""
    whole, _, fraction = text.partition(".")
    fraction = fraction.ljust(shift, "0")
    rest = fraction[shift:].rstrip("0")
    return ((whole + fraction[:shift]).lstrip("0") or "0") + (f".{rest}" if rest else "")


def number_value(text: str, shift: int = 0) -> int | float:
    """The binary64 nearest to the decimal `text` times ten to the `shift`; an int where whole.

    Infinity where it is out of range.
    """
    if shift:
        mantissa, _, exponent = text.lower().partition("e")
        if len(exponent) > 6:
            return math.inf if float(mantissa) and not exponent.startswith("-") else 0
        text = f"{mantissa}e{int(exponent or 0) + shift}"
    elif len(text) < 16 and text.isdigit():
        return int(text)
    value = float(text)
    return int(value) if value.is_integer() and abs(value) <= 2**53 else value
