"""Policies as files: each of `corpus/good` loads without a finding, each of `corpus/bad` says all that is wrong.

A bad case is `NAME.yaml`, or a folder `NAME` (its `main.yaml` where there is one, else the folder as versions),
and `NAME.txt` is what `check` shows of it, compared whole. TIERWISE_UPDATE=1 writes these anew, to be read
before they are kept.
"""
from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.check.load import check_path
from engine.diagnostics import Diagnostic
from engine.functions import functions_of
from engine.ir.lower import lower
from engine.ir.verify import verify
from engine.policy import check_policy
from engine.render import render_text

CORPUS = Path(__file__).parent / "corpus"
GOOD = sorted(p for p in (CORPUS / "good").iterdir() if p.is_dir() or p.suffix == ".yaml")
BAD = sorted(p for p in (CORPUS / "bad").iterdir() if p.is_dir() or p.suffix == ".yaml")


def start(case: Path) -> Path:
    """The path to check, from the folder that holds the case."""
    return Path(case.name, "main.yaml") if (case / "main.yaml").exists() else Path(case.name)


@pytest.mark.parametrize("case", GOOD, ids=lambda p: p.stem)
def test_good(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case.parent)
    checked = check_policy(start(case))
    assert render_text(checked.diagnostics, checked.sources) == render_text([], {})
    for stretch in check_path(start(case), functions_of(start(case))).stretches:
        verify(lower(stretch.model))


@pytest.mark.parametrize("case", BAD, ids=lambda p: p.stem)
def test_bad(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case.parent)
    checked = check_policy(start(case))
    shown = render_text(checked.diagnostics, checked.sources)
    expected = case.with_name(f"{case.stem}.txt")
    if os.environ.get("TIERWISE_UPDATE"):
        expected.write_text(shown, encoding="utf-8")
    assert checked.diagnostics
    assert shown == expected.read_text("utf-8")


@pytest.mark.parametrize("case", BAD, ids=lambda p: p.stem)
def test_bad_has_a_place_and_a_way_out(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case.parent)
    found = check_policy(start(case)).diagnostics
    assert all(d.span is not None for d in found)
    assert all(d.help for d in found), [d.message for d in found if not d.help]
    assert [d for d in found if not _styled(d)] == []


def _styled(found: Diagnostic) -> bool:
    """One lowercase sentence without a full stop, and no name of a type of Python's."""
    words = set(found.message.replace("`", " ").split())
    first = found.message.split()[0]
    plain = not found.message[0].isupper() or first.isupper()  # YAML, FEEL
    python = {"str", "int", "float", "dict", "tuple", "NoneType"}
    return plain and not found.message.endswith(".") and not words & python
