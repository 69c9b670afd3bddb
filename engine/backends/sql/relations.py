"""Expressions over histories, groups and lists: loops become conditions and aggregates.

A loop over a history runs in the scope of its rows; what in its body does not speak of the row is evaluated once a
customer and handed down. A loop over a list that the policy spells out, or whose rules collect it, is unrolled.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from sqlglot import exp

from engine.backends import support
from engine.backends.sql import stages as st
from engine.backends.sql.expressions import SqlExpressions
from engine.backends.sql.folds import aggregated, unrolled
from engine.backends.sql.origins import NOTHING, Behind, Labels, Origins, union, where
from engine.backends.sql.scopes import Aggregation, Grouped, Handing
from engine.backends.sql.stages import FALSE, NULL, TRUE, Joined, Sql, Stages
from engine.backends.support import Gap
from engine.ir import nodes as ir
from engine.ir.reads import walk
from engine.records import Record
from engine.semantics import dtypes as dt


class Members:
    """The members of a context or row by name; one that it lacks is null."""

    def __init__(self, fields: Mapping[str, Sql | Members]) -> None:
        self.fields = fields

    def __call__(self, name: str) -> Sql | Members:
        return self.fields.get(name, NULL)

    def scalar(self, name: str) -> Sql:
        """A member that is no context itself; raises `Gap` for one that is."""
        found = self(name)
        if not isinstance(found, Sql):
            raise Gap(None, f"the context `{name}` within another")
        return found


#: The value of a loop's item: a scalar, or its members.
Item = Sql | Members
#: Items of a list that a query spells out: each with the condition under which it is there.
Items = list[tuple[Sql, Item]]
#: Items beyond which a list is not unrolled.
MAX_ITEMS = 200


class Over(Record):
    """Rows that a fold goes over: in which aggregation, which of them, what of each, and whether each value
    counts once. `compiler` is that of their scope."""

    aggregation: Aggregation
    compiler: Expressions
    condition: Sql
    item: Item
    distinct: bool = False


class Opened(Record):
    """A scope of rows under an outer one: their aggregation, the compiler of what speaks of them, and a row."""

    aggregation: Aggregation
    compiler: Expressions
    row: Members


class History:
    """Rows of an outer scope: `null` says for which outer rows there are none to speak of. `open` makes their scope,
    which is done once."""

    def __init__(self, name: str, null: Sql, open: Callable[[Expressions], Opened]) -> None:
        self.name = name
        self.null = null
        self._open = open
        self._opened: Opened | None = None

    def opened(self, outer: Expressions) -> Opened:
        if self._opened is None:
            self._opened = self._open(outer)
        return self._opened


class GroupItem(Members):
    """A group: its key, and the history of its rows."""

    def __init__(self, key: Sql, rows: History) -> None:
        super().__init__({"key": key})
        self.rows = rows


class Expressions(SqlExpressions):
    """Compiles the expressions of one scope. `parent` is the compiler of the scope around it, and `rows` are the
    locals that stand for its own rows."""

    def __init__(
        self, stages: Stages, program: ir.Program, labels: Labels, parent: Expressions | None = None,
        dialect: str = "duckdb",
    ) -> None:
        super().__init__(stages, program, dialect)
        self.program = program
        self.labels = labels
        self.parent = parent
        self.tables = {t.name: t for t in program.tables}
        self.items: dict[str, Item] = {}
        self.lists: dict[str, Items] = {}
        self.histories: dict[str, History] = {}
        self.origins: dict[tuple[str, str], Behind] = {}
        #: In a scope of rows: their order, what makes one bad data, and what is behind a field's null.
        self.order: Callable[[], Sequence[Sql]] = tuple
        self.bad: list[Sql] = []
        #: The supplied history behind each relation, for those that a policy for each row derived.
        self.supplied = {h.name: supplied(program, h) for h in program.histories}
        #: Relations that a policy with histories of its own derived: what is behind their nulls, the scope says that
        #: holds them.
        self.composed = {h.name for h in program.histories if h.each is not None and h.each.histories}
        self.relation_origins: dict[str, Behind] = {}
        self._handed_origins: dict[int, Behind] = {}
        #: Whether what is behind a null is asked for, beside whether a name is.
        self.wants_labels = False
        #: Constant tables that a stage joins, with their columns, by table, stage and keys.
        self.joined_tables: dict[tuple[str, int, tuple[str, ...]], tuple[Joined, list[str]]] = {}
        self._edges: dict[int, ir.Fold] = {}
        self._handed: dict[int, Sql] = {}
        self._compiled: dict[int, Sql] = {}
        self._behind: dict[int, Behind] = {}
        self._scopes: dict[tuple[str, int], Opened] = {}
        self._groups: dict[int, History] = {}
        #: Relations and lists that a name stands for: they are gone through where they are read.
        self.views: dict[tuple[str, str], ir.Node] = {}
        self.walk = Origins(self)

    def compile(self, node: ir.Node) -> Sql:
        """A node's SQL; the same tree where it was compiled before."""
        handed = self._handed.get(id(node))
        if handed is not None:
            return handed
        found = self._compiled.get(id(node))
        if found is None:
            found = super().compile(node)
            self._compiled[id(node)] = found
        return found

    def null_of(self, node: ir.Node) -> Sql:
        """Whether a node is null, FALSE itself where it cannot be."""
        node = self.seen(node)
        if isinstance(node, ir.Relation):
            return self.histories[node.name].null
        if isinstance(node, (ir.Filter, ir.Map, ir.Group)):
            return self.null_of(node.source)
        if isinstance(node, ir.Call) and node.op == "distinct values":
            return self.null_of(node.args[0])
        if isinstance(node, (ir.List, ir.Record)) or self.group_rows(node) is not None:
            return FALSE
        value = self.compile(node)
        return st.missing(self.stages.named(value)) if value.nullable else FALSE

    @contextmanager
    def bound(self, node: ir.Let) -> Iterator[None]:
        """The local of a `Let`, bound for its body."""
        key = ("Local", node.name)
        variables, origins = dict(self.variables), dict(self.origins)
        self.variables[key] = self.stages.named(self.compile(node.value))
        self.origins[key] = self.walk.behind(node.value)
        try:
            yield
        finally:
            _restore(self.variables, variables, key)
            _restore(self.origins, origins, key)

    @contextmanager
    def item_bound(self, var: str, item: Item, behind: Behind = NOTHING) -> Iterator[None]:
        """A loop's local, bound to one item: what is compiled under it holds for that item alone."""
        compiled, self._compiled = self._compiled, {}
        before = self.items.get(var)
        key = ("Local", var)
        self.items[var] = item
        if isinstance(item, Sql):
            self.variables[key] = item
        self.origins[key] = behind
        try:
            yield
        finally:
            self._compiled = compiled
            if before is None:
                del self.items[var]
            else:
                self.items[var] = before

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
        self.spelt_out(node)
        for body, bound in self._bodies(node):
            for part in self._of_this_scope(body, bound):
                self.stages.named(self.compile(part))   # its locals may mean another thing where the name is read
        return True

    def new_decision(self) -> None:
        """Forget the locals of the decision before."""
        for held in (self.variables, self.origins, self.views):
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
        items = self.spelt_out(node.source)
        if items is not None:
            return unrolled(self, node, self.narrowed(items, node))
        null = self.null_of(node.source)
        if null == TRUE:
            return NULL
        over = self.over(node)
        value = aggregated(self, node, over)
        if null.is_false:
            return value
        present = st.opposite(null)
        return Sql(st.case([(present.tree.copy(), value.tree)]), st.deepest([present, value]), True)

    # --- lists ----------------------------------------------------------------------------------------

    def spelt_out(self, node: ir.Node) -> Items | None:
        """The items of a list that is known item by item; None for what is not."""
        node = self.seen(node)
        if isinstance(node, ir.List):
            return [(TRUE, self._as_item(i)) for i in node.items]
        if isinstance(node, ir.Ref):
            return self.lists.get(node.name)
        if isinstance(node, ir.Filter):
            items = self.spelt_out(node.source)
            if items is None:
                return None
            kept = []
            for present, item in items:
                with self.item_bound(node.var, item):
                    passes = self.stages.named(st.holds(self.compile(node.predicate)))
                kept.append((self.stages.named(st.both(present, passes)), item))
            return kept
        if isinstance(node, ir.Map):
            items = self.spelt_out(node.source)
            if items is None:
                return None
            made: Items = []
            for present, item in items:
                with self.item_bound(node.var, item):
                    made.append((present, self._as_item(node.body)))
            return made
        return super().spelt_out(node)

    def narrowed(self, items: Items, node: ir.Fold) -> list[tuple[Sql, Sql]]:
        """The values that a fold folds, each with its condition."""
        if len(items) > MAX_ITEMS:
            raise Gap(node.at, f"loops over lists of more than {MAX_ITEMS} items")
        found = []
        for present, item in items:
            with self.item_bound(node.var, item):
                if node.filter is not None:
                    present = st.both(present, st.holds(self.compile(node.filter)))
                value = self.compile(node.value) if node.value is not None else item
            if not isinstance(value, Sql):
                if node.op != "count":
                    raise Gap(node.at, f"`{node.op}` over contexts")
                value = TRUE
            found.append((self.stages.named(present), self.stages.named(value)))
        return found

    def _as_item(self, node: ir.Node) -> Item:
        if isinstance(node, ir.Record):
            return Members({name: self.stages.named(self.compile(value)) for name, value in node.fields})
        return self.stages.named(self.compile(node))

    # --- rows -----------------------------------------------------------------------------------------

    def over(self, node: ir.Fold | ir.Group) -> Over:
        """The rows that a loop goes over, in their scope; what its body reads of this scope is handed down."""
        history = self._history(self._base(node.source))
        parts = [p for body, bound in self._bodies(node) for p in self._of_this_scope(body, bound)]
        given = [(p, self.stages.named(self.compile(p))) for p in parts]
        behind = [(p, self.behind(p)) for p, v in given if v.nullable and not isinstance(p, ir.Input)]
        columns = [v for v in (*(v for _, v in given), *(v for _, b in behind for v in b.parts))
                   if isinstance(v.tree, exp.Column)]
        base = history.opened(self)
        if columns:
            level = max(base.aggregation.level, st.deepest(columns) + 1)
            alone = f"{history.name} {id(node)}" if isinstance(node, ir.Group) else history.name
            opened = self._handing(base, level, alone)
            handing = opened.aggregation
            assert isinstance(handing, Handing)
            hand: Callable[[Sql], Sql] = handing.outer_value
        else:
            opened, hand = base, _itself
        for part, value in given:
            opened.compiler._handed[id(part)] = hand(value)
        for part, found in behind:
            opened.compiler._handed_origins[id(part)] = found.through(hand)
        return opened.compiler._stepped(node, opened, self)

    def _handing(self, base: Opened, level: int, name: str) -> Opened:
        """Rows beside values of this scope that stages before `level` have."""
        key = (name, level)
        if key not in self._scopes:
            handing = Handing(self.stages, level, base.aggregation.whole, base.aggregation.ours)
            compiler = Expressions(handing.chain.stages, self.program, self.labels, self, self.dialect.name)
            compiler.wants_labels = self.wants_labels
            compiler.order = lambda: [handing.carried(o) for o in base.compiler.order()]
            self._scopes[key] = Opened(handing, compiler, carried(base.row, handing.carried))
        return self._scopes[key]

    def _stepped(self, node: ir.Fold | ir.Group, opened: Opened, outer: Expressions) -> Over:
        """The steps of a loop's source and its own filter and value, over one row, in the scope of the rows."""
        condition, item, distinct = self._source(node.source, opened.row, outer)
        if isinstance(node, ir.Fold):
            with self.row_bound(node.var, item):
                if node.filter is not None:
                    condition = st.both(condition, self.compile(node.filter))
                if node.value is not None:
                    item = self._as_item(node.value)
        return Over(opened.aggregation, self, self.stages.named(st.holds(condition)), item, distinct)

    def _source(self, node: ir.Node, row: Item, outer: Expressions) -> tuple[Sql, Item, bool]:
        node = outer.seen(node)
        if isinstance(node, ir.Call) and node.op == "distinct values":
            condition, item, _ = self._source(node.args[0], row, outer)
            return condition, item, True
        if isinstance(node, (ir.Filter, ir.Map)):
            condition, item, distinct = self._source(node.source, row, outer)
            if distinct:
                raise Gap(node.at, "loops over distinct values")
            with self.row_bound(node.var, item):
                if isinstance(node, ir.Filter):
                    return st.both(condition, self.compile(node.predicate)), item, False
                return condition, self._as_item(node.body), False
        return TRUE, row, False

    @contextmanager
    def row_bound(self, var: str, item: Item) -> Iterator[None]:
        """A local bound to a row, or to what was made of one."""
        before = self.items.get(var)
        self.items[var] = item
        if isinstance(item, Sql):
            self.variables[("Local", var)] = item
        try:
            yield
        finally:
            if before is not None:
                self.items[var] = before

    def _history(self, base: ir.Node) -> History:
        if isinstance(base, ir.Relation):
            return self.histories[base.name]
        if isinstance(base, ir.Group):
            if id(base) not in self._groups:
                self._groups[id(base)] = History(f"groups {id(base)}", FALSE, lambda _: self._grouped(base))
            return self._groups[id(base)]
        rows = self.group_rows(base)
        if rows is None:
            raise Gap(base.at, "loops over lists that the policy does not spell out")
        return rows

    def group_rows(self, node: ir.Node) -> History | None:
        """The history of a group's rows, where the node reads it."""
        if isinstance(node, ir.Field) and node.name == "rows" and isinstance(node.base, ir.Local):
            item = self.items.get(node.base.name)
            return item.rows if isinstance(item, GroupItem) else None
        return None

    def _grouped(self, node: ir.Group) -> Opened:
        """The groups of a history's rows: a scope of rows whose own rows are those of the history."""
        over = self.over(node)
        row = over.item
        if not isinstance(row, Members):
            raise Gap(node.at, "groups of what is no row")
        with over.compiler.row_bound(node.var, row):
            key = over.compiler.stages.named(over.compiler.compile(node.key))
        if not isinstance(key.tree, exp.Column):
            key = over.compiler.stages.named(key.replace(tree=exp.Paren(this=key.tree)))
        over.aggregation.chain.order = tuple(over.compiler.order())
        groups = Grouped(over.aggregation.whole, over.condition, key)
        aggregation = Aggregation(self.stages, over.aggregation.level, groups.chain, over.aggregation.ours)
        compiler = Expressions(groups.chain.stages, self.program, self.labels, self, self.dialect.name)
        compiler.wants_labels = self.wants_labels
        compiler.order = lambda: [groups.by_appearance()] if over.compiler.order() else []

        def rows(outer: Expressions) -> Opened:
            chain, carry = groups.rows()
            ours = [*(k.column for k in groups.chain.keys), groups.value]
            inner = Expressions(chain.stages, self.program, self.labels, outer, self.dialect.name)
            inner.wants_labels = self.wants_labels
            inner.order = lambda: [carry(o) for o in over.compiler.order()]
            level = st.deepest(ours) + 1
            return Opened(Aggregation(outer.stages, level, chain, ours), inner, carried(row, carry))

        return Opened(aggregation, compiler, GroupItem(groups.value, History(f"rows {id(node)}", FALSE, rows)))

    def _base(self, node: ir.Node) -> ir.Node:
        """The relation, groups or list that a chain of filters, maps and distinct values begins with."""
        while True:
            node = self.seen(node)
            if isinstance(node, (ir.Filter, ir.Map)):
                node = node.source
            elif isinstance(node, ir.Call) and node.op == "distinct values":
                node = node.args[0]
            else:
                return node

    def _bodies(self, node: ir.Node) -> list[tuple[ir.Node, frozenset[str]]]:
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
            node = self.seen(node)
            if isinstance(node, (ir.Filter, ir.Map)):
                found.append(node.predicate if isinstance(node, ir.Filter) else node.body)
                bound.add(node.var)
                node = node.source
            elif isinstance(node, ir.Call) and node.op == "distinct values":
                node = node.args[0]
            else:
                return [(body, frozenset(bound)) for body in found]

    def _of_this_scope(self, node: ir.Node, bound: frozenset[str]) -> list[ir.Node]:
        """The largest parts of a loop's body that do not speak of its row, but do of this scope."""
        free = free_locals(node)
        known = {name for kind, name in (*self.variables, *self.views) if kind == "Local"} | self.items.keys()
        if free <= known and not free & bound:
            return [] if is_of_the_date(node, self.parameters) else [node]
        if isinstance(node, (ir.Filter, ir.Map, ir.Fold, ir.Group)):
            bound |= {node.var}
        elif isinstance(node, ir.Let):
            bound |= {node.name}
        return [n for child in ir.children(node) for n in self._of_this_scope(child, bound)]

    # --- origins ----------------------------------------------------------------------------------------

    def behind(self, node: ir.Node) -> Behind:
        """What is behind the null of a node, in columns of this scope."""
        found = self._behind.get(id(node))
        if found is None:
            found = self._behind[id(node)] = self.walk.named(self.walk.behind(node))
        return found

    def handed_origins(self, node: ir.Node) -> Behind | None:
        """What is behind a value of the outer scope; None for what is of this one."""
        found = self._handed_origins.get(id(node))
        if found is None and id(node) in self._handed and isinstance(node, ir.Input):
            return self.labels.behind(node.name, self.null_of(node), self.wants_labels)
        return found

    def local_origins(self, node: ir.Node) -> Behind:
        """Behind a local that is null, or a row's field: the history is, where it came from one."""
        base = node.base if isinstance(node, ir.Field) else node
        assert isinstance(base, ir.Local)
        if isinstance(node, ir.Local) and ("Local", node.name) in self.origins:
            return self.origins[("Local", node.name)]
        null = self.null_of(node)
        relation = base.type.relation
        return Behind(null) if relation is None else self._of_relation(relation, null)

    def _of_relation(self, relation: str, null: Sql) -> Behind:
        """Behind a row's member that is null: its history, or what a policy for each row lacked."""
        if relation in self.composed and self.wants_labels:
            bit = Sql(st.case([(null.tree.copy(), st.whole(1))], st.whole(0)), null.level)
            return Behind(null, ((relation, bit),))
        return self.labels.behind(self.supplied[relation], null, self.wants_labels)

    def fold_origins(self, node: ir.Fold, walk: Callable[[ir.Node], Behind]) -> Behind:
        """Behind the null of a fold: its source's own null, or those of the items."""
        items = self.spelt_out(node.source)
        if items is not None:
            return self._item_origins(node, items)
        source = walk(node.source)
        if self.null_of(node.source) == TRUE:
            return source
        over = self.over(node)
        inside = over.compiler.row_origins(node, over)
        inside = self._resolved(self._gathered(over, inside))
        return union((source, where(st.opposite(self.null_of(node.source)), inside)))

    def _resolved(self, behind: Behind) -> Behind:
        """What is behind the relations of this scope, in place of the relations themselves."""
        parts = [behind.replace(lanes=tuple(p for p in behind.lanes if p[0] not in self.relation_origins))]
        for lane, bits in behind.lanes:
            if lane in self.relation_origins:
                there = Sql(exp.NEQ(this=bits.tree.copy(), expression=st.whole(0)), bits.level)
                parts.append(where(self.stages.named(there), self.relation_origins[str(lane)]))
        return union(parts)

    def row_origins(self, node: ir.Fold, over: Over) -> Behind:
        """Behind the null of one row's value, in the scope of the rows."""
        if node.value is None:
            kind = node.source.type.item
            null = st.missing(over.item) if isinstance(over.item, Sql) else FALSE
            name = self.supplied.get(kind.relation or "", "") if kind is not None else ""
            return self.labels.behind(name, null, self.wants_labels)
        return self.behind(node.value)

    def _gathered(self, over: Over, inside: Behind) -> Behind:
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

    def edge_origins(self, node: ir.Field, edge: ir.Fold) -> Behind:
        """Behind a member of the first or last row that is null: the history is, where there is such a row."""
        assert isinstance(edge.value, ir.Field)
        source = self.walk.behind(edge.source)
        null = self.null_of(node)
        if null.is_false or self.null_of(edge.source) == TRUE:
            return source
        rows = self.stages.named(self.compile(self._counted(edge)))
        some = Sql(exp.GT(this=rows.tree.copy(), expression=st.number(0)), rows.level, rows.nullable)
        relation = edge.value.base.type.relation
        if relation is None:
            return source
        found = self._resolved(self._of_relation(relation, TRUE))
        return union((source, where(self.stages.named(st.both(null, st.holds(some))), found)))

    def _counted(self, edge: ir.Fold) -> ir.Fold:
        """How many rows the first or last is taken of."""
        key = -id(edge)
        if key not in self._edges:
            number = dt.Type(dt.NUMBER, whole=True)
            self._edges[key] = edge.replace(id=f"{edge.id}/rows", op="count", value=None, type=number)
        return self._edges[key]

    def _item_origins(self, node: ir.Fold, items: Items) -> Behind:
        found = []
        for present, item in items:
            with self.item_bound(node.var, item, Behind(st.missing(item)) if isinstance(item, Sql) else NOTHING):
                if node.filter is not None:
                    present = st.both(present, st.holds(self.compile(node.filter)))
                if node.value is not None:
                    found.append(where(self.stages.named(present), self.walk.behind(node.value)))
                elif isinstance(item, Sql):
                    found.append(where(self.stages.named(present), Behind(st.missing(item))))
        return union([*found, self._hidden(node.source)])

    def _hidden(self, node: ir.Node) -> Behind:
        """Behind the nulls that stand in a list that is spelt out."""
        if isinstance(node, ir.List):
            return union(self.walk.behind(item) for item in node.items)
        if isinstance(node, ir.Filter):
            return self._hidden(node.source)
        if isinstance(node, ir.Map):
            bodies = []
            for present, item in self.spelt_out(node.source) or ():
                with self.item_bound(node.var, item, Behind(st.missing(item)) if isinstance(item, Sql) else NOTHING):
                    bodies.append(where(present, self.walk.behind(node.body)))
            return union([self._hidden(node.source), *bodies])
        if isinstance(node, ir.Ref):
            nulls = [st.both(p, st.missing(i)) for p, i in self.spelt_out(node) or () if isinstance(i, Sql)]
            null = self.stages.named(st.either(*nulls)) if nulls else FALSE
            view = self.seen(node)
            behind = self.origins.get(("Ref", node.name), NOTHING) if view is node else self._hidden(view)
            return where(null, Behind(TRUE, behind.lanes))
        return NOTHING

    def parameter_origins(self, node: ir.Parameter, walk: Callable[[ir.Node], Behind]) -> Behind:
        """Behind a parameter that is null: the guard of the row that would win."""
        null = self.null_of(node)
        parts = [Behind(null)]
        decided = FALSE
        rows = self.parameters[node.name].rows
        for row in sorted(rows, key=lambda row: (row.wildcards, -row.start.toordinal())):
            start = exp.GTE(this=self.as_of.tree.copy(), expression=self.literal(row.start, row.at))
            begun = Sql(start, self.as_of.level)
            guard = self.stages.named(self.compile(row.guard))
            open_row = st.both(begun, st.missing(guard), st.opposite(decided))
            parts.append(where(self.stages.named(open_row), walk(row.guard)))
            stands = st.both(begun, st.opposite(st.holds(st.opposite(guard))))
            decided = self.stages.named(st.either(decided, stands))
        return union(parts)

    nodes: ClassVar[Mapping[type[ir.Node], Callable[[Any, Any], Any]]] = {
        **SqlExpressions.nodes, ir.Local: local, ir.Let: let, ir.IsNull: null_test, ir.Field: field, ir.Fold: fold,
        ir.Lookup: lookup,
    }
    #: Relations, their filters, loops and groups stand in folds alone, and lists and contexts in what reads them.
    nodes_left_out = SqlExpressions.nodes_left_out - {ir.Fold, ir.Lookup}
    hits = frozenset(support.HITS)
    hits_left_out: ClassVar[frozenset[str]] = frozenset()


def _restore(held: dict[tuple[str, str], Any], before: Mapping[tuple[str, str], Any], key: tuple[str, str]) -> None:
    if key in before:
        held[key] = before[key]
    else:
        del held[key]


def supplied(program: ir.Program, decl: ir.HistoryDecl) -> str:
    """The supplied history behind one that a policy for each row derived."""
    histories = {h.name: h for h in program.histories}
    while decl.each is not None:
        decl = histories[decl.each.over]
    return decl.name


def carried(row: Members, carry: Callable[[Sql], Sql]) -> Members:
    """A row in a chain that goes on from another."""
    return Members({
        name: carry(field) if isinstance(field, Sql) else carried(field, carry) for name, field in row.fields.items()
    })


def _itself(value: Sql) -> Sql:
    return value


def _key(node: ir.Ref | ir.Local) -> tuple[str, str]:
    return type(node).__name__, node.name


def free_locals(node: ir.Node) -> frozenset[str]:
    """The locals that a node reads and does not bind itself."""
    if isinstance(node, ir.Local):
        return frozenset({node.name})
    found: frozenset[str] = frozenset()
    for child in ir.children(node):
        found |= free_locals(child)
    if isinstance(node, ir.Let):
        return free_locals(node.value) | (free_locals(node.body) - {node.name})
    if isinstance(node, (ir.Filter, ir.Map, ir.Fold, ir.Group)):
        return free_locals(node.source) | (found - {node.var})
    return found


def is_of_the_date(node: ir.Node, parameters: Mapping[str, ir.ParameterDecl]) -> bool:
    """Whether a node hangs on nothing but the date of the decision."""
    for each in walk(node):
        if isinstance(each, (ir.Input, ir.Ref, ir.Relation, ir.Local)):
            return False
        if isinstance(each, ir.Parameter):
            rows = parameters[each.name].rows
            if not all(is_of_the_date(row.guard, parameters) for row in rows):
                return False
    return True
