"""The tutorial, followed literally from an empty folder; then the CI files that it ends with, on bad changes, too."""
from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.docs.following import ROOT, command, commands, follow
from tests.docs.pages import blocks, hold
from tests.services import SERVICES, begin

PAGES = sorted((ROOT / "docs" / "tutorial").glob("*/*.md"))
#: What a change does, what is replaced by what, and the exit code and words of the step that fails; by edition.
BAD = {
    "a name mistyped": (1, "error[E0203]", {"en": ("| dscr < 1.2 ", "| dcsr < 1.2 "),
                                            "zh": ("| 偿债覆盖率 < 1.2 ", "| 偿债覆概率 < 1.2 ")}),
    "a case that fails": (1, "cases and ", {"en": ("| days late > 90 ", "| days late > 80 "),
                                          "zh": ("| 逾期天数 > 90 ", "| 逾期天数 > 80 ")}),
    "a portfolio out of bounds": (1, "expected in [25%..50%]", {"en": ("| dscr < 1.2 ", "| dscr < 1.7 "),
                                                                "zh": ("| 偿债覆盖率 < 1.2 ", "| 偿债覆盖率 < 1.7 ")}),
    "a letter without its reasons": (2, "error[E0994]", {"en": ("{reasons}", "-"), "zh": ("{reasons}", "-")}),
    "a source that is none": (1, "error[E0951]", {"en": (": files", ": fils"), "zh": (": files", ": fils")}),
}
PLACES = {"a letter without its reasons": "notices/loans.yaml", "a source that is none": "production.yaml"}

editions = pytest.mark.parametrize("path", PAGES, ids=lambda p: p.parent.name)


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, Path]]:
    """Each edition as its steps make it, and the folder at its end."""
    found = {}
    for path in PAGES:
        folder = tmp_path_factory.mktemp(path.parent.name)
        (folder / "empty").mkdir()
        found[path.parent.name] = follow(path.read_text("utf-8"), folder / "empty", command(folder)), folder
    return found


@editions
def test_followed_from_an_empty_folder(path: Path, ends: dict[str, tuple[str, Path]]) -> None:
    hold(path, ends[path.parent.name][0])


def test_both_editions_have_the_same_steps() -> None:
    english, chinese = PAGES
    assert commands(english) == commands(chinese) and len(commands(english)) > 20
    shown = [[(b.language, *b.words) for b in blocks(p.read_text("utf-8")) if b.language != "diff"] for p in PAGES]
    assert shown[0] == shown[1]


def test_the_index_and_the_two_editions() -> None:
    index = (ROOT / "docs" / "tutorial" / "README.md").read_text("utf-8")
    assert [p.parent.name for p in PAGES] == ["en", "zh"]
    assert all(f"({p.parent.name}/{p.name})" in index for p in PAGES)


@editions
def test_its_ci_files(
    path: Path, ends: dict[str, tuple[str, Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both services pass what the tutorial ends with, and each bad change fails at its step with its exit code."""
    _, folder = ends[path.parent.name]
    clone = folder / "empty"
    monkeypatch.chdir(clone)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")
    begin(clone, tmp_path / "origin.git")
    for service, carry_out in SERVICES.items():
        job = carry_out()
        assert job.code == 0, f"{service}\n{job.out}"
        assert any("notice loans.yaml --check" in line for line in job.ran)
        assert "0 of 12 customers decided otherwise" in (clone / "change.txt").read_text("utf-8")
        assert ElementTree.parse(clone / "junit.xml").getroot().get("failures") == "0"
        for what, (code, words, edits) in BAD.items():
            file = clone / PLACES.get(what, "loans.yaml")
            before = file.read_text("utf-8")
            old, new = edits[path.parent.name]
            assert old in before
            file.write_text(before.replace(old, new), encoding="utf-8")
            job = carry_out()
            assert (job.code, words in job.out) == (code, True), f"{service}: {what}\n{job.out}"
            file.write_text(before, encoding="utf-8")
