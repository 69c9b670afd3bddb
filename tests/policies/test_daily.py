"""Thirty daily runs of the reminders and of the care over the sample portfolio, one day skipped, one repeated late:
nothing is sent twice and nothing is missed."""
from __future__ import annotations

import csv
import datetime
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import engine

SME = Path(__file__).parents[2] / "policies" / "sme"
SAMPLES = SME / "samples"
FIRST = datetime.date(2026, 7, 1)
DAYS = [FIRST + datetime.timedelta(n) for n in range(30)]
SKIPPED, REPEATED = datetime.date(2026, 7, 14), datetime.date(2026, 7, 9)
FILES = {"instalments": "repayments"}                           # the same rows, each of its loan
HISTORIES = {
    "reminders": ("repayments", "loans", "instalments", "contacts"),
    "care": ("loans", "repayments", "contacts"),
}
#: Firm, action and period; and the day on which it was given out, or on which it was due.
Sent = tuple[str, str, str]
Days = dict[Sent, list[datetime.date]]
Month = tuple[str, Days, Days]

pytestmark = pytest.mark.real


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def day_of(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


@pytest.fixture(scope="module")
def firms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample firms with the segment and tier that `lending` gives them."""
    folder = tmp_path_factory.mktemp("firms")
    engine.load_policy(SME / "lending.yaml").run(
        SAMPLES / "firms.csv", as_of=FIRST, out=folder / "lent.csv", only=("segment", "tier"),
        history={name: SAMPLES / f"{name}.csv" for name in ("invoices", "repayments")},
        deployment=SME / "deployment.yaml",
    )
    lent = {row["firm id"]: row for row in rows(folder / "lent.csv")}
    with (folder / "firms.csv").open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        for number, row in enumerate(rows(SAMPLES / "firms.csv")):
            if number == 0:
                out.writerow([*row, "segment", "tier"])
            out.writerow([*row.values(), lent[row["firm_id"]]["segment"], lent[row["firm_id"]]["tier"]])
    return folder / "firms.csv"


@pytest.fixture(scope="module", params=["reminders", "care"])
def month(request: pytest.FixtureRequest, firms: Path, tmp_path_factory: pytest.TempPathFactory) -> Month:
    return _month(request.param, firms, tmp_path_factory)


@pytest.fixture(scope="module")
def reminded(firms: Path, tmp_path_factory: pytest.TempPathFactory) -> Month:
    return _month("reminders", firms, tmp_path_factory)


_MONTHS: dict[str, Month] = {}


def _month(name: str, firms: Path, tmp_path_factory: pytest.TempPathFactory) -> Month:
    """The policy, what was given out on which days, and what it called due on each day that there was a run."""
    if name in _MONTHS:
        return _MONTHS[name]
    folder = tmp_path_factory.mktemp(name)
    policy = engine.load_policy(SME / f"{name}.yaml")
    history = {history: SAMPLES / f"{FILES.get(history, history)}.csv" for history in HISTORIES[name]}
    given: Days = defaultdict(list)
    due: Days = defaultdict(list)
    runs = [day for day in DAYS if day != SKIPPED]
    runs.insert(runs.index(datetime.date(2026, 7, 20)), REPEATED)
    for number, day in enumerate(runs):
        who = "duckdb" if number % 10 == 0 else "python"        # which take turns with one ledger
        for ledger, kept in ((folder / "ledger.csv", given), (None, due)):
            place = folder / "actions.csv"
            policy.run(
                firms, as_of=day, out=folder / "out.csv", history=history, engine=who,
                only=("actions",), actions=place, ledger=ledger,
            )
            for row in rows(place):
                kept[row["firm id"], row["action"], row["once per"]].append(day)
    with (folder / "ledger.csv").open(encoding="utf-8") as stream:
        assert sum(1 for _ in stream) == 1 + len(given)
    _MONTHS[name] = name, given, due
    return _MONTHS[name]


def test_nothing_is_sent_twice(month: Month) -> None:
    _, given, _ = month
    assert [sent for sent, days in given.items() if len(days) > 1] == []
    assert len(given) > 500


def test_nothing_that_is_due_is_missed(month: Month) -> None:
    _, given, due = month
    assert given.keys() == due.keys()
    # each on the first day that it was due, but for the day repeated, which found all its own gone
    assert [sent for sent, days in due.items() if given[sent][0] != min(days)] == []
    assert all(SKIPPED not in days for days in given.values())


def test_what_the_skipped_day_would_have_sent_came_the_day_after(month: Month, firms: Path, tmp_path: Path) -> None:
    name, given, _ = month
    policy = engine.load_policy(SME / f"{name}.yaml")
    history = {history: SAMPLES / f"{FILES.get(history, history)}.csv" for history in HISTORIES[name]}
    policy.run(
        firms, as_of=SKIPPED, out=tmp_path / "out.csv", history=history, engine="python",
        only=("actions",), actions=tmp_path / "actions.csv",
    )
    would = {(row["firm id"], row["action"], row["once per"]) for row in rows(tmp_path / "actions.csv")}
    assert would - given.keys() == set()
    late = [sent for sent in would if given[sent] == [SKIPPED + datetime.timedelta(1)]]
    assert late


def test_every_instalment_was_told_before_its_day(reminded: Month) -> None:
    """By the sample's own rows: of each instalment that stood open, a message went out that took it in, in time."""
    _, given, _ = reminded
    sent = defaultdict(list)
    for (firm, action, period), days in given.items():
        if action == "instalment reminder":
            sent[firm].append((days[0], day_of(period)))
    told = 0
    for row in rows(SAMPLES / "repayments.csv"):
        due, booked = day_of(row["due"]), day_of(row["booked"])
        paid = day_of(row["paid"]) if row["paid"] else datetime.date.max
        known = max(booked, FIRST)
        if not known + datetime.timedelta(3) <= due <= DAYS[-1] or paid < due:
            continue
        assert any(day <= due <= period for day, period in sent[row["firm_id"]]), row
        told += 1
    assert told > 100


def test_no_offer_went_to_who_opted_out(month: Month) -> None:
    _, given, _ = month
    out = {row["firm_id"] for row in rows(SAMPLES / "firms.csv") if row["opted_out"] != "false"}
    offers = [sent for sent in given if sent[1] in ("renewal call", "offer of a new loan", "offer of cash management")]
    assert len(offers) > 10
    assert [sent for sent in offers if sent[0] in out] == []
