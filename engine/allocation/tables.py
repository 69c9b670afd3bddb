"""Decided customers as a problem, and an allocation as rows."""
from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.allocation.plan import Plan
from engine.allocation.problem import NOBODY, Cap, Problem, Shared
from engine.allocation.told import limited
from engine.check.scope import closest
from engine.portfolio.binding import Reading
from engine.portfolio.columnar.binding import ORDINAL, Relation
from engine.portfolio.columnar.session import Session
from engine.portfolio.columnar.sources import Options, opened
from engine.portfolio.problems import DataProblem
from engine.portfolio.writing import atomic, output
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.declarations import InputDecl
from engine.semantics.dtypes import Type

#: Steps that a sum may have: beyond, binary numbers are no longer whole.
MOST_STEPS = 2**53


class Candidates(Record):
    """The customers that a plan shares among: their keys, groups by column, and the problem. `passed_over` counts rows
    without an amount or a value, `others` those that the plan leaves out."""

    keys: tuple[Any, ...]
    groups: Mapping[str, tuple[Any, ...]]
    problem: Problem
    passed_over: int
    others: int


def candidates(session: Session, place: str, plan: Plan, options: Options) -> Candidates:
    """Read the customers at `place`; raises DataProblem."""
    texts = dict.fromkeys([*plan.only, *(cap.by for cap in plan.caps)])
    decls = [
        InputDecl(plan.key, Type(dt.STRING, True)), InputDecl(plan.amount, Type(dt.MONEY, True)),
        InputDecl(plan.value, Type(dt.NUMBER, True)), *(InputDecl(name, Type(dt.STRING, True)) for name in texts),
    ]
    decls = list({d.name: d for d in decls}.values())
    relation = opened(session, place, decls, options, Reading())
    _require(relation, [d.name for d in decls])
    return _problem(session, relation, plan, list(texts))


def _require(relation: Relation, names: list[str]) -> None:
    lost = [name for name in names if name not in relation.columns]
    if lost:
        near = closest(lost[0], relation.names)
        listed = ", ".join(f"`{name}`" for name in relation.names)
        way = f"did you mean `{near}`?" if near else f"the columns are {listed}"
        raise DataProblem(f"there is no column `{lost[0]}`", relation.path, help=way)
    if relation.unreadable:
        row = relation.unreadable[0]
        raise DataProblem(row.message, relation.path, row.line, row.help)


def _problem(session: Session, relation: Relation, plan: Plan, texts: list[str]) -> Candidates:
    columns = relation.columns
    bad = [columns[n].bad for n in (plan.key, plan.amount, plan.value) if columns[n].bad is not None]
    if bad:
        rows = session.rows(f"SELECT {ORDINAL} FROM {relation.name} WHERE {' OR '.join(map(str, bad))} LIMIT 1")
        for (line,) in rows:
            raise DataProblem(
                f"the key, `{plan.amount}` or `{plan.value}` of this row cannot be read", relation.path, line,
                help="share over the results of a run, or mend the row",
            )
    wanted = " AND ".join(
        ["true", *(f"{columns[name].name} IN (SELECT unnest({session.variable(list(values))}))"
                   for name, values in plan.only.items())]
    )
    amount, value = columns[plan.amount].name, columns[plan.value].name
    named = [columns[plan.key].name, amount, value, *(columns[name].name for name in texts)]
    listed = ", ".join(f"{name} AS c{at}" for at, name in enumerate(named))
    table = session.connection.sql(
        f"SELECT {listed}, coalesce({wanted}, false) AS wanted FROM {relation.name} ORDER BY {ORDINAL}"
    ).to_arrow_table()
    chosen = table.filter(table.column("wanted"))
    known = chosen.filter(pa.compute.and_(chosen.column("c1").is_valid(), chosen.column("c2").is_valid()))
    most = _steps(np.asarray(known.column("c1"), dtype=np.float64), plan, relation.path)
    groups = {name: tuple(known.column(f"c{at}").to_pylist()) for at, name in enumerate(texts, start=3)}
    problem = Problem(
        most, np.asarray(known.column("c2"), dtype=np.float64) * float(plan.step), int(plan.budget // plan.step),
        tuple(_cap(plan, at, groups[cap.by]) for at, cap in enumerate(plan.caps)), plan.whole,
    )
    return Candidates(
        tuple(known.column("c0").to_pylist()), {cap.by: groups[cap.by] for cap in plan.caps}, problem,
        chosen.num_rows - known.num_rows, table.num_rows - chosen.num_rows,
    )


def _steps(amounts: Any, plan: Plan, path: str) -> Any:
    """The whole steps in each amount: a fen's own rounding does not lose one."""
    steps = np.floor(np.maximum(amounts, 0.0) / float(plan.step) + 1e-6)
    if float(steps.sum()) > MOST_STEPS:
        raise DataProblem("the amounts add up to more than can be told apart", path, help="share in greater steps")
    return steps.astype(np.int64)


def _cap(plan: Plan, at: int, values: tuple[Any, ...]) -> Cap:
    cap = plan.caps[at]
    named = list(dict.fromkeys([*cap.groups, *(v for v in values if v is not None)]))
    limited_ = [name for name in named if cap.usual is not None or name in cap.groups]
    codes = {name: code for code, name in enumerate(limited_)}
    limits = [int(cap.groups.get(name, cap.usual or Decimal(0)) // plan.step) for name in limited_]
    return Cap(
        cap.by, np.fromiter((codes.get(v, NOBODY) for v in values), dtype=np.int32, count=len(values)),
        np.asarray(limits, dtype=np.int64), tuple(limited_),
    )


# --- what comes out ------------------------------------------------------------------------------------

_FORMS = {".parquet": "parquet", ".pq": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}


def write(found: Candidates, shared: Shared, plan: Plan, place: str) -> None:
    """Write a row for each candidate, whole or not at all: key, groups, what it asked for, gets and lacks, and what
    it was limited by. Raises DataProblem."""
    form = _FORMS.get(os.path.splitext(place)[1].lower(), "csv")
    names = [plan.key, *found.groups, "asked", "allocated", "short", "limited by"]
    if form == "parquet":
        try:
            with atomic(place) as draft:
                pq.write_table(_table(found, shared, plan, names), draft)
        except OSError as problem:
            raise DataProblem(f"`{place}` cannot be written: {problem.strerror}", place) from None
        return
    with output(place) as stream:
        if form == "jsonl":
            for row in _rows(found, shared, plan):
                plain = [float(v) if isinstance(v, Decimal) else v for v in row]
                stream.write(json.dumps(dict(zip(names, plain, strict=True)), ensure_ascii=False) + "\n")
            return
        out = csv.writer(stream, lineterminator="\n")
        out.writerow(names)
        out.writerows([*row[:-1], "; ".join(row[-1])] for row in _rows(found, shared, plan))


def _rows(found: Candidates, shared: Shared, plan: Plan) -> Iterator[list[Any]]:
    step = plan.step
    why = limited(found.problem, shared)
    columns = list(found.groups.values())
    for at, (key, most, given) in enumerate(
        zip(found.keys, found.problem.most.tolist(), shared.given.tolist(), strict=True)
    ):
        yield [key, *(c[at] for c in columns), most * step, given * step, (most - given) * step, why[at]]


def _table(found: Candidates, shared: Shared, plan: Plan, names: list[str]) -> pa.Table:
    rows = list(_rows(found, shared, plan))
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [[] for _ in names]
    money, text = pa.decimal128(24, 2), pa.string()
    kinds = [*([text] * (1 + len(found.groups))), money, money, money, pa.list_(text)]
    return pa.table([pa.array(c, k) for c, k in zip(columns, kinds, strict=True)], names=names)
