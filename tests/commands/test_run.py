"""`tierwise run`: every row comes out once."""
from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path

import pytest

from engine.backends.support import Gap, Unsupported
from engine.commands.console import Console
from engine.ir import nodes as ir
from tests.commands.conftest import CUSTOMERS, Tierwise

ARGS = ("run", "policy.yaml", "customers.csv", "--as-of", "2026-07-01")
WITH_HISTORY = (*ARGS, "--history", "repayments=repayments.csv")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_row_is_decided_open_or_refused(tierwise: Tierwise, folder: Path) -> None:
    result = tierwise(*WITH_HISTORY)
    assert result.code == 1
    found = {row["firm id"]: row for row in rows(result.out)}
    assert [row["line"] for row in rows(result.out)] == [str(n) for n in range(2, 9)]
    assert {key: row["status"] for key, row in found.items()} == {
        "F1": "decided", "F2": "refused", "F3": "refused", "F4": "open", "F5": "decided", "F6": "refused",
        "F7": "decided",
    }
    assert (found["F1"]["decision"], found["F1"]["limit"]) == ("approve", "200")
    assert (found["F5"]["decision"], found["F5"]["segment"], found["F5"]["reasons"]) == ("decline", "new", "R2")
    assert (found["F7"]["decision"], found["F7"]["reasons"]) == ("refer", "R1")
    assert (found["F4"]["decision"], found["F4"]["open"], found["F4"]["missing"]) == ("refer", "decision", "dscr")
    assert "`1,000` is not a number" in found["F2"]["problem"]
    assert "grade" in found["F3"]["problem"]
    assert found["F6"]["problem"] == "4 fields where the header has 6"
    assert "late" not in found["F1"]


def test_what_is_said_beside_the_data(tierwise: Tierwise, folder: Path) -> None:
    err = tierwise(*WITH_HISTORY).err
    assert "customers.csv:3 F2" in err
    assert "without thousands separators" in err
    assert "1 row of history `repayments` without a customer" in err
    assert "7 rows: 3 decided, 1 open, 3 refused" in err


def test_a_required_column_that_is_absent_ends_the_run(tierwise: Tierwise, folder: Path) -> None:
    (folder / "customers.csv").write_text(CUSTOMERS.replace("annual_revenue", "anual revenue"), encoding="utf-8")
    result = tierwise(*ARGS)
    assert result.code == 3
    assert "no column for `annual revenue`, which the policy requires" in result.err
    assert "is `anual revenue` meant for `annual revenue`?" in result.err


def test_an_optional_column_that_is_absent_is_told(tierwise: Tierwise, folder: Path) -> None:
    (folder / "customers.csv").write_text("firm id,annual_revenue,grade,Founded On\nF1,1,A,2020-01-01\n")
    result = tierwise(*WITH_HISTORY)
    assert result.code == 0
    assert "no column for `dscr`: it was missing in every row" in result.err


def test_a_repeated_key_is_told(tierwise: Tierwise, folder: Path) -> None:
    (folder / "customers.csv").write_text(CUSTOMERS + "F1,1000,A,1.5,2020-01-01,again\n", encoding="utf-8")
    assert "1 row with a key that an earlier row had" in tierwise(*WITH_HISTORY).err


def test_a_history_not_given_is_missing(tierwise: Tierwise, folder: Path) -> None:
    found = rows(tierwise(*ARGS).out)
    assert found[0]["decision"] == "refer"
    assert "R3" in found[0]["reasons"]


def test_strict_stops_at_the_first_refused_row(tierwise: Tierwise, folder: Path) -> None:
    result = tierwise(*WITH_HISTORY, "--strict", "-o", "out.csv")
    assert result.code == 3
    assert "customers.csv:3: `F2`" in result.err
    assert not (folder / "out.csv").exists()


def test_output_and_rejects_are_files(tierwise: Tierwise, folder: Path) -> None:
    result = tierwise(*WITH_HISTORY, "-o", "out.jsonl", "--rejects", "rejects.csv")
    assert result.out == ""
    lines = [json.loads(line) for line in (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines[0]["limit"] == 200
    assert lines[3]["missing"] == ["dscr"]
    assert [(r["line"], r["key"]) for r in rows((folder / "rejects.csv").read_text())] == [
        ("3", "F2"), ("4", "F3"), ("7", "F6"),
    ]


def test_standard_input_and_other_encodings_give_the_same(tierwise: Tierwise, folder: Path) -> None:
    expected = tierwise(*WITH_HISTORY).out
    piped = ("run", "policy.yaml", "-", "--as-of", "2026-07-01", "--history", "repayments=repayments.csv")
    assert tierwise(*piped, stdin=CUSTOMERS.encode()).out == expected
    assert tierwise(*piped, stdin=CUSTOMERS.encode("utf-8-sig")).out == expected
    assert tierwise(*piped, stdin=CUSTOMERS.encode("utf-16")).out == expected
    assert tierwise(*piped, stdin=CUSTOMERS.replace("\n", "\r\n").encode()).out == expected


def test_json_lines_in(tierwise: Tierwise, folder: Path) -> None:
    line = {"firm id": "F1", "annual revenue": 1000, "dscr": 1.5, "Founded On": "2020-01-01"}
    result = tierwise(
        "run", "policy.yaml", "-", "--as-of", "2026-07-01", "--history", "repayments=repayments.csv",
        stdin=(json.dumps(line) + "\n").encode(),
    )
    assert result.code == 0
    assert rows(result.out)[0]["decision"] == "approve"


def test_a_date_format(tierwise: Tierwise, folder: Path) -> None:
    text = CUSTOMERS.replace("2020-01-01", "1.1.2020").replace("2025-06-01", "1.6.2025")
    (folder / "customers.csv").write_text(text)
    result = tierwise(*WITH_HISTORY, "--date-format", "%d.%m.%Y")
    assert "3 decided, 1 open, 3 refused" in result.err
    assert "--date-format" in tierwise(*WITH_HISTORY).err


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty"),
        (CUSTOMERS.replace(",", ";").encode(), "--delimiter"),
        (CUSTOMERS.replace("plain", "甲乙丙丁").encode("gb18030"), "--encoding gb18030"),
        (CUSTOMERS.replace("note", "dscr").encode(), "both called `dscr`"),
        (CUSTOMERS.encode("utf-16-le"), "--encoding utf-16-le"),
        (b"PK\x03\x04", "workbook"),
    ],
)
def test_data_that_cannot_be_read_exits_with_3(tierwise: Tierwise, folder: Path, data: bytes, told: str) -> None:
    (folder / "customers.csv").write_bytes(data)
    result = tierwise(*ARGS, "-o", "out.csv")
    assert result.code == 3
    assert told in result.err
    assert not (folder / "out.csv").exists()


def test_a_broken_event_row_refuses_its_customer(tierwise: Tierwise, folder: Path) -> None:
    (folder / "repayments.csv").write_text("firm id,due,paid\nF1,2026-01-10\nF5,10.1.2026,\n")
    found = {row["firm id"]: row for row in rows(tierwise(*WITH_HISTORY).out)}
    assert found["F1"]["status"] == found["F5"]["status"] == "refused"
    assert "line 2 of repayments.csv" in found["F1"]["problem"]
    assert "`repayments` line 3 of repayments.csv: `due` `10.1.2026` is not a date" in found["F5"]["problem"]
    assert found["F7"]["status"] == "decided"


def test_a_history_that_the_policy_does_not_have(tierwise: Tierwise, folder: Path) -> None:
    result = tierwise(*ARGS, "--history", "invoices=repayments.csv")
    assert result.code == 2
    assert "it has `repayments`" in result.err


def test_an_invalid_policy_exits_with_2(tierwise: Tierwise, folder: Path) -> None:
    path = folder / "policy.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("dscr < 1", "dscrr < 1"), encoding="utf-8")
    result = tierwise(*ARGS)
    assert result.code == 2
    assert "did you mean `dscr`" in result.err
    assert result.out == ""


def test_what_sql_does_not_carry_out_is_refused_with_the_way_out(
    tierwise: Tierwise, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compile_program(program: ir.Program, *_: object, **__: object) -> None:
        (decision,) = (d for d in program.decisions if d.name == "segment")
        raise Unsupported(Gap(decision.at, "leaps of faith").diagnostic("the SQL backend"))

    monkeypatch.setattr("engine.backends.sql.program.compile_program", compile_program)
    monkeypatch.setattr("engine.portfolio.columnar.deciding._MADE", {})
    result = tierwise(*ARGS, "--engine", "duckdb", "-o", "out.csv")
    assert result.code == 2
    assert "error[E0801]: the SQL backend does not carry out leaps of faith" in result.err
    assert "--> policy.yaml:" in result.err
    assert "= help: add `--engine python`" in result.err
    assert not (folder / "out.csv").exists()


def test_each_engine_says_who_it_is(tierwise: Tierwise, folder: Path) -> None:
    assert "decided by python" in tierwise(*ARGS).err
    assert "decided by duckdb" in tierwise(*ARGS, "--engine", "duckdb").err
    assert tierwise(*ARGS).out == tierwise(*ARGS, "--engine", "duckdb").out


def test_reason_texts_of_the_summary_hold_no_placeholders(tierwise: Tierwise, folder: Path) -> None:
    for engine in ("python", "duckdb"):
        err = tierwise(*WITH_HISTORY, "--engine", engine).err
        assert "Late payments " in err
        assert "{" not in err


def test_what_python_cannot_do_is_told(tierwise: Tierwise, folder: Path) -> None:
    result = tierwise(*ARGS, "--engine", "python", "-o", "out.parquet")
    assert result.code == 2
    assert "needs the columnar engine" in result.err


def test_what_stands_beside_the_outcomes(tierwise: Tierwise, folder: Path) -> None:
    for engine in ("python", "duckdb"):
        result = tierwise(*WITH_HISTORY, "--with", "fired,trace", "--limit", "1", "--engine", engine)
        (row,) = rows(result.out)
        assert list(row)[-3:] == ["fired", "trace", "problem"]
        assert row["fired"] == "segment/otherwise;decision/otherwise"
        assert json.loads(row["trace"])["policy"]["name"] == "small"
    assert "reasons" not in rows(tierwise(*ARGS, "--with", "none").out)[0]


def test_progress_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.live = True
    console.progress(1, None, "rows")                   # nothing within the first second
    console.begun = console.shown = time.monotonic() - 5
    console.progress(43, 100, "deciding")
    console.shown -= 5
    console.progress(2, 9, "parts")
    console.note("a note")
    drawn = capsys.readouterr().err.replace("\x1b[K", "")    # which is left out where there is no terminal
    assert drawn == "\rdeciding 43% \r2 parts of 9 \ra note\n"


@pytest.mark.parametrize("place", ["customers.csv", "bank.duckdb::customers"])
def test_results_never_replace_what_is_read(tierwise: Tierwise, folder: Path, place: str) -> None:
    result = tierwise("run", "policy.yaml", place, "-o", place)
    assert result.code == 2
    assert "would be replaced by the results" in result.err
