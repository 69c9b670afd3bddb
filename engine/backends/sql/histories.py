"""Rows of histories as of the decision's date: visible ones alone, fields as they were known then."""
from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.door import admitted
from engine.backends.sql.origins import Labels
from engine.backends.sql.relations import Expressions, History, Item, Members
from engine.backends.sql.scopes import Aggregation
from engine.backends.sql.stages import FALSE, TRUE, Cte, Sql
from engine.backends.sql.tables import Events, Source
from engine.backends.support import Gap
from engine.ir import nodes as ir
from engine.ir.reads import Cone
from engine.semantics.declarations import FieldDecl

#: The name that the rows' relation has in a query.
EVENTS = "e"


class RowMaker:
    """Makes the scope of a history's rows under the customers' scope."""

    def __init__(
        self, program: ir.Program, reach: Cone, source: Source, outer: Expressions, labels: Labels
    ) -> None:
        self.program = program
        self.reach = reach
        self.source = source
        self.outer = outer
        self.labels = labels
        self.histories = {h.name: h for h in program.histories}

    def history(self, decl: ir.HistoryDecl) -> History:
        """A history, as the customers' scope knows it."""
        if decl.each is not None:
            raise Gap(decl.at, "a policy for each row of a history")
        events = self.source.histories.get(decl.name)
        if events is None:
            return History(decl.name, TRUE, 0, False, self._nothing)
        null = FALSE
        if events.supplied is not None:
            supplied = self.outer.stages.source(st.quoted(events.supplied), True)
            null = self.outer.stages.named(st.opposite(st.holds(supplied)))
        key = self._key(decl)

        def open_rows(
            outer: Expressions, level: int, needed: Sequence[tuple[ir.Node, Sql]]
        ) -> tuple[Aggregation, Expressions, Item]:
            return self.rows(decl, events, key, level)

        return History(decl.name, null, key.level, bool(decl.order_by), open_rows)

    def any_bad(self, decl: ir.HistoryDecl, history: History) -> Sql:
        """Whether a visible row of a customer is bad data."""
        events = self.source.histories.get(decl.name)
        if events is None:
            return FALSE
        aggregation, compiler, _ = self.outer.opened(history)
        bad = [b for b in compiler.bad if not b.is_false]
        if not bad:
            return FALSE
        whole = compiler.stages.named(st.either(*bad))
        counted = aggregation.column(exp.Count(this=st.case([(whole.tree.copy(), st.whole(1))])))
        found = Sql(exp.GT(this=counted.tree, expression=st.whole(0)), counted.level, True)
        return st.both(st.opposite(history.null), st.holds(found))

    def _key(self, decl: ir.HistoryDecl) -> Sql:
        """The customers' column that a history's rows are joined by."""
        customers = self.source.customers
        column = customers.columns.get(decl.key or "")
        name = customers.key or (column.name if column is not None else None)
        if name is None:
            raise Gap(decl.at, f"the history `{decl.name}` without a column for its key `{decl.key}`")
        return self.outer.stages.source(st.quoted(name), True)

    def _nothing(
        self, outer: Expressions, level: int, needed: Sequence[tuple[ir.Node, Sql]]
    ) -> tuple[Aggregation, Expressions, Item]:
        raise Gap(None, "a history that no table supplies")

    def rows(
        self, decl: ir.HistoryDecl, events: Events, key: Sql, level: int
    ) -> tuple[Aggregation, Expressions, Item]:
        """The rows of a history in a scope of their own, whose aggregates join the customers at `level`."""

        def begin() -> tuple[list[Cte], exp.Select]:
            table = exp.Table(
                this=exp.to_identifier(events.relation, quoted=True),
                alias=exp.TableAlias(this=exp.to_identifier(EVENTS)),
            )
            return [], exp.select().from_(table)

        theirs = _of(events.key)
        aggregation = Aggregation(self.outer.stages.names, self.outer.stages, max(level, 1), begin, [(key, theirs)])
        compiler = Expressions(
            aggregation.rows, self.program, self.labels, self.outer, self.outer.dialect.name
        )
        compiler.wants_labels = self.outer.wants_labels
        fields = self._fields(decl, events, compiler)
        order = [fields[name] for name in decl.order_by]
        if events.ordinal is not None:
            order.append(compiler.stages.source(_of(events.ordinal), False))
        compiler.order = tuple(order)
        return aggregation, compiler, Members(fields)

    def _fields(self, decl: ir.HistoryDecl, events: Events, compiler: Expressions) -> dict[str, Sql]:
        """The fields that the policy reads, after the door, of the rows that exist by then."""
        needed = {name for owner, name in self.reach.fields if owner == decl.name}
        raw: dict[str, Sql] = {}
        bad: dict[str, Sql] = {}
        for field in decl.fields:
            if field.name in needed:
                raw[field.name], bad[field.name] = admitted(compiler, field, events.columns.get(field.name), EVENTS)
        shown = decl.visible_from
        if shown is not None:
            seen = raw[shown].replace(nullable=True)
            there = st.either(self._by_then(compiler, seen), st.both(bad[shown], st.opposite(st.missing(seen))))
            compiler.stages.filter(st.holds(there))
            bad[shown] = st.both(bad[shown], st.opposite(st.missing(seen)))
        compiler.bad = list(bad.values())
        return {f.name: self._known(compiler, f, raw) for f in decl.fields if f.name in needed}

    def _known(self, compiler: Expressions, field: FieldDecl, raw: dict[str, Sql]) -> Sql:
        """A field as it was known on the date."""
        value = raw[field.name]
        if field.known_from is None:
            return value
        known = self._by_then(compiler, raw[field.known_from].replace(nullable=True))
        tree = st.case([(known.tree.copy(), value.tree.copy())])
        return compiler.stages.named(Sql(tree, max(known.level, value.level), True))

    @staticmethod
    def _by_then(compiler: Expressions, moment: Sql) -> Sql:
        """Whether a day (or a moment's day) had come on the date of the decision."""
        day = exp.cast(moment.tree.copy(), "DATE")
        by_then = exp.LTE(this=day, expression=compiler.as_of.tree.copy())
        return Sql(by_then, max(moment.level, compiler.as_of.level), True)


def _of(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True), EVENTS)
