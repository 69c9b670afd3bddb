"""Whether a finding's question (`did you mean ...?`) may be answered without a person.

A name that is near another may still be meant: `minus 1` beside `minus 2`, `in default` beside `no default`,
`月营业收入` beside `年营业收入`. Only what is plainly a slip of the fingers is mended: case and spacing, a letter left
out, doubled, added or wrong, or two swapped, in words long enough to tell.
"""
from __future__ import annotations

import re
import unicodedata

from engine.diagnostics import Diagnostic

_WORDS = re.compile(r"[\s_\-]+")
_NUMBER = re.compile(r"\d+")
#: Letters of a word from which one slip tells nothing less, and from which two do not.
_LEAST, _LONG = 4, 8
#: Unknown keys and words of the language: few can stand in a place, so that one slip tells however short they are.
_CLOSED = frozenset({"E0030", "E0033", "E0509"})


def is_question(finding: Diagnostic) -> bool:
    return finding.help is not None and finding.help.startswith("did you mean")


def is_slip(finding: Diagnostic, typed: str, meant: str) -> bool:
    """Whether `typed` can only have been meant as `meant`, which the finding asks."""
    one, two = _folded(typed), _folded(meant)
    if one == two:
        return True
    if _NUMBER.findall(one) != _NUMBER.findall(two) or not _alphabetic(one + two):
        return False
    ours, theirs = _WORDS.split(one), _WORDS.split(two)
    if "".join(ours) == "".join(theirs):                # a blank lost, added, or a letter away
        return True
    near = _beside if finding.code in _CLOSED else _near
    return len(ours) == len(theirs) and all(a == b or near(a, b) for a, b in zip(ours, theirs, strict=True))


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip("\"'` ")


def _alphabetic(text: str) -> bool:
    """Whether words are made of letters that carry no meaning of their own, as ideographs do."""
    return not any(c.isalpha() and "CJK" in unicodedata.name(c, "") for c in text)


def _beside(one: str, two: str) -> bool:
    return _distance(one, two) == 1


def _near(one: str, two: str) -> bool:
    short = min(len(one), len(two))
    if short < _LEAST:                                  # `day` and `days`, `dsr` and `drs`; not `cap` and `gap`
        other = len(one) != len(two) or sorted(one) == sorted(two)
        return short == _LEAST - 1 and other and _beside(one, two)
    return _distance(one, two) <= (2 if short >= _LONG else 1)


def _distance(one: str, two: str) -> int:
    """Letters added, left out or changed, and neighbours swapped (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, start=1):
        older, before, row = before, row, [i]
        for j, b in enumerate(two, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == two[j - 2] and one[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
