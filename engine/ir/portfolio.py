"""Values over all decided customers, as programs of the kinds that every backend carries out.

What such a value reads of one customer is settled with that customer: each largest part that reads one row alone is a
*leaf*, a hidden decision of the policy itself (`with_leaves`). What is left are folds over rows of plain values, which
is what histories are: the one customer of `total_program` is the whole, those of `group_program` are the groups, and
their histories are the decided customers. So a sum over a portfolio means what a sum over a history does.

A group's program does not go through the whole portfolio once more for each group: parts that read it alone are values
of the whole (`shared_of`), which its customers bring as inputs.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.diagnostics import Diagnostic
from engine.ir import nodes as ir
from engine.ir.reads import walk
from engine.ir.rewrites import rebuilt
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.customers import CUSTOMERS, PORTFOLIO, REFUSED, STATUS
from engine.semantics.declarations import FieldDecl, InputDecl
from engine.semantics.dtypes import Type

#: What names of leaves, of shared values and of the key of groups begin with; no policy can write them.
LEAF = "~of customer "
SHARED = "~of all "
KEY = "~group"
#: Fields of a row that are no leaves: a run says how a customer was decided.
ABOUT = (STATUS, f"_{STATUS}")
#: Kinds that are no plain values.
NESTED = frozenset({dt.LIST, dt.RELATION, dt.CONTEXT, dt.ANY, dt.NULL})
_WHOLE = frozenset({PORTFOLIO, REFUSED})
_TABLES = frozenset({CUSTOMERS, PORTFOLIO})
_TRUE = Type(dt.BOOLEAN)


# --- programs --------------------------------------------------------------------------------------


class Shared(Record):
    """A part of a group's values that reads the whole portfolio: an input of its program, and what gives it."""

    name: str
    node: ir.Node


def with_leaves(program: ir.Program) -> ir.Program:
    """The program with its portfolio's leaves among its decisions; none is an output unless asked for by name."""
    found = program.portfolio
    if found is None:
        return program
    hidden = tuple(_value(name, node, hidden=True) for name, node in found.leaves)
    return program.replace(decisions=(*program.decisions, *hidden))


def total_program(program: ir.Program) -> ir.Program:
    """The program whose one customer is the whole: it decides the totals, and what the groups share."""
    found = _portfolio(program)
    shared = [part for grouping in found.groupings for part in _shared(grouping)[1]]
    decisions = [_value(total.name, total.node) for total in found.totals]
    decisions += [_value(part.name, part.node) for part in shared]
    return _program(program, "in all", decisions, ())


def group_program(program: ir.Program, grouping: ir.Grouping) -> ir.Program:
    """The program whose customers are the groups; its inputs are what they share (`total_program` decides it)."""
    values, shared = _shared(grouping)
    decisions = [_value(value.name, node) for value, node in zip(grouping.values, values, strict=True)]
    inputs = [InputDecl(part.name, Type(part.node.type.kind, True)) for part in shared]
    return _program(program, grouping.name, decisions, inputs)


def shared_of(grouping: ir.Grouping) -> tuple[str, ...]:
    """The names of what the groups share."""
    return tuple(part.name for part in _shared(grouping)[1])


def _program(
    program: ir.Program, name: str, decisions: Iterable[ir.Decision], inputs: Iterable[InputDecl]
) -> ir.Program:
    found = _portfolio(program)
    fields = [FieldDecl(leaf, Type(node.type.kind, True)) for leaf, node in found.leaves]
    fields += [FieldDecl(about, Type(dt.STRING, True)) for about in ABOUT]
    key = InputDecl(KEY, Type(dt.NUMBER, whole=True), key=True)
    given = tuple(decisions)
    return ir.Program(
        f"{program.name}: {name}", program.version, program.start, program.end, program.owner, program.currency,
        (key, *inputs), (),
        (
            *(ir.HistoryDecl(table, KEY, None, (), tuple(fields)) for table in (CUSTOMERS, PORTFOLIO)),
            ir.HistoryDecl(REFUSED, KEY, None, (), ()),
        ),
        (), (), given, tuple(d.name for d in given), functions=program.functions,
    )


def _portfolio(program: ir.Program) -> ir.Portfolio:
    assert program.portfolio is not None, "only a policy with values over customers has such programs"
    return program.portfolio


def _value(name: str, node: ir.Node, hidden: bool = False) -> ir.Decide:
    true = ir.Const(f"{name}/guard", _TRUE, None, True, "true")
    arm = ir.Arm(f"{name}/value", "value", true, (), (("", node),), (), False, node.at)
    family = "imports" if hidden else "service"
    return ir.Decide(
        name, family, "value", node.type.optional(), (), (), (arm,), ir.OnMissing("skip"), hidden, node.at, form="value"
    )


def _shared(grouping: ir.Grouping) -> tuple[list[ir.Node], list[Shared]]:
    """The values of each group over its own customers, and what they read of the whole portfolio."""
    parts: dict[Any, Shared] = {}

    def change(node: ir.Node) -> ir.Node:
        if _is_shared(node):
            name = f"{SHARED}{grouping.name}.{len(parts) + 1}"
            part = parts.setdefault(meaning(node), Shared(name, node))
            return ir.Input(node.id, node.type, node.at, part.name)
        return rebuilt(node, change)

    return [change(value.node) for value in grouping.values], list(parts.values())


def _is_shared(node: ir.Node) -> bool:
    """Whether a plain value is the same for every group."""
    if node.type.kind in NESTED:
        return False
    relations = {each.name for each in walk(node) if isinstance(each, ir.Relation)}
    return bool(relations) and relations <= _WHOLE and not free(node)


# --- what cannot be carried out ---------------------------------------------------------------------


def gaps(program: ir.Program) -> list[Diagnostic]:
    """Parts of portfolio values that no engine carries out, by place."""
    if program.portfolio is None:
        return []
    found: list[Diagnostic] = []
    every = [(total.node, frozenset[str]()) for total in program.portfolio.totals]
    every += [(node, _WHOLE) for grouping in program.portfolio.groupings for node in _shared(grouping)[0]]
    for root, whole in every:
        for node in walk(root):
            found += _gap(node, whole)
    return list(dict.fromkeys(found))


def _gap(node: ir.Node, whole: frozenset[str]) -> list[Diagnostic]:
    span = None if node.at is None else node.at.span
    if isinstance(node, ir.Relation) and node.name in whole:
        return [Diagnostic(
            "E0315", f"`{node.name}` is compared with single customers of a group, or gives no plain value here", span,
            f"take one value of it that is the same for every group, as in `sum({PORTFOLIO}.limit)`",
        )]
    known = (LEAF, *ABOUT)
    if isinstance(node, ir.Field) and is_row(node.base) and not node.name.startswith(known):
        return [Diagnostic(
            "E0315", f"`{node.name}` is not one plain value of each customer", span,
            f"take one of each, as in `for c in {CUSTOMERS} return count(c.{node.name})`",
        )]
    return []


# --- parts of expressions --------------------------------------------------------------------------


def is_row(node: ir.Node) -> bool:
    """Whether a node is the row of a customer."""
    return node.type.kind == dt.CONTEXT and node.type.relation in _TABLES


def free(node: ir.Node) -> set[str]:
    """The locals that are bound outside."""
    if isinstance(node, ir.Local):
        return {node.name}
    if isinstance(node, ir.Let):
        return free(node.value) | (free(node.body) - {node.name})
    if isinstance(node, (ir.Filter, ir.Map, ir.Fold, ir.Group)):
        inner = set().union(*(free(child) for child in ir.children(node) if child is not node.source))
        return free(node.source) | (inner - {node.var})
    return set().union(*(free(child) for child in ir.children(node)))


def meaning(node: Any) -> Any:
    """What tells expressions apart, wherever they stand."""
    if isinstance(node, ir.Node):
        names = (name for name in node._fields if name not in ("id", "at", "text"))
        return (type(node).__name__, *(meaning(getattr(node, name)) for name in names))
    if isinstance(node, tuple):
        return tuple(map(meaning, node))
    return (type(node).__name__, repr(node)) if isinstance(node, (float, int, bool)) else node
