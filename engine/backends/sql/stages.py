"""Common table expressions in stages: each names columns over those of the stages before it.

Whatever is used twice becomes a column of the next stage, so that no expression is written
twice and depth never grows with the number of rules. SQL is a tree of sqlglot throughout.
"""
from __future__ import annotations

import math
from collections.abc import Sequence

from sqlglot import exp

from engine.records import Record

#: The longest chain of stages; a policy that needs more is refused when it is compiled.
MAX_STAGES = 400
LARGEST = 1.7976931348623157e308


class Sql(Record):
    """A scalar expression that reads columns of stages up to `level`; `nullable`: it may be NULL."""

    tree: exp.Expr
    level: int = 0
    nullable: bool = False

    @property
    def is_leaf(self) -> bool:
        """Whether repeating it costs nothing."""
        return isinstance(self.tree, (exp.Column, exp.Literal, exp.Boolean, exp.Null))


class Stages:
    """Columns by the stage that makes them; `levels[0]` are made from the relation itself."""

    def __init__(self) -> None:
        self.levels: list[list[tuple[str, exp.Expr]]] = [[]]
        self._count = 0

    def source(self, tree: exp.Expr, nullable: bool) -> Sql:
        """A column of the first stage, over the relation's own columns."""
        name = self._name()
        self.levels[0].append((name, tree))
        return Sql(column(name), 0, nullable)

    def named(self, value: Sql) -> Sql:
        """`value` as a column; itself where it is a column or a literal."""
        if value.is_leaf:
            return value
        level = value.level + 1
        while len(self.levels) <= level:
            self.levels.append([])
        name = self._name()
        self.levels[level].append((name, value.tree))
        return Sql(column(name), level, value.nullable)

    def _name(self) -> str:
        self._count += 1
        return f"c{self._count}"

    def select(self, relation: str, keep: Sequence[str], outputs: Sequence[tuple[str, exp.Expr]]) -> exp.Select:
        """The whole query: the columns `keep` of the relation as they are, and the outputs by name."""
        kept = [(f"k{i}", exp.column(exp.to_identifier(name, quoted=True))) for i, name in enumerate(keep)]
        ctes = []
        source = exp.Table(this=exp.to_identifier(relation, quoted=True))
        for index, columns in enumerate(self.levels):
            named = [exp.alias_(tree, name) for name, tree in ((kept if index == 0 else []) + columns)]
            if index > 0 and not named:
                continue
            if index == 0 and not named:
                named = [exp.alias_(number(0), "c0")]
            star = [exp.Star()] if index > 0 else []
            ctes.append((f"s{index}", exp.select(*star, *named).from_(source)))
            source = exp.Table(this=exp.to_identifier(f"s{index}"))
        final = exp.select(
            *(exp.alias_(column(name), exp.to_identifier(keep[i], quoted=True)) for i, (name, _) in enumerate(kept)),
            *(exp.alias_(tree, exp.to_identifier(name, quoted=True)) for name, tree in outputs),
        ).from_(source)
        for name, query in ctes:
            final = final.with_(name, as_=query, copy=False)
        return final


# --- trees ------------------------------------------------------------------------------------


def column(name: str) -> exp.Column:
    return exp.column(name)


def number(value: float) -> exp.Expr:
    """A DOUBLE literal: with an exponent, since SQL reads `0.1` as a decimal."""
    text = repr(float(value))
    literal = exp.Literal.number((text if "e" in text else f"{text}e0").removeprefix("-"))
    return exp.Paren(this=exp.Neg(this=literal)) if math.copysign(1, value) < 0 else literal


def whole(value: int) -> exp.Expr:
    literal = exp.Literal.number(str(abs(value)))
    return exp.Paren(this=exp.Neg(this=literal)) if value < 0 else literal


def operand(tree: exp.Expr) -> exp.Expr:
    """A tree as an operand: sqlglot writes operators without brackets of its own."""
    closed = (exp.Column, exp.Literal, exp.Boolean, exp.Null, exp.Func, exp.Case, exp.Cast, exp.Paren)
    return tree if isinstance(tree, closed) and not isinstance(tree, exp.Connector) else exp.Paren(this=tree)


def binary(kind: type[exp.Binary], left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return kind(this=operand(left), expression=operand(right))


def all_of(trees: Sequence[exp.Expr]) -> exp.Expr:
    return exp.and_(*map(operand, trees), copy=False) if trees else exp.true()


def any_of(trees: Sequence[exp.Expr]) -> exp.Expr:
    return exp.or_(*map(operand, trees), copy=False) if trees else exp.false()


def negated(tree: exp.Expr) -> exp.Expr:
    return exp.Not(this=operand(tree))


def is_null(tree: exp.Expr) -> exp.Expr:
    return exp.Is(this=operand(tree), expression=exp.null())


def case(whens: Sequence[tuple[exp.Expr, exp.Expr]], default: exp.Expr | None = None) -> exp.Expr:
    """A flat CASE; the default alone where there is no branch."""
    if not whens:
        return default if default is not None else exp.null()
    return exp.Case(
        ifs=[exp.If(this=test, true=value) for test, value in whens],
        default=None if default is None or isinstance(default, exp.Null) else default,
    )


def absolute(tree: exp.Expr) -> exp.Expr:
    return exp.Abs(this=tree)


def finite(tree: exp.Expr) -> exp.Expr:
    """A condition: a DOUBLE is finite (DuckDB holds NaN greater than every number)."""
    return exp.LTE(this=absolute(tree), expression=number(LARGEST))
