"""The folder for what a run sets aside, beside those of other runs."""
from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.portfolio.columnar import session


def test_a_folder_that_goes_while_it_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / f"tierwise-run-{os.getpid()}-ended"
    other.mkdir()
    scandir = os.scandir

    @contextmanager
    def ending(path: str) -> Iterator[list[Any]]:
        with scandir(path) as entries:
            found = list(entries)
        for entry in found:
            entry.is_dir(follow_symlinks=False)         # known from now on, as it is in a real race
        other.rmdir()
        yield found

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", ending)
        opened = session.Session()
    with opened:
        assert not other.exists()
