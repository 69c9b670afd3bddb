"""The cases whose types are static give the same as SQL; what differs falls to a rule of policies."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conformance.__main__ import load, main
from tests.conformance.columnar import answers, subset
from tests.conformance.static import Case, Outside
from tests.conformance.test_kit import case


def test_the_given_cases_in_sql(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shared / "conformance" / "feel"
    if not folder.is_dir():
        pytest.skip("the conformance cases are absent; set TIERWISE_SHARED to the folder that has them")
    assert main(["--sql", str(folder)]) == 0
    out = capsys.readouterr().out
    found = re.search(r"of ([\d,]+) cases ([\d,]+) .* SQL: ([\d,]+) .* agree, (\d+) fall .*, (\d+) are wrong", out)
    assert found is not None
    every, held, right, _, wrong = (int(n.replace(",", "")) for n in found.groups())
    with capsys.disabled():
        print(f"\nsql conformance: {held:,} of {every:,} cases in the subset, {right:,} agree, {wrong} wrong")
    assert len(load([str(folder)])) == every
    assert held > 0.43 * every and right > 0.986 * held


@pytest.mark.parametrize("text", ["1 + 1", "[1, 2, 3][item > 2]", '{a: "x", b: [1]}', "mode(null)", "null"])
def test_a_case_in_sql_gives_what_the_reference_gives(text: str) -> None:
    held, _, _ = subset([case(text, "null", None)])
    (answer,) = answers(held)
    assert not answer.fault and answer.value == answer.single


@pytest.mark.parametrize(
    ("text", "why"),
    [('abs("x")', "E0306"), ("1 +", "no expression"), ('time("10:00:00Z")', "E0312"), ("[1..2]", "E0311"),
     ('duration(string(1))', "hangs on data")],
)
def test_what_is_not_static_is_outside(text: str, why: str) -> None:
    with pytest.raises(Outside, match=why):
        Case(case(text, "null", None))


def test_what_no_column_holds_is_outside() -> None:
    held, outside, _ = subset([case('split("a-b", "-")', "null", None)])
    assert not held and list(outside) == ["no SQL: lists as results"]
