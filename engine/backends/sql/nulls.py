"""Where a null comes from: the rules of `backends.reference.nulls` in columnar form.

The same walk answers whether it is a name that was null, or an operation without a value for known operands, and,
where that is asked for, which inputs and histories are behind it.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.items import Over, supplied
from engine.backends.sql.origins import NOTHING, Behind, Labels, union, where
from engine.backends.sql.stages import FALSE, TRUE, Sql
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.folds import TOTAL

if TYPE_CHECKING:
    from engine.backends.sql.relations import Expressions

CONTAINERS = frozenset({dt.LIST, dt.CONTEXT})


class Nulls:
    """What is behind the nulls of one scope, whose compiler is `of`. `names` holds it for each name that can be
    null, `relations` for the rows of the histories that policies derived. `wants_labels`: which data are missing is
    asked for, beside whether a name is."""

    def __init__(self, of: Expressions, labels: Labels) -> None:
        self.of = of
        self.labels = labels
        self.wants_labels = False
        self.names: dict[tuple[str, str], Behind] = {}
        self.relations: dict[str, Behind] = {}
        #: What is behind values of the outer scope, by the node that was handed down.
        self.handed: dict[int, Behind] = {}
        histories = of.program.histories
        #: The supplied history behind each relation, and the relations that a policy with histories of its own derived:
        #: what is behind these the scope says that holds them.
        self.supplied = {h.name: supplied(of.program, h) for h in histories}
        self.composed = {h.name for h in histories if h.each is not None and h.each.histories}

    def behind(self, node: ir.Node) -> Behind:
        """What is behind the null of a node, in columns of this scope; nothing where it is not null."""
        found = self.of.known.behind.get(id(node))
        if found is None:
            found = self.of.known.behind[id(node)] = self.named(self._behind(node))
        return found

    def label(self, name: str, null: Sql) -> Behind:
        """A missing input or history."""
        return self.labels.behind(name, null, self.wants_labels)

    def _behind(self, node: ir.Node) -> Behind:
        if not self._nullable(node) or isinstance(node, ir.Const):
            return NOTHING
        leaf = self._leaf(node)
        if leaf is not None:
            return leaf
        if isinstance(node, ir.Cond):
            return self._condition(node)
        if isinstance(node, ir.Fold):
            return self.named(where(self._null(node), self._fold(node)))
        if isinstance(node, (ir.Filter, ir.Map, ir.Group)):
            return self.behind(node.source)
        if isinstance(node, ir.Call) and node.op == "distinct values":
            return self.behind(node.args[0])
        if isinstance(node, ir.Field) and (edge := self.of.edge(node)) is not None:
            return self.named(self._edge(node, edge))
        if isinstance(node, ir.Let):
            return self._let(node)
        if isinstance(node, ir.Field) and isinstance(node.base, ir.Record):
            return self.behind(dict(node.base.fields)[node.name])
        found = union(self.within(child) for child in ir.children(node))
        return found if self._is_strict(node) else where(self._null(node), found)

    def _leaf(self, node: ir.Node) -> Behind | None:
        """What is behind a name; None for what is no name."""
        handed = self._handed(node)
        if handed is not None:
            return handed
        if isinstance(node, ir.Parameter):
            return where(self._null(node), self._parameter(node))
        if isinstance(node, ir.Local) or (isinstance(node, ir.Field) and isinstance(node.base, ir.Local)):
            return self._local(node)
        key = _key(node)
        if key is None:
            return None
        found = self.names.get(key)
        if found is not None:
            return found
        return Behind(self._null(node))

    def _condition(self, node: ir.Cond) -> Behind:
        test = self.of.stages.named(self.of.compile(node.test))
        parts = []
        if test.nullable:
            parts.append(where(st.missing(test), self.behind(node.test)))
        parts.append(where(st.holds(test), self.behind(node.then)))
        fails = st.opposite(test)
        parts.append(where(st.holds(fails), self.behind(node.otherwise)))
        return self.named(union(parts))

    def _let(self, node: ir.Let) -> Behind:
        with self.of.bound(node):
            return self.named(self.behind(node.body))

    def within(self, node: ir.Node) -> Behind:
        """Behind an operand's null, or behind the nulls that stand in a list or context."""
        if node.type.kind not in CONTAINERS:
            return self.behind(node)
        return union((self.behind(node), self.of.lists.hidden(node)))

    def named(self, behind: Behind) -> Behind:
        """`behind` with its parts as columns, since what reads a null asks again."""
        return behind.through(self.of.stages.named)

    def _null(self, node: ir.Node) -> Sql:
        return self.of.null_of(node)

    def _nullable(self, node: ir.Node) -> bool:
        return self.of.null_of(node) is not FALSE

    def _is_strict(self, node: ir.Node) -> bool:
        """Whether the node is null wherever an operand is, so that nothing is behind it where it is not. A list or
        context may hold nulls and be none."""
        if any(child.type.kind in CONTAINERS for child in ir.children(node)):
            return False
        if isinstance(node, (ir.Compare, ir.Not)):
            return True
        operation = self.of.functions.catalogue.find(node.op) if isinstance(node, ir.Call) else None
        return operation is not None and operation.nulls == "strict"

    # --- names, loops and what was handed down ----------------------------------------------------------------

    def _handed(self, node: ir.Node) -> Behind | None:
        """What is behind a value of the outer scope; None for what is of this one."""
        found = self.handed.get(id(node))
        if found is None and id(node) in self.of.handed and isinstance(node, ir.Input):
            return self.label(node.name, self.of.null_of(node))
        return found

    def _local(self, node: ir.Node) -> Behind:
        """Behind a local that is null, or a row's field: the history is, where it came from one."""
        base = node.base if isinstance(node, ir.Field) else node
        assert isinstance(base, ir.Local)
        if isinstance(node, ir.Local) and ("Local", node.name) in self.names:
            return self.names[("Local", node.name)]
        null = self.of.null_of(node)
        relation = base.type.relation and (node.type.relation or base.type.relation)
        return Behind(null) if relation is None else self.of_relation(relation, null)

    def of_relation(self, relation: str, null: Sql) -> Behind:
        """Behind a row's member that is null: its history, or what a policy for each row lacked."""
        if relation in self.composed and self.wants_labels:
            bit = Sql(st.case([(null.tree.copy(), st.whole(1))], st.whole(0)), null.level)
            return Behind(null, ((relation, bit),))
        return self.label(self.supplied[relation], null)

    def _fold(self, node: ir.Fold) -> Behind:
        """Behind the null of a fold: its source's own null, or those of the items."""
        items = self.of.lists.spelt_out(node.source)
        if items is not None:
            return self.of.lists.origins(node, items)
        source = self.behind(node.source)
        if node.op in TOTAL or self.of.null_of(node.source) == TRUE:
            return source
        over = self.of.loops.over(node)
        inside = over.compiler.nulls.row(node, over)
        gathered = self.of.loops.gathered
        found = union((gathered(over, inside), gathered(over.replace(condition=TRUE), over.hidden)))
        return union((source, where(st.opposite(self.of.null_of(node.source)), self._resolved(found))))

    def _resolved(self, behind: Behind) -> Behind:
        """What is behind the relations of this scope, in place of the relations themselves."""
        parts = [behind.replace(lanes=tuple(p for p in behind.lanes if p[0] not in self.relations))]
        for lane, bits in behind.lanes:
            if lane in self.relations:
                there = Sql(exp.NEQ(this=bits.tree.copy(), expression=st.whole(0)), bits.level)
                parts.append(where(self.of.stages.named(there), self.relations[str(lane)]))
        return union(parts)

    def row(self, node: ir.Fold, over: Over) -> Behind:
        """Behind the null of one row's value, in the scope of the rows."""
        if node.value is None:
            kind = node.source.type.item
            null = st.missing(over.item) if isinstance(over.item, Sql) else FALSE
            name = self.supplied.get(kind.relation or "", "") if kind is not None else ""
            return self.label(name, null)
        return self.behind(node.value)


    def _edge(self, node: ir.Field, edge: ir.Fold) -> Behind:
        """Behind a member of the first or last row that is null: the history is, where there is such a row."""
        assert isinstance(edge.value, ir.Field)
        source = self.behind(edge.source)
        null = self.of.null_of(node)
        if null.is_false or self.of.null_of(edge.source) == TRUE:
            return source
        rows = self.of.stages.named(self.of.compile(self._counted(edge)))
        some = Sql(exp.GT(this=rows.tree.copy(), expression=st.number(0)), rows.level, rows.nullable)
        relation = edge.value.base.type.relation and (edge.value.type.relation or edge.value.base.type.relation)
        if relation is None:
            return source
        found = self._resolved(self.of_relation(relation, TRUE))
        return union((source, where(self.of.stages.named(st.both(null, st.holds(some))), found)))

    def _counted(self, edge: ir.Fold) -> ir.Fold:
        """How many rows the first or last is taken of."""
        key = -id(edge)
        if key not in self.of._edges:
            number = dt.Type(dt.NUMBER, whole=True)
            self.of._edges[key] = edge.replace(id=f"{edge.id}/rows", op="count", value=None, type=number)
        return self.of._edges[key]



    def _parameter(self, node: ir.Parameter) -> Behind:
        """Behind a parameter that is null: the guard of the row that would win."""
        null = self.of.null_of(node)
        parts = [Behind(null)]
        decided = FALSE
        rows = self.of.parameters[node.name].rows
        for row in sorted(rows, key=lambda row: (row.wildcards, -row.start.toordinal())):
            start = exp.GTE(this=self.of.as_of.tree.copy(), expression=self.of.literal(row.start, row.at))
            begun = Sql(start, self.of.as_of.level)
            guard = self.of.stages.named(self.of.compile(row.guard))
            open_row = st.both(begun, st.missing(guard), st.opposite(decided))
            parts.append(where(self.of.stages.named(open_row), self.behind(row.guard)))
            stands = st.both(begun, st.opposite(st.holds(st.opposite(guard))))
            decided = self.of.stages.named(st.either(decided, stands))
        return union(parts)


def _key(node: ir.Node) -> tuple[str, str] | None:
    if isinstance(node, (ir.Input, ir.Ref, ir.Relation)):
        return type(node).__name__, node.name
    if isinstance(node, ir.Field) and isinstance(node.base, ir.Ref):
        return "Ref", f"{node.base.name}.{node.name}"
    return None
