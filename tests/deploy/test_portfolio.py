"""A portfolio out of sources, by both engines: every customer once, in order, with the same account of what failed."""
from __future__ import annotations

import csv
import datetime
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engine.deploy.deployment import OpenDeployment
from engine.deploy.document import DeploymentError
from engine.hookspecs import PluginFailure
from engine.policy import Policy, load_policy
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import Quiet, Request, Summary
from engine.portfolio.running import run, supplied
from engine.portfolio.shared import Usage
from tests.commands.conftest import POLICY
from tests.deploy.kinds import D, Kinds, Memory, bureau, core
from tests.deploy.test_one import edit

DAY = datetime.date(2026, 7, 1)
ENGINES = ("duckdb", "python")
Rows = list[dict[str, str]]


def ran(policy: Policy, kinds: Kinds, engine: str, **more: Any) -> tuple[Rows, Summary, list[str]]:
    listener = Quiet()
    request = Request(more.pop("data", ""), DAY, out="out.csv").replace(**more)
    with OpenDeployment("deployment.yaml", kinds) as deployment:
        summary = run(policy, supplied(policy, request, deployment, False), listener, engine)
    with open("out.csv", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream)), summary, listener.notes


def both(policy: Policy, make: Callable[[], Kinds], **more: Any) -> tuple[Rows, Summary, list[str]]:
    """What both engines say, which is the same."""
    found = [ran(policy, make(), engine, **more) for engine in ENGINES]
    assert found[0][0] == found[1][0]
    assert found[0][2] == found[1][2]
    plain = [summary.replace(engine="", seconds=0.0) for _, summary, _ in found]
    assert plain[0] == plain[1]
    return found[0]


def usual() -> Kinds:
    return Kinds(core=core, bureau=bureau)


def shown(rows: Rows) -> list[tuple[str, str, str, str]]:
    return [(row["firm id"], row["status"], row["decision"], row["failures"]) for row in rows]


def test_every_customer_once_in_order(policy: Policy, deployment: Path) -> None:
    rows, summary, notes = both(policy, usual)
    assert shown(rows) == [
        ("F1", "decided", "approve", ""), ("F2", "open", "refer", ""), ("F5", "decided", "decline", ""),
        ("F7", "open", "refer", ""),
    ]
    assert rows[1]["missing"] == "dscr"
    assert summary.sources["dscr"] == {"bureau.scores.dscr": 2, "core.firms.last_score": 0, "": 2}
    assert summary.sources["grade"] == {"core.firms.grade": 4, "": 0}
    assert notes == []


def test_each_row_is_what_one_customer_gets(policy: Policy, deployment: Path) -> None:
    rows, _, _ = both(policy, usual)
    with OpenDeployment(deployment, usual()) as found:
        for row in rows:
            decision = found.decide(policy, row["firm id"], as_of=DAY)
            assert decision.values["decision"] == row["decision"]
            assert ";".join(decision.reasons) == row["reasons"]


def test_an_input_that_nothing_is_bound_to_is_told(policy: Policy, deployment: Path) -> None:
    edit(deployment, "  grade: core.firms.grade\n", "")
    _, _, notes = both(policy, usual)
    assert notes == ["no column for `grade`: it was missing in every row"]


def test_the_trace_tells_where_values_came_from(policy: Policy, deployment: Path) -> None:
    def hook(how: str, table: str, fields: Any, keys: Any) -> Any:
        if table != "repayments":
            return None
        if how == "one":
            if keys == "F7":
                raise PluginFailure("a page was lost")
            return None
        return batch(
            firm_id=["F1", "F7"], due=pa.array([D(2026, 1, 10)] * 2), failed=[None, "a page was lost"],
            paid=pa.array([D(2026, 1, 9)] * 2),
        )

    edit(deployment, "kind: bureau,", "kind: bureau, batch timeout: 5s,")
    make = lambda: Kinds(core=lambda: core(hook), bureau=lambda: bureau(two_fail))  # noqa: E731
    found = [ran(policy, make(), engine, extras=("trace",))[0] for engine in ENGINES]
    told = [[json.loads(row["trace"])["sources"] for row in rows] for rows in found]
    for origin in (origin for rows in told for row in rows for origin in row):
        assert abs(datetime.datetime.fromisoformat(origin.pop("fetched")) - now()) < datetime.timedelta(minutes=5)
    assert told[0] == told[1]
    assert [origin["source"] for origin in told[0][0]] == [
        "core.firms.annual_revenue", "core.firms.grade", "core.firms.founded", "bureau.scores.dscr", "core.repayments"
    ]
    assert told[0][3][3]["passed_over"][0]["detail"] == "503"
    assert told[0][3][4]["passed_over"][0]["detail"] == "a page was lost"


def now() -> datetime.datetime:
    return datetime.datetime.now().astimezone()


def test_customers_of_one_source_only(policy: Policy, deployment: Path) -> None:
    def other() -> Memory:
        found = bureau()
        found.tables["scores"][1].append({"id": "F99", "dscr": 3.0, "score": 1.0})
        found.tables["scores"][1].append({"id": None, "dscr": 3.0, "score": 1.0})
        return found

    rows, _, _ = both(policy, lambda: Kinds(core=core, bureau=other))
    assert [row["firm id"] for row in rows] == ["F1", "F2", "F5", "F7"]


def test_keys_that_repeat_are_told_as_in_a_file(policy: Policy, deployment: Path) -> None:
    def twice() -> Memory:
        found = core()
        rows = found.tables["firms"][1]
        rows.insert(2, {**rows[0], "annual_revenue": 5.0})
        rows.append({**rows[0], "firm_id": None})
        return found

    make = lambda: Kinds(core=twice, bureau=bureau)  # noqa: E731
    rows, summary, notes = both(policy, make)
    assert [(row["firm id"], row["limit"]) for row in rows[:3]] == [("F1", "200"), ("F2", "0"), ("F1", "1")]
    assert (summary.repeated_keys, summary.null_keys, summary.rows) == (1, 1, 6)
    assert "1 row with a key that an earlier row had" in notes
    rows, summary, _ = both(policy, make, on_repeated_key="refuse")
    assert rows[2]["problem"].startswith("the key stands in an earlier row too")
    with OpenDeployment(deployment, make()) as found:   # who asks for one customer does not say which row is meant
        passed = found.decide(policy, "F1", as_of=DAY).sources["grade"].passed
    assert [each.detail for each in passed] == ["it gives several rows of `firms` for one customer, and facts are one"]


def test_two_rows_of_facts_for_a_customer_are_a_failure(policy: Policy, deployment: Path) -> None:
    edit(deployment, "[bureau.scores.dscr, core.firms.last_score]", "bureau.scores.dscr")
    edit(deployment, "\n    stale after: P30D", "")

    def twice() -> Memory:
        found = bureau()
        found.tables["scores"][1].append({"id": "F1", "dscr": 0.1, "score": 1.0})
        return found

    rows, _, notes = both(policy, lambda: Kinds(core=core, bureau=twice))
    told = "bureau.scores: it gives several rows of `scores` for one customer, and facts are one"
    assert shown(rows)[0] == ("F1", "open", "refer", told)
    assert f"bureau.scores failed for 1 customer: {told.partition(': ')[2]}" in notes


# --- a file gives the customers, sources the rest ----------------------------------------------------------


def test_a_file_and_sources(policy: Policy, deployment: Path) -> None:
    Path("firms.csv").write_text("firm id,grade,note\nF7,A,x\n\nF1,,y\nF0,A,z\n", "utf-8")
    made: list[Kinds] = []

    def make() -> Kinds:
        made.append(usual())
        return made[-1]

    rows, summary, _ = both(policy, make, data="firms.csv")
    assert [(row["line"], row["firm id"], row["status"]) for row in rows] == [
        ("2", "F7", "open"), ("4", "F1", "decided"), ("5", "F0", "refused")
    ]
    assert summary.sources["grade"] == {"given": 2, "core.firms.grade": 1, "": 0}
    asked = next(call for source in made[0].opened for call in source.calls if call[:2] == ("batches", "scores"))
    assert asked[3] == ("F7", "F1", "F0")


CELLS = {
    "csv": "firm id,grade,dscr,annual revenue,founded\nF1,,,2000,\nF2,B,abc,,2020-02-30\nF7,C,0.5,-1,2026-01-01\n"
           ",A,2,1,\n",
    "jsonl": "".join(json.dumps(row) + "\n" for row in (
        {"firm id": "F1", "annual revenue": 2000}, {"firm id": "F2", "grade": "B", "dscr": "abc", "founded": [1]},
        {"firm id": "F7", "grade": "C", "dscr": 0.5, "annual revenue": -1, "founded": "2026-01-01"},
        {"firm id": None, "grade": None, "dscr": 2},
    )),
}


@pytest.mark.parametrize("form", CELLS)
def test_cells_of_a_file_go_before_cell_by_cell(policy: Policy, deployment: Path, form: str) -> None:
    Path(f"firms.{form}").write_text(CELLS[form], "utf-8")
    rows, summary, _ = both(policy, usual, data=f"firms.{form}")
    assert [row["status"] for row in rows] == ["decided", "refused", "refused", "refused"]
    assert (rows[0]["decision"], rows[0]["limit"]) == ("approve", "400")
    assert "`dscr` `abc` is not a number" in rows[1]["problem"] and "annual revenue" not in rows[1]["problem"]
    assert summary.sources["dscr"]["given"] == 3


def test_a_file_that_has_every_cell_of_an_input(policy: Policy, deployment: Path) -> None:
    edit(deployment, "customers: core.firms\n", "")
    Path("firms.csv").write_text("firm id,dscr\nF1,0.5\nF5,2\n", "utf-8")
    kinds = usual()
    rows, summary, _ = ran(policy, kinds, "duckdb", data="firms.csv")
    assert [row["decision"] for row in rows] == ["decline", "approve"]
    asked = {call[1] for source in kinds.opened for call in source.calls if call[0] == "batches"}
    assert asked == {"firms", "repayments"}
    assert summary.sources["dscr"] == {"bureau.scores.dscr": 0, "core.firms.last_score": 0, "": 0, "given": 2}
    assert both(policy, usual, data="firms.csv")[0] == rows


def test_a_history_whose_owner_a_source_tells(bare: Path, tmp_path: Path) -> None:
    """The rows are of a group, which the customer's facts name."""
    text = POLICY.replace("    key: firm id\n", "    key: grade\n").replace(", values: [A, B]", "")
    path = tmp_path / "policy.yaml"
    path.write_text(text, "utf-8")

    def grouped(hook: Callable[..., Any] | None = None) -> Memory:
        found = core(hook)
        table, _ = found.tables["repayments"]
        found.tables["repayments"] = table, [
            {"firm_id": "A", "due": D(2026, 1, 10), "paid": D(2026, 1, 9)},
            {"firm_id": "B", "due": D(2026, 1, 10), "paid": D(2026, 2, 1)},
        ]
        return found

    policy = load_policy(path)
    rows, _, _ = both(policy, lambda: Kinds(core=grouped, bureau=bureau))
    assert [row["reasons"] for row in rows] == ["", "MISSING", "R2", "R1;MISSING"]
    Path("firms.csv").write_text("firm id,dscr\nF7,3\nF1,2\n", "utf-8")
    rows, _, _ = both(policy, lambda: Kinds(core=grouped, bureau=bureau), data="firms.csv")
    assert [row["reasons"] for row in rows] == ["R1", ""]

    def lost(how: str, table: str, fields: Any, keys: Any) -> Any:
        if table == "repayments" and (how == "batches" or keys == "B"):
            if how == "one":
                raise PluginFailure("cut")
            return batch(firm_id=["A", "B"], due=pa.array([D(2026, 1, 10)] * 2), paid=pa.array([D(2026, 1, 9)] * 2),
                         failed=[None, "cut"])
        return None

    rows, _, _ = both(policy, lambda: Kinds(core=lambda: grouped(lost), bureau=bureau))
    assert [row["failures"] for row in rows] == ["", "", "", "core.repayments: cut"]


def test_a_file_of_events_goes_before_the_source(policy: Policy, deployment: Path) -> None:
    Path("rep.csv").write_text("firm_id,due,paid\nF1,2026-01-10,2026-02-01\n", "utf-8")
    rows, _, _ = both(policy, usual, histories=(("repayments", "rep.csv"),))
    assert [row["decision"] for row in rows] == ["refer", "refer", "decline", "refer"]


def test_where_and_limit(policy: Policy, deployment: Path) -> None:
    rows, _, _ = both(policy, usual, where="dscr > 1 and grade = \"A\"", limit=5)
    assert [row["firm id"] for row in rows] == ["F1"]
    rows, _, _ = both(policy, usual, limit=2)
    assert [row["firm id"] for row in rows] == ["F1", "F2"]
    rows, _, _ = both(policy, usual, only=("segment",))
    assert [row["segment"] for row in rows] == ["core", "core", "new", "core"]


# --- failures, hostile plugins -----------------------------------------------------------------------------


def batch(**columns: Any) -> list[pa.RecordBatch]:
    return [pa.RecordBatch.from_pydict(columns)]


def scores(answer: Callable[..., Any]) -> Callable[[], Kinds]:
    """A bureau that answers so, in batches."""
    def hook(how: str, _: str, fields: Any, keys: Any) -> Any:
        return answer(fields) if how == "batches" else None

    return lambda: Kinds(core=core, bureau=lambda: bureau(hook))


def raising(problem: BaseException) -> Callable[..., Any]:
    def answer(_: Any) -> Any:
        raise problem

    return answer


def then_raising(problem: BaseException) -> Callable[..., Any]:
    def answer(_: Any) -> Any:
        yield from batch(id=["F1"], dscr=[0.5])
        raise problem

    return answer


def mutating(fields: Any) -> Any:
    fields.clear()                                      # a list of the engine's own would lose its fields


@pytest.fixture
def bare(deployment: Path) -> Path:
    """The bureau alone gives the ratio, so that each failure shows."""
    edit(deployment, "[bureau.scores.dscr, core.firms.last_score]", "bureau.scores.dscr")
    edit(deployment, "\n    stale after: P30D", "")
    return deployment


HOSTILE = {
    "a failure in words": (raising(PluginFailure("503 for tok-9f3a")), "503 for ***"),
    "an exception with a secret": (raising(ValueError("tok-9f3a")), "it raised ValueError"),
    "an exit": (raising(SystemExit(0)), "it tried to end the program"),
    "a column short": (lambda _: batch(id=["F1"]), "its rows of `scores` have no column `dscr`"),
    "no key": (lambda _: batch(dscr=[1.0]), "its rows of `scores` have no column `id`"),
    "texts for numbers": (
        lambda _: batch(id=["F1"], dscr=["1"]), "its `scores.dscr` holds strings, where it declares numbers"),
    "truths for numbers": (
        lambda _: batch(id=["F1"], dscr=[True]), "its `scores.dscr` holds booleans, where it declares numbers"),
    "lists for numbers": (lambda _: batch(id=["F1"], dscr=[[1.0]]), "its `scores.dscr` holds what is no number"),
    "rows in a list": (lambda _: [[{"id": "F1", "dscr": 1.0}]], "it gives what is no batch of rows"),
    "no batches": (lambda _: 7, "it raised TypeError"),
    "nothing in place of a batch": (lambda _: [None], "it gives what is no batch of rows"),
    "a change of what it is given": (mutating, "it raised AttributeError"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_source_costs_its_own_values_alone(
    policy: Policy, bare: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOKEN", "tok-9f3a")
    edit(bare, "kind: bureau,", "kind: bureau, token: {secret: TOKEN},")
    answer, text = HOSTILE[name]
    rows, summary, notes = ran(policy, scores(answer)(), "duckdb")
    assert [(row["firm id"], row["decision"], row["failures"]) for row in rows] == [
        (key, "refer", f"bureau.scores: {text}") for key in ("F1", "F2", "F5", "F7")
    ]
    assert f"bureau.scores failed for 4 customers: {text}" in notes
    assert summary.sources["dscr"] == {"bureau.scores.dscr": 0, "": 4}
    assert "tok-9f3a" not in Path("out.csv").read_text("utf-8") + "".join(notes) + "".join(capsys.readouterr())


def test_what_was_had_before_a_failure_counts(policy: Policy, bare: Path) -> None:
    rows, _, _ = ran(policy, scores(then_raising(PluginFailure("reset")))(), "duckdb")
    assert shown(rows)[0] == ("F1", "decided", "decline", "")
    assert [row["failures"] for row in rows[1:]] == ["bureau.scores: reset"] * 3


def test_a_source_that_blocks(policy: Policy, bare: Path) -> None:
    edit(bare, "timeout: 200ms", "timeout: 200ms, batch timeout: 300ms")
    gate = threading.Event()
    begun = time.monotonic()
    rows, _, _ = ran(policy, scores(lambda _: gate.wait())(), "duckdb")
    assert time.monotonic() - begun < 30
    gate.set()
    assert {row["failures"] for row in rows} == {"bureau.scores: no answer within 0.3 s"}


def test_what_a_source_prints_is_not_among_the_results(
    policy: Policy, bare: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def chatty(_: Any) -> Any:
        print("fetching")
        yield from batch(id=["F1"], dscr=[0.5])
        print("done")

    ran(policy, scores(chatty)(), "duckdb")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "fetching\ndone\n")


def test_customers_that_a_source_marks_as_failed(policy: Policy, bare: Path) -> None:
    def marked(how: str, _: str, fields: Any, keys: Any) -> Any:
        if how == "one":
            if keys == "F5":
                raise PluginFailure("no consent")
            return None
        return batch(id=["F5", "F1"], dscr=[None, 1.5], failed=["no consent", None])

    rows, _, _ = both(policy, lambda: Kinds(core=core, bureau=lambda: bureau(marked)))
    assert shown(rows) == [
        ("F1", "decided", "approve", ""), ("F2", "open", "refer", ""),
        ("F5", "open", "refer", "bureau.scores: no consent"), ("F7", "open", "refer", ""),
    ]


def test_what_is_no_number_is_missing(policy: Policy, bare: Path) -> None:
    values = [float("nan"), float("inf")]
    rows, _, _ = ran(policy, scores(lambda _: batch(id=["F1", "F5"], dscr=values))(), "duckdb")
    assert shown(rows)[0] == ("F1", "open", "refer", "")


def test_a_history_whose_source_fails_is_not_supplied(policy: Policy, deployment: Path) -> None:
    def hook(_: str, table: str, *__: Any) -> Any:
        if table == "repayments":
            raise PluginFailure("timeout")
        return None

    rows, _, notes = both(policy, lambda: Kinds(core=lambda: core(hook), bureau=bureau))
    assert [row["reasons"] for row in rows] == ["R3", "R3;MISSING", "R2", "R3;MISSING"]
    assert {row["failures"] for row in rows} == {"core.repayments: timeout"}
    assert "core.repayments failed for 4 customers: timeout" in notes


def test_events_of_which_not_all_could_be_had(policy: Policy, deployment: Path) -> None:
    """Some of a customer's rows would pass for all of them."""
    def hook(how: str, table: str, fields: Any, keys: Any) -> Any:
        if table != "repayments":
            return None
        if how == "one":
            if keys == "F7":
                raise PluginFailure("a page was lost")
            return None
        return batch(
            firm_id=["F1", "F7", "F7"], due=pa.array([D(2026, 1, 10)] * 3), failed=[None, None, "a page was lost"],
            paid=pa.array([D(2026, 1, 9)] * 3),
        )

    rows, _, _ = both(policy, lambda: Kinds(core=lambda: core(hook), bureau=bureau), extras=("reasons",))
    assert [row["failures"] for row in rows] == ["", "", "", "core.repayments: a page was lost"]
    assert rows[0]["reasons"] == "" and rows[3]["reasons"] == "R3;MISSING"


def test_a_required_input_that_could_not_be_had_is_told(policy: Policy, deployment: Path) -> None:
    def marked(how: str, table: str, fields: Any, keys: Any) -> Any:
        return None

    def broken() -> Memory:
        found = core(marked)
        found.tables["firms"][1][1]["annual_revenue"] = -5.0
        return found

    rows, _, _ = both(policy, lambda: Kinds(core=broken, bureau=bureau))
    assert rows[1]["problem"] == "`annual revenue` `-5` is outside its range >= 0"
    edit(deployment, "annual revenue: core.firms.annual_revenue", "annual revenue: bureau.scores.score")
    rows, _, _ = ran(policy, scores(raising(PluginFailure("503")))(), "duckdb")
    assert {row["problem"] for row in rows} == {"`annual revenue` is required and missing (bureau.scores: 503)"}


def test_customers_that_cannot_be_listed_end_the_run(policy: Policy, deployment: Path) -> None:
    def hook(how: str, *_: Any) -> Any:
        raise PluginFailure("refused")

    for engine in ENGINES:
        with pytest.raises(DataProblem, match="^the customers cannot be had from `core.firms`: refused$"):
            ran(policy, Kinds(core=lambda: core(hook), bureau=bureau), engine)
        assert not Path("out.csv").exists()


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"run_id": "r"}, "`--run-id` goes on with tables"),
        ({"engine": "spark"}, "the spark engine reads no data sources"),
    ],
)
def test_what_does_not_go_together(policy: Policy, deployment: Path, more: dict[str, Any], text: str) -> None:
    with pytest.raises(Usage, match=text):
        ran(policy, usual(), more.pop("engine", "duckdb"), **more)


def test_a_deployment_that_does_not_say_who_the_customers_are(policy: Policy, deployment: Path) -> None:
    edit(deployment, "customers: core.firms\n", "")
    with pytest.raises(DeploymentError, match="does not say which table lists the customers"):
        ran(policy, usual(), "duckdb")
    edit(deployment, "  annual revenue:", "  firm id: core.firms.firm_id\n  annual revenue:")
    assert len(ran(policy, usual(), "duckdb")[0]) == 4


# --- what a policy says of failures -------------------------------------------------------------------------


def saying(on_failure: str, tmp_path: Path) -> Policy:
    """The policy with a rule that takes a missing ratio for a good one, so that `missing` alone would let it pass."""
    text = POLICY.replace("on missing: refer\n", f"on missing: refer\non failure: {on_failure}\n", 1)
    path = tmp_path / "policy.yaml"
    path.write_text(text.replace("when: dscr < 1\n", "when: 'get or else(dscr, 2) < 1'\n"), "utf-8")
    return load_policy(path)


def two_fail(how: str, _: str, fields: Any, keys: Any) -> Any:
    if how == "one":
        if keys in ("F2", "F7"):
            raise PluginFailure("503")
        return None
    return batch(id=["F1", "F2", "F5", "F7"], dscr=[1.5, None, 0.5, None], failed=[None, "503", None, "503"])


@pytest.mark.parametrize(
    ("on_failure", "decisions", "reasons"),
    [
        ("missing", ["approve", "approve", "decline", "refer"], ["", "", "R2", "R1"]),
        ("refer", ["approve", "refer", "decline", "refer"], ["", "FAILED", "R2", "R1;FAILED"]),
        ("stop", ["approve", "", "decline", ""], ["", "", "R2", ""]),
    ],
)
def test_what_follows_of_a_failure(
    bare: Path, tmp_path: Path, on_failure: str, decisions: list[str], reasons: list[str]
) -> None:
    policy = saying(on_failure, tmp_path)
    rows, summary, _ = both(policy, lambda: Kinds(core=core, bureau=lambda: bureau(two_fail)))
    assert [row["decision"] for row in rows] == decisions
    assert [row["reasons"] for row in rows] == reasons
    assert summary.refused == (2 if on_failure == "stop" else 0)
    if on_failure == "stop":
        assert "(bureau.scores: 503)" in rows[1]["problem"]
    with OpenDeployment(bare, Kinds(core=core, bureau=lambda: bureau(two_fail))) as found:
        for row in rows:
            one = found.decide(policy, row["firm id"], as_of=DAY)
            assert one.values.get("decision", "") == row["decision"]
            assert ";".join(one.reasons) == row["reasons"] if not one.refused else row["status"] == "refused"


def test_what_a_source_says_of_rows_is_shown_without_secrets(
    policy: Policy, deployment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "tok-9f3a")
    edit(deployment, "kind: bureau,", "kind: bureau, token: {secret: TOKEN},")
    words = {"F2": "rejected\n  tok-9f3a", "F5": "x" * 1000, "F7": ""}

    def hook(how: str, _: str, fields: Any, keys: Any) -> Any:
        if how == "one" and keys in words:
            raise PluginFailure(words[keys])
        if how == "one":
            return None
        return batch(id=["F1", *words], dscr=[1.5, None, None, None], failed=[None, *words.values()])

    rows, _, notes = both(policy, lambda: Kinds(core=core, bureau=lambda: bureau(hook)))
    assert [row["failures"] for row in rows] == [
        "", "bureau.scores: rejected ***", f"bureau.scores: {'x' * 300}…", "bureau.scores: it gives no reason"
    ]
    assert "bureau.scores failed for 1 customer: rejected ***" in notes
