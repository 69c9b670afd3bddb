"""Conditions evaluated over the rows of decided customers, and whom one that does not hold is about.

A condition may take as many steps as one customer's decision (`engine.semantics.work`) and no more: `for a in
customers, b in customers` over a large portfolio would have no end.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any, TypeVar

from engine.backends.reference.expressions import Evaluator
from engine.ir import nodes as ir
from engine.ir.customers import SWITCH
from engine.ir.reads import walk
from engine.policytest.conditions import GROUP, ROW, Condition
from engine.policytest.customers import Customer, Decided
from engine.policytest.model import Portfolio
from engine.policytest.running import show
from engine.records import Record
from engine.semantics.customers import CUSTOMERS, PORTFOLIO, REFUSED, SHARE
from engine.semantics.work import MAX_STEPS, Exhausted, allowance
from engine.syntax import ast

#: Switches of a condition that are tried in every combination; further ones go with them.
MAX_SWITCHES = 6
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
_HIGH, _LOW = "high", "low"
T = TypeVar("T")


class TooMuch(Exception):
    """A condition takes more steps than it may."""


class Failing(Record):
    """A part of a condition that is not true: what was expected, what came out, and of whom."""

    what: str
    expected: str
    got: str
    customers: tuple[Customer, ...]


class _Evaluator(Evaluator):
    def __init__(self, portfolio: Portfolio) -> None:
        super().__init__(portfolio.as_of, portfolio.program.functions.catalogue)
        self.tables: dict[str, list[Any]] = {}

    def relation(self, name: str) -> list[dict[str, Any]] | None:
        return self.tables[name]


class Asker:
    """Evaluates conditions over one decided portfolio."""

    def __init__(self, portfolio: Portfolio, decided: Decided) -> None:
        self.evaluator = _Evaluator(portfolio)
        self.evaluator.tables[PORTFOLIO] = [c.row for c in decided.customers]
        self.evaluator.tables[REFUSED] = [c.row for c in decided.refused]

    def each(self, condition: Condition, customers: Sequence[Customer]) -> list[Any]:
        """The values of an expression about one customer."""
        evaluate, locals_ = self.evaluator.evaluate, self.evaluator.locals

        def values() -> list[Any]:
            found = []
            for customer in customers:
                locals_[ROW] = customer.row
                found.append(evaluate(condition.core))
            return found

        return self._within(values)

    def failing(self, condition: Condition, customers: Sequence[Customer], group: Any = None) -> list[Failing]:
        """The parts of a condition over `customers` that are not true; none where it holds.

        It holds where it is true whichever way the customers count of whom a share cannot tell.
        """
        self.evaluator.tables[CUSTOMERS] = [c.row for c in customers]
        self.evaluator.locals[GROUP] = group

        def parts() -> list[Failing]:
            if all(value is True for value in self._ways(condition.core)):
                return []
            found = []
            for node in _conjuncts(condition.expr.node):
                core = condition.part(node)
                value = next((v for v in self._ways(core) if v is not True), True)
                if value is not True:                   # the switches stay as they made it so
                    found.append(self._part(condition, node, core, value, customers))
            return found

        return self._within(parts)

    def _ways(self, core: ir.Node) -> Iterator[Any]:
        """The values of a condition with each of its switches off and on."""
        names = {n.name for n in walk(core) if isinstance(n, ir.Local) and n.name.startswith(SWITCH)}
        switches = sorted(names)[:MAX_SWITCHES]
        locals_ = self.evaluator.locals
        for ways in product((False, True), repeat=len(switches)):
            locals_ |= dict.fromkeys(names, any(ways)) | dict(zip(switches, ways, strict=True))
            yield self.evaluator.evaluate(core)

    def _within(self, ask: Callable[[], list[T]]) -> list[T]:
        try:
            with allowance(MAX_STEPS):
                return ask()
        except Exhausted:
            raise TooMuch from None

    # --- one part -----------------------------------------------------------------------

    def _part(
        self, condition: Condition, node: ast.Node, core: ir.Node, value: bool | None, customers: Sequence[Customer]
    ) -> Failing:
        inner = _negated(node)
        if isinstance(inner, ast.Quantified) and inner.kind == "some":
            core, node = condition.part(inner), inner
            if isinstance(core, ir.Fold) and _is_customers(core.source):
                return self._none(condition, node, core, customers)
        if isinstance(node, ast.Quantified) and isinstance(core, ir.Fold) and _is_customers(core.source):
            return self._quantified(condition, node, core, customers)
        measured = _measured(condition, node)
        if measured is None:
            return Failing(condition.written(node), "true", _word(value), self._implicated(core, None, customers))
        what, expected, way = measured
        figure = condition.part(what)
        found = self.evaluator.evaluate(figure)
        side = self._side(condition, node, way, found)
        whom = self._implicated(figure, side, customers, found is None)     # before the switches are tried once more
        return Failing(condition.written(what), expected, self._shown(what, figure, found, customers), whom)

    def _quantified(
        self, condition: Condition, node: ast.Quantified, core: ir.Fold, customers: Sequence[Customer]
    ) -> Failing:
        if core.op == "some":
            return Failing(f"some of {len(customers):,} customers", condition.written(node.body), "none", ())
        asked, answers = self._answers(core, customers)
        wrong = tuple(c for c, v in zip(asked, answers, strict=True) if v is not True)
        unknown = [c for c, v in zip(asked, answers, strict=True) if v is None]
        got = f"not so for {len(wrong):,}"
        if unknown:
            got += f", null for {len(unknown):,} of them{self._null(core, unknown[0])}"
        return Failing(f"every of {len(asked):,} customers", condition.written(node.body), got, wrong)

    def _none(
        self, condition: Condition, node: ast.Quantified, core: ir.Fold, customers: Sequence[Customer]
    ) -> Failing:
        """`not(some ...)` that is not true: of those for whom the condition is true, or null."""
        asked, answers = self._answers(core, customers)
        wrong = tuple(c for c, v in zip(asked, answers, strict=True) if v is not False)
        unknown = [c for c, v in zip(asked, answers, strict=True) if v is None]
        got = f"so for {len(wrong) - len(unknown):,}"
        if unknown:
            got += f", null for {len(unknown):,}{self._null(core, unknown[0])}"
        return Failing(f"none of {len(asked):,} customers", condition.written(node.body), got, wrong)

    def _null(self, fold: ir.Fold, customer: Customer) -> str:
        """What is null of a customer for whom a condition is."""
        null: dict[str, None] = {}
        for node in walk(fold):
            if isinstance(node, ir.Field) and isinstance(node.base, ir.Local) and node.base.name == fold.var:
                if customer.row.get(node.name) is None:
                    null[node.name] = None
        return f": no value of {' or '.join(f'`{name}`' for name in null)}" if null else ""

    def _answers(self, fold: ir.Fold, customers: Sequence[Customer]) -> tuple[list[Customer], list[Any]]:
        """The customers whom a fold goes over, and its value for each."""
        bound, var = self.evaluator.bound, fold.var
        asked = list(customers)
        if fold.filter is not None:
            asked = [c for c in asked if bound(var, c.row, fold.filter) is True]
        return asked, [None if fold.value is None else bound(var, c.row, fold.value) for c in asked]

    def _implicated(
        self, core: ir.Node, side: str | None, customers: Sequence[Customer], is_null: bool = False
    ) -> tuple[Customer, ...]:
        """The customers behind a figure that is too high or too low: those in it, or for a count that is too low those
        not in it; where it is null, those whose value is."""
        fold = next((n for n in walk(core) if isinstance(n, ir.Fold) and _is_customers(n.source)), None)
        if fold is None:
            return ()
        asked, values = self._answers(fold, customers)
        if fold.value is None:
            if side == _LOW and fold.filter is not None:
                inside = {id(c) for c in asked}
                return tuple(c for c in customers if id(c) not in inside)
            return tuple(asked) if fold.filter is not None else ()
        if is_null:
            return tuple(c for c, v in zip(asked, values, strict=True) if v is None)
        if all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
            pairs = sorted(zip(asked, values, strict=True), key=lambda pair: pair[1], reverse=side != _LOW)
            return tuple(c for c, _ in pairs)
        return tuple(asked)

    def _side(self, condition: Condition, node: ast.Node, op: str | None, found: Any) -> str | None:
        """Whether a figure is above or below what was expected, None where that cannot be told."""
        if op in ("<", "<="):
            return _HIGH
        if op in (">", ">="):
            return _LOW
        if not isinstance(found, (int, float)):
            return None
        ends = [v for end in _ends(node) if isinstance(v := self.evaluator.evaluate(condition.part(end)), (int, float))]
        if not ends:
            return None
        return _HIGH if found >= max(ends) else _LOW if found <= min(ends) else None

    def _shown(self, node: ast.Node, core: ir.Node, found: Any, customers: Sequence[Customer]) -> str:
        """A figure as text; of a share also the customers that it counts."""
        if not _is_share(node) or not isinstance(core, ir.Call) or not isinstance(core.args[0], ir.Fold):
            return "no value" if found is None else show(found)
        counts = []
        for switch in (False, True):
            self.evaluator.locals |= {f"{SWITCH}{node.start}": switch}
            counts.append(self.evaluator.evaluate(core.args[0]))
        least, most, every = *counts, len(customers)
        shares = " to ".join(f"{100 * count / every:.4g}%" for count in dict.fromkeys(counts))
        unknown = f"; {most - least:,} cannot be told" if most > least else ""
        return f"{shares} ({least:,} of {every:,}{unknown})"


def _conjuncts(node: ast.Node) -> Iterator[ast.Node]:
    if isinstance(node, ast.Conjunction):
        for operand in node.operands:
            yield from _conjuncts(operand)
    else:
        yield node


def _negated(node: ast.Node) -> ast.Node | None:
    """What stands in `not(...)`."""
    if isinstance(node, ast.Invocation) and isinstance(node.function, ast.Name) and node.function.name == "not":
        return node.arguments[0].value if len(node.arguments) == 1 else None
    return None


def _measured(condition: Condition, node: ast.Node) -> tuple[ast.Node, str, str | None] | None:
    """What a comparison measures of customers, what is expected of it as written, and the sign between them; None where
    it measures nothing."""
    if isinstance(node, (ast.In, ast.Between)) and _counts(condition.part(node.operand)):
        return node.operand, condition.behind(node.operand, node), None
    if isinstance(node, ast.Comparison) and _counts(condition.part(node.left)):
        return node.left, condition.behind(node.left, node), node.op
    if isinstance(node, ast.Comparison) and _counts(condition.part(node.right)):
        flipped = _FLIPPED[node.op]
        return node.right, f"{flipped} {condition.written(node.left)}", flipped
    return None


def _counts(core: ir.Node) -> bool:
    return any(isinstance(n, ir.Relation) for n in walk(core))


def _ends(node: ast.Node) -> Iterator[ast.Node]:
    """The values that bound a test."""
    if isinstance(node, ast.Between):
        yield from (node.lower, node.upper)
    elif isinstance(node, ast.Comparison):
        yield from (node.left, node.right)
    elif isinstance(node, ast.In):
        for test in node.tests:
            if isinstance(test, ast.RangeLiteral):
                yield from (end for end in (test.lower, test.upper) if end is not None)
            elif isinstance(test, ast.Comparator):
                yield test.operand
            else:
                yield test


def _is_share(node: ast.Node) -> bool:
    return isinstance(node, ast.Invocation) and isinstance(node.function, ast.Name) and node.function.name == SHARE


def _is_customers(node: ir.Node) -> bool:
    return isinstance(node, ir.Relation) and node.name == CUSTOMERS


def _word(value: bool | None) -> str:
    return "null" if value is None else "true" if value else "false"
