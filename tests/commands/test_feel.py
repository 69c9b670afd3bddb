"""`tierwise feel`."""
from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from engine.commands import run
from tests.commands.conftest import Tierwise


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2", "3"),
        ('"a" + "b"', '"ab"'),
        ('{a: 1, b: [null, "x"]}', '{a: 1, b: [null, "x"]}'),
        ('date("2026-01-31") + duration("P1M")', "2026-02-28"),
        ("[1..3)", "[1..3)"),
        ("null", "null"),
        ('"\\u0007"', '"\\\\u{7}"'),
    ],
)
def test_values(tierwise: Tierwise, expression: str, value: str) -> None:
    result = tierwise("feel", expression)
    assert (result.code, result.out.rstrip("\n")) == (0, value)


def test_names_are_json_or_feel_or_a_file(tierwise: Tierwise, tmp_path: object) -> None:
    assert tierwise("feel", "Monthly Salary * 12", "--names", '{"Monthly Salary": 10000}').out == "120000\n"
    assert tierwise("feel", "start.year", "--names", '{start: @"2026-07-01"}').out == "2026\n"
    path = f"{tmp_path}/names.json"
    with open(path, "w", encoding="utf-8") as stream:
        stream.write('{"年营业收入": 500}')
    assert tierwise("feel", "年营业收入 / 100", "--names", f"@{path}").out == "5\n"


def test_a_null_is_explained_beside_it(tierwise: Tierwise) -> None:
    result = tierwise("feel", "1 / 0 + 2")
    assert (result.code, result.out) == (0, "null\n")
    assert "`1 / 0`: division by zero" in result.err


def test_what_is_no_feel_exits_with_1(tierwise: Tierwise) -> None:
    result = tierwise("feel", "5 < x < 10", "--names", "{x: 1}")
    assert (result.code, result.out) == (1, "")
    assert "error[E0" in result.err
    assert "help:" in result.err


def test_a_limit_is_an_error_too(tierwise: Tierwise) -> None:
    result = tierwise("feel", "for i in 1..1000000000 return i")
    assert result.code == 1
    assert "too many steps" in result.err


@pytest.mark.parametrize("names", ["[1]", "{a: ", "@none.json"])
def test_names_that_are_none(tierwise: Tierwise, names: str) -> None:
    assert tierwise("feel", "1", "--names", names).code in (2, 3)


def test_a_cell_is_tested(tierwise: Tierwise) -> None:
    assert tierwise("feel", "[1..10], > 100", "--test", "7").out == "true\n"
    assert tierwise("feel", "not(7)", "--test", "7").out == "false\n"
    assert tierwise("feel", "--test", "7").code == 2


def test_lines_are_evaluated_one_by_one(tierwise: Tierwise) -> None:
    lines = (
        b":let annual revenue = 5000\n\n// a comment\nannual revenue / 10\n"
        b":test annual revenue | > 10000\n:names\n:quit\n1\n"
    )
    result = tierwise("feel", stdin=lines)
    assert result.code == 0
    assert result.out.splitlines() == ["5000", "500", "false", "annual revenue = 5000"]


def test_a_broken_line_does_not_end_the_others(tierwise: Tierwise) -> None:
    result = tierwise("feel", stdin=b"1 +\n:nope\n2\n")
    assert (result.code, result.out) == (1, "2\n")
    assert ":quit" in result.err


def test_input_that_is_no_text(tierwise: Tierwise) -> None:
    assert tierwise("feel", stdin=b"\xff\xfe1").code == 3


def test_a_dialogue(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lines: Iterator[str] = iter(["1 + 1", "1 +", ":help"])

    def answer(prompt: str) -> str:
        assert prompt == "feel> "
        for line in lines:
            return line
        raise EOFError

    monkeypatch.setattr(sys, "stdin", type("Terminal", (), {"isatty": lambda self: True})())
    monkeypatch.setattr("builtins.input", answer)
    assert run(["feel"]) == 0
    out, err = capsys.readouterr()
    assert out == "2\n"
    assert "error[E0" in err
