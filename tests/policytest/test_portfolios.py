"""Portfolios read, decided and judged; what is printed of them is compared in `test_portfolio_corpus`."""
from __future__ import annotations

import json
import operator
import shutil
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.policytest import asking, samples
from engine.policytest.model import Suite
from engine.policytest.report import Outcome
from engine.policytest.session import run_suite
from engine.policytest.suite import read_suite
from tests.commands.conftest import Tierwise, tierwise
from tests.policytest.test_plugin import run

__all__ = ["tierwise"]

SHARED = Path(__file__).resolve().parents[1] / "corpus" / "portfolios" / "shared"
HEAD = """\
test: loans
as of: 2026-07-01
portfolios:
  sample:
    data: {data}
    history: {{repayments: repayments.csv}}
    max refused: {refused}
    expectations:
"""

Write = Callable[..., Suite]
SIGNS: dict[str, Callable[[int, int], bool]] = {
    "<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt,
}


@pytest.fixture
def loans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(SHARED, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(loans: Path) -> Write:
    """Write a test file with one portfolio, each condition an expectation `e1`, `e2` and so on, and read it."""

    def write(*conditions: str, data: str = "firms.csv", refused: str = "3%", more: str = "") -> Suite:
        parts = [f"      - expect: e{n}\n        that: |-\n          {c}\n" for n, c in enumerate(conditions, 1)]
        text = HEAD.format(data=data, refused=refused) + "".join(parts) + more
        (loans / "loans.test.yaml").write_text(text, encoding="utf-8")
        suite = read_suite(Path("loans.test.yaml"))
        assert suite.diagnostics == (), suite.diagnostics
        return suite

    return write


def judged(suite: Suite, engine: str = "python") -> Outcome:
    return run_suite(suite, lambda _: True, engine=engine)


def passed(suite: Suite, engine: str = "python") -> list[bool]:
    """Whether each condition holds; whether few enough are refused is left out."""
    return [v.passed for v in judged(suite, engine).verdicts[1:]]


def test_every_engine_decides_alike(write: Write) -> None:
    conditions = [
        'share(tier = "A") in [10%..20%]', "sum(customers.limit) = 46740000", "sum(customers.limit) = 46740001",
        'share(status = "open") = 5 / 41', 'count(customers["MISSING" in reasons]) = 5',
        'count(customers[some m in missing satisfies m = "dscr"]) = 5', 'share("decision" in open) = 5 / 41',
        "count(refused customers) = 1",
        'every g in group by(customers[employees > 20], segment) satisfies count(g.rows) > 5',
    ]
    told = passed(write(*conditions))
    assert told == [True, True, False, *[True] * 6]
    assert [passed(write(*conditions), engine) for engine in ("reference", "duckdb")] == [told, told]


def test_rows_that_cannot_be_read_are_refused(write: Write, loans: Path) -> None:
    lines = (loans / "firms.csv").read_text().splitlines()
    good = lines[:4]
    (loans / "odd.csv").write_text("\n".join([
        *good, "F90,SH,9", 'F91,"SH,9,1000000,3,1.2,2015-01-01,female', "F92,SH,9,lots,3,1.2,2015-01-01,female",
    ]) + "\n")
    (loans / "repayments.csv").write_text("firm id,due,paid\nF01,2026-03-01,2026-03-01\nF02,2026-03-01\n")
    suite = write("count(customers) = 2", 'every c in refused customers satisfies c.status = "refused"',
                  'some c in refused customers satisfies "annual revenue" in c.refused', data="odd.csv", refused="90%")
    assert passed(suite) == [True, True, True]
    strict = judged(write("count(customers) > 0", data="odd.csv", refused="10%")).verdicts[0]
    assert [d.got for d in strict.differences] == ["66.67% (4 of 6)"]
    assert "line 4: " not in strict.lines[0] and any("history `repayments`" in line for line in strict.lines)
    assert any("is not a number" in line for line in strict.lines)


def test_json_lines(write: Write, loans: Path) -> None:
    rows = [
        {"firm_id": "A", "region": "SH", "employees": 30, "annual revenue": 1e6, "years trading": 3, "dscr": 2},
        {"firm_id": ["B"], "region": "SH", "employees": 30, "annual revenue": 1e6, "years trading": 3},
    ]
    (loans / "two.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    suite = write('share(decision = "approve") = 1', "count(refused customers) = 1", data="two.jsonl", refused="50%")
    assert passed(suite) == [True, True]


def test_sizes_are_bounded(loans: Path, monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    write("count(customers) > 0")
    monkeypatch.setattr(samples, "MAX_CUSTOMERS", 10)
    (found,) = read_suite(Path("loans.test.yaml")).diagnostics
    assert (found.code, found.span and found.span.line) == ("E0908", 5) and "more than 10 customers" in found.message
    monkeypatch.setattr(samples, "MAX_CUSTOMERS", 100)
    monkeypatch.setattr(samples, "MAX_EVENTS", 10)
    (found,) = read_suite(Path("loans.test.yaml")).diagnostics
    assert "more than 10 rows" in found.message and found.help


def test_work_is_bounded(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = "every a in customers, b in customers satisfies a.limit + b.limit >= 0"
    suite = write(pairs, "count(for a in customers, b in customers return a.limit) > 0", "count(customers) = 41")
    assert passed(suite) == [True, True, True]
    monkeypatch.setattr(asking, "MAX_STEPS", 1000)
    assert passed(suite) == [False, False, True]
    assert judged(suite).verdicts[1].differences[0].what == "steps"


def test_an_empty_table_is_a_finding(loans: Path, write: Write) -> None:
    write("count(customers) > 0")
    (loans / "firms.csv").write_text("firm id,region,employees,annual revenue,years trading\n")
    (found,) = read_suite(Path("loans.test.yaml")).diagnostics
    assert found.code == "E0908" and "has no row" in found.message


def test_nobody_decided_holds_nothing(loans: Path, write: Write) -> None:
    (loans / "bad.csv").write_text("firm id,region,employees,annual revenue,years trading\nF1,SH,x,1,1\n")
    suite = write("count(customers) = 0", "every c in customers satisfies false", data="bad.csv", refused="100%")
    assert passed(suite) == [False, False]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    known=st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=5),
    sign=st.sampled_from(list(SIGNS)), bound=st.integers(0, 10),
)
def test_a_share_holds_only_where_it_holds_whatever_is_missing(
    write: Write, loans: Path, known: list[bool | None], sign: str, bound: int
) -> None:
    rows = [f"F{n},SH,9,100,5,{'' if k is None else 3 if k else 1.5}" for n, k in enumerate(known)]
    header = "firm id,region,employees,annual revenue,years trading,dscr"
    (loans / "few.csv").write_text("\n".join([header, *rows]) + "\n")
    possible = range(sum(k is True for k in known), sum(k is not False for k in known) + 1)
    wanted = all(SIGNS[sign](10 * p, bound * len(known)) for p in possible)
    limit = f"{bound} / 10"
    assert passed(write(f"share(dscr > 2) {sign} {limit}", data="few.csv", refused="0%")) == [wanted]


def test_names_of_the_policy_go_before_ours(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("""\
policy: p
version: "1"
effective: {from: 2026-01-01}
on missing: refer
inputs:
  status: {type: string, values: [old, young]}
  group: {type: number}
  customers: {type: number}
service:
  open:
    values: [yes, no]
    rules:
      - rule: O1
        when: status = "old" and group > 1 and customers > 2
        then: yes
      - otherwise: no
""")
    (tmp_path / "d.csv").write_text("status,group,customers\nold,2,3\nyoung,1,1\n")
    (tmp_path / "p.test.yaml").write_text("""\
test: p
as of: 2026-07-01
portfolios:
  s:
    data: d.csv
    expectations:
      - expect: own names
        that: share(status = "old") = 50% and count(customers[open = "yes"]) = 1
      - expect: ours
        that: share(_status = "open") = 0 and count(customers[_open != []]) = 0
      - expect: outer names by item
        that: count(customers[item.customers > 2 and item.group = 2]) = 1
      - expect: groups
        by: status
        that: if group = "old" then count(customers) = 1 else count(portfolio) = 2
""")
    suite = read_suite(tmp_path / "p.test.yaml")
    assert [d.message for d in suite.diagnostics] == []
    assert passed(suite) == [True] * 4


def test_each_row_may_pick_its_version(tmp_path: Path) -> None:
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
portfolios:
  s:
    data: d.csv
    max refused: 34%
    expectations:
      - expect: both
        that: count(customers[get or else(r, 0) = 10]) = 1 and count(customers[get or else(r, 0) = 20]) = 1
""")
    suite = read_suite(tmp_path / "v.test.yaml")
    assert [d.message for d in suite.diagnostics] == []
    assert passed(suite) == [True]


FAILING = """\
      - expect: few are declined
        why: our appetite
        that: share(decision = "decline") <= 10%
      - expect: most are open
        by: segment
        min size: 20
        that: share(status = "open") > 50%
"""


def test_reports(write: Write, tierwise: Tierwise) -> None:
    write("count(customers) > 0", more=FAILING)
    told = json.loads(tierwise("test", "--format", "json").out)
    assert (told["cases"], told["expectations"], told["failed"], told["invalid"]) == (0, 4, 2, 0)
    refused, fine, declined, opened = told["files"][0]["expectations"]
    assert refused["expectation"] == "sample / at most 3% of the rows are refused" and refused["line"] == 7
    assert fine == {
        "expectation": "sample / e1", "line": 9, "as_of": "2026-07-01", "passed": True, "notes": [],
    }
    assert declined["customers"]["count"] == 10 and len(declined["customers"]["keys"]) == 10
    assert declined["differences"] == [
        {"what": 'share(decision = "decline")', "expected": "<= 10%", "got": "24.39% (10 of 41)"}
    ]
    assert declined["explanation"].startswith("F01\ndecision: decline")
    assert opened["notes"] == ["segment = new has 16 customers, fewer than 20, and was not judged"]
    root = ElementTree.fromstring(tierwise("test", "--format", "junit").out)
    assert root.attrib == {"name": "tierwise", "tests": "4", "failures": "2", "errors": "0"}
    (first, second) = root.iter("failure")
    assert first.attrib["message"] == 'share(decision = "decline"): expected <= 10%, got 24.39% (10 of 41)'
    assert "10 of 41 customers: F01, F02" in (first.text or "") and "dscr < floor" in (first.text or "")


def test_choosing(write: Write, tierwise: Tierwise) -> None:
    write("count(customers) > 0", more=FAILING)
    one = tierwise("test", "-k", "SAMPLE / E1")
    assert (one.code, one.out) == (0, "") and "1 expectation passed" in one.err and "3 left out" in one.err
    fast = tierwise("test", "--fail-fast")
    assert fast.code == 1 and fast.out.count("failed ") == 1 and "1 left out" in fast.err
    assert tierwise("test", "--language", "zh").code == 1
    assert tierwise("check", "loans.test.yaml").code == 0


def test_expectations_are_items_of_pytest(root: Path, loans: Path, write: Write) -> None:
    write("count(customers) > 0", more=FAILING)
    result = run(root, loans, ".")
    assert result.returncode == 1
    assert "2 failed, 2 passed" in result.stdout
    assert "loans.test.yaml:12: sample / few are declined (our appetite)" in result.stdout
    assert "10 of 41 customers" in result.stdout and "Traceback" not in result.stdout
