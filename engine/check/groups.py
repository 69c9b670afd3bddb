"""Types `group by(history, key)`: the key is read row by row, as the predicate of a filter is."""
from __future__ import annotations

from typing import TYPE_CHECKING

from engine.check import rules
from engine.check.scope import FIELD, LOCAL, Binding, Scope
from engine.check.typed import ANY
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.syntax import ast

if TYPE_CHECKING:
    from engine.check.expressions import ExpressionChecker

GROUP_BY = "group by"
#: What a group is read by.
MEMBERS = ("key", "rows")


def group_by(checker: ExpressionChecker, node: ast.Invocation, scope: Scope) -> Type:
    """A list of groups, each with its `key` and `rows`."""
    if len(node.arguments) != 2 or any(a.name is not None for a in node.arguments):
        return checker.error(
            "E0306", f"`{GROUP_BY}` takes a history and what its rows are grouped by", node,
            f"write `{GROUP_BY}(invoices, buyer)`",
        )
    history, key = (a.value for a in node.arguments)
    checker.typing.arguments[id(node)] = (history, key)
    source = checker.type(history, scope)
    if source.kind == dt.ANY:
        return ANY
    row = source.item
    if source.kind != dt.RELATION or row is None:
        return checker.error(
            "E0306", f"`{GROUP_BY}` takes a history, this is {rules.describe(source)}", history,
            f"name a history or a filter of one, as in `{GROUP_BY}(invoices[amount > 0], buyer)`",
        )
    variable = checker.fresh("item")
    checker.typing.variables[id(node)] = variable
    kind = checker.type(key, scope.inner(row_names(variable, row)))
    if kind.kind == dt.ANY:
        return ANY
    if kind.kind == dt.NULL or kind.kind not in dt.NUMERIC and not dt.groups(kind):
        return checker.error(
            "E0306", f"`{GROUP_BY}` does not group by {rules.describe(kind)}", key,
            "group by a text, a date, a whole number, or by true and false",
        )
    if not dt.groups(kind):
        amount = ".amount" if kind.kind == dt.MONEY else ""
        return checker.error(
            "E0306", f"`{GROUP_BY}` compares keys exactly, which {rules.describe(kind)} with a fraction cannot be", key,
            f"round it with `floor({_text(checker, key)}{amount})`, or declare the field with `decimals: 0`",
        )
    if kind.nullable:
        names = checker.nullable_names(key)
        checker.error(
            "E0406", "this key can be null, so a row would be in no group", key, _null_help(checker, history, names)
        )
        kind = kind.optional(False)
    return dt.list_of(dt.group_of(kind, source), source.nullable)


def row_names(variable: str, row: Type) -> dict[str, Binding]:
    """The names that an expression over a row may read: its fields, and the row itself as `item`."""
    names = {"item": Binding(LOCAL, variable, row)}
    for name, kind in row.fields or ():
        names.setdefault(name, Binding(FIELD, variable, kind, row=row))
    return names


def _text(checker: ExpressionChecker, node: ast.Node) -> str:
    return checker.place.text[node.start:node.end]


def _null_help(checker: ExpressionChecker, history: ast.Node, names: list[str]) -> str:
    if not names:
        return "a part of it can have no value: use `get or else(...)`"
    if isinstance(history, ast.Name):
        return (
            f"leave these rows out, as in `{GROUP_BY}({history.name}[{names[0]} != null], ...)`, or use "
            f"`get or else({names[0]}, ...)`"
        )
    return f"test `{names[0]} != null` in the filter before, or use `get or else({names[0]}, ...)`"
