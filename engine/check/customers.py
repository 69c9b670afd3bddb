"""FEEL over many customers: what `customers` is, and how `share` is typed.

`customers` is a table with a row for each decided customer, `portfolio` that of all of them where `customers` is one
group, `refused customers` that of those whose data were bad. `share(C)` is the share of the customers for whom C is
true. Types are the policy's: a misspelt name or value, or money beside a plain number, is found before anyone is
decided.
"""
from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from engine.check.expressions import ExpressionChecker
from engine.check.groups import row_names
from engine.check.scope import HISTORY, Binding, Report, Scope
from engine.check.typed import Typing
from engine.semantics import dtypes as dt
from engine.semantics.customers import CUSTOMERS, SHARE
from engine.semantics.dtypes import Type
from engine.semantics.functions import Functions
from engine.syntax import ast

RATIO = Type(dt.NUMBER, True, lower=0.0, upper=1.0)

Fields = dict[str, Type]


def row_fields(inputs: Iterable[tuple[str, Type]], outcomes: Iterable[tuple[tuple[str, ...], Type]]) -> Fields:
    """The fields of a customer's row: inputs by name, and outcomes by their path, what a used policy decides as a
    context under that policy's name."""
    fields = dict(inputs)
    nested: dict[str, Any] = {}
    for (*owners, name), kind in outcomes:
        into = nested
        for owner in owners:
            into = into.setdefault(owner, {})
        into[name] = kind
    return fields | {name: _nested(found) for name, found in nested.items() if name not in fields}


def _nested(found: Any) -> Type:
    if isinstance(found, Type):
        return found
    return Type(dt.CONTEXT, fields=tuple((name, _nested(inner)) for name, inner in found.items()))


def members(kind: Type) -> Iterable[str]:
    """Names behind a `.` within a value."""
    for name, inner in kind.fields or ():
        yield name
        yield from members(inner)
    if kind.item is not None:
        yield from members(kind.item)


def tables(rows: Mapping[str, Type]) -> dict[str, Binding]:
    """The names of tables of customers, by the type of their rows."""
    return {
        name: Binding(HISTORY, name, Type(dt.RELATION, item=kind.replace(relation=name), relation=name))
        for name, kind in rows.items()
    }


def is_share(node: ast.Node) -> bool:
    """Whether this calls `share`."""
    return isinstance(node, ast.Invocation) and isinstance(node.function, ast.Name) and node.function.name == SHARE


class CustomersChecker(ExpressionChecker):
    """Types `share`, and says where customers' names may stand. `names` are those of a customer. `settled`: the
    condition of a share may not be null, as that of a filter may not."""

    def __init__(
        self, report: Report, typing: Typing, currency: str | None, functions: Functions, names: Collection[str],
        parameters: Collection[str], settled: bool,
    ) -> None:
        super().__init__(report, typing, currency, functions)
        self.names = names
        self.parameters = parameters
        self.settled = settled

    def type(self, node: ast.Node, scope: Scope) -> Type:
        if isinstance(node, ast.Invocation) and is_share(node):
            return self.typing.record(node, self._share(node, scope))
        return super().type(node, scope)

    def _share(self, node: ast.Invocation, scope: Scope) -> Type:
        binding = scope.find(CUSTOMERS)
        if binding is None or binding.type.item is None:
            way = "leave it out: this is about one customer, and its names stand as they are"
            return self.error("E0311", "`share` has no place in an expression about one customer", node, way)
        if len(node.arguments) != 1 or node.arguments[0].name is not None:
            return self.error("E0306", f"`share` takes one condition, not {len(node.arguments)}", node,
                              'write `share(tier = "A")`; join conditions by `and`')
        variable = self.fresh("item")
        self.typing.variables[id(node)] = variable
        condition = node.arguments[0].value
        kind = self.boolean(
            condition, scope.inner(row_names(variable, binding.type.item)), "the condition of `share`"
        )
        if self.settled and kind.nullable:
            self.error("E0403", "this condition can be null, so a customer would be neither in the share nor out of it",
                       condition, self.null_help(condition))
        return RATIO

    def _unknown_name(self, node: ast.Name, scope: Scope) -> Type:
        name = node.name
        if scope.find(CUSTOMERS) is not None and name in self.names:
            way = f"write `customers.{name}`, `customers[{name} ...]` or `share({name} ...)`"
            return self.error("E0203", f"`{name}` is a name of each customer, not of all", node, way)
        if name in self.parameters:
            return self.error("E0203", f"`{name}` is a parameter, which no customer has", node,
                              "write its value, or name an outcome that reads it")
        return super()._unknown_name(node, scope)
