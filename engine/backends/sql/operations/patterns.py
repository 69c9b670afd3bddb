"""`matches` and `replace` by patterns that every engine of regular expressions reads alike.

A pattern is taken where it is written out in the policy and made of characters, classes of ASCII characters,
groups, alternatives, counts and the anchors; it is written anew, every character by its code point. What
engines read otherwise is refused: categories (their tables differ), back-references, reluctant counts, classes
of classes, flags. A count within a count is refused too: the kernel gives up on such a pattern after a while and
the others do not. Whether such a pattern is in a text hangs on no order of trial, and what the first match
is hangs on it in the same way in Python, RE2 and Java: the leftmost, of these the first alternative and the
longest count.
"""
from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from engine.backends.sql import trees as t
from engine.backends.sql.stages import Sql, case
from engine.backends.support import TEXTS, Form, Gap
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics import patterns as kernel
from engine.semantics.values import MAX_TEXT, LimitExceeded, Undefined

if TYPE_CHECKING:
    from engine.backends.sql.expressions import SqlExpressions

#: Characters with a meaning of their own, in a pattern and in a class.
_SPECIAL = frozenset("\\|.?*+(){}[]^$-")
#: Repetitions without a bound in one pattern: with more, a search of Python's takes too long for long texts.
MOST_OPEN = 2
MOST_COUNTED = 100


class Unreadable(Exception):
    """Something that engines might read otherwise, in words."""


class _Reader:
    """Reads a pattern that is known to be XPath's, and writes it by code points."""

    def __init__(self, pattern: str, flags: str = "") -> None:
        self.pattern = pattern
        self.flags = flags
        self.at = 0
        self.open = 0
        self.groups = 0

    def peek(self) -> str:
        return self.pattern[self.at:self.at + 1]

    def take(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1]

    def branches(self) -> tuple[str, bool]:
        """Alternatives up to a `)` or the end, and whether one of them counts."""
        parts, counts = [], False
        while True:
            written, counted = self.branch()
            parts.append(written)
            counts = counts or counted
            if self.peek() != "|":
                return "|".join(parts), counts
            self.take()

    def branch(self) -> tuple[str, bool]:
        out, counts = [], False
        while self.peek() and self.peek() not in "|)":
            atom, inner = self.atom()
            count = self.count()
            if count and inner:
                raise Unreadable("a count or alternatives within a count")
            out.append(atom + count)
            counts = counts or bool(count) or inner
        return "".join(out), counts

    def atom(self) -> tuple[str, bool]:
        """An atom, and whether it may not be counted."""
        char = self.take()
        if char == "(":
            plain = self.peek() == "?"
            if plain:
                self.at += 2
            else:
                self.groups += 1
            inner, counts = self.branches()
            self.take()
            return f"({'?:' if plain else ''}{inner})", counts or "|" in inner and not _is_choice(inner)
        if char == "[":
            return self.char_class(), False
        if char == ".":
            return (r"[\x{0}-\x{10FFFF}]" if "s" in self.flags else r"[^\x{A}\x{D}]"), False
        if char == "^":
            return r"\A", True
        if char == "$":
            return r"\z", True
        point = self.point(char)
        others = self.cases(point, point)
        return (f"[{_written(point)}{others}]" if others else _written(point)), False

    def point(self, char: str) -> int:
        """The code point of a character that has begun."""
        if char == "\\":
            char = self.take()
            if char not in _SPECIAL:
                raise Unreadable(f"`\\{char}`")
        return ord(char)

    def cases(self, low: int, high: int) -> str:
        """The other cases of characters, under the flag `i`."""
        if "i" not in self.flags:
            return ""
        if high > 127:
            raise Unreadable("letters beyond ASCII under the flag `i`")
        letters = [chr(p) for p in range(low, high + 1) if chr(p).isalpha()]
        return "".join(_written(ord(c.swapcase())) + _FOLDED.get(c.lower(), "") for c in letters)

    def char_class(self) -> str:
        out = ["["]
        if self.peek() == "^":
            out.append(self.take())
        first = True
        while first or self.peek() != "]":
            first = False
            if self.peek() == "-" and self.pattern[self.at + 1:self.at + 2] == "[":
                raise Unreadable("a class taken from a class")
            low = high = self.point(self.take())
            written = _written(low)
            if self.peek() == "-" and self.pattern[self.at + 1:self.at + 2] not in ("]", "["):
                self.take()
                high = self.point(self.take())
                written += "-" + _written(high)
            out.append(written + self.cases(low, high))
        self.take()
        return "".join(out) + "]"

    def count(self) -> str:
        char = self.peek()
        if not char or char not in "?*+{":
            return ""
        if char == "{":
            end = self.pattern.index("}", self.at)
            written = self.pattern[self.at:end + 1]
            low, comma, high = written[1:-1].partition(",")
            if int(high or low) > MOST_COUNTED:
                raise Unreadable(f"a count beyond {MOST_COUNTED}")
            unbounded = bool(comma) and not high
            self.at = end + 1
        else:
            written = self.take()
            unbounded = written != "?"
        self.open += unbounded
        if self.open > MOST_OPEN:
            raise Unreadable(f"more than {MOST_OPEN} counts without an end")
        if self.peek() == "?":
            raise Unreadable("a reluctant count")
        return written


def _is_choice(written: str) -> bool:
    """Whether alternatives are one character each, all different: then no text has two ways through them."""
    parts = written.split("|")
    return len(set(parts)) == len(parts) and all(_CHARACTER.fullmatch(part) for part in parts)


_CHARACTER = re.compile(r"\\x\{[0-9A-F]+\}")


def _written(point: int) -> str:
    return f"\\x{{{point:X}}}"


#: Characters beyond ASCII that fold to an ASCII letter: the Kelvin sign and the long s.
_FOLDED = {"k": _written(0x212A), "s": _written(0x17F)}


def rewritten(pattern: str, flags: str = "") -> tuple[str, int]:
    """A pattern in every engine's words, and its groups; raises `Unreadable`."""
    if "q" in flags:
        if "i" in flags:
            raise Unreadable("the flags `i` and `q`")
        return "".join(_written(ord(c)) for c in pattern), 0
    reader = _Reader(kernel.without_space(pattern) if "x" in flags else pattern, flags)
    written, _ = reader.branches()
    return written, reader.groups


def _read(node: ir.Call) -> tuple[str, int] | None:
    """The pattern of a call and its groups; None where it is none of XPath, and the result null."""
    pattern, flags = _constant(node, 1, "a pattern"), _flags(node)
    if "\0" in pattern:
        raise Gap(node.at, f"`{node.op}` by a pattern with a null character")
    try:
        kernel.compiled(pattern, flags)
    except (Undefined, LimitExceeded):
        return None
    if "m" in flags:
        raise Gap(node.at, f"`{node.op}` with the flag `m`")
    try:
        return rewritten(pattern, flags)
    except Unreadable as why:
        raise Gap(node.at, f"`{node.op}` by a pattern with {why}, which engines may read otherwise") from None


def _flags(node: ir.Call) -> str:
    place = 3 if node.op == "replace" else 2
    if len(node.args) <= place or node.args[place].type.kind == dt.NULL:
        return ""
    return _constant(node, place, "flags")


def _constant(node: ir.Call, place: int, what: str) -> str:
    argument = node.args[place]
    if isinstance(argument, ir.Const) and isinstance(argument.value, str):
        return argument.value
    raise Gap(node.at, f"`{node.op}` by {what} that is computed")


def matches(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    of.needs("has_search", node)
    found = _read(node)
    if found is None:
        return of.nothing(dt.BOOLEAN)
    return of.joined(of.dialect.search(args[0], found[0]), [args[0]])


def replaced(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    of.needs("has_replacing", node)
    found = _read(node)
    replacement = _constant(node, 2, "a replacement")
    if found is None:
        return of.nothing(dt.STRING)
    pattern, groups = found
    try:
        kernel.replace("", _constant(node, 1, "a pattern"), replacement, _flags(node))
        parts = [("text", replacement)] if "q" in _flags(node) else kernel.template(replacement, groups)
    except (Undefined, LimitExceeded):
        return of.nothing(dt.STRING)
    if any(kind == "group" and len(number) > 1 for kind, number in parts):
        raise Gap(node.at, "`replace` by a group beyond the ninth")
    if any(a[0] == "group" and b[0] == "text" and b[1].isdigit() for a, b in itertools.pairwise(parts)):
        raise Gap(node.at, "`replace` by a group with a digit behind it")
    value = of.stages.named(of.joined(of.dialect.replaced(args[0], pattern, parts), [args[0]]))
    test = t.at_most(exp.Length(this=t.tree(value)), MAX_TEXT)
    return value.replace(tree=case([(test, t.tree(value))]), nullable=True)


OPERATIONS: Mapping[str, tuple[Form, ...]] = {
    "matches": (Form((TEXTS, TEXTS), matches), Form((TEXTS, TEXTS, TEXTS), matches)),
    "replace": (Form((TEXTS,) * 3, replaced), Form((TEXTS,) * 4, replaced)),
}
