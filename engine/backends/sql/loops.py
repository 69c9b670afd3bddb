"""Loops over rows: a scope for the rows of a history, and for the groups of them.

What in a loop's body does not speak of the row is evaluated once a customer and handed down.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.dated import is_of_the_date
from engine.backends.sql.items import (
    HISTORY_WITHIN,
    GroupItem,
    History,
    Item,
    Members,
    Opened,
    Over,
    carried,
    free_locals,
)
from engine.backends.sql.operations.ranges import settled
from engine.backends.sql.origins import NOTHING, Behind, union, where
from engine.backends.sql.scopes import Aggregation, Grouped, Handing, OfGroups
from engine.backends.sql.stages import FALSE, TRUE, Sql
from engine.backends.support import Gap
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.folds import STREAKS

if TYPE_CHECKING:
    from engine.backends.sql.relations import Expressions


#: Kinds whose values are no columns: what reads them is compiled where they are read.
COLLECTIONS = frozenset({dt.LIST, dt.RELATION, dt.CONTEXT})


class Loops:
    """The loops of one scope, whose compiler is `of`."""

    def __init__(self, of: Expressions) -> None:
        self.of = of
        #: Scopes of rows beside values of this one, by the rows and the stage that has the values.
        self._scopes: dict[tuple[str, int], Opened] = {}
        #: Groups by what makes them: the scope of their rows, what a row is, the condition and the key. A policy that
        #: two others use has each of its groups twice.
        self._groups: dict[tuple[int, int, Sql, Sql], Opened] = {}

    def over(self, node: ir.Fold | ir.Group) -> Over:
        """The rows that a loop goes over, in their scope; what its body reads of this scope is handed down."""
        history = self.history(self.base(node.source))
        parts = [p for body, bound in self.bodies(node) for p in self.of_this_scope(body, bound)]
        given = [(p, self.of.stages.named(self.of.compile(p))) for p in parts]
        behind = [(p, self.of.nulls.behind(p)) for p, v in given if v.nullable and not isinstance(p, ir.Input)]
        columns = [v for v in (*(v for _, v in given), *(v for _, b in behind for v in b.parts))
                   if isinstance(v.tree, exp.Column)]
        base = history.opened(self.of)
        if columns:
            level = max(base.aggregation.level, st.deepest(columns) + 1)
            # Groups, and streaks, go by all that was handed down: for them nothing may be added behind.
            by_all = isinstance(node, ir.Group) or node.op in STREAKS
            alone = f"{history.name} {id(node)}" if by_all else history.name
            opened = self._handing(base, level, alone)
            handing = opened.aggregation
            assert isinstance(handing, Handing)
            hand: Callable[[Sql], Sql] = handing.outer_value
        else:
            opened, hand = base, _itself
        opened.compiler.hand([(p, hand(v)) for p, v in given], [(p, b.through(hand)) for p, b in behind])
        return opened.compiler.loops.stepped(node, opened, self.of)

    def _handing(self, base: Opened, level: int, name: str) -> Opened:
        """Rows beside values of this scope that stages before `level` have."""
        key = (name, level)
        if key not in self._scopes:
            handing = Handing(self.of.stages, level, base.aggregation.whole, base.aggregation.ours)
            compiler = self.of.below(handing.chain.stages)
            compiler.order = lambda: [handing.carried(o) for o in base.compiler.order()]
            self._scopes[key] = Opened(handing, compiler, carried(base.row, handing.carried))
        return self._scopes[key]

    def stepped(self, node: ir.Fold | ir.Group, opened: Opened, outer: Expressions) -> Over:
        """The steps of a loop's source and its own filter and value, over one row, in the scope of the rows."""
        hidden: list[Behind] = []
        condition, item, distinct = self._source(node.source, opened.row, outer, hidden)
        if isinstance(node, ir.Fold):
            with self.bound(node.var, item):
                if node.filter is not None:
                    condition = st.both(condition, self.of.compile(node.filter))
                if node.value is not None:
                    item = self.of.lists.item(node.value)
        whole = self.of.stages.named(st.holds(condition))
        return Over(opened.aggregation, self.of, whole, item, distinct, union(hidden))

    def _source(
        self, node: ir.Node, row: Item, outer: Expressions, hidden: list[Behind]
    ) -> tuple[Sql, Item, bool]:
        """The condition of a row, its item, and whether repeated ones are left out; `hidden` takes what is behind
        the nulls that stand in the source."""
        node = outer.seen(node)
        if isinstance(node, ir.Call) and node.op == "distinct values":
            condition, item, _ = self._source(node.args[0], row, outer, hidden)
            return condition, item, True
        if isinstance(node, (ir.Filter, ir.Map)):
            condition, item, distinct = self._source(node.source, row, outer, hidden)
            if distinct:
                raise Gap(node.at, "loops over distinct values")
            with self.bound(node.var, item):
                if isinstance(node, ir.Filter):
                    return st.both(condition, self.of.compile(node.predicate)), item, False
                item = self.of.lists.item(node.body)
                if isinstance(item, Sql) and item.nullable:
                    there = self.of.stages.named(st.holds(condition))
                    hidden.append(where(there, self.of.nulls.behind(node.body)))
                return condition, item, False
        return TRUE, row, False

    @contextmanager
    def bound(self, var: str, item: Item) -> Iterator[None]:
        """A local bound to a row, or to what was made of one."""
        before = self.of.items.get(var)
        self.of.items[var] = item
        if isinstance(item, Sql):
            self.of.variables[("Local", var)] = item
        try:
            yield
        finally:
            if before is not None:
                self.of.items[var] = before

    def history(self, base: ir.Node) -> History:
        if isinstance(base, ir.Relation):
            if base.name not in self.of.histories:
                raise Gap(base.at, HISTORY_WITHIN)
            return self.of.histories[base.name]
        if isinstance(base, ir.Group):
            if id(base) not in self.of.known.groups:
                self.of.known.groups[id(base)] = History(f"groups {id(base)}", FALSE, lambda _: self._grouped(base))
            return self.of.known.groups[id(base)]
        rows = self.rows_of_group(base)
        if rows is None:
            raise Gap(base.at, "loops over lists that the policy does not spell out")
        return rows

    def rows_of_group(self, node: ir.Node) -> History | None:
        """The history of a group's rows, where the node reads it."""
        if isinstance(node, ir.Field) and node.name == "rows" and isinstance(node.base, ir.Local):
            item = self.of.items.get(node.base.name)
            return item.rows if isinstance(item, GroupItem) else None
        return None

    def _grouped(self, node: ir.Group) -> Opened:
        """The groups of a history's rows: a scope of rows whose own rows are those of the history."""
        over = self.over(node)
        row = over.item
        if not isinstance(row, Members):
            raise Gap(node.at, "groups of what is no row")
        with over.compiler.loops.bound(node.var, row):
            key = over.compiler.stages.named(over.compiler.compile(node.key))
        if not isinstance(key.tree, exp.Column):
            key = over.compiler.stages.named(key.replace(tree=exp.Paren(this=key.tree)))
        known = (id(over.compiler), id(row), over.condition, key)
        if known not in self._groups:
            self._groups[known] = self._by_key(node, over, row, key)
        return self._groups[known]

    def _by_key(self, node: ir.Group, over: Over, row: Members, key: Sql) -> Opened:
        """The scope of the groups of some rows by a key."""
        over.aggregation.chain.order = tuple(over.compiler.order())
        groups = Grouped(over.aggregation.whole, over.condition, key)
        aggregation = Aggregation(self.of.stages, over.aggregation.level, groups.chain, over.aggregation.ours)
        compiler = self.of.below(groups.chain.stages)
        compiler.order = lambda: [groups.by_appearance()] if over.compiler.order() else []

        def rows(outer: Expressions) -> Opened:
            chain, carry = groups.rows()
            assert outer.stages is compiler.stages          # no other scope has the groups as its rows
            ours = [*(k.column for k in groups.chain.keys), groups.value]
            inner = outer.below(chain.stages)
            inner.order = lambda: [carry(o) for o in over.compiler.order()]
            level = st.deepest(ours) + 1
            return Opened(OfGroups(groups, level, chain, ours), inner, carried(row, carry))

        return Opened(aggregation, compiler, GroupItem(groups.value, History(f"rows {id(node)}", FALSE, rows)))

    def base(self, node: ir.Node) -> ir.Node:
        """The relation, groups or list that a chain of filters, maps and distinct values begins with."""
        while True:
            node = self.of.seen(node)
            if isinstance(node, (ir.Filter, ir.Map)):
                node = node.source
            elif isinstance(node, ir.Call) and node.op == "distinct values":
                node = node.args[0]
            else:
                return node

    def bodies(self, node: ir.Node) -> list[tuple[ir.Node, frozenset[str]]]:
        """The expressions over a row in a loop and in the steps of its source, each with the loops' own locals."""
        found: list[ir.Node] = []
        bound: set[str] = set()
        if isinstance(node, ir.Fold):
            found.extend(n for n in (node.filter, node.value) if n is not None)
            bound.add(node.var)
            node = node.source
        elif isinstance(node, ir.Group):
            found.append(node.key)
            bound.add(node.var)
            node = node.source
        while True:
            node = self.of.seen(node)
            if isinstance(node, (ir.Filter, ir.Map)):
                found.append(node.predicate if isinstance(node, ir.Filter) else node.body)
                bound.add(node.var)
                node = node.source
            elif isinstance(node, ir.Call) and node.op == "distinct values":
                node = node.args[0]
            else:
                return [(body, frozenset(bound)) for body in found]

    def of_this_scope(self, node: ir.Node, bound: frozenset[str]) -> list[ir.Node]:
        """The largest parts of a loop's body that do not speak of its row, but do of this scope. Of a context's member
        that operands are read as, it is the member; and since a null of another member may be what is behind one that
        it lacks, the parts of these, too."""
        whole, node = node, settled(node)
        if node is not whole:
            parts = [n for child in (node, *ir.children(whole)) for n in self.of_this_scope(child, bound)]
            return list({id(n): n for n in parts}.values())
        free = free_locals(node)
        known = {name for kind, name in (*self.of.variables, *self.of.views) if kind == "Local"} | self.of.items.keys()
        if free <= known and not free & bound and node.type.kind not in COLLECTIONS:
            return [] if is_of_the_date(node, self.of.parameters, self.of.dates) else [node]
        if isinstance(node, (ir.Filter, ir.Map, ir.Fold, ir.Group)):
            bound |= {node.var}
        elif isinstance(node, ir.Let):
            bound |= {node.name}
        return [n for child in ir.children(node) for n in self.of_this_scope(child, bound)]

    def gathered(self, over: Over, inside: Behind) -> Behind:
        """What is behind any of the rows."""
        if inside.is_nothing:
            return NOTHING
        condition = over.condition

        def gathered(bits: Sql) -> Sql:
            tree = st.case([(condition.tree.copy(), bits.tree.copy())], st.whole(0))
            inner = over.compiler.stages.named(Sql(tree, st.deepest([condition, bits])))
            found = over.aggregation.column(exp.BitwiseOrAgg(this=inner.tree.copy()))
            return found.replace(tree=exp.Coalesce(this=found.tree, expressions=[st.whole(0)]), nullable=False)

        named = over.compiler.stages.named(inside.names)
        as_bits = Sql(st.case([(named.tree.copy(), st.whole(1))], st.whole(0)), named.level)
        names = gathered(as_bits)
        lanes = tuple((lane, gathered(over.compiler.stages.named(bits))) for lane, bits in inside.lanes)
        return Behind(names.replace(tree=exp.GT(this=names.tree, expression=st.whole(0))), lanes)


def _itself(value: Sql) -> Sql:
    return value
