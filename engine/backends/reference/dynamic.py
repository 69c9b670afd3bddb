"""Interprets bare FEEL: the static evaluator with FEEL's dynamic rules on top.

Types are those of the values at hand. What FEEL has no value for is null, and a note says
why and where. Evaluation is bounded: each node evaluated is a step, large results count as
many, and both steps and the depth of calls end in `LimitExceeded`.
"""
from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from engine.backends.reference.dynamic_values import (
    FunctionValue,
    built_in_accepts,
    counted,
    item_scope,
    literal_accepts,
    passes,
)
from engine.backends.reference.expressions import Evaluator
from engine.ir import nodes as ir
from engine.records import Record
from engine.semantics import conformance, conversions, equality, number
from engine.semantics.binding import bind
from engine.semantics.catalogue import BUILTINS, Catalogue, Operation
from engine.semantics.conformance import Definitions
from engine.semantics.operators import described
from engine.semantics.values import MAX_ITEMS, LimitExceeded, Range, Undefined

#: Nodes evaluated, with large values counted by their size; about a second of work.
MAX_STEPS = 800_000
#: Calls of function values within one another.
MAX_CALLS = 250
#: Items of a list, or characters of a text, that count as one step.
_ITEMS_A_STEP, _CHARACTERS_A_STEP = 8, 50


class Note(Record):
    """Why a part of the expression is null."""

    message: str
    at: ir.Place | None


class DynamicEvaluator(Evaluator):
    """Evaluates the nodes of `engine.ir.dynamic` over `names`.

    `names` may be changed between evaluations; `definitions` are the named types that `instance
    of` and parameters know.
    """

    handlers: ClassVar[dict[type[ir.Node], Callable[[Any, Any], Any]]] = {}

    def __init__(self, names: Mapping[str, Any], as_of: datetime.date | None = None,
                 catalogue: Catalogue = BUILTINS, definitions: Definitions | None = None) -> None:
        super().__init__(as_of, catalogue)
        self.names = names
        self.definitions = definitions if definitions is not None else {}
        self.notes: list[Note] = []
        self.steps = 0
        self.calls = 0

    def evaluate(self, node: ir.Node) -> Any:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise LimitExceeded("the expression takes too many steps")
        return self.handlers[type(node)](self, node)

    # --- notes and bounds ---------------------------------------------------------------

    def note(self, node: ir.Node, message: str) -> None:
        """Say why `node` is null."""
        if len(self.notes) < 100:
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

    def within(self, bindings: Mapping[str, Any], node: ir.Node) -> Any:
        """`node` under further locals."""
        before = self.locals
        self.locals = {**before, **bindings}
        try:
            return self.evaluate(node)
        finally:
            self.locals = before

    # --- names and functions ------------------------------------------------------------

    def input(self, name: str) -> Any:
        if name in self.locals:
            return self.locals[name]
        if name in self.names:
            return self.names[name]
        operation = self.catalogue.find(name) if name[:1].isalpha() else None
        if operation is None:
            raise Undefined(f"there is no name `{name}`")

        def run(arguments: list[Any], names: tuple[str, ...]) -> Any:
            return self.run(operation, arguments, names)

        return FunctionValue(name, run, functools.partial(built_in_accepts, operation), form=name)

    def _name(self, node: ir.Input) -> Any:
        try:
            return self.input(node.name)
        except Undefined as why:
            self.undefined(node, why)
            return None

    def run(self, operation: Operation, arguments: list[Any], names: tuple[str, ...]) -> Any:
        """A built-in over arguments; raises `Undefined` where it has no value for them."""
        if operation.clock:
            if arguments:
                raise Undefined(f"`{operation.name}` takes no arguments")
            return operation.kernel(self.as_of)
        values = bind(operation, arguments, names)
        for value in values:
            if value is None and operation.nulls == "strict":
                raise Undefined(f"an argument of `{operation.name}` is null")
            self.charge(value)
        return self.charge(operation.kernel(*values))

    def _call(self, node: ir.Call) -> Any:
        special = _SPECIAL.get(node.op)
        try:
            if special is not None:
                return special(self, node)
            arguments = [self.evaluate(a) for a in node.args]
            if None in arguments:
                self.note(node, "an operand is null")
                return None
            return self.charge(self.catalogue.get(node.op).kernel(*arguments))
        except Undefined as why:
            self.undefined(node, why)
            return None

    def _apply(self, node: ir.Apply) -> Any:
        function = self.evaluate(node.function)
        arguments = [self.evaluate(a) for a in node.args]
        if not isinstance(function, FunctionValue):
            if function is not None:
                self.note(node, f"{described(function)} cannot be called")
            return None
        try:
            return function.run(arguments, node.names)
        except Undefined as why:
            self.undefined(node, why)
            return None

    def _lambda(self, node: ir.Lambda) -> FunctionValue:
        scope = dict(self.locals)

        def run(arguments: list[Any], names: tuple[str, ...]) -> Any:
            values = self.parameters(node, arguments, names)
            if self.calls >= MAX_CALLS:
                raise LimitExceeded(f"functions call one another more than {MAX_CALLS} deep")
            before, self.locals = self.locals, {**scope, **values}
            self.calls += 1
            try:
                return self.evaluate(node.body)
            finally:
                self.calls -= 1
                self.locals = before

        body = node.body.at
        form = None if body is None else (node.parameters, body.snippet)
        return FunctionValue("", run, functools.partial(literal_accepts, node), scope, form)

    def parameters(self, node: ir.Lambda, arguments: list[Any], names: tuple[str, ...]) -> dict[str, Any]:
        """Arguments by the parameters of a function literal, converted to their types."""
        wanted = [name for name, _ in node.parameters]
        if len(arguments) != len(wanted) or any(names) and set(names) != set(wanted):
            raise Undefined(f"the function takes ({', '.join(wanted)})")
        given = dict(zip(names if any(names) else wanted, arguments, strict=True))
        return {name: self.converted(given[name], kind) for name, kind in node.parameters}

    def converted(self, value: Any, kind: str) -> Any:
        """An argument as its parameter's type wants it; an argument of another type makes the call null."""
        return conformance.convert(value, conformance.parse_type(kind), self.definitions) if kind else value

    # --- special operations ---------------------------------------------------------------

    def _external(self, node: ir.Call) -> Any:
        raise Undefined("an external function is not run")

    def _at(self, node: ir.Call) -> Any:
        return conversions.at_literal(self.evaluate(node.args[0]))

    def _range(self, node: ir.Call) -> Any:
        low, high, low_closed, high_closed = [self.evaluate(a) for a in node.args]
        kinds = {equality.kind_of(end) for end in (low, high) if end is not None}
        if len(kinds) > 1 or not kinds <= equality.ORDERED:
            raise Undefined("the ends of a range are of one kind that has an order")
        return Range(low, high, low_closed, high_closed)

    def _sign_range(self, node: ir.Call) -> Any:
        sign, end = [self.evaluate(a) for a in node.args]
        if sign in ("=", "!="):
            return Range(end, end, True, True, sign)
        if equality.kind_of(end) not in equality.ORDERED:
            raise Undefined("the end of a range has an order")
        closed = sign.endswith("=")
        return Range(None, end, False, closed, sign) if sign[0] == "<" else Range(end, None, closed, False, sign)

    def _in(self, node: ir.Call) -> bool | None:
        value, test = [self.evaluate(a) for a in node.args]
        return passes(value, self.charge(test))

    def _matches(self, node: ir.Call) -> bool | None:
        """A cell's test that does not name `?`: a value to be, or be in, or a condition that holds."""
        value, test = [self.evaluate(a) for a in node.args]
        answer = passes(value, test)
        return True if answer is None and test is True else answer

    def _tests(self, node: ir.Call) -> bool | None:
        """A cell's test over `?`: its truth value, or what it gives is tested like any value."""
        value, test = [self.evaluate(a) for a in node.args]
        return test if isinstance(test, bool) else passes(value, test)

    def _instance_of(self, node: ir.Call) -> bool | None:
        value, kind = [self.evaluate(a) for a in node.args]
        wanted = conformance.parse_type(kind)
        conformed = conformance.conforms(value, wanted, self.definitions)
        return conformed and (value is not None or wanted.name == "Null")

    # --- comparison and logic -------------------------------------------------------------

    def _compare(self, node: ir.Compare) -> bool | None:
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        if node.op in ("=", "!="):
            answer = equality.equals(self.charge(left), right)
            if answer is not None and node.op == "!=":
                answer = not answer
        else:
            answer = equality.order(node.op, left, right)
        if answer is None:
            self.note(node, "an operand is null" if left is None or right is None else
                      f"{described(left)} and {described(right)} do not compare")
        return answer

    def _and(self, node: ir.And) -> bool | None:
        return self.joined(node, node.args, False)

    def _or(self, node: ir.Or) -> bool | None:
        return self.joined(node, node.args, True)

    def joined(self, node: ir.Node, args: tuple[ir.Node, ...], decisive: bool) -> bool | None:
        """Three-valued `or` (decisive true) or `and`; what is no truth value counts as null."""
        known = True
        for arg in args:
            value = self.evaluate(arg)
            if isinstance(value, bool):
                if value is decisive:
                    return value
            else:
                known = False
                if value is not None:
                    self.note(arg, f"{described(value)} is neither true nor false")
        return (not decisive) if known else None

    def _not(self, node: ir.Not) -> bool | None:
        value = self.evaluate(node.arg)
        return not value if isinstance(value, bool) else None

    def _cond(self, node: ir.Cond) -> Any:
        return self.evaluate(node.then if self.evaluate(node.test) is True else node.otherwise)

    # --- structures -----------------------------------------------------------------------

    def _record(self, node: ir.Record) -> Any:
        """A context; an entry sees those before it, and a function itself."""
        out: dict[str, Any] = {}
        for name, value_node in node.fields:
            if name in out:
                self.note(node, f"the key `{name}` occurs twice")
                return None
            value = self.within(out, value_node)
            out[name] = value
            if isinstance(value, FunctionValue) and isinstance(value_node, ir.Lambda):
                value.scope.update({name: value})
        return out

    def _list(self, node: ir.List) -> list[Any]:
        return [self.evaluate(item) for item in node.items]

    def _field(self, node: ir.Field) -> Any:
        base = self.evaluate(node.base)
        try:
            if isinstance(base, list):
                return self.charge([self.member_or_null(item, node.name) for item in base])
            return self.member(base, node.name)
        except Undefined as why:
            self.undefined(node, why)
            return None

    def member(self, base: Any, name: str) -> Any:
        """`base.name`: a context's member, or a property."""
        if isinstance(base, dict):
            if name not in base:
                raise Undefined(f"there is no member `{name}`")
            return base[name]
        if base is None:
            raise Undefined(f"`.{name}` is read of null")
        operation = self.catalogue.find("." + name)
        if operation is None:
            raise Undefined(f"{described(base)} has no member `{name}`")
        return self.run(operation, [base], ("",))

    def member_or_null(self, base: Any, name: str) -> Any:
        try:
            return self.member(base, name)
        except Undefined:
            return None

    def _filter(self, node: ir.Filter) -> Any:
        source = self.evaluate(node.source)
        if source is None:
            self.note(node, "what is filtered is null")
            return None
        items = source if isinstance(source, list) else [source]
        if node.var != "item":
            position = self.position(node, items)
            if position is not None:
                place = int(position)
                if place == 0 or abs(place) > len(items):
                    self.note(node, f"there is no item {place}")
                    return None
                return items[place - 1 if place > 0 else place]
        kept = []
        for item in items:
            verdict = self.within(item_scope(item), node.predicate)
            if verdict is True:
                kept.append(item)
            elif verdict is not None and not isinstance(verdict, bool):
                self.note(node, f"a filter is a condition or a position, not {described(verdict)}")
                return None
        return kept

    def position(self, node: ir.Filter, items: list[Any]) -> float | None:
        """The position that a filter's predicate names, None where it is a condition."""
        noted = len(self.notes)
        value = self.within(item_scope(items[0]) if items else {"item": None}, node.predicate)
        del self.notes[noted:]
        return value if number.is_number(value) else None

    # --- iteration ------------------------------------------------------------------------

    def _iterate(self, node: ir.Iterate) -> Any:
        try:
            if node.kind in ("some", "every"):
                return self.quantified(node)
            results: list[Any] = []
            for bindings in self.bindings(node, 0, {}):
                if node.kind == "for partial":
                    bindings = {**bindings, "partial": self.charge(list(results))}
                results.append(self.within(bindings, node.body))
                if len(results) > MAX_ITEMS:
                    raise LimitExceeded(f"a list has at most {MAX_ITEMS:,} items")
            return results
        except Undefined as why:
            self.undefined(node, why)
            return None

    def quantified(self, node: ir.Iterate) -> bool | None:
        decisive = node.kind == "some"
        known = True
        for bindings in self.bindings(node, 0, {}):
            value = self.within(bindings, node.body)
            if isinstance(value, bool):
                if value is decisive:
                    return value
            else:
                known = False
                self.note(node, "a condition is neither true nor false")
        return (not decisive) if known else None

    def bindings(self, node: ir.Iterate, depth: int, outer: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The iterators' values, the last running fastest; a later source sees the earlier names."""
        name, source, upper = node.iterators[depth]
        values = self.iterated(source, upper, outer)
        last = depth + 1 == len(node.iterators)
        for value in values:
            bound = {**outer, name: value}
            if last:
                yield bound
            else:
                yield from self.bindings(node, depth + 1, bound)
                self.steps += 1
                if self.steps > MAX_STEPS:
                    raise LimitExceeded("the expression takes too many steps")

    def iterated(self, source: ir.Node, upper: ir.Node | None, outer: dict[str, Any]) -> Any:
        value = self.within(outer, source)
        if upper is not None:
            return counted(Range(value, self.within(outer, upper)))
        if isinstance(value, Range):
            return counted(value)
        if value is None:
            raise Undefined("what is iterated is null")
        return value if isinstance(value, list) else [value]


_SPECIAL: dict[str, Callable[[DynamicEvaluator, ir.Call], Any]] = {
    "~external": DynamicEvaluator._external,
    "~at": DynamicEvaluator._at,
    "~range": DynamicEvaluator._range,
    "~test": DynamicEvaluator._sign_range,
    "~in": DynamicEvaluator._in,
    "~matches": DynamicEvaluator._matches,
    "~tests": DynamicEvaluator._tests,
    "~instance of": DynamicEvaluator._instance_of,
}

DynamicEvaluator.handlers = {
    **Evaluator.handlers,
    ir.Input: DynamicEvaluator._name,
    ir.Call: DynamicEvaluator._call,
    ir.Apply: DynamicEvaluator._apply,
    ir.Lambda: DynamicEvaluator._lambda,
    ir.Compare: DynamicEvaluator._compare,
    ir.And: DynamicEvaluator._and,
    ir.Or: DynamicEvaluator._or,
    ir.Not: DynamicEvaluator._not,
    ir.Cond: DynamicEvaluator._cond,
    ir.Record: DynamicEvaluator._record,
    ir.List: DynamicEvaluator._list,
    ir.Field: DynamicEvaluator._field,
    ir.Filter: DynamicEvaluator._filter,
    ir.Iterate: DynamicEvaluator._iterate,
}
