"""Lowers the values of a policy over its customers, and cuts what they read of one customer out of them."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.check import model
from engine.check.portfolio import ONE
from engine.ir import nodes as ir
from engine.ir.customers import CustomersLowering
from engine.ir.portfolio import ABOUT, LEAF, NESTED, free, is_row, meaning
from engine.ir.reads import walk
from engine.ir.rewrites import rebuilt


def lowered_portfolio(policy: model.PolicyModel) -> ir.Portfolio | None:
    """The values of a checked policy over its customers."""
    found = policy.portfolio
    if found is None:
        return None
    leaves = _Leaves(policy)
    totals: list[ir.Aggregate] = []
    groupings: list[ir.Grouping] = []
    for value in found.values:
        if isinstance(value, model.AggregateModel):
            totals.append(_aggregate(policy, value, value.name, leaves))
            continue
        by = tuple(
            (key.name, key.type.optional(), leaves.of_one(_lowered(policy, key, value.name))) for key in value.by
        )
        values = tuple(_aggregate(policy, each, f"{value.name}/{each.name}", leaves) for each in value.values)
        groupings.append(ir.Grouping(value.name, by, values, value.doc))
    order = tuple(value.name for value in found.values)
    return ir.Portfolio(tuple(leaves.found.items()), tuple(totals), tuple(groupings), order)


def _aggregate(policy: model.PolicyModel, value: model.AggregateModel, owner: str, leaves: _Leaves) -> ir.Aggregate:
    node = leaves.cut(_lowered(policy, value, owner))
    return ir.Aggregate(value.name, node.type.optional(), node, value.doc)


def _lowered(policy: model.PolicyModel, value: model.AggregateModel | model.GroupKeyModel, owner: str) -> ir.Node:
    lowering = CustomersLowering(value.typing, value.value.place, f"portfolio/{owner}", policy.functions)
    return lowering.lower(value.value.node)


class _Leaves:
    """Cuts what is read of one customer out of expressions over many."""

    def __init__(self, policy: model.PolicyModel) -> None:
        self.inputs = {i.name for i in policy.inputs}
        self.uses = {u.name for u in policy.uses}
        self.found: dict[str, ir.Node] = {}
        self.names: dict[Any, str] = {}

    def of_one(self, node: ir.Node) -> str:
        """The leaf that an expression about one customer is, or the field of its row that says how it was decided."""
        if isinstance(node, ir.Field) and is_row(node.base) and node.name in ABOUT:
            return node.name
        return self._name(node)

    def cut(self, node: ir.Node) -> ir.Node:
        """`node` with each largest part that reads one row alone as a field of that row."""
        node = _fused(node)
        if (row := _row_of(node)) is not None:
            return ir.Field(f"{node.id}/leaf", node.type, node.at, row, self._name(node))
        if isinstance(node, ir.Field) and node.type.kind not in NESTED:
            base, names = _path(node)
            if is_row(base) and not (isinstance(base, ir.Local) and names[0] in ABOUT):
                if names[0] in ABOUT:
                    return node.replace(base=self.cut(base))
                plain = ir.Local(f"{node.id}/row", base.type, node.at, ONE)
                return node.replace(base=self.cut(base), name=self._name(_over(node, base, plain)))
        return rebuilt(node, self.cut)

    def _name(self, node: ir.Node) -> str:
        found = self._settled(node)
        key = meaning(found)
        name = self.names.setdefault(key, f"{LEAF}{len(self.names) + 1}")
        self.found.setdefault(name, found)
        return name

    def _settled(self, node: ir.Node) -> ir.Node:
        """An expression over a row as one over the policy's own names."""
        if isinstance(node, ir.Field):
            base, names = _path(node)
            if is_row(base):
                return self._named(node, names)
        return rebuilt(node, self._settled)

    def _named(self, node: ir.Field, names: Sequence[str]) -> ir.Node:
        first, *rest = names
        if first in self.inputs:
            return ir.Input(node.id, node.type, node.at, first)
        chain = _members(node)
        taken = 2 if first in self.uses and rest else 1
        found: ir.Node = ir.Ref(node.id, chain[taken - 1].type, node.at, ".".join(names[:taken]))
        for member in chain[taken:]:
            found = member.replace(base=found)
        return found


def _fused(node: ir.Node) -> ir.Node:
    """A loop over what a loop takes of each row as one loop over the rows: `customers.offer.amount` reads no offers."""
    if not isinstance(node, (ir.Map, ir.Fold)):
        return node
    source = _fused(node.source)
    if not isinstance(source, ir.Map) or source.body.type.kind not in NESTED:
        return node
    taken, var = source.body, node.var
    if isinstance(node, ir.Map):
        return node.replace(source=source.source, var=source.var, body=_with(node.body, var, taken))
    return node.replace(
        source=source.source, var=source.var, filter=None if node.filter is None else _with(node.filter, var, taken),
        value=None if node.op == "count" else taken if node.value is None else _with(node.value, var, taken),
    )


def _with(node: ir.Node, name: str, value: ir.Node) -> ir.Node:
    """`node` with a local's value in its place."""
    if isinstance(node, ir.Local) and node.name == name:
        return value
    return rebuilt(node, lambda child: _with(child, name, value))


def _members(node: ir.Field) -> list[ir.Field]:
    """A chain of members of a row, the outermost last."""
    chain: list[ir.Field] = []
    inner: ir.Node = node
    while isinstance(inner, ir.Field) and not is_row(inner):
        chain.insert(0, inner)
        inner = inner.base
    return chain


def _path(node: ir.Field) -> tuple[ir.Node, list[str]]:
    """What a chain of members is of, and their names."""
    chain = _members(node)
    return chain[0].base, [member.name for member in chain]


def _over(node: ir.Node, base: ir.Node, other: ir.Node) -> ir.Node:
    """A chain of members over something else."""
    if node is base:
        return other
    assert isinstance(node, ir.Field)
    return node.replace(base=_over(node.base, base, other))


def _row_of(node: ir.Node) -> ir.Local | None:
    """The one row that a plain value is read of alone, None where it is of none or of more than its leaves."""
    if node.type.kind in NESTED:
        return None
    rows: dict[str, ir.Local] = {}
    read = False
    for each in walk(node):
        if isinstance(each, ir.Relation):
            return None
        if isinstance(each, ir.Local) and is_row(each):
            rows[each.name] = each
        if isinstance(each, ir.Field) and is_row(each.base):
            if not isinstance(each.base, ir.Local) or each.name in ABOUT:
                return None
            read = True
    if not read or len(rows) != 1 or free(node) != set(rows) or _bare(node):
        return None
    return next(iter(rows.values()))


def _bare(node: ir.Node) -> bool:
    """Whether a whole row is read, and not only members of it."""
    if isinstance(node, ir.Field) and is_row(node.base):
        return not isinstance(node.base, ir.Local)
    return is_row(node) or any(_bare(child) for child in ir.children(node))
