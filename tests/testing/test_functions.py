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
                    result="list of context<number: number>", examples=(("2", '[{number: 0}, {number: 1}]'),))


class TestSound(FunctionContract):
    """The contract as a class of tests, which pytest collects."""

    functions = (SHARE, SCALED, TOTAL, FIRST, KNOWN, LATER, FLAG, SCHEDULE)


class TestOne(FunctionContract):
    function = SHARE
    arguments = ((1, 3), (5.0, 0.0))


_COUNT = itertools.count()


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (function(name="share-of"), "`share-of` of the set `acme` has a name that no expression can call"),
        (function(name="sum"), "is called as one of the language"),
        (function(parameters={"part": "float", "whole": "number"}), "a type that there is not: `float` is no type"),
        (function(result="list of numbers"), "`numbers` is no type"),
        (function(optional=("part",)), "has a required parameter behind one that may be left out"),
        (function(lambda part: part), "has a body that does not take 2 arguments"),
        (function(help=""), "`share of` has no help"),
        (function(examples=(("1, 4", "0.5"),)), "the example `share of(1, 4)` gives 0.25, not `0.5`"),
        (function(examples=(("1 4", "0.5"),)), "the example `1 4` of `share of` is no FEEL"),
        (function(lambda part, whole: {}["a"]), "for (0.0, 0.0) `share of` of `acme` failed with KeyError"),
        (function(lambda part, whole: str(part)), "it gave a str where it states a number"),
        (function(lambda part, whole: True), "it gave a bool where it states a number"),
        (function(lambda part, whole: part, result="string"), "it gave a float where it states a string"),
        (function(lambda part, whole: datetime.datetime(2026, 1, 1), result="date"), "it gave a datetime where"),
        (function(lambda part, whole: part, result="list of number"), "it gave a float where it states a list"),
        (function(lambda part, whole: ["a"], result="list of number"), "it gave a str where it states a number"),
        (function(lambda part, whole: next(_COUNT)), "a function may hang on its arguments alone"),
        (function(lambda part, whole: part + whole, handles_missing=True), "`share of` of `acme` failed with Type"),
        (function(sql=lambda part, whole: exp.Div(this=whole, expression=part)), "form in SQL gives"),
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


def test_what_is_not_finite_is_no_value_in_both() -> None:
    check(FunctionContract, function=function(
        lambda part, whole: math.inf, sql=lambda part, whole: exp.cast(exp.Literal.string("inf"), "DOUBLE")))


def test_a_range_keeps_made_up_numbers_within() -> None:
    seen: list[float] = []

    def body(part: float, whole: float) -> float:
        seen.append(whole)
        return part

    check(FunctionContract, function=function(body), ranges={"whole": (1, 360)})
    assert seen and min(seen) >= 1 and max(seen) <= 360


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
