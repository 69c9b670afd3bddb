"""The schema: given policies pass, the library and the checker agree, and every key is explained."""
from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.source.nodes import load_file, load_text
from engine.source.schema import INFORMS, READ, kind, validate
from engine.source.tree import Mapping, Node, Scalar, Sequence, normal

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMA: dict[str, Any] = json.loads((ROOT / "schemas" / "policy.schema.json").read_text("utf-8"))
LIBRARY = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker(["date"]))


def instance(node: Node) -> Any:
    """The JSON value that an editor sees: YAML 1.2's JSON schema, keys in their normal form."""
    if isinstance(node, Mapping):
        return {normal(k.text): instance(v) for k, v in node.entries}
    if isinstance(node, Sequence):
        return [instance(item) for item in node.items]
    assert isinstance(node, Scalar)
    what = kind(node)
    if what == "integer":
        return int(node.text) if len(node.text) < 4000 else float(node.text)
    if what == "number":
        return float(node.text)
    return {"null": None, "boolean": node.text == "true"}.get(what, node.text)


def subschemas(schema: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of a schema file, with its place."""
    if not isinstance(schema, dict):
        return
    yield at, schema
    for word in ("properties", "patternProperties", "$defs"):
        for name, inner in schema.get(word, {}).items():
            yield from subschemas(inner, f"{at}/{word}/{name}")
    for word in ("anyOf", "oneOf", "allOf"):
        for n, inner in enumerate(schema.get(word, ())):
            yield from subschemas(inner, f"{at}/{word}/{n}")
    for word in ("items", "additionalProperties", "not"):
        yield from subschemas(schema.get(word), f"{at}/{word}")


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_only_words_that_the_checker_reads() -> None:
    assert {word for _, schema in subschemas(SCHEMA) for word in schema} <= READ | INFORMS


def test_every_key_has_a_hover_text() -> None:
    def told(schema: dict[str, Any]) -> bool:
        return "description" in schema or ("$ref" in schema and told(SCHEMA["$defs"][schema["$ref"].split("/")[-1]]))

    assert [f"{at}: {name}" for at, schema in subschemas(SCHEMA)
            for name, inner in schema.get("properties", {}).items() if not told(inner)] == []


def test_every_value_has_a_name_for_messages() -> None:
    bare = [at for at, schema in subschemas(SCHEMA)
            if "required" not in schema and "$ref" not in schema and "oneOf" not in schema and "title" not in schema]
    assert bare == []


def given_policies(shared: Path) -> list[Path]:
    return sorted(p for part in ("semantics/policies", "design/examples") for p in (shared / part).glob("*.yaml"))


def test_given_policies_have_the_shape(shared: Path) -> None:
    paths = given_policies(shared)
    assert len(paths) > 60
    for path in paths:
        document = load_file(path)
        assert (list(document.problems), validate(document, "policy")) == ([], []), path.name
        assert LIBRARY.is_valid(instance(document.root)), path.name


SAMPLE = """
policy: sample
version: "1"
effective: {from: 2026-01-01, to: 2026-12-31}
owner: someone
currency: CNY
on failure: missing
on missing: {then: ask}
supersedes: "0.9"
functions: [finance]
application date: applied
vocabularies: {industries: vocabularies/industries.yaml, colours: [red, blue]}
parameters:
  rate: 3%
  base: {type: number, table: "from || value", description: a base}
  one: {value: 3}
use:
  size: {policy: standards/size, with: {a: b + 1}, for each: loans}
reasons:
  R1: {text: Too new, zh: 太新, rank: 1, notice: {en: Too new for us, zh: 经营时间较短}}
  R2: {text: Too small, notice: Too small for us}
inputs:
  id: {type: string, key: true}
  a: {type: number, range: '>= 0', optional: true, decimals: 2, column: A, description: x, changeable: up}
  b: {values: [x, y], order: best first, protected: true, personal: false, use: monitor only, on unknown value: refuse}
history:
  loans:
    key: id
    visible from: booked
    order by: [booked, n]
    fields:
      booked: {type: date}
      paid: {type: date, optional: true, known from: paid}
  payments: {key: n, of: loans, fields: {n: {type: number}}}
features:
  f: {value: a + 1, type: number, where: {g: a}}
segmentation:
  s:
    values: [p, q]
    rules:
      - {rule: A, when: 'a > 1', then: p, reason: R1}
      - {otherwise: q, rule: Z, reasons: [R1, from f]}
risk:
  score: {scorecard: "base 1"}
  t: {table: "first | a || t", on missing: skip}
  o:
    outputs: {x: {type: number}, y: {values: [u, v]}}
    worst: [{rule: B, when: a, then: {x: 1, y: u}}, {otherwise: {x: 2, y: v}}]
service:
  c: {collect: [{rule: C, when: a, do: {action: call, due: = as of}}]}
  l: {lookup: {table: t.csv, key: {naics: a}, column: limit}}
  m: {type: number, range: '>= 0', model: pd, inputs: {x: a}, reasons: {high: R1}, ask with missing: true,
      on failure: refer}
portfolio:
  n: count(customers)
  s: {description: d, value: sum(customers.limit)}
  g: {description: d, by: [a, b], values: {n: count(customers), m: {description: d, value: max(customers.x)}}}
  h: {by: a, values: {n: count(customers)}}
"""


def parts(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values within a value."""
    yield at
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from parts(inner, (*at, key))


def plain(node: Node) -> Any:
    """A node as lists, dicts and the text typed (quotes kept), for taking apart and writing again."""
    if isinstance(node, Mapping):
        return {k.text: plain(v) for k, v in node.entries}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    assert isinstance(node, Scalar)
    return node.raw


def written(value: Any) -> str:
    """Flow YAML of what `plain` gives."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return str(value)


BASE = plain(load_text(SAMPLE).root)
PATHS = list(parts(BASE))
KEYS = sorted({key for _, schema in subschemas(SCHEMA) for key in schema.get("properties", {})})
ODD: list[Any] = ["true", "no", "3", "1.5", "1e400", "-7", "2.0", "null", "''", "'true'", "2026-02-30", "2026-02-28",
                  "x", "number", "list<number>", "refer", "from", [], {}, ["a"], ["null"], [["a"]], {"then": "x"},
                  {"a": "b"}, {"when": "a"}, {"value": "1"}, "zh", "CNY", "cny"]


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """The sample with one to three values replaced, removed, or added."""
    value = copy.deepcopy(BASE)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(PATHS))
        holder = value
        try:
            for step in path[:-1]:
                holder = holder[step]
            inner = holder[path[-1]] if path else value
        except (KeyError, IndexError, TypeError):       # an earlier change took it away
            continue
        if not isinstance(holder, (dict, list)):
            continue
        action = draw(st.sampled_from(["replace", "remove", "add", "rename"]))
        if action == "replace" and path:
            holder[path[-1]] = copy.deepcopy(draw(st.sampled_from(ODD)))
        elif action == "remove" and path:
            del holder[path[-1]]
        elif action == "add" and isinstance(inner, dict):
            inner[draw(st.sampled_from(KEYS))] = copy.deepcopy(draw(st.sampled_from(ODD)))
        elif action == "rename" and path and isinstance(holder, dict):
            holder[draw(st.sampled_from([*KEYS, "x"]))] = holder.pop(path[-1])
    return value


def test_the_sample_uses_every_key() -> None:
    """Else a part of the schema would go without the comparison below."""
    used = {step for path in PATHS for step in path}
    assert set(KEYS) - used == {"label", "doc", "band"}
    assert validate(load_text(SAMPLE), "policy") == []


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(spoilt())
def test_the_library_agrees(value: Any) -> None:
    document = load_text(written(value))
    assert document.problems == ()
    found = validate(document, "policy")
    errors = [f"{'/'.join(map(str, e.path))}: {e.message}" for e in LIBRARY.iter_errors(instance(document.root))]
    assert bool(found) == bool(errors), (found, errors)
    assert len({(d.code, d.message, d.span) for d in found}) == len(found)


@pytest.mark.parametrize(("wrong", "right"), [
    ("sevice: {}", "service: {}"), ("on missing: refr", "on missing: refer"),
    ("effective: {from: 2026-01-01, too: 2027-01-01}", "effective: {from: 2026-01-01, to: 2027-01-01}"),
    ("inputs: {a: {type: number, optional: Yes}}", "inputs: {a: {type: number, optional: true}}"),
    ("inputs: {a: {type: number, optional: 'no'}}", "inputs: {a: {type: number, optional: false}}"),
    ("reasons: {R: {text: x, rank: '3'}}", "reasons: {R: {text: x, rank: 3}}"),
    ("features: {f: {value: [1, 'a']}}", "features: {f: {value: '[1, ''a'']'}}"),
    ("inputs: {a: {type: nubmer}}", "inputs: {a: {type: number}}"),
])
def test_the_edit_mends(wrong: str, right: str) -> None:
    head = "policy: p\nversion: 1\n" + ("" if "effective" in wrong else "effective: {from: 2026-01-01}\n")
    (found,) = validate(load_text(head + wrong + "\n"), "policy")
    (edit,) = found.edits
    line = (head + wrong).split("\n")[edit.span.line - 1]
    assert line[:edit.span.column - 1] + edit.replacement + line[edit.span.end_column - 1:] == right
    assert validate(load_text(head + right + "\n"), "policy") == []


def test_a_refused_alias_gets_no_second_message() -> None:
    document = load_text("policy: p\nversion: 1\neffective: *x\ninputs: {a: *y}\n")
    assert [d.code for d in document.problems] == ["E0012", "E0012"]
    assert validate(document, "policy") == []
