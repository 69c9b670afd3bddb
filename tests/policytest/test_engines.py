"""Cases and portfolios by each engine: what agrees, what differs, what is not columnar."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from engine.backends.sql import memory
from engine.policytest.session import run_suite
from engine.policytest.suite import read_suite
from tests.commands.conftest import Tierwise, tierwise
from tests.policytest.conftest import HEAD, SOUND, Written
from tests.policytest.test_running import differences

__all__ = ["tierwise"]

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT / "tests" / "corpus" / "portfolios" / "shared"

CASES = [
    "expect: {segment: core, decision: approve, offer: {limit: 100万, kind: loan}, offer.rate: 4.35%, marks: []}",
    "expect: {late: 0, shown code: '007'}\n    given: {code: '007'}",
    "expect: {actions: []}\n    reasons: []\n    open: []\n    missing: []\n    fired: {decision: otherwise}",
    "given: {dscr: null}\n    expect: {decision: refer, segment: core}\n    open: [decision, actions, marks]"
    "\n    missing: dscr\n    reasons of: {decision: MISSING}\n    reasons: MISSING",
    "given: {dscr: 0.9}\n    expect: {marks: [weak], actions: [{action: visit}]}\n    reasons: R2",
    "given: {dscr: high}\n    refused: dscr",
    "given: {dscr: high, grade: C}\n    history: {repayments: [{due: 2026-01-01, paid: soon}]}\n"
    "    refused: [dscr, grade, repayments]",
    "refused: []",
    "history: {repayments: null}\n    expect: {late: null, decision: refer}\n    missing: [repayments]",
    "history: {repayments: [{due: 2026-01-01, paid: 2026-01-02}]}\n    fired: {decision: D2, marks: [M1]}\n"
    "    expect: {actions: [{action: call, due: 2026-07-06, urgent: false}], marks: [late]}",
    "only: segment\n    given: {annual revenue: null}\n    expect: {segment: core}",
]
#: An operation whose result no column holds.
REGISTERED = """\
policy: registered
version: "1"
effective: {from: 2026-01-01}
on missing: refer
inputs:
  number: {type: string, optional: true}
service:
  decision:
    values: [approve, refer]
    rules:
      - rule: D1
        when: count(split(number, "-")) > 1
        then: approve
      - otherwise: refer
"""


@pytest.mark.parametrize("case", CASES)
def test_cases_in_duckdb(written: Written, case: str) -> None:
    suite = written(f"cases:\n  - case: x\n    base: sound\n    {case}\n")
    assert suite.diagnostics == ()
    for engine in ("duckdb", "all", "reference"):
        (result,) = run_suite(suite, lambda _: True, engine=engine).results
        assert result.differences == ()


def test_a_case_that_fails_fails_by_each_engine(written: Written) -> None:
    wrong = (
        "given: {dscr: 0}\n    expect: {decision: approve, offer.limit: 5}\n    reasons: []\n    fired: {marks: [M1]}"
    )
    told = differences(written, wrong)
    suite = written(f"cases:\n  - case: x\n    base: sound\n    {wrong}\n")
    assert len(told) == 4
    for engine in ("duckdb", "all", "reference", "python"):
        (result,) = run_suite(suite, lambda _: True, engine=engine).results
        assert [(d.what, d.expected, d.got) for d in result.differences] == told
        assert "dscr < 1" in result.explanation()


def test_cases_of_a_date_are_one_query(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    decide = memory.decide_all

    def counted(program: Any, customers: Any, *rest: Any, **more: Any) -> Any:
        asked.append(len(customers))
        return decide(program, customers, *rest, **more)

    monkeypatch.setattr(memory, "decide_all", counted)
    rows = "".join(
        f"      c{n} | {n / 10} | {'2026-08-01' if n > 15 else '-'} || {'decline' if n < 10 else 'approve'}\n"
        for n in range(20)
    )
    suite = written(f"tables:\n  t:\n    base: sound\n    grid: |\n      case | dscr | as of || decision\n{rows}")
    assert not run_suite(suite, lambda _: True, engine="duckdb").failed
    assert asked == [16, 4]


def test_a_disagreement_of_the_engines_fails(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = written("cases:\n  - case: x\n    base: sound\n    expect: {decision: approve}\n")
    decide = memory.decide_all

    def skewed(program: Any, customers: Any, *rest: Any, **more: Any) -> Any:
        return decide(program, [c.replace(inputs={**c.inputs, "dscr": 0.5}) for c in customers], *rest, **more)

    monkeypatch.setattr(memory, "decide_all", skewed)
    (result,) = run_suite(suite, lambda _: True, engine="all").results
    told = [d.what for d in result.differences]
    assert "decision: the reference and DuckDB disagree" in told
    assert "fired decision: the reference and DuckDB disagree" in told
    assert all("(reference)" in d.expected and "(DuckDB)" in d.got for d in result.differences)


@pytest.fixture
def loans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(SHARED, tmp_path, dirs_exist_ok=True)
    (tmp_path / "loans.test.yaml").write_text("""\
test: loans
as of: 2026-07-01
portfolios:
  sample:
    data: firms.csv
    history: {repayments: repayments.csv}
    max refused: 3%
    expectations:
      - expect: some
        that: count(customers) = 41
""")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_all_engines_say_the_same_of_a_portfolio(loans: Path) -> None:
    done = run_suite(read_suite(Path("loans.test.yaml")), lambda _: True, engine="all")
    assert [v.expectation.name for v in done.verdicts][-1] == "sample / the engines agree"
    assert not done.failed and not done.left


def test_a_row_on_which_engines_differ_is_named(loans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decide = memory.decide_all

    def skewed(program: Any, customers: Any, *rest: Any, **more: Any) -> Any:
        return decide(program, [c.replace(inputs={**c.inputs, "dscr": 2.5}) for c in customers], *rest, **more)

    monkeypatch.setattr(memory, "decide_all", skewed)
    done = run_suite(read_suite(Path("loans.test.yaml")), lambda _: True, engine="all")
    (verdict,) = done.failed
    first = verdict.differences[0]
    assert (first.what, first.expected, first.got) == ("F01: score", "400 (reference)", "480 (duckdb)")
    assert len(verdict.differences) == 10 and "more" in verdict.lines[0]
    assert verdict.explanation().startswith("F01\n")


@pytest.fixture
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "registered.yaml").write_text(REGISTERED)
    (tmp_path / "firms.csv").write_text("number\n9-1\n12\n")
    (tmp_path / "registered.test.yaml").write_text("""\
test: registered
as of: 2026-07-01
cases:
  - {case: nine, given: {number: 9-1}, expect: {decision: approve}}
  - {case: one, given: {number: '12'}, expect: {decision: refer}}
portfolios:
  sample:
    data: firms.csv
    expectations:
      - expect: half
        that: share(decision = "approve") = 50%
""")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_not_columnar_is_told_and_counted(registered: Path, tierwise: Tierwise) -> None:
    result = tierwise("test", "--engine", "duckdb")
    assert result.code == 0 and result.out == ""
    assert "not columnar in registered.test.yaml: 2 cases: nine, one\nerror[E0801]: " in result.err
    assert "--> registered.yaml:12:21" in result.err and "split(number" in result.err
    assert "2 expectations: sample / no row is refused, sample / half" in result.err
    assert "0 cases passed in 1 file" in result.err and "; 4 not columnar" in result.err
    both = tierwise("test", "--engine", "all")
    assert both.code == 0 and "2 cases and 3 expectations passed" in both.err and "; 4 not columnar" in both.err
    one = tierwise("test")
    assert one.code == 0 and "columnar" not in one.err


def test_what_is_not_columnar_in_reports(registered: Path, tierwise: Tierwise) -> None:
    told = json.loads(tierwise("test", "--engine", "duckdb", "--format", "json").out)
    assert (told["cases"], told["expectations"], told["not_columnar"], told["left_out"]) == (0, 0, 4, 0)
    part = told["files"][0]["not_columnar"][0]
    assert part["names"] == ["nine", "one"]
    assert [(p["code"], p["place"]["line"]) for p in part["problems"]] == [("E0801", 12)]
    root = ElementTree.fromstring(tierwise("test", "--engine", "duckdb", "--format", "junit").out)
    assert root.attrib == {"name": "tierwise", "tests": "4", "failures": "0", "errors": "0"}
    assert [s.attrib["skipped"] for s in root.iter("testsuite")] == ["4"]
    assert all("not columnar: " in s.attrib["message"] for s in root.iter("skipped"))
    assert len(list(root.iter("skipped"))) == 4


def test_each_row_may_pick_its_version_in_duckdb(tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    for version, period in (("1", "from: 2026-01-01, to: 2026-05-31"), ("2", "from: 2026-06-01")):
        (tmp_path / "versions" / f"v{version}.yaml").write_text(f"""\
policy: v
version: "{version}"
effective: {{{period}}}
on missing: refer
application date: applied
inputs:
  applied: {{type: date, optional: true}}
  n: {{type: number, optional: true}}
risk:
  r: {{value: 'n * {version}'}}
""")
    (tmp_path / "d.csv").write_text("applied,n\n2026-03-01,10\n,10\nsoon,10\n")
    (tmp_path / "v.test.yaml").write_text("""\
test: v
policy: versions
as of: 2026-07-01
cases:
  - {case: old, given: {n: 3, applied: 2026-03-01}, expect: {r: 3}}
  - {case: new, given: {n: 3}, expect: {r: 6}}
  - {case: bad, given: {n: 3, applied: soon}, refused: applied}
portfolios:
  s:
    data: d.csv
    max refused: 34%
    expectations:
      - expect: both
        that: count(customers[get or else(r, 0) = 10]) = 1 and count(customers[get or else(r, 0) = 20]) = 1
""")
    suite = read_suite(tmp_path / "v.test.yaml")
    for engine in ("duckdb", "all"):
        done = run_suite(suite, lambda _: True, engine=engine)
        assert not done.failed and not done.lacking and len(done.results) == 3


def test_the_database_is_loaded_only_when_asked_for(root: Path, folder: Path) -> None:
    case = "cases:\n  - {case: x, base: sound, expect: {segment: core}}\n"
    (folder / "small.test.yaml").write_text(f"{HEAD}{SOUND}{case}")
    code = (
        "import sys; from engine.commands import run; run(['test', *sys.argv[1:]]); "
        "print(sorted({'duckdb', 'sqlglot', 'lark'} & set(sys.modules)), file=sys.stdout)"
    )
    env = {**os.environ, "PYTHONPATH": str(root)}
    for args, loaded in (((), "[]"), (("--engine", "duckdb"), "['duckdb', 'sqlglot']")):
        done = subprocess.run([sys.executable, "-c", code, *args], cwd=folder, env=env, capture_output=True, text=True)
        assert done.stdout.strip() == loaded, done.stderr


def test_facts_that_are_rows_are_held_against_no_column(folder: Path) -> None:
    """DuckDB goes through them where they are read; each of these once failed as null there."""
    policy = """\
policy: rows
version: "1"
effective: {from: 2026-01-01}
currency: CNY
on missing: refer
inputs:
  firm id: {type: string, key: true}
history:
  invoices:
    key: firm id
    fields:
      buyer: {type: string}
      net: {type: money}
features:
  large: {value: 'invoices[net > 10]'}
  buyers: {value: 'group by(large, buyer)'}
  sums: {value: 'for b in buyers return sum(b.rows.net)'}
  nets: {value: 'large.net'}
risk:
  total: {value: 'sum(large.net) + max(nets) + max(sums)'}
"""
    cases = """\
cases:
  - case: x
    given: {firm id: F1}
    history: {invoices: [{buyer: a, net: 20}, {buyer: b, net: 5}, {buyer: a, net: 30}]}
    expect: {total: 130}
"""
    (folder / "rows.yaml").write_text(policy, encoding="utf-8")
    (folder / "rows.test.yaml").write_text("test: rows\nas of: 2026-07-01\n" + cases, encoding="utf-8")
    suite = read_suite(folder / "rows.test.yaml")
    assert suite.diagnostics == ()
    for engine in ("duckdb", "all"):
        (result,) = run_suite(suite, lambda _: True, engine=engine).results
        assert result.differences == ()
    (folder / "rows.test.yaml").write_text(
        "test: rows\nas of: 2026-07-01\n" + cases.replace("total: 130", "sums: [50]"), encoding="utf-8"
    )
    outcome = run_suite(read_suite(folder / "rows.test.yaml"), lambda _: True, engine="duckdb")
    assert [d.message for lacking in outcome.lacking for d in lacking.diagnostics] == [
        "the SQL backend does not carry out outcomes of kind `list`"
    ]
