"""Bare FEEL over plain Python values.

>>> evaluate("Monthly Salary * 12", {"Monthly Salary": 10000})
120000
>>> unary_test("[5000..8000)", 6000)
True

Values are int and float, str, bool, datetime's date, time, datetime and timedelta, `YearsMonths`
for a duration of years and months, `Range`, list, dict and None for null. What FEEL has no
value for is null, never an error; `ask` and `explain_null` say why. A text that is not FEEL
raises `FeelSyntaxError`, one that would take too long `FeelLimitError`; both carry
`diagnostics`.
"""
from __future__ import annotations

import datetime
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from engine.backends.reference.dynamic import DynamicEvaluator, Note
from engine.backends.reference.dynamic_values import FunctionValue
from engine.diagnostics import Diagnostic, Edit, Span
from engine.ir import dynamic
from engine.ir import nodes as ir
from engine.records import Record
from engine.semantics import values
from engine.semantics.values import MAX_ITEMS, Budget, LimitExceeded, Range, YearsMonths
from engine.syntax import ast
from engine.syntax.parser import SyntaxProblem, parse_expression, parse_unary_tests
from engine.syntax.vocabulary import Vocabulary, normalise

__all__ = [
    "Answer", "FeelError", "FeelLimitError", "FeelSyntaxError", "FunctionValue", "Range", "Reason", "YearsMonths",
    "ask", "evaluate", "explain_null", "unary_test",
]

#: Nesting of the values given; deeper ones are refused.
_MAX_VALUE_DEPTH = 100
#: Python's recursion that an evaluation may use; FEEL's own bounds lie below it.
_RECURSION = 20_000


class FeelError(ValueError):
    """Something is wrong with a text; `diagnostics` say what, with spans in it."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("; ".join(d.message for d in self.diagnostics))


class FeelSyntaxError(FeelError):
    """The text is not FEEL."""


class FeelLimitError(FeelError):
    """Evaluating the text would take too many steps, too much room or too long."""


class Reason(Record):
    """Why a part of an expression is null; `span` is None where no part of the text is to blame."""

    message: str
    span: Span | None
    text: str = ""


class Answer(Record):
    """A value, and what made it or parts of it null, in the order met."""

    value: Any
    notes: tuple[Reason, ...] = ()


class _Locator:
    """Offsets of a text as places in it."""

    def __init__(self, text: str, file: str = "<feel>") -> None:
        self.text = text
        self.file = file

    def place(self, offset: int) -> tuple[int, int]:
        before = self.text[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1

    def locate(self, start: int, end: int) -> Span:
        return Span(self.file, *self.place(start), *self.place(end))


def evaluate(text: str, names: Mapping[str, Any] | None = None, *, as_of: datetime.date | None = None) -> Any:
    """The value of an expression over `names`; null (None) where FEEL has none.

    `as_of` is what `today()` and `now()` give, the current day without it.
    """
    return ask(text, names, as_of=as_of).value


def ask(text: str, names: Mapping[str, Any] | None = None, *, as_of: datetime.date | None = None) -> Answer:
    """The value of an expression with the reasons for its nulls."""
    given = _admit(names)
    tree = _parsed(text, given, tests=False)
    assert isinstance(tree, ast.Node)
    locator = _Locator(text)
    return _run(dynamic.lower(tree, text, locator), text, given, as_of)


def unary_test(text: str, value: Any, names: Mapping[str, Any] | None = None, *,
               as_of: datetime.date | None = None) -> bool | None:
    """Whether `value` passes a cell's tests (`< 5`, `[1..3], 7`, `not("a")`, `-`, or a condition over `?`)."""
    given = {**_admit(names), "?": _value(value, 0)}
    tree = _parsed(text, given, tests=True)
    assert isinstance(tree, ast.UnaryTests)
    locator = _Locator(text)
    answer = _run(dynamic.lower_tests(tree, text, locator), text, given, as_of).value
    return answer if isinstance(answer, bool) else None


def explain_null(text: str, names: Mapping[str, Any] | None = None, *,
                 as_of: datetime.date | None = None) -> Reason | None:
    """The first reason why an expression is null; None where it has a value."""
    answer = ask(text, names, as_of=as_of)
    if answer.value is not None:
        return None
    locator = _Locator(text)
    return answer.notes[0] if answer.notes else Reason("it is null as written", locator.locate(0, len(text)), text)


# --- parts ------------------------------------------------------------------------------


def vocabulary_of(names: Mapping[str, Any]) -> Vocabulary:
    """The names of values and of the members inside them."""
    members: set[str] = set()
    stack: list[Any] = list(names.values())
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            members.update(value)
            stack.extend(value.values())
        elif isinstance(value, (list, tuple)):
            stack.extend(v for v in value if isinstance(v, (dict, list, tuple)))
    return Vocabulary(names, members)


def _admit(names: Mapping[str, Any] | None) -> dict[str, Any]:
    if names is None:
        return {}
    if not isinstance(names, Mapping):
        raise TypeError(f"names are a mapping of names to values, not {type(names).__name__}")
    strange = next((name for name in names if not isinstance(name, str)), None)
    if strange is not None:
        raise TypeError(f"a name is a text, not {strange!r}")
    return {normalise(name): _value(value, 0) for name, value in names.items()}


def _value(value: Any, depth: int) -> Any:
    """A Python value as FEEL sees it; raises TypeError for what FEEL has no kind for."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if abs(value) <= 2**53 else _value(_as_float(value), depth)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple, dict)):
        if depth > _MAX_VALUE_DEPTH:
            raise ValueError(f"a value is nested more than {_MAX_VALUE_DEPTH} deep")
        if isinstance(value, dict):
            return {normalise(str(k)): _value(v, depth + 1) for k, v in value.items()}
        return [_value(v, depth + 1) for v in value]
    if isinstance(value, _KNOWN):
        return value
    if callable(value):
        return _function(value)
    raise TypeError(f"FEEL has no values like {value!r}")


_KNOWN = (
    datetime.date, datetime.time, datetime.timedelta, YearsMonths, Range, FunctionValue, values.FarDate,
    values.FarDateTime, values.FineTime, values.FineDuration,
)


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _function(function: Any) -> FunctionValue:
    def run(arguments: list[Any], names: tuple[str, ...]) -> Any:
        if any(names):
            return _value(function(**dict(zip(names, arguments, strict=True))), 0)
        return _value(function(*arguments), 0)

    return FunctionValue(getattr(function, "__name__", ""), run)


def _parsed(text: str, names: Mapping[str, Any], tests: bool) -> ast.Node:
    if not isinstance(text, str):
        raise TypeError(f"an expression is a text, not {type(text).__name__}")
    vocabulary = vocabulary_of(names)
    try:
        return parse_unary_tests(text, vocabulary) if tests else parse_expression(text, vocabulary)
    except SyntaxProblem as problem:
        raise FeelSyntaxError(diagnostics_of(problem, _Locator(text))) from None


def diagnostics_of(problem: SyntaxProblem, locator: _Locator) -> list[Diagnostic]:
    """The findings of a syntax problem as diagnostics."""
    found = []
    for finding in problem.findings:
        span = locator.locate(finding.start, finding.end)
        edits = () if finding.replacement is None else (Edit(span, finding.replacement),)
        found.append(Diagnostic(finding.code, finding.message, span, finding.help, (), edits))
    return found


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Room for FEEL functions that call themselves; Python's frames of one level are several."""
    before = sys.getrecursionlimit()
    if before < _RECURSION:
        sys.setrecursionlimit(_RECURSION)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _run(node: ir.Node, text: str, names: Mapping[str, Any], as_of: datetime.date | None) -> Answer:
    evaluator = DynamicEvaluator(names, as_of or datetime.datetime.now(datetime.UTC))
    try:
        with deep_recursion():
            value = evaluator.evaluate(node)
            _measure(value, Budget(MAX_ITEMS))
    except (LimitExceeded, RecursionError, MemoryError) as limit:
        message = limit.message if isinstance(limit, LimitExceeded) else "the expression is nested too deep to evaluate"
        span = _Locator(text).locate(0, len(text))
        raise FeelLimitError([Diagnostic("E0151", message, span, "make it smaller, or split it")]) from None
    return Answer(value, tuple(map(_reason, evaluator.notes)))


def _measure(value: Any, budget: Budget) -> None:
    """Refuse a result that is small only because its parts are shared."""
    budget.spend()
    if isinstance(value, list):
        for item in value:
            if isinstance(item, (list, dict)):
                _measure(item, budget)
    elif isinstance(value, dict):
        for item in value.values():
            if isinstance(item, (list, dict)):
                _measure(item, budget)


def _reason(note: Note) -> Reason:
    if note.at is None:
        return Reason(note.message, None)
    return Reason(note.message, note.at.span, note.at.snippet)
