"""Portfolio tests as files: what `tierwise test` says of each, compared whole.

`tests/corpus/portfolios/shared` holds a policy and data; each file of `good`, `failing` and `bad` is a test file of
that policy, and the text beside it what is printed, with the exit code, whichever engine decides. TIERWISE_UPDATE=1
writes these anew, to be read before they are kept.
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
#: What is invalid is so whoever decides.
RUNS = [(p, e) for p in FILES for e in ("python", "duckdb") if e == "python" or p.parent.name != "bad"]
CODES = {"good": 0, "failing": 1, "bad": 2}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(CORPUS / "shared", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("path", "engine"), RUNS, ids=[f"{p.parent.name}-{p.stem}-{e}" for p, e in RUNS])
def test_file(path: Path, engine: str, folder: Path, tierwise: Tierwise) -> None:
    shutil.copy(path, folder / "loans.test.yaml")
    result = tierwise("test", "--engine", engine)
    shown = f"{result.out}{re.sub(r'[0-9.]+ s(?=$|;)', '... s', result.err, flags=re.MULTILINE)}exit {result.code}\n"
    expected = path.with_suffix(".txt")
    if os.environ.get("TIERWISE_UPDATE") and engine == "python":
        expected.write_text(shown, encoding="utf-8")
    assert result.code == CODES[path.parent.name]
    assert shown == expected.read_text("utf-8")
