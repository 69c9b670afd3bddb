"""Models of scikit-learn in skops files."""
from __future__ import annotations

import os
import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import engine as tierwise
from engine.testing import ScorerContract, check
from tests.scorers.given import KINDS, assert_alike, opened, told
from tests.scorers.models import NAMES, customers, estimators, trained_on

pytestmark = pytest.mark.real

TRUSTED = {
    "boosted": ["sklearn.tree._tree.Tree"], "forest": ["sklearn.tree._tree.Tree"],
    "network": ["sklearn.neural_network._stochastic_optimizers.AdamOptimizer"],
}


def dumped(path: Path, model: Any) -> Path:
    from skops import io  # noqa: PLC0415 - an extra

    io.dump(model, path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sklearn")
    inputs, outcomes = trained_on()
    for name, make in estimators().items():
        dumped(place / f"{name}.skops", make().fit(inputs, outcomes))
    return place


@pytest.mark.parametrize("name", ["regression", "logistic", "boosted", "forest", "network"])
def test_one_by_one_and_in_a_batch_the_bits_are_the_same(folder: Path, name: str) -> None:
    scorer = opened("sklearn", folder / f"{name}.skops", inputs=NAMES, trusted=TRUSTED.get(name, []))
    table = customers(2000, missing=0.02)
    values = assert_alike(scorer, table, 120)["value"].to_pylist()
    assert len(set(values)) > 15
    inputs, outcomes = trained_on()
    model = estimators()[name]().fit(inputs, outcomes)
    known = [row for row in table.to_pylist() if None not in row.values()]
    asked = np.array([list(row.values()) for row in known])
    expected = model.predict(asked) if name == "regression" else model.predict_proba(asked)[:, 1]
    assert np.allclose([v for v in values if v is not None], expected, rtol=1e-12)


def test_the_contract_of_scorers_holds(folder: Path) -> None:
    for name in ("logistic", "forest"):
        check(ScorerContract, kind=KINDS["sklearn"], folder=folder, size=20,
              settings={"file": f"{name}.skops", "inputs": NAMES, "trusted": TRUSTED.get(name, [])})


def test_a_pipeline_over_named_columns_and_texts(tmp_path: Path) -> None:
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415 - an extra
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: PLC0415

    debt = np.linspace(-1, 1, 300)
    sectors = ["retail", "mining", "fishing"] * 100
    outcomes = (debt + np.array([s == "mining" for s in sectors]) + np.sin(np.arange(300)) > 0).astype(int)
    for how, is_named in (("ignore", True), ("ignore", False), ("error", True)):
        where = (["debt"], ["sector"]) if is_named else ([0], [1])
        model = make_pipeline(ColumnTransformer([
            ("numbers", StandardScaler(), where[0]), ("texts", OneHotEncoder(handle_unknown=how), where[1])]),
            LogisticRegression())
        table = pa.table({"debt": debt, "sector": sectors})
        given = table if is_named else np.array([debt, np.array(sectors, object)], object).T
        path = dumped(tmp_path / "named.skops", model.fit(given, outcomes))
        scorer = opened("sklearn", path, texts=["sector"], **({} if is_named else {"inputs": ["debt", "sector"]}))
        assert scorer.describe().inputs == {"debt": tierwise.Field("number"), "sector": tierwise.Field("string")}
        assert np.allclose(assert_alike(scorer, table, 50)["value"].to_numpy(), model.predict_proba(given)[:, 1])
        if how == "error":
            with pytest.raises(tierwise.PluginFailure, match="ValueError; an encoder does that .*handle_unknown"):
                scorer.one({"debt": 0.5, "sector": "SECRET"})
        else:
            assert 0 < scorer.one({"debt": 0.5, "sector": "never seen"}).value < 1
    renamed = opened("sklearn", path, texts=["branch"], inputs={"debt ratio": "debt", "branch": "sector"})
    assert renamed.one({"debt ratio": 0.5, "branch": "mining"}) == scorer.one({"debt": 0.5, "sector": "mining"})
    assert "has no input `region`, which `texts` names" in told("sklearn", path, texts=["region"])


def test_before_arrow_s_tables_were_taken_pandas_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    from plugins.scorers import sklearn  # noqa: PLC0415 - what is tested

    monkeypatch.setitem(sys.modules, "pandas", None)
    assert sklearn._frame("1.10.0") is sklearn._frame("1.9.1") is pa.table
    with pytest.raises(tierwise.PluginFailure, match="needs pandas with scikit-learn 1.6.1: pip install pandas"):
        sklearn._frame("1.6.1")


def test_missing_inputs_go_to_a_model_that_takes_them(tmp_path: Path) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - an extra

    model = HistGradientBoostingClassifier(max_iter=10, random_state=0).fit(*trained_on(0.1))
    path = dumped(tmp_path / "model.skops", model)
    message = told("sklearn", path, inputs=NAMES)
    trusted = [name for name in message.split("`") if name.startswith("sklearn.")]
    scorer = opened("sklearn", path, inputs=NAMES, trusted=trusted, missing="model")
    assert scorer.describe().handles_missing
    assert None not in assert_alike(scorer, customers(300, missing=0.2), 40)["value"].to_pylist()


def test_of_several_classes_one_is_stated_by_its_name(tmp_path: Path) -> None:
    inputs, outcomes = trained_on()
    classes = np.array(["good", "bad", "worse"])[outcomes + (inputs[:, 0] > 0)]
    path = dumped(tmp_path / "classes.skops", estimators()["logistic"]().fit(inputs, classes))
    assert "gives probabilities of `bad`, `good`, `worse`; state whose is the score: `class: NAME`" in told(
        "sklearn", path, inputs=NAMES)
    table = customers(100)
    shares = [opened("sklearn", path, inputs=NAMES, **{"class": of}).batch(table)["value"].to_numpy()
              for of in ("good", "bad", "worse")]
    assert np.allclose(sum(shares), 1)
    path = dumped(tmp_path / "plain.skops", estimators()["regression"]().fit(inputs, outcomes))
    assert "leave `class` out" in told("sklearn", path, inputs=NAMES, **{"class": "good"})


# --- files that are refused ------------------------------------------------------------------------


class Attack:
    """Runs a command wherever it is unpickled."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("attacked"),)


def test_a_pickle_is_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for protocol in range(2, 6):
        (tmp_path / "model.pkl").write_bytes(pickle.dumps(Attack(), protocol))
        assert "`model.pkl` is a pickle, and reading one runs whatever code it holds; write it with" in told(
            "sklearn", tmp_path / "model.pkl")
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Attack(), 0))
    assert "`model.pkl` is no skops file" in told("sklearn", tmp_path / "model.pkl")
    assert not (tmp_path / "attacked").exists()


def test_types_that_nobody_trusts_are_told_and_not_made(tmp_path: Path) -> None:
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415 - an extra
    from sklearn.preprocessing import FunctionTransformer  # noqa: PLC0415

    path = dumped(tmp_path / "model.skops", make_pipeline(FunctionTransformer(os.system), estimators()["logistic"]()))
    assert told("sklearn", path, inputs=NAMES) == (
        "`model.skops` holds types that skops does not trust unasked: `posix.system`; those that you know, list under "
        "`trusted`")


def test_files_that_hold_no_fitted_model_are_told(folder: Path, tmp_path: Path) -> None:
    assert "fit it before it is dumped" in told(
        "sklearn", dumped(tmp_path / "model.skops", estimators()["logistic"]()), inputs=NAMES)
    assert "holds no model; dump the fitted pipeline" in told(
        "sklearn", dumped(tmp_path / "model.skops", {"model": 1}), inputs=NAMES)
    whole = (folder / "logistic.skops").read_bytes()
    for content in (whole[:100], whole[:len(whole) // 2], b"PK\x03\x04" + b"\0" * 100):
        (tmp_path / "cut.skops").write_bytes(content)
        assert "`cut.skops` is not a skops file that can be read" in told("sklearn", tmp_path / "cut.skops")
    with zipfile.ZipFile(tmp_path / "cut.skops", "w") as packed:
        packed.writestr("schema.json", "{}")
    assert "`cut.skops` is not a skops file that can be read" in told("sklearn", tmp_path / "cut.skops")


def test_a_file_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from plugins.scorers import opening  # noqa: PLC0415 - what is patched

    monkeypatch.setattr(opening, "LARGEST", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.skops", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("schema.json", " " * (2 << 20))
    assert "it unpacks to more than 1 MiB" in told("sklearn", tmp_path / "bomb.skops")


def test_a_file_of_another_version_is_refused_unless_that_is_stated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn import base  # noqa: PLC0415 - an extra

    model = estimators()["regression"]().fit(*trained_on())
    with monkeypatch.context() as patch:
        patch.setattr(base, "__version__", "1.2.3")
        path = dumped(tmp_path / "old.skops", model)
    assert "`old.skops` was written by scikit-learn 1.2.3, and " in told("sklearn", path, inputs=NAMES)
    assert opened("sklearn", path, inputs=NAMES, other_versions=True).one(dict.fromkeys(NAMES, 0.5)).value is not None
