"""Cells as people write them in a spreadsheet, and the unary tests they stand for.

`1 to 2`, `between 1 and 2`, `> 2 and < 5`, `at least 3`, `大于等于3`, `any`, `n/a`: none of them is a test in FEEL, and
some (`1-2`, which is -1) are read as something else. A text that is a name of the policy is never a phrase.
"""
from __future__ import annotations

import re

from engine.records import Record
from engine.semantics.lazy import Lazy
from engine.syntax.slips import FULL_WIDTH

_NUMBER = r"-?\d+(?:\.\d+)?(?:%|万|亿)?"
_SIGN = r"<=|>=|<|>"
_RANGE = Lazy(rf"(?:(?:between|from) )?({_NUMBER})(?: ?(?:\.\.|…|~|到|至) ?| to )({_NUMBER})", re.IGNORECASE)
_BETWEEN = Lazy(rf"between ({_NUMBER}) and ({_NUMBER})", re.IGNORECASE)
_HYPHEN = Lazy(r"(\d+(?:\.\d+)?(?:%|万|亿)?) ?- ?(\d+(?:\.\d+)?(?:%|万|亿)?)")
_BOTH = Lazy(rf"({_SIGN}) ?({_NUMBER}) ?(?: and |&&?|且|并且) ?({_SIGN}) ?({_NUMBER})", re.IGNORECASE)
_EITHER = Lazy(rf"((?:{_SIGN}) ?{_NUMBER}) ?(?: or |\|\|?|或|或者) ?((?:{_SIGN}) ?{_NUMBER})", re.IGNORECASE)
_WORDED = Lazy(rf"([^\W\d][^\d]*?) ?({_NUMBER})")
_UNIT = Lazy(rf"((?:{_SIGN})? ?)(?:[¥￥] ?({_NUMBER})|({_NUMBER}) ?(?:元|CNY|RMB))")
_FOREIGN = Lazy(rf"((?:{_SIGN})? ?)[$€£] ?({_NUMBER})")
_POINTS = Lazy(rf"((?:{_SIGN})? ?)(\d+(?:\.\d+)?) ?(?:bps?|基点)")
_SIGNS = {
    "at least": ">=", "no less than": ">=", "not less than": ">=", "minimum": ">=", "from": ">=",
    "at most": "<=", "no more than": "<=", "not more than": "<=", "up to": "<=", "maximum": "<=",
    "more than": ">", "greater than": ">", "over": ">", "above": ">",
    "less than": "<", "under": "<", "below": "<", "equals": "=", "equal to": "=",
    "大于": ">", "超过": ">", "高于": ">", "大于等于": ">=", "不小于": ">=", "不低于": ">=", "不少于": ">=",
    "至少": ">=",
    "小于": "<", "低于": "<", "少于": "<", "小于等于": "<=", "不大于": "<=", "不高于": "<=", "不超过": "<=",
    "至多": "<=",
    "等于": "=",
}
_ANY = frozenset({"any", "all", "every", "任意", "不限", "全部", "所有"})
_REST = frozenset({"otherwise", "other", "others", "rest", "其他", "其它", "其余"})
_NONE = frozenset({"blank", "empty", "missing", "na", "空", "空白", "缺失", "未提供"})
_TRUTH = {"yes": "true", "y": "true", "是": "true", "no": "false", "n": "false", "否": "false"}
_ASCII = str.maketrans(
    {**{wide: narrow for wide, narrow in FULL_WIDTH.items() if narrow not in ",:;@!&|^/*"}, "～": "~"})


class Phrase(Record):
    """What a cell in words stands for: the help, the tests that were meant where that is certain, and those that it
    is read as, so that the rest of the row is looked at."""

    help: str
    meant: str | None = None
    read_as: str = "-"


def word(text: str) -> Phrase | None:
    """The phrase that a single word is, which no name and no value of the column is."""
    low = text.lower()
    if low in _ANY:
        return Phrase("write `-` where any value will do", "-")
    if low in _REST:
        return Phrase("write `-` in the last row, where any other value will do")
    if low in _NONE:
        return Phrase("write `null` for a missing value")
    return _certain(_TRUTH[low]) if low in _TRUTH else None


def phrase(text: str) -> Phrase | None:
    """The phrase of several words or signs that a whole cell is, None where it is none."""
    plain = " ".join(text.translate(_ASCII).split())
    if plain == "*" or plain == "-" != text:
        return Phrase("write `-` where any value will do", "-")
    if plain.lower() in ("n/a", "#n/a"):
        return Phrase("write `null` for a missing value, `-` where the condition does not matter")
    if found := _RANGE.fullmatch(plain) or _BETWEEN.fullmatch(plain) or _HYPHEN.fullmatch(plain):
        return _range(found[1], found[2])
    if found := _BOTH.fullmatch(plain):
        return _both(*found.groups())
    if found := _EITHER.fullmatch(plain):
        return _certain(f"{found[1]}, {found[2]}")
    if (found := _WORDED.fullmatch(plain)) and (sign := _SIGNS.get(found[1].lower())):
        return _certain(f"{sign} {found[2]}")
    if found := _UNIT.fullmatch(plain):
        return _certain(f"{found[1]}{found[2] or found[3]}")
    if found := _FOREIGN.fullmatch(plain):
        return Phrase(f"write `{found[1]}{found[2]}`, in the currency of the policy")
    if found := _POINTS.fullmatch(plain):
        return _certain(f"{found[1]}{float(found[2]) / 100:g}%")
    return None


def _certain(meant: str) -> Phrase:
    return Phrase(f"write `{meant}`", meant, meant)


def _range(low: str, high: str) -> Phrase:
    return Phrase(f"write `[{low}..{high}]`, or `[{low}..{high})` without its upper end", None, f"[{low}..{high}]")


def _both(one: str, first: str, two: str, second: str) -> Phrase | None:
    """`> 2 and < 5`, either way round."""
    if one[0] == two[0]:
        return None
    if one[0] == "<":
        one, first, two, second = two, second, one, first
    return _certain(f"{'[' if one == '>=' else '('}{first}..{second}{']' if two == '<=' else ')'}")
