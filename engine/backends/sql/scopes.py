"""Chains of rows below a scope of customers, and their aggregates by key.

All features that fold one history share one aggregation of it, which joins the customers by key. Where
rows are compared with a customer's own values (`invoices[amount > limit]`), these values join the rows,
one combination once, and group them together with the key; no query is correlated.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.stages import Cte, Joined, Names, Sql, Stages
from engine.records import Record

#: The names of the rows, and of the values handed down to them, in the first stage of a chain.
ROWS, HANDED = "e", "o"


class Key(Record):
    """A column by which rows belong to an outer row; `null_safe`: NULL is a key like others."""

    column: Sql
    null_safe: bool = False


class Chain:
    """Rows as a chain of stages. `keys` say to which outer row one belongs, `order` how the rows of one follow."""

    def __init__(
        self, names: Names, begin: Callable[[], tuple[list[Cte], exp.Select]],
        keys: Sequence[tuple[exp.Expr, bool]] = (),
    ) -> None:
        self.names = names
        self.stages = Stages(names, names.fresh("r") + "_", begin)
        self.keys = [Key(self.stages.source(tree, True), null_safe) for tree, null_safe in keys]
        self.order: tuple[Sql, ...] = ()

    def table(self) -> tuple[list[Cte], str]:
        """The queries of the chain and the name of the last, which has every column."""
        made = self.stages.queries()
        return made, made[-1][0]


def below(chain: Chain, condition: Sql | None = None) -> tuple[Chain, Callable[[Sql], Sql]]:
    """A chain that goes on from another one's rows, those alone for which a condition holds, and what gives a
    column of the other in it."""

    def begin() -> tuple[list[Cte], exp.Select]:
        made, last = chain.table()
        return made, _kept(exp.select().from_(table(last, ROWS)), condition)

    made = Chain(chain.names, begin, [(st.column(k.column.tree.name, ROWS), k.null_safe) for k in chain.keys])
    made.order = tuple(continued(made, o) for o in chain.order)
    return made, lambda value: continued(made, value)


class Grouped:
    """The groups of a chain's rows by a key, among those for which a condition holds: a chain with a row for each
    outer row and value of the key, which is `value`."""

    def __init__(self, source: Chain, condition: Sql, key: Sql) -> None:
        self.source = source
        self.condition = condition
        self.key = key
        self._ranked: Sql | None = None
        self._rows: tuple[Chain, Callable[[Sql], Sql]] | None = None
        #: What is made of the rows of each group, by the name of its column.
        self.aggregates: dict[exp.Expr, str] = {}
        keys = [(st.column(k.column.tree.name, ROWS), k.null_safe) for k in source.keys]
        self.chain = Chain(source.names, self._begin, keys)
        self.value = self.chain.stages.source(st.column(key.tree.name, ROWS), False)

    def rows(self) -> tuple[Chain, Callable[[Sql], Sql]]:
        """The chain of their rows, each of which belongs to an outer row and a value; and what gives a column of
        the source in it."""
        made, carried = below(self.source, self.condition)
        made.keys.append(Key(carried(self.key)))
        self._rows = made, carried
        return self._rows

    def by_appearance(self) -> Sql:
        """The place of a group by its first row in the order of the source."""
        if self._ranked is None:
            parts = [st.column(k.column.tree.name) for k in self.source.keys]
            order = [exp.Ordered(this=o.tree.copy(), nulls_first=True) for o in self.source.order]
            number = exp.Window(this=exp.RowNumber(), partition_by=parts, order=exp.Order(expressions=order))
            level = st.deepest([*self.source.order, *(k.column for k in self.source.keys)])
            self._ranked = self.source.stages.named(Sql(number, level))
        return self.chain.stages.source(st.column("place", ROWS), False)

    def _begin(self) -> tuple[list[Cte], exp.Select]:
        if self._rows is not None and self.aggregates:
            return self._aggregated(*self._rows)
        made, last = self.source.table()
        names = self._names()
        inner = exp.select(*(st.column(n) for n in names))
        if self._ranked is not None:
            inner = inner.select(exp.alias_(exp.Min(this=self._ranked.tree.copy()), "place"))
        inner = _kept(inner.from_(table(last)), self.condition).group_by(*(st.column(n) for n in names))
        return made, exp.select().from_(inner.subquery(ROWS))

    def _aggregated(self, rows: Chain, carried: Callable[[Sql], Sql]) -> tuple[list[Cte], exp.Select]:
        """The groups out of their own rows, with what is made of these."""
        first = [] if self._ranked is None else [exp.alias_(exp.Min(this=carried(self._ranked).tree.copy()), "place")]
        made, last = rows.table()
        keys = [k.column.tree for k in rows.keys]
        named = [exp.alias_(key.copy(), name) for key, name in zip(keys, self._names(), strict=True)]
        columns = [exp.alias_(tree.copy(), name) for tree, name in self.aggregates.items()]
        inner = exp.select(*named, *first, *columns).from_(table(last)).group_by(*(k.copy() for k in keys))
        return made, exp.select().from_(inner.subquery(ROWS))

    def _names(self) -> list[str]:
        return [k.column.tree.name for k in (*self.source.keys, Key(self.key))]


def _kept(select: exp.Select, condition: Sql | None) -> exp.Select:
    return select if condition is None or condition == st.TRUE else select.where(condition.tree.copy(), copy=False)


def continued(chain: Chain, value: Sql) -> Sql:
    """A column of the chain that another one goes on from; a literal itself."""
    if not isinstance(value.tree, exp.Column):
        return value
    return chain.stages.source(st.column(value.tree.name, ROWS), value.nullable)


def table(name: str, alias: str | None = None) -> exp.Table:
    """A stage as a relation."""
    found = exp.Table(this=exp.to_identifier(name))
    if alias is not None:
        found.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
    return found


class Aggregation:
    """Aggregates of a chain's rows, joined to an outer chain at `level`; `ours` are the outer columns that the chain's
    keys equal, in their order."""

    def __init__(self, outer: Stages, level: int, chain: Chain, ours: Sequence[Sql]) -> None:
        self.outer = outer
        self.level = level
        self.chain = chain
        self.ours = list(ours)
        self.name = chain.names.fresh("a")
        self._aggregates: dict[exp.Expr, str] = {}
        self._joined: Joined | None = None
        #: Beside the keys: an outer column, and the chain's column that holds the same value.
        self.handed: list[tuple[Sql, Sql]] = []

    def column(self, aggregate: exp.Expr) -> Sql:
        """An aggregate over the rows of a key as a column of the outer chain, NULL where there is no row."""
        name = self._aggregates.get(aggregate)
        if name is None:
            name = self._aggregates[aggregate] = self.chain.names.fresh()
            if self._joined is None:
                self._joined = Joined(self.name, [], self._queries)
                self.outer.join(self.level, self._joined)
            self._joined.columns.append(name)
        return Sql(st.column(name), self.level, True)

    def belonging(self) -> list[exp.Expr]:
        """The chain's columns by which its rows belong to an outer row."""
        return [k.column.tree for k in self.chain.keys] + [theirs.tree for _, theirs in self.handed]

    @property
    def whole(self) -> Chain:
        """The chain with all by which its rows belong to an outer row as keys; `all_ours` are their outer columns."""
        self.chain.keys += [Key(theirs, True) for _, theirs in self.handed]
        self.ours += [ours for ours, _ in self.handed]
        self.handed = []
        return self.chain

    def _queries(self, before: str) -> list[Cte]:
        made, last = self.chain.table()
        groups = [tree.name for tree in self.belonging()]
        columns = [exp.alias_(tree.copy(), name) for tree, name in self._aggregates.items()]
        select = exp.select(*(st.column(g) for g in groups), *columns).from_(table(last))
        select = select.group_by(*(st.column(g) for g in groups), copy=False)
        assert self._joined is not None
        self._joined.on = [
            (o.tree.name, k.column.tree.name, k.null_safe) for o, k in zip(self.ours, self.chain.keys, strict=True)
        ]
        self._joined.on += [(ours.tree.name, theirs.tree.name, True) for ours, theirs in self.handed]
        return [*made, (self.name, select)]


class OfGroups(Aggregation):
    """Aggregates of the rows of groups, made where the groups are: nothing is joined."""

    def __init__(self, groups: Grouped, level: int, chain: Chain, ours: Sequence[Sql]) -> None:
        super().__init__(groups.chain.stages, level, chain, ours)
        self.groups = groups

    def column(self, aggregate: exp.Expr) -> Sql:
        name = self.groups.aggregates.get(aggregate)
        if name is None:
            name = self.groups.aggregates[aggregate] = self.chain.names.fresh()
        return self.outer.source(st.column(name, ROWS), True)


class Handing(Aggregation):
    """An aggregation whose rows read values of the outer row: the chain begins with the rows beside each combination
    of those values."""

    def __init__(self, outer: Stages, level: int, source: Chain, ours: Sequence[Sql]) -> None:
        self.source = source
        keys = [(st.column(k.column.tree.name, ROWS), k.null_safe) for k in source.keys]
        super().__init__(outer, level, Chain(source.names, self._from, keys), ours)
        self.chain.order = tuple(self.carried(o) for o in source.order)
        self._values: dict[Sql, tuple[str, Sql]] = {}

    def carried(self, value: Sql) -> Sql:
        """A column of the source in the chain."""
        return continued(self.chain, value)

    def outer_value(self, value: Sql) -> Sql:
        """A value of the outer row (a column or literal of a stage before `level`) as a column of its rows."""
        if not isinstance(value.tree, exp.Column):
            return value
        if value not in self._values:
            name = self.chain.names.fresh("h")
            inner = self.chain.stages.source(st.column(name, HANDED), value.nullable)
            self._values[value] = (name, inner)
            self.handed.append((value, inner))
        return self._values[value][1]

    def _from(self) -> tuple[list[Cte], exp.Select]:
        made, last = self.source.table()
        ours = [exp.alias_(st.column(o.tree.name), f"q{i}") for i, o in enumerate(self.ours)]
        values = [exp.alias_(st.column(value.tree.name), name) for value, (name, _) in self._values.items()]
        distinct = exp.select(*ours, *values).distinct().from_(table(self.outer.before(self.level)))
        on = [
            (exp.NullSafeEQ if k.null_safe else exp.EQ)(
                this=st.column(k.column.tree.name, ROWS), expression=st.column(f"q{i}", HANDED)
            )
            for i, k in enumerate(self.source.keys)
        ]
        select = exp.select().from_(table(last, ROWS))
        return made, select.join(distinct.subquery(HANDED), on=st.all_of(on), copy=False)
