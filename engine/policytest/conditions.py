"""FEEL about customers, checked and lowered before any customer is decided.

In a condition over a portfolio `customers` is a table with a row a decided customer, as `refused customers` is of those
whose data were bad and `portfolio` of all decided ones where `customers` is one group (whose value `group` is).
`share(C)` is the share of the customers for whom C is true. Conditions about one customer read its names as they are.

Types are the policy's: a misspelt name or value, or money beside a plain number, is found here, and so is a filter that
can be null. The condition of a share may be null, and then nobody knows whether the customer counts: each share has a
switch, a local that says whether such customers are in it or out of it, so that both can be asked.
"""
from __future__ import annotations

from collections.abc import Mapping

from engine.check.expressions import ExpressionChecker
from engine.check.groups import row_names
from engine.check.model import Expr
from engine.check.parsing import ExpressionParser
from engine.check.scope import AS_OF, FIELD, HISTORY, LOCAL, Binding, Report, Scope, Slice
from engine.check.typed import Typing
from engine.ir import nodes as ir
from engine.ir.expressions import ExpressionLowering
from engine.policytest.rows import RowType
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.semantics.functions import NO_FUNCTIONS, Functions
from engine.source.nodes import Scalar
from engine.syntax import ast
from engine.syntax.vocabulary import Vocabulary

CUSTOMERS = "customers"
REFUSED = "refused customers"
PORTFOLIO = "portfolio"
GROUP = "group"
SHARE = "share"
#: What names of switches begin with; no expression can write them.
SWITCH = "~share "
#: The row of one customer, as a condition about it reads it; no expression can write this name.
ROW = "~customer"
_RATIO = Type(dt.NUMBER, True, lower=0.0, upper=1.0)


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
        return _Lowering(self.typing, self.expr.place, "part", _read, functions=self.functions).lower(node)

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
        rows = {
            CUSTOMERS: self.row.decided, PORTFOLIO: self.row.decided, REFUSED: self.row.refused,
        }
        names = {
            name: Binding(HISTORY, name, Type(dt.RELATION, item=kind.replace(relation=name), relation=name))
            for name, kind in rows.items()
        }
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
        _Checker(self.report, typing, self.currency, self.row, self.functions).check(expr.node, scope, expr.place)
        if len(self.report.diagnostics) > before:
            return None
        lowering = _Lowering(typing, expr.place, "expectation", _read, functions=self.functions)
        return Condition(expr, lowering.lower(expr.node), typing, self.functions)


class _Checker(ExpressionChecker):
    """Types `share`, lets filters be null, and says where customers' names may stand."""

    def __init__(
        self, report: Report, typing: Typing, currency: str | None, row: RowType, functions: Functions
    ) -> None:
        super().__init__(report, typing, currency, functions)
        self.row = row

    def type(self, node: ast.Node, scope: Scope) -> Type:
        if isinstance(node, ast.Invocation) and isinstance(node.function, ast.Name) and node.function.name == SHARE:
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
        self.boolean(node.arguments[0].value, scope.inner(row_names(variable, binding.type.item)),
                     "the condition of `share`")
        return _RATIO

    def _unknown_name(self, node: ast.Name, scope: Scope) -> Type:
        if scope.find(CUSTOMERS) is not None and node.name in self.row.names:
            name = node.name
            way = f"write `share({name} ...)`, `customers[{name} ...]`, or `c.{name}` behind `every c in customers`"
            return self.error("E0203", f"`{name}` is a name of each customer, not of all", node, way)
        if node.name in self.row.parameters:
            return self.error("E0203", f"`{node.name}` is a parameter, which no customer has", node,
                              "write its value, or name an outcome that reads it")
        return super()._unknown_name(node, scope)


class _Lowering(ExpressionLowering):
    """Lowers `share` to a count over a count."""

    def lower(self, node: ast.Node, wanted: Type | None = None) -> ir.Node:
        if isinstance(node, ast.Invocation) and isinstance(node.function, ast.Name) and node.function.name == SHARE:
            return self._share(node)
        return super().lower(node, wanted)

    def _share(self, node: ast.Invocation) -> ir.Node:
        at, whole = self.at(node), Type(dt.NUMBER, whole=True)
        rows = ir.Relation(self.id(), Type(dt.RELATION, relation=CUSTOMERS), at, CUSTOMERS)
        condition = self.lower(node.arguments[0].value)
        if condition.type.nullable:
            switch = ir.Local(self.id(), Type(dt.BOOLEAN), at, f"{SWITCH}{node.start}")
            is_null = ir.IsNull(self.id(), switch.type, at, condition)
            unknown = ir.And(self.id(), switch.type, at, (switch, is_null))
            condition = ir.Or(self.id(), condition.type, at, (condition, unknown))
        part = ir.Fold(self.id(), whole, at, "count", rows, self.typing.variables[id(node)], condition, None)
        every = ir.Fold(self.id(), whole, at, "count", rows, self.id(), None, None)
        return ir.Call(self.id(), _RATIO, at, "/", (part, every))


def _read(kind: str, target: str, type: Type, id: str, at: ir.Place | None) -> ir.Node:
    """The node that reads a bound name."""
    if kind == HISTORY:
        return ir.Relation(id, type, at, target)
    if kind in (LOCAL, FIELD):
        return ir.Local(id, type, at, target)
    return ir.AsOf(id, type, at)


def place_of(condition: Condition) -> Slice:
    """Where a condition stands."""
    return condition.expr.place
