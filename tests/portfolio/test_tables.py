"""Tables: every row comes out once, good or bad, with the line on which it begins."""
from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.portfolio.problems import DataProblem
from engine.portfolio.tables import BadRow, JsonFault, Row, open_table, parse_json


def table(folder: Path, data: bytes | str, name: str = "t.csv", **options: str) -> list[Row | BadRow]:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    with open_table(str(path), **options) as opened:
        return list(opened)


def problem(folder: Path, data: bytes | str, name: str = "t.csv", **options: str) -> DataProblem:
    with pytest.raises(DataProblem) as caught:
        table(folder, data, name, **options)
    return caught.value


def outline(rows: list[Row | BadRow]) -> list[tuple[int, str]]:
    return [(r.line, "bad" if isinstance(r, BadRow) else "good") for r in rows]


def test_a_row_keeps_its_line_through_quoted_breaks_and_blank_lines(tmp_path: Path) -> None:
    rows = table(tmp_path, 'a,b\n1,"x\ny"\n\n2,z\n')
    assert rows == [Row(2, ["1", "x\ny"]), Row(5, ["2", "z"])]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path: Path, end: str) -> None:
    assert table(tmp_path, end.join(["a,b", "1,2", "3,4"])) == [Row(2, ["1", "2"]), Row(3, ["3", "4"])]


def test_ragged_rows_are_bad_alone(tmp_path: Path) -> None:
    rows = table(tmp_path, "a,b\n1,2\n3\n4,5,6\n7,8\n")
    assert outline(rows) == [(2, "good"), (3, "bad"), (4, "bad"), (5, "good")]
    assert [r.message for r in rows if isinstance(r, BadRow)] == [
        "1 field where the header has 2",
        "3 fields where the header has 2",
    ]


def test_a_quote_never_closed_costs_its_own_row_alone(tmp_path: Path) -> None:
    rows = table(tmp_path, 'a,b\n1,2\n3,"open\n5,6\n7,8\n')
    assert outline(rows) == [(2, "good"), (3, "bad"), (4, "good"), (5, "good")]
    assert isinstance(rows[1], BadRow)
    assert rows[1].message == "a quote is opened and never closed"
    assert rows[1].cells == ["3", ""]


def test_a_quote_closed_by_a_later_row_costs_its_own_row_alone(tmp_path: Path) -> None:
    rows = table(tmp_path, 'a,b\n3,"open\n5,"six"\n7,8\n')
    assert outline(rows) == [(2, "bad"), (3, "good"), (4, "good")]


def test_hundreds_of_stray_quotes_end_the_reading(tmp_path: Path) -> None:
    text = "a,b\n" + "".join(f'{n},"open\n{n},"shut"\n' for n in range(300))
    assert "quotes are never closed" in problem(tmp_path, text).message


def test_a_huge_field_is_bad_alone(tmp_path: Path) -> None:
    rows = table(tmp_path, f"a,b\n1,{'x' * 200_000}\n3,4\n")
    assert outline(rows) == [(2, "bad"), (3, "good")]


def test_a_huge_line_ends_the_reading(tmp_path: Path) -> None:
    assert "longer than 1,000,000" in problem(tmp_path, "a,b\n" + "x" * 2_000_000).message


def test_nul_and_broken_bytes_are_bad_alone(tmp_path: Path) -> None:
    rows = table(tmp_path, b"a,b\n1,x\0y\n2,caf\xe9 au lait\n3,\xe5\xb9\xb4\n")
    assert outline(rows) == [(2, "bad"), (3, "bad"), (4, "good")]
    assert isinstance(rows[1], BadRow)
    assert rows[1].message == "the row is not UTF-8 text (byte 0xE9)"


@pytest.mark.parametrize("name", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_settles_the_encoding(tmp_path: Path, name: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("年份,b\n1,2\n".encode(name))
    with open_table(str(path)) as opened:
        assert opened.columns == ("年份", "b")
        assert list(opened) == [Row(2, ["1", "2"])]


def test_gb18030_is_named_and_then_read(tmp_path: Path) -> None:
    data = "企业代号,信誉评级\nE1,甲\n".encode("gb18030")
    fault = problem(tmp_path, data)
    assert "reads as GB18030" in fault.message
    assert fault.help == "add `--encoding gb18030`"
    assert table(tmp_path, data, encoding="gb18030") == [Row(2, ["E1", "甲"])]


def test_gb18030_behind_an_ascii_header_is_named_too(tmp_path: Path) -> None:
    assert "GB18030" in problem(tmp_path, "id,name\n1,某某科技有限公司\n".encode("gb18030")).message


def test_utf16_without_a_mark_is_named_and_then_read(tmp_path: Path) -> None:
    data = "a,b\n1,2\n".encode("utf-16-le")
    assert problem(tmp_path, data).help == "add `--encoding utf-16-le`"
    assert table(tmp_path, data, encoding="utf-16-le") == [Row(2, ["1", "2"])]


def test_a_wrong_encoding_is_a_problem_of_the_file(tmp_path: Path) -> None:
    assert "no encoding is called `nope`" in problem(tmp_path, "a\n", encoding="nope").message
    assert problem(tmp_path, b"a,b\n1,2\n3", encoding="utf-16").help == "name another `--encoding`"


@pytest.mark.parametrize(
    ("text", "help"),
    [("a;b;c\n1;2;3\n", "add `--delimiter ';'`"), ("a\tb\n1\t2\n", "add `--delimiter tab`"),
     ("a|b\n", "add `--delimiter '|'`")],
)
def test_a_wrong_delimiter_is_told(tmp_path: Path, text: str, help: str) -> None:
    assert problem(tmp_path, text).help == help


def test_delimiters(tmp_path: Path) -> None:
    assert table(tmp_path, "a;b\n1;2,5\n", delimiter=";") == [Row(2, ["1", "2,5"])]
    assert table(tmp_path, "a\tb\n1\t2\n", "t.tsv") == [Row(2, ["1", "2"])]
    assert "`,` seems to separate" in problem(tmp_path, "a,b,c\n", delimiter=";").message


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    assert problem(tmp_path, "a, b ,b\n").message == "columns 2 and 3 are both called `b`"


def test_empty_files_and_bare_headers(tmp_path: Path) -> None:
    assert "is empty" in problem(tmp_path, "").message
    assert "is empty" in problem(tmp_path, "\n\n").message
    assert table(tmp_path, "a,b\n") == []


@pytest.mark.parametrize(
    ("data", "what"),
    [(b"PK\x03\x04rest", "workbook"), (b"PAR1rest", "Parquet"), (b"\x1f\x8brest", "compressed")],
)
def test_other_formats_are_named(tmp_path: Path, data: bytes, what: str) -> None:
    assert what in problem(tmp_path, data).message


def test_compressed_files_and_damaged_ones(tmp_path: Path) -> None:
    packed = gzip.compress(b"a,b\n1,2\n")
    assert table(tmp_path, packed, "t.csv.gz") == [Row(2, ["1", "2"])]
    assert problem(tmp_path, packed[:-12], "t.csv.gz").file.endswith("t.csv.gz")
    assert "cannot be read" in problem(tmp_path, b"no gzip", "t.csv.gz").message


def test_places_that_are_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="is a folder"):
        open_table(str(tmp_path))
    (tmp_path / "customers.csv").write_text("a\n")
    with pytest.raises(DataProblem, match="there is no file") as caught:
        open_table(str(tmp_path / "customers.cvs"))
    assert caught.value.help is not None
    assert caught.value.help.endswith("customers.csv`?")
    with pytest.raises(DataProblem):
        open_table("a\0b")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(DataProblem, match="may not be read"):
        open_table(str(tmp_path / "t.csv"))


def test_json_lines(tmp_path: Path) -> None:
    rows = table(tmp_path, '{"a": 1}\n\n{"a": NaN}\n[1]\n{"a": 1, "a": 2}\n{"a" 1}\n{"a": null}\n', "t.jsonl")
    assert outline(rows) == [(1, "good"), (3, "bad"), (4, "bad"), (5, "bad"), (6, "bad"), (7, "good")]
    assert [r.message for r in rows if isinstance(r, BadRow)] == [
        "`NaN` is no number of JSON (column 7)",
        "the line is not a JSON object",
        "`a` stands twice in one object (column 2)",
        "the JSON is broken: `:` should stand here (column 6)",
    ]


def test_json_that_is_not_lines(tmp_path: Path) -> None:
    assert problem(tmp_path, '[{"a": 1}]', "t.json").help == "write one object a line, without `[`"
    assert problem(tmp_path, '{\n "a": 1}', "t.json").help == "write one object a line"


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "1" * 5_000, '{"a": "x', "", "{} {}", '{"a": 1,}', "[1,]", '{a: 1}', '"\x01"', r'"\q"'],
)
def test_broken_json_is_a_fault_with_a_place(text: str) -> None:
    with pytest.raises(JsonFault) as caught:
        parse_json(text)
    assert caught.value.line >= 1
    assert caught.value.column >= 1


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_bytes(data)
    for form in ("csv", "jsonl"):
        try:
            with open_table(str(path), format=form) as opened:
                rows = list(opened)
        except DataProblem:
            continue
        lines = [r.line for r in rows]
        assert lines == sorted(set(lines))


@given(st.lists(st.text(alphabet='a,"\n;é', max_size=12), min_size=1, max_size=8))
def test_no_line_is_lost(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    """Whatever quotes do, each line with text is part of exactly one row, good or bad."""
    path = tmp_path_factory.getbasetemp() / "lines.csv"
    text = "h1,h2\n" + "\n".join(lines) + "\n"
    path.write_text(text, encoding="utf-8", newline="")
    physical = text.split("\n")[1:-1]
    with open_table(str(path)) as opened:
        starts = [row.line for row in opened]
    for number, line in enumerate(physical, start=2):
        if line and '"' not in text:
            assert number in starts
    assert all(physical[start - 2] or '"' in text for start in starts)
