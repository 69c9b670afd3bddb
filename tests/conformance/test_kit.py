"""The given half of the compatibility kit passes: literal, boxed and tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance.__main__ import load, main, run


def test_all_given_cases_pass(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shared / "conformance" / "feel"
    if not folder.is_dir():
        pytest.skip("the conformance cases are absent; set TIERWISE_SHARED to the folder that has them")
    code = main([str(folder)])
    assert code == 0, capsys.readouterr().out


def case(expression: str, kind: str, value: object) -> dict[str, object]:
    return {
        "id": "made/1",
        "dir": "made",
        "inputs": {},
        "input_types": {},
        "types": {},
        "typing": "none",
        "expression": expression,
        "nodes": [{"name": "d", "kind": "literal", "type_ref": None, "expression": expression}],
        "expected": {"type": kind, "value": value},
    }


@pytest.mark.parametrize(
    ("expression", "kind", "value", "passed"),
    [
        ("1 + 1", "number", "2", True),
        ("1 + 1", "number", "3", False),
        ("1 / 3", "number", "0.333333333", True),
        ("[1]", "number", "1", False),
        ("null", "null", None, True),
        ("0", "null", None, False),
        ("1 +", "null", None, True),
        ("1 +", "number", "1", False),
        ('date("2020-01-01")', "dateTime", "2020-01-01", False),
        ('"2"', "number", "2", False),
    ],
)
def test_a_miss_is_a_miss(expression: str, kind: str, value: object, passed: bool) -> None:
    assert run(case(expression, kind, value)).passed is passed


def test_misses_are_named_and_set_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text("\n".join(json.dumps(c) for c in (case("1 + 1", "number", "2"), case('1 + "a"', "number", "3"))))
    assert len(load([str(path)])) == 2
    assert main([str(path)]) == 1
    out = capsys.readouterr().out
    assert "FAILED made/1" in out
    assert "`+` takes no number and text" in out
    assert "50.00%" in out


def test_usage() -> None:
    assert main([]) == 2
    assert main(["no such file"]) == 2
