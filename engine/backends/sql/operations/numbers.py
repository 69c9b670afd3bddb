"""Arithmetic over DOUBLEs, the same bits as `semantics.number`; NULL where the kernel has no value."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql import trees as t
from engine.backends.sql.stages import Sql, case
from engine.backends.support import NUMBERS, Form, Gap
from engine.check import rules
from engine.ir import nodes as ir
from engine.semantics.number import FLOOR_NUMBER, UNIT

if TYPE_CHECKING:
    from engine.backends.sql.expressions import SqlExpressions

INFINITY = float("inf")
_SIGNS: dict[str, type[exp.Binary]] = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}
#: Whole numbers that fit a BIGINT whatever they are divided by.
_FITS = 2.0**62


def arithmetic(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    low, high = rules.bounds(node.op, node.args[0].type, node.args[1].type)
    if -INFINITY < low and high < INFINITY and (node.op != "*" or _keeps_size(of, node.args)):
        return of.joined(st.binary(_SIGNS[node.op], t.tree(args[0]), t.tree(args[1])), args)
    a, b = args if not of.dialect.ends_out_of_range else map(of.stages.named, args)
    return of.only_finite(of.joined(of.dialect.calculated(node.op, a, b), [a, b]))


def _keeps_size(of: SqlExpressions, operands: Sequence[ir.Node]) -> bool:
    """Whether a product is not too small for a DOUBLE, or where that is no matter."""
    if not of.dialect.ends_out_of_range:
        return True
    return any(n.type.whole or abs(known_number(n) or 0) >= 1 for n in operands)


def division(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    low, high = rules.bounds("/", node.args[0].type, node.args[1].type)
    bounded = -INFINITY < low and high < INFINITY
    if rules.excludes_zero(node.args[1].type) and bounded and not of.dialect.ends_out_of_range:
        return of.joined(t.over(args[0], args[1]), args)
    return quotient(of, args[0], args[1])


def quotient(of: SqlExpressions, a: Sql, b: Sql) -> Sql:
    """A guarded division: NULL by zero, and where the result is not finite."""
    by = of.stages.named(b)
    divisor: exp.Expr = exp.Nullif(this=t.tree(by), expression=st.number(0))
    if of.dialect.ends_out_of_range:
        a, by = of.stages.named(a), of.stages.named(by.replace(tree=divisor, nullable=True))
        divisor = t.tree(by)
    return of.only_finite(of.joined(of.dialect.calculated("/", a, divisor), [a, by], True))


def power(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    of.needs("has_library", node)
    base, exponent = (of.stages.named(a) for a in args)
    fraction = t.unequal(of.dialect.floor(exponent), exponent)
    tree = case(
        [
            (st.all_of([t.equal(base, 0.0), t.below(exponent, 0.0)]), exp.null()),
            (st.all_of([t.below(base, 0.0), fraction]), exp.null()),
        ],
        exp.Pow(this=t.tree(base), expression=t.tree(exponent)),
    )
    return of.only_finite(of.joined(tree, [base, exponent], True))


def minus(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    return of.joined(t.opposite(args[0]), args)


def magnitude(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    return of.joined(t.size(args[0]), args)


def modulo(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    least = node.args[2].value if len(node.args) > 2 and isinstance(node.args[2], ir.Const) else FLOOR_NUMBER
    assert isinstance(least, float)
    return remainder(of, node, args[0], args[1], least)


def remainder(of: SqlExpressions, node: ir.Call, dividend: Sql, divisor: Sql, least: float) -> Sql:
    """`semantics.number.modulo`: exact of whole numbers, else by the tolerant floor of the quotient."""
    a, b = of.stages.named(dividend), of.stages.named(divisor)
    whole = [t.equal(of.dialect.floor(x), x) for x in (a, b)]
    exact = _exact_remainder(of, node, a, b)
    if all(n.type.whole for n in node.args[:2]) and len(node.args) > 1:
        return of.only_finite(of.joined(case([(t.unequal(b, 0.0), t.tree(exact))]), [exact], True))
    count = of.stages.named(of.rounder.floor(quotient(of, a, b), FLOOR_NUMBER))
    multiple = of.stages.named(of.joined(t.times(b, count), [b, count]))
    rest = of.stages.named(of.joined(t.minus(a, multiple), [a, multiple]))
    greatest = of.stages.named(of.joined(t.larger(t.size(a), t.size(multiple)), [a, multiple]))
    within = of.dialect.tolerance(greatest, least)
    nothing = of.stages.named(of.joined(t.smaller(within, t.times(UNIT, t.size(b))), [greatest, b]))
    tree = case(
        [
            (t.equal(b, 0.0), exp.null()), (st.all_of(whole), t.tree(exact)),
            (t.at_most(t.size(rest), nothing), st.number(0)),
        ],
        t.tree(rest),
    )
    return of.only_finite(of.joined(tree, [a, b, exact, rest, nothing], True))


def _exact_remainder(of: SqlExpressions, node: ir.Call, a: Sql, b: Sql) -> Sql:
    """Of whole numbers, with the divisor's sign."""
    by = exp.Nullif(this=t.tree(b), expression=st.number(0))
    if of.dialect.has_remainder:
        rest = of.dialect.remainder(a, by)
    else:
        if not all(map(fits_bigint, node.args[:2])):
            raise Gap(node.at, f"`{node.op}` of numbers without a declared range, in {of.dialect.title}")
        rest = t.double(of.dialect.remainder(t.bigint(a), t.bigint(by)))
    cut = of.stages.named(of.joined(rest, [a, b], True))
    signs = t.unequal(t.below(cut, 0.0), t.below(b, 0.0))
    tree = case([(st.all_of([t.unequal(cut, 0.0), signs]), t.plus(cut, b))], t.tree(cut))
    return of.stages.named(of.joined(tree, [cut, b]))


def fits_bigint(node: ir.Node) -> bool:
    """Whether a number fits a BIGINT: by its range, or since the door admits no larger whole one."""
    if isinstance(node, ir.Input) and node.type.whole:
        return True
    return all(abs(end) <= _FITS for end in rules.span_of(node.type))


def even(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    rest = of.stages.named(remainder(of, node, args[0], Sql(st.number(2)), FLOOR_NUMBER))
    if node.op == "even":
        tree = t.equal(rest, 0.0)
    else:
        tree = t.at_most(t.size(t.minus(rest, 1.0)), of.dialect.tolerance(t.larger(t.size(rest), 1.0), FLOOR_NUMBER))
    return of.joined(tree, [rest.replace(nullable=args[0].nullable)])


def root(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """IEEE defines the square root to the last bit."""
    value = of.stages.named(args[0])
    return of.joined(case([(t.at_least(value, 0.0), exp.Sqrt(this=t.tree(value)))]), [value], True)


def exponential(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    of.needs("has_library", node)
    return of.only_finite(of.joined(exp.Exp(this=t.tree(args[0])), args, True))


def logarithm(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    of.needs("has_library", node)
    value = of.stages.named(args[0])
    return of.joined(case([(t.above(value, 0.0), exp.Ln(this=t.tree(value)))]), [value], True)


def rounding(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    scale = node.args[1] if len(args) > 1 else None
    least = node.args[2].value if len(args) > 2 and isinstance(node.args[2], ir.Const) else FLOOR_NUMBER
    assert isinstance(least, float)
    known = known_number(scale)
    if scale is None or known is not None:
        return of.rounder.to_scale(node.op, args[0], int(known or 0), least)
    if not of.dialect.has_library:
        raise Gap(node.at, f"`{node.op}` to a computed scale, in {of.dialect.title}")
    return of.rounder.to_any_scale(node.op, args[0], args[1], least)


def known_number(node: ir.Node | None) -> int | float | None:
    """The value of a constant, a minus before it included; None for what is none."""
    if isinstance(node, ir.Const) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        return node.value
    return None


_TWO = (NUMBERS, NUMBERS)
_ROUNDINGS = ("decimal", "floor", "ceiling", "round up", "round down", "round half up", "round half down")
OPERATIONS: Mapping[str, tuple[Form, ...]] = {
    **dict.fromkeys(("+", "-", "*"), (Form(_TWO, arithmetic),)),
    "/": (Form(_TWO, division),),
    "**": (Form(_TWO, power),),
    "neg": (Form((NUMBERS,), minus),),
    "abs": (Form((NUMBERS,), magnitude),),
    "modulo": (Form(_TWO, modulo), Form((NUMBERS,) * 3, modulo)),
    **dict.fromkeys(("even", "odd"), (Form((NUMBERS,), even),)),
    "sqrt": (Form((NUMBERS,), root),),
    "exp": (Form((NUMBERS,), exponential),),
    "log": (Form((NUMBERS,), logarithm),),
    **dict.fromkeys(_ROUNDINGS, (Form((NUMBERS,), rounding), Form(_TWO, rounding), Form((NUMBERS,) * 3, rounding))),
}
