"""A report's figures, worked out by hand, its page, and what it says of descriptions that will not do."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.report.conftest import SPEC


def told(tierwise: Any, *more: str) -> dict[str, Any]:
    found = tierwise("report", "report.yaml", "--format", "json", *more)
    assert found.code == 0, found.err
    report: dict[str, Any] = json.loads(found.out)
    return report


def section(report: dict[str, Any], id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = next(s["blocks"] for s in report["sections"] if s["id"] == id)
    return found


def figures(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    return {f["name"]: f["value"] for block in blocks for f in block.get("figures", ())}


def rows(blocks: list[dict[str, Any]], title: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = next(b["rows"] for b in blocks if b.get("table") == title)
    return found


def test_the_overview_counts_every_customer_once(folder: Path, tierwise: Any) -> None:
    blocks = section(told(tierwise), "overview")
    assert figures(blocks) == {
        "customers": 8, "decided": 8, "open for missing data": 1, "refused for bad data": 0, "approved": 5,
        "exposure approved": 365_000.0,
    }
    tier = next(b for b in blocks if b.get("chart") == "tier")
    assert [(r["tier"], r["customers"]) for r in tier["rows"]] == [("A", 2), ("B", 3), ("C", 2), ("(none)", 1)]


def test_approval_and_exposure_by_group(folder: Path, tierwise: Any) -> None:
    found = rows(section(told(tierwise), "exposure"), "By region")
    assert [(r["region"], r["customers"], r["approved"], r["exposure"]) for r in found] == [
        ("SH", 3, 2, 180_000.0), ("BJ", 2, 2, 130_000.0), ("<b>GD</b>", 1, 1, 55_000.0), ("GD", 2, 0, 0.0),
    ]
    assert found[0]["share of exposure"] == pytest.approx(180 / 365)


def test_reasons_and_missing_data(folder: Path, tierwise: Any) -> None:
    report = told(tierwise)
    found = rows(section(report, "reasons"), "Reasons")
    assert [(r["code"], r["customers"]) for r in found] == [("R1", 2), ("MISSING", 1)]
    assert found[0]["text"] == "Score {score} is low"
    (row,) = rows(section(report, "missing"), "Missing data and what they cost")
    assert (row["input or history"], row["customers left open"], row["settled by it alone"]) == ("score", 1, 1)
    assert rows(section(told(tierwise, "--language", "zh"), "reasons"), "原因")[0]["说明"] == "评分 {score} 偏低"


def test_a_customer_with_several_reasons_counts_for_each(folder: Path, tierwise: Any) -> None:
    """In texts they stand with semicolons between, as a run writes them."""
    policy = Path("policy.yaml").read_text("utf-8")
    policy = policy.replace("inputs:", "  R2: {text: None may be lent, zh: 不予放款, rank: 2}\ninputs:")
    further = "      - rule: D2\n        when: score < 35\n        then: decline\n        reason: R2\n"
    policy = policy.replace("    rules:\n", "    worst:\n").replace("      - otherwise", further + "      - otherwise")
    Path("policy.yaml").write_text(policy, "utf-8")
    assert tierwise("run", "policy.yaml", "now.csv", "--as-of", "2026-07-01", "-o", "now2.csv").code == 0
    Path("report.yaml").write_text(SPEC.replace("results: now.jsonl", "results: now2.csv"), "utf-8")
    assert "R1;R2" in Path("now2.csv").read_text("utf-8")
    found = rows(section(told(tierwise), "reasons"), "Reasons")
    assert [(r["code"], r["customers"]) for r in found] == [("R1", 2), ("MISSING", 1), ("R2", 1)]


def test_defaults_by_tier_and_the_power_of_scores(folder: Path, tierwise: Any) -> None:
    blocks = section(told(tierwise), "outcome")
    assert [(r["tier"], r["customers"], r["defaults"]) for r in rows(blocks, "Defaults by tier")] == [
        ("A", 2, 0), ("B", 3, 1), ("C", 2, 1), ("(none)", 1, 1),
    ]
    power = {r["score"]: r for r in rows(blocks, "Power to separate")}
    # bad scores are 40 and 60 among 95 85 70 60 55 40 30, the worst first: g b g b g g g
    assert power["score"]["customers"] == 7
    assert power["score"]["Gini"] == pytest.approx(2 * (4 + 3) / 10 - 1)
    assert power["score"]["KS"] == pytest.approx(0.6)
    assert power["model"]["customers"] == 8


def test_the_watch_list(folder: Path, tierwise: Any) -> None:
    blocks = section(told(tierwise), "warnings")
    assert {(r["watch"], r["customers"]) for r in rows(blocks, "Watch list by level")} == {("red", 2), ("yellow", 1)}
    assert {r["firm id"] for r in rows(blocks, "Who is on the list")} == {"F3", "F5", "F6"}


def test_drift_and_moves_against_an_earlier_run(folder: Path, tierwise: Any) -> None:
    blocks = section(told(tierwise), "stability")
    found = rows(blocks, "tier: moves in numbers")
    # fifteen points more then: 110 100 85 75 70 55 45
    assert [[r[v] for v in "ABC"] for r in found] == [[2, 1, 0], [0, 2, 1], [0, 0, 1]]
    assert {r["decision"] for r in rows(blocks, "PSI")} == {"tier", "decision"}


def test_the_team_with_small_samples_marked(folder: Path, tierwise: Any) -> None:
    found = {r["manager"]: r for r in rows(section(told(tierwise), "team"), "By manager")}
    assert (found["Li"]["customers"], found["Li"]["days, median"], found["Li"]["small sample"]) == (5, 5.0, "")
    assert found["Wu"]["default rate"] == pytest.approx(2 / 3)
    assert found["Wu"]["timed"] == 3


def test_a_default_rate_is_over_outcomes_that_are_known(folder: Path, tierwise: Any) -> None:
    firms = Path("firms.csv").read_text("utf-8").replace("F5,\"<b>GD</b>\",55,0.06,no", "F5,\"<b>GD</b>\",55,0.06,")
    Path("firms.csv").write_text(firms, "utf-8")
    found = {r["manager"]: r for r in rows(section(told(tierwise), "team"), "By manager")}
    assert found["Wu"]["customers"] == 3 and found["Wu"]["default rate"] == 1.0
    assert found["Wu"]["small sample"] == "default rate"
    Path("report.yaml").write_text(SPEC.replace("days, least: 3", "days, least: 4"), "utf-8")
    found = {r["manager"]: r for r in rows(section(told(tierwise), "team"), "By manager")}
    assert (found["Wu"]["small sample"], found["Li"]["small sample"]) == ("all", "")


def test_vintages_by_age_of_what_was_known_on_the_day(folder: Path, tierwise: Any) -> None:
    """Of L1 to L3 the third is three months old on the day; L1 is 31 days overdue on its own third month's day. L4 was
    31 days overdue at two months and paid after the day; L5 is not yet there."""
    blocks = section(told(tierwise), "book")
    found = rows(blocks, "Vintages, 30+ days overdue, by age in months")
    assert [tuple(r.values()) for r in found] == [
        ("2026 Q1", 3, 0.0, 0.0, pytest.approx(1 / 3), ""), ("2026 Q2", 1, 0.0, 1.0, None, "small"),
    ]
    found = rows(blocks, "Vintages, 90+ days overdue, by age in months")
    assert [(r["1"], r["2"], r["3"]) for r in found] == [(0.0, 0.0, 0.0), (0.0, 0.0, None)]
    chart = next(b for b in blocks if b.get("chart") == "Vintages, 30+ days overdue")
    assert chart["form"] == "curves" and len(chart["rows"]) == 5
    assert chart["says"] == "At 2 months from 0.0% (2026 Q1) to 100.0% (2026 Q2) are more than 30 days overdue."


def test_roll_rates_from_one_months_end_to_the_next(folder: Path, tierwise: Any) -> None:
    blocks = section(told(tierwise), "book")
    found = rows(blocks, "Roll rates in numbers, 2026-04 to 2026-06")
    assert [tuple(r.values()) for r in found] == [
        ("not overdue", 0, 1, 0, 0, 0, 1), ("1 to 30 days", 0, 0, 2, 0, 0, 0), ("31 to 60 days", 0, 0, 0, 1, 0, 0),
        ("61 to 90 days", 0, 0, 0, 0, 1, 0), ("90+ days", 0, 0, 0, 0, 0, 0),
    ]
    found = rows(blocks, "Share that got worse, by month")
    assert [tuple(r.values()) for r in found] == [
        ("2026-04", 0.0, 1.0, None, None), ("2026-05", 1.0, None, 1.0, None), ("2026-06", None, 1.0, None, 1.0),
    ]


def test_loans_of_buckets_of_ones_own(folder: Path, tierwise: Any) -> None:
    Path("report.yaml").write_text(SPEC.replace("roll rates: 3", "roll rates: 1\n  buckets: [90]"), "utf-8")
    (first, second, third) = rows(section(told(tierwise), "book"), "Roll rates in numbers, 2026-06 to 2026-06")
    assert tuple(second.values()) == ("1 to 90 days", 0, 1, 1, 0)
    assert tuple(first.values())[1:] == tuple(third.values())[1:] == (0, 0, 0, 0)


def test_loans_too_young_to_tell(folder: Path, tierwise: Any) -> None:
    """A month before any loan was opened."""
    Path("report.yaml").write_text(SPEC.replace("as of: 2026-07-01", "as of: 2025-12-01"), "utf-8")
    assert section(told(tierwise), "book") == [{"note": "No loan is old enough to tell.", "alarm": False}]


def test_scores_of_an_earlier_run_by_what_became_since(folder: Path, tierwise: Any) -> None:
    """Then each had fifteen points more: tiers moved, and the order of scores did not."""
    Path("report.yaml").write_text(
        SPEC.replace("outcome: {column", "outcome: {results: then.jsonl, column").replace(", score: score", ""), "utf-8"
    )
    blocks = section(told(tierwise), "outcome")
    assert [(r["tier"], r["customers"], r["defaults"]) for r in rows(blocks, "Defaults by tier")] == [
        ("A", 3, 0), ("B", 3, 2), ("C", 1, 0), ("(none)", 1, 1),
    ]


def test_results_of_other_policies_beside_these(folder: Path, tierwise: Any) -> None:
    """They bring what is not there yet, and stand with the other results where these are elsewhere."""
    Path("made").mkdir()
    Path("list.csv").write_text("firm id,alarm,decision\nF8,red,none\nF1,off,none\n", "utf-8")
    for name in ("now.jsonl", "then.jsonl", "down.jsonl", "list.csv"):
        Path(name).rename(Path("made") / name)
    Path("report.yaml").write_text(
        SPEC.replace("level: watch, show: [region], none: [none]", "level: alarm, none: [off]")
        + "joined: {watch list: list.csv}\n", "utf-8")
    report = told(tierwise, "--results", "made")
    assert [r["firm id"] for r in rows(section(report, "warnings"), "Who is on the list")] == ["F8"]
    assert figures(section(report, "overview"))["approved"] == 5
    found = tierwise("report", "report.yaml")
    assert found.code == 2 and "there is no file `now.jsonl`" in found.err and "--results" in found.err


def test_surveys_before_and_since(folder: Path, tierwise: Any) -> None:
    found = rows(section(told(tierwise), "surveys"), "NPS by theme")
    assert [(r["theme"], r["time"], r["answers"], r["NPS"]) for r in found] == [
        ("rate", "since", 1, -100.0), ("speed", "before 2026-05-01", 2, 0.0), ("speed", "since", 2, 100.0),
    ]


def test_clocks_of_complaints_as_of_the_day(folder: Path, tierwise: Any) -> None:
    blocks = section(told(tierwise), "complaints")
    assert figures(blocks) == {"complaints": 4, "open": 2, "open beyond 15 days": 1, "answered late": 1}
    assert blocks[0]["alarm"] is True


def test_clocks_of_complaints_by_their_kind(folder: Path, tierwise: Any) -> None:
    Path("clocks.csv").write_text("complaint id,status,days allowed\n2,decided,30\n1,decided,5\n3,decided,15\n"
                                  "4,refused,\n", "utf-8")
    by_column = SPEC.replace("days: 15}", "days: days allowed, results: clocks.csv, key: complaint id}")
    Path("report.yaml").write_text(by_column, "utf-8")
    blocks = section(told(tierwise), "complaints")
    assert figures(blocks) == {"complaints": 4, "open": 2, "open beyond the days allowed": 1, "answered late": 1}
    late = {r["theme"]: r["answered late"] for r in rows(blocks, "By theme")}
    assert late == {"speed": 1, "rate": 0}
    assert any("Of 1 complaints `days allowed` is not known" in str(b) for b in blocks)
    Path("report.yaml").write_text(by_column.replace("days allowed", "days alowed"), "utf-8")
    found = tierwise("report", "report.yaml")
    assert found.code == 2 and "no column `days alowed`" in found.err and "did you mean `days allowed`?" in found.err
    Path("report.yaml").write_text(by_column.replace("key: complaint id", "key: complaint"), "utf-8")
    assert tierwise("report", "report.yaml").code == 2


def test_four_fifths_with_a_least_number(folder: Path, tierwise: Any) -> None:
    found = {r["owner gender"]: r for r in rows(section(told(tierwise), "fairness"), "Four fifths by owner gender")}
    assert found["female"]["approval rate"] == 0.75 and found["male"]["approval rate"] == 0.5
    assert found["male"]["ratio to the highest"] == pytest.approx(2 / 3)
    assert found["male"]["reading"] == "below four fifths"
    Path("report.yaml").write_text(SPEC.replace("owner gender], least: 3", "owner gender], least: 30"), "utf-8")
    found = {r["owner gender"]: r for r in rows(section(told(tierwise), "fairness"), "Four fifths by owner gender")}
    assert {r["reading"] for r in found.values()} == {"too few to judge"}


def test_what_if_beside_the_base(folder: Path, tierwise: Any) -> None:
    blocks = section(told(tierwise), "what-if")
    found = {r["decision"]: r for r in rows(blocks, "scores down by ten: decision")}
    assert (found["approve"]["base"], found["approve"]["scores down by ten"], found["approve"]["change"]) == (5, 4, -1)
    whole = rows(blocks, "scores down by ten: exposure approved")[0]
    assert (whole["base"], whole["scores down by ten"]) == (365_000.0, 270_000.0)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(folder: Path, tierwise: Any, language: str) -> None:
    assert tierwise("report", "report.yaml", "-o", "out.html", "--language", language).code == 0
    page = Path("out.html").read_text("utf-8")
    assert "<script" not in page and "<b>GD</b>" not in page and "&lt;b&gt;GD&lt;/b&gt;" in page
    outside = page.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "")
    assert "http://" not in outside and "https://" not in outside and "url(" not in outside
    assert page.count("<svg ") == page.count('role="img"') > 8
    assert ("小型组合" in page) == (language == "zh") and 'lang="zh-CN"' in page or language == "en"


def test_the_same_rows_give_the_same_bytes(folder: Path, tierwise: Any) -> None:
    assert tierwise("report", "report.yaml").out == tierwise("report", "report.yaml").out


@pytest.mark.parametrize("old, new, code, line, told_", [
    ("exposure: limit", "exposure: limt", "E0982", 8, "`now.jsonl` has no column `limt`"),
    ("level: watch", "level: wach", "E0982", 11, "has no column `wach`"),
    ("results: now.jsonl", "results: now.json", "E0981", 4, "there is no file `now.json`"),
    ("key: firm id", "kee: firm id", "E0031", 1, "needs `key`"),
    ("opened: booked", "opened: signed", "E0982", 17, "`repayments.csv` has no column `signed`"),
])
def test_what_is_wrong_is_told_at_its_place(
    folder: Path, tierwise: Any, old: str, new: str, code: str, line: int, told_: str
) -> None:
    Path("report.yaml").write_text(SPEC.replace(old, new), "utf-8")
    found = tierwise("report", "report.yaml", "-o", "out.html")
    assert found.code == 2 and f"error[{code}]" in found.err and f"report.yaml:{line}" in found.err
    assert told_ in found.err and "help:" in found.err
    assert not Path("out.html").exists()


@pytest.mark.parametrize("old, new, line, told_", [
    ("vintages: [30, 90]", "vintages: [30, x]", 20, "expected a whole number of days above 0"),
    ("roll rates: 3", "roll rates: 0", 21, "expected a whole number of months above 0"),
])
def test_numbers_that_are_none(folder: Path, tierwise: Any, old: str, new: str, line: int, told_: str) -> None:
    Path("report.yaml").write_text(SPEC.replace(old, new), "utf-8")
    found = tierwise("report", "report.yaml")
    assert found.code == 2 and f"report.yaml:{line}" in found.err and told_ in found.err


def test_a_report_of_what_is_no_table(folder: Path, tierwise: Any) -> None:
    Path("now.jsonl").write_bytes(b"\x00\x01 nothing")
    found = tierwise("report", "report.yaml", "-o", "out.html")
    assert found.code == 3 and "now.jsonl" in found.err and not Path("out.html").exists()


BROKEN = """
import tierwise
tierwise_hooks = 1


def raising(rows, settings, language):
    raise KeyError("secret")


def printing(rows, settings, language):
    print("hello")
    return [tierwise.ReportNote("fine")]


def ragged(rows, settings, language):
    return [tierwise.ReportTable("t", [("a", "text"), ("b", "count")], [("x",)])]


def strange(rows, settings, language):
    return ["text"]


@tierwise.hookimpl
def register_report_sections():
    made = (raising, printing, ragged, strange)
    return [tierwise.ReportSection(make.__name__, make.__name__.title(), make) for make in made]
"""


def test_a_section_of_a_plugin_that_fails_says_so_in_its_place(folder: Path, tierwise: Any) -> None:
    Path("broken.py").write_text(BROKEN, "utf-8")
    Path("report.yaml").write_text(
        SPEC + "sections:\n  raising: {}\n  printing: {}\n  ragged: {}\n  strange: {}\n", "utf-8")
    report = told(tierwise, "--plugin", "broken.py")
    said = {s["id"]: s["blocks"][0] for s in report["sections"][-4:]}
    assert said["raising"] == {"note": "This section could not be made: it raised KeyError.", "alarm": True}
    assert said["printing"] == {"note": "fine", "alarm": False}
    assert "a row of `t` has not one value for each column" in said["ragged"]["note"]
    assert "it gives what is no table, chart or note" in said["strange"]["note"]


def test_a_section_that_nobody_brings(folder: Path, tierwise: Any) -> None:
    Path("broken.py").write_text(BROKEN, "utf-8")
    Path("report.yaml").write_text(SPEC + "sections:\n  raisin: {}\n", "utf-8")
    found = tierwise("report", "report.yaml", "--plugin", "broken.py")
    assert found.code == 2 and "error[E0983]" in found.err and "did you mean `raising`?" in found.err


def test_a_what_if_that_moves_nobody_says_so_in_a_line(folder: Path, tierwise: Any) -> None:
    Path("report.yaml").write_text(SPEC.replace("down.jsonl", "now.jsonl"), "utf-8")
    blocks = section(told(tierwise), "what-if")
    assert [b["note"] for b in blocks if "note" in b] == [
        "scores down by ten: tier. 0 of 8 customers have another outcome.",
        "scores down by ten: decision. 0 of 8 customers have another outcome.",
    ]


def test_a_description_is_checked_by_itself(folder: Path, tierwise: Any) -> None:
    """Without its data, as in CI; a folder of policies with one beside them is none the worse for it."""
    for path in folder.glob("*.jsonl"):
        path.unlink()
    found = tierwise("check", "report.yaml")
    assert (found.code, found.err) == (0, "report.yaml: no problems\n")
    assert tierwise("check", ".").code == 0
    Path("report.yaml").write_text(SPEC.replace("warnings: {level", "warnings: {levels"), "utf-8")
    found = tierwise("check", "report.yaml")
    assert found.code == 1 and "error[E0030]" in found.out and "report.yaml:11" in found.out
