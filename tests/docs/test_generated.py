"""Generated pages are those of the code, and the rates told are those measured."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.semantics.catalogue import BUILTINS
from scripts.docs import PAGES
from scripts.feel_functions import GROUPS
from tests.conformance.__main__ import main
from tests.docs.pages import blocks

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_up_to_date(name: str) -> None:
    """`make docs` writes them."""
    assert (ROOT / name).read_text("utf-8") == PAGES[name]()


def test_every_function_is_described() -> None:
    assert sorted(name for entries in GROUPS.values() for name, _, _ in entries) == sorted(BUILTINS.functions())


def test_conformance_rates(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(shared / "conformance" / "feel")])
    measured = capsys.readouterr().out.splitlines()[-3:]
    page = (ROOT / "docs" / "feel.md").read_text("utf-8")
    told = next(b.text for b in blocks(page) if b.words == ("rates",))
    assert told.splitlines() == measured
    assert re.search(r"\d+ of \d+", measured[0])
