"""Calls in columns: the same outcomes, reasons and openness as one by one, and what is refused by name."""
from __future__ import annotations

import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlglot import exp

import engine as tierwise
from engine.backends.smt.questions import can_be_true
from engine.backends.sql.memory import Customer
from engine.backends.support import Unsupported
from engine.functions.sets import Sets
from engine.hooks import Plugins
from engine.policy import Policy, PolicyError, load_policy
from tests.differential.columnar import Columnar
from tests.differential.compare import between, shown_of_columns
from tests.functions.given import HEAD, function, policy

KINDS = {"number": "number", "amount": "money", "date": "date"}
#: Arguments by the name of a parameter where any number of the kind would seldom have a value.
GIVEN: dict[str, list[Any]] = {
    "rate": [0, 0.0041666, 0.01, 1e-9, 2e-6, 0.3, -0.01], "periods": [1, 12, 36, 360, 0, 2.5, 12.0000000001],
    "number": [1, 2, 12, 36, 0, 3.3], "pd": [0, 0.02, 1, 1.2], "lgd": [0.45, 0, 1], "nominal": [0.12, 0, -0.5],
    "odds": [1, 50, 0, 0.2, 1e9], "base odds": [50, 1, 0], "points to double": [20, 40, 0], "base score": [600],
    "years": [0, 1, 0.5, 30], "score": [600, 437.5, 1e6],
}
DATES = [datetime.date(*d) for d in (
    (2024, 2, 29), (2026, 1, 31), (2026, 2, 28), (1999, 12, 31), (2000, 1, 1), (2026, 7, 1), (2100, 3, 1),
    (2023, 12, 30), (2025, 6, 30),
)]
CODES = [
    "91350100M000100Y43", "91350100M000100Y44", "914403001922038216", "91350100m000100y43", "", "D2143569-X",
    "D2143569X", "100000007", "91350100M000100Y4", "９１350100M000100Y43", "91350100M000100Y43\n",
]


def _customers(random: Random, inputs: dict[str, tuple[str, list[Any]]], count: int) -> list[dict[str, Any]]:
    found = []
    for _ in range(count):
        row = {name: None if random.random() < 0.06 else random.choice(values) for name, (_, values) in inputs.items()}
        found.append({"inputs": row, "history": {}, "as_of": "2026-07-01"})
    return found


def _inputs(random: Random, kind: str, name: str) -> tuple[str, list[Any]]:
    """The type that a policy declares, and values."""
    if kind.startswith("one of "):
        values = [v.strip() for v in kind.removeprefix("one of ").split(",")]
        return f"{{type: string, values: [{', '.join(map(repr, values))}], optional: true}}", values
    if kind == "date":
        return "{type: date, optional: true}", DATES
    if kind == "string":
        return "{type: string, optional: true}", CODES
    some = [0, 1, 5, 12.5, 1e6, 123456.78, 1e-3, -40, 1e15, *(random.uniform(0, 1e5) for _ in range(3))]
    numbers = GIVEN.get(name) or some
    return f"{{type: {KINDS[kind]}, optional: true}}", numbers


def same(held: Policy, customers: list[dict[str, Any]]) -> int:
    """Compare all customers, one by one and in columns; how many outcomes are there."""
    columns = Columnar(held.program)
    assert columns.whole, columns.lacks
    names = columns.outcomes
    there = 0
    for customer, row in zip(customers, columns.decide(customers), strict=True):
        day = datetime.date.fromisoformat(customer["as_of"])
        decision = held.decide(customer["inputs"], as_of=day)
        found = list(between(shown_of_columns(decision, names), shown_of_columns(row, names)))
        assert found == [], customer["inputs"]
        there += sum(value is not None for value in decision.values.values())
    return there


@pytest.mark.parametrize("name", ["cn", "finance"])
def test_the_built_in_sets_agree_to_the_last_bit(name: str, tmp_path: Path) -> None:
    random = Random(7)
    held = Sets(Plugins(installed=False)).find(name)
    assert held is not None
    stated = {f.name: f for f in Plugins(installed=False).functions(name) if f.sql is not None}
    assert len(stated) >= 2
    for function_ in stated.values():
        inputs = {f"i{n}": _inputs(random, kind, parameter)
                  for n, (parameter, kind) in enumerate(function_.parameters.items())}
        counts = range(len(inputs) - len(function_.optional), len(inputs) + 1)
        result = {"amount": "money"}.get(function_.result, function_.result)
        lines = [f"functions: [{name}]", "inputs:", *(f"  {n}: {kind}" for n, (kind, _) in inputs.items()), "service:"]
        for count in counts:
            call = f"{function_.name}({', '.join(list(inputs)[:count])})"
            lines += [f"  r{count}:", f"    type: {result}", f"    value: {call}"]
            test = call if result == "boolean" else f"{call} > 100"
            lines += [f"  g{count}:", "    values: [yes, no, refer]", "    rules:", "      - rule: R1",
                      f"        when: {test}", "        then: yes", "      - otherwise: no"]
        path = tmp_path / "policy.yaml"
        path.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
        there = same(load_policy(path), _customers(random, inputs, 400))
        assert there > 300, function_.name


TEXT = """\
    inputs:
      a: {type: number, optional: true}
      b: {type: number, optional: true}
      t: {type: string, optional: true}
    history:
      rows:
        key: id
        visible from: on
        fields:
          on: {type: date}
          x: {type: number, optional: true}
    service:
"""


def _decisions(*calls: str) -> str:
    return "".join(
        f"      d{n}:\n        type: {'string' if call.startswith('s ') else 'number'}\n        value: '{call}'\n"
        for n, call in enumerate(calls)
    )


def test_forms_mean_what_their_nesting_says(tmp_path: Path) -> None:
    def nested(x: Any, y: Any) -> Any:
        return exp.Mul(this=exp.Add(this=x, expression=y), expression=exp.Sub(this=x, expression=y))

    held = policy(
        tmp_path, TEXT + _decisions("f(a, b)", "f(a - 1, f(a, 2))", "h(a)", "h(a) + h(b)", "s longer(t)"),
        function("f", lambda x, y: (x + y) * (x - y), {"x": "number", "y": "number"}, sql=nested),
        function("h", lambda x=None: 7 if x is None else x, handles_missing=True,
                 sql=tierwise.sql_form("COALESCE(x, 7)", "x")),
        function("s longer", lambda t: t + "!", {"t": "string"}, "string", sql=tierwise.sql_form("t || '!'", "t")),
    )
    random = Random(3)
    numbers = ("n", [0, 1.5, -2, 1e200, 7])
    same(held, _customers(random, {"a": numbers, "b": numbers, "t": ("t", ["", "x", "é"])}, 200))


def test_calls_over_the_rows_of_a_history(tmp_path: Path) -> None:
    held = policy(
        tmp_path, TEXT + _decisions("sum(for r in rows return f(r.x, a))"),
        function("f", lambda x, y: x * y if y else None, {"x": "number", "y": "number"},
                 sql=tierwise.sql_form("CASE WHEN y <> 0 THEN x * y END", "x", "y")),
    )
    customers = []
    for a in (None, 0, 2, 2.5):
        for xs in ([], [1, 2], [None, 1], [0.1, 0.2, 0.3], None):
            rows = None if xs is None else [{"on": datetime.date(2026, 1, 1), "x": x} for x in xs]
            customers.append({"inputs": {"a": a}, "history": {"rows": rows}, "as_of": "2026-07-01"})
    columns = Columnar(held.program)
    assert columns.whole, columns.lacks
    for customer, row in zip(customers, columns.decide(customers), strict=True):
        found = held.decide(customer["inputs"], as_of=datetime.date(2026, 7, 1), history=customer["history"])
        assert list(between(shown_of_columns(found, ["d0"]), shown_of_columns(row, ["d0"]))) == [], customer


def _refused(held: Policy, dialect: str = "duckdb") -> list[str]:
    with pytest.raises(PolicyError) as raised:
        held.sql(dialect)
    assert all(d.code == "E0801" and d.span is not None for d in raised.value.diagnostics)
    return [d.message.partition("does not carry out ")[2] for d in raised.value.diagnostics]


def test_what_has_no_form_is_refused_by_name(tmp_path: Path) -> None:
    def broken(x: Any) -> Any:
        raise KeyError("secret")

    held = policy(
        tmp_path, TEXT + _decisions("no form(a)", "no tree(a)", "broken(a)", "many([a, b])"),
        function("no form", abs), function("no tree", abs, sql=lambda x: "abs(x)"), function("broken", abs, sql=broken),
        function("many", sum, {"xs": "list of number"}, sql=lambda xs: xs),
    )
    assert _refused(held) == [
        "`no form` of `acme`, which has no form in SQL", "`no tree` of `acme`, whose form in SQL is no expression",
        "`broken` of `acme`, whose form in SQL failed with KeyError", "`many` of `acme` of lists and contexts",
    ]


def test_a_form_that_duckdb_does_not_take_is_refused_by_name(tmp_path: Path) -> None:
    def leaves(x: Any) -> Any:
        raise SystemExit(2)

    def form(name: str, sql: str) -> tierwise.Function:
        return function(name, abs, sql=tierwise.sql_form(sql, "x"))

    held = policy(
        tmp_path, TEXT + _decisions("unknown(a)", "text(a)", "volatile(a)", "leaves(a)"),
        form("unknown", "nosuch(x)"), form("text", "'a'"), form("volatile", "x + random()"),
        function("leaves", abs, sql=leaves),
    )
    unknown, text, volatile, left = _refused(held)
    assert unknown.startswith("`unknown` of `acme`, whose form in SQL DuckDB refuses: Scalar Function with name nosuch")
    assert text == "`text` of `acme`, whose form in SQL gives VARCHAR where a number is stated"
    assert volatile.startswith("`volatile` of `acme`, whose form in SQL DuckDB refuses: ")
    assert left == "`leaves` of `acme`, whose form in SQL failed with SystemExit"


def test_a_form_that_fails_at_a_row_has_no_value_there(tmp_path: Path) -> None:
    held = policy(
        tmp_path, TEXT + _decisions("number of(t)"),
        function("number of", float, {"t": "string"}, sql=tierwise.sql_form("CAST(t AS DOUBLE)", "t")),
    )
    assert same(held, _customers(Random(3), {"t": ("t", ["1", "2.5", "x", ""])}, 50)) > 10


def test_other_engines_get_what_they_do_alike(tmp_path: Path) -> None:
    held = policy(
        tmp_path, TEXT + _decisions("plain(a)", "power(a)"),
        function("plain", lambda x: x * 2 + 1, sql=tierwise.sql_form("x * 2 + 1", "x")),
        function("power", lambda x: x**2, sql=tierwise.sql_form("POWER(x, 2)", "x")),
    )
    assert "POWER" in held.sql("duckdb")
    assert _refused(held, "spark") == ["`power` of `acme` in Spark"]
    assert "2" in held.sql("spark", only=["d0"])
    assert _refused(held, "postgres") == ["`plain` of `acme` in PostgreSQL", "`power` of `acme` in PostgreSQL"]


def test_dates_and_the_order_of_texts_are_each_engines_own(tmp_path: Path) -> None:
    held = policy(
        tmp_path, """\
        inputs:
          d: {type: date}
          t: {type: string}
        service:
          days:
            type: number
            value: days since(d, as of)
          after:
            type: boolean
            value: after m(t)
        """,
        function("days since", lambda a, b: (b - a).days, {"a": "date", "b": "date"},
                 sql=tierwise.sql_form("b - a", "a", "b")),
        function("after m", lambda t: t > "m", {"t": "string"}, "boolean", sql=tierwise.sql_form("t > 'm'", "t")),
    )
    assert held.sql("duckdb")
    assert _refused(held, "spark") == ["`days since` of `acme` in Spark", "`after m` of `acme` in Spark"]


def test_a_division_by_zero_has_no_value(tmp_path: Path) -> None:
    held = policy(
        tmp_path, TEXT + _decisions("f(a, b)"),
        function("f", lambda x, y: 1 / (x / y), {"x": "number", "y": "number"},
                 sql=tierwise.sql_form("1 / (x / y)", "x", "y")),
    )
    numbers = ("n", [0, 1.5, -2, 1e200, 1e-200])
    same(held, _customers(Random(4), {"a": numbers, "b": numbers, "t": ("t", [""])}, 100))


@pytest.mark.real
def test_forms_in_spark(tmp_path: Path) -> None:
    from engine.backends.sql.spark import local_session  # noqa: PLC0415 - half a gigabyte, not in every environment
    from engine.backends.sql.spark_memory import SETTINGS, decide_all_in_spark  # noqa: PLC0415

    text = TEXT.replace("t: {type: string", "t: {type: string, values: [normal, substandard, loss]")
    held = policy(
        tmp_path, text + _decisions(
            "general provision(a)", "specific provision(a, t)", "four fifths ratio(a, b, b, 10)", "f(a, b)"),
        function("f", lambda x, y: 1 / (x / y), {"x": "number", "y": "number"},
                 sql=tierwise.sql_form("1 / (x / y)", "x", "y")), sets="[finance, acme]",
    )
    numbers = ("n", [0, 1.5, -2, 1e200, 1e-200, 3, 8, 10])
    customers = _customers(Random(4), {"a": numbers, "b": numbers, "t": ("t", ["normal", "substandard", "loss"])}, 200)
    session = local_session("local[2]", SETTINGS)
    try:
        day = datetime.date(2026, 7, 1)
        given = [Customer(c["inputs"], c["history"]) for c in customers]
        rows = decide_all_in_spark(held.program, given, day, None, session=session)
    finally:
        session.stop()
    names = [f"d{n}" for n in range(4)]
    for customer, row in zip(customers, rows, strict=True):
        decision = held.decide(customer["inputs"], as_of=day)
        assert list(between(shown_of_columns(decision, names), shown_of_columns(row, names))) == [], customer


def test_the_solver_carries_out_none(tmp_path: Path) -> None:
    held = policy(
        tmp_path, """\
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
        """, function("f", abs, sql=tierwise.sql_form("ABS(x)", "x")))
    with pytest.raises(Unsupported) as raised:
        can_be_true(held.program, "decision", "D1")
    assert raised.value.diagnostics[0].message == "the solver does not carry out `f` of `acme`"
