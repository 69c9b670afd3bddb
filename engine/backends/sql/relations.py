"""Expressions over histories, groups and lists: loops become conditions and aggregates.

A loop over a history runs in the scope of its rows; what in its body does not speak of the row is evaluated once a
customer and handed down. A loop over a list that the policy spells out, or whose rules collect it, is unrolled.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from engine.backends import support
from engine.backends.sql import stages as st
from engine.backends.sql.dated import of_the_date
from engine.backends.sql.expressions import UNCOMPILED, SqlExpressions
from engine.backends.sql.folds import aggregated, unrolled
from engine.backends.sql.items import HISTORY_WITHIN, History, Item, Items, Known, Members
from engine.backends.sql.lists import Lists
from engine.backends.sql.loops import Loops
from engine.backends.sql.nulls import Nulls
from engine.backends.sql.origins import Behind, Labels
from engine.backends.sql.stages import FALSE, NULL, TRUE, JoinedTable, Sql, Stages
from engine.backends.support import Gap
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt

#: What is no value of a column: folds, fields and operations go through it.
GONE_THROUGH = (ir.Record, ir.List, ir.Relation, ir.Filter, ir.Map, ir.Group)


class Expressions(SqlExpressions):
    """Compiles the expressions of one scope."""

    def __init__(
        self, stages: Stages, program: ir.Program, labels: Labels, dialect: str = "duckdb",
        dates: Mapping[str, ir.Node] | None = None,
    ) -> None:
        super().__init__(stages, program, dialect)
        self.program = program
        self.tables = {t.name: t for t in program.tables}
        #: What gives the decisions of the date alone: a scope of rows makes them anew, and joins nothing for them.
        self.dates = of_the_date(program) if dates is None else dates
        self.items: dict[str, Item] = {}
        #: The items of decisions that collect.
        self.collected: dict[str, Items] = {}
        self.histories: dict[str, History] = {}
        #: In a scope of rows: their order, what makes one bad data, and what is behind a field's null.
        self.order: Callable[[], Sequence[Sql]] = tuple
        self.bad: list[Sql] = []
        #: Constant tables that are joined, by table and keys.
        self.joined_tables: dict[tuple[str, tuple[str, ...]], JoinedTable] = {}
        self._edges: dict[int, ir.Fold] = {}
        #: Values of the outer scope, by the node that was handed down.
        self.handed: dict[int, Sql] = {}
        self.known = Known()
        #: Relations and lists that a name stands for: they are gone through where they are read.
        self.views: dict[tuple[str, str], ir.Node] = {}
        self.nulls = Nulls(self, labels)
        self.lists = Lists(self)
        self.loops = Loops(self)

    def below(self, stages: Stages) -> Expressions:
        """The compiler of a scope below this one."""
        made = Expressions(stages, self.program, self.nulls.labels, self.dialect.name, self.dates)
        made.nulls.wants_labels = self.nulls.wants_labels
        return made

    def variable(self, node: ir.Input | ir.Ref | ir.Local) -> Sql:
        key = _key(node)
        if key not in self.variables and isinstance(node, ir.Ref) and node.name in self.dates:
            self.variables[key] = self.stages.named(self.compile(self.dates[node.name]))
        return super().variable(node)

    def hand(self, values: Sequence[tuple[ir.Node, Sql]], behind: Sequence[tuple[ir.Node, Behind]]) -> None:
        """Let nodes stand for values of the outer scope. What was compiled with other values is forgotten."""
        if any(self.handed.get(id(node), value) != value for node, value in values):
            self.known = Known()
        self.handed.update((id(node), value) for node, value in values)
        self.nulls.handed.update((id(node), found) for node, found in behind)

    def compile(self, node: ir.Node) -> Sql:
        """A node's SQL; the same tree where it was compiled before."""
        handed = self.handed.get(id(node))
        if handed is not None:
            return handed
        found = self.known.compiled.get(id(node))
        if found is None:
            found = self.known.compiled[id(node)] = super().compile(node)
        return found

    def spelt_out(self, node: ir.Node) -> Items | None:
        return self.lists.spelt_out(node)

    def null_of(self, node: ir.Node) -> Sql:
        """Whether a node is null, FALSE itself where it cannot be."""
        node = self.seen(node)
        if isinstance(node, ir.Relation):
            return self.loops.history(node).null
        if isinstance(node, (ir.Filter, ir.Map, ir.Group)):
            return self.null_of(node.source)
        if isinstance(node, ir.Call) and node.op == "distinct values":
            return self.null_of(node.args[0])
        if isinstance(node, (ir.List, ir.Record)) or self.loops.rows_of_group(node) is not None:
            return FALSE
        if isinstance(node, ir.Call) and node.type.kind in UNCOMPILED:
            return self.absent(node)
        if node.type.kind == dt.RELATION:
            raise Gap(node.at, HISTORY_WITHIN)
        value = self.compile(node)
        return st.missing(self.stages.named(value)) if value.nullable else FALSE

    @contextmanager
    def bound(self, node: ir.Let) -> Iterator[None]:
        """The local of a `Let`, bound for its body."""
        key = ("Local", node.name)
        variables, origins = dict(self.variables), dict(self.nulls.names)
        self.variables[key] = self.stages.named(self.compile(node.value))
        self.nulls.names[key] = self.nulls.behind(node.value)
        try:
            yield
        finally:
            _restore(self.variables, variables, key)
            _restore(self.nulls.names, origins, key)

    # --- nodes --------------------------------------------------------------------------------------

    def seen(self, node: ir.Node) -> ir.Node:
        """What a name stands for where it is that of a relation or list; any other node itself."""
        while isinstance(node, (ir.Ref, ir.Local)) and (view := self.views.get(_key(node))) is not None:
            node = view
        return node

    def view(self, key: tuple[str, str], node: ir.Node) -> bool:
        """Let a name stand for a relation or list that is no value of a column; False where `node` is none."""
        if node.type.kind not in (dt.RELATION, dt.LIST):
            return False
        self.views[key] = node
        self.lists.spelt_out(node)
        for body, bound in self.loops.bodies(node):
            for part in self.loops.of_this_scope(body, bound):
                self.stages.named(self.compile(part))   # its locals may mean another thing where the name is read
        return True

    def new_decision(self) -> None:
        """Forget the locals of the decision before."""
        for held in (self.variables, self.nulls.names, self.views):
            for key in [k for k in held if k[0] == "Local"]:
                del held[key]

    def let(self, node: ir.Let) -> Sql:
        with self.bound(node):
            return self.compile(node.body)

    def null_test(self, node: ir.IsNull) -> Sql:
        return self.null_of(node.arg)

    def local(self, node: ir.Local) -> Sql:
        found = self.variables.get(("Local", node.name))
        if found is None:
            raise Gap(node.at, "a whole row as a value")
        return found

    def field(self, node: ir.Field) -> Sql:
        edge = self.edge(node)
        if edge is not None:
            return self.compile(edge)
        item = self.item_of(node.base)
        if isinstance(item, Members):
            found = item(node.name)
            if not isinstance(found, Sql):
                raise Gap(node.at, "a context as a value")
            return found
        if isinstance(node.base, ir.Record):
            return self.compile(dict(node.base.fields)[node.name])
        return super().field(node)

    def edge(self, node: ir.Field) -> ir.Fold | None:
        """A member of the first or last row as the first or last of the members."""
        base = node.base
        if not isinstance(base, ir.Fold) or base.op not in ("first", "last") or base.value is not None:
            return None
        if id(node) not in self._edges:
            kind = base.source.type.item or base.type
            row = ir.Local(f"{node.id}/row", kind, node.at, base.var)
            value = node.replace(id=f"{node.id}/value", base=row)
            self._edges[id(node)] = base.replace(id=f"{node.id}/edge", type=node.type.optional(), value=value)
        return self._edges[id(node)]

    def item_of(self, node: ir.Node) -> Item | None:
        """The item that a local stands for, or a member of one."""
        if isinstance(node, ir.Local):
            return self.items.get(node.name)
        if isinstance(node, ir.Field) and isinstance(base := self.item_of(node.base), Members):
            return base(node.name)
        return None

    def lookup(self, node: ir.Lookup) -> Sql:
        from engine.backends.sql.lookups import looked_up  # noqa: PLC0415 - it needs this class

        return looked_up(self, self.tables[node.table], node)

    def fold(self, node: ir.Fold) -> Sql:
        """An aggregate of a history, or of a list item by item."""
        items = self.lists.spelt_out(node.source)
        if items is not None:
            return unrolled(self, node, self.lists.narrowed(items, node))
        null = self.null_of(node.source)
        if null == TRUE:
            return NULL
        over = self.loops.over(node)
        value = aggregated(self, node, over)
        if null.is_false:
            return value
        present = st.opposite(null)
        return Sql(st.case([(present.tree.copy(), value.tree)]), st.deepest([present, value]), True)

    # --- lists ----------------------------------------------------------------------------------------

    # --- rows -----------------------------------------------------------------------------------------

    def alone(self, node: ir.Node) -> Sql:
        """A relation, list or context that nothing goes through."""
        raise Gap(node.at, f"{support.phrase(node)} as a value")

    nodes: ClassVar[Mapping[type[ir.Node], Callable[[Any, Any], Any]]] = {
        **SqlExpressions.nodes, ir.Ref: variable, ir.Local: local, ir.Let: let, ir.IsNull: null_test, ir.Field: field,
        ir.Fold: fold, ir.Lookup: lookup, **dict.fromkeys(GONE_THROUGH, alone),
    }
    nodes_left_out = SqlExpressions.nodes_left_out - {ir.Fold, ir.Lookup, *GONE_THROUGH}
    hits = frozenset(support.HITS)
    hits_left_out: ClassVar[frozenset[str]] = frozenset()


def _restore(held: dict[tuple[str, str], Any], before: Mapping[tuple[str, str], Any], key: tuple[str, str]) -> None:
    if key in before:
        held[key] = before[key]
    else:
        del held[key]


def _key(node: ir.Input | ir.Ref | ir.Local) -> tuple[str, str]:
    return type(node).__name__, node.name
