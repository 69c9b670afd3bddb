"""`tierwise fmt` as a command: what it reads, writes and says."""
from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from engine.commands import run

MESSY = "policy:  a\nversion: '1'\n"
TIDY = "policy: a\nversion: '1'\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vocabularies").mkdir()
    (tmp_path / "messy.yaml").write_text(MESSY)
    (tmp_path / "tidy.yaml").write_text(TIDY)
    (tmp_path / "other.yaml").write_text("services:\n    web:  1\n")
    (tmp_path / "vocabularies" / "v.yaml").write_text("-   a\n-   b\n")
    (tmp_path / "t.test.yaml").write_text("test:  messy\n")
    return tmp_path


def test_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fmt", "--check"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "would format messy.yaml", "would format t.test.yaml", f"would format {os.path.join('vocabularies', 'v.yaml')}",
        "3 would change, 1 unchanged"]
    assert (folder / "messy.yaml").read_text() == MESSY
    assert run(["fmt"]) == 0
    assert (folder / "messy.yaml").read_text() == TIDY
    assert (folder / "vocabularies" / "v.yaml").read_text() == "- a\n- b\n"
    assert (folder / "other.yaml").read_text() == "services:\n    web:  1\n"
    capsys.readouterr()
    assert run(["fmt", "--check"]) == 0
    assert capsys.readouterr().err == "4 unchanged\n"


def test_diff(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fmt", "--diff", "messy.yaml"]) == 1
    out = capsys.readouterr().out
    assert "-policy:  a\n+policy: a\n" in out and (folder / "messy.yaml").read_text() == MESSY


def test_standard_input(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def feed(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))

    feed(MESSY)
    assert run(["fmt", "-"]) == 0
    assert capsys.readouterr() == (TIDY, "")
    feed("policy: [a\n")
    assert run(["fmt", "-"]) == 1
    said = capsys.readouterr()
    assert said.out == "policy: [a\n" and "error[E00" in said.err


def test_a_broken_file_is_left_and_the_others_are_not(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "broken.yaml").write_text("policy: a\n  b: c: d\n")
    assert run(["fmt"]) == 1
    said = capsys.readouterr().err
    assert "error[E00" in said and "broken.yaml:2" in said and "1 left alone for faults" in said
    assert (folder / "broken.yaml").read_text() == "policy: a\n  b: c: d\n"
    assert (folder / "messy.yaml").read_text() == TIDY


def test_permissions_and_links_stay(folder: Path) -> None:
    (folder / "messy.yaml").chmod(0o640)
    (folder / "link.yaml").symlink_to("messy.yaml")
    assert run(["fmt", "link.yaml"]) == 0
    assert (folder / "link.yaml").is_symlink()
    assert (folder / "messy.yaml").read_text() == TIDY
    assert (folder / "messy.yaml").stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in folder.iterdir() if p.name.startswith(".")) == []


def test_what_cannot_be_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "latin.yaml").write_bytes(b"policy: caf\xe9\n")
    assert run(["fmt", "latin.yaml"]) == 2
    assert "is not UTF-8" in capsys.readouterr().err
    assert run(["fmt", "none.yaml"]) == 2
    (folder / "empty").mkdir()
    assert run(["fmt", "empty"]) == 2
    assert "there is no policy" in capsys.readouterr().err
