"""What becomes of a call: values, nulls and where they come from, failures, bounds; the same in both evaluators."""
from __future__ import annotations

import datetime
import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from engine.decision import Decision
from engine.functions import functions_of
from engine.hookspecs import Function, PluginFailure
from engine.ir.stored import pack, unpack
from engine.ir.verify import verify
from engine.policy import Policy, PolicyError, load_policy
from tests.differential.compare import shown
from tests.functions.given import HEAD, function, plugins, policy

DAY = datetime.date(2026, 7, 1)
ONE = """\
    inputs:
      a: {type: number, optional: true}
      b: {type: number, optional: true}
    service:
      result:
        type: TYPE
        value: CALL
"""


def decided(held: Policy, inputs: dict[str, Any], **more: Any) -> Decision:
    """The decision of generated code, which is that of the reference."""
    found = held.decide(inputs, as_of=DAY, **more)
    other = held.decide(inputs, as_of=DAY, engine="reference", **more)
    assert shown(found) == shown(other)
    assert found.failures == other.failures
    return found


def called(folder: Path, one: Function, inputs: dict[str, Any], call: str = "f(a)", kind: str = "number") -> Decision:
    held = policy(folder, ONE.replace("CALL", call).replace("TYPE", kind), one)
    verify(held.program)
    return decided(held, inputs)


# --- values --------------------------------------------------------------------------------------


def test_a_body_is_given_floats(tmp_path: Path) -> None:
    seen: list[Any] = []
    found = called(tmp_path, function("f", lambda x: seen.append(x) or x + 1), {"a": 2})
    assert found.values == {"result": 3.0}
    assert all(type(x) is float for x in seen)


@pytest.mark.parametrize("given", [3, 3.0, Decimal(3), Fraction(3)])
def test_numbers_of_every_class_are_numbers(tmp_path: Path, given: Any) -> None:
    assert called(tmp_path, function("f", lambda x: given), {"a": 1}).values == {"result": 3}


def test_an_argument_that_is_left_out_has_the_bodys_default(tmp_path: Path) -> None:
    f = function("f", lambda x, y=10: x + y, {"x": "number", "y": "number"}, optional=("y",))
    assert called(tmp_path, f, {"a": 1}).values == {"result": 11.0}
    assert called(tmp_path, f, {"a": 1}, "f(a, 5)").values == {"result": 6.0}
    assert called(tmp_path, f, {"a": 1}, "'f(y: 5, x: a)'").values == {"result": 6.0}


def test_lists_contexts_and_times_there_and_back(tmp_path: Path) -> None:
    held = policy(
        tmp_path, """\
        inputs:
          due: {type: date}
        history:
          rows:
            key: id
            visible from: on
            fields:
              on: {type: date}
              paid: {type: money}
        service:
          later:
            type: date
            value: a month after(due, duration("P1M"))
          spans:
            value: 'spans(for row in rows return {paid: row.paid}).gap'
          count:
            type: number
            value: 'count(spans(for row in rows return {paid: row.paid}))'
        """,
        function("a month after", lambda day, months: day.replace(month=day.month + months),
                 {"day": "date", "months": "years and months duration"}, "date"),
        function("spans", lambda rows: [{"gap": row["paid"] / 2} for row in rows], {"rows": "list of context"},
                 "list of context<gap: number>"),
    )
    rows = {"rows": [{"on": DAY, "paid": 10}, {"on": DAY, "paid": 5.5}]}
    found = decided(held, {"due": datetime.date(2026, 1, 31).replace(day=28)}, history=rows)
    assert found.values == {"later": datetime.date(2026, 2, 28), "spans": [5.0, 2.75], "count": 2}


def test_a_row_is_not_handed_over_whole(tmp_path: Path) -> None:
    text = """\
        history:
          rows:
            key: id
            visible from: on
            fields:
              on: {type: date}
        service:
          count:
            type: number
            value: held(rows)
        """
    with pytest.raises(PolicyError) as raised:
        policy(tmp_path, text, function("held", len, {"rows": "list of context"}))
    assert "for row in invoices return" in (raised.value.diagnostics[0].help or "")


def test_a_body_may_change_what_it_is_given(tmp_path: Path) -> None:
    def spoil(rows: list[dict[str, Any]]) -> float:
        rows[0]["paid"] = -1
        rows.clear()
        return 1

    held = policy(
        tmp_path, """\
        history:
          rows:
            key: id
            visible from: on
            fields:
              on: {type: date}
              paid: {type: money}
        service:
          first:
            value: 'spoil(for row in rows return {paid: row.paid})'
          second:
            type: money
            value: sum(rows.paid)
        """, function("spoil", spoil, {"rows": "list of context"}))
    rows = {"rows": [{"on": DAY, "paid": 10}]}
    assert decided(held, {}, history=rows).values == {"first": 1, "second": 10}
    assert rows["rows"] == [{"on": DAY, "paid": 10}]


# --- no value --------------------------------------------------------------------------------------


def test_a_null_argument_gives_null_before_the_body_is_asked(tmp_path: Path) -> None:
    asked: list[Any] = []
    found = called(tmp_path, function("f", asked.append), {"a": None})
    assert found.values == {"result": None}
    assert (found.missing, found.reasons, asked) == (("a",), ("MISSING",), [])


def test_a_function_may_handle_nulls(tmp_path: Path) -> None:
    f = function("f", lambda x: 0 if x is None else x, handles_missing=True)
    found = called(tmp_path, f, {"a": None})
    assert (found.values, found.missing, found.assumed) == ({"result": 0}, (), {"a": ("result",)})


def test_a_null_in_a_list_gives_null_as_that_of_sum_does(tmp_path: Path) -> None:
    f = function("f", sum, {"xs": "list of number"})
    found = called(tmp_path, f, {"a": None, "b": 2}, "'f([a, b])'")
    assert (found.values, found.missing) == ({"result": None}, ("a",))
    assert called(tmp_path, f, {"a": 1, "b": 2}, "'f([a, b])'").values == {"result": 3}


def _raises(error: BaseException) -> Callable[[float], float]:
    def body(x: float) -> float:
        raise error

    return body


@pytest.mark.parametrize("body", [
    lambda x: None, lambda x: float("nan"), lambda x: float("inf"), lambda x: 10**400, _raises(ValueError("secret")),
    _raises(ZeroDivisionError()), _raises(OverflowError()),
], ids=["null", "nan", "infinite", "vast", "ValueError", "ZeroDivisionError", "OverflowError"])
def test_no_value_for_known_arguments_is_as_one_divided_by_zero(tmp_path: Path, body: Callable[..., Any]) -> None:
    found = called(tmp_path, function("f", body), {"a": 1})
    assert (found.values, found.open, found.failures) == ({"result": None}, {}, ())
    guard = policy(tmp_path, """\
        inputs:
          a: {type: number}
        service:
          decision:
            values: [approve, refer]
            rules:
              - rule: D1
                when: f(a) > 1
                then: refer
              - otherwise: approve
        """, function("f", body))
    opened = decided(guard, {"a": 1})
    assert (opened.values, opened.reasons) == ({"decision": "refer"}, ("UNDEFINED",))


# --- failures ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "told"), [
    (_raises(KeyError("s3cret")), "`f` of `acme` failed with KeyError"),
    (_raises(SystemExit(3)), "`f` of `acme` failed with SystemExit"),
    (_raises(RecursionError("s3cret")), "`f` of `acme` failed with RecursionError"),
    (_raises(PluginFailure("the rates are not there")), "`f` of `acme` failed: the rates are not there"),
    (lambda x: "s3cret", "`f` of `acme` failed: it gave a str where it states a number"),
    (lambda x: True, "`f` of `acme` failed: it gave a bool where it states a number"),
], ids=["KeyError", "SystemExit", "RecursionError", "PluginFailure", "text", "boolean"])
def test_a_failure_opens_what_hangs_on_it_and_is_told(tmp_path: Path, body: Callable[..., Any], told: str) -> None:
    found = called(tmp_path, function("f", body), {"a": 1})
    assert found.values == {"result": None}
    assert (found.reasons, list(found.open), found.missing) == (("UNDEFINED",), ["result"], ())
    assert found.failures == (told,)
    assert found.explain(format="json")["failures"] == [told]
    page = found.explain()
    assert "What failed" in page
    assert told.replace("failed with", "failed") not in page or told in page
    assert "s3cret" not in page


def test_a_failure_that_the_policy_handles_is_told_all_the_same(tmp_path: Path) -> None:
    found = called(tmp_path, function("f", _raises(KeyError())), {"a": 1}, "get or else(f(a), 0)")
    assert (found.values, found.open, len(found.failures)) == ({"result": 0}, {}, 1)


def test_a_failure_for_one_row_of_many_opens_the_customer(tmp_path: Path) -> None:
    def body(x: float) -> float:
        if x == 2:
            raise KeyError
        return x

    f = function("f", body)
    found = called(tmp_path, f, {"a": 1}, "'sum(for x in [1, 2, 3] return f(x))'")
    assert (found.values, list(found.open), len(found.failures)) == ({"result": None}, ["result"], 1)
    assert called(tmp_path, f, {"a": 1}, "'sum(for x in [1, 3] return f(x))'").values == {"result": 4}


def test_a_failure_within_a_policy_for_each_row(tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text("""\
policy: part
version: "1"
effective: {from: 2026-01-01}
functions: [acme]
on missing: refer
inputs:
  a: {type: number}
service:
  result:
    type: number
    value: f(a)
  plain:
    type: number
    value: a * 2
""", encoding="utf-8")

    def body(x: float) -> float:
        if x == 2:
            raise KeyError
        return x

    path = tmp_path / "policy.yaml"
    held = policy(tmp_path, """\
        history:
          rows:
            key: id
            visible from: on
            fields:
              on: {type: date}
              a: {type: number}
        use:
          parts:
            policy: part
            for each: rows
            with:
              a: a
        service:
          all:
            type: number
            value: sum(parts.plain)
          results:
            type: number
            value: sum(parts.result)
        """, function("f", body), sets="[finance]")
    assert path.is_file()
    sound = decided(held, {}, history={"rows": [{"on": DAY, "a": 1}, {"on": DAY, "a": 3}]})
    assert (sound.values, sound.failures) == ({"all": 8, "results": 4}, ())
    failed = decided(held, {}, history={"rows": [{"on": DAY, "a": 1}, {"on": DAY, "a": 2}]})
    assert (failed.values, len(failed.failures)) == ({"all": 6, "results": None}, 1)
    assert [name for name, _ in held.program.functions.versions()] == ["finance", "acme"]


# --- bounds ---------------------------------------------------------------------------------------------


def test_results_are_bounded_as_those_of_the_language_are(tmp_path: Path) -> None:
    long = function("f", lambda x: "a" * 1_000_001, result="string")
    assert called(tmp_path, long, {"a": 1}, kind="string").values == {"result": None}
    many = function("f", lambda x: [0] * 1_000_001, result="list of number")
    assert called(tmp_path, many, {"a": 1}, "count(f(a))").values == {"result": None}


def test_calls_spend_of_the_customers_allowance(tmp_path: Path) -> None:
    f = function("f", lambda n: [0.0] * 900_000, result="list of number")
    found = called(tmp_path, f, {"a": 1}, "'sum(for i in 1..20 return count(f(i)))'")
    assert found.refused == ("example",)
    assert "takes more than" in found.faults[0].message


# --- what a program holds of them ------------------------------------------------------------------------


def test_a_stored_program_finds_the_same_functions_or_none(tmp_path: Path) -> None:
    f = function("f", lambda x: x)
    held = policy(tmp_path, ONE.replace("CALL", "f(a)").replace("TYPE", "number"), f)
    stored = json.loads(json.dumps(pack(held.program)))
    path = tmp_path / "policy.yaml"
    assert unpack(stored, functions_of(path, plugins(f))).functions == held.program.functions
    other = function("f", lambda x: x, {"x": "number", "y": "number"}, optional=("y",))
    for changed in (plugins(other.__class__(**{**vars(other), "body": lambda x, y=0: x})), plugins()):
        with pytest.raises(ValueError, match="the functions `acme` are not those"):
            unpack(stored, functions_of(path, changed))


def test_a_policy_without_functions_holds_none(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(HEAD + textwrap.dedent(ONE.replace("CALL", "a").replace("TYPE", "number")), encoding="utf-8")
    held = load_policy(path)
    assert not held.program.functions
    assert "try:" not in held.compiled(held.program).source


def test_no_plugin_is_looked_for_before_a_policy_names_a_set(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(HEAD + textwrap.dedent(ONE.replace("CALL", "a").replace("TYPE", "number")), encoding="utf-8")
    code = "import sys, engine; engine.load_policy(sys.argv[1]); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, timeout=60, check=True)
    assert not {"pluggy", "engine.hooks", "engine.hookspecs", "engine.functions.sets"} & set(done.stdout.split())


def test_a_decision_may_be_called_as_a_function_is(tmp_path: Path) -> None:
    held = policy(tmp_path, """\
        inputs:
          a: {type: number}
        service:
          f:
            type: number
            value: f(a) + 1
          g:
            type: number
            value: f * 2
        """, function("f", lambda x: x))
    assert decided(held, {"a": 1}).values == {"f": 2, "g": 4}
