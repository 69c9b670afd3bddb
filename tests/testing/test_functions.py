"""The contracts of functions and of whole plugins: sound ones pass, each that is broken in one way is told by that."""
from __future__ import annotations

import datetime
import itertools
import math
from collections.abc import Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from sqlglot import exp

import engine as tierwise
from engine.testing import Broken, FunctionContract, PluginContract, check

Function = tierwise.Function


def function(body: Any = None, **changes: Any) -> Function:
    """A sound function of two numbers, changed."""
    parts: dict[str, Any] = {
        "set": "acme", "name": "share of", "parameters": {"part": "number", "whole": "number"}, "result": "number",
        "body": body or (lambda part, whole: part / whole if whole else None), "help": "The share of a whole.",
    }
    return Function(**{**parts, **changes})


def _share(part: exp.Expression, whole: exp.Expression) -> exp.Expression:
    return exp.Div(this=part, expression=exp.Nullif(this=whole, expression=exp.Literal.number(0)))


SHARE = function(sql=_share, examples=(("1, 4", "0.25"), ("1, 0", "null")))


def _scaled(amount: float, by: float = 2) -> float:
    return amount * by


def _scaled_sql(amount: exp.Expression, by: exp.Expression | None) -> exp.Expression:
    return exp.Mul(this=amount, expression=by if by is not None else exp.Literal.number(2))


SCALED = function(_scaled, name="scaled", parameters={"amount": "number", "by": "number"}, optional=("by",),
                  sql=_scaled_sql, examples=(("3", "6"), ("3, 4", "12")))
TOTAL = function(lambda items: sum(items), name="total of", parameters={"items": "list of number"},
                 examples=(("[1, 2]", "3"), ("[]", "0")))
FIRST = function(lambda text: text[:1] or None, name="initial", parameters={"text": "string"}, result="string",
                 sql=lambda text: exp.Nullif(this=exp.func("LEFT", text, exp.Literal.number(1)),
                                             expression=exp.Literal.string("")))
KNOWN = function(lambda a, b: a if a is not None else b, name="either", handles_missing=True,
                 sql=lambda a, b: exp.Coalesce(this=a, expressions=[b]))
LATER = function(lambda day, days: day + days, name="later", result="date",
                 parameters={"day": "date", "days": "days and time duration"})
FLAG = function(lambda flag: not flag, name="flipped", parameters={"flag": "boolean"}, result="boolean",
                sql=lambda flag: flag.not_())
SCHEDULE = function(lambda n: [{"number": i} for i in range(int(n) % 5)], name="schedule", parameters={"n": "number"},
                    result="list of context", examples=(("2", '[{number: 0}, {number: 1}]'),))


class TestSound(FunctionContract):
    """The contract as a class of tests, which pytest collects."""

    functions = (SHARE, SCALED, TOTAL, FIRST, KNOWN, LATER, FLAG, SCHEDULE)


class TestOne(FunctionContract):
    function = SHARE
    arguments = ((1, 3), (5.0, 0.0))


_COUNT = itertools.count()


def _sorts(items: list[float]) -> float | None:
    items.sort()
    return items[0] if items else None


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (function(name="share-of"), "`share-of` is no name that FEEL reads"),
        (function(parameters={"part": "float", "whole": "number"}), "`part` has the type `float`, which there is none"),
        (function(result="list of numbers"), "`the result` has the type `list of numbers`"),
        (function(optional=("part",)), "has a required parameter behind an optional one"),
        (function(help=""), "`share of` has no help"),
        (function(examples=(("1, 4", "0.5"),)), "the example `share of(1, 4)` gives 0.25, not `0.5`"),
        (function(examples=(("1 4", "0.5"),)), "the example `1 4` of `share of` is no FEEL"),
        (function(lambda part, whole: part / whole), "`share of` fails with `ZeroDivisionError` for (0.0, 0.0)"),
        (function(lambda part, whole: str(part)), "is of Python's type `str`, and not a number"),
        (function(lambda part, whole: math.inf), "gives inf for"),
        (function(lambda part, whole: True), "is of Python's type `bool`"),
        (function(lambda part, whole: part, result="string"), "is no string"),
        (function(lambda part, whole: datetime.datetime(2026, 1, 1), result="date"), "is no date"),
        (function(lambda part, whole: (part,), result="list of number"), "is no list"),
        (function(lambda part, whole: ["a"], result="list of number"), "holds what is of Python's type `str`"),
        (function(lambda part, whole: "a" * 1_000_001, result="string"), "has more than 1,000,000 characters"),
        (function(lambda part, whole: next(_COUNT)), "a function may hang on its arguments alone"),
        (function(_sorts, parameters={"items": "list of number"}), "`share of` changes what it is given"),
        (function(lambda part, whole: part + whole, handles_missing=True), "`share of` fails with `TypeError`"),
        (function(sql=lambda part, whole: exp.Div(this=whole, expression=part)), "and its form in SQL gives"),
        (function(lambda part, whole: round(part), sql=lambda part, whole: exp.Round(this=part)),
         "the body of `share of` gives 0, and its form in SQL gives 1.0"),
        (function(sql=lambda part: part), "the form in SQL of `share of` fails with `TypeError`"),
        (function(sql=lambda part, whole: "part / whole"), "the form in SQL of `share of` is `str`"),
        (function(sql=lambda part, whole: exp.column("nothing")), "DuckDB does not carry out the form in SQL"),
        (function(lambda items: 1, parameters={"items": "list of number"}, sql=lambda items: items),
         "`items` is of a type that no column holds"),
    ],
)
def test_broken(broken: Function, told: str) -> None:
    with pytest.raises(Broken) as caught:
        check(FunctionContract, function=broken)
    assert told in str(caught.value)
    assert "= help: " in str(caught.value)


def test_division_by_nought_is_null_in_both() -> None:
    """DuckDB gives infinity, which the engine takes for no value, as it does one by one."""
    check(FunctionContract, function=function(sql=lambda part, whole: exp.Div(this=part, expression=whole)))


def test_nothing_to_test() -> None:
    with pytest.raises(Broken, match="does not say what it tests"):
        check(FunctionContract)


# --- whole plugins --------------------------------------------------------------------------


def plugin(*functions: Function, **parts: Any) -> ModuleType:
    module = ModuleType("acme")

    @tierwise.hookimpl
    def register_functions() -> Sequence[Function]:
        return functions

    for name, value in {"tierwise_hooks": 1, "register_functions": register_functions, **parts}.items():
        setattr(module, name, value)
    return module


def test_a_sound_plugin() -> None:
    check(PluginContract, plugin=plugin(SHARE, SCALED))


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (plugin(SHARE, tierwise_hooks=7), "was written for version 7 of the hooks"),
        (plugin(SHARE, SHARE), "plugin `acme` gives `acme: share of` twice"),
        (plugin(function(help=" ")), "`share of` has no help"),
        (plugin("share"), "gives a list with a `str`"),  # type: ignore[arg-type]
        (SimpleNamespace(__name__="acme", tierwise_hooks=1), "carries out no hook"),
    ],
)
def test_broken_plugins(broken: Any, told: str) -> None:
    with pytest.raises(Broken) as caught:
        check(PluginContract, plugin=broken)
    assert told in str(caught.value)


def test_settings_without_help() -> None:
    @tierwise.hookimpl
    def register_sinks() -> Sequence[tierwise.SinkKind]:
        return [tierwise.SinkKind("pipe", print, {"url": tierwise.Setting()}, help="A pipe.")]  # type: ignore[arg-type]

    with pytest.raises(Broken, match="the setting `url` of `pipe` has no help"):
        check(PluginContract, plugin=plugin(register_sinks=register_sinks))
