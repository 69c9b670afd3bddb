"""What bare FEEL's values need beside the evaluator: functions as values, ranges counted through, tests passed."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.ir import nodes as ir
from engine.semantics import conformance, dtypes, equality, number, temporal
from engine.semantics.catalogue import Operation
from engine.semantics.conformance import Definitions, FeelType
from engine.semantics.values import Range, Undefined

Accepts = Callable[[tuple[FeelType, ...], FeelType, Definitions], bool]


class FunctionValue:
    """A function as a value.

    `run` takes the arguments and their names ("" for a positional one), `accepts` says whether the
    function is of a type (of its arguments, of its result), `scope` are the names that a function
    literal saw where it stood, and `form` is what it shares with those that do the same: a literal's
    parameters and body, a built-in's name.
    """

    __slots__ = ("accepts", "form", "name", "run", "scope")

    def __init__(self, name: str, run: Callable[[list[Any], tuple[str, ...]], Any], accepts: Accepts | None = None,
                 scope: dict[str, Any] | None = None, form: object = None) -> None:
        self.name = name
        self.run = run
        self.accepts = accepts
        self.scope = {} if scope is None else scope
        self.form = form

    def same(self, other: object) -> bool:
        """FEEL's `=`: functions of the same parameters, body and scope (DMN 1.5, table 42)."""
        return (
            isinstance(other, FunctionValue) and self.form is not None and self.form == other.form
            and self.scope.keys() == other.scope.keys()
            and all(value is other.scope[name] for name, value in self.scope.items()))

    def __call__(self, *arguments: Any) -> Any:
        return self.run(list(arguments), ("",) * len(arguments))


def built_in_accepts(operation: Operation, arguments: tuple[FeelType, ...], result: FeelType,
                      definitions: Definitions) -> bool:
    """Whether a built-in is of a function type: one of its signatures takes such arguments and gives
    such a result. What a signature computes from its arguments' types is taken to fit."""
    def gives(kind: object) -> bool:
        if not isinstance(kind, dtypes.Type) or kind.kind == dtypes.ANY:
            return True
        return conformance.KINDS.get(result.name, kind.kind) == kind.kind

    return any(
        all(p.type.kind in (dtypes.ANY, conformance.KINDS.get(a.name))
            for p, a in zip(s.parameters, arguments, strict=False)) and gives(s.result)
        for s in operation.by_count(len(arguments)))


def literal_accepts(node: ir.Lambda, arguments: tuple[FeelType, ...], result: FeelType,
                     definitions: Definitions) -> bool:
    """Whether a function literal is of a function type; its result counts where the body is a literal."""
    if len(arguments) != len(node.parameters):
        return False
    declared = [conformance.parse_type(kind) if kind else conformance.ANY for _, kind in node.parameters]
    if not all(conformance.fits(a, d, definitions) for a, d in zip(arguments, declared, strict=True)):
        return False
    return not isinstance(node.body, ir.Const) or conformance.conforms(node.body.value, result, definitions)


def item_scope(item: Any) -> dict[str, Any]:
    """What a filter's predicate may name: the item, and its members where it is a context."""
    return {"item": item, **item} if isinstance(item, dict) else {"item": item}


def counted(span: Range) -> Any:
    """The whole numbers, or days, from one end of a range to the other, upward or downward."""
    low, high = span.low, span.high
    dates = temporal.is_date(low) and temporal.is_date(high)
    if dates:
        first, last = temporal.day_count(low), temporal.day_count(high)
    elif number.is_number(low) and number.is_number(high) and low == int(low) and high == int(high):
        first, last = int(low), int(high)
    else:
        raise Undefined("only whole numbers and dates are counted through")
    step = 1 if first <= last else -1
    if not span.low_closed:
        first += step
    numbers = range(first, last + (step if span.high_closed else 0), step)
    return map(temporal.make_date, numbers) if dates else numbers


def passes(value: Any, test: Any) -> bool | None:
    """`value in test`: within a range, among a list's items (or in a range there), or equal."""
    if isinstance(test, Range):
        return equality.equals(value, test) if isinstance(value, Range) else equality.within(value, test)
    if isinstance(test, list):
        for item in test:
            if (passes(value, item) if isinstance(item, Range) else equality.equals(value, item)) is True:
                return True
        return isinstance(value, list) and equality.equals(value, test) is True
    return equality.equals(value, test)
