"""The tours for policy teams, followed literally from an empty folder."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.following import ROOT, command, commands, edited, follow
from tests.docs.pages import blocks, hold

TOUR = ROOT / "docs" / "tour"
PAGES = sorted(TOUR.glob("*/*.md"))


@pytest.mark.parametrize("path", PAGES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_followed_from_an_empty_folder(path: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    page = path.read_text("utf-8")
    hold(path, follow(page, tmp_path / "empty", command(tmp_path)))
    assert sum(block.language == "console" for block in blocks(page)) >= 5


@pytest.mark.parametrize("path", PAGES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_no_python_on_the_page(path: Path) -> None:
    assert not re.search(r"python|pytest|\bpip |^import |>>>", path.read_text("utf-8"), re.IGNORECASE | re.MULTILINE)


def test_both_editions_have_the_same_pages_and_steps() -> None:
    english, chinese = ({p.name: p for p in PAGES if p.parent.name == name} for name in ("en", "zh"))
    assert len(english) == 2 and english.keys() == chinese.keys()
    for name, path in english.items():
        assert commands(path) == commands(chinese[name])


def test_every_page_is_in_the_index() -> None:
    index = (TOUR / "README.md").read_text("utf-8")
    assert [p for p in PAGES if f"({p.parent.name}/{p.name})" not in index] == []


def test_edits() -> None:
    assert edited("a\nb\nc\n", " a\n-b\n+B\n") == "a\nB\nc\n"
    for text in ("a\nx\n", "a\nb\na\nb\n"):
        with pytest.raises(AssertionError):
            edited(text, " a\n-b\n")
