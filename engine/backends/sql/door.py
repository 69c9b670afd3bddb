"""Data at the door, in columns: the checks of `engine.ir.door` over a relation's cells."""
from __future__ import annotations

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.expressions import SqlExpressions
from engine.backends.sql.stages import FALSE, Sql
from engine.backends.sql.tables import Column
from engine.backends.support import Gap
from engine.check.rules import LIMIT
from engine.diagnostics import Span
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.declarations import FieldDecl, InputDecl
from engine.semantics.domain import Domain
from engine.semantics.dtypes import Type
from engine.semantics.number import nudge

#: Types of whole numbers that a DOUBLE holds exactly, all of them within the limits of data.
SMALL = frozenset({"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"})


def admitted(
    of: SqlExpressions, decl: InputDecl | FieldDecl, column: Column | None, table: str | None
) -> tuple[Sql, Sql]:
    """A cell's value, and whether it is bad; `table` qualifies the column. Without a column it is missing."""
    if column is None:
        return st.NULL, st.TRUE if not decl.type.nullable else FALSE
    if decl.type.kind == dt.TIME and not of.dialect.has_clock:
        raise Gap(_place(decl), f"times of day in {of.dialect.title}, as `{decl.name}` is")
    cell: exp.Expr = _of(column.name, table)
    value = of.stages.source(of.dialect.ordered(cell) if decl.type.kind == dt.STRING else cell, True)
    bad = []
    if column.bad is not None:
        bad.append(st.holds(of.stages.source(_of(column.bad, table), True)))
    return checked(of, decl, value, bad, column)


def checked(
    of: SqlExpressions, decl: InputDecl | FieldDecl, value: Sql, bad: list[Sql], column: Column | None = None
) -> tuple[Sql, Sql]:
    """A value as its declaration takes it, and whether it is bad; `bad` are faults that were found before, `column` is
    the one that it was read from."""
    stages = of.stages
    if isinstance(value.tree, exp.Null):
        return st.NULL, st.TRUE if not decl.type.nullable else FALSE
    bad = list(bad)
    if decl.type.kind in dt.NUMERIC:
        value, outside = _number(of, decl.type, column, value)
        bad.extend(outside)
    if decl.type.values is not None and isinstance(decl, InputDecl) and decl.forgets_unknown:
        known = exp.In(this=value.tree.copy(), expressions=_values(of, decl.type))
        value = stages.named(value.replace(tree=st.case([(known, value.tree.copy())])))
    misfits = unfit(of, decl.type, decl.domain, value)
    wrong = st.either(*(st.holds(b) for b in bad), misfits)
    if isinstance(decl, InputDecl) and decl.previous and not wrong.is_false:   # it never makes data bad
        wrong = stages.named(wrong)
        kept = st.case([(st.negated(wrong.tree.copy()), value.tree.copy())])
        return stages.named(Sql(kept, max(value.level, wrong.level), True)), FALSE
    return value.replace(nullable=decl.type.nullable), stages.named(wrong)


class _Declared:
    """The place of a declaration."""

    def __init__(self, span: Span) -> None:
        self.span = span

    def locate(self, start: int, end: int) -> Span:
        return self.span


def _place(decl: InputDecl | FieldDecl) -> ir.Place | None:
    span = decl.at if isinstance(decl, InputDecl) else None
    return None if span is None else ir.Place(_Declared(span), 0, 0, "")


def _number(of: SqlExpressions, kind: Type, column: Column | None, value: Sql) -> tuple[Sql, list[Sql]]:
    """A number as a DOUBLE, NULL where it is not finite, and what makes it bad."""
    stages = of.stages
    known = (column.type or "").upper() if column is not None else ""
    if known != "DOUBLE":
        value = stages.named(value.replace(tree=exp.cast(value.tree.copy(), "DOUBLE")))
    if known in SMALL or (known == "BIGINT" and not kind.whole):
        return value, []
    if known != "BIGINT" and not (column is not None and column.finite):
        value = stages.named(value.replace(tree=st.case([(_finite(of, value), value.tree.copy())])))
    limit = 2.0**53 if kind.whole else LIMIT
    wrong = [exp.GT(this=value.tree.copy(), expression=st.number(limit)),
             exp.LT(this=value.tree.copy(), expression=st.number(-limit))]
    if kind.whole and known != "BIGINT":
        wrong.append(exp.NEQ(this=exp.Floor(this=value.tree.copy()), expression=value.tree.copy()))
    return value, [value.replace(tree=st.any_of(wrong))]


def _finite(of: SqlExpressions, value: Sql) -> exp.Expr:
    """Whether a number of the data is finite. DuckDB takes comparisons for settled by the least and greatest value
    that a Parquet file tells of a column, and these leave NaN out."""
    if of.dialect.name == "duckdb":
        return exp.Anonymous(this="ISFINITE", expressions=[value.tree.copy()])
    return st.finite(value.tree.copy())


def unfit(of: SqlExpressions, kind: Type, domain: Domain | None, value: Sql) -> Sql:
    """Whether a value does not satisfy a declaration."""
    wrong = []
    if not kind.nullable:
        wrong.append(st.missing(value))
    known = isinstance(value.tree, (exp.Column, exp.Literal))
    if kind.whole and known:
        # what another policy is handed may have a fraction, a constant too
        whole = [
            exp.LTE(this=st.absolute(value.tree.copy()), expression=st.number(2.0**53)),
            exp.EQ(this=exp.Floor(this=value.tree.copy()), expression=value.tree.copy()),
        ]
        wrong.append(st.holds(value.replace(tree=st.negated(st.all_of(whole)), nullable=True)))
    if kind.values is not None and known:
        wrong.append(st.holds(value.replace(tree=_unknown(of, kind, value), nullable=True)))
    if domain is not None and known:
        outside = st.negated(_inside(of, domain, kind, value))
        wrong.append(st.holds(value.replace(tree=outside, nullable=True)))
    return st.either(*wrong)


def _unknown(of: SqlExpressions, kind: Type, value: Sql) -> exp.Expr:
    """Whether a text is none of the declared values. DuckDB finds it in a type of these values, which costs the same
    however many they are."""
    values = _values(of, kind)
    if of.dialect.name != "duckdb" or kind.kind != dt.STRING or len(set(values)) != len(values):
        return st.negated(exp.In(this=value.tree.copy(), expressions=values))
    found = exp.TryCast(this=value.tree.copy(), to=exp.DataType(this=exp.DType.ENUM, expressions=values, nested=False))
    return st.all_of([exp.Is(this=found, expression=exp.null()), st.negated(st.is_null(value.tree.copy()))])


def _values(of: SqlExpressions, kind: Type) -> list[exp.Expr]:
    return [of.literal(v, None) for v in kind.values or ()]


def _inside(of: SqlExpressions, domain: Domain, kind: Type, value: Sql) -> exp.Expr:
    floor = 1e-4 if kind.kind == dt.MONEY else 1e-12
    inside = []
    for interval in domain.intervals:
        parts = []
        for bound, op in (
            (interval.lower, ">=" if interval.lower_closed else ">"),
            (interval.upper, "<=" if interval.upper_closed else "<"),
        ):
            if bound is None:
                continue
            if kind.kind in dt.NUMERIC:
                bound = nudge(op, bound, floor)
            test = {">=": exp.GTE, ">": exp.GT, "<=": exp.LTE, "<": exp.LT}[op]
            parts.append(test(this=value.tree.copy(), expression=of.literal(bound, None)))
        inside.append(st.all_of(parts))
    return st.any_of(inside)


def _of(name: str, table: str | None) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True), table)

