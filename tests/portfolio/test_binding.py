"""Cells become values by the type of what they are bound to, and by nothing else."""
from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.portfolio.binding import Columns, Reading, number
from engine.portfolio.histories import Key, read_history
from engine.portfolio.problems import DataProblem
from engine.portfolio.tables import open_table
from engine.records import Record
from engine.semantics import dtypes as dt


class Decl(Record):
    name: str
    type: dt.Type
    column: str | None = None


def typed(kind: str) -> dt.Type:
    return dt.Type(kind)


def bind(
    folder: Path, text: str, *declared: Decl, name: str = "t.csv", **reading: Any
) -> tuple[Columns, list[dict[str, Any]]]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    with open_table(str(path)) as table:
        columns = Columns(table, declared, Reading(**reading))
        return columns, [columns.values(row.cells) for row in table]


def one(folder: Path, cell: str, kind: str, **reading: Any) -> Any:
    return bind(folder, f"x,y\n{cell},\n", Decl("x", typed(kind)), **reading)[1][0]["x"]


@pytest.mark.parametrize(
    ("cell", "value"),
    [("12", 12), ("-0.5", -0.5), (" 3.10 ", 3.1), ("1e3", 1000.0), ("+7", 7), (".5", 0.5), ("5.", 5.0), ("007", 7),
     ("12345678901234567890", 12345678901234567890.0)],
)
def test_numbers(tmp_path: Path, cell: str, value: float) -> None:
    found = one(tmp_path, cell, dt.MONEY)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("cell", "hint"),
    [("'1,234.5'", "thousands"), ("12%", "fraction"), ("¥12", "currency"), ("１２", "half width"), ("NaN", "empty"),
     ("1.234", None), ("1_000", "digits"), ("12abc", "digits"), ("0x10", "digits")],
)
def test_what_is_no_number_stays_text_with_a_hint(tmp_path: Path, cell: str, hint: str | None) -> None:
    text = f'x;y\n{cell.strip(chr(39))};\n'
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    with open_table(str(path), delimiter=";") as table:
        columns = Columns(table, [Decl("x", typed(dt.NUMBER))], Reading())
        (row,) = [columns.values(r.cells) for r in table]
    if hint is None:
        assert row["x"] == 1.234
        assert not columns.hints
    else:
        assert row["x"] == cell.strip("'")
        assert hint in columns.hints["x"]


@pytest.mark.parametrize("cell", ["1e999", "-1e999999", "inf", "nan", "١٢", "1 2", "--5", "1e", "e5", "."])
def test_what_only_looks_like_a_number_is_none(cell: str) -> None:
    with pytest.raises(ValueError, match=".*"):
        number(cell)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_reads_back(value: float) -> None:
    assert number(repr(value)) == value


@given(st.integers(min_value=-(10**14), max_value=10**14))
def test_every_whole_number_reads_back_whole(value: int) -> None:
    assert number(str(value)) == value
    assert isinstance(number(str(value)), int)


def test_booleans_dates_and_texts(tmp_path: Path) -> None:
    assert one(tmp_path, "TRUE", dt.BOOLEAN) is True
    assert one(tmp_path, "yes", dt.BOOLEAN) == "yes"
    assert one(tmp_path, " 2026-07-01 ", dt.DATE) == "2026-07-01"
    assert one(tmp_path, "2017/8/4", dt.DATE, date_format="%Y/%m/%d") == datetime.date(2017, 8, 4)
    assert one(tmp_path, "2017-08-04", dt.DATE, date_format="%Y/%m/%d") == datetime.date(2017, 8, 4)
    assert one(tmp_path, "2017/13/4", dt.DATE, date_format="%Y/%m/%d") == "2017/13/4"
    assert one(tmp_path, " padded ", dt.STRING) == " padded "
    assert one(tmp_path, "010", dt.STRING) == "010"


@pytest.mark.parametrize("kind", [dt.NUMBER, dt.STRING, dt.BOOLEAN, dt.DATE])
def test_empty_and_named_texts_are_missing(tmp_path: Path, kind: str) -> None:
    assert one(tmp_path, "", kind) is None
    assert one(tmp_path, "  ", kind) is None
    assert one(tmp_path, "NA", kind, missing=["NA"]) is None


def test_columns_are_found_by_name_underscore_and_column(tmp_path: Path) -> None:
    declared = [
        Decl("annual revenue", typed(dt.MONEY)),
        Decl("staff", typed(dt.NUMBER), "NoEmp"),
        Decl("region", typed(dt.STRING)),
    ]
    columns, rows = bind(tmp_path, "annual_revenue, NoEmp,other\n5,3,x\n", *declared)
    assert rows == [{"annual revenue": 5, "staff": 3}]
    assert columns.absent == ["region"]


def test_two_columns_for_one_input(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="both are `firm id`"):
        bind(tmp_path, "firm id,firm_id\n1,2\n", Decl("firm id", typed(dt.STRING)))


def test_json_values_are_passed_as_they_are(tmp_path: Path) -> None:
    declared = [Decl("firm id", typed(dt.STRING)), Decl("n", typed(dt.NUMBER))]
    _, rows = bind(tmp_path, '{"firm_id": 7, "n": "12", "else": 1}\n', *declared, name="t.jsonl")
    assert rows == [{"firm id": 7, "n": "12"}]


def history(folder: Path, text: str) -> Any:
    path = folder / "events.csv"
    path.write_text(text, encoding="utf-8")
    fields = [Decl("amount", typed(dt.MONEY)), Decl("paid", typed(dt.DATE))]
    with open_table(str(path)) as table:
        return read_history("repayments", Key("firm id", typed(dt.STRING)), fields, table, Reading())


def test_a_history_is_grouped_by_key_in_file_order(tmp_path: Path) -> None:
    found = history(tmp_path, "firm_id,amount,paid\nA,3,\nB,1,2026-01-01\nA,2,\n")
    assert [r["amount"] for r in found.of("A")] == [3, 2]
    assert found.of("C") == []
    assert found.unclaimed() == 1
    assert found.size == 3


def test_a_broken_row_marks_its_owner(tmp_path: Path) -> None:
    found = history(tmp_path, "firm_id,amount,paid\nA,3,\nA,4\nB,1,\n")
    assert found.broken == {"A": "line 3 of " + str(tmp_path / "events.csv") + ": 2 fields where the header has 3"}


@pytest.mark.parametrize("text", ["amount,paid\n1,\n", "firm_id,amount,paid\n,1,\n"])
def test_rows_without_an_owner_end_the_reading(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataProblem, match="whose each row is|belongs to no customer"):
        history(tmp_path, text)
