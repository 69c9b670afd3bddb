"""Scorers that tests bind: one that behaves, and one for each way of not behaving."""
from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from engine.hookspecs import Field, PluginFailure, Score, ScorerDescription
from engine.scoring.bound import Bound

INPUTS = {"years": Field("number"), "debt ratio": Field("number")}


class Plain:
    """Half the debt ratio, and a reason above one half."""

    described = ScorerDescription(INPUTS, Field("number"), "v1", ("high debt", "young"))

    def describe(self) -> ScorerDescription:
        return self.described

    def one(self, row: Any) -> Score:
        value = row["debt ratio"] / 2
        return Score(value, ("high debt",) if value > 0.25 else ())

    def batch(self, table: pa.Table) -> pa.Table:
        found = [self.one(row) for row in table.to_pylist()]
        return pa.table({
            "value": pa.array([f.value for f in found], pa.float64()),
            "reasons": pa.array([list(f.reasons) for f in found], pa.list_(pa.string())),
        })

    def close(self) -> None:
        pass


class Odd(Plain):
    """Answers by a function."""

    def __init__(self, answer: Callable[[Any], Any], described: ScorerDescription | None = None) -> None:
        self.answer = answer
        self.described = described or Plain.described

    def one(self, row: Any) -> Any:
        found = self.answer(row)
        return found if isinstance(found, (Score, Unscored)) else Score(found)


class Unscored:
    """What is no score."""


def bound(scorer: Any = None, **options: Any) -> Bound:
    found = Plain() if scorer is None else scorer
    return Bound("test", lambda: found, **options)


def failing(row: Any) -> Any:
    raise PluginFailure("the model file is empty")


def raising(row: Any) -> Any:
    raise KeyError("password=hunter2")


def ending(row: Any) -> Any:
    raise SystemExit(0)


#: Ends the calls that block, so that no thread of theirs outlives its test.
released = threading.Event()


def blocking(row: Any) -> Any:
    released.wait()


def changing(row: Any) -> Any:
    row["years"] = -1
    return 0.5
