"""Grids to xlsx and back: nothing is lost, and what a spreadsheet does to cells is found."""
from __future__ import annotations

import datetime
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine.commands import run
from engine.tables.damage import ID, RESULT, TEST, Raw, read

openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed")

ROOT = Path(__file__).resolve().parents[2]
POLICIES = sorted(
    p.relative_to(ROOT) for p in (ROOT / "policies").rglob("*.yaml")
    if not p.name.endswith(".test.yaml") and p.parent.name != "vocabularies" and p.name != "tierwise.yaml")
GOOD = [
    p.relative_to(ROOT) for p in sorted((ROOT / "tests" / "corpus" / "good").glob("*.yaml"))
    if any(word in p.read_text("utf-8") for word in ("table: |", "scorecard: |", "rules: |", "parameters:"))]

POLICY = """\
policy: small
version: "1"
effective: {from: 2026-01-01}
on missing: refer
parameters:
  floor: 3%                     # of the board
  code: {type: string, value: '007'}
  base rate: |
    from       | region || value
    2026-01-01 | -      || 3.45%
    2026-06-01 | "SH"   || 3.35%
reasons:
  R1: {text: Too young}
inputs:
  region: {type: string, values: [SH, BJ]}
  years: {type: number}
  since: {type: date}
risk:
  tier:   # kept as typed
    values: [A, B, C]
    table: |
        first | years  | since              || tier | reasons
        // young ones
        001   | < 1    | -                  || C    | R1
        002   | >= 1.5 | >= @"2020-01-01"   || A    |

        003   | -      | -                  || B    |
  points:
    scorecard: |
      base 500
      characteristic | bin  | points
      years          | < 2  | -40
                     | >= 2 | 5
  rate:
    type: number
    value: base rate + floor
  next review:
    type: date
    table: |
      first | years || next review
      N1    | > 3   || = as of + duration("P1Y")
      N2    | -     || 2026-12-31
  coded:
    type: string
    value: code
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(POLICY, "utf-8")
    return tmp_path


def exported(change: Callable[[Any], None]) -> None:
    """Export `p.yaml`, change the workbook, save it as `in.xlsx`."""
    assert run(["table", "export", "p.yaml", "out.xlsx", "--force"]) == 0
    book = openpyxl.load_workbook("out.xlsx")
    change(book)
    book.save("in.xlsx")


def brought(change: Callable[[Any], None], *options: str) -> int:
    exported(change)
    return run(["table", "import", "p.yaml", "in.xlsx", *options])


def test_the_policy_is_sound(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "p.yaml"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("policy", [*POLICIES, *GOOD], ids=str)
def test_round_trip_loses_nothing(policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    top = Path(*policy.parts[:2 if policy.parts[0] == "tests" else 1])
    shutil.copytree(ROOT / top, tmp_path / "p")
    path = tmp_path / "p" / policy.relative_to(top)
    texts = {p: p.read_bytes() for p in (tmp_path / "p").rglob("*.yaml")}
    book = tmp_path / "book.xlsx"
    code = run(["table", "export", str(path), str(book)])
    said = capsys.readouterr().err
    if code:
        assert "holds no grid" in said
        return
    for page in openpyxl.load_workbook(book):           # every cell is text, also what starts with `=`
        assert {c.data_type for row in page.iter_rows() for c in row if c.value is not None} <= {"s"}
    assert run(["table", "import", str(path), str(book)]) == 0
    assert "no grid changed" in capsys.readouterr().err
    assert {p: p.read_bytes() for p in (tmp_path / "p").rglob("*.yaml")} == texts


def test_a_whole_grid_written_anew_is_the_grid_that_was(folder: Path) -> None:
    """The way back writes: take a row out of the policy, and the sheet brings it back, character by character."""
    run(["fmt", "p.yaml"])
    text = Path("p.yaml").read_text("utf-8")
    assert run(["table", "export", "p.yaml", "in.xlsx"]) == 0
    for line in [n for n in text.splitlines(keepends=True) if n.startswith("      002") or '2026-06-01 | "SH"' in n
                 or "| >= 2 | 5" in n or "N2 " in n]:
        Path("p.yaml").write_text(text.replace(line, ""), "utf-8")
        assert Path("p.yaml").read_text("utf-8") != text
        assert run(["table", "import", "p.yaml", "in.xlsx"]) == 0
        assert Path("p.yaml").read_text("utf-8") == text


def test_only_what_changed_changes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def change(book: Any) -> None:
        book["tier"]["B3"].value = "< 2"
        book["parameters"]["B2"].value = "4%"

    assert brought(change) == 0
    assert "changed `parameters`, `tier` in p.yaml" in capsys.readouterr().err
    after = Path("p.yaml").read_text("utf-8")
    assert after == POLICY.replace("floor: 3% ", "floor: 4% ").replace(
        '        first | years  | since              || tier | reasons\n'
        '        // young ones\n'
        '        001   | < 1    | -                  || C    | R1\n'
        '        002   | >= 1.5 | >= @"2020-01-01"   || A    |\n'
        '\n'
        '        003   | -      | -                  || B    |\n',
        '        first | years  | since            || tier | reasons\n'
        '        // young ones\n'
        '        001   | < 2    | -                || C    | R1\n'
        '        002   | >= 1.5 | >= @"2020-01-01" || A    |\n'
        '\n'
        '        003   | -      | -                || B    |\n')


def test_rows_and_columns_may_be_added(folder: Path) -> None:
    def change(book: Any) -> None:
        page = book["tier"]
        page.insert_rows(4)
        for column, text in enumerate(["0015", "[1..1.5)", "-", "||", "B"], start=1):
            page.cell(4, column).value = text
        page.insert_cols(3)
        for row, text in enumerate(["region", None, '"SH"', "-", "-", None, "-"], start=1):
            page.cell(row, 3).value = text

    assert brought(change) == 0
    text = Path("p.yaml").read_text("utf-8")
    assert "first | years    | region | since            || tier | reasons" in text
    assert "0015  | [1..1.5) | -      | -                || B    |" in text


def test_a_policy_with_errors_is_put_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def change(book: Any) -> None:
        book["tier"]["E3"].value = "D"

    assert brought(change) == 1
    said = capsys.readouterr()
    assert "E0303" in said.out and "left as they were" in said.err
    assert Path("p.yaml").read_text("utf-8") == POLICY


def test_diff_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def change(book: Any) -> None:
        book["points"]["C3"].value = "-50"

    assert brought(change, "--diff") == 1
    assert "+      years          | < 2  | -50" in capsys.readouterr().out
    assert Path("p.yaml").read_text("utf-8") == POLICY


def typed(sheet: str, place: str, value: object, shown: str | None = None) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        cell = book[sheet][place]
        cell.value = value
        if shown is not None:
            cell.number_format = shown

    return change


@pytest.mark.parametrize(("sheet", "cell", "value", "shown", "says"), [
    ("base rate", "A2", datetime.datetime(2026, 2, 1), "yyyy-mm-dd", "date 2026-02-01"),
    ("base rate", "A2", 46054, "General", "keeps for a day"),
    ("base rate", "D2", 0.05, "0.00%", "shown as 5%"),
    ("base rate", "B3", "“BJ”", None, "curly quotes"),
    ("tier", "A3", 1, "General", "where `001` was written"),
    ("tier", "B3", "＜ ３", None, "full-width signs"),
    ("tier", "B3", "≤ 3", None, "full-width signs"),
    ("tier", "B3", "'3", None, "leading apostrophe"),
    ("tier", "B3", "1E3", None, "number as a spreadsheet shows it"),
    ("tier", "B3", 1000, "0.00E+00", "something like `1E3`"),
    ("tier", "B3", "<\u00a03", None, "a blank that is no space"),
    ("tier", "C3", "–", None, "a dash that is no minus"),
    ("next review", "D2", "=as of + duration(\"P2Y\")", None, "holds a formula"),
])
def test_what_a_spreadsheet_did_is_named_and_mended(
    sheet: str, cell: str, value: object, shown: str | None, says: str, folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert brought(typed(sheet, cell, value, shown)) == 1
    said = capsys.readouterr()
    assert f"error[E0911]: `{sheet}!{cell}` holds" in said.out and says in said.out and "--fix takes it" in said.out
    assert Path("p.yaml").read_text("utf-8") == POLICY
    run(["table", "import", "p.yaml", "in.xlsx", "--fix"])
    said = capsys.readouterr()
    assert f"fixed `{sheet}!{cell}`" in said.err and "E09" not in said.out


@pytest.mark.parametrize(("sheet", "cell", "value", "shown", "says"), [
    ("tier", "B3", datetime.datetime(2026, 4, 3), "dd/mm", "date 2026-04-03"),
    ("tier", "B3", "=5", None, "formula"),
    ("tier", "B3", "#REF!", None, "error"),
    ("tier", "B3", 1234567890.1234567, None, "fifteenth"),
    ("tier", "A5", 4, "General", "leading zeros"),
    ("tier", "B3", datetime.time(12, 30), None, "time 12:30:00"),
])
def test_what_is_not_certain_is_named_only(
    sheet: str, cell: str, value: object, shown: str | None, says: str, folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert brought(typed(sheet, cell, value, shown), "--fix") == 1
    said = capsys.readouterr()
    assert f"`{sheet}!{cell}`" in said.out and says in said.out and "type it anew" in said.out
    assert Path("p.yaml").read_text("utf-8") == POLICY


@pytest.mark.parametrize(("sheet", "cell", "value", "says"), [
    ("tier", "D1", "|", "header without its column"),
    ("tier", "D3", "x", "stands in the column of `||`"),
    ("tier", "A3", None, "holds no id"),
    ("tier", "H3", "x", "stands beside the grid"),
    ("tier", "B3", "1 | 2", "holds a bar"),
    ("parameters", "A2", "flor", "no parameter"),
    ("parameters", "B2", None, "holds no value"),
])
def test_sheets_out_of_shape(
    sheet: str, cell: str, value: object, says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert brought(typed(sheet, cell, value), "--fix") == 1
    said = capsys.readouterr()
    assert "error[E0912]" in said.out and says in said.out
    assert Path("p.yaml").read_text("utf-8") == POLICY


def test_sheets_that_are_gone_or_strange_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def change(book: Any) -> None:
        del book["points"]
        book.create_sheet("notes")["A1"].value = "x"
        book["tier"].title = "Tiers"                    # the index still calls it `tier`

    assert brought(change) == 0
    said = capsys.readouterr().err
    assert "`notes` is no grid" in said and "no sheet `points`" in said and "no sheet `tier`" in said


def test_a_workbook_of_unusual_kind(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.xlsx").write_bytes(b"PK not a workbook")
    assert run(["table", "import", "p.yaml", "bad.xlsx"]) == 3
    assert run(["table", "import", "p.yaml", "none.xlsx"]) == 3
    assert run(["table", "export", "p.yaml", "bad.xlsx"]) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_workbook_is_refused_or_read(
    seed: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bytes of the file, or of a part of it, are changed at random: no traceback, and nothing half written."""
    run(["table", "export", "p.yaml", "out.xlsx"])
    random = Random(seed)
    with zipfile.ZipFile("out.xlsx") as parts:
        texts = {name: bytearray(parts.read(name)) for name in parts.namelist()}
    victim = texts[random.choice(sorted(texts))]
    for _ in range(random.randrange(1, 30)):
        victim[random.randrange(len(victim))] = random.randrange(256)
    with zipfile.ZipFile("in.xlsx", "w") as parts:
        for name, data in texts.items():
            parts.writestr(name, bytes(data))
    assert run(["table", "import", "p.yaml", "in.xlsx", "--fix"]) in (0, 1, 3)
    assert run(["check", "p.yaml"]) == 0


def test_tables_of_cases_come_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    monkeypatch.chdir(tmp_path / "policies" / "standards")
    assert run(["table", "export", "ifrs9-staging.yaml", "out.xlsx"]) == 0
    book = openpyxl.load_workbook("out.xlsx")
    assert "days" in book.sheetnames
    book["days"]["B2"].value = "1"
    book.save("out.xlsx")
    before = Path("ifrs9-staging.yaml").read_bytes()
    assert run(["table", "import", "ifrs9-staging.yaml", "out.xlsx"]) == 0
    assert Path("ifrs9-staging.yaml").read_bytes() == before
    assert "    none                        | 1             |" in Path("ifrs9-staging.test.yaml").read_text("utf-8")


# --- cells by themselves -----------------------------------------------------------------


@pytest.mark.parametrize(("value", "kind", "role", "before", "text", "damaged", "certain"), [
    ("<= 5.0", "s", TEST, ["<= 5"], "<= 5", True, True),
    ("<= 5.0", "s", TEST, ["<= 6"], "<= 5.0", False, True),
    ("有逾期（３ 次）", "s", RESULT, [], "有逾期（３ 次）", False, True),
    ('= "“x”"', "s", RESULT, [], '= "“x”"', False, True),
    ('not(“SH”，"（x）")', "s", TEST, [], 'not("SH"，"（x）")'.replace("，", ","), True, True),
    ("[0…5)", "s", TEST, [], "[0..5)", True, True),
    ("“kept”", "s", TEST, ["“kept”"], "“kept”", False, True),
    ("TRUE", "s", TEST, ["true"], "true", True, True),
    ("TRUE", "s", TEST, ["TRUE"], "TRUE", False, True),
    (True, "b", RESULT, [], "true", True, True),
    (5, "n", RESULT, ["5"], "5", False, True),
    (-40.0, "n", RESULT, [], "-40", False, True),
    (0.1, "n", RESULT, [], "0.1", False, True),
    (0.0345, "n", RESULT, ["3.45%"], "3.45%", True, True),
    (1000, "n", ID, ["1E3"], "1E3", True, True),
    ("1E3", "s", ID, [], "1E3", False, True),
    (">= 1.5E+07", "s", TEST, [], ">= 15000000", True, True),
    ('"A1E3"', "s", TEST, [], '"A1E3"', False, True),
    ("５００万", "s", RESULT, [], "500万", True, True),
    ("f(a，b)", "s", TEST, ["f(a, b)"], "f(a, b)", True, True),
    ("首年，无逾期", "s", ID, ["老客户, 有逾期"], "首年，无逾期", False, True),
    (2**60, "n", RESULT, [], str(2**60), True, False),
    (datetime.datetime(2026, 1, 2, 3, 4), "d", RESULT, ["2026-01-01"], "2026-01-02T03:04:00", True, False),
    (datetime.datetime(2026, 1, 2), "d", TEST, ['> date("2026-01-01")'], 'date("2026-01-02")', True, True),
    ("a\nb", "s", TEST, [], "a b", True, True),
])
def test_cell(
    value: object, kind: str, role: str, before: list[str], text: str, damaged: bool, certain: bool
) -> None:
    found = read(Raw(value, kind, "General"), role, before)
    assert (found.text, found.damage is not None, found.certain) == (text, damaged, certain)


def test_warnings_that_an_import_brings_are_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def append(book: Any) -> None:
        book["next review"].append(["N3", "> 9", "||", "2026-01-01"])

    assert brought(append) == 0
    out, err = capsys.readouterr()
    assert "W0602" in out or "W0601" in out
    assert "changed `next review`" in err
    assert run(["table", "import", "p.yaml", "in.xlsx"]) == 0 and capsys.readouterr().out == ""


def test_errors_that_an_import_brings_name_the_sheet(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("p.yaml").read_bytes()
    assert brought(lambda book: setattr(book["next review"]["B1"], "value", "yeers")) == 1
    out, err = capsys.readouterr()
    assert "unknown name `yeers`" in out and "with errors in `next review`" in err
    assert Path("p.yaml").read_bytes() == before
