"""Results are written whole or not at all."""
from __future__ import annotations

import datetime
import io
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.portfolio.problems import DataProblem
from engine.portfolio.writing import cell, days_text, output, writer


def test_a_failed_run_leaves_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("former")
    with pytest.raises(KeyboardInterrupt), output(str(path)) as stream:
        stream.write("half")
        raise KeyboardInterrupt
    assert path.read_text() == "former"
    assert os.listdir(tmp_path) == ["out.csv"]


def test_a_run_that_ends_well_replaces_it(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("former")
    with output(str(path)) as stream:
        stream.write("whole")
        assert path.read_text() == "former"
    assert path.read_text() == "whole"
    assert os.listdir(tmp_path) == ["out.csv"]
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none" / "out.csv"):
        with pytest.raises(DataProblem), output(str(place)):
            raise AssertionError("the block must not begin")


def test_a_device_is_written_in_place() -> None:
    with output(os.devnull) as stream:
        stream.write("gone")
    assert not os.path.isfile(os.devnull)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "true"), (5.0, "5"), (0.1, "0.1"), (1e300, "1e+300"), (["A", "B"], "A;B"), ([], ""),
     ([{"a": datetime.date(2026, 7, 1)}], '[{"a": "2026-07-01"}]'), (datetime.timedelta(days=3), "P3D"),
     (["a;b"], '["a;b"]')],
)
def test_cells(value: Any, text: str) -> None:
    assert cell(value) == text


def test_rows_in_both_forms() -> None:
    for form, text in (("csv", "a,b\n1,甲\n"), ("jsonl", '{"a": 1, "b": "甲"}\n')):
        stream = io.StringIO()
        writer(stream, form, ["a", "b"]).write({"b": "甲", "a": 1})
        assert stream.getvalue() == text


@given(st.timedeltas())
def test_durations_read_back(value: datetime.timedelta) -> None:
    text = days_text(value)
    match = re.fullmatch(r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", text)
    assert match is not None
    sign, days, hours, minutes, seconds = match.groups()
    whole, _, part = (seconds or "0").partition(".")
    back = datetime.timedelta(
        days=int(days or 0), hours=int(hours or 0), minutes=int(minutes or 0), seconds=int(whole),
        microseconds=int((part or "0").ljust(6, "0")),
    )
    assert (-back if sign else back) == value
