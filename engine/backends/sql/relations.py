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
from engine.backends.sql.scopes import Aggregation
from engine.backends.sql.stages import FALSE, NULL, TRUE, Joined, Sql, Stages
from engine.backends.support import Gap
from engine.ir import nodes as ir
from engine.ir.reads import walk
from engine.records import Record


class Members:
    """The members of a context or row by name; one that it lacks is null."""

    def __init__(self, fields: Mapping[str, Sql]) -> None:
        self.fields = fields

    def __call__(self, name: str) -> Sql:
        return self.fields.get(name, NULL)


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


class History:
    """A history as the customers' scope knows it. `open_rows` makes an aggregation of its rows at a stage with
    the fields of a row, for a compiler of their scope; `null` says for whom it was not supplied."""

    def __init__(
        self, name: str, null: Sql, level: int, ordered: bool,
        open_rows: Callable[[Expressions, int, Sequence[tuple[ir.Node, Sql]]], tuple[Aggregation, Expressions, Item]],
        roots: Sequence[ir.Node] = (),
    ) -> None:
        self.name = name
        self.null = null
        self.level = level
        self.ordered = ordered
        self.open_rows = open_rows
        self.roots = tuple(roots)


class Expressions(SqlExpressions):
    """Compiles the expressions of one scope. `parent` is the compiler of the scope around it, and `rows` are the
    locals that stand for its own rows."""

    def __init__(
        self, stages: Stages, program: ir.Program, labels: Labels, parent: Expressions | None = None,
        dialect: str = "duckdb",
    ) -> None:
        super().__init__(stages, program, dialect)
        self.labels = labels
        self.parent = parent
        self.tables = {t.name: t for t in program.tables}
        self.items: dict[str, Item] = {}
        self.lists: dict[str, Items] = {}
        self.histories: dict[str, History] = {}
        self.origins: dict[tuple[str, str], Behind] = {}
        #: In a scope of rows: their order, what makes one bad data, and what is behind a field's null.
        self.order: tuple[Sql, ...] = ()
        self.bad: list[Sql] = []
        #: The supplied history behind each relation, for those that a policy for each row derived.
        self.supplied = {h.name: supplied(program, h) for h in program.histories}
        self._handed_origins: dict[int, Behind] = {}
        #: Whether what is behind a null is asked for, beside whether a name is.
        self.wants_labels = False
        #: Constant tables that a stage joins, with their columns, by table, stage and keys.
        self.joined_tables: dict[tuple[str, int, tuple[str, ...]], tuple[Joined, list[str]]] = {}
        self._handed: dict[int, Sql] = {}
        self._compiled: dict[int, Sql] = {}
        self._scopes: dict[tuple[str, int], tuple[Aggregation, Expressions, Item]] = {}
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
        if isinstance(node, ir.Relation):
            return self.histories[node.name].null
        if isinstance(node, (ir.Filter, ir.Map, ir.Group)):
            return self.null_of(node.source)
        if isinstance(node, (ir.List, ir.Record)):
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
        if isinstance(node.base, ir.Local):
            item = self.items.get(node.base.name)
            if isinstance(item, Members):
                return item(node.name)
        if isinstance(node.base, ir.Record):
            return self.compile(dict(node.base.fields)[node.name])
        return super().field(node)

    def lookup(self, node: ir.Lookup) -> Sql:
        from engine.backends.sql.lookups import looked_up  # noqa: PLC0415 - it needs this class

        return looked_up(self, self.tables[node.table], node)

    def fold(self, node: ir.Fold) -> Sql:
        """An aggregate of a history, or of a list item by item."""
        items = self.spelt_out(node.source)
        if items is not None:
            return unrolled(self, node, self.narrowed(items, node))
        over = self.over(node)
        value = aggregated(self, node, over)
        null = self.null_of(_base(node.source))
        if null.is_false:
            return value
        present = st.opposite(null)
        return Sql(st.case([(present.tree.copy(), value.tree)]), st.deepest([present, value]), True)

    # --- lists ----------------------------------------------------------------------------------------

    def spelt_out(self, node: ir.Node) -> Items | None:
        """The items of a list that is known item by item; None for what is not."""
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

    def opened(self, history: History) -> tuple[Aggregation, Expressions, Item]:
        """The rows of a history beside none of the customer's own values."""
        key = (history.name, 0)
        if key not in self._scopes:
            self._scopes[key] = history.open_rows(self, history.level + 1, [])
        return self._scopes[key]

    def over(self, node: ir.Fold | ir.Group) -> Over:
        """The rows that a loop goes over, in their scope; what its body reads of this scope is handed down."""
        base = _base(node.source)
        history = self._history(base)
        given = [(n, self.stages.named(self.compile(n))) for root in _bodies(node) for n in self._of_this_scope(root)]
        needed = [(n, self.stages.named(self.compile(n))) for root in history.roots for n in self._of_this_scope(root)]
        behind = [(n, self._behind_handed(n)) for n, v in given if v.nullable and not isinstance(n, ir.Input)]
        values = [v for _, v in (*given, *needed)] + [v for _, b in behind for v in b.parts]
        columns = [v for v in values if isinstance(v.tree, exp.Column)]
        if columns:
            level = max(history.level, *(v.level for v in columns)) + 1
            key = (history.name, level)
            if key not in self._scopes:
                self._scopes[key] = history.open_rows(self, level, needed)
            aggregation, compiler, row = self._scopes[key]
        else:
            aggregation, compiler, row = self.opened(history)
        for inner, value in given:
            compiler._handed[id(inner)] = aggregation.outer_value(value)
        for inner, found in behind:
            compiler._handed_origins[id(inner)] = found.through(aggregation.outer_value)
        return compiler._stepped(node, aggregation, row, history)

    def _stepped(self, node: ir.Fold | ir.Group, aggregation: Aggregation, row: Item, history: History) -> Over:
        """The steps of a loop's source and its own filter and value, over one row, in the scope of the rows."""
        condition, item, distinct = self._source(node.source, row, history.name)
        if isinstance(node, ir.Fold):
            with self.row_bound(node.var, item, history.name):
                if node.filter is not None:
                    condition = st.both(condition, self.compile(node.filter))
                if node.value is not None:
                    item = self.stages.named(self.compile(node.value))
        return Over(aggregation, self, self.stages.named(st.holds(condition)), item, distinct)

    def _source(self, node: ir.Node, row: Item, history: str) -> tuple[Sql, Item, bool]:
        if isinstance(node, ir.Call) and node.op == "distinct values":
            condition, item, _ = self._source(node.args[0], row, history)
            return condition, item, True
        if isinstance(node, (ir.Filter, ir.Map)):
            condition, item, distinct = self._source(node.source, row, history)
            if distinct:
                raise Gap(node.at, "loops over distinct values")
            with self.row_bound(node.var, item, history):
                if isinstance(node, ir.Filter):
                    return st.both(condition, self.compile(node.predicate)), item, False
                return condition, self._as_item(node.body), False
        return TRUE, row, False

    @contextmanager
    def row_bound(self, var: str, item: Item, history: str) -> Iterator[None]:
        """A local bound to a row, or to what was made of one: its nulls are the history's."""
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
        if isinstance(base, ir.Field) and isinstance(base.base, ir.Local) and base.base.name in self.group_rows:
            return self.group_rows[base.base.name]
        raise Gap(base.at, "loops over lists that the policy does not spell out")

    @property
    def group_rows(self) -> dict[str, History]:
        return {}

    def _of_this_scope(self, node: ir.Node) -> list[ir.Node]:
        """The largest parts of a loop's body that do not speak of its row, but do of this scope."""
        if self._is_ours(node):
            return [] if is_of_the_date(node) else [node]
        if isinstance(node, ir.Parameter):
            return []
        return [n for child in ir.children(node) for n in self._of_this_scope(child)]

    def _is_ours(self, node: ir.Node) -> bool:
        free = free_locals(node)
        return all(("Local", name) in self.variables or name in self.items for name in free)

    # --- origins ----------------------------------------------------------------------------------------

    def _behind_handed(self, node: ir.Node) -> Behind:
        """What is behind a value that is handed down, in columns of this scope."""
        return self.walk.named(self.walk.behind(node))

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
        if relation is None:
            return Behind(null)
        return self.labels.behind(self.supplied[relation], null, self.wants_labels)

    def fold_origins(self, node: ir.Fold, walk: Callable[[ir.Node], Behind]) -> Behind:
        """Behind the null of a fold: its source's own null, or those of the items."""
        items = self.spelt_out(node.source)
        if items is not None:
            return self._item_origins(node, items)
        base = _base(node.source)
        source = walk(base)
        over = self.over(node)
        inside = over.compiler.row_origins(node, over)
        return union((source, where(st.opposite(self.null_of(base)), self._gathered(over, inside))))

    def row_origins(self, node: ir.Fold, over: Over) -> Behind:
        """Behind the null of one row's value, in the scope of the rows."""
        if node.value is None:
            null = st.missing(over.item) if isinstance(over.item, Sql) else FALSE
            history = _base(node.source)
            name = self.supplied.get(history.name, "") if isinstance(history, ir.Relation) else ""
            return self.labels.behind(name, null, self.wants_labels)
        return self.walk.behind(node.value)

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
        lanes = tuple((lane, gathered(bits)) for lane, bits in inside.lanes)
        return Behind(names.replace(tree=exp.GT(this=names.tree, expression=st.whole(0))), lanes)

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
            nulls = [st.both(p, st.missing(i)) for p, i in self.lists[node.name] if isinstance(i, Sql)]
            null = self.stages.named(st.either(*nulls)) if nulls else FALSE
            behind = self.origins.get(("Ref", node.name), NOTHING)
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


def _base(node: ir.Node) -> ir.Node:
    """The relation or list that a chain of filters, maps and distinct values begins with."""
    while True:
        if isinstance(node, (ir.Filter, ir.Map)):
            node = node.source
        elif isinstance(node, ir.Call) and node.op == "distinct values":
            node = node.args[0]
        else:
            return node


def _bodies(node: ir.Node) -> list[ir.Node]:
    """The expressions over a row in a loop and in the steps of its source."""
    found: list[ir.Node] = []
    if isinstance(node, ir.Fold):
        found.extend(n for n in (node.filter, node.value) if n is not None)
        node = node.source
    while True:
        if isinstance(node, ir.Filter):
            found.append(node.predicate)
            node = node.source
        elif isinstance(node, ir.Map):
            found.append(node.body)
            node = node.source
        elif isinstance(node, ir.Call) and node.op == "distinct values":
            node = node.args[0]
        else:
            return found


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


def is_of_the_date(node: ir.Node) -> bool:
    """Whether a node hangs on nothing but the date of the decision."""
    return not any(isinstance(n, (ir.Input, ir.Ref, ir.Relation, ir.Parameter, ir.Local)) for n in walk(node))

