"""Scopes of rows: customers, and below them the rows of their histories, folded by key.

All features that fold one history share one aggregation of it, which joins the customers by key. Where
rows are compared with a customer's own values (`invoices[amount > limit]`), these values join the rows,
one combination once, and group them together with the key; no query is correlated.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.stages import Cte, Joined, Names, Sql, Stages


class Aggregation:
    """Aggregates of some rows by key, joined to an outer chain at `level`.

    `begin` gives the FROM clause of the rows, a query without columns whose rows are those of the history
    alone, and the queries that it needs. `keys` are pairs of a column of the outer chain and the SQL tree of
    the rows' column that equals it.
    """

    def __init__(
        self, names: Names, outer: Stages, level: int, begin: Callable[[], tuple[list[Cte], exp.Select]],
        keys: Sequence[tuple[Sql, exp.Expr]],
    ) -> None:
        self.outer = outer
        self.level = level
        self.table = names.fresh("a")
        self._names = names
        self._begin = begin
        self._before = ""
        self._outers: dict[Sql, Sql] = {}
        #: For each outer value: its column, its name beside the rows, and the rows' column that holds it.
        self._pairs: list[tuple[str, str, str]] = []
        self._aggregates: dict[exp.Expr, str] = {}
        self.rows = Stages(names, names.fresh("r") + "_", self._from)
        self.keys = [(ours, self.rows.source(theirs, False)) for ours, theirs in keys]
        self._joined: Joined | None = None

    def outer_value(self, value: Sql) -> Sql:
        """A value of the outer row (a column or literal of a stage before `level`) as a column of its rows."""
        if not isinstance(value.tree, exp.Column):
            return value
        if value not in self._outers:
            name = self._names.fresh("o")
            self._outers[value] = self.rows.source(st.column(name, "o"), value.nullable)
            self._pairs.append((value.tree.name, name, self._outers[value].tree.name))
        return self._outers[value]

    def column(self, aggregate: exp.Expr) -> Sql:
        """An aggregate over the rows of a key as a column of the outer chain, NULL where there is no row."""
        name = self._aggregates.get(aggregate)
        if name is None:
            name = self._aggregates[aggregate] = self._names.fresh()
            if self._joined is None:
                self._joined = Joined(self.table, [], self._queries)
                self.outer.join(self.level, self._joined)
            self._joined.columns.append(name)
        return Sql(st.column(name), self.level, True)

    # --- rendering ---------------------------------------------------------------------------------

    def _from(self) -> tuple[list[Cte], exp.Select]:
        made, select = self._begin()
        if not self._pairs:
            return made, select
        ours = [exp.alias_(st.column(o.tree.name), f"q{i}") for i, (o, _) in enumerate(self.keys)]
        values = [exp.alias_(st.column(column), name) for column, name, _ in self._pairs]
        distinct = exp.select(*ours, *values).distinct().from_(exp.Table(this=exp.to_identifier(self._before)))
        on = [
            exp.EQ(this=theirs, expression=st.column(f"q{i}", "o"))
            for i, theirs in enumerate(self._key_trees())
        ]
        return made, select.join(distinct.subquery("o"), on=st.all_of(on), copy=False)

    def _key_trees(self) -> list[exp.Expr]:
        trees = dict(self.rows.levels[0])
        return [trees[theirs.tree.name].copy() for _, theirs in self.keys]

    def _queries(self, before: str) -> list[Cte]:
        self._before = before
        made = self.rows.queries()
        source = exp.Table(this=exp.to_identifier(made[-1][0]))
        groups = [theirs.tree.name for _, theirs in self.keys] + [inner for _, _, inner in self._pairs]
        columns = [exp.alias_(tree.copy(), name) for tree, name in self._aggregates.items()]
        select = exp.select(*(st.column(g) for g in groups), *columns).from_(source)
        select = select.group_by(*(st.column(g) for g in groups), copy=False)
        assert self._joined is not None
        self._joined.on = [(o.tree.name, t.tree.name, False) for o, t in self.keys]
        self._joined.on += [(column, inner, True) for column, _, inner in self._pairs]
        return [*made, (self.table, select)]
