"""Each term of the glossary is in use in both languages, and stands there once."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "glossary.md"
ROW = re.compile(r"^\| ([a-z][^|`]*?) \| ([^|]+?) \| \[[^\]]+\]\(([^)]+)\) \|$", re.MULTILINE)


def terms() -> list[tuple[str, str, str]]:
    return ROW.findall(PAGE.read_text("utf-8"))


@pytest.fixture(scope="module")
def texts() -> str:
    """What speaks to users: pages, policies, and the words of reports."""
    kinds = (("docs", "*.md"), ("policies", "*.yaml"), ("engine/report", "*.py"))
    paths = [p for folder, kind in kinds for p in (ROOT / folder).rglob(kind)]
    return "\n".join(p.read_text("utf-8") for p in paths if p != PAGE).lower()


def test_each_term_is_in_use_in_both_languages(texts: str) -> None:
    assert len(terms()) > 50
    assert [t for english, chinese, _ in terms() for t in (english, chinese) if t.lower() not in texts] == []


def test_each_term_stands_there_once() -> None:
    for at in (0, 1):
        found = [term[at] for term in terms()]
        assert sorted(found) == sorted(set(found))


def test_a_page_that_a_term_leads_to_has_it() -> None:
    for english, chinese, link in terms():
        page = (ROOT / "docs" / link).read_text("utf-8").lower()
        assert english in page or chinese in page, f"{link} says nothing of {english}"


def test_every_capability_has_its_term() -> None:
    named = {link for *_, link in terms()}
    pages = [f"capabilities/{p.name}" for p in (ROOT / "docs" / "capabilities").glob("d*.md")]
    assert sorted(set(pages) - named) == []
