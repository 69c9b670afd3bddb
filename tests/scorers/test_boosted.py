"""Gradient-boosted trees in the files of LightGBM and XGBoost: scores, reasons, and files that are not whole."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import engine as tierwise
from engine.testing import ScorerContract, check
from tests.scorers.given import KINDS, assert_alike, opened, told
from tests.scorers.models import NAMES, customers, lightgbm_booster, trained_on, xgboost_booster

pytestmark = pytest.mark.real

FILES = {"lightgbm": ("model.txt",), "xgboost": ("model.json", "model.ubj")}
BOTH = [(kind, name) for kind, names in FILES.items() for name in names]


@pytest.fixture(scope="module")
def boosters() -> dict[str, Any]:
    return {"lightgbm": lightgbm_booster(), "xgboost": xgboost_booster()}


@pytest.fixture(scope="module")
def folder(boosters: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("boosted")
    for kind, name in BOTH:
        boosters[kind].save_model(place / name)
    return place


def matrix(table: pa.Table) -> Any:
    return np.column_stack([table[name].to_numpy() for name in table.column_names])


# --- scores --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), BOTH)
def test_scores_are_the_library_s_own_bit_for_bit(
    folder: Path, boosters: dict[str, Any], kind: str, name: str
) -> None:
    table = customers(1500, missing=0.1)
    scorer = opened(kind, folder / name)
    found = assert_alike(scorer, table)["value"].to_numpy()
    booster = boosters[kind]
    own = booster.predict(matrix(table)) if kind == "lightgbm" else booster.inplace_predict(matrix(table))
    assert (found == own.astype("float64")).all()
    described = scorer.describe()
    assert list(described.inputs) == NAMES and described.handles_missing and described.reasons == ()
    assert described.output == tierwise.Field("number", lower=0.0, upper=1.0)
    assert opened(kind, folder / name, threads=2).batch(table)["value"].to_numpy().tolist() == found.tolist()


@pytest.mark.parametrize(("kind", "name"), BOTH)
@pytest.mark.parametrize("stated", [{}, {"reasons": 3}, {"reasons": 2, "worse": "lower", "missing": "none"}], ids=str)
def test_the_contract_of_scorers_holds(folder: Path, kind: str, name: str, stated: dict[str, Any]) -> None:
    check(ScorerContract, kind=KINDS[kind], settings={"file": name, **stated}, folder=folder)


@pytest.mark.parametrize(("kind", "name"), BOTH)
def test_reasons_are_what_moves_the_score_most(folder: Path, boosters: dict[str, Any], kind: str, name: str) -> None:
    table = customers(120, missing=0.1)
    found = assert_alike(opened(kind, folder / name, reasons=3), table)["reasons"].to_pylist()
    if kind == "lightgbm":
        shares = boosters[kind].predict(matrix(table), pred_contrib=True)
    else:
        import xgboost  # noqa: PLC0415 - an extra

        shares = boosters[kind].predict(xgboost.DMatrix(matrix(table), feature_names=NAMES), pred_contribs=True)
    for given, row in zip(found, shares[:, :-1], strict=True):
        worst = sorted((at for at in range(8) if row[at] > 0), key=lambda at: -row[at])
        assert given == [NAMES[at] for at in worst[:3]]
    lower = opened(kind, folder / name, reasons=8, worse="lower").batch(table)["reasons"].to_pylist()
    assert not any(set(one) & set(other) for one, other in zip(found, lower, strict=True))


@pytest.mark.parametrize(("kind", "name"), BOTH)
def test_missing_inputs_go_to_the_model_unless_they_should_not(folder: Path, kind: str, name: str) -> None:
    table = customers(400, missing=0.1)
    found = assert_alike(opened(kind, folder / name, missing="none", reasons=2), table).to_pylist()
    for row, answer in zip(table.to_pylist(), found, strict=True):
        assert (answer["value"] is None) == (None in row.values())
        assert answer["value"] is not None or answer["reasons"] == []
    row = dict.fromkeys(NAMES, 0.5)
    scorer = opened(kind, folder / name)
    assert scorer.one({**row, "x0": float("inf")}) == scorer.one({**row, "x0": None})


@pytest.mark.parametrize("kind", FILES)
def test_of_several_classes_one_is_stated(kind: str, tmp_path: Path) -> None:
    inputs, outcomes = trained_on()
    classes = outcomes + (inputs[:, 0] > 0)
    path = tmp_path / FILES[kind][0]
    if kind == "lightgbm":
        import lightgbm  # noqa: PLC0415 - an extra

        stated = {"objective": "multiclass", "num_class": 3, "verbose": -1, "num_threads": 1}
        lightgbm.train(stated, lightgbm.Dataset(inputs, classes, feature_name=NAMES), 5).save_model(path)
    else:
        import xgboost  # noqa: PLC0415 - an extra

        data = xgboost.DMatrix(inputs, classes, feature_names=NAMES)
        xgboost.train({"objective": "multi:softprob", "num_class": 3, "nthread": 1}, data, 5).save_model(path)
    for wrong in ({}, {"class": 3}, {"class": 0.5}):
        assert "gives 3 numbers a customer; state which is the score: `class: 0` to `class: 2`" in told(
            kind, path, **wrong)
    table = customers(200)
    shares = [assert_alike(opened(kind, path, **{"class": at, "reasons": 2}), table, 50)["value"].to_numpy()
              for at in range(3)]
    assert np.allclose(sum(shares), 1, atol=1e-6)


def test_texts_that_a_table_was_trained_with_are_taken_as_texts(tmp_path: Path) -> None:
    import xgboost  # noqa: PLC0415 - an extra

    sectors = ["retail", "矿业", "fishing"] * 300
    data = pa.table({"debt": np.linspace(0, 1, 900), "sector": pa.array(sectors).dictionary_encode()})
    outcomes = [(sector == "矿业") ^ (at % 7 == 0) for at, sector in enumerate(sectors)]
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1},
                            xgboost.DMatrix(data, outcomes, enable_categorical=True), 5)
    booster.save_model(tmp_path / "model.json")
    scorer = opened("xgboost", tmp_path / "model.json", reasons=2)
    assert scorer.describe().inputs["sector"] == tierwise.Field("string", ("retail", "矿业", "fishing"))
    asked = pa.table({"debt": [0.5] * 40, "sector": ["retail", "矿业", None, "never seen"] * 10})
    found = assert_alike(scorer, asked)["value"].to_pylist()
    assert found[1] > 0.7 > 0.3 > found[0] and found[2] == found[3]
    own = booster.inplace_predict(np.array([[0.5, 0], [0.5, 1]])).astype(float)
    assert found[:2] == own.tolist()


def test_texts_that_lightgbm_notes_for_its_codes(tmp_path: Path) -> None:
    """Training on a table of pandas notes the texts behind the codes at the end of the file."""
    import lightgbm  # noqa: PLC0415 - an extra

    codes = np.arange(900) % 3
    inputs = np.column_stack([np.linspace(0, 1, 900), codes])
    data = lightgbm.Dataset(inputs, (codes == 1).astype(int), feature_name=["debt", "sector"],
                            categorical_feature=["sector"])
    booster = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, 10)
    path = tmp_path / "model.txt"
    text = booster.model_to_string()
    assert "pandas_categorical:null" in text
    path.write_text(text.replace("pandas_categorical:null", 'pandas_categorical:[["fishing", "mining", "retail"]]'))
    scorer = opened("lightgbm", path)
    assert scorer.describe().inputs["sector"] == tierwise.Field("string", ("fishing", "mining", "retail"))
    table = pa.table({"debt": [0.5] * 40, "sector": ["fishing", "mining", "retail", None] * 10})
    found = assert_alike(scorer, table)["value"].to_pylist()
    assert found[:3] == booster.predict([[0.5, 0], [0.5, 1], [0.5, 2]]).tolist()
    path.write_text(text.replace("pandas_categorical:null", 'pandas_categorical:[["a"], ["b"]]'))
    assert "the texts of its categories do not fit its features" in told("lightgbm", path)


@pytest.mark.parametrize("booster", ["dart", "gblinear"])
def test_the_other_boosters_of_xgboost(tmp_path: Path, booster: str) -> None:
    model = xgboost_booster(missing=0.0, booster=booster)
    model.save_model(tmp_path / "model.ubj")
    found = assert_alike(opened("xgboost", tmp_path / "model.ubj"), customers(300))["value"].to_pylist()
    assert len(set(found)) > 10
    check(ScorerContract, kind=KINDS["xgboost"], settings={"file": "model.ubj"}, folder=tmp_path)


def test_rounds_behind_the_best_are_not_asked(tmp_path: Path) -> None:
    """What early stopping found best is what validation saw, and what the library's own estimators ask."""
    import xgboost  # noqa: PLC0415 - an extra

    inputs, outcomes = trained_on()
    model = xgboost.XGBClassifier(n_estimators=60, early_stopping_rounds=3, n_jobs=1, learning_rate=1.0)
    model.fit(inputs[:2000], outcomes[:2000], eval_set=[(inputs[2000:], outcomes[2000:])], verbose=False)
    assert model.best_iteration < model.get_booster().num_boosted_rounds() - 1
    model.save_model(tmp_path / "model.json")
    table = customers(200)
    found = opened("xgboost", tmp_path / "model.json", inputs=NAMES).batch(table)["value"].to_numpy()
    assert (found == model.predict_proba(matrix(table))[:, 1]).all()


def test_a_model_without_names_of_columns_gets_them_from_the_entry(tmp_path: Path) -> None:
    import xgboost  # noqa: PLC0415 - an extra

    inputs, outcomes = trained_on()
    xgboost.train({"nthread": 1}, xgboost.DMatrix(inputs, outcomes), 2).save_model(tmp_path / "model.json")
    assert "does not name its 8 columns" in told("xgboost", tmp_path / "model.json")
    assert list(opened("xgboost", tmp_path / "model.json", inputs=NAMES).describe().inputs) == NAMES


def test_names_with_spaces_are_given_by_the_entry(folder: Path) -> None:
    names = {f"input {at}": name for at, name in enumerate(NAMES)}
    scorer = opened("lightgbm", folder / "model.txt", inputs=names, reasons=1)
    assert list(scorer.describe().inputs) == list(names)
    given = {f"input {at}": value for at, value in enumerate(customers(1).to_pylist()[0].values())}
    plain = opened("lightgbm", folder / "model.txt").one(customers(1).to_pylist()[0])
    assert scorer.one(given).value == plain.value
    message = told("lightgbm", folder / "model.txt", inputs={**names, "input 0": "x9"})
    assert "has no column `x9`, which `inputs` names for `input 0`: `x0`, `x1`" in message


# --- files that are not whole ----------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), BOTH)
def test_a_file_cut_short_is_told(folder: Path, tmp_path: Path, kind: str, name: str) -> None:
    whole = (folder / name).read_bytes()
    for part in (0.01, 0.2, 0.5, 0.8):
        (tmp_path / name).write_bytes(whole[:int(len(whole) * part)])
        message = told(kind, tmp_path / name)
        assert message.startswith(f"`{name}` is not a whole ") and "; copy it anew" in message


@pytest.mark.parametrize(("change", "with_", "message"), [
    ("left_child=1 ", "left_child=999 ", "a tree whose branches lead nowhere"),
    ("left_child=1 ", "left_child=0 ", "a tree whose branches meet again"),
    ("split_feature=", "split_feature=8", "a tree that asks for a feature there is none of"),
    ("leaf_value=", "leaf_value=0 ", "a tree without all its leaves"),
    ("decision_type=10", "decision_type=11", "a split by category without its categories"),
    ("max_feature_idx=7", "max_feature_idx=6", "other names than features"),
    ("Tree=3\n", "Tree=4\n", "tree 3 is missing"),
    ("num_leaves=", "num_leaves=1\nnum_leaves=", "it says `num_leaves` twice"),
    ("is_linear=0", "is_linear=1", "linear trees are not read"),
    ("objective=", "\0=", "it holds a NUL character"),
    ("max_feature_idx=7\n", "", "it has no `max_feature_idx`"),
    ("tree\n", "forest\n", "its first line is not `tree`"),
])
def test_a_lightgbm_file_that_no_training_wrote_is_told(
    folder: Path, tmp_path: Path, change: str, with_: str, message: str
) -> None:
    text = (folder / "model.txt").read_text("utf-8")
    assert change in text
    (tmp_path / "model.txt").write_text(text.replace(change, with_, 1), "utf-8")
    assert f"`model.txt` is not a whole LightGBM model: {message}" in told("lightgbm", tmp_path / "model.txt")


@pytest.mark.parametrize(("change", "message"), [
    ({"left_children": lambda values: [999, *values[1:]]}, "a tree whose branches lead nowhere"),
    ({"left_children": lambda values: [0, *values[1:]]}, "a tree whose branches meet again"),
    ({"left_children": lambda values: [1.5, *values[1:]]}, "a list that should be of whole numbers"),
    ({"parents": lambda values: [*values[:3], -1, *values[4:]]}, "a tree whose branches lead nowhere"),
    ({"split_indices": lambda values: [8, *values[1:]]}, "a tree that asks for a feature there is none of"),
    ({"split_conditions": lambda values: values[1:]}, "a tree with a list that is cut short"),
    ({"split_type": lambda values: [1, *values[1:]]}, "a split by category without its categories"),
    ({"categories_nodes": lambda values: None}, "a list that should be of whole numbers"),
    ({"tree_param": lambda values: {**values, "size_leaf_vector": "2"}}, "leaves with several values"),
])
def test_an_xgboost_file_that_no_training_wrote_is_told(
    folder: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    document = json.loads((folder / "model.json").read_text("utf-8"))
    tree = document["learner"]["gradient_booster"]["model"]["trees"][3]
    ((key, make),) = change.items()
    tree[key] = make(tree[key])
    (tmp_path / "model.json").write_text(json.dumps(document), "utf-8")
    assert f"`model.json` is not a whole XGBoost model: {message}" in told("xgboost", tmp_path / "model.json")


@pytest.mark.parametrize(("kind", "name"), BOTH)
def test_damage_of_any_kind_never_ends_the_process(
    root: Path, folder: Path, tmp_path: Path, kind: str, name: str
) -> None:
    """Both libraries read foreign memory, or end the process, over files that are damaged in the right place."""
    (tmp_path / name).write_bytes((folder / name).read_bytes())
    command = [sys.executable, "-m", "tests.scorers.damaged", kind, tmp_path / name]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr[-500:]
    assert "200 files, " in done.stdout


def test_a_library_that_is_not_installed_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, name, module in (("lightgbm", "model.txt", "lightgbm"), ("xgboost", "model.ubj", "xgboost")):
        monkeypatch.setitem(sys.modules, module, None)
        assert told(kind, folder / name) == \
            f'models of kind `{kind}` need {module}: pip install "tierwise[{kind}]"'
