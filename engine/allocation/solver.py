"""Linear and integer programs, by HiGHS: one thread and a fixed seed, so that the same problem has the same answer."""
from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from engine.allocation.problem import Cap, Floats

SEED = 0


class SolverMissing(Exception):
    """The solver's library is not installed."""


class Unsolved(Exception):
    """The solver gave no answer within its time."""


def _highs() -> Any:
    try:
        return import_module("highspy")
    except ImportError:
        raise SolverMissing('sharing a budget needs highspy: pip install "tierwise[allocate]"') from None


@contextmanager
def _silent() -> Iterator[None]:
    """The library says its name on the process's own output when it begins, whatever it is told; data go there."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def linear(most: Floats, value: Floats, budget: float, caps: Sequence[Cap]) -> tuple[float, list[Floats]]:
    """The prices of the budget and of each cap's groups where as much value as possible is shared out."""
    solved = _solve(most, value, budget, caps, whole=False, gap=0.0, seconds=None)
    prices = np.maximum(np.asarray(solved.getSolution().row_dual, dtype=np.float64), 0.0)
    found, at = [], 1
    for cap in caps:
        found.append(prices[at:at + len(cap.limits)])
        at += len(cap.limits)
    return float(prices[0]), found


def amounts(
    most: Floats, value: Floats, budget: float, caps: Sequence[Cap], *, whole: bool, gap: float, seconds: float
) -> tuple[Floats, float]:
    """The best amounts, or (`whole`) whether each customer gets its own, and a bound on their value."""
    solved = _solve(most, value, budget, caps, whole=whole, gap=gap, seconds=seconds)
    found = np.asarray(solved.getSolution().col_value, dtype=np.float64)
    info = solved.getInfo()
    return found, float(info.mip_dual_bound if whole else info.objective_function_value)


def _solve(
    most: Floats, value: Floats, budget: float, caps: Sequence[Cap], *, whole: bool, gap: float, seconds: float | None
) -> Any:
    highspy = _highs()
    customers = len(most)
    rows = [np.zeros(customers, dtype=np.int32)]
    columns = [np.arange(customers, dtype=np.int32)]
    limits: list[float] = [float(budget)]
    for cap in caps:
        member = np.flatnonzero(cap.codes >= 0).astype(np.int32)
        rows.append((cap.codes[member] + len(limits)).astype(np.int32))
        columns.append(member)
        limits.extend(cap.limits.astype(np.float64).tolist())
    row, column = np.concatenate(rows), np.concatenate(columns)
    order = np.lexsort((row, column))
    row, column = row[order], column[order]
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = customers, len(limits)
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_ = value * most if whole else value
    lp.col_lower_ = np.zeros(customers)
    lp.col_upper_ = np.ones(customers) if whole else most
    lp.row_lower_ = np.full(len(limits), -highspy.kHighsInf)
    lp.row_upper_ = np.asarray(limits)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.searchsorted(column, np.arange(customers + 1)).astype(np.int32)
    lp.a_matrix_.index_ = row
    lp.a_matrix_.value_ = most[column] if whole else np.ones(len(row))
    if whole:
        lp.integrality_ = [highspy.HighsVarType.kInteger] * customers
    with _silent():
        solver = highspy.Highs()
    for name, setting in (
        ("output_flag", False), ("threads", 1), ("parallel", "off"), ("random_seed", SEED), ("mip_rel_gap", gap),
    ):
        solver.setOptionValue(name, setting)
    if seconds is not None:
        solver.setOptionValue("time_limit", seconds)
    solver.passModel(lp)
    solver.run()
    status = solver.getModelStatus()
    solution = solver.getSolution()
    if status != highspy.HighsModelStatus.kOptimal and not (whole and solution.value_valid):
        raise Unsolved(f"the solver ended with `{solver.modelStatusToString(status)}`")
    return solver
