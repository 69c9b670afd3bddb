"""Texts by code point, as `semantics.text` has them."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql import trees as t
from engine.backends.sql.operations.numbers import known_number
from engine.backends.sql.stages import Sql, case
from engine.backends.support import LISTS, NUMBERS, TEXTS, Form, Gap
from engine.ir import nodes as ir
from engine.semantics import text as kernel
from engine.semantics.values import MAX_TEXT

if TYPE_CHECKING:
    from engine.backends.sql.expressions import SqlExpressions

#: Longer than any text of an engine; positions beyond say nothing that it does not.
_LONG = 2.0**31


def concatenation(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """Two texts; NULL beyond the length that a text may have."""
    left, right = (of.stages.named(a) for a in args)
    length = t.plus(exp.Length(this=t.tree(left)), exp.Length(this=t.tree(right)))
    test = t.at_most(length, MAX_TEXT)
    return of.joined(case([(test, t.joined([left, right]))]), [left, right], True)


def length(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    return of.joined(t.double(exp.Length(this=t.tree(args[0]))), args)


def found(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    tests: dict[str, Callable[[t.Operand, t.Operand], exp.Expr]] = {
        "contains": of.dialect.contains, "starts with": of.dialect.starts, "ends with": of.dialect.ends,
    }
    return of.joined(tests[node.op](args[0], args[1]), args)


# --- parts ---------------------------------------------------------------------------------------


def part(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """`substring`: by positions that are cut to whole ones, from the end where negative."""
    known = [known_number(a) for a in node.args[1:]]
    if None not in known:
        return _known_part(of, args[0], *(k for k in known if k is not None))
    text = of.stages.named(args[0])
    start = of.stages.named(_position(args[1]))
    total = t.double(exp.Length(this=t.tree(text)))
    first = case([(t.above(start, 0.0), t.minus(start, 1.0))], t.plus(total, start))
    first_column = of.stages.named(of.joined(first, [text, start]))
    tests = [t.unequal(start, 0.0), t.at_least(first_column, 0.0), t.at_most(first_column, total)]
    count: exp.Expr | None = None
    parts = [text, start, first_column]
    if len(args) > 2:
        most = of.stages.named(_position(args[2]))
        given = of.stages.named(args[2])
        tests.append(t.at_least(given, 0.0))
        count = t.cast(most, "INT")
        parts += [most, given]
    cut = exp.Substring(this=t.tree(text), start=t.plus(t.cast(first_column, "INT"), 1), length=count)
    return of.joined(case([(st.all_of(tests), cut)]), parts, True)


def _position(value: Sql) -> Sql:
    """A position cut to a whole number, and to what an engine takes as one."""
    low, high = -_LONG, _LONG - 1
    inside = exp.Trunc(this=t.tree(value))
    tree = case([(t.below(value, low), st.number(low)), (t.above(value, high), st.number(high))], t.double(inside))
    return value.replace(tree=tree)


def _known_part(of: SqlExpressions, value: Sql, start: float, count: float | None = None) -> Sql:
    first = int(start)
    if first == 0 or abs(first) >= _LONG or (count is not None and count < 0):
        return Sql(exp.cast(exp.null(), "TEXT"), 0, True)
    text = of.stages.named(value)
    total = exp.Length(this=t.tree(text))
    least = first - 1 if first > 0 else -first
    begin = st.whole(first) if first > 0 else t.plus(total, first + 1)
    most = None if count is None else st.whole(min(int(count), int(_LONG) - 1))
    cut = exp.Substring(this=t.tree(text), start=begin, length=most)
    return of.joined(case([(t.at_least(total, least), cut)]), [text], True)


def beside(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """`substring before` and `substring after` a match; "" without one."""
    text, match = (of.stages.named(a) for a in args)
    at = of.stages.named(of.joined(of.dialect.position(text, match), [text, match]))
    if node.op == "substring before":
        cut: exp.Expr = exp.Substring(this=t.tree(text), start=st.whole(1), length=t.minus(at, 1))
        empty = t.text("")
    else:
        behind = t.plus(at, exp.Length(this=t.tree(match)))
        cut, empty = exp.Substring(this=t.tree(text), start=behind), t.tree(text)
    nothing = st.all_of([t.equal(match, t.text("")), st.negated(st.is_null(t.tree(text)))])
    tree = case([(nothing, empty), (t.above(at, 0), cut), (t.equal(at, 0), t.text(""))])
    return of.joined(tree, [text, match, at])


# --- case ---------------------------------------------------------------------------------------


def cased(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """`upper case` and `lower case` of texts known beforehand: engines differ over letters beyond ASCII (`ß`)."""
    values = node.args[0].type.values
    if values is None:
        raise Gap(node.at, f"`{node.op}` of a text without declared values, whose letters may be any")
    change = kernel.upper if node.op == "upper case" else kernel.lower
    value = of.stages.named(args[0])
    if all(v.isascii() for v in values):
        kind = exp.Upper if node.op == "upper case" else exp.Lower
        return of.joined(kind(this=t.tree(value)), [value])
    whens = [(t.equal(value, of.literal(v, node.at)), of.literal(change(v), node.at)) for v in values]
    return of.joined(case(whens), [value])


# --- lists of texts -------------------------------------------------------------------------------


def join(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """The texts of a list that is spelt out, nulls left out."""
    items = of.listed(node.args[0], node)
    if not items:
        return Sql(t.text(""))
    between = args[0] if args else Sql(t.text(""))
    gap = case([(st.is_null(t.tree(between)), t.text(""))], t.tree(between)) if between.nullable else t.tree(between)
    pieces = [Sql(t.text("")) if i.tree == exp.null() else i for i in items if i.tree != exp.null()]
    if not pieces:
        return Sql(t.text(""))
    joined = of.stages.named(of.joined(of.dialect.joined(gap, pieces), [between, *pieces]).replace(nullable=False))
    # The kernel counts a delimiter behind the last text too.
    length = t.plus(exp.Length(this=t.tree(joined)), exp.Length(this=gap.copy()))
    test = st.any_of([t.equal(joined, t.text("")), t.at_most(length, MAX_TEXT)])
    return of.joined(case([(test, t.tree(joined))]), [joined, between], True)


OPERATIONS: Mapping[str, tuple[Form, ...]] = {
    "+": (Form((TEXTS, TEXTS), concatenation),),
    "string length": (Form((TEXTS,), length),),
    "substring": (Form((TEXTS, NUMBERS), part), Form((TEXTS, NUMBERS, NUMBERS), part)),
    **dict.fromkeys(("contains", "starts with", "ends with"), (Form((TEXTS, TEXTS), found),)),
    **dict.fromkeys(("substring before", "substring after"), (Form((TEXTS, TEXTS), beside),)),
    **dict.fromkeys(("upper case", "lower case"), (Form((TEXTS,), cased),)),
    "string join": (Form((LISTS,), join), Form((LISTS, TEXTS), join)),
}
