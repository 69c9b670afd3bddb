"""Types `longest streak(history, condition)` and `current streak(...)`: the condition is read row by row, in order."""
from __future__ import annotations

from typing import TYPE_CHECKING

from engine.check import rules
from engine.check.groups import row_names
from engine.check.scope import Scope
from engine.check.typed import ANY
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.syntax import ast

if TYPE_CHECKING:
    from engine.check.expressions import ExpressionChecker

def streak(checker: ExpressionChecker, name: str, node: ast.Invocation, scope: Scope) -> Type:
    """How many rows in a row a condition holds for."""
    if len(node.arguments) != 2 or any(a.name is not None for a in node.arguments):
        return checker.error(
            "E0306", f"`{name}` takes a history and a condition on its rows", node,
            f"write `{name}(repayments, late = 0)`",
        )
    history, condition = (a.value for a in node.arguments)
    checker.typing.arguments[id(node)] = (history, condition)
    source = checker.type(history, scope)
    if source.kind == dt.ANY:
        return ANY
    row = source.item
    if source.kind not in (dt.RELATION, dt.LIST) or row is None:
        return checker.error(
            "E0306", f"`{name}` takes a history, this is {rules.describe(source)}", history,
            f"name a history or a filter of one, as in `{name}(repayments[due < as of], late = 0)`",
        )
    relation = _relation(source)
    of = checker.histories.get(relation) if relation is not None else None
    if relation is not None and (of is None or not of.order_by):
        return checker.error(
            "E0306", f"`{name}` follows the order of rows, and those of `{relation}` have none", history,
            f"add `order by: [...]` to the history `{of.name}`" if of is not None else "take the rows of a history",
        )
    variable = checker.fresh("item")
    checker.typing.variables[id(node)] = variable
    kind = checker.boolean(condition, scope.inner(row_names(variable, row)), f"the condition of `{name}`")
    if kind.nullable:
        checker.error(
            "E0403", "this condition can be null, so a row would neither continue a streak nor end it", condition,
            checker.null_help(condition),
        )
    return Type(dt.NUMBER, source.nullable, whole=True, lower=0.0, upper=1e12)


def _relation(source: Type) -> str | None:
    """The relation behind rows, groups or items; None for a list that a policy spells out."""
    row = source.item
    assert row is not None
    rows = row.field("rows") if dt.is_group(row) else None
    return source.relation or row.relation or (rows.relation if rows is not None else None)
