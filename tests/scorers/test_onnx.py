"""Models in ONNX, exported from scikit-learn and made by hand."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import engine as tierwise
from engine.testing import ScorerContract, check
from tests.scorers.given import KINDS, assert_alike, opened, told
from tests.scorers.models import NAMES, customers, estimators, onnx_file, trained_on

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every estimator as `NAME.onnx`; `maps.onnx` gives maps, `classes.onnx` and `three.onnx` have three classes."""
    place = tmp_path_factory.mktemp("onnx")
    inputs, outcomes = trained_on()
    for name, make in estimators().items():
        model = make().fit(inputs, outcomes)
        options = {} if name == "regression" else {"zipmap": False}
        onnx_file(place / f"{name}.onnx", model, **options)
        if name == "logistic":
            onnx_file(place / "maps.onnx", model)
            onnx_file(place / "double.onnx", model, double=True, **options)
    three = estimators()["logistic"]().fit(inputs, outcomes + (inputs[:, 0] > 0))
    onnx_file(place / "classes.onnx", three, zipmap=False)
    onnx_file(place / "three.onnx", three)
    return place


def made(path: Path, nodes: Sequence[tuple[str, Sequence[str], Sequence[str], dict[str, Any]]],
         inputs: Sequence[tuple[str, int, Sequence[Any]]], outputs: Sequence[tuple[str, int, Sequence[Any]]],
         weights: Any = (), names: str | None = None) -> Path:
    """A model of a few operators."""
    from onnx import helper  # noqa: PLC0415 - an extra

    graph = helper.make_graph(
        [helper.make_node(kind, list(takes), list(gives), **stated) for kind, takes, gives, stated in nodes], "graph",
        [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(*each) for each in outputs], list(weights))
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=sets, ir_version=9)
    if names is not None:
        helper.set_model_props(model, {"feature_names": names})
    path.write_bytes(model.SerializeToString())
    return path


FLOAT, STRING, INT64, BOOL = 1, 8, 7, 9


@pytest.mark.parametrize("name", ["regression", "logistic", "boosted", "forest", "network", "maps", "double"])
def test_one_by_one_and_in_a_batch_the_bits_are_the_same(folder: Path, name: str) -> None:
    scorer = opened("onnx", folder / f"{name}.onnx", inputs=NAMES)
    values = assert_alike(scorer, customers())["value"].to_pylist()
    assert len(set(values)) > 15


@pytest.mark.parametrize("name", ["logistic", "boosted", "maps"])
def test_scores_are_those_of_the_library_that_trained_the_model(folder: Path, name: str) -> None:
    scorer = opened("onnx", folder / f"{name}.onnx", inputs=NAMES)
    inputs, outcomes = trained_on()
    model = estimators()["logistic" if name == "maps" else name]().fit(inputs, outcomes)
    table = customers(500)
    expected = model.predict_proba(np.column_stack([table[n].to_numpy() for n in NAMES]))[:, 1]
    assert np.allclose(scorer.batch(table)["value"].to_numpy(), expected, atol=1e-4)


def test_the_contract_of_scorers_holds(folder: Path) -> None:
    for name in ("logistic", "boosted"):
        check(ScorerContract, kind=KINDS["onnx"], settings={"file": f"{name}.onnx", "inputs": NAMES}, folder=folder)


def test_a_missing_input_has_no_score_unless_the_model_is_asked(folder: Path) -> None:
    scorer = opened("onnx", folder / "boosted.onnx", inputs=NAMES)
    found = assert_alike(scorer, customers(missing=0.1))["value"].to_pylist()
    whole = customers(missing=0.1).to_pylist()
    assert [v is None for v in found] == [None in row.values() for row in whole]
    assert scorer.one({**whole[0], "x3": float("inf")}) == tierwise.Score(None)
    assert not scorer.describe().handles_missing
    asked = opened("onnx", folder / "boosted.onnx", inputs=NAMES, missing="model")
    assert asked.describe().handles_missing
    assert None not in assert_alike(asked, customers(missing=0.1))["value"].to_pylist()


def test_columns_are_named_by_a_list_a_map_or_the_model(folder: Path, tmp_path: Path) -> None:
    path = folder / "logistic.onnx"
    assert told("onnx", path) == ("`logistic.onnx` does not name its 8 columns; name them in the model's order: "
                                  "`inputs: [first, second, ...]`")
    assert "takes 8 inputs, and `inputs` names 2" in told("onnx", path, inputs=["a", "b"])
    assert "`inputs` names one column of the model twice" in told("onnx", path, inputs=dict.fromkeys(NAMES, 0))
    assert "leaves out: `7`" in told("onnx", path, inputs={n: at for at, n in enumerate(NAMES[:7])})
    backwards = opened("onnx", path, inputs={n: 7 - at for at, n in enumerate(NAMES)})
    assert list(backwards.describe().inputs) == NAMES[::-1]
    table = customers(50)
    turned = table.rename_columns(NAMES[::-1])
    assert backwards.batch(turned).equals(opened("onnx", path, inputs=NAMES).batch(table))
    noted = made(tmp_path / "noted.onnx", [("ReduceSum", ["x"], ["y"], {"keepdims": 1, "noop_with_empty_axes": 1})],
                 [("x", FLOAT, [None, 2])], [("y", FLOAT, [None, 2])], names='["debt", "assets"]')
    assert list(opened("onnx", noted, **{"class": 1}).describe().inputs) == ["debt", "assets"]


def test_inputs_of_several_types_by_their_own_names(tmp_path: Path) -> None:
    path = made(
        tmp_path / "typed.onnx",
        [("Cast", ["count"], ["c"], {"to": FLOAT}), ("Cast", ["listed"], ["l"], {"to": FLOAT}),
         ("LabelEncoder", ["sector"], ["m"], {"domain": "ai.onnx.ml", "keys_strings": ["mining"],
                                              "values_floats": [1.0], "default_float": 0.0}),
         ("Sum", ["debt", "c", "l", "m"], ["score"], {})],
        [("debt", FLOAT, [None, 1]), ("count", INT64, [None, 1]), ("listed", BOOL, [None, 1]),
         ("sector", STRING, [None, 1])],
        [("score", FLOAT, [None, 1])])
    scorer = opened("onnx", path)
    assert {n: f.type for n, f in scorer.describe().inputs.items()} == {
        "debt": "number", "count": "number", "listed": "boolean", "sector": "string"}
    row = {"debt": 0.5, "count": 3.0, "listed": True, "sector": "mining"}
    assert scorer.one(row).value == 5.5
    table = pa.Table.from_pylist([row, {**row, "sector": "retail"}, {**row, "listed": None}] * 10)
    assert_alike(scorer, table)
    with pytest.raises(tierwise.PluginFailure, match="whole numbers for `count`"):
        scorer.one({**row, "count": 2.5})
    with pytest.raises(tierwise.PluginFailure, match="whole numbers for `count`"):
        scorer.batch(pa.Table.from_pylist([{**row, "count": 2.5}]))


def test_which_output_is_the_score_may_have_to_be_stated(folder: Path, tmp_path: Path) -> None:
    assert "`class: 0` to `class: 2`" in told("onnx", folder / "classes.onnx", inputs=NAMES)
    assert "gives probabilities of `0`, `1`, `2`; state whose is the score" in told(
        "onnx", folder / "three.onnx", inputs=NAMES)
    table = customers(100)
    shares = [opened("onnx", folder / f"{name}.onnx", inputs=NAMES, **{"class": of}).batch(table)["value"].to_numpy()
              for name in ("classes", "three") for of in (0, 1, 2)]
    assert np.allclose(sum(shares[:3]), 1, atol=1e-6)
    assert all((one == other).all() for one, other in zip(shares[:3], shares[3:], strict=True))
    assert "`class: 0` to `class: 2`" in told("onnx", folder / "classes.onnx", inputs=NAMES, **{"class": 3})
    two = made(tmp_path / "two.onnx", [("Neg", ["x"], ["a"], {}), ("Abs", ["x"], ["b"], {})],
               [("x", FLOAT, [None, 1])], [("a", FLOAT, [None, 1]), ("b", FLOAT, [None, 1])])
    assert "state which is the score: `output: NAME`" in told("onnx", two)
    assert "has no output `c`; it has `a` (tensor(float)), `b` (tensor(float))" in told("onnx", two, output="c")
    assert opened("onnx", two, output="b").one({"x": -2.0}).value == 2.0


@pytest.mark.parametrize(("node", "inputs", "output", "message"), [
    (("Neg", ["x"], ["y"], {}), [("x", FLOAT, [1, 2])], [1, 2], "takes 1 rows at once as `x`; export it with a first"),
    (("Neg", ["x"], ["y"], {}), [("x", FLOAT, [None, 2, 2])], [None, 2, 2], "takes `x` with 3 dimensions"),
    (("Transpose", ["x"], ["y"], {}), [("x", FLOAT, [None, 2])], [2, None], "numbers as `y` for"),
    (("ReduceMean", ["x"], ["y"], {"axes": [0], "keepdims": 1}), [("x", FLOAT, [None, 1])], [None, 1],
     "gives 1x1 numbers as `y` for"),
    (("Softmax", ["x"], ["y"], {"axis": 0}), [("x", FLOAT, [None, 1])], [None, 1], "otherwise alone than among others"),
    (("CumSum", ["x", "axis"], ["y"], {}), [("x", FLOAT, [None, 1])], [None, 1], "otherwise alone than among others"),
])
def test_a_model_of_another_shape_is_refused(tmp_path: Path, node: Any, inputs: Any, output: Any, message: str) -> None:
    from onnx import helper  # noqa: PLC0415 - an extra

    weights = [helper.make_tensor("axis", 6, [], [0])] if node[0] == "CumSum" else []
    path = made(tmp_path / "odd.onnx", [node], inputs, [("y", FLOAT, output)], weights)
    width = inputs[0][2][1]
    assert message in told("onnx", path, inputs=["a", "b"][:width])


def test_no_number_is_passed_on_for_that_customer_alone(tmp_path: Path) -> None:
    path = made(tmp_path / "log.onnx", [("Log", ["x"], ["y"], {})],
                [("x", FLOAT, [None, 1])], [("y", FLOAT, [None, 1])])
    found = assert_alike(opened("onnx", path), pa.table({"x": [1.0, -1.0, 0.0, None] * 8}))["value"].to_pylist()
    assert found[0] == 0.0 and found[1] != found[1] and found[2] == -float("inf") and found[3] is None


def test_weights_in_other_files_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model may name any file of the machine as its weights."""
    from onnx import TensorProto  # noqa: PLC0415 - an extra

    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_bytes(np.arange(2, dtype=np.float32).tobytes())
    for place in ("secret", "../secret", str(tmp_path / "secret")):
        weights = TensorProto(name="w", data_type=FLOAT, dims=[1, 2], data_location=TensorProto.EXTERNAL)
        weights.external_data.add(key="location", value=place)
        path = made(tmp_path / "outside.onnx", [("Add", ["x", "w"], ["y"], {})], [("x", FLOAT, [None, 2])],
                    [("y", FLOAT, [None, 2])], [weights])
        assert "`outside.onnx` is not an ONNX model that can be read" in told("onnx", path, inputs=["a", "b"])


def test_a_file_that_is_no_model_is_refused(folder: Path, tmp_path: Path) -> None:
    whole = (folder / "boosted.onnx").read_bytes()
    path = tmp_path / "cut.onnx"
    for content in (b"\x00" * 50, b"tree\n", whole[:len(whole) // 2], whole[:-1], b"PK\x03\x04"):
        path.write_bytes(content)
        assert "`cut.onnx` is not an ONNX model that can be read" in told("onnx", path, inputs=NAMES)


def test_a_file_that_changes_while_it_is_open_does_nothing(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes((folder / "boosted.onnx").read_bytes())
    scorer, row = opened("onnx", path, inputs=NAMES), customers(1).to_pylist()[0]
    before = scorer.one(row)
    path.write_bytes((folder / "regression.onnx").read_bytes())
    assert scorer.one(row) == before
    path.unlink()
    assert scorer.one(row) == before


def test_threads_are_bounded(folder: Path) -> None:
    for wrong in (0, 1.5, 1000):
        assert "it may be a whole number from 1 to 256" in told(
            "onnx", folder / "boosted.onnx", inputs=NAMES, threads=wrong)
    table = customers(3000)
    one = opened("onnx", folder / "forest.onnx", inputs=NAMES).batch(table)
    assert opened("onnx", folder / "forest.onnx", inputs=NAMES, threads=2).batch(table).equals(one)
