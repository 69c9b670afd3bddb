"""Common table expressions in stages: each names columns over those of the stages before it.

Whatever is used twice becomes a column of the next stage, so that no expression is written
twice and depth never grows with the number of rules. A stage may join a further table, the
aggregates of a history, by columns of the stages before it. SQL is a tree of sqlglot throughout.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from sqlglot import exp

from engine.records import Record

#: The longest chain of stages; a policy that needs more is refused when it is compiled.
MAX_STAGES = 400
LARGEST = 1.7976931348623157e308

#: A named query of the WITH clause.
Cte = tuple[str, exp.Query]
#: Columns before, columns of a table that they equal, and whether NULL equals NULL.
Matches = Sequence[tuple[str, str, bool]]


class Sql(Record):
    """A scalar expression that reads columns of stages up to `level`; `nullable`: it may be NULL."""

    tree: exp.Expr
    level: int = 0
    nullable: bool = False

    @property
    def is_leaf(self) -> bool:
        """Whether repeating it costs nothing."""
        return isinstance(self.tree, (exp.Column, exp.Literal, exp.Boolean, exp.Null))

    @property
    def is_false(self) -> bool:
        return isinstance(self.tree, exp.Boolean) and not self.tree.this


class Names:
    """Column and table names that no other part of a query has."""

    def __init__(self) -> None:
        self._count = 0
        #: Columns that are never NULL, but for customers whose data are refused.
        self.solid: set[str] = set()

    def fresh(self, prefix: str = "c") -> str:
        self._count += 1
        return f"{prefix}{self._count}"


class Joined:
    """A table joined at a stage. `make` gives its queries, the last of which it is, from the stage before;
    `on` are the columns that it is joined by."""

    def __init__(self, table: str, on: Matches, make: Callable[[str], list[Cte]]) -> None:
        self.table = table
        self.on = list(on)
        self.make = make
        self.columns: list[str] = []
        #: Joined to the last row whose column is at or below ours.
        self.nearest = False
        #: A column before, and columns of the table between which it lies: from the first, and below the second where
        #: that is not NULL.
        self.between: tuple[str, str, str] | None = None


#: A table that a stage joins, the stage, and the table's columns.
JoinedTable = tuple[Joined, int, list[str]]


class Stages:
    """Columns by the stage that makes them; `levels[0]` are made from the relation itself.

    `prefix` begins the names of the stages. `begin` gives the FROM clause of the first stage as a query
    without columns, and the queries that it needs.
    """

    def __init__(self, names: Names, prefix: str, begin: Callable[[], tuple[list[Cte], exp.Select]]) -> None:
        self.names = names
        self.prefix = prefix
        self.begin = begin
        self.levels: list[list[tuple[str, exp.Expr]]] = [[]]
        self.joins: dict[int, list[Joined]] = {}
        #: Conditions that a row must meet to pass a stage, by the stage.
        self.filters: dict[int, list[exp.Expr]] = {}
        self._made: dict[tuple[int, exp.Expr], str] = {}

    def source(self, tree: exp.Expr, nullable: bool) -> Sql:
        """A column of the first stage, over the relation's own columns."""
        return self._known(Sql(column(self._column(0, tree)), 0, nullable))

    def named(self, value: Sql) -> Sql:
        """`value` as a column; itself where it is a column or a literal."""
        if value.is_leaf:
            return value
        name = self._column(value.level + 1, value.tree)
        return self._known(Sql(column(name), value.level + 1, value.nullable))

    def _known(self, made: Sql) -> Sql:
        if not made.nullable and isinstance(made.tree, exp.Column):
            self.names.solid.add(made.tree.name)
        return made

    def filter(self, condition: Sql) -> int:
        """Let only rows pass for which the condition is true; gives the stage that they pass."""
        level = condition.level + 1
        self._reach(level)
        self.filters.setdefault(level, []).append(condition.tree)
        return level

    def join(self, level: int, joined: Joined) -> None:
        """Join a table at a stage, which is after those whose columns it is joined by."""
        self._reach(level)
        self.joins.setdefault(level, []).append(joined)

    def _column(self, level: int, tree: exp.Expr) -> str:
        self._reach(level)
        made = self._made.get((level, tree))
        if made is None:
            made = self._made[(level, tree)] = self.names.fresh()
            self.levels[level].append((made, tree))
        return made

    def _reach(self, level: int) -> None:
        while len(self.levels) <= level:
            self.levels.append([])

    def before(self, level: int) -> str:
        """The name of the last stage before a level, once all columns are made."""
        filled = [k for k in range(1, level) if self.levels[k] or self.joins.get(k) or self.filters.get(k)]
        return f"{self.prefix}{max(filled, default=0)}"

    def queries(self, first: Sequence[exp.Expr] = ()) -> list[Cte]:
        """The queries of all stages, the last of which has every column; `first` are further columns of the
        first stage."""
        made, select = self.begin()
        for level, columns in enumerate(self.levels):
            named = [exp.alias_(tree, name) for name, tree in columns]
            joins = self.joins.get(level, [])
            filters = self.filters.get(level, [])
            if level == 0:
                select = select.select(*first, *named, copy=False)
                if not select.expressions:
                    select = select.select(exp.alias_(number(0), self.names.fresh()), copy=False)
            elif not named and not joins and not filters:
                continue
            else:
                before = made[-1][0]
                star = exp.Column(this=exp.Star(), table=exp.to_identifier(before)) if joins else exp.Star()
                extra = [column(c, j.table) for j in joins for c in j.columns]
                for joined in joins:
                    made.extend(joined.make(before))
                source = exp.Table(this=exp.to_identifier(before))
                select = exp.select(star, *extra, *named, copy=False).from_(source, copy=False)
                for joined in joins:
                    on = [self._matched(joined, before, *pair) for pair in joined.on]
                    on += self._between(joined, before)
                    kind = "ASOF LEFT" if joined.nearest else "LEFT"
                    table = exp.Table(this=exp.to_identifier(joined.table))
                    select = select.join(table, on=all_of(on), join_type=kind, copy=False)
            for condition in filters:
                select = select.where(condition, copy=False)
            made.append((f"{self.prefix}{level}", select))
        return made

    @staticmethod
    def _matched(joined: Joined, before: str, ours: str, theirs: str, null_safe: bool) -> exp.Expr:
        kind: type[exp.Binary] = exp.NullSafeEQ if null_safe else exp.GTE if joined.nearest else exp.EQ
        return kind(this=column(ours, before), expression=column(theirs, joined.table))

    @staticmethod
    def _between(joined: Joined, before: str) -> list[exp.Expr]:
        if joined.between is None:
            return []
        ours, begin, end = joined.between
        value, after = column(ours, before), column(end, joined.table)
        below = exp.LT(this=value.copy(), expression=after)
        return [exp.GTE(this=value, expression=column(begin, joined.table)), any_of([below, is_null(after.copy())])]


def with_queries(final: exp.Select, queries: Sequence[Cte]) -> exp.Select:
    """A query with those that it needs; a chain that several others go on from is there once."""
    for name, query in dict(queries).items():
        final = final.with_(name, as_=query, copy=False)
    return final


# --- trees ------------------------------------------------------------------------------------


def column(name: str, table: str | None = None) -> exp.Column:
    return exp.column(name, table)


def quoted(name: str) -> exp.Column:
    """A column of a user's relation."""
    return exp.column(exp.to_identifier(name, quoted=True))


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


def larger(a: exp.Expr, b: exp.Expr) -> exp.Expr:
    """The greater of two values; SQL's own GREATEST skips NULL."""
    return case([(exp.GTE(this=a.copy(), expression=b.copy()), a.copy())], b.copy())


def smaller(a: exp.Expr, b: exp.Expr) -> exp.Expr:
    return case([(exp.LTE(this=a.copy(), expression=b.copy()), a.copy())], b.copy())


def absolute(tree: exp.Expr) -> exp.Expr:
    return exp.Abs(this=tree)


def finite(tree: exp.Expr) -> exp.Expr:
    """A condition: a DOUBLE is finite (DuckDB holds NaN greater than every number)."""
    return exp.LTE(this=absolute(tree), expression=number(LARGEST))


# --- conditions that are never NULL ---------------------------------------------------------------


def holds(value: Sql) -> Sql:
    """Whether a condition is true, NULL counting as false."""
    if not value.nullable:
        return value
    return value.replace(tree=case([(value.tree, exp.true())], exp.false()), nullable=False)


def both(*parts: Sql) -> Sql:
    """A conjunction; false where a part is false whatever the others."""
    if any(p.is_false for p in parts):
        return FALSE
    kept = [p for p in parts if not (isinstance(p.tree, exp.Boolean) and p.tree.this)]
    if len(kept) == 1:
        return kept[0]
    return Sql(all_of([p.tree.copy() for p in kept]), deepest(kept), any(p.nullable for p in kept))


def either(*parts: Sql) -> Sql:
    kept = [p for p in parts if not p.is_false]
    if len(kept) == 1:
        return kept[0]
    return Sql(any_of([p.tree.copy() for p in kept]), deepest(kept), any(p.nullable for p in kept))


def deepest(parts: Sequence[Sql]) -> int:
    return max((p.level for p in parts), default=0)


def opposite(value: Sql) -> Sql:
    """The negation of a condition."""
    if isinstance(value.tree, exp.Boolean):
        return TRUE if value.is_false else FALSE
    return value.replace(tree=negated(value.tree.copy()))


def missing(value: Sql) -> Sql:
    """Whether a value is NULL."""
    if not value.nullable:
        return FALSE
    return Sql(is_null(value.tree.copy()), value.level)


def chosen(whens: Sequence[tuple[Sql, Sql]], default: Sql) -> Sql:
    """A flat CASE of values; a condition that is NULL does not hold."""
    kept = [(test, value) for test, value in whens if not test.is_false]
    sure = next((i for i, (test, _) in enumerate(kept) if test == TRUE), None)
    if sure is not None:
        kept, default = kept[:sure], kept[sure][1]
    parts = [p for pair in kept for p in pair]
    tree = case([(test.tree.copy(), value.tree.copy()) for test, value in kept], default.tree.copy())
    values = [*(value for _, value in kept), default]
    return Sql(tree, deepest([*parts, default]), any(v.nullable for v in values))


TRUE, FALSE, NULL = Sql(exp.true()), Sql(exp.false()), Sql(exp.null(), 0, True)
