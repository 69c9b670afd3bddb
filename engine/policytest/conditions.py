"""FEEL about customers, checked and lowered before any customer is decided.

A condition over a portfolio reads what a policy's own portfolio values do (`engine.check.customers`), and `group`, the
value that a group has in common. Conditions about one customer read its names as they are. A filter may not be null;
the condition of a share may, and then both ways in which such customers could count are asked (`engine.ir.customers`).
"""
from __future__ import annotations

from collections.abc import Mapping

from engine.check.customers import CustomersChecker, tables
from engine.check.groups import row_names
from engine.check.model import Expr
from engine.check.parsing import ExpressionParser
from engine.check.scope import AS_OF, LOCAL, Binding, Report, Scope, Slice
from engine.check.typed import Typing
from engine.ir import nodes as ir
from engine.ir.customers import CustomersLowering
from engine.policytest.rows import RowType
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.customers import CUSTOMERS, PORTFOLIO, REFUSED
from engine.semantics.dtypes import Type
from engine.semantics.functions import NO_FUNCTIONS, Functions
from engine.source.nodes import Scalar
from engine.syntax import ast
from engine.syntax.vocabulary import Vocabulary

GROUP = "group"
#: The row of one customer, as a condition about it reads it; no expression can write this name.
ROW = "~customer"

class Condition(Record):
    """A checked expression: `expr` as written, `core` to evaluate, `typing` for the parts of it."""

    expr: Expr
    core: ir.Node
    typing: Typing
    functions: Functions = NO_FUNCTIONS

    @property
    def text(self) -> str:
        return self.expr.place.text.strip()

    def part(self, node: ast.Node) -> ir.Node:
        """The core of a part; its shares have the switches that they have in the whole."""
        return CustomersLowering(self.typing, self.expr.place, "part", self.functions).lower(node)

    def written(self, node: ast.Node) -> str:
        """A part as written, on one line."""
        return " ".join(self.expr.place.text[node.start:node.end].split())

    def behind(self, node: ast.Node, whole: ast.Node) -> str:
        """What is written behind a part up to the end of the whole."""
        return " ".join(self.expr.place.text[node.end:whole.end].split())


class ConditionReader:
    """Reads the expressions of one portfolio."""

    def __init__(
        self, row: RowType, currency: str | None, report: Report, functions: Functions = NO_FUNCTIONS
    ) -> None:
        self.row = row
        self.report = report
        self.currency = currency
        self.functions = functions
        names = [*row.names, *(f.name for f in functions), CUSTOMERS, REFUSED, PORTFOLIO, GROUP, "as of", "item"]
        self.parser = ExpressionParser(report, Vocabulary(names, [*row.names, *row.members, "amount"]))

    def over_customers(self, scalar: Scalar, group: Type | None) -> Condition | None:
        """A condition over the portfolio, or each group where `group` is what its customers have in common."""
        row = self.row
        names = tables({CUSTOMERS: row.decided, PORTFOLIO: row.decided, REFUSED: row.refused})
        if group is not None:
            names[GROUP] = Binding(LOCAL, GROUP, group)
        return self._read(scalar, names)

    def about_one(self, scalar: Scalar) -> Condition | None:
        """An expression about one customer."""
        return self._read(scalar, {n: b for n, b in row_names(ROW, self.row.decided).items() if n != "item"})

    def boolean(self, found: Condition | None, what: str) -> Condition | None:
        """The condition where it is one, else reported."""
        if found is None or found.core.type.kind in (dt.BOOLEAN, dt.ANY):
            return found
        node, place = found.expr.node, found.expr.place
        self.report.on("E0307", f"{what} must be true or false", place, node,
                       "compare it with something, as in `... >= 10%`")
        return None

    def _read(self, scalar: Scalar, names: Mapping[str, Binding]) -> Condition | None:
        expr = self.parser.scalar(scalar)
        if expr is None:
            return None
        before = len(self.report.diagnostics)
        typing = Typing()
        scope = Scope({**names, "as of": Binding(AS_OF, "as of", Type(dt.DATE))})
        row = self.row
        checker = CustomersChecker(
            self.report, typing, self.currency, self.functions, row.names, row.parameters, settled=False
        )
        checker.check(expr.node, scope, expr.place)
        if len(self.report.diagnostics) > before:
            return None
        lowering = CustomersLowering(typing, expr.place, "expectation", self.functions)
        return Condition(expr, lowering.lower(expr.node), typing, self.functions)


def place_of(condition: Condition) -> Slice:
    """Where a condition stands."""
    return condition.expr.place
