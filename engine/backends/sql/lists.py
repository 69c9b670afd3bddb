"""Lists that a query spells out item by item: those of literals, those that rules collect, and loops over them.

A loop's body is compiled once for each item, under the item's own condition.
"""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.backends.sql import stages as st
from engine.backends.sql.expressions import SqlExpressions
from engine.backends.sql.items import Item, Items, Known, Members
from engine.backends.sql.origins import NOTHING, Behind, union, where
from engine.backends.sql.stages import FALSE, TRUE, Sql
from engine.backends.support import Gap
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt

if TYPE_CHECKING:
    from engine.backends.sql.relations import Expressions

#: Items beyond which a list is not unrolled.
MAX_ITEMS = 200


class Lists:
    """The lists of one scope, whose compiler is `of`."""

    def __init__(self, of: Expressions) -> None:
        self.of = of

    def spelt_out(self, node: ir.Node) -> Items | None:
        """The items of a list that is known item by item; None for what is not."""
        node = self.of.seen(node)
        if isinstance(node, ir.List):
            return [(TRUE, self.item(i)) for i in node.items]
        if isinstance(node, ir.Ref):
            return self.of.collected.get(node.name)
        if isinstance(node, ir.Filter):
            items = self.spelt_out(node.source)
            if items is None:
                return None
            kept = []
            for present, item in items:
                with self.bound(node.var, item):
                    passes = self.of.stages.named(st.holds(self.of.compile(node.predicate)))
                kept.append((self.of.stages.named(st.both(present, passes)), item))
            return kept
        if isinstance(node, ir.Map):
            items = self.spelt_out(node.source)
            if items is None:
                return None
            made: Items = []
            for present, item in items:
                with self.bound(node.var, item):
                    made.append((present, self.item(node.body)))
            return made
        if isinstance(node, ir.Call) and node.op == "flatten":
            return self._flattened(node.args[0])
        return SqlExpressions.spelt_out(self.of, node)

    def _flattened(self, node: ir.Node) -> Items | None:
        """The items of lists of lists, however deep."""
        if node.type.kind != dt.LIST:
            return [(TRUE, self.item(node))]
        if isinstance(node, ir.List):
            parts = [self._flattened(i) for i in node.items]
        elif isinstance(node, ir.Map) and node.body.type.kind == dt.LIST:
            outer = self.spelt_out(node.source)
            if outer is None:
                return None
            parts = []
            for present, item in outer:
                with self.bound(node.var, item):
                    inner = self._flattened(node.body)
                parts.append(inner and [(self.of.stages.named(st.both(present, p)), i) for p, i in inner])
        else:
            scalar = node.type.item is not None and node.type.item.kind != dt.LIST
            return self.spelt_out(node) if scalar else None
        return None if None in parts else [item for part in parts for item in part or ()]

    @contextmanager
    def bound(self, var: str, item: Item, behind: Behind = NOTHING) -> Iterator[None]:
        """A loop's local, bound to one item: what is compiled under it holds for that item alone."""
        known, self.of.known = self.of.known, Known()
        before = self.of.items.get(var)
        key = ("Local", var)
        self.of.items[var] = item
        if isinstance(item, Sql):
            self.of.variables[key] = item
        self.of.nulls.names[key] = behind
        try:
            yield
        finally:
            self.of.known = known
            if before is None:
                del self.of.items[var]
            else:
                self.of.items[var] = before

    def narrowed(self, items: Items, node: ir.Fold) -> list[tuple[Sql, Sql]]:
        """The values that a fold folds, each with its condition."""
        if len(items) > MAX_ITEMS:
            raise Gap(node.at, f"loops over lists of more than {MAX_ITEMS} items")
        found = []
        for present, item in items:
            with self.bound(node.var, item):
                if node.filter is not None:
                    present = st.both(present, st.holds(self.of.compile(node.filter)))
                value = self.of.compile(node.value) if node.value is not None else item
            if not isinstance(value, Sql):
                if node.op != "count":
                    raise Gap(node.at, f"`{node.op}` over contexts")
                value = TRUE
            found.append((self.of.stages.named(present), self.of.stages.named(value)))
        return found

    def item(self, node: ir.Node) -> Item:
        if isinstance(node, ir.Record):
            return Members({name: self.of.stages.named(self.of.compile(value)) for name, value in node.fields})
        return self.of.stages.named(self.of.compile(node))

    def origins(self, node: ir.Fold, items: Items) -> Behind:
        found = []
        for present, item in items:
            with self.bound(node.var, item, Behind(st.missing(item)) if isinstance(item, Sql) else NOTHING):
                if node.filter is not None:
                    present = st.both(present, st.holds(self.of.compile(node.filter)))
                if node.value is not None:
                    found.append(where(self.of.stages.named(present), self.of.nulls.behind(node.value)))
                elif isinstance(item, Sql):
                    found.append(where(self.of.stages.named(present), Behind(st.missing(item))))
        return union([*found, self.hidden(node.source)])

    def hidden(self, node: ir.Node) -> Behind:
        """Behind the nulls that stand in a known list or context."""
        if isinstance(node, (ir.List, ir.Record, ir.Call)):
            return union(self.of.nulls.within(child) for child in ir.children(node))
        if isinstance(node, ir.Cond):
            test = self.of.stages.named(self.of.compile(node.test))
            parts = ((st.holds(test), node.then), (st.holds(st.opposite(test)), node.otherwise))
            return union(where(self.of.stages.named(holds), self.hidden(part)) for holds, part in parts)
        if isinstance(node, ir.Filter):
            return self.hidden(node.source)
        if isinstance(node, ir.Map):
            bodies = []
            for present, item in self.spelt_out(node.source) or ():
                with self.bound(node.var, item, Behind(st.missing(item)) if isinstance(item, Sql) else NOTHING):
                    bodies.append(where(present, self.of.nulls.within(node.body)))
            return union([self.hidden(node.source), *bodies])
        if isinstance(node, ir.Ref):
            nulls = [st.both(p, st.missing(i)) for p, i in self.spelt_out(node) or () if isinstance(i, Sql)]
            null = self.of.stages.named(st.either(*nulls)) if nulls else FALSE
            view = self.of.seen(node)
            behind = self.of.nulls.names.get(("Ref", node.name), NOTHING) if view is node else self.hidden(view)
            return where(null, Behind(TRUE, behind.lanes))
        return NOTHING
