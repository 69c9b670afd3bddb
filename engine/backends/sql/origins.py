"""Where a null comes from, as SQL: the rules of `backends.reference.nulls` in columnar form.

The same walk serves two questions. `NAMES`: is it a name that was null, or an operation without a value for
known operands? `Behind`: which inputs and histories are behind it, as bit sets. An answer speaks of a
node that is null; it is empty where the node is not.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.masks import LANE
from engine.backends.sql.stages import FALSE, TRUE, Sql
from engine.ir import nodes as ir
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.catalogue import BUILTINS

CONTAINERS = frozenset({dt.LIST, dt.CONTEXT})


class Behind(Record):
    """What is behind a null: whether a name was (`names`, never NULL), and sets of labels by lane (numbers,
    never NULL). A lane that is absent is empty. A lane that is named for a relation is one bit: whatever is behind that
    relation's rows."""

    names: Sql = FALSE
    lanes: tuple[tuple[int | str, Sql], ...] = ()

    @property
    def is_nothing(self) -> bool:
        return self.names.is_false and not self.lanes

    @property
    def parts(self) -> list[Sql]:
        return [self.names, *(bits for _, bits in self.lanes)]

    def through(self, change: Callable[[Sql], Sql]) -> Behind:
        """The same with each part changed."""
        return Behind(change(self.names), tuple((lane, change(bits)) for lane, bits in self.lanes))


NOTHING = Behind()


class Labels:
    """The inputs and histories that can be missing, by their bits."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._place = {name: divmod(i, LANE) for i, name in enumerate(names)}

    def behind(self, name: str, null: Sql, wanted: bool) -> Behind:
        """A missing input or history; `null` says where it is missing."""
        if null.is_false:
            return NOTHING
        if not wanted or name not in self._place:
            return Behind(null)
        lane, bit = self._place[name]
        tree = st.case([(null.tree.copy(), st.whole(1 << bit))], st.whole(0))
        return Behind(null, ((lane, Sql(tree, null.level)),))


def union(parts: Iterable[Behind]) -> Behind:
    found: list[Sql] = []
    lanes: dict[int | str, list[Sql]] = {}
    for part in parts:
        if not part.names.is_false:
            found.append(part.names)
        for lane, bits in part.lanes:
            lanes.setdefault(lane, []).append(bits)
    return Behind(st.either(*_distinct(found)), tuple((lane, _bits_or(lanes[lane])) for lane in sorted(lanes, key=str)))


def _distinct(parts: Sequence[Sql]) -> list[Sql]:
    return list(dict.fromkeys(parts))


def _bits_or(parts: Sequence[Sql]) -> Sql:
    parts = _distinct(parts)
    tree = parts[0].tree.copy()
    for part in parts[1:]:
        tree = st.binary(exp.BitwiseOr, tree, part.tree.copy())
    return Sql(tree, st.deepest(parts))


def where(condition: Sql, behind: Behind) -> Behind:
    """`behind` where a condition (never NULL) holds, nothing elsewhere."""
    if condition.is_false or behind.is_nothing:
        return NOTHING
    if condition == TRUE:
        return behind
    lanes = tuple(
        (lane, Sql(st.case([(condition.tree.copy(), bits.tree.copy())], st.whole(0)), st.deepest([condition, bits])))
        for lane, bits in behind.lanes
    )
    return Behind(st.both(condition, behind.names), lanes)


class Values(Protocol):
    """What the walk asks of the compiler of expressions."""

    stages: st.Stages
    origins: dict[tuple[str, str], Behind]

    def compile(self, node: ir.Node) -> Any: ...

    def fold_origins(self, node: ir.Fold, walk: Callable[[ir.Node], Behind]) -> Behind: ...

    def parameter_origins(self, node: ir.Parameter, walk: Callable[[ir.Node], Behind]) -> Behind: ...

    def null_of(self, node: ir.Node) -> Sql: ...

    def edge(self, node: ir.Field) -> ir.Fold | None: ...

    def edge_origins(self, node: ir.Field, edge: ir.Fold) -> Behind: ...

    def handed_origins(self, node: ir.Node) -> Behind | None: ...

    def local_origins(self, node: ir.Node) -> Behind: ...


class Origins:
    """The walk over one scope. `values.origins` holds what is behind each name that can be null."""

    def __init__(self, values: Values) -> None:
        self.values = values

    def behind(self, node: ir.Node) -> Behind:
        """What is behind the null of `node`; nothing where it is not null."""
        if not self._nullable(node) or isinstance(node, ir.Const):
            return NOTHING
        leaf = self._leaf(node)
        if leaf is not None:
            return leaf
        if isinstance(node, ir.Cond):
            return self._condition(node)
        if isinstance(node, ir.Fold):
            return self.named(where(self._null(node), self.values.fold_origins(node, self.behind)))
        if isinstance(node, (ir.Filter, ir.Map, ir.Group)):
            return self.behind(node.source)
        if isinstance(node, ir.Call) and node.op == "distinct values":
            return self.behind(node.args[0])
        if isinstance(node, ir.Field) and (edge := self.values.edge(node)) is not None:
            return self.named(self.values.edge_origins(node, edge))
        if isinstance(node, ir.Let):
            return self._let(node)
        if isinstance(node, ir.Field) and isinstance(node.base, ir.Record):
            return self.behind(dict(node.base.fields)[node.name])
        found = union(self._within(child) for child in ir.children(node))
        return found if self._is_strict(node) else where(self._null(node), found)

    def _leaf(self, node: ir.Node) -> Behind | None:
        """What is behind a name; None for what is no name."""
        handed = self.values.handed_origins(node)
        if handed is not None:
            return handed
        if isinstance(node, ir.Parameter):
            return where(self._null(node), self.values.parameter_origins(node, self.behind))
        if isinstance(node, ir.Local) or (isinstance(node, ir.Field) and isinstance(node.base, ir.Local)):
            return self.values.local_origins(node)
        key = _key(node)
        if key is None:
            return None
        found = self.values.origins.get(key)
        if found is not None:
            return found
        return Behind(self._null(node))

    def _condition(self, node: ir.Cond) -> Behind:
        test = self.values.stages.named(self.values.compile(node.test))
        parts = []
        if test.nullable:
            parts.append(where(st.missing(test), self.behind(node.test)))
        parts.append(where(st.holds(test), self.behind(node.then)))
        fails = st.opposite(test)
        parts.append(where(st.holds(fails), self.behind(node.otherwise)))
        return self.named(union(parts))

    def _let(self, node: ir.Let) -> Behind:
        with self.values.bound(node):  # type: ignore[attr-defined]
            return self.named(self.behind(node.body))

    def _within(self, node: ir.Node) -> Behind:
        """Behind an operand's null, or behind the nulls that stand in a list or context."""
        if node.type.kind in CONTAINERS and isinstance(node, (ir.List, ir.Record, ir.Call)):
            return union(self._within(child) for child in ir.children(node))
        return self.behind(node)

    def named(self, behind: Behind) -> Behind:
        """`behind` with its parts as columns, since what reads a null asks again."""
        return behind.through(self.values.stages.named)

    def _null(self, node: ir.Node) -> Sql:
        return self.values.null_of(node)

    def _nullable(self, node: ir.Node) -> bool:
        return self.values.null_of(node) is not FALSE

    @staticmethod
    def _is_strict(node: ir.Node) -> bool:
        """Whether the node is null wherever an operand is, so that nothing is behind it where it is not."""
        if isinstance(node, (ir.Compare, ir.Not)):
            return True
        operation = BUILTINS.find(node.op) if isinstance(node, ir.Call) else None
        return operation is not None and operation.nulls == "strict"


def _key(node: ir.Node) -> tuple[str, str] | None:
    if isinstance(node, (ir.Input, ir.Ref, ir.Relation)):
        return type(node).__name__, node.name
    if isinstance(node, ir.Field) and isinstance(node.base, ir.Ref):
        return "Ref", f"{node.base.name}.{node.name}"
    return None
