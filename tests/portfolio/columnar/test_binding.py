"""A cell means the same to the database as to the one-by-one path."""

from __future__ import annotations

import csv
import datetime
import decimal
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.check.rules import LIMIT
from engine.ir.door import Refusal, convert
from engine.portfolio.binding import Columns, Reading
from engine.portfolio.columnar.binding import stored
from engine.portfolio.columnar.session import Session
from engine.portfolio.columnar.sources import Options, opened
from engine.portfolio.problems import DataProblem
from engine.portfolio.tables import BadRow, open_table
from engine.records import Record
from engine.semantics import dtypes as dt
from tests.duck import run_sql

KINDS = (
    dt.NUMBER,
    dt.STRING,
    dt.BOOLEAN,
    dt.DATE,
    dt.TIME,
    dt.DATE_TIME,
    dt.DAYS_DURATION,
    dt.MONTHS_DURATION,
)


class Decl(Record):
    name: str
    type: dt.Type
    column: str | None = None


DECLARED = [Decl(kind, dt.Type(kind)) for kind in KINDS]
BAD = "bad"


def by_the_database(
    path: Path, declared: Sequence[Decl] = DECLARED, reading: Reading | None = None, options: Options | None = None
) -> dict[int, list[Any]]:
    """The bound values by line; BAD where a cell could not be read as its type."""
    with Session() as session:
        found = opened(session, str(path), declared, options or Options(), reading or Reading())
        shown = []
        for decl in declared:
            column = found.columns.get(decl.name)
            if column is None:
                shown.append("NULL")
            elif column.bad is None:
                shown.append(column.name)
            else:
                shown.append(f"CASE WHEN {column.bad} THEN NULL ELSE {column.name} END")
            shown.append("false" if column is None or column.bad is None else column.bad)
        rows = session.rows(f"SELECT ordinal, {', '.join(shown)} FROM {found.name} ORDER BY ordinal")
    return {
        line: [BAD if cells[at + 1] or _beyond(cells[at]) else cells[at] for at in range(0, len(cells), 2)]
        for line, *cells in rows
    }


def _beyond(value: Any) -> bool:
    """Whether the door of the compiled policy refuses a number, as the other door does."""
    return isinstance(value, float) and abs(value) > LIMIT


def one_by_one(path: Path, declared: Sequence[Decl] = DECLARED, reading: Reading | None = None) -> dict[int, list[Any]]:
    found = {}
    with open_table(str(path)) as table:
        columns = Columns(table, declared, reading or Reading())
        for row in table:
            if not isinstance(row, BadRow):
                values = columns.values(row.cells)
                found[row.line] = [value_of(values.get(decl.name), decl.type) for decl in declared]
    return found


def value_of(raw: Any, kind: dt.Type) -> Any:
    try:
        value = convert(raw, kind)
    except Refusal:
        return BAD
    value = stored(value)
    return float(value) if kind.kind == dt.NUMBER and value is not None else value


CELLS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        [
            "",
            " ",
            "\u3000",
            "1",
            "-2.50",
            "+3",
            "1e5",
            "1E-7",
            "1_000",
            "+-5",
            "1e0000005",
            "0x10",
            "inf",
            "nan",
            "NaN",
            ".5",
            "5.",
            "1,000",
            "12345678901234567890",
            "9" * 41,
            "1e400",
            "1e101",
            " 7 ",
            "\t8",
            "\xa09",
            "१",
            "true",
            "TRUE",
            " False ",
            "yes",
            "t",
            "2026-07-01",
            "2026-7-1",
            "2026-02-30",
            "0000-01-01",
            "0999-12-31",
            "20260701",
            "2026-W27-3",
            "2026/07/01",
            "infinity",
            "2026-07-01 (BC)",
            " 2026-07-01",
            "2026-07-01T10:00:00",
            "2026-07-01 10:00:00.5",
            "2026-07-01T10:00:00.123456",
            "2026-07-01T24:00:00",
            "2026-07-01T10:00:00Z",
            "2026-07-01T10:00",
            "10:00:00",
            "10:00",
            "24:00:00",
            "10:00:00.1",
            "P3D",
            "P1Y2M",
            "-P1D",
            "PT2H30M",
            "P",
            "NA",
            "' OR 1=1 --",
            '"',
            'a"b',
            "x\ny",
            "中国",
            "é",
        ]
    ),
    st.floats().map(repr),
    st.dates().map(str),
    st.datetimes().map(str),
    st.datetimes().map(lambda d: d.isoformat()),
)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(cells=st.lists(CELLS, min_size=1, max_size=12), missing=st.sampled_from([(), ("NA",), ("1", "true")]))
def test_texts(tmp_path: Path, cells: list[str], missing: tuple[str, ...]) -> None:
    path = tmp_path / "t.csv"
    with path.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        out = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
        out.writerow(KINDS)
        out.writerows([cell] * len(KINDS) for cell in cells)
    reading = Reading(missing)
    assert repr(by_the_database(path, reading=reading)) == repr(one_by_one(path, reading=reading))


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    CELLS,
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@FEW
@given(values=st.lists(VALUES, min_size=1, max_size=12), ascii_only=st.booleans())
def test_json(tmp_path: Path, values: list[Any], ascii_only: bool) -> None:
    path = tmp_path / "t.jsonl"
    lines = [json.dumps(dict.fromkeys(KINDS, value), ensure_ascii=ascii_only) for value in values]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogatepass")
    assert repr(by_the_database(path)) == repr(one_by_one(path))


@FEW
@given(
    text=st.lists(
        st.one_of(CELLS, st.sampled_from(list(',;"\r\n\t ') + ['""', ',"', '",', "\r\n", "\0", "\ud800"])), max_size=30
    )
)
@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_whatever_a_file_holds_the_rows_are_the_same(tmp_path: Path, name: str, text: list[str]) -> None:
    """Raggedness, open quotes, blank lines, bytes that are no text: both find the same good rows."""
    path = tmp_path / name
    head = "number,string\n1,a\n" if name == "t.csv" else '{"number": 1, "string": "a"}\n'
    path.write_text(head + "".join(text), encoding="utf-8", errors="surrogatepass", newline="")
    assert found(by_the_database, path) == found(one_by_one, path)


def found(read: Callable[..., dict[int, list[Any]]], path: Path) -> str:
    """What is read of two columns, or why nothing is."""
    try:
        return repr(read(path, DECLARED[:2]))
    except DataProblem as problem:
        return problem.message


def test_columns_of_the_databases_own_types(tmp_path: Path) -> None:
    path = str(tmp_path / "t.parquet")
    cells = {
        "i": "9007199254740993::BIGINT",
        "small": "7::UTINYINT",
        "money": "12.10::DECIMAL(18, 2)",
        "long": "12345678901234567.89::DECIMAL(38, 2)",
        "nan": "'nan'::DOUBLE",
        "inf": "'-inf'::DOUBLE",
        "f": "0.5::FLOAT",
        "midnight": "TIMESTAMP '2026-07-01 00:00:00'",
        "noon": "TIMESTAMP '2026-07-01 12:00:00'",
        "day": "DATE '2026-07-01'",
        "forever": "DATE 'infinity'",
        "text": "' 12 '",
        "word": "'lots'",
        "yes": "true",
        "list": "[1, 2]",
        "enum": "'B'::ENUM('A', 'B')",
        "uuid": "'11111111-1111-1111-1111-111111111111'::UUID",
        "zoned": "TIMESTAMPTZ '2026-07-01 00:00:00+00'",
    }
    run_sql(f"COPY (SELECT {', '.join(f'{sql} AS {name}' for name, sql in cells.items())}) TO '{path}'")

    def bound(name: str, kind: str) -> Any:
        return by_the_database(Path(path), [Decl(name, dt.Type(kind))])[1][0]

    assert bound("i", dt.NUMBER) == BAD
    assert bound("i", dt.STRING) == "9007199254740993"
    assert bound("small", dt.NUMBER) == 7.0
    assert bound("money", dt.MONEY) == 12.1
    assert bound("long", dt.MONEY) == BAD
    assert bound("nan", dt.NUMBER) is None
    assert bound("inf", dt.NUMBER) is None
    assert bound("f", dt.NUMBER) == 0.5
    assert bound("f", dt.STRING) == BAD
    assert bound("midnight", dt.DATE) == datetime.date(2026, 7, 1)
    assert bound("noon", dt.DATE) == BAD
    assert bound("noon", dt.DATE_TIME) == datetime.datetime(2026, 7, 1, 12)
    assert bound("day", dt.DATE) == datetime.date(2026, 7, 1)
    assert bound("day", dt.STRING) == BAD
    assert bound("forever", dt.DATE) == BAD
    assert bound("text", dt.NUMBER) == 12.0
    assert bound("word", dt.NUMBER) == BAD
    assert bound("yes", dt.NUMBER) == BAD
    assert bound("yes", dt.BOOLEAN) is True
    assert bound("list", dt.STRING) == BAD
    assert bound("enum", dt.STRING) == "B"
    assert bound("uuid", dt.STRING) == "11111111-1111-1111-1111-111111111111"
    assert bound("zoned", dt.DATE) == BAD
    assert bound("zoned", dt.STRING) == BAD


@FEW
@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_decimals_that_fit_are_exact(amount: decimal.Decimal) -> None:
    with Session() as session:
        path = session.path(".parquet")
        session.run("COPY (SELECT ?::DECIMAL(18, 2) AS number) TO ?", [amount, path])
        assert by_the_database(Path(path), DECLARED[:1]) == {1: [float(amount)]}


def test_a_form_of_dates(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('date\n1.7.2026\n2026-07-02\n31.2.2026\nNA\n" "\n', encoding="utf-8")
    reading = Reading(["NA"], "%d.%m.%Y")
    found = by_the_database(path, [Decl("date", dt.Type(dt.DATE))], reading)
    assert found == {2: [datetime.date(2026, 7, 1)], 3: [datetime.date(2026, 7, 2)], 4: [BAD], 5: [None], 6: [None]}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    text = "string,number\n" + ("é,1\n" if encoding == "cp1252" else "中国,1\n")
    path.write_bytes(text.encode(encoding))
    options = Options(encoding=encoding if encoding in ("gb18030", "cp1252") else None)
    assert by_the_database(path, DECLARED[:2], options=options) == {2: [1.0, text[14:-3]]}


def test_columns_are_quoted_never_run(tmp_path: Path) -> None:
    path = str(tmp_path / "t.parquet")
    name = 'x"; DROP TABLE t; --'
    column = '"' + name.replace('"', '""') + '"'
    run_sql(f"COPY (SELECT 1 AS {column}, 'a''; SELECT 1; --' AS string) TO '{path}'")
    declared = [Decl(name, dt.Type(dt.NUMBER)), Decl("string", dt.Type(dt.STRING))]
    assert by_the_database(Path(path), declared) == {1: [1.0, "a'; SELECT 1; --"]}


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("row", [",,", "2,b,", '2,"b",', '2,"b,c"', '"2,",b', '2,"b""c"', '2,b"', "2", "2,b,,", "2;b"])
def test_a_delimiter_too_many(tmp_path: Path, row: str, end: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f'number,string\n1,a\n{row}\n3,"c"{end}', encoding="utf-8")
    assert repr(by_the_database(path, DECLARED[:2])) == repr(one_by_one(path, DECLARED[:2]))
