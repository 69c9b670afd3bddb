"""Short names for SQL trees. Operands are trees, columns or plain numbers; they are copied, so that one may be
used twice."""
from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from engine.backends.sql.stages import Sql, binary, case, number, whole

Operand = Sql | exp.Expr | int | float


def tree(operand: Operand) -> exp.Expr:
    """An operand's tree; an int is a whole number, a float a DOUBLE."""
    if isinstance(operand, Sql):
        return operand.tree.copy()
    if isinstance(operand, int):
        return whole(operand)
    return number(operand) if isinstance(operand, float) else operand.copy()


def text(value: str) -> exp.Expr:
    return exp.Literal.string(value)


def plus(a: Operand, b: Operand) -> exp.Expr:
    return binary(exp.Add, tree(a), tree(b))


def minus(a: Operand, b: Operand) -> exp.Expr:
    return binary(exp.Sub, tree(a), tree(b))


def times(a: Operand, b: Operand) -> exp.Expr:
    return binary(exp.Mul, tree(a), tree(b))


def over(a: Operand, b: Operand) -> exp.Expr:
    """Division of DOUBLEs."""
    return binary(exp.Div, tree(a), tree(b))


def opposite(a: Operand) -> exp.Expr:
    return exp.Paren(this=exp.Neg(this=exp.Paren(this=tree(a))))


def size(a: Operand) -> exp.Expr:
    return exp.Abs(this=tree(a))


def below(a: Operand, b: Operand) -> exp.Expr:
    return binary(exp.LT, tree(a), tree(b))


def above(a: Operand, b: Operand) -> exp.Expr:
    return binary(exp.GT, tree(a), tree(b))


def at_least(a: Operand, b: Operand) -> exp.Expr:
    return binary(exp.GTE, tree(a), tree(b))


def at_most(a: Operand, b: Operand) -> exp.Expr:
    return binary(exp.LTE, tree(a), tree(b))


def equal(a: Operand, b: Operand) -> exp.Expr:
    return binary(exp.EQ, tree(a), tree(b))


def unequal(a: Operand, b: Operand) -> exp.Expr:
    return binary(exp.NEQ, tree(a), tree(b))


def larger(a: Operand, b: Operand) -> exp.Expr:
    """The larger of two numbers that are not NULL (GREATEST skips NULL)."""
    return case([(at_least(a, b), tree(a))], tree(b))


def smaller(a: Operand, b: Operand) -> exp.Expr:
    return case([(at_most(a, b), tree(a))], tree(b))


def cast(a: Operand, kind: str) -> exp.Expr:
    return exp.cast(tree(a), kind)


def double(a: Operand) -> exp.Expr:
    return cast(a, "DOUBLE")


def bigint(a: Operand) -> exp.Expr:
    """A whole number as BIGINT."""
    return cast(a, "BIGINT")


def cut(a: Operand) -> exp.Expr:
    """A DOUBLE that fits as BIGINT, its fraction cut off."""
    return exp.cast(exp.Trunc(this=tree(a)), "BIGINT")


def function(name: str, *arguments: Operand) -> exp.Expr:
    """A function that sqlglot has no node for, or one that differs by engine."""
    return exp.Anonymous(this=name, expressions=[tree(a) for a in arguments])


def joined(parts: Sequence[Operand]) -> exp.Expr:
    """Texts one behind the other."""
    found = tree(parts[0])
    for part in parts[1:]:
        found = binary(exp.DPipe, found, tree(part))
    return found
