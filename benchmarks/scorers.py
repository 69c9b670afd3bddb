"""Scorers beside the libraries of their models: a batch through the plugin, and the library over the same Arrow table.

The models are trained on the outcomes of real loans, which are drawn again and again, each number a little changed, to
as many customers as asked for. The libraries are called the quickest way that they have for an Arrow table, on as many
threads.
"""
from __future__ import annotations

import csv
import importlib.util
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.given import Given
from benchmarks.portfolio import interleaved
from benchmarks.report import Goal, Line, Section
from benchmarks.timing import per_call
from engine.testing import settings
from plugins import scorers

_LIMIT = 1.2
#: How far, relative to the score, the last digits of a library may lie apart for whole arrays of different lengths.
_APART = 1e-12
_NAMES = ("term", "employees", "disbursed", "backed", "share", "recession")
_COLUMNS = ("Term", "NoEmp", "DisbursementGross", "RealEstate", "Portion", "Recession")
_ROUNDS_OF_TREES = 100
_KINDS = {kind.name: kind for kind in scorers.register_scorers()}
#: Those that are called beside; coefficients have no library, and a hand-written sum checks nothing.
_LIBRARIES = ("onnx, logistic", "onnx, trees", "sklearn, logistic", "lightgbm", "xgboost")
Direct = Callable[[], Any]


def measure(given: Given, count: int, rounds: int, part: float) -> Section:
    """Score `count` customers with each, interleaved, after the scores were compared."""
    source = given.folder.parent / "data" / "sba_case" / "loans.csv"
    missing = [name for name in ("lightgbm", "onnxruntime", "skl2onnx", "skops", "xgboost")
               if importlib.util.find_spec(name) is None]
    if missing or not source.is_file():
        what = ", ".join(f"`{name}`" for name in missing) + " not installed" if missing else "the loans are not there"
        return Section("scorers", "Scorers", "", (), (f"absent: {what}",))
    lines: list[Line] = []
    mismatches = 0
    with TemporaryDirectory() as name:
        table = _customers(source, count)
        rows = table.slice(0, 2000).to_pylist()
        for kind, (scorer, direct) in _pairs(source, Path(name), table).items():
            own, theirs = scorer.batch(table)["value"].to_numpy(), direct()
            mismatches += int((abs(own - theirs) > _APART * abs(theirs)).sum())
            alone = zip(rows[:200], own.tolist(), strict=False)
            mismatches += sum(scorer.one(row).value != value for row, value in alone)
            theirs_name = f"{kind}: the library" if kind in _LIBRARIES else f"{kind}: numpy by hand"
            found = interleaved({theirs_name: _timed(direct), kind: _timed(lambda s=scorer: s.batch(table))}, rounds)
            ratio = found[kind].ratio(found[theirs_name])
            lines.append(Line(theirs_name, "ms", found[theirs_name]))
            goals = (Goal(_LIMIT, "x", ratio, "the library"),) if kind in _LIBRARIES else ()
            lines.append(Line(f"{kind}: the scorer", "ms", found[kind], ratio, goals))
            each = per_call({"": scorer.one}, {"": rows}, rounds, min(part, 0.05))[""]
            lines.append(Line(f"{kind}: the scorer, one customer", "us", each))
    notes = (f"rows: {count:,} of {len(_NAMES)} columns, in one Arrow table; one thread",
             "differences are scores that are not the library's, or not the same bits alone")
    return Section("scorers", "Scorers of models, in a batch", "the library", tuple(lines), notes, mismatches)


def _timed(run: Direct) -> Callable[[], float]:
    def timed() -> float:
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    return timed


def _loans(source: Path) -> tuple[Any, Any]:
    """The inputs of the loans as an array, and whether each was charged off."""
    import numpy as np  # noqa: PLC0415 - of the bench extra

    with source.open(encoding="utf-8-sig", newline="") as stream:
        loans = list(csv.DictReader(stream))
    inputs = np.array([[float(loan[column]) for column in _COLUMNS] for loan in loans])
    return inputs, np.array([float(loan["Default"]) for loan in loans])


def _customers(source: Path, count: int) -> Any:
    import numpy as np  # noqa: PLC0415
    import pyarrow  # noqa: PLC0415

    inputs, _ = _loans(source)
    random = np.random.default_rng(7)
    drawn = inputs[random.integers(0, len(inputs), count)] * random.uniform(0.9, 1.1, (count, len(_NAMES)))
    return pyarrow.table({name: np.ascontiguousarray(drawn[:, at]) for at, name in enumerate(_NAMES)})


def _pairs(source: Path, folder: Path, table: Any) -> Mapping[str, tuple[Any, Direct]]:
    """By name, a scorer and the call of the library that gives the same scores."""
    import lightgbm  # noqa: PLC0415 - of the extras
    import numpy as np  # noqa: PLC0415
    import onnxruntime  # noqa: PLC0415
    import xgboost  # noqa: PLC0415
    from skl2onnx import to_onnx  # noqa: PLC0415
    from sklearn.ensemble import GradientBoostingClassifier  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415
    from skops import io  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    inputs, outcomes = _loans(source)

    def stacked() -> Any:
        return np.column_stack([table[name].to_numpy() for name in _NAMES])

    def opened(kind: str, file: str, **stated: Any) -> Any:
        return _KINDS[kind].open(settings(_KINDS[kind].settings, {"file": file, **stated}, folder))

    pairs: dict[str, tuple[Any, Direct]] = {}
    logistic = make_pipeline(StandardScaler(), LogisticRegression()).fit(inputs, outcomes)
    trees = GradientBoostingClassifier(n_estimators=_ROUNDS_OF_TREES, random_state=0).fit(inputs, outcomes)
    for name, model in (("logistic", logistic), ("trees", trees)):
        exported = to_onnx(model, inputs[:1].astype("float32"), options={"zipmap": False}).SerializeToString()
        (folder / f"{name}.onnx").write_bytes(exported)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(exported, options, providers=["CPUExecutionProvider"])

        def direct(session: Any = session) -> Any:
            return session.run(["probabilities"], {"X": stacked().astype("float32")})[0][:, 1].astype("float64")

        pairs[f"onnx, {name}"] = opened("onnx", f"{name}.onnx", inputs=list(_NAMES)), direct
    io.dump(logistic, folder / "logistic.skops")

    def by_sklearn() -> Any:
        with threadpool_limits(1):
            return logistic.predict_proba(stacked())[:, 1]

    pairs["sklearn, logistic"] = opened("sklearn", "logistic.skops", inputs=list(_NAMES)), by_sklearn
    stated = {"objective": "binary", "verbose": -1, "num_threads": 1}
    data = lightgbm.Dataset(inputs, outcomes, feature_name=list(_NAMES))
    booster = lightgbm.train(stated, data, _ROUNDS_OF_TREES)
    booster.save_model(folder / "trees.txt")
    pairs["lightgbm"] = opened("lightgbm", "trees.txt"), lambda: booster.predict(stacked(), num_threads=1)
    boosted = xgboost.train({"objective": "binary:logistic", "nthread": 1},
                            xgboost.DMatrix(inputs, outcomes, feature_names=list(_NAMES)), _ROUNDS_OF_TREES)
    boosted.save_model(folder / "trees.ubj")
    pairs["xgboost"] = opened("xgboost", "trees.ubj"), lambda: boosted.inplace_predict(
        stacked(), validate_features=False).astype("float64")
    scale, regression = logistic[0], logistic[1]
    weights = regression.coef_[0] / scale.scale_
    intercept = float(regression.intercept_[0] - (weights * scale.mean_).sum())
    (folder / "linear.yaml").write_text(_linear(intercept, [float(w) for w in weights]), "utf-8")

    def by_hand() -> Any:
        total = intercept
        for name, weight in zip(_NAMES, weights, strict=True):
            total = total + weight * table[name].to_numpy()
        return 1 / (1 + np.exp(-total))

    pairs["linear"] = opened("linear", "linear.yaml"), by_hand
    return pairs


def _linear(intercept: float, weights: list[float]) -> str:
    parts = "".join(f"  {name}: {{coefficient: {weight!r}}}\n" for name, weight in zip(_NAMES, weights, strict=True))
    return f"link: logit\nintercept: {intercept!r}\nreasons: 0\ninputs:\n{parts}"
