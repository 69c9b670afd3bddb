"""A misspelt key is told once, and hides nothing of the other decisions."""
from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from engine.check.load import check_path
from engine.functions import functions_of

CORPUS = Path(__file__).resolve().parent.parent / "corpus" / "good"
POLICIES = sorted(CORPUS.glob("*.yaml"))
#: A key of a block mapping, which is not the name of a declaration.
KEY = re.compile(
    r"^ {4,}(?:- )?(value|rules|worst|table|scorecard|collect|values|order|type|where|outputs|rule|when|then|do"
    r"|otherwise|reason|reasons|on missing)(?=:)", re.M,
)


@pytest.mark.parametrize("path", POLICIES, ids=lambda p: p.stem)
def test_one_misspelt_key_is_one_fault_of_shape(path: Path, tmp_path: Path) -> None:
    text = path.read_text("utf-8")
    for used in re.findall(r"^    policy: (.+)$", text, re.M):
        shutil.copy(CORPUS / f"{used}.yaml", tmp_path)
    start = min(m.start() for m in re.finditer(r"^(features|segmentation|risk|service):", text, re.M))
    for match in KEY.finditer(text, start):
        place = tmp_path / "policy.yaml"
        place.write_text(f"{text[:match.end()]}x{text[match.end():]}", encoding="utf-8")
        found = [d for d in check_path(place, functions_of(place)).diagnostics if d.is_error]
        assert found, match[0]
        assert all(re.fullmatch(r"E003\d", d.code) for d in found), (match[0], [d.message for d in found])


def test_faults_of_other_decisions_are_told_too(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        "policy: p\nversion: '1'\neffective: {from: 2026-01-01}\ninputs:\n  years: {type: number}\nsegmentation:\n"
        "  one:\n    values: [a, b]\n    rules:\n      - rule: S1\n        wen: yaers < 1\n        then: a\n"
        "      - otherwise: b\n  two:\n    value: if one = \"c\" then yeers else 1\n  three:\n    value: years +\n"
        "risk:\n  four:\n    table: |\n      frist | one || four\n      T1 | \"a\" || x\n      T2 | - || y\n",
        encoding="utf-8",
    )
    found = [(d.code, d.span.line) for d in check_path(path).diagnostics if d.span is not None]
    assert found == [("E0030", 11), ("E0203", 15), ("E0102", 17), ("E0509", 21)]


def test_a_fault_outside_the_decisions_stops_the_check(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        "policy: p\nversion: '1'\neffective: {from: 2026-01-01}\ninputs:\n  years: {typ: number}\nrisk:\n"
        "  one:\n    value: years + yaers\n", encoding="utf-8",
    )
    assert [d.code for d in check_path(path).diagnostics] == ["E0030"]
