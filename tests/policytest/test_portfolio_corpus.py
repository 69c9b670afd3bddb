"""Portfolio tests as files: what `tierwise test` says of each, compared whole.

`tests/corpus/portfolios/shared` holds a policy and data; each file of `good`, `failing` and `bad` is a test file of
that policy, and the text beside it what is printed, with the exit code. TIERWISE_UPDATE=1 writes these anew, to be
read before they are kept.
"""
from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.commands.conftest import Tierwise, tierwise

__all__ = ["tierwise"]

CORPUS = Path(__file__).resolve().parents[1] / "corpus" / "portfolios"
FILES = sorted(p for kind in ("good", "failing", "bad") for p in (CORPUS / kind).glob("*.yaml"))
CODES = {"good": 0, "failing": 1, "bad": 2}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(CORPUS / "shared", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_file(path: Path, folder: Path, tierwise: Tierwise) -> None:
    shutil.copy(path, folder / "loans.test.yaml")
    result = tierwise("test")
    shown = f"{result.out}{re.sub(r'[0-9.]+ s(?=$|;)', '... s', result.err, flags=re.MULTILINE)}exit {result.code}\n"
    expected = path.with_suffix(".txt")
    if os.environ.get("TIERWISE_UPDATE"):
        expected.write_text(shown, encoding="utf-8")
    assert result.code == CODES[path.parent.name]
    assert shown == expected.read_text("utf-8")
