"""Reading test files: values by declared types, and all that can be wrong, at its place."""
from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from engine.policytest.running import run_case
from engine.policytest.suite import read_suite
from engine.render import render_text
from tests.policytest.conftest import HEAD, SOUND, Written


def found(suite: object) -> list[tuple[str, int, str]]:
    """Code, line and underlined text of each diagnostic."""
    shown = []
    for d in suite.diagnostics:  # type: ignore[attr-defined]
        line = suite.sources[d.span.file].splitlines()[d.span.line - 1]  # type: ignore[attr-defined]
        shown.append((d.code, d.span.line, line[d.span.column - 1:d.span.end_column - 1]))
    return shown


def test_values_are_read_by_their_types(written: Written) -> None:
    suite = written("""\
cases:
  - case: a
    given: {annual_revenue: 500万, code: 3.10, Founded On: 2020-01-01, dscr: 150%, grade: null, firm id: '7'}
    expect: {segment: null}
""")
    assert suite.diagnostics == ()
    assert suite.cases[0].inputs == {
        "annual revenue": 5_000_000, "code": "3.10", "founded": datetime.date(2020, 1, 1), "dscr": 1.5, "firm id": "7",
    }


def test_fixtures_are_laid_one_over_the_other(written: Written) -> None:
    suite = written("""\
  weak: {dscr: 0.5, history: {repayments: [{due: 2026-01-01, paid: 2026-02-01}]}}
cases:
  - case: a
    base: [sound, weak]
    given: {annual revenue: null}
    expect: {decision: decline}
  - case: b
    base: [weak, sound]
    history: {repayments: null}
    expect: {segment: core}
""")
    one, two = suite.cases
    assert one.inputs == {"grade": "A", "dscr": 0.5, "founded": datetime.date(2020, 1, 1)}
    assert one.history == {"repayments": [{"due": datetime.date(2026, 1, 1), "paid": datetime.date(2026, 2, 1)}]}
    assert two.inputs["dscr"] == 1.5 and two.history == {"repayments": None}


def test_a_grid_is_read(written: Written) -> None:
    suite = written("""\
tables:
  t:
    base: sound
    as of: 2026-08-01
    tolerance: 1
    grid: |
      case | code  | dscr | as of      | base  || decision | offer.limit | reasons | fired decision | open  | marks
      a    | "1 |" | -    | -          | -     || approve  | *           | none    | otherwise      | none  | none
      b    | 3.10  | null | 2026-09-01 | sound || null     | null        | R1, R2  | *              | marks | late, weak
""")
    assert suite.diagnostics == ()
    a, b = suite.cases
    assert (a.name, a.inputs["code"], a.inputs["dscr"], a.tolerance) == ("t / a", "1 |", 1.5, 1)
    assert a.reasons == () and a.fired == {"decision": ("otherwise",)} and a.open == frozenset()
    assert [(w.path, w.value) for w in a.values] == [("decision", "approve"), ("marks", [])]
    assert "dscr" not in b.inputs and b.as_of == datetime.date(2026, 9, 1) and b.fired == {}
    assert b.reasons == ("R1", "R2") and b.open == {"marks"}
    assert [w.value for w in b.values] == [None, None, ["late", "weak"]]


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("case | dscr | dscr || segment", "a | 1 | 2 || new", ("E0908", 7, "dscr")),
        ("id | dscr || segment", "a | 1 || new", ("E0908", 7, "id")),
        ("case | dscr || segment", "a | 1 ||", ("E0908", 8, "")),
        ("case | dscr || segment", "a | 1 || *", ("E0906", 8, "a")),
        ("case | dcsr || segment", "a | 1 || new", ("E0901", 7, "dcsr")),
        ("case | dscr || segment", "a | 1 | 2 || new", ("E0120", 8, "a | 1 | 2 || new")),
        ("case | dscr | as of || segment", "a | 1 | 2026-02-30 || new", ("E0903", 8, "2026-02-30")),
        ("case | dscr || fired sement", "a | 1 || S1", ("E0902", 7, "fired sement")),
        ("case | base || segment", "a | soud || core", ("E0904", 8, "soud")),
    ],
)
def test_faults_of_grids(written: Written, header: str, row: str, expected: tuple[str, int, str]) -> None:
    suite = written(f"tables:\n  t: |\n    {header}\n    {row}\n")
    assert found(suite) == [expected]
    assert all(d.help for d in suite.diagnostics)


def test_cases_come_from_csv(written: Written, folder: Path) -> None:
    (folder / "cases.csv").write_text(
        "case,annual revenue,grade,-> decision,expect: offer.limit,note\n"
        "one,300万,A,approve,100万,fine\n"
        ",,null,*,null,\n", encoding="utf-8",
    )
    suite = written("tables: {sheet: {file: cases.csv, base: sound}}\n")
    assert suite.diagnostics == ()
    one, two = suite.cases
    assert one.name == "sheet / one" and one.inputs["annual revenue"] == 3_000_000
    assert [w.value for w in one.values] == ["approve", 1_000_000]
    assert two.name == "sheet / line 3" and two.inputs["annual revenue"] == 3_000_000 and "grade" not in two.inputs
    assert [(w.path, w.value) for w in two.values] == [("offer.limit", None)]


def test_faults_of_csv_stand_at_their_lines(written: Written, folder: Path) -> None:
    (folder / "cases.csv").write_text(
        "case,grad,dscr,-> decision,-> offer.limt\n"
        "one,A,abc,approve,1\n"
        "two,A,1,,1\n"
        "three,A,1\n", encoding="utf-8",
    )
    suite = written("tables: {sheet: {file: cases.csv}}\n")
    assert found(suite) == [
        ("E0901", 1, "grad"), ("E0902", 1, "-> offer.limt"), ("E0903", 2, "abc"), ("E0908", 3, ","),
        ("E0908", 4, "three,A,1"),
    ]


def test_rows_of_a_history_come_from_a_file(written: Written, folder: Path) -> None:
    (folder / "rows.csv").write_text("firm id,due,paid\nF1,2026-01-01,2026-02-01\nF2,2026-01-01,\n")
    (folder / "rows.jsonl").write_text('{"due": "2026-01-01", "paid": null}\n')
    suite = written("""\
cases:
  - case: a
    given: {firm id: F1}
    history: {repayments: rows.csv}
    expect: {late: 1}
  - case: b
    given: {firm id: F1}
    history: {repayments: rows.jsonl}
    expect: {late: 0}
  - case: c
    history: {repayments: gone.csv}
    expect: {late: 0}
""")
    assert found(suite) == [("E0701", 15, "gone.csv")]
    suite = written((folder / "small.test.yaml").read_text().split(SOUND)[1].split("  - case: c")[0])
    assert [len(c.history["repayments"] or ()) for c in suite.cases] == [1, 1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("given: {anual revenue: 1}\n    expect: {segment: new}", [("E0901", 7, "anual revenue")]),
        ("given: {segment: new}\n    expect: {segment: new}", [("E0901", 7, "segment")]),
        ("given: {repayments: 1}\n    expect: {segment: new}", [("E0901", 7, "repayments")]),
        ("history: {payments: []}\n    expect: {segment: new}", [("E0901", 7, "payments")]),
        ("history: {repayments: [{dew: 2026-01-01}]}\n    expect: {segment: new}", [("E0901", 7, "dew")]),
        ("history: {repayments: [{due: soon}]}\n    expect: {segment: new}", [("E0903", 7, "soon")]),
        ("given: {dscr: high}\n    expect: {segment: new}", [("E0903", 7, "high")]),
        ("given: {grade: a}\n    expect: {segment: new}", [("E0903", 7, "a")]),
        ("given: {annual revenue: -1}\n    expect: {segment: new}", [("E0903", 7, "-1")]),
        ("base: sund\n    expect: {segment: new}", [("E0904", 7, "sund")]),
        ("expect: {segment: newer}", [("E0903", 7, "newer")]),
        ("expect: {segment: [new]}", [("E0903", 7, "[new]")]),
        ("expect: {marks: late}", [("E0903", 7, "late")]),
        ("expect: {offer: 5}", [("E0903", 7, "5")]),
        ("expect: {offer: {limt: 5}}", [("E0903", 7, "{limt: 5}")]),
        ("expect: {actions: [{action: phone}]}", [("E0903", 7, "[{action: phone}]")]),
        ("expect: {offer.limt: 5}", [("E0902", 7, "offer.limt")]),
        ("expect: {reasons: [R1]}", [("E0902", 7, "reasons")]),
        ("reasons: [R1, R9]", [("E0902", 7, "R9")]),
        ("fired: {decision: D9}", [("E0902", 7, "D9")]),
        ("fired: {late: D1}", [("E0902", 7, "late")]),
        ("reasons of: {decison: R1}", [("E0902", 7, "decison")]),
        ("open: [dscr]", [("E0902", 7, "dscr")]),
        ("missing: [decision]", [("E0902", 7, "decision")]),
        ("only: segmant\n    expect: {segment: new}", [("E0902", 7, "segmant")]),
        ("only: segment\n    expect: {decision: refer}", [("E0902", 8, "decision")]),
        ("given: {dscr: 1}", [("E0906", 6, "x")]),
        ("refused: [dscr]\n    given: {dscr: high}\n    open: []", [("E0909", 6, "x")]),
        ("as of: 2026-02-30\n    expect: {segment: new}", [("E0034", 7, "2026-02-30")]),
        ("expects: {segment: new}", [("E0030", 7, "expects")]),
    ],
)
def test_faults_have_a_place_and_a_way_out(written: Written, text: str, expected: list[tuple[str, int, str]]) -> None:
    suite = written(f"cases:\n  - case: x\n    {text}\n")
    assert found(suite) == expected, render_text(suite.diagnostics, suite.sources)
    assert all(d.help for d in suite.diagnostics)
    assert suite.cases == () or not suite.is_valid


def test_near_names_are_offered(written: Written) -> None:
    suite = written("cases:\n  - case: x\n    given: {anual revenue: 1, grade: b}\n    expect: {ofer.limit: 1}\n")
    assert [d.help for d in suite.diagnostics] == [
        "did you mean `annual revenue`?",
        "did you mean `B`?; name it under `refused` if `grade` is to be bad",
        "did you mean `offer.limit`?",
    ]


def test_unused_fixtures_are_checked(written: Written) -> None:
    suite = written("  odd: {drsc: 1}\ncases:\n  - case: x\n    expect: {segment: core}\n")
    assert found(suite) == [("E0901", 5, "drsc")]


def test_names_are_told_once(written: Written) -> None:
    grid = "  - case: x\n    expect: {segment: null}\n"
    assert found(written(f"cases:\n{grid}{grid}")) == [("E0905", 8, "x")]
    rows = "tables:\n  t: |\n    case | dscr || segment\n    a | 1 || null\n    a | 2 || null\n"
    assert found(written(rows)) == [("E0905", 9, "a")]


def test_a_bad_value_that_is_to_be_refused_is_passed_on(written: Written) -> None:
    suite = written("""\
cases:
  - case: a
    given: {dscr: high, grade: C, annual revenue: -1}
    history: {repayments: [{due: soon}]}
    refused: [dscr, grade, annual revenue, repayments]
""")
    assert suite.diagnostics == ()
    assert suite.cases[0].inputs == {"dscr": "high", "grade": "C", "annual revenue": -1}
    assert suite.cases[0].history == {"repayments": [{"due": "soon"}]}


@pytest.mark.parametrize(
    ("policy", "code"),
    [("gone", "E0701"), ("../small", "E0702"), ("/small", "E0702"), ("~/small", "E0702"), ("small.test.yaml", "E0030")],
)
def test_the_policy_is_found_in_the_folder(written: Written, policy: str, code: str) -> None:
    suite = written("cases:\n  - case: x\n    expect: {segment: new}\n", head=f"{HEAD}policy: {policy}\n")
    assert code in {d.code for d in suite.diagnostics} and suite.policy is None
    assert written("cases: []\n", head=HEAD, name="gone.test.yaml").diagnostics[0].code == "E0701"


def test_a_project_may_keep_its_tests_apart(written: Written, folder: Path) -> None:
    (folder / "tierwise.yaml").write_text("")
    (folder / "tests").mkdir()
    (folder / "tests" / "a.test.yaml").write_text(
        f"{HEAD}policy: ../small\ncases:\n  - case: x\n    expect: {{segment: null}}\n"
    )
    assert read_suite(folder / "tests" / "a.test.yaml").is_valid


def test_a_policy_with_errors_shows_them(written: Written, folder: Path) -> None:
    (folder / "small.yaml").write_text("policy: x\n")
    suite = written("cases:\n  - case: x\n    expect: {segment: new}\n")
    assert not suite.is_valid
    assert {d.span.file for d in suite.diagnostics if d.span} == {"small.yaml"} <= set(suite.sources)


@pytest.mark.parametrize("data", [b"", b"- a\n", b"test: [\n", b"\x00", b"\xff\xfe\x00", b"test: x\ncases: 5\n", b"5"])
def test_broken_files_are_findings(folder: Path, data: bytes) -> None:
    (folder / "small.test.yaml").write_bytes(data)
    suite = read_suite(Path("small.test.yaml"))
    assert not suite.is_valid and suite.cases == ()
    assert render_text(suite.diagnostics, suite.sources)


def test_a_version_is_picked_by_date(folder: Path) -> None:
    for version, period, limit in (("1", "from: 2026-01-01, to: 2026-05-31", 1), ("2", "from: 2026-06-01", 2)):
        (folder / "versions").mkdir(exist_ok=True)
        (folder / "versions" / f"v{version}.yaml").write_text(f"""\
policy: v
version: "{version}"
effective: {{{period}}}
on missing: refer
inputs:
  n: {{type: number, optional: true}}
risk:
  r{version}: {{value: 'n * {limit}'}}
""")
    (folder / "v.test.yaml").write_text("""\
test: v
policy: versions
cases:
  - {case: old, as of: 2026-03-01, given: {n: 3}, expect: {r1: 3}}
  - {case: new, as of: 2026-07-01, given: {n: 3}, expect: {r2: 6}}
  - {case: wrong, as of: 2026-07-01, given: {n: 3}, expect: {r1: 3}}
""")
    assert found(read_suite(Path("v.test.yaml"))) == [("E0902", 6, "r1")]


def test_a_stated_application_date_picks_the_version(folder: Path) -> None:
    for version, period in (("1", "from: 2026-01-01, to: 2026-05-31"), ("2", "from: 2026-06-01")):
        (folder / "versions").mkdir(exist_ok=True)
        (folder / "versions" / f"v{version}.yaml").write_text(f"""\
policy: v
version: "{version}"
effective: {{{period}}}
on missing: refer
application date: applied
inputs:
  applied: {{type: date, optional: true}}
  n: {{type: number, optional: true}}
risk:
  r{version}: {{value: 'n * {version}'}}
""")
    (folder / "v.test.yaml").write_text("""\
test: v
policy: versions
as of: 2026-07-01
cases:
  - {case: old, given: {n: 3, applied: 2026-03-01}, expect: {r1: 3}}
  - {case: new, given: {n: 3}, expect: {r2: 6}}
  - {case: bad, given: {n: 3, applied: soon}, refused: applied}
""")
    suite = read_suite(Path("v.test.yaml"))
    assert suite.diagnostics == () and suite.policy is not None
    assert [run_case(suite.policy, c).differences for c in suite.cases] == [(), (), ()]
