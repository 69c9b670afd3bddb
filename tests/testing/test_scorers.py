"""The contract of scorers: a sound one passes, and each that is broken in one way is told by that."""
from __future__ import annotations

import ctypes
import itertools
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import engine as tierwise
from engine.testing import Broken, ScorerContract, check, settings


class Scorer:
    """0.5 and less for those who trade shortly; a sound scorer."""

    reasons: tuple[str, ...] = ("young", "indebted")

    def describe(self) -> tierwise.ScorerDescription:
        return tierwise.ScorerDescription(
            {"years": tierwise.Field(lower=0), "debt": tierwise.Field(lower=0, upper=10),
             "region": tierwise.Field("string", values=("SH", "BJ"))},
            tierwise.Field("number", lower=0, upper=1), "2026-10", self.reasons)

    def one(self, row: Any) -> tierwise.Score:
        value = min(1.0, 1 / (1 + row["years"]) + row["debt"] / 20)
        return tierwise.Score(value, ("young",) if row["years"] < 1 else ())

    def batch(self, table: pa.Table) -> pa.Table:
        answers = [self.one(row) for row in table.to_pylist()]
        return pa.table({"value": pa.array([a.value for a in answers], pa.float64()),
                         "reasons": pa.array([list(a.reasons) for a in answers], pa.list_(pa.string()))})

    def close(self) -> None:
        pass


class Handles(Scorer):
    def describe(self) -> tierwise.ScorerDescription:
        found = super().describe()
        return tierwise.ScorerDescription(found.inputs, found.output, found.version, found.reasons, True)

    def one(self, row: Any) -> tierwise.Score:
        if row["years"] is None or row["debt"] is None:
            return tierwise.Score(None)
        return super().one(row)


def open_file(settings: tierwise.Settings) -> Scorer:
    try:
        settings["file"].read_text()
    except OSError:
        raise tierwise.PluginFailure(f"`{settings['file'].name}` cannot be read") from None
    return Scorer()


KIND = tierwise.ScorerKind("sound", open_file, {"file": tierwise.Setting("path", required=True)})


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model.txt").write_text("a model")
    return tmp_path


class TestSound(ScorerContract):
    """The contract as a class of tests, which pytest collects."""

    rows = ({"years": 3.0, "debt": 1.0, "region": "SH"},)

    def open(self) -> Scorer:
        return Scorer()


class TestSoundWithMissing(ScorerContract):
    def open(self) -> Scorer:
        return Handles()


def test_in_one_call(model: Path) -> None:
    check(ScorerContract, kind=KIND, settings={"file": "model.txt"}, folder=model)


def broken(**parts: Any) -> type[Scorer]:
    return type("BrokenScorer", (Scorer,), parts)


def _describe(**changes: Any) -> Callable[[Any], Any]:
    def describe(self: Any) -> Any:
        found = Scorer.describe(self)
        parts = {"inputs": found.inputs, "output": found.output, "version": found.version, "reasons": found.reasons}
        return tierwise.ScorerDescription(**{**parts, **changes})
    return describe


_COUNT = itertools.count()


def _forgetful(self: Any, row: Any) -> tierwise.Score:
    return tierwise.Score((next(_COUNT) % 7) / 10)


def _mutating(self: Any, row: Any) -> tierwise.Score:
    answer = Scorer.one(self, row)
    row["years"] = 0
    return answer


def _float32(self: Any, table: pa.Table) -> pa.Table:
    answer = Scorer.batch(self, table)
    return answer.set_column(0, "value", answer["value"].cast(pa.float32()).cast(pa.float64()))


def _sorted(self: Any, table: pa.Table) -> pa.Table:
    return Scorer.batch(self, table.sort_by("years"))


def _relative(self: Any, table: pa.Table) -> pa.Table:
    """Ranks within the batch, a real mistake: the answer hangs on who else is asked."""
    answer = Scorer.batch(self, table)
    first = answer["value"][0].as_py() if table.num_rows else 0
    return answer.set_column(0, "value", pa.array([min(1.0, v / 2 + first / 2) for v in answer["value"].to_pylist()]))


def _short(self: Any, table: pa.Table) -> pa.Table:
    return Scorer.batch(self, table).slice(0, max(0, table.num_rows - 1))


def _thread(self: Any, row: Any) -> tierwise.Score:
    if not hasattr(self, "connection"):
        self.connection = sqlite3.connect(":memory:")
    self.connection.execute("select 1")
    return Scorer.one(self, row)


@pytest.mark.parametrize(
    ("scorer", "told"),
    [
        (broken(describe=lambda s: {"years": "number"}), "`describe` gives `dict`"),
        (broken(describe=_describe(inputs={})), "`describe` names no inputs"),
        (broken(describe=_describe(version="")), "`describe` gives no version"),
        (broken(describe=_describe(inputs={"years": "number"})), "`years` is no `tierwise.Field`"),
        (broken(describe=_describe(output=tierwise.Field("float"))), "`the output` has the type `float`"),
        (broken(describe=_describe(output=tierwise.Field(lower=1, upper=0))), "has a least value above its greatest"),
        (broken(describe=lambda s: _describe(version=str(next(_COUNT)))(s)), "says something else when the scorer"),
        (broken(one=lambda s, row: 0.5), "`one` gives `float`"),
        (broken(one=lambda s, row: tierwise.Score(1.5)), "the value 1.5 is not within [0..1]"),
        (broken(one=lambda s, row: tierwise.Score(float("nan"))), "the value nan is not finite"),
        (broken(one=lambda s, row: tierwise.Score("0.5")), "and not a number"),
        (broken(one=lambda s, row: tierwise.Score(0.5, "young")), "the reasons are 'young'"),
        (broken(reasons=()), "the reason `young` is not among those that `describe` lists"),
        (broken(one=_forgetful), "when asked again"),
        (broken(one=_mutating), "`one` changes what it is given"),
        (broken(one=_thread), "fails on another, with `ProgrammingError`"),
        (broken(batch=_float32), "`one` gives"),
        (broken(batch=_sorted), "in another order, when the rows are shuffled"),
        (broken(batch=_relative), "`batch` gives other answers"),
        (broken(batch=_short), "`batch` gives 40 rows for 41"),
        (broken(batch=lambda s, t: [0.5]), "`batch` gives `list`"),
        (broken(batch=lambda s, t: pa.table({"score": [0.5]})), "has no column `value`"),
    ],
)
def test_broken(scorer: type[Scorer], told: str) -> None:
    row = {"years": 3.7, "debt": 1.3, "region": "SH"}
    with pytest.raises(Broken) as caught:
        check(ScorerContract, open=lambda: scorer(), rows=[row], broken=lambda: None)
    assert told in str(caught.value)
    assert "= help: " in str(caught.value)


def test_a_scorer_that_writes_into_the_table() -> None:
    class Writes(Scorer):
        def batch(self, table: pa.Table) -> pa.Table:
            answer = super().batch(table)
            buffer = table["years"].chunk(0).buffers()[1]
            if table.num_rows and buffer is not None:
                ctypes.memset(buffer.address, 0, buffer.size)
            return answer

    with pytest.raises(Broken, match="`batch` changes the table that it is given"):
        check(ScorerContract, open=lambda: Writes(), broken=lambda: None)


def test_a_scorer_that_says_it_handles_missing_and_does_not() -> None:
    class Careless(Handles):
        one = Scorer.one

    with pytest.raises(Broken, match="`TypeError`"):
        check(ScorerContract, open=lambda: Careless(), broken=lambda: None)


@pytest.mark.parametrize(
    ("open_", "told"),
    [
        (lambda settings: open(settings["file"]) and Scorer(), "a broken scorer fails with `FileNotFoundError`"),
        (lambda settings: Scorer(), "a scorer that is broken answers all the same"),
        (lambda settings: _fail(settings, ""), "a broken scorer fails without a word"),
    ],
)
def test_failing_otherwise(model: Path, open_: Any, told: str) -> None:
    kind = tierwise.ScorerKind("k", open_, KIND.settings)
    with pytest.raises(Broken) as caught:
        check(ScorerContract, kind=kind, settings={"file": "model.txt"}, folder=model, open=lambda: Scorer())
    assert told in str(caught.value)


def _fail(settings: tierwise.Settings, text: str) -> Scorer:
    if not settings["file"].exists():
        raise tierwise.PluginFailure(text)
    return Scorer()


def test_an_exception_of_the_plugin_is_shown_as_it_is() -> None:
    """Within the kit its author wants the traceback."""
    def fails(self: Any, row: Any) -> Any:
        raise ZeroDivisionError("by the debt")

    with pytest.raises(Broken, match="test_answers_have_the_declared_type: `ZeroDivisionError`: by the debt") as caught:
        check(ScorerContract, open=lambda: broken(one=fails)(), broken=lambda: None)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_what_is_opened_is_closed() -> None:
    closed = threading.Event()

    class Closes(Scorer):
        def close(self) -> None:
            closed.set()

    check(ScorerContract, open=lambda: Closes())
    assert closed.is_set()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"fle": "model.txt"}, "there is no setting `fle`"),
        ({}, "the setting `file` is required"),
        ({"file": 3}, "the setting `file` is no path"),
    ],
)
def test_settings(given: dict[str, Any], told: str) -> None:
    with pytest.raises(Broken, match=told):
        check(ScorerContract, kind=KIND, settings=given)


def test_settings_within_a_map(tmp_path: Path) -> None:
    takes = {"tables": tierwise.Setting("map", of={
        "file": tierwise.Setting("path", required=True), "wait": tierwise.Setting("duration", default=2.0)})}
    found = settings(takes, {"tables": {"a": {"file": "a.csv"}, "b": {"file": "b.csv", "wait": 3}}}, tmp_path)
    assert found["tables"] == {
        "a": {"file": tmp_path / "a.csv", "wait": 2.0}, "b": {"file": tmp_path / "b.csv", "wait": 3.0}}
    with pytest.raises(Broken, match="there is no setting `fle`"):
        settings(takes, {"tables": {"a": {"fle": "a.csv"}}})


def test_nothing_to_test() -> None:
    with pytest.raises(Broken, match="does not say what it tests"):
        check(ScorerContract)


def test_a_row_that_is_short() -> None:
    with pytest.raises(Broken, match="a row of `rows` has no `debt`"):
        check(ScorerContract, open=lambda: Scorer(), rows=[{"years": 1}])


def _waits(self: Any, row: Any) -> tierwise.Score:
    released.wait()
    return Scorer.one(self, row)


def _prints(self: Any, row: Any) -> tierwise.Score:
    print("asked for", row["region"])
    return Scorer.one(self, row)


def _exits(self: Any, row: Any) -> tierwise.Score:
    raise SystemExit(3)


#: Ends the calls that wait, so that no thread of theirs outlives its test.
released = threading.Event()


@pytest.mark.parametrize(("one", "told"), [
    (_prints, "it prints `asked for"),
    (_exits, "it tries to end the program, with `SystemExit`"),
    (_waits, "it does not come back within 0.2 seconds"),
])
def test_a_scorer_that_prints_or_ends_or_hangs(one: Any, told: str) -> None:
    released.clear()
    limit = 0.2 if one is _waits else 60
    try:
        with pytest.raises(Broken) as caught:
            check(ScorerContract, open=lambda: broken(one=one)(), broken=lambda: None, limit=limit)
    finally:
        released.set()
    assert told in str(caught.value) and "= help: " in str(caught.value)
    if one is _waits:
        assert str(caught.value).count("does not come back") == 1 and "still waits for an answer" in str(caught.value)


def test_a_scorer_whose_close_ends_the_program() -> None:
    with pytest.raises(Broken, match="it tries to end the program"):
        check(ScorerContract, open=lambda: broken(close=lambda self: sys.exit(1))(), broken=lambda: None)
