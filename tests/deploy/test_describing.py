"""A source whose description is not as the hooks ask is told, whatever it is, and nothing is asked of it."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.deploy.deployment import OpenDeployment
from engine.hookspecs import Field, Table
from engine.policy import Policy
from engine.runs import DataProblem
from tests.deploy.kinds import SCORES, Kinds, Memory, bureau, core

DAY = datetime.date(2026, 7, 1)
LISTED: Any = ["number"]


class Raising(Mapping[str, Any]):
    """Fields that cannot be looked through."""

    def __getitem__(self, name: str) -> Any:
        raise ZeroDivisionError

    def __iter__(self) -> Iterator[str]:
        raise ZeroDivisionError

    def __len__(self) -> int:
        return 1


def table(**more: Any) -> Any:
    return lambda: [Table(**{"name": "scores", "key": "id", "fields": {"dscr": Field()}, **more})]


@pytest.mark.parametrize(
    ("describe", "why"),
    [
        (lambda: None, "its description is no list of tables"),
        (lambda: "scores", "its description is no list of tables"),
        (lambda: {"scores": SCORES}, "its description is no list of tables"),
        (lambda: 5, "it raised TypeError"),
        (lambda: ["scores"], "its description holds what is no table"),
        (lambda: [SCORES, SCORES], "it describes the table `scores` twice"),
        (table(name=""), "its description holds what is no table"),
        (table(key=" "), "its table `scores` does not name the column of its key"),
        (table(key=None), "its table `scores` does not name the column of its key"),
        (table(fields=["dscr"]), "its table `scores` has fields that are no mapping"),
        (table(fields=None), "its table `scores` has fields that are no mapping"),
        (table(fields=Raising()), "it raised ZeroDivisionError"),
        (table(fields={"dscr": "number"}), "its table `scores` has a field that is none"),
        (table(fields={1: Field()}), "its table `scores` has a field that is none"),
        (table(fields={"~failed": Field()}), "its table `scores` has a field that is none"),
        (table(fields={"dscr": Field("float")}), "its field `scores.dscr` has the type `float`, which no value has"),
        (table(fields={"dscr": Field(LISTED)}), "its field `scores.dscr` has the type `['number']`, which no"),
        (table(stamp=3), "its table `scores` names no column as its stamp"),
        (table(stamp=""), "its table `scores` names no column as its stamp"),
        (table(stamp="dscr"), "its field `scores.dscr` is no date, and is named as its stamp"),
    ],
)
def test_what_is_wrong_is_told(policy: Policy, deployment: Path, describe: Callable[[], Any], why: str) -> None:
    def odd() -> Memory:
        found = bureau()
        found.describe = describe  # type: ignore[method-assign]
        return found

    with OpenDeployment(deployment, Kinds(core=core, bureau=odd)) as opened, pytest.raises(DataProblem) as caught:
        opened.decide(policy, "F1", as_of=DAY)
    assert caught.value.message.startswith(f"source `bureau` cannot be opened: {why}")
    assert caught.value.line == 4


def test_a_description_is_kept_as_it_was(policy: Policy, deployment: Path) -> None:
    fields = dict(SCORES.fields)

    class Changing(Memory):
        def one(self, *asked: Any) -> Any:
            fields.clear()
            return super().one(*asked)

    def changing() -> Memory:
        return Changing([(Table("scores", "id", fields), bureau().tables["scores"][1])])

    with OpenDeployment(deployment, Kinds(core=core, bureau=changing)) as opened:
        for _ in range(2):
            decision = opened.decide(policy, "F1", as_of=DAY)
            assert decision.sources["dscr"].source == "bureau.scores.dscr"
