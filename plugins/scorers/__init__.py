"""Scorers of models that a bank has: coefficients in a file, and the files of the usual libraries.

Each kind is a module; the library that reads a model is imported when such a model is opened.
"""
from __future__ import annotations

from collections.abc import Iterable

from tierwise import ScorerKind, hookimpl

from . import lightgbm, linear, onnx, sklearn, xgboost

tierwise_hooks = 1


@hookimpl
def register_scorers() -> Iterable[ScorerKind]:
    return [linear.KIND, onnx.KIND, sklearn.KIND, lightgbm.KIND, xgboost.KIND]
