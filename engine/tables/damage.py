"""What a spreadsheet does to texts, found again cell by cell.

A spreadsheet takes what is typed for a number, a date, a truth value or a formula where it can, and a word processor's
habits (curly quotes, long dashes) come along by copying. Sheets are written as text, which keeps most of this away;
the rest is named here, and where what was meant is certain, mended. A text that stood in the column before is never
damage.
"""
from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from engine.records import Record

#: Roles of a column.
ID = "id"
TEST = "test"
RESULT = "result"

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATE_CALL = re.compile(r'date\("\d{4}-\d{2}-\d{2}"\)')
_SCIENTIFIC = re.compile(r"(?<![\w.])\d+(?:\.\d+)?[eE][-+]?\d{1,3}(?![\w.])")
_COMMA = re.compile(r"，(?=\S)")
_WHOLE = re.compile(r"(\d)\.0+(?!\d)")
_STRINGS = re.compile(r'("(?:[^"\\]|\\.)*")')
_PLAIN = re.compile(r"[\s０-９0-9＋－＝＜＞％．，（）［］≥≤≠<>=.,%+()\[\]万亿-]+")
_BLANKS = dict.fromkeys("\xa0\u2002\u2003\u2007\u2009\u202f\u3000", " ") | dict.fromkeys("\u200b\u200c\u200d\u2060", "")
_QUOTES = dict.fromkeys("“”„‟＂", '"')
_DASHES = dict.fromkeys("–—−‐‑", "-")
_WIDE = {chr(0xFF01 + n): chr(0x21 + n) for n in range(94) if chr(0x21 + n) in "0123456789+-=<>%.,()[]!"} | {
    "≥": ">=", "≤": "<=", "≠": "!=", "。": ".", "…": "..", "｜": "|"}
#: Digits that a spreadsheet's numbers hold.
_DIGITS = 15
_FIRST_DAY = datetime.date(1899, 12, 30)
_SERIALS = range(20_000, 80_000)                        # 1954 to 2119


class Raw(Record):
    """A cell as the file holds it: its value, its type by the file's letter (`f` a formula, `e` an error), and the
    format that numbers are shown in."""

    value: Any
    type: str
    format: str


class Read(Record):
    """A cell's text, what was done to it (None: nothing), and whether `text` is certainly what was meant."""

    text: str
    damage: str | None = None
    certain: bool = True


def read(cell: Raw, role: str, before: Sequence[str], header: str = "") -> Read:
    """The text of a cell in a column of a role, `before` the texts of that column before, `header` its name."""
    value = cell.value
    if value is None:
        return Read("")
    if cell.type == "e":
        return Read(str(value), f"holds the error `{value}`", False)
    if cell.type == "f" or not isinstance(value, (str, bool, int, float, datetime.date, datetime.time,
                                                  datetime.timedelta)):
        return _formula(value, role)
    if isinstance(value, bool):
        word = "true" if value else "false"
        return Read(word, f"holds the spreadsheet's `{word.upper()}`, not the word `{word}`")
    if isinstance(value, (int, float)):
        return _number(value, cell.format, role, before, header)
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta)):
        return _date(value, before, header)
    return _text(value, role, before)


def _formula(value: Any, role: str) -> Read:
    text = value if isinstance(value, str) else ""
    if role == RESULT and text.startswith("="):
        return Read(f"= {text[1:].strip()}", f"holds a formula of the spreadsheet, `{text}`, not the text")
    return Read(text, f"holds a formula of the spreadsheet, `{text or '(array)'}`, not a text", False)


def _number(value: int | float, shown: str, role: str, before: Sequence[str], header: str) -> Read:
    exact = Decimal(repr(value))
    same = list(dict.fromkeys(t for t in before if _amount(t) == exact))
    plain = _plain(exact)
    if plain in same:
        return Read(plain)
    if role == ID:
        if len(same) == 1:
            return Read(same[0], f"holds the number {plain}, where `{same[0]}` was written")
        padded = [t for t in before if t.startswith("0") and t.isdigit()]
        if padded and len(plain) < min(map(len, padded)):
            return Read(plain, f"holds the number {plain}, whose leading zeros are lost", False)
    if "%" in shown:
        percent = f"{_plain(exact * 100)}%"
        return Read(percent, f"holds the number {plain}, shown as {percent}, not the text `{percent}`")
    dates = header == "from" or (bool(before) and any(map(_ISO.fullmatch, before)))
    if dates and float(value).is_integer() and int(value) in _SERIALS:
        day = _FIRST_DAY + datetime.timedelta(days=int(value))
        return Read(day.isoformat(), f"holds {plain}, the number that a spreadsheet keeps for a day")
    if len(exact.as_tuple().digits) > _DIGITS:
        return Read(plain, f"holds the number {plain}, and a spreadsheet drops digits behind the fifteenth", False)
    if "E" in shown.upper() and "E+" in shown.upper():
        return Read(plain, f"holds the number {plain}, which the spreadsheet made of something like `1E3`", role != ID)
    if len(same) == 1:
        return Read(same[0], f"holds the number {plain}, where `{same[0]}` was written")
    return Read(plain)


def _amount(text: str) -> Decimal | None:
    """The number that a spreadsheet would take a text for."""
    percent = text.endswith("%")
    body = text.removesuffix("%")
    if not re.fullmatch(r"[-+]?\d+(\.\d*)?([eE][-+]?\d{1,3})?", body, re.ASCII):
        return None
    return Decimal(body) / 100 if percent else Decimal(body)


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _date(value: Any, before: Sequence[str], header: str) -> Read:
    if isinstance(value, datetime.datetime) and value.time() == datetime.time(0):
        value = value.date()
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    what = f"holds the {'date' if isinstance(value, datetime.date) else 'time'} {text} of the spreadsheet, not a text"
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        if header == "from" or any(map(_ISO.fullmatch, before)):
            return Read(text, what)
        if any(map(_DATE_CALL.search, before)):
            return Read(f'date("{text}")', what)
    return Read(text, what, False)


def _text(value: str, role: str, before: Sequence[str]) -> Read:
    typed = value.strip(" ")
    if typed in before:
        return Read(typed)
    damages: list[str] = []
    text = typed

    def changed(new: str, what: str) -> None:
        nonlocal text
        if new != text:
            damages.append(what)
            text = new

    changed(re.sub(r"[\t\r\n]+", " ", text), "a line end or tab")
    changed(_translated(text, _BLANKS, whole=False).strip(), "a blank that is no space")
    if text.startswith("'") and text.count("'") == 1:
        changed(text[1:], "a leading apostrophe")
    changed(_translated(text, _QUOTES), "curly quotes")
    is_prose = role == ID and any("CJK" in unicodedata.name(c, "") for c in text if c.isalpha())
    if (role != RESULT or text.startswith("=") or _PLAIN.fullmatch(text)) and not is_prose:
        changed(_translated(_outside(text, lambda part: _COMMA.sub("， ", part)), _WIDE), "full-width signs")
        changed(_translated(text, _DASHES) if role != ID else text, "a dash that is no minus")
    if role != ID:
        changed(_outside(text, lambda part: _SCIENTIFIC.sub(lambda m: _plain(Decimal(m[0])), part)),
                f"`{text}`, a number as a spreadsheet shows it")
        if text in ("TRUE", "FALSE"):
            changed(text.lower(), f"the spreadsheet's `{text}`")
        if _WHOLE.sub(r"\1", text) in before:
            changed(_WHOLE.sub(r"\1", text), f"`{text}`, whole numbers with a point")
    if not damages:
        return Read(text)
    return Read(text, f"holds {' and '.join(damages)}")


def _translated(text: str, table: dict[str, str], whole: bool = True) -> str:
    """`text` with characters replaced; where `whole`, not inside strings in straight quotes."""
    if not any(c in text for c in table):
        return text
    codes = str.maketrans(table)
    return _outside(text, lambda part: part.translate(codes)) if whole else text.translate(codes)


def _outside(text: str, change: Callable[[str], str]) -> str:
    """`text` with what stands outside strings changed."""
    return "".join(part if index % 2 else change(part) for index, part in enumerate(_STRINGS.split(text)))
