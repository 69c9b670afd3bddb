"""Regressions and scorecards from files of coefficients."""
from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import engine as tierwise
from engine.testing import ScorerContract, check, settings
from tests.scorers.given import KINDS, assert_alike, opened, told

REGRESSION = """
link: logit
intercept: -3.2
inputs:
  debt ratio: {coefficient: 1.8, neutral: 0.4, missing: 0.9}
  years trading:
    bands: [{adds: 0.7}, {from: 2, adds: 0}, {from: 5, adds: -0.4}]
    neutral: 5
  sector: {levels: {retail: 0.2, mining: 0.9}, other: 0.5, neutral: retail}
  listed: {levels: {true: -0.3, false: 0.1}}
"""
SCORECARD = """{
  "version": "2026-10", "link": "logit", "intercept": -1.5,
  "inputs": {
    "late days": {"bands": [{"adds": -0.8}, {"from": 1, "adds": 0.3}, {"from": 30, "adds": 2.1}], "neutral": 0},
    "use of limit": {"coefficient": 1.25, "neutral": 0.3}
  },
  "scale": {"points": 600, "odds": 50, "double": 20, "of": "bad"},
  "reasons": 2
}"""


def written(folder: Path, text: str, name: str = "model.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def customers(count: int = 2000) -> pa.Table:
    """Customers at and beside every limit, with missing and infinite values."""
    draw = random.Random(7)
    sectors = [draw.choice(["retail", "mining", "fishing", None]) for _ in range(count)]
    return pa.table({
        "debt ratio": pa.array([draw.choice([None, 0.4, draw.gauss(0.5, 1), 1e300, math.inf]) for _ in range(count)],
                               pa.float64()),
        "years trading": pa.array([draw.choice([0.0, 2.0, 5.0, 1.9999999999999998, draw.uniform(0, 9), None])
                                   for _ in range(count)], pa.float64()),
        "sector": pa.array(sectors, pa.string()),
        "listed": pa.array([draw.choice([True, False]) for _ in range(count)], pa.bool_()),
    })


@pytest.mark.parametrize(("text", "name"), [(REGRESSION, "model.yaml"), (SCORECARD, "model.json")])
def test_the_contract_of_scorers_holds(tmp_path: Path, text: str, name: str) -> None:
    written(tmp_path, text, name)
    check(ScorerContract, kind=KINDS["linear"], settings={"file": name}, folder=tmp_path)


def test_one_by_one_and_in_columns_the_bits_are_the_same(tmp_path: Path) -> None:
    found = assert_alike(opened("linear", written(tmp_path, REGRESSION)), customers(), 2000)
    values = found["value"].to_pylist()
    assert None in values and 1.0 in values
    assert len({tuple(reasons) for reasons in found["reasons"].to_pylist()}) > 10
    table = pa.table({"late days": [0.0, 1.0, 45.0, None] * 50, "use of limit": [0.0, 0.3, 1.0, 0.5] * 50})
    assert_alike(opened("linear", written(tmp_path, SCORECARD, "model.json")), table)


def test_a_probability_is_worked_out_as_by_hand(tmp_path: Path) -> None:
    scorer = opened("linear", written(tmp_path, REGRESSION))
    row = {"debt ratio": 0.7, "years trading": 1.0, "sector": "mining", "listed": False}
    log_odds = -3.2 + 1.8 * 0.7 + 0.7 + 0.9 + 0.1
    score = scorer.one(row)
    assert score.value == pytest.approx(1 / (1 + math.exp(-log_odds)), rel=1e-15)
    # Against a neutral customer: 0.7 + 0.4 by the years, 0.9 - 0.2 by the sector, 1.8 * 0.3 by the debt.
    assert score.reasons == ("years trading", "sector", "debt ratio")
    described = scorer.describe()
    assert described.output == tierwise.Field("number", lower=0.0, upper=1.0)
    assert described.inputs["sector"] == tierwise.Field("string")
    assert described.inputs["listed"].type == "boolean"
    assert described.reasons == ("debt ratio", "years trading", "sector", "listed")


def test_points_double_the_odds(tmp_path: Path) -> None:
    """600 points at odds of 50 to 1 of being good, 20 more where the odds double; here the regression is of bad."""
    text = "link: logit\nintercept: AT\ninputs: {x: {coefficient: 1, neutral: 0}}\nscale: "
    scaled = text + "{points: 600, odds: 50, double: 20, of: OF}"
    bad = scaled.replace("AT", str(-math.log(50))).replace("OF", "bad")
    good = scaled.replace("AT", str(math.log(50))).replace("OF", "good")
    bad, good = opened("linear", written(tmp_path, bad)), opened("linear", written(tmp_path, good))
    for odds, points in ((1, 600), (2, 580), (4, 560), (0.5, 620)):
        assert bad.one({"x": math.log(odds)}).value == pytest.approx(points)
        assert good.one({"x": -math.log(odds)}).value == pytest.approx(points)
    assert bad.one({"x": 1.0}).reasons == ("x",) == good.one({"x": -1.0}).reasons
    assert bad.one({"x": -1.0}).reasons == () == good.one({"x": 1.0}).reasons
    stated = opened("linear", written(tmp_path, text.replace("AT", "0") + "{offset: 100, factor: -10}"))
    assert stated.one({"x": 2.0}).value == 80.0


def test_reasons_have_names_of_their_own_which_inputs_may_share(tmp_path: Path) -> None:
    text = REGRESSION.replace("neutral: 0.4,", "neutral: 0.4, reason: high debt,")
    text = text.replace("    neutral: 5\n", "    neutral: 5\n    reason: weak\n")
    text = text.replace(": retail}", ": retail, reason: weak}")
    scorer = opened("linear", written(tmp_path, text))
    assert scorer.describe().reasons == ("high debt", "weak", "listed")
    row = {"debt ratio": 0.7, "years trading": 1.0, "sector": "mining", "listed": False}
    assert scorer.one(row).reasons == ("weak", "high debt")
    assert_alike(scorer, customers())


def test_what_the_file_says_nothing_about_has_no_score(tmp_path: Path) -> None:
    scorer = opened("linear", written(tmp_path, REGRESSION.replace(", other: 0.5", "")))
    row = {"debt ratio": None, "years trading": 3.0, "sector": "fishing", "listed": True}
    assert scorer.one(row) == tierwise.Score(None)
    assert scorer.describe().inputs["sector"].values == ("retail", "mining")
    assert scorer.one({**row, "sector": "retail"}).value is not None
    assert scorer.one({**row, "sector": "retail", "years trading": None}) == tierwise.Score(None)


def test_a_file_that_changes_while_it_is_open_does_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, REGRESSION)
    scorer = opened("linear", path)
    row = {"debt ratio": 0.7, "years trading": 1.0, "sector": "mining", "listed": False}
    before, version = scorer.one(row), scorer.describe().version
    path.write_text(REGRESSION.replace("-3.2", "9"), encoding="utf-8")
    assert scorer.one(row) == before and scorer.describe().version == version
    assert opened("linear", path).describe().version != version
    path.unlink()
    assert scorer.one(row) == before


def test_the_version_is_the_entry_s_then_the_file_s_then_a_digest(tmp_path: Path) -> None:
    path = written(tmp_path, SCORECARD, "model.json")
    assert opened("linear", path).describe().version == "2026-10"
    assert opened("linear", path, version="7").describe().version == "7"
    assert len(opened("linear", written(tmp_path, REGRESSION)).describe().version) == 12


def test_an_exponential_that_is_not_python_s_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyarrow import compute  # noqa: PLC0415 - what is patched

    kept = getattr(compute, "exp", None)
    above = 1.0000000000000002
    monkeypatch.setattr(compute, "exp", lambda values: compute.multiply(kept(values), above), raising=False)
    assert_alike(opened("linear", written(tmp_path, REGRESSION)), customers(400))


@pytest.mark.parametrize(("change", "with_", "message"), [
    ("link: logit\n", "", "`link` is missing; write `logit` or `identity`"),
    ("link: logit", "link: probit", "`link` is `probit`; write `logit` or `identity`"),
    ("coefficient: 1.8", "coeficient: 1.8", "`inputs > debt ratio` states nothing that it adds"),
    ("missing: 0.9", "mising: 0.9", "`inputs > debt ratio > mising` means nothing; did you mean `missing`?"),
    ("1.8", "1,8", "`inputs > debt ratio > 8` means nothing; a comma within `{...}` ends a value"),
    ("-3.2", "-3,2", "`intercept` is `-3,2`, no number; write it with a decimal point"),
    ("-3.2", "nan", "`intercept` is `nan`, no number"),
    ("from: 5", "from: 1", "`inputs > years trading > bands` are not in order; sort them by `from`"),
    ("{adds: 0.7}", "{from: 0, adds: 0.7}", "`inputs > years trading > bands > 1 > from` stands with the first band"),
    ("neutral: retail", "neutral: fishing", "`inputs > sector > neutral` is `fishing`, which is none of the levels"),
    (", neutral: 0.4", "", "`inputs > debt ratio > neutral` is missing; state the value against which"),
    ("listed: {levels: {true: -0.3, false: 0.1}}", "listed: {levels: {}}", "`inputs > listed > levels` are empty"),
    ("listed:", "sector:", "states `sector` twice; keep one of them"),
    ("inputs:", "reasons: 9\ninputs:", "`reasons` is no whole number from 0 to 8"),
    ("link: logit", "link: identity\nscale: {offset: 1, factor: 2}", "`scale` needs log-odds; state `link: logit`"),
    ("link: logit", "link: logit\nscale: {points: 600, odds: 50, double: 20}", "`scale > of` is missing; write `good`"),
    ("link: logit", "link: logit\nscale: {points: 6, odds: 0, double: 20, of: bad}", "`scale > odds` and `double`"),
    ("{levels: {true: -0.3, false: 0.1}}", "&a {levels: &b {true: 1}}\n  x: {levels: *b}", "uses an alias"),
    ("{levels: {true: -0.3, false: 0.1}}", "[" * 40 + "]" * 40, "is nested too deeply"),
    ("{levels: {true: -0.3, false: 0.1}}", "3", "`inputs > listed` is no mapping"),
])
def test_a_mistake_in_the_file_is_told_by_its_place(tmp_path: Path, change: str, with_: str, message: str) -> None:
    assert change in REGRESSION
    assert message in told("linear", written(tmp_path, REGRESSION.replace(change, with_, 1)))


@pytest.mark.parametrize("text", [
    "[" * 100_000, "{" * 100_000, "a: " * 5000, '{"a": ' * 100_000, "\x00", "&a [*a, *a]",
])
@pytest.mark.parametrize("name", ["model.yaml", "model.json"])
def test_a_hostile_file_is_refused(tmp_path: Path, text: str, name: str) -> None:
    assert told("linear", written(tmp_path, text, name)).startswith(f"`{name}` ")


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    assert told("linear", tmp_path / "none.yaml") == \
        "the model's file `none.yaml` does not exist; paths begin at the deployment file's folder"
    (tmp_path / "folder").mkdir()
    assert "is a folder" in told("linear", tmp_path / "folder")
    assert "is empty; copy it anew" in told("linear", written(tmp_path, "\n", "empty.yaml"))
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    assert "is no text in UTF-8" in told("linear", tmp_path / "bytes.yaml")


def test_a_file_other_than_the_approved_one_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, REGRESSION)
    message = told("linear", path, sha256="0" * 64)
    assert "is not the one that `sha256` names: its digest is " in message
    digest = message.split("its digest is ")[1][:64]
    assert opened("linear", path, sha256=digest.upper()).describe().version == digest[:12]


def test_settings_go_by_the_deployment_s_folder(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    written(tmp_path / "models", "link: probit")
    given: Any = settings(KINDS["linear"].settings, {"file": "models/model.yaml"}, tmp_path)
    with pytest.raises(tierwise.PluginFailure, match="^`models/model.yaml` is no file of coefficients"):
        KINDS["linear"].open(given)
