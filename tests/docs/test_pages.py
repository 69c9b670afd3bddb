"""Every example of the pages about the language and FEEL does what the page says."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import agree, blocks, hold, is_policy, replay

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [
    *sorted((DOCS / "language").glob("*.md")), DOCS / "feel.md", DOCS / "portfolio.md", DOCS / "portfolio-tests.md",
    DOCS / "allocation.md", DOCS / "deployment.md", DOCS / "plugins" / "sources.md",
    DOCS / "allocation.md", DOCS / "notice.md", DOCS / "report.md",
]
WITHOUT_POLICY = ("index", "feel", "allocation")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)\s]*)?\)")


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_examples(path: Path, tmp_path: Path) -> None:
    hold(path, replay(path.read_text("utf-8"), tmp_path))


@pytest.mark.parametrize("path", [p for p in PAGES if p.stem not in WITHOUT_POLICY], ids=lambda p: p.stem)
def test_each_page_has_a_policy_that_runs(path: Path) -> None:
    found = list(blocks(path.read_text("utf-8")))
    assert any(is_policy(b) and "wrong" not in b.words for b in found)
    assert any(b.language == "console" for b in found)


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))], ids=lambda p: p.stem)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?^```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    links = [m[1] for m in LINK.finditer(text) if "://" not in m[1]]
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "language" / "index.md").read_text("utf-8")
    names = [p.name for p in PAGES if p.parent.name == "language" and p.stem != "index"]
    assert [name for name in names if f"({name})" not in index] == []


def test_ellipses() -> None:
    assert agree("a\n...\nd\n", "a\nb\nc\nd\n")
    assert agree("a...d\n", "abcd\n")
    assert not agree("a\n...\nd\n", "a\nb\n")
    assert not agree("a\n", "a\nb\n")
    assert not agree("", "a\n")
