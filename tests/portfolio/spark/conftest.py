"""One session for all, and a run through Spark held against the one of the columnar engine."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.policy import Policy
from engine.portfolio.columnar import run as columnar
from engine.portfolio.request import Request
from tests.portfolio.columnar.both import Ran, ran
from tests.portfolio.columnar.conftest import folder as folder
from tests.portfolio.columnar.conftest import policy as policy

Agree = Callable[[Policy, Request, Path], Ran]


@pytest.fixture(scope="session")
def session() -> Iterator[Any]:
    from engine.backends.sql.spark import local_session  # noqa: PLC0415 - half a gigabyte, not in every environment
    from engine.backends.sql.spark_memory import SETTINGS  # noqa: PLC0415

    made = local_session("local[2]", SETTINGS)
    made.sparkContext.setLogLevel("OFF")
    yield made
    made.stop()


@pytest.fixture
def agree(session: Any) -> Agree:
    """Assert that Spark does as the columnar engine does; what they did."""
    from engine.portfolio.spark import run as spark  # noqa: PLC0415

    def call(policy: Policy, request: Request, folder: Path) -> Ran:
        one = ran(columnar, policy, request, folder)
        other = ran(spark, policy, request, folder)
        for field in ("end",) if one.end is not None else Ran._fields:
            mine, theirs = getattr(one, field), getattr(other, field)
            if field == "notes":
                mine, theirs = sorted(mine), sorted(theirs)
            assert theirs == mine, f"{field}\nduckdb: {mine}\nspark: {theirs}"
        assert (other.end is None) == (one.end is None)
        return one

    return call
