"""Small models trained for tests, in the files that the scorers read."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

NAMES = [f"x{at}" for at in range(8)]


def customers(count: int = 2000, missing: float = 0.0, seed: int = 3) -> pa.Table:
    """Columns x0 to x7 of very different sizes."""
    random = np.random.default_rng(seed)
    columns = {}
    for at, name in enumerate(NAMES):
        values = random.normal(size=count) * 10.0 ** (at - 2)
        columns[name] = pa.array(values, pa.float64(), mask=random.random(count) < missing)
    return pa.table(columns)


def trained_on(missing: float = 0.0) -> tuple[Any, Any]:
    """Inputs as an array, and outcomes that hang on them."""
    table = customers(3000, missing, seed=1)
    inputs = np.column_stack([table[name].to_numpy() for name in NAMES])
    sizes = np.nan_to_num(inputs) / 10.0 ** (np.arange(8) - 2)
    chance = np.random.default_rng(2).normal(size=len(sizes))
    return inputs, (sizes[:, 0] + sizes[:, 1] * sizes[:, 2] + chance > 0).astype(int)


def estimators() -> dict[str, Callable[[], Any]]:
    """Estimators of scikit-learn by name, not yet fitted."""
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier  # noqa: PLC0415 - an extra
    from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: PLC0415
    from sklearn.neural_network import MLPClassifier  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    return {
        "regression": lambda: make_pipeline(StandardScaler(), LinearRegression()),
        "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
        "boosted": lambda: GradientBoostingClassifier(n_estimators=20, random_state=0),
        "forest": lambda: RandomForestClassifier(20, n_jobs=2, random_state=0),
        "network": lambda: make_pipeline(
            StandardScaler(), MLPClassifier((16, 8), max_iter=500, random_state=0, tol=0.1)),
    }


def onnx_file(path: Path, model: Any, double: bool = False, **options: Any) -> Path:
    """A fitted estimator as ONNX."""
    from skl2onnx import to_onnx  # noqa: PLC0415 - an extra

    sample = np.zeros((1, len(NAMES)), np.float64 if double else np.float32)
    path.write_bytes(to_onnx(model, sample, options=options or None).SerializeToString())
    return path


def lightgbm_booster(missing: float = 0.05, **parameters: Any) -> Any:
    import lightgbm  # noqa: PLC0415 - an extra

    inputs, outcomes = trained_on(missing)
    data = lightgbm.Dataset(inputs, outcomes, feature_name=NAMES)
    stated = {"objective": "binary", "verbose": -1, "num_threads": 1, "seed": 1, **parameters}
    return lightgbm.train(stated, data, parameters.get("rounds", 20))


def xgboost_booster(missing: float = 0.05, **parameters: Any) -> Any:
    import xgboost  # noqa: PLC0415 - an extra

    inputs, outcomes = trained_on(missing)
    data = xgboost.DMatrix(inputs, outcomes, feature_names=NAMES, nthread=1)
    return xgboost.train({"objective": "binary:logistic", "nthread": 1, "seed": 1, **parameters}, data, 20)
