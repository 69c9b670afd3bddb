"""Item definitions and decision tables of models, small ones made for the purpose, through the conformance runner."""

from __future__ import annotations

from typing import Any

import pytest

from engine.semantics.text import to_string
from tests.conformance.model import Model

Spec = dict[str, Any]


def item(base: str, collection: bool = False, allowed: str | None = None) -> Spec:
    return {"is_collection": collection, "type_ref": base, **({"allowedValues": allowed} if allowed else {})}


def members(collection: bool = False, **components: Spec) -> Spec:
    return {"is_collection": collection, "components": components}


TYPES = {
    "Small": item("number", allowed="[0..10]"),
    "Numbers": item("number", True),
    "Smalls": item("Small", True),
    "Letter": item("string", allowed='"a", "b"'),
    "Letters": item("string", True, '"a", "b"'),
    "Pair": members(a=item("number"), b=item("string")),
    "Pairs": members(True, a=item("number"), b=item("string")),
    "Rows": item("Numbers", True),
    "Moment": item("date and time"),
    "Whatever": item("Any"),
    "Nest": members(c=item("Pair"), n=item("Small")),
    "Step": {"is_collection": False, "function": {"output": "number", "params": [["x", "number"]]}},
}


def decide(node: Spec, inputs: Spec | None = None, kinds: dict[str, str] | None = None) -> str:
    """The value of a model's only decision, as FEEL writes it."""
    case = {"inputs": inputs or {}, "input_types": kinds or {}, "types": TYPES, "nodes": [{"name": "d", **node}]}
    return to_string([Model(case).run()])[1:-1]


def literal(expression: str, kind: str | None) -> str:
    return decide({"kind": "literal", "type_ref": kind, "expression": expression})


@pytest.mark.parametrize(
    ("expression", "kind", "value"),
    [
        ("5", "Small", "5"),
        ("50", "Small", "null"),
        ("[5]", "Small", "5"),
        ("[50]", "Small", "null"),
        ('"5"', "Small", "null"),
        ("5", "Numbers", "[5]"),
        ("[5, null]", "Numbers", "[5, null]"),
        ('[5, "a"]', "Numbers", "null"),
        ("[]", "Numbers", "[]"),
        ("null", "Numbers", "null"),
        ("[5, 6]", "Smalls", "[5, 6]"),
        ("[5, 50]", "Smalls", "null"),
        ('"c"', "Letter", "null"),
        ('["a", "b"]', "Letters", '["a", "b"]'),
        ('["a", "c"]', "Letters", "null"),
        ('"a"', "Letters", '["a"]'),
        ('{a: 1, b: "x"}', "Pair", '{a: 1, b: "x"}'),
        ("{a: 1}", "Pair", "null"),
        ("{a: 1, b: 2}", "Pair", "null"),
        ("{a: 1, b: null}", "Pair", "{a: 1, b: null}"),
        ('{a: 1, b: "x", c: 2}', "Pair", '{a: 1, b: "x", c: 2}'),
        ('[{a: 1, b: "x"}]', "Pair", '{a: 1, b: "x"}'),
        ('{a: 1, b: "x"}', "Pairs", '[{a: 1, b: "x"}]'),
        ("[[1], [2]]", "Rows", "[[1], [2]]"),
        ("[1, 2]", "Rows", "null"),
        ('{c: {a: 1, b: "x"}, n: 5}', "Nest", '{c: {a: 1, b: "x"}, n: 5}'),
        ('{c: {a: 1, b: "x"}, n: 50}', "Nest", "null"),
        ('@"2018-01-01"', "date and time", "2018-01-01T00:00:00Z"),
        ('@"2018-01-01"', "Moment", "2018-01-01T00:00:00Z"),
        ('(function(x: Moment) x)(@"2018-01-01")', None, "2018-01-01T00:00:00Z"),
        ('@"2018-01-01T10:00:00"', "date", "null"),
        ("[1]", "Whatever", "[1]"),
        ('duration("P1Y")', "dayTimeDuration", "null"),
        ('duration("P1Y")', "yearMonthDuration", "P1Y"),
        ("50 instance of Small", None, "false"),
        ('"a" instance of Letter', None, "true"),
        ("null instance of Small", None, "false"),
        ("1 instance of Numbers", None, "false"),
        ("[[1]] instance of Rows", None, "true"),
        ('{a: 1, b: "x"} instance of Pairs', None, "false"),
        ("(function(x: number) x) instance of Step", None, "true"),
        ("(function(x: string) x) instance of Step", None, "false"),
        ("sqrt instance of Step", None, "true"),
        ("function(x: string) x", "Step", "null"),
        ("sqrt", "Step", "function"),
        ("contains", "Step", "null"),
        ("(function(f: Step) f(4))(sqrt)", None, "2"),
        ("(function(f: Step) f(4))(function() 1)", None, "null"),
        ("(function(x: Small) x)(50)", None, "null"),
        ("(function(x: Numbers) sum(x))(5)", None, "5"),
    ],
)
def test_results_conform_to_their_type(expression: str, kind: str | None, value: str) -> None:
    assert literal(expression, kind) == value


RISING = [([">1"], ["1"]), ([">2"], ["2"]), ([">3"], ["3"])]


def table(policy: str, rules: list[tuple[list[str], list[str]]], aggregation: str | None = None,
          values: str | None = None, default: str | None = None, allowed: str | None = None) -> Spec:
    return {"kind": "table", "type_ref": None, "table": {
        "hit_policy": policy, "aggregation": aggregation,
        "inputs": [{"expression": "x", "label": None, "type_ref": None, "allowed": allowed}],
        "outputs": [{"name": None, "type_ref": None, "values": values, "default": default}],
        "rules": [{"when": when, "then": then} for when, then in rules],
    }}


@pytest.mark.parametrize(
    ("node", "x", "value"),
    [
        (table("UNIQUE", RISING), "2", "1"),
        (table("UNIQUE", RISING), "0", "null"),
        (table("UNIQUE", RISING), "5", "null"),
        (table("UNIQUE", RISING, default="9"), "0", "9"),
        (table("ANY", RISING), "5", "null"),
        (table("ANY", [([">1"], ["1"]), ([">2"], ["1"])]), "5", "1"),
        (table("FIRST", RISING), "5", "1"),
        (table("FIRST", RISING, allowed="[0..4]"), "5", "null"),
        (table("COLLECT", RISING), "5", "[1, 2, 3]"),
        (table("COLLECT", RISING, "SUM"), "5", "6"),
        (table("COLLECT", RISING, "SUM"), "0", "null"),
        (table("COLLECT", RISING, "SUM", default="9"), "0", "9"),
        (table("COLLECT", RISING, "COUNT"), "5", "3"),
        (table("COLLECT", RISING, "COUNT"), "0", "0"),
        (table("COLLECT", RISING, "MIN"), "5", "1"),
        (table("COLLECT", RISING, "MAX"), "5", "3"),
        (table("PRIORITY", RISING, values="3, 2, 1"), "5", "3"),
        (table("OUTPUT ORDER", RISING, values="3, 2, 1"), "5", "[3, 2, 1]"),
        (table("RULE ORDER", RISING), "5", "[1, 2, 3]"),
        (table("RULE ORDER", RISING, default="9"), "0", "[9]"),
        (table("FIRST", [(["? > 3 and ? < 5"], ["1"]), (["-"], ["2"])]), "4", "1"),
        (table("FIRST", [([""], ["1"])]), "4", "1"),
        (table("FIRST", [(["-"], [""])]), "4", "null"),
        (table("FIRST", [(["> > 1"], ["1"]), (["-"], ["2"])]), "4", "2"),
    ],
)
def test_tables(node: Spec, x: str, value: str) -> None:
    assert decide(node, {"x": {"type": "number", "value": x}}, {"x": "number"}) == value


def test_inputs_conform_to_their_type() -> None:
    node = {"kind": "literal", "type_ref": None, "expression": "x"}
    number: Spec = {"type": "number", "value": "50"}
    assert decide(node, {"x": number}, {"x": "Small"}) == "null"
    assert decide(node, {"x": number}, {"x": "Numbers"}) == "[50]"
    assert decide(node, {"x": {"type": "list", "value": [number]}}, {"x": "number"}) == "50"
