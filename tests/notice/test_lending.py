"""The letters of the shipped lending policy: each kind in both languages as it was read and kept, and what none of
them may hold over the sample portfolio. TIERWISE_UPDATE=1 writes the kept ones anew."""
from __future__ import annotations

import csv
import datetime
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.ir import nodes as ir
from engine.notice.choice import choose
from engine.notice.fit import misfits
from engine.notice.pages import html, text
from engine.notice.spec import read_letters
from engine.notice.writing import inputs_of, write
from engine.policy import load_policy
from engine.portfolio.binding import Reading

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent / "letters"
SME = ROOT / "policies" / "sme"
DAY, RECEIVED = datetime.date(2026, 7, 1), datetime.date(2026, 6, 20)

#: What each case changes of the sound firm, which is that of `lending.test.yaml`.
CASES: dict[str, dict[str, Any]] = {
    "approval": {},
    "approval-bullet": {"requested amount": 500_000, "requested term": 6, "repayment wish": "bullet"},
    "counter-offer": {"requested amount": 3_000_000},
    "decline": {"under enforcement": True, "operating state": "suspended", "ebit": 500_000, "credit enquiries": 9},
    "decline-score": {"external pd": 0.13, "ebit": 400_000, "total liabilities": 14_000_000, "owner score": 500,
                      "days overdue elsewhere": 20, "credit enquiries": 9, "tax grade": "C"},
    "incomplete-histories": {"history": {}},
    "incomplete-accounts": {"ebit": None, "debt service": None, "tax grade": None},
}


def invoice(number: str, issued: str, buyer: str, net: int) -> dict[str, Any]:
    return {"number": number, "issued": issued, "buyer": buyer, "net": net}


SOUND: dict[str, Any] = {
    "firm id": "F1", "industry": "wholesale", "registered on": "2017-03-01", "operating state": "operating",
    "employees": 30, "annual revenue": 20_000_000, "revenue before": 20_000_000, "ebit": 3_000_000,
    "debt service": 1_000_000, "total assets": 15_000_000, "current assets": 9_000_000,
    "total liabilities": 6_000_000, "current liabilities": 5_000_000, "days overdue elsewhere": 0,
    "credit enquiries": 1, "open lawsuits": 0, "under enforcement": False, "tax grade": "A", "owner score": 713,
    "owner gender": "female", "related defaults": 0, "external pd": 0.02, "requested amount": 1_000_000,
    "requested term": 12, "purpose": "stock", "repayment wish": "equal_instalments", "needed within days": 5,
    "collateral kind": "none", "guarantee company": False, "joint guarantors": 0, "customer since": "2022-01-10",
    "average deposits": 500_000, "products held": 3,
    "history": {
        "invoices": [
            invoice("1", "2024-07-15", "B1", 12_000_000), invoice("2", "2025-08-15", "B1", 2_000_000),
            invoice("3", "2025-10-15", "B2", 2_000_000), invoice("4", "2025-12-15", "B3", 2_000_000),
            invoice("5", "2026-02-15", "B1", 2_000_000), invoice("6", "2026-04-15", "B2", 2_000_000),
            invoice("7", "2026-06-15", "B3", 2_000_000),
        ],
        "repayments": [{"loan id": "L1", "booked": "2025-12-10", "instalment": 1, "due": "2026-05-10",
                        "paid": "2026-05-10", "principal": 10_000, "interest": 500}],
    },
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("case", CASES)
def test_letters(tierwise: Any, tmp_path: Path, case: str, language: str) -> None:
    (tmp_path / "c.json").write_text(json.dumps({**SOUND, **CASES[case]}), "utf-8")
    found = tierwise(
        "notice", str(SME / "lending.yaml"), str(tmp_path / "c.json"), "--as-of", str(DAY), "--received",
        str(RECEIVED), "--language", language, "--to", "示例商贸有限公司" if language == "zh" else "Acme Trading Ltd.",
    )
    assert found.code == 0 and "due by 2026-07-20" in found.err
    kept = HERE / f"{case}.{language}.txt"
    # The digest changes with every word of the policy, which is what it is for; the rest is compared whole.
    shown = re.sub(r"[0-9a-f]{12}$", "(digest)", found.out, flags=re.MULTILINE)
    if os.environ.get("TIERWISE_UPDATE"):
        kept.write_text(shown, encoding="utf-8")
    assert shown == kept.read_text("utf-8")
    assert case.startswith(json.loads(tierwise(
        "notice", str(SME / "lending.yaml"), str(tmp_path / "c.json"), "--as-of", str(DAY), "--received",
        str(RECEIVED), "--format", "json").out)["letter"])


def sample(program: ir.Program, every: int) -> Iterator[tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]]:
    """Each so many of the sample's firms with their events; a cell that cannot be read leaves the firm out."""
    reading = Reading()
    events: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for history in program.histories[:2]:
        parsers = {f.name: reading.parser(f.type) for f in history.fields}
        for row in table(history.name):
            of = events.setdefault(row["firm_id"], {"invoices": [], "repayments": []})
            of[history.name].append({n: parse(row[n.replace(" ", "_")]) if row[n.replace(" ", "_")] else None
                                     for n, parse in parsers.items()})
    parsers = {i.name: reading.parser(i.type) for i in program.inputs}
    for row in table("firms")[::every]:
        given = {}
        try:
            for name, parse in parsers.items():
                cell = row.get(name.replace(" ", "_"))
                given[name] = parse(cell) if cell else None
        except ValueError:
            continue
        yield given, events.get(row["firm_id"], {})


def table(name: str) -> list[dict[str, str]]:
    with (SME / "samples" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_what_no_letter_to_the_sample_portfolio_holds() -> None:
    """No code of a reason, no value that is a code, nothing of owners; four reasons at most."""
    policy = load_policy(SME / "lending.yaml")
    letters = read_letters(str(SME / "notices" / "lending.yaml"))
    program = policy.program
    assert misfits(letters, program) == []
    codes = [r.code for r in program.reasons]
    values = {v for i in program.inputs for v in i.type.values or () if "_" in v}
    internal = re.compile(rf"\b(?:{'|'.join(map(re.escape, [*codes, *values, 'MISSING', 'UNDEFINED', 'female']))})\b")
    seen = set()
    for given, events in sample(program, every=4):
        decision = policy.decide(given, as_of=DAY, history=events)
        if decision.refused:
            continue
        choice = choose(letters, decision)
        seen.add(choice.letter.kind if choice.letter is not None else "none")
        if choice.letter is None:
            continue
        for language in letters.languages:
            letter = write(letters, choice, decision, inputs_of(program, given), language, ["X"], RECEIVED)
            assert 1 <= len(letter.reasons) <= 4 or choice.letter.kind in ("approval", "incomplete")
            assert letter.documents or choice.letter.kind != "incomplete"
            for told in (text(letter), html(letter).partition("<main>")[2]):
                body = told.replace(letter.reference, "")
                assert internal.search(body) is None, body
                assert given.get("owner score") is None or f" {given['owner score']:g} " not in body
                assert "***" not in body and "not given" not in body and "no value" not in body and "{" not in body
    assert seen == {"decline", "counter-offer", "incomplete", "approval", "none"}
