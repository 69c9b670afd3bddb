"""Runs one case: its nodes in order, each result a name for the next."""
from __future__ import annotations

import datetime
from typing import Any

from engine import feel
from engine.backends.reference.dynamic import DynamicEvaluator
from engine.backends.reference.dynamic_values import FunctionValue
from engine.ir import dynamic
from engine.semantics import conformance
from engine.semantics.conformance import Definition, FeelType, parse_type
from engine.semantics.values import Undefined
from engine.syntax.parser import SyntaxProblem, parse_expression, parse_unary_tests
from engine.syntax.vocabulary import Vocabulary, normalise
from tests.conformance import tables, typed


class Model:
    """One case's names, types and evaluator."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.case = case
        self.names: dict[str, Any] = {}
        self.members: set[str] = set()
        self.definitions: dict[str, Definition] = {}
        self.evaluator = DynamicEvaluator(self.names, AS_OF, definitions=self.definitions)
        for name, spec in case["types"].items():
            self.definitions[name] = self.definition(spec)
        for name in case["input_types"]:
            self.names[normalise(name)] = None
        for name, value in case["inputs"].items():
            self.names[normalise(name)] = self.input(name, value)

    # --- types --------------------------------------------------------------------------

    def definition(self, spec: dict[str, Any]) -> Definition:
        self.members.update(spec.get("components") or {})
        base = None
        if "function" in spec:
            signature = spec["function"]
            base = FeelType(
                "function", tuple((name, self.kind(kind)) for name, kind in signature["params"]),
                self.kind(signature["output"]))
        elif spec.get("type_ref"):
            base = self.kind(spec["type_ref"])
        components = spec.get("components")
        allowed = spec.get("allowedValues")
        return Definition(
            base,
            None if not components else tuple((n, self.definition(c)) for n, c in components.items()),
            bool(spec.get("is_collection")),
            None if not allowed else lambda value: tables.any_of(value, allowed, self.test),
        )

    def kind(self, name: str | None) -> FeelType:
        return conformance.ANY if not name else parse_type(name)

    def input(self, name: str, value: dict[str, Any]) -> Any:
        kind = self.case["input_types"].get(name)
        if value["type"] == "untyped" and kind:
            return typed.untyped(value["value"], kind)
        return self.convert(typed.read(value), kind)

    def convert(self, value: Any, kind: str | None) -> Any:
        """A result as its declared type wants it, null where it is of another."""
        if not kind or value is None:
            return value
        try:
            return conformance.convert(value, parse_type(kind), self.definitions)
        except Undefined:
            return None

    # --- evaluation ---------------------------------------------------------------------

    def vocabulary(self, *more: str) -> Vocabulary:
        known = feel.vocabulary_of(self.names)
        return known.extended(more, self.members)

    def evaluate(self, text: str, *bound: str) -> Any:
        try:
            tree = parse_expression(text, self.vocabulary(*self.evaluator.locals, *bound))
        except SyntaxProblem:
            return None
        return self.evaluator.evaluate(dynamic.lower(tree, text, LOCATOR))

    def test(self, text: str, value: Any) -> Any:
        """Whether a value passes a cell; an empty cell asks nothing, one that is not FEEL gives null."""
        if not text.strip():
            return True
        try:
            tree = parse_unary_tests(text, self.vocabulary(*self.evaluator.locals))
        except SyntaxProblem:
            return None
        node = dynamic.lower_tests(tree, text, LOCATOR)
        before = self.evaluator.locals
        self.evaluator.locals = {**before, "?": value}
        try:
            return self.evaluator.evaluate(node)
        finally:
            self.evaluator.locals = before

    def run(self) -> Any:
        """The value of the last node."""
        value: Any = None
        for node in self.case["nodes"]:
            value = self.node(node)
            self.names[normalise(node["name"])] = value
        return value

    def node(self, node: dict[str, Any]) -> Any:
        kind = node.get("type_ref")
        if node["kind"] == "bkm_table":
            return self.table_function(node)
        if node["kind"] == "table":
            return self.convert(self.table(node["table"], kind), kind)
        value = self.evaluate(node["expression"], node["name"])
        if node["kind"] == "bkm" and isinstance(value, FunctionValue):
            # The type is that of what the function returns.
            if kind:
                inner = value.run
                value.run = lambda arguments, names: self.convert(inner(arguments, names), kind)
            return value
        return self.convert(value, kind)

    def table(self, table: dict[str, Any], kind: str | None) -> Any:
        outcomes = [self.outcomes(output, kind) for output in table["outputs"]]

        def outcome(cell: str, place: int) -> Any:
            return self.convert(self.evaluate(cell), table["outputs"][place]["type_ref"])

        return tables.decide(table, self.evaluate, self.test, outcome, outcomes)

    def outcomes(self, output: dict[str, Any], kind: str | None) -> list[Any] | None:
        """An output's values in order: its own, or those its type allows."""
        text = output["values"]
        if text is None:
            spec = self.case["types"].get(output["type_ref"] or kind or "", {})
            if output["name"] and not output["type_ref"]:
                spec = (spec.get("components") or {}).get(output["name"], {})
            text = spec.get("allowedValues") or self.case["types"].get(spec.get("type_ref"), {}).get("allowedValues")
        if text is None:
            return None
        value = self.evaluate(f"[{text}]")
        return value if isinstance(value, list) else None

    def table_function(self, node: dict[str, Any]) -> FunctionValue:
        parameters = [normalise(name) for name, _ in node["params"]]

        def run(arguments: list[Any], names: tuple[str, ...]) -> Any:
            given = dict(zip(names if any(names) else parameters, arguments, strict=False))
            before = self.evaluator.locals
            self.evaluator.locals = {
                name: self.convert(given.get(normalise(name)), kind) for name, kind in node["params"]}
            try:
                return self.convert(self.table(node["table"], node.get("type_ref")), node.get("type_ref"))
            finally:
                self.evaluator.locals = before

        return FunctionValue(node["name"], run)


LOCATOR = feel._Locator("")
AS_OF = datetime.datetime(2026, 7, 1, 9, 30, tzinfo=datetime.UTC)
