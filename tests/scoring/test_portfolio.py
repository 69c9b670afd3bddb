"""Models over a portfolio: the same rows one by one and in columns, whatever the scorer does."""
from __future__ import annotations

import csv
import datetime
import json
import random
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from engine.hookspecs import Field, PluginFailure, Score, ScorerDescription
from engine.policy import Policy, load_policy
from engine.scoring.batch import MOST_IN_A_ROW
from tests.scoring.scorers import Odd, Plain, bound
from tests.scoring.test_single import POLICY

DAY = datetime.date(2026, 7, 1)
EXTRAS = ("reasons", "fired", "open", "missing", "trace", "failures")


def portfolio(path: Path, rows: int, seed: int = 7, answers: bool = False) -> Path:
    """Firms with missing and bad cells, and with answers of their own where asked for."""
    chance = random.Random(seed)
    with path.open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(["firm id", "years", "debt", "assets", *(["model.pd", "model.pd.high debt"] if answers else [])])
        for number in range(rows):
            years = "" if chance.random() < 0.1 else str(chance.randrange(20))
            debt = "much" if chance.random() < 0.02 else f"{chance.uniform(0, 100):.2f}"
            own = ["", ""]
            if chance.random() < 0.2:
                own = [f"{chance.uniform(-0.1, 1.1):.3f}", chance.choice(["true", "false", ""])]
            out.writerow([f"F{number}", years, debt, "100", *(own if answers else [])])
    return path


class Moody(Plain):
    """Answers in all ways by the firm's years, alike one by one and in batches; a batch with some fails as a whole."""

    described = ScorerDescription(
        {"years": Field("number"), "debt ratio": Field("number")}, Field("number"), "v7", ("high debt", "young")
    )

    def __init__(self, batch: str = "rows") -> None:
        self.how = batch

    def one(self, row: Any) -> Any:
        years = row["years"]
        if years in (3, 4) and self.how == "rows":      # a column has no other way to say it
            return Score(float("nan"))
        if years == 3:
            raise PluginFailure("it knows no firm of three years")
        if years == 4:
            raise KeyError("secret")
        if years == 5:
            return Score(float("nan"))
        if years == 6:
            return Score(1.5)
        if years == 7:
            return Score(None)
        if years == 8 and self.how == "fails":
            return Score(0.5, ("unknown",))
        return super().one(row)

    def batch(self, table: pa.Table) -> pa.Table:
        if self.how == "fails":
            raise RuntimeError("as a whole")
        if self.how == "short":
            return super().batch(table.slice(1))
        found = [self.one(row) for row in table.to_pylist()]
        return pa.table({
            "value": pa.array([f.value for f in found], pa.float64()),
            "reasons": pa.array([list(f.reasons) for f in found], pa.list_(pa.string())),
        })


class Short(Plain):
    """Loses a row of each batch."""

    def batch(self, table: pa.Table) -> pa.Table:
        return super().batch(table).slice(1)


def policy(folder: Path, failure: str, asked: str = "false") -> Policy:
    path = folder / "policy.yaml"
    path.write_text(POLICY.format(failure=failure, asked=asked), "utf-8")
    return load_policy(path)


def run(asked: Policy, data: Path, engine: str, **options: Any) -> tuple[list[dict[str, Any]], Any]:
    out = data.with_name(f"{engine}.jsonl")
    summary = asked.run(data, as_of=DAY, out=out, engine=engine, form="jsonl", extras=EXTRAS, **options)
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()], summary


@pytest.mark.parametrize("failure", ["missing", "refer", "stop"])
@pytest.mark.parametrize("how", ["rows", "fails", "short"])
def test_both_engines_give_the_same_rows(tmp_path, failure, how):
    data = portfolio(tmp_path / "firms.csv", 400)
    asked = policy(tmp_path, failure)
    asked.bind({"pd": bound(Moody(how))})
    one, told = run(asked, data, "python")
    many, summary = run(asked, data, "duckdb")
    assert one == many and len(one) == 400
    states = {model["state"] for row in one if row["trace"] for model in json.loads(row["trace"])["models"]}
    failures = {text for row in one for text in row["failures"] or ()}
    assert any(text.startswith("model.pd: it gave `1.5`, which") for text in failures) == (failure != "stop")
    assert ("model.pd: it knows no firm of three years" in failures) == (failure != "stop" and how != "rows")
    refused = [row["problem"] for row in one if row["problem"] and "the scorer failed" in row["problem"]]
    assert all(problem.endswith(")") and " (model.pd: it " in problem for problem in refused)
    assert bool(refused) == (failure == "stop")
    assert states == {"answered", "not asked"} | ({"failed"} if failure != "stop" else set())
    assert (told.decided, told.open, told.refused) == (summary.decided, summary.open, summary.refused)
    assert {row["status"] for row in one} == {"decided", "open", "refused"}
    assert any("R11" in (row["reasons"] or ()) for row in one)
    assert failure != "refer" or any("FAILED" in (row["reasons"] or ()) for row in one)


def test_answers_among_the_data_are_taken_and_the_rest_asked_for(tmp_path):
    data = portfolio(tmp_path / "firms.csv", 400, answers=True)
    asked = policy(tmp_path, "refer")
    asked.bind({"pd": bound(Moody())})
    one, _ = run(asked, data, "python")
    many, _ = run(asked, data, "duckdb")
    assert one == many
    unbound = policy(tmp_path, "refer")
    one, _ = run(unbound, data, "python")
    many, _ = run(unbound, data, "duckdb")
    assert one == many and any(row["missing"] == ["model.pd"] for row in one)


def test_a_portfolio_without_a_scorer_and_without_answers_is_not_decided(tmp_path):
    data = portfolio(tmp_path / "firms.csv", 3)
    for engine in ("python", "duckdb"):
        with pytest.raises(ValueError, match="no scorer is bound to the model `pd`"):
            run(policy(tmp_path, "missing"), data, engine)


def test_the_summary_says_how_often_a_model_failed_and_how(tmp_path):
    data = portfolio(tmp_path / "firms.csv", 400)
    asked = policy(tmp_path, "missing")
    asked.bind({"pd": bound(Moody("fails"))})
    _, told = run(asked, data, "python")
    _, summary = run(asked, data, "duckdb")
    mine = [note for note in summary.notes if note.startswith("model")]
    slow = "model `pd` asked row by row, which takes longer, where a batch failed: it raised RuntimeError"
    assert [n for n in mine if n != slow] == [n for n in told.notes if n.startswith("model")] and mine.count(slow) == 1
    assert mine[0].startswith("model `pd` (test, version v7) asked for 3") and ", failed for " in mine[0]
    assert any("it knows no firm of three years" in note for note in mine)
    assert not any("secret" in note for note in summary.notes)
    assert not any("model.pd" in note for note in (*summary.notes, *told.notes))


def test_a_batch_of_another_length_is_told_once_and_a_sound_one_is_not(tmp_path):
    data = portfolio(tmp_path / "firms.csv", 400)
    asked = policy(tmp_path, "missing")
    for scorer, told in ((Short(), 1), (Plain(), 0)):
        asked.bind({"pd": bound(scorer)})
        _, summary = run(asked, data, "duckdb")
        slow = [note for note in summary.notes if "row by row" in note]
        assert len(slow) == told and all("where a batch failed: it gave 3" in note for note in slow)


def test_a_scorer_that_always_fails_is_given_up_within_a_batch(tmp_path):
    counted: list[Any] = []

    def fail(row: Any) -> Any:
        counted.append(row)
        raise PluginFailure("no licence")

    scorer = Odd(fail)
    data = portfolio(tmp_path / "firms.csv", 2_000)
    asked = policy(tmp_path, "missing")
    asked.bind({"pd": bound(scorer)})
    rows, summary = run(asked, data, "duckdb")
    assert len(rows) == 2_000 and len(counted) <= 2 * MOST_IN_A_ROW + 1
    assert any(f"it failed {MOST_IN_A_ROW} times in a row" in note for note in summary.notes)


def test_models_that_hang_on_models_are_asked_in_turn(tmp_path):
    text = POLICY.format(failure="missing", asked="false").replace("service:\n", """  loss:
    type: number
    model: loss
    inputs:
      pd: pd
      owed: debt
service:
""", 1)
    path = tmp_path / "policy.yaml"
    path.write_text(text, "utf-8")
    described = ScorerDescription({"pd": Field("number"), "owed": Field("number")}, Field("number"), "v1")
    loss = Odd(lambda row: row["pd"] * row["owed"], described)
    asked = load_policy(path)
    asked.bind({"pd": bound(), "loss": bound(loss)})
    data = portfolio(tmp_path / "firms.csv", 300)
    one, _ = run(asked, data, "python")
    many, _ = run(asked, data, "duckdb")
    told = json.loads(one[0]["trace"])["models"]
    assert [(m["decision"], m["scorer"], m["version"]) for m in told] == [("pd", "test", "v1"), ("loss", "test", "v1")]
    assert one == many and sum(row["loss"] is not None for row in one) > 200


def test_a_run_in_parts_and_under_a_condition(tmp_path):
    data = portfolio(tmp_path / "firms.csv", 500)
    asked = policy(tmp_path, "stop")
    asked.bind({"pd": bound(Moody())})
    one, _ = run(asked, data, "python", where="years > 2")
    many, _ = run(asked, data, "duckdb", where="years > 2")
    assert one == many
    out = tmp_path / "parts"
    asked.run(data, as_of=DAY, out=out, engine="duckdb", form="parquet", run_id="r1", part_rows=100, extras=EXTRAS)
    rows = duckdb.connect().execute(f"SELECT count(*), count(pd) FROM read_parquet('{out}/**/*.parquet')").fetchone()
    whole, _ = run(asked, data, "python")
    assert rows == (500, sum(row["pd"] is not None for row in whole))


def test_the_trace_tells_the_models_of_every_version(tmp_path):
    folder = tmp_path / "versions"
    folder.mkdir()
    text = POLICY.format(failure="missing", asked="false").replace(
        "inputs:\n", "application date: applied\ninputs:\n  applied: {type: date}\n", 1
    )
    (folder / "a.yaml").write_text(text.replace("{from: 2026-01-01}", "{from: 2026-01-01, to: 2026-03-31}"), "utf-8")
    (folder / "b.yaml").write_text(
        text.replace("{from: 2026-01-01}", "{from: 2026-04-01}").replace('"1"', '"2"'), "utf-8"
    )
    data = tmp_path / "firms.csv"
    data.write_text("firm id,applied,years,debt,assets\nF1,2026-02-01,2,60,100\nF2,2026-05-01,2,30,100\n", "utf-8")
    counted: list[Any] = []

    def answer(row: Any) -> Any:
        counted.append(row)
        return row["debt ratio"] / 2

    asked = load_policy(folder)
    asked.bind({"pd": bound(Odd(answer))})
    many, _ = run(asked, data, "duckdb")
    assert len(counted) == 2
    one, _ = run(asked, data, "python")
    assert one == many
    assert [json.loads(row["trace"])["models"][0]["value"] for row in many] == [0.3, 0.15]
