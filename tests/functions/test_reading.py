"""What a plugin may state of its functions, and what is told where it does not hold water."""
from __future__ import annotations

from typing import Any

import pytest

from engine.diagnostics import Problem
from engine.functions.reading import function_set, read_type
from engine.semantics import dtypes as dt
from tests.functions.given import function


def test_types_by_name() -> None:
    assert read_type("list of list of number").item == read_type("list of number")
    assert read_type("amount", dt.MONEY).kind == dt.MONEY
    assert read_type("one of a, b c").values == ("a", "b c")
    found = read_type("list of context<due date: date, parts: list of context<x: amount>>", dt.MONEY)
    assert str(found) == "list<context<due date: date, parts: list<context<x: money>>>>"


@pytest.mark.parametrize("text", ["", "numbers", "list of", "list of things", "context<a>", "context<a: b>", "Any"])
def test_a_type_that_there_is_not(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        read_type(text)


@pytest.mark.parametrize(("changes", "told"), [
    ({"name": "sum"}, "is called as one of the language"),
    ({"name": "string length"}, "is called as one of the language"),
    ({"name": "a/b"}, "has a name that no expression can call"),
    ({"name": "if there"}, "has a name that no expression can call"),
    ({"name": ""}, "has a name that no expression can call"),
    ({"parameters": {"x": "numbers"}}, "names a type that there is not: `numbers` is no type"),
    ({"result": "context"}, "names a type that there is not: a result is a context whose members are named"),
    ({"result": "amount"}, "names a type that there is not: the result is an amount, and no parameter says"),
    ({"optional": ("y",)}, "has no parameter `y` to leave out"),
    ({"parameters": {"x": "number", "y": "number"}, "optional": ("x",), "body": lambda x=1, y=2: x},
     "has a required parameter behind one that may be left out"),
    ({"body": lambda: 1}, "has a body that does not take 1 arguments"),
    ({"parameters": {"x": "number", "y": "number"}, "optional": ("y",), "body": lambda x, y: x},
     "has a body that does not take 1 arguments"),
])
def test_a_function_that_is_stated_wrongly(changes: dict[str, Any], told: str) -> None:
    parts = {"name": "f", "body": lambda x: x, **changes}
    with pytest.raises(Problem) as raised:
        function_set("acme", "1", [function(parts.pop("name"), parts.pop("body"), **parts)])
    (found,) = raised.value.diagnostics
    assert found.code == "E1030"
    assert told in found.message


def test_a_function_twice() -> None:
    with pytest.raises(Problem, match="is there twice"):
        function_set("acme", "1", [function("f", abs), function("f", abs)])


def test_the_version_hangs_on_what_is_stated_and_on_the_code() -> None:
    one = function_set("acme", "1", [function("f", abs)]).version
    assert one == function_set("acme", "1", [function("f", abs)]).version
    assert one != function_set("acme", "2", [function("f", abs)]).version
    assert one != function_set("acme", "1", [function("f", abs, {"y": "number"})]).version
    assert one != function_set("acme", "1", [function("f", lambda x: abs(x))]).version
