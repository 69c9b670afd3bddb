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

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
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
            return f"({'?:' if plain else ''}{inner})", counts or "|" in inner
        if char == "[":
            return self.char_class(), False
        if char == ".":
            return r"[^\x{A}\x{D}]", False
        if char == "^":
            return r"\A", True
        if char == "$":
            return r"\z", True
        return self.character(char), False

    def character(self, char: str) -> str:
        if char == "\\":
            char = self.take()
            if char not in _SPECIAL:
                raise Unreadable(f"`\\{char}`")
        return f"\\x{{{ord(char):X}}}"

    def char_class(self) -> str:
        out = ["["]
        if self.peek() == "^":
            out.append(self.take())
        first = True
        while first or self.peek() != "]":
            first = False
            if self.peek() == "-" and self.pattern[self.at + 1:self.at + 2] == "[":
                raise Unreadable("a class taken from a class")
            written = self.character(self.take())
            if self.peek() == "-" and self.pattern[self.at + 1:self.at + 2] not in ("]", "["):
                self.take()
                written += "-" + self.character(self.take())
            out.append(written)
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


def rewritten(pattern: str) -> tuple[str, int]:
    """A pattern in every engine's words, and its groups; raises `Unreadable`."""
    reader = _Reader(pattern)
    written, _ = reader.branches()
    return written, reader.groups


def _read(node: ir.Call) -> tuple[str, int] | None:
    """The pattern of a call and its groups; None where it is none of XPath, and the result null."""
    flags = [a for a in node.args[3 if node.op == "replace" else 2:] if a.type.kind != dt.NULL]
    if flags and not all(isinstance(f, ir.Const) and f.value == "" for f in flags):
        raise Gap(node.at, f"`{node.op}` with flags")
    pattern = _constant(node, 1, "a pattern")
    if "\0" in pattern or "\n" in pattern:
        raise Gap(node.at, f"`{node.op}` by a pattern with a control character")
    try:
        kernel.compiled(pattern, "")
    except (Undefined, LimitExceeded):
        return None
    try:
        return rewritten(pattern)
    except Unreadable as why:
        raise Gap(node.at, f"`{node.op}` by a pattern with {why}, which engines may read otherwise") from None


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
        kernel.replace("", _constant(node, 1, "a pattern"), replacement)
        parts = kernel.template(replacement, groups)
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
