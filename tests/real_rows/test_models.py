"""Models trained on real outcomes, exported, and asked by a policy: alone, in a batch and in a run the scores are one.

The data lie outside the repository; without them these tests skip.
"""
from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engine.policy import load_policy
from tests.real_rows.test_real_rows import POLICIES, data, run
from tests.scorers.given import assert_alike, opened

pytestmark = pytest.mark.real

NAMES = ["term", "employees", "disbursed", "backed", "share", "recession", "new"]
COLUMNS = ["Term", "NoEmp", "DisbursementGross", "RealEstate", "Portion", "Recession"]
KINDS = {
    "logistic": {"onnx": "logistic.onnx", "sklearn": "logistic.skops"},
    "boosted": {"lightgbm": "boosted.txt", "xgboost": "boosted.ubj", "onnx": "boosted.onnx"},
}


@pytest.fixture(scope="module")
def loans(shared: Path) -> pa.Table:
    """The inputs of all loans, and `Default`: whether the loan was charged off."""
    with data(shared, "sba_case/loans.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    columns = {name: [float(row[column]) for row in rows] for name, column in zip(NAMES, COLUMNS, strict=False)}
    columns["new"] = [float(row["NewExist"] == "2") for row in rows]
    return pa.table({**columns, "default": [float(row["Default"]) for row in rows]})


@pytest.fixture(scope="module")
def folder(loans: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained models as files, with a deployment file for each pair of kinds."""
    import lightgbm  # noqa: PLC0415 - an extra
    import numpy as np  # noqa: PLC0415
    import xgboost  # noqa: PLC0415
    from skl2onnx import to_onnx  # noqa: PLC0415
    from sklearn.ensemble import GradientBoostingClassifier  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415
    from skops import io  # noqa: PLC0415

    place = tmp_path_factory.mktemp("models")
    inputs = np.column_stack([loans[name].to_numpy() for name in NAMES])
    outcomes = loans["default"].to_numpy()
    logistic = make_pipeline(StandardScaler(), LogisticRegression()).fit(inputs, outcomes)
    io.dump(logistic, place / "logistic.skops")
    trees = GradientBoostingClassifier(n_estimators=60, random_state=0).fit(inputs, outcomes)
    for name, model, sample in (("logistic", logistic, inputs[:1]), ("boosted", trees, inputs[:1].astype("float32"))):
        exported = to_onnx(model, sample, options={"zipmap": False})
        (place / f"{name}.onnx").write_bytes(exported.SerializeToString())
    stated = {"objective": "binary", "verbose": -1, "num_threads": 1, "seed": 1}
    lightgbm.train(stated, lightgbm.Dataset(inputs, outcomes, feature_name=NAMES), 60).save_model(place / "boosted.txt")
    table = xgboost.DMatrix(inputs, outcomes, feature_names=NAMES, nthread=1)
    stated = {"objective": "binary:logistic", "nthread": 1, "seed": 1}
    xgboost.train(stated, table, 60).save_model(place / "boosted.ubj")
    for boosted in ("lightgbm", "xgboost"):
        for logistic_kind in ("onnx", "sklearn"):
            (place / f"{boosted}-{logistic_kind}.yaml").write_text(deployment(boosted, logistic_kind), "utf-8")
    return place


def deployment(boosted: str, logistic: str) -> str:
    names = f"inputs: [{', '.join(NAMES)}]"
    return f"""deployment: trained
models:
  boosted: {{kind: {boosted}, file: {KINDS["boosted"][boosted]}, reasons: 2}}
  logistic: {{kind: {logistic}, file: {KINDS["logistic"][logistic]}, {names}}}
"""


def scorers(folder: Path) -> Iterator[tuple[str, Any]]:
    for files in KINDS.values():
        for kind, name in files.items():
            stated = {} if kind in ("lightgbm", "xgboost") else {"inputs": NAMES}
            yield f"{kind} {name}", opened(kind, folder / name, **stated)


def test_every_loan_scores_alone_as_in_a_batch(loans: pa.Table, folder: Path) -> None:
    for name, scorer in scorers(folder):
        values = assert_alike(scorer, loans.select(NAMES), loans.num_rows)["value"].to_pylist()
        outcomes = loans["default"].to_pylist()
        bad = [value for value, lost in zip(values, outcomes, strict=True) if lost]
        good = sorted(value for value, lost in zip(values, outcomes, strict=True) if not lost)
        assert sum(bad) / len(bad) > 1.5 * sum(good) / len(good), name


def test_exports_score_as_the_library_that_trained_them(loans: pa.Table, folder: Path) -> None:
    found = {name: scorer.batch(loans.select(NAMES))["value"].to_pylist() for name, scorer in scorers(folder)}
    pairs = zip(found["onnx logistic.onnx"], found["sklearn logistic.skops"], strict=True)
    assert max(abs(one - other) for one, other in pairs) < 1e-5


@pytest.mark.parametrize("boosted", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("logistic", ["onnx", "sklearn"])
def test_a_policy_decides_alike_one_by_one_and_in_columns(
    root: Path, shared: Path, folder: Path, tmp_path: Path, boosted: str, logistic: str
) -> None:
    source, policy = data(shared, "sba_case/loans.csv"), POLICIES / "sba-models.yaml"
    bound = folder / f"{boosted}-{logistic}.yaml"
    found = {}
    for engine in ("python", "duckdb"):
        out = tmp_path / f"{engine}.csv"
        rows, _, told = run(
            root, out, policy, source, "--deployment", bound, "--engine", engine, "--as-of", "2010-01-01")
        found[engine] = out.read_bytes()
        assert f"model `boosted` ({boosted}, version " in told and " asked for 2,10" in told
    assert found["python"] == found["duckdb"]
    assert {row["decision"] for row in rows} >= {"approve", "refer", "decline"}
    assert load_policy(policy).program.models
    assert any("L2" in row["reasons"] for row in rows)
