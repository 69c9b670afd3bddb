"""Each page of a capability shows lines that the policies have, and runs them over the sample portfolio."""
from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import blocks, hold, replay
from tests.docs.partners import partners

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "capabilities").glob("d*.md"))


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_examples(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policies").symlink_to(ROOT / "policies")
    page = path.read_text("utf-8")
    if "BUREAU" not in page:
        return hold(path, replay(page, tmp_path))
    with partners(ROOT / "policies" / "sme" / "samples", tmp_path) as places:
        for name, place in places.items():
            monkeypatch.setenv(name, place)
        hold(path, replay(page, tmp_path))


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_each_page_shows_a_policy_and_its_result(path: Path) -> None:
    found = list(blocks(path.read_text("utf-8")))
    assert any("part" in block.words for block in found)
    assert any(block.language == "console" for block in found)


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "capabilities" / "index.md").read_text("utf-8")
    assert [path.name for path in PAGES if f"({path.name})" not in index] == []
