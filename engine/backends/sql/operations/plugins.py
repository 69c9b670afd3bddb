"""Functions of plugins: the tree that a plugin makes of its operands, held to what engines do alike.

DuckDB carries out any form, since the kit for plugins compares the two there. Another engine is given only what it
does to the last bit as DuckDB does; the rest is left out by name. What a body answers with "no value" is NULL here:
for a strict function wherever an operand is, and what is not finite or longer than a text may be.
"""
from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql import trees as t
from engine.backends.sql.stages import Sql, case, operand
from engine.backends.support import Gap, shown
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.functions import PluginFunction
from engine.semantics.values import MAX_TEXT

if TYPE_CHECKING:
    from engine.backends.sql.expressions import SqlExpressions

#: What every engine does alike over numbers and booleans, to the last bit, and of texts but for their order.
ALIKE = (
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Paren, exp.Case, exp.If, exp.Literal, exp.Column, exp.Identifier,
    exp.Boolean, exp.Null, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.And, exp.Or, exp.Not, exp.Is, exp.Abs,
    exp.Nullif, exp.Coalesce, exp.Between, exp.In,
)
_ORDER = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
_KINDS = frozenset({*dt.NUMERIC, dt.BOOLEAN, dt.STRING, dt.NULL})
#: What needs brackets as an operand, and has operands.
_OPERATORS = (exp.Binary, exp.Unary, exp.Between, exp.In)


def plugin_call(of: SqlExpressions, node: ir.Call, function: PluginFunction) -> Sql:
    """A call of a plugin's function; raises `Gap`."""
    if function.sql is None:
        raise Gap(node.at, f"{shown(node.op)}, which has no form in SQL")
    if any(a.type.kind not in dt.DECLARABLE and a.type.kind != dt.NULL for a in node.args):
        raise Gap(node.at, f"{shown(node.op)} of lists and contexts")
    strict = function.operation.nulls == "strict"
    args = [of.stages.named(of.operand(a)) for a in node.args]
    if strict and any(isinstance(a.tree, exp.Null) for a in args):
        return of.nothing(node.type.kind)
    tree = _made(of, node, function, args)
    if strict and any(a.nullable for a in args):
        present = [st.negated(st.is_null(a.tree.copy())) for a in args if a.nullable]
        tree = case([(st.all_of(present), tree)])
    if node.type.kind in dt.NUMERIC:
        return of.only_finite(of.joined(t.double(tree), args, True))
    if node.type.kind == dt.STRING:
        text = of.stages.named(of.joined(tree, args, True))
        return text.replace(tree=case([(t.at_most(exp.Length(this=t.tree(text)), MAX_TEXT), t.tree(text))]))
    return of.joined(tree, args, True)


def _made(of: SqlExpressions, node: ir.Call, function: PluginFunction, args: Sequence[Sql]) -> exp.Expr:
    """The plugin's tree, with the brackets that it needs; its operands may stand in it several times."""
    assert function.sql is not None
    parameters = function.operation.signatures[0].parameters
    given = [a.tree.copy() for a in args]
    try:
        made = function.sql(*given, *[None] * (len(parameters) - len(given)))
    except (Exception, SystemExit) as why:  # noqa: BLE001 - whatever a plugin does is its failure, not ours
        raise Gap(node.at, f"{shown(node.op)}, whose form in SQL failed with {type(why).__name__}") from None
    if not isinstance(made, exp.Expr):
        raise Gap(node.at, f"{shown(node.op)}, whose form in SQL is no expression")
    tree = made.copy()
    if of.dialect.name != "duckdb" and (of.dialect.ends_out_of_range or not _alike(tree, node)):
        raise Gap(node.at, f"{shown(node.op)} in {of.dialect.title}")
    tree = tree.transform(_bracketed, copy=False)
    if of.dialect.name == "duckdb":
        kinds = [(a, n.type.kind) for a, n in zip(args, node.args, strict=True)]
        # What may end the query at one row has no value there, as a body that raises has none.
        tree = tree if _alike(tree, node) else exp.Try(this=tree)
        forms: Any = import_module("engine.backends.sql.forms")        # it starts the database
        if (refused := forms.refusal(tree, kinds, node.type.kind)) is not None:
            raise Gap(node.at, f"{shown(node.op)}, whose form in SQL {refused}")
    return tree


def _alike(tree: exp.Expr, call: ir.Call) -> bool:
    kinds = {call.type.kind, *(a.type.kind for a in call.args)}
    allowed = tuple(k for k in ALIKE if dt.STRING not in kinds or k not in _ORDER)
    return kinds <= _KINDS and all(isinstance(node, allowed) for node in tree.walk())


def _bracketed(node: exp.Expr) -> exp.Expr:
    """A tree that was put together without brackets means what its nesting says, and nothing is divided by 0: that
    has no value, where engines give an infinite one, NULL, or end the query."""
    if isinstance(node, _OPERATORS) and not isinstance(node, exp.Paren):
        for name, part in list(node.args.items()):
            if isinstance(part, _OPERATORS):
                node.set(name, operand(part))
    if isinstance(node, exp.Div) and not isinstance(node.expression, exp.Nullif) and not _is_nonzero(node.expression):
        node.set("expression", exp.Nullif(this=node.expression.copy(), expression=st.number(0)))
    return node


def _is_nonzero(tree: exp.Expr) -> bool:
    return isinstance(tree, exp.Literal) and not tree.is_string and float(tree.this) != 0
