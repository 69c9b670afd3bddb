"""Ranges that a policy writes out as a text, `range("[1..10]")`: how a point lies to them, and their parts;
`semantics.intervals`. Two such ranges, and the parts of one, are known when a policy is compiled."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql import trees as t
from engine.backends.sql.operations.contexts import NoValue, got
from engine.backends.sql.operations.points import equals, kinds_agree, less
from engine.backends.sql.stages import Sql, case
from engine.backends.support import CONTEXTS, LISTS, ORDERED, RANGES, TEXTS, Form, Gap
from engine.ir import nodes as ir
from engine.semantics import conversions
from engine.semantics import dtypes as dt
from engine.semantics.catalogue import BUILTINS
from engine.semantics.equality import kind_of
from engine.semantics.values import Range, Undefined

if TYPE_CHECKING:
    from engine.backends.sql.expressions import SqlExpressions

_PARTS = frozenset({".start", ".end", ".start included", ".end included"})


def range_of(node: ir.Node, call: ir.Call) -> Range:
    """A range that is written out; raises `NoValue` where the text writes none, `Gap` where it is computed."""
    if isinstance(node, ir.Call) and node.op == "range" and isinstance(node.args[0], ir.Const):
        text = node.args[0].value
        if isinstance(text, str):
            try:
                return conversions.to_range(text)
            except Undefined:
                raise NoValue from None
    raise Gap(call.at, f"`{call.op}` of a range that is computed")


def settled(node: ir.Node) -> ir.Node:
    """A part of a range that is written out, as a constant, and a member of a context that is, as itself; any
    other node as it is."""
    if not isinstance(node, ir.Call):
        return node
    if node.op == "get value":
        return got(node)
    if node.op not in _PARTS:
        return node
    try:
        value = BUILTINS.get(node.op).kernel(range_of(node.args[0], node))
    except NoValue:
        return ir.Const(node.id, dt.Type(dt.NULL, True), node.at, None)
    return ir.Const(node.id, dt.Type(kind_of(value)), node.at, value)


class _Point:
    """A point against one end of a range and the other."""

    def __init__(self, of: SqlExpressions, node: ir.Call, point: Sql, kind: str) -> None:
        self.of = of
        self.node = node
        self.point = of.stages.named(point)
        self.kind = kind
        self.parts: list[Sql] = [self.point]

    def _end(self, value: Any) -> Sql:
        if not kinds_agree((self.kind, kind_of(value))):
            raise NoValue
        return Sql(self.of.literal(value, self.node.at))

    def _kept(self, test: Sql) -> exp.Expr:
        self.parts.append(test)
        return test.tree.copy()

    def below(self, end: Any) -> exp.Expr:
        return self._kept(less(self.of, self.point, self._end(end), self.kind))

    def above(self, end: Any) -> exp.Expr:
        return self._kept(less(self.of, self._end(end), self.point, self.kind))

    def at(self, end: Any, counts: bool) -> exp.Expr:
        """At an end that counts."""
        return self._kept(equals(self.of, self.point, self._end(end), self.kind)) if counts else exp.false()

    def before(self, span: Range) -> exp.Expr:
        return st.any_of([self.below(span.low), self.at(span.low, not span.low_closed)])

    def after(self, span: Range) -> exp.Expr:
        return st.any_of([self.above(span.high), self.at(span.high, not span.high_closed)])

    def starts(self, span: Range) -> exp.Expr:
        return self.at(span.low, span.low_closed)

    def finishes(self, span: Range) -> exp.Expr:
        return self.at(span.high, span.high_closed)

    def during(self, span: Range) -> exp.Expr:
        low = st.any_of([self.above(span.low), self.at(span.low, span.low_closed)])
        high = st.any_of([self.below(span.high), self.at(span.high, span.high_closed)])
        return st.all_of([low, high])


#: How a point before the comma lies to a range behind it; the names with the two the other way round.
_TESTS: dict[str, Callable[[_Point, Range], exp.Expr]] = {
    "before": _Point.before, "after": _Point.after, "starts": _Point.starts, "finishes": _Point.finishes,
    "during": _Point.during,
}
_MIRRORED = {
    "after": "before", "before": "after", "started by": "starts", "finished by": "finishes", "includes": "during",
}


def related(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """A point and a range."""
    first = node.args[0].type.kind != dt.RANGE
    op = node.op if first else _MIRRORED[node.op]
    try:
        span = range_of(node.args[1 if first else 0], node)
        point = _Point(of, node, args[0], node.args[0 if first else 1].type.kind)
        tree = _TESTS[op](point, span)
    except NoValue:
        return of.nothing(dt.BOOLEAN)
    if point.point.nullable:
        tree = case([(st.negated(st.is_null(t.tree(point.point))), tree)])
    return of.joined(tree, point.parts)


def both(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """Two ranges."""
    try:
        spans = [range_of(a, node) for a in node.args]
        found = BUILTINS.get(node.op).kernel(*spans)
    except (NoValue, Undefined):
        return of.nothing(dt.BOOLEAN)
    return Sql(of.literal(found, node.at))


def part(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    found = settled(node)
    if found is node:
        raise Gap(node.at, f"`{node.op}` of what the policy does not spell out")
    if not isinstance(found, ir.Const):
        return of.operand(found)
    return of.nothing(node.type.kind) if found.value is None else Sql(of.literal(found.value, node.at))


_TWO = Form((RANGES, RANGES), both)
_POINT, _RANGE = Form((ORDERED, RANGES), related), Form((RANGES, ORDERED), related)
OPERATIONS: Mapping[str, tuple[Form, ...]] = {
    **dict.fromkeys(("before", "after"), (_POINT, _RANGE, _TWO)),
    **dict.fromkeys(("meets", "met by", "overlaps", "overlaps before", "overlaps after", "coincides"), (_TWO,)),
    **dict.fromkeys(("starts", "finishes", "during"), (_POINT, _TWO)),
    **dict.fromkeys(("started by", "finished by", "includes"), (_RANGE, _TWO)),
    **dict.fromkeys(sorted(_PARTS), (Form((RANGES,), part),)),
    "get value": (Form((CONTEXTS, TEXTS), part), Form((CONTEXTS, LISTS), part)),
}
