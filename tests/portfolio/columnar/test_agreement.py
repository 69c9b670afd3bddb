"""The same rows out of both engines, byte for byte, whatever the files hold."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.policy import Policy, load_policy
from engine.portfolio.request import EXTRAS, Options, Request
from tests.commands.conftest import CUSTOMERS, POLICY, REPAYMENTS
from tests.portfolio.columnar.both import DAY, agree

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "policies" / "samples"
SETTINGS = settings(
    max_examples=12,
    deadline=None,
    phases=[p for p in Phase if p is not Phase.explain],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def request(
    folder: Path, customers: str, repayments: str | None = None, name: str = "customers.csv", **more: Any
) -> Request:
    data = folder / name
    data.write_bytes(customers.encode("utf-8", "surrogatepass"))
    histories: tuple[tuple[str, str], ...] = ()
    if repayments is not None:
        events = folder / "repayments.csv"
        events.write_bytes(repayments.encode("utf-8", "surrogatepass"))
        histories = (("repayments", str(events)),)
    return Request(str(data), DAY, histories, **more)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("extras", [("reasons", "open", "missing"), EXTRAS, ()])
def test_a_small_portfolio(policy: Policy, tmp_path: Path, form: str, extras: tuple[str, ...]) -> None:
    found = agree(policy, request(tmp_path, CUSTOMERS, REPAYMENTS, form=form, extras=extras), tmp_path)
    assert found.summary is not None
    assert (found.summary.decided, found.summary.open, found.summary.refused) == (3, 1, 3)


@pytest.mark.parametrize(
    "more",
    [
        {"where": 'grade = "A" and dscr < 2'},
        {"where": "annual revenue > 500 or founded > as of"},
        {"limit": 3},
        {"limit": 0},
        {"limit": 2, "where": "dscr = null"},
        {"only": ("segment", "late")},
        {"only": ("decision",)},
        {"max_refused": 0.5},
        {"max_refused": 0.1},
        {"strict": True},
        {"missing": ("A",)},
        {"date_format": "%Y/%m/%d"},
        {"on_orphan": "stop"},
        {"where": "dcsr > 1"},
        {"where": "annual revenue"},
        {"where": "annual revenue >"},
    ],
    ids=str,
)
def test_options(policy: Policy, tmp_path: Path, more: dict[str, Any]) -> None:
    agree(policy, request(tmp_path, CUSTOMERS, REPAYMENTS, **more), tmp_path)


KEYED = (
    CUSTOMERS
    + "F1,1000,A,1.5,2020-01-01,again\n,1000,A,1.5,2020-01-01,nobody\n  ,5,A,,2020-01-01,\nF1,x,A,1,2020-01-01,\n"
)


@pytest.mark.parametrize("choice", ["keep", "refuse", "stop"])
@pytest.mark.parametrize("option", ["on_repeated_key", "on_null_key"])
def test_keys(policy: Policy, tmp_path: Path, option: str, choice: str) -> None:
    found = agree(policy, request(tmp_path, KEYED, REPAYMENTS, **{option: choice}), tmp_path)
    if choice == "stop":
        assert found.end is not None
        return
    assert found.summary is not None
    assert (found.summary.repeated_keys, found.summary.null_keys) == (2, 2)
    assert found.summary.refused == {"keep": 4, "refuse": 5 if option == "on_repeated_key" else 6}[choice]


@pytest.mark.parametrize("choice", ["skip", "stop"])
def test_events_without_a_key(policy: Policy, tmp_path: Path, choice: str) -> None:
    found = agree(
        policy, request(tmp_path, CUSTOMERS, REPAYMENTS + ",2026-01-10,\n", on_keyless_event=choice), tmp_path
    )
    assert (found.end is not None) == (choice == "stop")


WORDS = st.sampled_from(
    [
        "",
        " ",
        "F1",
        "F2",
        "F3",
        "1000",
        "1,000",
        "-5",
        "0.30",
        "NaN",
        "1e400",
        "A",
        "B",
        "C",
        "a",
        "2020-01-01",
        "2026-01-10",
        "2025-02-30",
        "1.5",
        "0.5",
        "yes",
        'x"y',
        "two\nlines",
        "中国",
        "é",
        "'; DROP TABLE customers; --",
        "=1+1",
        "a;b",
        "\x85",
        "\u2028",
        "\x1c",
        "\r",
    ]
)
CELL = st.one_of(WORDS, st.text(max_size=4))
HEADER = ("firm id", "annual_revenue", "grade", "dscr", "Founded On")


def written(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    out = csv.writer(text, lineterminator="\n")
    out.writerow(header)
    out.writerows(rows)
    return text.getvalue()


def plausible(*columns: Any) -> Any:
    """Rows most of whose cells are as they should be."""
    return st.lists(st.tuples(*(st.one_of(c, c, c, CELL) for c in columns)), max_size=8)


ROWS = plausible(
    st.sampled_from(["F1", "F2", "F3", "F4", "F5"]),
    st.sampled_from(["1000", "2500000", "0"]),
    st.sampled_from(["A", "B", ""]),
    st.sampled_from(["0.5", "1.5", ""]),
    st.sampled_from(["2020-01-01", "2025-06-01"]),
)
EVENTS = plausible(
    st.sampled_from(["F1", "F2", "F3"]),
    st.sampled_from(["2026-01-10", "2027-01-10"]),
    st.sampled_from(["", "2026-02-01"]),
)
NOISE = st.lists(
    st.sampled_from(["F1\n", '"\n', 'a,"b\n', "\n", "F1,1,A,1,2020-01-01,extra\n", "\0\n", "F9,\ud8001,A,1,\n"]),
    max_size=2,
)


@SETTINGS
@given(rows=ROWS, events=EVENTS, noise=NOISE, form=st.sampled_from(["csv", "jsonl"]))
def test_dirty_csv(
    policy: Policy, tmp_path: Path, rows: list[list[str]], events: list[list[str]], noise: list[str], form: str
) -> None:
    customers = written(HEADER, rows) + "".join(noise)
    agree(
        policy,
        request(
            tmp_path,
            customers,
            written(("firm id", "due", "paid"), events),
            form=form,
            on_keyless_event="skip",
            on_repeated_key="refuse",
        ),
        tmp_path,
    )


@SETTINGS
@given(rows=ROWS, events=EVENTS, noise=NOISE)
def test_dirty_events(
    policy: Policy, tmp_path: Path, rows: list[list[str]], events: list[list[str]], noise: list[str]
) -> None:
    repayments = written(("firm id", "due", "paid"), events) + "".join(noise)
    agree(policy, request(tmp_path, written(HEADER, rows), repayments, extras=EXTRAS), tmp_path)


MEMBERS = st.one_of(
    WORDS,
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(allow_nan=False),
    st.lists(st.integers(0, 2), max_size=2),
)


@SETTINGS
@given(
    rows=st.lists(st.dictionaries(st.sampled_from([*HEADER, "annual revenue", "other"]), MEMBERS), max_size=8),
    noise=NOISE,
)
def test_dirty_json(policy: Policy, tmp_path: Path, rows: list[dict[str, Any]], noise: list[str]) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in rows) + "".join(noise)
    agree(policy, request(tmp_path, lines, REPAYMENTS, name="customers.jsonl", form="jsonl"), tmp_path)


def test_keys_that_are_lists_are_no_keys(policy: Policy, tmp_path: Path) -> None:
    lines = '{"firm id": []}\n{"firm id": []}\n{"firm id": {"a": 1}}\n{"firm id": null}\n'
    found = agree(policy, request(tmp_path, lines, REPAYMENTS, name="customers.jsonl"), tmp_path)
    assert found.summary is not None
    assert (found.summary.repeated_keys, found.summary.null_keys) == (0, 1)


UNREAD = ('{"a": 1, "a": 2}', "[" * 2000 + "]" * 2000, "1" * 5000, '{"a": [{"b": NaN}]}', '"{"')


@pytest.mark.parametrize("other", UNREAD, ids=range(len(UNREAD)))
def test_a_fault_in_a_member_that_nothing_reads(policy: Policy, tmp_path: Path, other: str) -> None:
    good = '"firm id": "F1", "annual revenue": 1, "Founded On": "2020-01-01"'
    lines = "".join(f"{{{good}, \"other\": {member}}}\n" for member in ("1", "null", other, "2"))
    agree(policy, request(tmp_path, lines, REPAYMENTS, name="customers.jsonl"), tmp_path)


def test_gzip_and_another_encoding(policy: Policy, tmp_path: Path) -> None:
    text = CUSTOMERS.replace("plain", "\u7532\u4e59")
    packed = tmp_path / "c.csv.gz"
    packed.write_bytes(gzip.compress(text.encode("gb18030")))
    agree(policy, Request(str(packed), DAY, options=Options(encoding="gb18030")), tmp_path)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_sample_portfolio(tmp_path: Path, form: str) -> None:
    shipped = load_policy(ROOT / "policies" / "working-capital.yaml")
    histories = tuple((name, str(SAMPLES / f"{name}.csv")) for name in ("repayments", "invoices"))
    found = agree(shipped, Request(str(SAMPLES / "firms.csv"), DAY, histories, form=form, extras=EXTRAS), tmp_path)
    assert found.summary is not None
    assert (found.summary.rows, found.summary.open, found.summary.refused) == (201, 10, 12)


KEYS = {
    "number": ["7", "7.0", "007", "8", "", "1e2", "100", "x"],
    "date": ["2026-01-01", " 2026-01-01", "2026-02-30", "", "2026-03-01"],
    "boolean": ["true", "TRUE", "false", "", "maybe"],
}


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("kind", KEYS)
def test_keys_of_other_kinds(tmp_path: Path, kind: str, form: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.replace("firm id: {type: string", f"firm id: {{type: {kind}"), "utf-8")
    good = [key for key in KEYS[kind] if key not in ("", "x", "maybe", "2026-02-30")]
    rows = [(key, "1000", "A", "1.5", "2020-01-01") for key in KEYS[kind]]
    events = [(key, "2026-01-10", "2026-02-01") for key in good[:2]]
    asked = request(
        tmp_path, written(HEADER, rows), written(("firm id", "due", "paid"), events), form=form, on_null_key="refuse"
    )
    found = agree(load_policy(path), asked, tmp_path)
    assert found.summary is not None
    assert found.summary.null_keys == 1


def test_a_key_of_two_parts(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.replace("  grade: {", "  grade: {key: true, "), "utf-8")
    rows = [(key, "1000", grade, "1.5", "2020-01-01") for key in ("F1", "F2", "") for grade in ("A", "B", "A", "")]
    found = agree(load_policy(path), request(tmp_path, written(HEADER, rows), on_repeated_key="refuse"), tmp_path)
    assert found.summary is not None
    assert (found.summary.repeated_keys, found.summary.null_keys) == (2, 6)
