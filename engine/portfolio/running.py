"""Carries out a run with the engine that was asked for, or else the one that suits its tables."""
from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from engine.diagnostics import Problem
from engine.portfolio import rowwise
from engine.portfolio.aggregates import read_of_customers
from engine.portfolio.columnar.locations import shown_place
from engine.portfolio.request import FAILURES, Listener, Policy, Quiet, Request, Summary
from engine.portfolio.shared import Usage, programs_of, where_of

if TYPE_CHECKING:
    from engine.deploy.deployment import OpenDeployment

PYTHON, DUCKDB, SPARK = "python", "duckdb", "spark"
ENGINES = (PYTHON, DUCKDB, SPARK)
#: Text files that are smaller together are decided one by one before the database has started (docs/decisions/0009).
SMALL = 300_000


def run(policy: Policy, request: Request, listener: Listener, engine: str | None = None) -> Summary:
    """Decide a portfolio and write the results; raises DataProblem, Usage and, for a policy that the columnar
    engine does not carry out, Unsupported."""
    chosen = engine or usual(request)
    if request.supply is not None:
        if chosen == SPARK:
            raise Usage("the spark engine reads no data sources: leave `--engine spark` out")
        if request.run_id is not None:
            raise Usage("`--run-id` goes on with tables that stay as they are, and sources do not: leave it out")
    if request.run_id is not None and (request.ledger is not None or request.actions is not None):
        raise Usage("a run in parts has no list of actions and no ledger: leave `--run-id` out")
    if request.portfolio is not None:
        _require_values(policy, request)
    if request.run_id is not None and policy.program_at(request.as_of).portfolio is not None:
        listener.note("a run in parts tells no values over all customers")
    if request.master is not None and chosen != SPARK:
        raise Usage(f"`--master` is for the spark engine, and {chosen} decides: add `--engine spark`")
    if chosen == SPARK:
        import_module("engine.portfolio.spark.session").require(request)
        spark: Any = import_module("engine.portfolio.spark.run")
        return _summary(spark.run(policy, request, listener))
    if chosen == PYTHON:
        _refuse_columnar(request)
        return rowwise.run(policy, request, listener)
    if not installed():
        raise Usage('the columnar engine needs duckdb and sqlglot: pip install "tierwise[duckdb]"')
    columnar: Any = import_module(f"engine.portfolio.columnar.{'resume' if request.run_id is not None else 'run'}")
    return _summary(columnar.run(policy, request, listener))


def _require_values(policy: Policy, request: Request) -> None:
    """Raise Usage where there are no values over all customers to write."""
    if request.only:
        raise Usage("`--portfolio` is of all that a policy decides: leave `--only` out")
    if request.run_id is not None:
        raise Usage("a run in parts has no values over all customers: leave `--run-id` or `--portfolio` out")
    if policy.program_at(request.as_of).portfolio is None:
        raise Usage("the policy has no values over all customers: leave `--portfolio` out, or state `portfolio` in it")
    if not request.portfolio or not request.portfolio.lower().endswith((".csv", ".jsonl", ".ndjson")):
        raise Usage("`--portfolio` writes CSV or JSON lines: name a file that ends in .csv or .jsonl")


def _summary(found: Any) -> Summary:
    assert isinstance(found, Summary)
    return found


def supplied(policy: Any, request: Request, deployment: OpenDeployment, output: bool) -> Request:
    """A request whose data an open deployment brings, beside those of a file where it names one. `output`: results go
    where the deployment says. Raises DeploymentError, DataProblem, Usage, and PolicyError for a scorer that does not
    fit."""
    programs = programs_of(policy, request)
    where = where_of(programs, request)
    deployment.bind(policy)
    supply = deployment.supply(
        policy, request.as_of, list(request.only) or None, not request.data, None if request.data else (),
        sorted({*(where.reach.inputs if where is not None else ()), *read_of_customers(policy, request)}),
    )
    delivery = deployment.delivery() if output else None
    if delivery is not None and request.form is not None:
        raise Usage("`--format` is for a place named by `--output`; the deployment's output has a form of its own")
    return request.replace(
        supply=supply, delivery=delivery, extras=(*request.extras, FAILURES),
        out=request.out if delivery is None else delivery.shown,
    )


def usual(request: Request) -> str:
    """The engine that is used unless another is asked for: columnar for tables that only the database reads or writes
    and for large files, one by one for small ones, whose results are there before the database has started."""
    if only_columnar(request) or request.supply is not None and installed():
        return DUCKDB
    places = request.read
    if any(place == "-" or not os.path.isfile(place) for place in places):
        return PYTHON                                   # standard input and pipes; what is not there is told by it too
    sizes = [os.path.getsize(place) * (10 if place.endswith(".gz") else 1) for place in places]
    return DUCKDB if sum(sizes) > SMALL and installed() else PYTHON


def installed() -> bool:
    """Whether the columnar engine's libraries are there."""
    return find_spec("duckdb") is not None and find_spec("sqlglot") is not None


def only_columnar(request: Request) -> str | None:
    """What of a request the one-by-one engine cannot do; None where it can do all."""
    for place in request.read:
        if not _is_text(place, request.options.format if place != request.previous else None):
            return f"reading `{shown_place(place)}`"
    if request.form in ("parquet", "xlsx") or request.out != "-" and not _is_text(request.out, request.form, True):
        return f"writing `{shown_place(request.out)}`"
    for given, name in (
        (request.memory_limit, "--memory-limit"), (request.threads, "--threads"), (request.run_id, "--run-id")
    ):
        if given is not None:
            return f"`{name}`"
    return None


def _is_text(place: str, form: str | None, written: bool = False) -> bool:
    """Whether a place is a text file, or looks like none of the tables that only the database takes."""
    if form is not None and not written:
        return form in ("csv", "jsonl") and "::" not in place
    name = place.lower().removesuffix(".gz")
    if "::" in place or place.startswith(("postgres://", "postgresql://", "env:")):
        return False
    if written:
        return form is not None or not name.endswith((".parquet", ".pq", ".xlsx", ".xlsm", ".duckdb", ".ddb", ".db"))
    if name.endswith((".parquet", ".pq", ".xlsx", ".xlsm", ".duckdb", ".ddb", ".db")):
        return False
    if os.path.exists(place):
        return not (os.path.isdir(place) and _has_parquet(place))
    return not any(c in place for c in "*?[")


def _has_parquet(folder: str) -> bool:
    return any(name.endswith(".parquet") for _, _, names in os.walk(folder) for name in names)


def _refuse_columnar(request: Request) -> None:
    if request.delivery is not None:
        raise Usage("the deployment's output needs the columnar engine: name a place with `--output`")
    what = only_columnar(request)
    if what is not None:
        raise Usage(f"{what} needs the columnar engine: leave `--engine python` out")



def called(
    policy: Any, data: Any, as_of: datetime.date, out: Any, history: Mapping[str, Any], engine: str | None,
    options: Mapping[str, Any], invalid: Callable[[Sequence[Any], Mapping[str, str]], Exception],
) -> Summary:
    """A run that a program asks for (`Policy.run`); `invalid` makes what is raised of findings."""
    if engine is not None and engine not in ENGINES:
        raise ValueError(f"no engine is called {engine!r}; there are 'python', 'duckdb' and 'spark'")
    if isinstance(as_of, datetime.datetime) or not isinstance(as_of, datetime.date):
        raise TypeError(f"as_of is a datetime.date, not {type(as_of).__name__}")
    places = tuple((str(name), os.fspath(place)) for name, place in history.items())
    request = Request(os.fspath(data), as_of, places, os.fspath(out))
    listener = Quiet()
    try:
        chosen = {name: _option(value) for name, value in options.items()}
        deployment = chosen.pop("deployment", None)
        request = request.replace(**chosen)
        found = run(policy, request, listener, engine) if deployment is None else _deployed(
            policy, request, listener, engine, deployment
        )
    except Usage as problem:
        raise ValueError(str(problem)) from None
    except Problem as problem:
        raise invalid(problem.diagnostics, {**policy.sources, **getattr(problem, "sources", {})}) from None
    return found.replace(notes=tuple(listener.notes))


def _deployed(policy: Any, request: Request, listener: Listener, engine: str | None, path: str) -> Summary:
    """A run whose data a deployment file brings."""
    deploying: Any = import_module("engine.deploy.deployment")
    with deploying.open_deployment(path) as deployment:
        return run(policy, supplied(policy, request, deployment, False), listener, engine)


def _option(value: Any) -> Any:
    """An option as a request holds it."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return tuple(value) if isinstance(value, list) else value
