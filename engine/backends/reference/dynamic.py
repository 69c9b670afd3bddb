"""Interprets bare FEEL: the static evaluator with FEEL's dynamic rules on top.

Types are those of the values at hand. What FEEL has no value for is null, and a note says
why and where. Evaluation is bounded: each node evaluated is a step, large results count as
many, and both steps and the depth of calls end in `LimitExceeded`.
"""
from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from engine.backends.reference.expressions import Evaluator
from engine.ir import nodes as ir
from engine.records import Record
from engine.semantics import conformance, equality, lists, number, temporal
from engine.semantics import dtypes as dt
from engine.semantics.catalogue import BUILTINS, Catalogue, Operation, Parameter, Signature
from engine.semantics.conformance import FeelType, parse_type
from engine.semantics.conversions import at_literal
from engine.semantics.operators import described
from engine.semantics.values import MAX_ITEMS, LimitExceeded, Range, Undefined

#: Nodes evaluated, with large values counted by their size; about a second of work.
MAX_STEPS = 400_000
#: Calls of function values within one another.
MAX_CALLS = 250
#: Items of a list, or characters of a text, that count as one step.
_ITEMS_A_STEP, _CHARACTERS_A_STEP = 8, 200


class Note(Record):
    """Why a part of the expression is null."""

    message: str
    at: ir.Place | None


class FunctionValue:
    """A function as a value: `arity` parameters (None for a built-in, which is overloaded)."""

    __slots__ = ("arity", "call", "name", "parameters")

    def __init__(self, name: str, parameters: tuple[str, ...] | None, call: Callable[..., Any]) -> None:
        self.name = name
        self.parameters = parameters
        self.arity = None if parameters is None else len(parameters)
        self.call = call

    def __call__(self, *arguments: Any) -> Any:
        return self.call(list(arguments), ("",) * len(arguments))


class DynamicEvaluator(Evaluator):
    """Evaluates the nodes of `engine.ir.dynamic` over `names`.

    `names` may be changed between evaluations; `definitions` are the named types that `instance
    of` and parameters know.
    """

    handlers: ClassVar[dict[type[ir.Node], Callable[[Any, Any], Any]]] = {}

    def __init__(self, names: Mapping[str, Any], as_of: datetime.date | None = None,
                 catalogue: Catalogue = BUILTINS, definitions: conformance.Definitions | None = None) -> None:
        super().__init__(as_of, catalogue)
        self.names = names
        self.definitions = definitions or {}
        self.notes: list[Note] = []
        self.steps = 0
        self.calls = 0
        self.silent = 0

    def evaluate(self, node: ir.Node) -> Any:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise LimitExceeded("the expression takes too many steps")
        return self.handlers[type(node)](self, node)

    # --- notes and bounds ---------------------------------------------------------------

    def note(self, node: ir.Node, message: str) -> None:
        """Say why `node` is null; returns None, so that a caller may return it."""
        if not self.silent and len(self.notes) < 100:
            self.notes.append(Note(message, node.at))

    def undefined(self, node: ir.Node, why: Undefined) -> None:
        self.note(node, why.message)

    def charge(self, value: Any) -> Any:
        """Count a result by its size."""
        if isinstance(value, list):
            self.steps += len(value) // _ITEMS_A_STEP
            if len(value) > MAX_ITEMS:
                raise LimitExceeded(f"a list has at most {MAX_ITEMS:,} items")
        elif isinstance(value, str):
            self.steps += len(value) // _CHARACTERS_A_STEP
        return value

    @contextmanager
    def scope(self, bindings: Mapping[str, Any]) -> Iterator[None]:
        """Evaluate with further locals."""
        before = self.locals
        self.locals = {**before, **bindings}
        try:
            yield
        finally:
            self.locals = before

    # --- names and functions ------------------------------------------------------------

    def input(self, name: str) -> Any:
        if name in self.locals:
            return self.locals[name]
        if name in self.names:
            return self.names[name]
        operation = self.catalogue.find(name) if name[:1].isalpha() else None
        if operation is not None:
            return self.builtin(operation)
        raise Undefined(f"there is no name `{name}`")

    def _name(self, node: ir.Input) -> Any:
        try:
            return self.input(node.name)
        except Undefined as why:
            self.undefined(node, why)
            return None

    def builtin(self, operation: Operation) -> FunctionValue:
        def call(arguments: list[Any], names: tuple[str, ...]) -> Any:
            return self.run(operation, arguments, names)

        return FunctionValue(operation.name, None, call)

    def run(self, operation: Operation, arguments: list[Any], names: tuple[str, ...]) -> Any:
        """A built-in over arguments; raises `Undefined` where no signature takes them."""
        if operation.clock:
            if arguments:
                raise Undefined(f"`{operation.name}` takes no arguments")
            return operation.kernel(self.as_of)
        values = bind(operation, arguments, names)
        if operation.nulls == "strict" and any(v is None for v in values):
            raise Undefined(f"an argument of `{operation.name}` is null")
        for value in values:
            self.charge(value)
        return self.charge(operation.kernel(*values))

    def _apply(self, node: ir.Apply) -> Any:
        function = self.evaluate(node.function)
        arguments = [self.evaluate(a) for a in node.args]
        if not isinstance(function, FunctionValue):
            if function is not None:
                self.note(node, f"{described(function)} cannot be called")
            return None
        try:
            return function.call(arguments, node.names)
        except Undefined as why:
            self.undefined(node, why)
            return None

    def _lambda(self, node: ir.Lambda) -> FunctionValue:
        scope = dict(self.locals)
        names = tuple(name for name, _ in node.parameters)

        def call(arguments: list[Any], given: tuple[str, ...]) -> Any:
            values = self.arguments(node, arguments, given)
            if self.calls >= MAX_CALLS:
                raise LimitExceeded(f"functions call one another more than {MAX_CALLS} deep")
            before, self.locals = self.locals, {**scope, **values}
            self.calls += 1
            try:
                return self.evaluate(node.body)
            finally:
                self.calls -= 1
                self.locals = before

        function = FunctionValue("", names, call)
        # A function may call itself by the context entry that it becomes (see `_context`).
        function_scopes[id(function)] = scope
        return function
