"""The previous decision as columns of a portfolio: never bad data, and not missed where there are none."""
from __future__ import annotations

import csv
import datetime
import io
from pathlib import Path
from typing import Any

import pytest

from engine.policy import Policy, load_policy
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import EXTRAS, Quiet, Request
from engine.portfolio.running import run
from engine.portfolio.shared import Usage
from tests.commands.conftest import CUSTOMERS, POLICY, Tierwise
from tests.commands.conftest import tierwise as tierwise
from tests.portfolio.columnar.both import DAY, agree

RENEWAL = Path(__file__).resolve().parents[2] / "language" / "renewal.yaml"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(RENEWAL)


def test_its_columns_are_read_and_refuse_nobody(policy: Policy, tmp_path: Path) -> None:
    data = tmp_path / "customers.csv"
    data.write_text(
        "firm id,score,previous,previous.tier,previous.limit,previous.as of,previous.decision\n"
        "F1,47,true,A,100,2026-01-01,approve\nF2,47,true,Z,much,soon,decline\nF3,47,,,,,\n"
    )
    found = agree(policy, Request(str(data), DAY, ()), tmp_path)
    rows = list(csv.DictReader(io.StringIO(found.out)))
    assert [r["tier"] for r in rows] == ["A", "", "B"]
    assert [r["limit"] for r in rows] == ["120", "1000", "1000"]
    assert found.summary is not None and found.summary.refused == 0


def test_a_portfolio_without_it_is_told_nothing(policy: Policy, tmp_path: Path) -> None:
    data = tmp_path / "customers.csv"
    data.write_text("firm id,score\nF1,47\n")
    assert agree(policy, Request(str(data), DAY, ()), tmp_path).notes == []


# --- `--previous` -----------------------------------------------------------------------------------

BEFORE = datetime.date(2026, 1, 15)
FIRST = "firm id,score\nF1,60\nF2,30\nF3,x\nF4,10\n,20\n"
NOW = "firm id,score\nF1,47\nF2,47\nF3,47\nF9,47\n,47\nF4,x\n"


def stored(policy: Policy, folder: Path, form: str, day: datetime.date = BEFORE, **more: Any) -> Path:
    """The results of an earlier run."""
    data, out = folder / "first.csv", folder / f"before.{form}"
    data.write_text(FIRST)
    run(policy, Request(str(data), day, out=str(out), **more), Quiet(), "duckdb")
    return out


def request(folder: Path, previous: Path, text: str = NOW, **more: Any) -> Request:
    data = folder / "customers.csv"
    data.write_text(text)
    return Request(str(data), DAY, previous=str(previous), **{"previous_as_of": BEFORE, **more})


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_earlier_run_is_read(policy: Policy, tmp_path: Path, form: str) -> None:
    before = stored(policy, tmp_path, form)
    found = agree(policy, request(tmp_path, before, extras=EXTRAS), tmp_path)
    rows = {r["firm id"]: r for r in csv.DictReader(io.StringIO(found.out))}
    assert {key: rows[key]["tier"] for key in ("F1", "F2", "F3", "F9")} == {"F1": "A", "F2": "B", "F3": "B", "F9": "B"}
    assert {key: rows[key]["limit"] for key in ("F1", "F2", "F9")} == {"F1": "1200", "F2": "1200", "F9": "1000"}
    assert rows["F1"]["was large"] == "true"
    # F4 is there, though it is refused; the decision without a key is of nobody
    assert found.notes[1:] == [f"1 decision in {before} without a customer in {tmp_path / 'customers.csv'}"]
    one = policy.decide({"firm id": "F1", "score": 47}, as_of=DAY, previous=logged_by(policy, "F1", 60))
    assert rows["F1"]["tier"] == one.values["tier"]


def logged_by(policy: Policy, firm: str, score: float) -> Any:
    return policy.decide({"firm id": firm, "score": score}, as_of=BEFORE)


@pytest.mark.parametrize("form", ["parquet", "xlsx"])
def test_other_tables_are_read_too(policy: Policy, tmp_path: Path, form: str) -> None:
    wanted = agree(policy, request(tmp_path, stored(policy, tmp_path, "csv")), tmp_path).out
    run(policy, request(tmp_path, stored(policy, tmp_path, form), out=str(tmp_path / "now.csv")), Quiet(), "duckdb")
    assert (tmp_path / "now.csv").read_text("utf-8") == wanted


@pytest.mark.parametrize("more", [
    {"where": 'previous != null and previous.tier = "A"'}, {"limit": 2}, {"only": ("tier",)}, {"form": "jsonl"},
    {"previous_as_of": DAY}, {"previous_as_of": datetime.date(2026, 8, 1)}, {"previous_as_of": None},
], ids=str)
def test_options(policy: Policy, tmp_path: Path, more: dict[str, Any]) -> None:
    found = agree(policy, request(tmp_path, stored(policy, tmp_path, "csv"), **more), tmp_path)
    if "where" in more:
        assert [r["firm id"] for r in csv.DictReader(io.StringIO(found.out))] == ["F1"]
    if more.get("previous_as_of") == datetime.date(2026, 8, 1):
        assert any("of a later date than 2026-07-01" in note for note in found.notes)
    if "previous_as_of" in more and more["previous_as_of"] is None:
        assert found.end is not None and found.end[0] == "the date of the decision is not known"


@pytest.mark.parametrize("text, told", [
    ("firm id,tier,limit\nF1,A,much\n", "`limit` `much` is not a number"),
    ("firm id,tier,limit\nF1,Z,1e200\n", None),
    ("firm id,status,limit\nF1,refused,much\nF1,decided,5\n", None),
    ("firm id,tier\nF1,A\nF2,B\nF1,B\n", "`F1` has a decision on line 2 too"),
    ("tier,limit\nA,5\n", "has no column `firm id`"),
    ("firm id,tier\nF1,A,x\n", "3 fields where the header has 2"),
    ("firm id,as of,tier\nF1,2026-01-01,A\nF2,soon,A\n", "`as of` `soon` is not a date"),
    ("firm id,as_of,tier\nF1,2026-08-01,A\nF2,,A\n", None),
    ("firm id,score\nF1,5\n", None),
    ("firm id\n", None),
])
def test_what_is_wrong_with_it(policy: Policy, tmp_path: Path, text: str, told: str | None) -> None:
    before = tmp_path / "before.csv"
    before.write_text(text)
    end = agree(policy, request(tmp_path, before), tmp_path).end
    assert (end is None) == (told is None)
    if end is not None and told is not None:
        assert told in end[0]


def test_a_policy_that_does_not_ask_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY, "utf-8")
    data = tmp_path / "customers.csv"
    data.write_text(CUSTOMERS)
    found = agree(load_policy(path), Request(str(data), DAY, previous="nothing.csv"), tmp_path)
    assert "nothing.csv was not read: the policy asks nothing of `previous`" in found.notes


def test_columns_of_the_data_give_way(policy: Policy, tmp_path: Path) -> None:
    before = stored(policy, tmp_path, "csv")
    text = "firm id,score,previous,previous.tier\nF1,47,true,C\nF9,47,true,A\n"
    found = agree(policy, request(tmp_path, before, text), tmp_path)
    assert [r["tier"] for r in csv.DictReader(io.StringIO(found.out))] == ["A", "B"]


def test_a_date_alone_is_told(policy: Policy, tmp_path: Path) -> None:
    data = tmp_path / "customers.csv"
    data.write_text(NOW)
    with pytest.raises(Usage, match="`--previous-as-of` is the date of what `--previous` names"):
        run(policy, Request(str(data), DAY, out=str(tmp_path / "o.csv"), previous_as_of=BEFORE), Quiet(), "python")


KEYED = """\
policy: keyed
version: "1"
effective: {{from: 2026-01-01}}
owner: tests
currency: CNY
inputs:
  id: {{type: {kind}, key: true}}
  book: {{type: string, key: true}}
service:
  since:
    type: date
    value: get or else(previous.since, as of)
  term:
    type: days and time duration
    value: get or else(previous.term, duration("P1D")) + duration("P1D")
  amount:
    type: money
    value: get or else(previous.amount, 1) + 1
  good:
    type: boolean
    value: previous = null
"""


@pytest.mark.parametrize("kind, ids", [
    ("number", ["7", "7.0", "08", "-1"]), ("date", ["2026-01-01", "2026-02-01"]), ("string", ["1", "01"]),
])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_keys_and_outcomes_of_other_kinds(tmp_path: Path, kind: str, ids: list[str], form: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(KEYED.format(kind=kind), "utf-8")
    policy = load_policy(path)
    data = tmp_path / "customers.csv"
    rows = [(key, book) for key in dict.fromkeys(ids if kind != "number" else [ids[0], *ids[2:]]) for book in "xy"]
    data.write_text("id,book\n" + "".join(f"{key},{book}\n" for key, book in rows[:-1]))
    first = agree(policy, Request(str(data), BEFORE, form=form), tmp_path)
    before = tmp_path / f"before.{form}"
    before.write_text(first.out, "utf-8")
    data.write_text("id,book\n" + "".join(f"{key},{book}\n" for key in ids for book in "xyz"))
    again = Request(str(data), DAY, previous=str(before), previous_as_of=BEFORE, form="csv")
    found = list(csv.DictReader(io.StringIO(agree(policy, again, tmp_path).out)))
    assert {r["since"] for r in found} == {str(BEFORE), str(DAY)}
    assert {r["term"] for r in found} == {"P2D", "P3D"}
    assert {r["amount"] for r in found} == {"2", "3"}


def test_a_run_in_parts_is_of_one_earlier_run(policy: Policy, tmp_path: Path) -> None:
    before = stored(policy, tmp_path, "csv")
    asked = request(tmp_path, before, out=str(tmp_path / "parts"), run_id="july")
    run(policy, asked, Quiet(), "duckdb")
    run(policy, asked, Quiet(), "duckdb")
    before.write_text(before.read_text().replace("A", "B"))
    with pytest.raises(DataProblem, match="was begun with another earlier run"):
        run(policy, asked, Quiet(), "duckdb")


def test_the_command(policy: Policy, tierwise: Tierwise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = stored(policy, tmp_path, "csv")
    (tmp_path / "customers.csv").write_text(NOW)
    args = ["run", str(RENEWAL), "customers.csv", "--as-of", "2026-07-01", "--previous", before.name, "--no-summary"]
    done = tierwise(*args, "--previous-as-of", "2026-01-15", "-o", "out.csv")
    assert done.code == 1 and "1 decision in before.csv without a customer in customers.csv" in done.err
    assert tierwise(*args, "-o", before.name).code == 2
    done = tierwise(*args, "-o", "out.csv")
    assert done.code == 3 and "before.csv:2: the date of the decision is not known" in done.err
