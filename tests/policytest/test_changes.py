"""`tierwise diff`: who of the sample portfolios is decided otherwise, by which outcome, and why."""
from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.conftest import Tierwise, tierwise

__all__ = ["tierwise"]

POLICY = """\
policy: loans
version: "1"
effective: {from: 2026-01-01}
currency: CNY
on missing: refer
reasons:
  R1: {text: Weak, zh: 偏弱, rank: 1}
  R2: {text: Late, rank: 2}
inputs:
  firm id: {type: string, key: true, optional: true}
  revenue: {type: money, range: '>= 0'}
  dscr: {type: number, optional: true}
history:
  repayments:
    key: firm id
    visible from: due
    fields:
      due: {type: date}
      paid: {type: date}
features:
  late: {value: 'count(repayments[paid > due])'}
service:
  decision:
    values: [approve, refer, decline]
    order: best first
    worst:
      - rule: D1
        when: dscr < 1
        then: decline
        reason: R1
      - rule: D2
        when: late > 0
        then: refer
        reason: R2
      - otherwise: approve
  offer:
    outputs:
      limit: {type: money}
      rate: {type: number}
    on missing: skip
    rules:
      - rule: O1
        when: decision = "approve"
        then: {limit: = 0.1 * revenue + 0.2 * revenue, rate: 4%}
      - otherwise: {limit: 0, rate: 0}
"""
FIRMS = """\
firm id,revenue,dscr
F1,1000000,2
F2,1000000,1.1
F3,1000000,
F4,many,2
F5,1000000,3
F5,2000000,0.5
"""
TESTS = """\
test: loans
as of: 2026-07-01
portfolios:
  sample:
    data: firms.csv
    history: {repayments: repayments.csv}
    max refused: 50%
    expectations:
      - {expect: somebody is approved, that: 'share(decision = "approve") > 0'}
"""


@pytest.fixture
def sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two folders with the same files; the second is the working folder."""
    folders = tmp_path / "was", tmp_path / "is"
    for folder in folders:
        folder.mkdir()
        for name, text in (("loans.yaml", POLICY), ("firms.csv", FIRMS), ("loans.test.yaml", TESTS),
                           ("repayments.csv", "firm id,due,paid\nF1,2026-01-10,2026-01-09\n")):
            (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(folders[1])
    return folders


def write(folder: Path, name: str, *edits: tuple[str, str]) -> None:
    text = (folder / name).read_text("utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    (folder / name).write_text(text, encoding="utf-8")


def test_nothing_changed(tierwise: Tierwise, sides: tuple[Path, Path]) -> None:
    """Sums that differ in the last bit are no change."""
    write(sides[1], "loans.yaml", ("0.1 * revenue + 0.2 * revenue", "30% * revenue"))
    result = tierwise("diff", "../was")
    assert result.code == 0
    assert result.out == "loans.test.yaml: sample, as of 2026-07-01\n  0 of 6 customers decided otherwise\n"
    assert result.err == "1 portfolio compared, 0 customers decided otherwise\n"


def test_who_is_decided_otherwise(tierwise: Tierwise, sides: tuple[Path, Path]) -> None:
    write(sides[1], "loans.yaml", ("dscr < 1", "dscr < 1.2"), ("rate: 4%", "rate: 5%"))
    result = tierwise("diff", "../was", "--no-explain")
    assert result.out == """\
loans.test.yaml: sample, as of 2026-07-01
  3 of 6 customers decided otherwise

  decision     approve -> decline  1  F2
  offer.limit  lower               1  F2
  offer.rate   higher              2  F1, F5
               lower               1  F2
  reasons      + R1                1  F2

  in all  offer.limit  900,000 -> 600,000
"""
    told = tierwise("diff", "../was").out
    assert "  F1, before\n  offer: " in told and "  F1, after\n  offer: " in told


def test_a_customer_is_explained(tierwise: Tierwise, sides: tuple[Path, Path]) -> None:
    write(sides[1], "loans.yaml", ("dscr < 1", "dscr < 1.2"))
    told = tierwise("diff", "../was").out
    before, after = told[told.index("F2, before"):].split("F2, after")
    assert "dscr < 1  " in before and "> otherwise" in before
    assert "> D1" in after and "dscr < 1.2" in after and "gives decline" in after
    chinese = tierwise("diff", "../was", "--language", "zh").out
    assert chinese != told and chinese.startswith(told[:told.index("F2, before")].rstrip(" "))
    assert tierwise("diff", "../was", "--language", "tlh").code == 2


def test_open_refused_and_no_value(tierwise: Tierwise, sides: tuple[Path, Path]) -> None:
    write(sides[1], "loans.yaml", ("dscr: {type: number, optional: true}", "dscr: {type: number, range: '<= 2.5', "
                                   "optional: true}"), ("when: dscr < 1", "when: get or else(dscr, 0.5) < 1"),
          ("limit: = 0.1 * revenue + 0.2 * revenue", "limit: = if revenue > 100万 then 1 else null"))
    assert tierwise("check", "loans.yaml").code == 0
    moves = json.loads(tierwise("diff", "../was", "--format", "json").out)["files"][0]["portfolios"][0]["moves"]
    assert moves == [
        {"outcome": "status", "what": "open -> decided", "customers": ["F3"]},
        {"outcome": "status", "what": "decided -> refused", "customers": ["F5"]},
        {"outcome": "decision", "what": "refer -> decline", "customers": ["F3"]},
        {"outcome": "offer.limit", "what": "a value -> none", "customers": ["F1", "F2"]},
        {"outcome": "reasons", "what": "- MISSING", "customers": ["F3"]},
        {"outcome": "reasons", "what": "+ R1", "customers": ["F3"]},
    ]
    assert "refused" in tierwise("diff", "../was").out


def test_other_data(tierwise: Tierwise, sides: tuple[Path, Path]) -> None:
    """Data that changed, too, are told: the policy alone did not do it."""
    write(sides[1], "firms.csv", ("F2,1000000,1.1\n", ""), ("F5,2000000,0.5\n", "F5,2000000,0.5\nF6,1,1\n"))
    write(sides[1], "repayments.csv", ("2026-01-09", "2026-01-19"))
    told = tierwise("diff", "../was", "--no-explain").out
    assert "  1 of 5 customers decided otherwise\n" in told
    assert "  1 customer not there before: F6\n" in told
    assert "  1 customer no longer there: F2\n" in told
    assert "  1 customer with other data: F1\n" in told
    assert "  decision     approve -> refer  1  F1\n" in told


def test_outcomes_of_one_side(tierwise: Tierwise, sides: tuple[Path, Path]) -> None:
    write(sides[1], "loans.yaml", ("      rate: {type: number}", "      fee: {type: money}"), ("rate: 4%", "fee: 5"),
          ("rate: 0", "fee: 0"))
    told = tierwise("diff", "../was").out
    assert "  0 of 6 customers decided otherwise\n  new: offer.fee\n  gone: offer.rate\n" in told


def test_portfolios_of_one_side(tierwise: Tierwise, sides: tuple[Path, Path]) -> None:
    write(sides[1], "loans.test.yaml", ("  sample:", "  other:"))
    result = tierwise("diff", "../was")
    assert (result.code, result.out) == (0, "")
    assert "other is not compared: `../was/loans.test.yaml` has no portfolio of this name" in result.err
    (sides[0] / "loans.test.yaml").unlink()
    assert "other is not compared: there is no `../was/loans.test.yaml`" in tierwise("diff", "../was").err


def test_a_side_that_is_not_valid(tierwise: Tierwise, sides: tuple[Path, Path]) -> None:
    """What was wrong before must not keep anybody from mending it; what is wrong now must."""
    write(sides[0], "loans.yaml", ("dscr < 1", "dcsr < 1"))
    result = tierwise("diff", "../was")
    assert result.code == 0
    assert "sample is not compared: `../was/loans.test.yaml` was not valid: unknown name `dcsr`" in result.err
    result = tierwise("diff", ".", "../was")
    assert result.code == 2 and "E0203" in result.err


def test_places(tierwise: Tierwise, sides: tuple[Path, Path]) -> None:
    write(sides[1], "loans.yaml", ("dscr < 1", "dscr < 1.2"))
    both = tierwise("diff", "../was", "--no-explain").out
    assert tierwise("diff", "../was/loans.yaml", "loans.yaml", "--no-explain").out == both
    (sides[1] / "earlier").mkdir()
    for file in list(sides[0].iterdir()):
        (sides[1] / "earlier" / file.name).write_bytes(file.read_bytes())
    assert tierwise("diff", "earlier", "--no-explain").out == both     # which is not taken as it is, too
    assert tierwise("diff", "../was", "loans.yaml").code == 2
    assert tierwise("diff", "../nowhere").code == 2
    write(sides[1], "loans.test.yaml", (TESTS[TESTS.index("portfolios"):], "cases:\n  - {case: a, given: {}, refused: r"
                                        "evenue}\n"))
    assert "no test file in `loans.yaml` has a portfolio" in tierwise("diff", "../was/loans.yaml", "loans.yaml").err
