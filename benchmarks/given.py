"""The given baselines: found by place, checked against their digests, loaded by path.

They lie outside the project, in `../shared/bench` beside the checkout or in `bench` under the
folder that TIERWISE_SHARED names, so that nobody here can bend what is compared against.
"""
from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class Absent(Exception):
    """The baselines are not there, or are not the given ones."""


class Given:
    """The folder of baselines; raises `Absent` where it is missing or changed."""

    def __init__(self) -> None:
        self.folder = Path(os.environ.get("TIERWISE_SHARED") or ROOT.parent / "shared") / "bench"
        if not self.folder.is_dir():
            raise Absent(f"there is no folder of baselines `{self.folder}`; TIERWISE_SHARED names the one it is in")
        self.files = self._verify()

    def _verify(self) -> int:
        """Compare every file with SHA256SUMS; gives their number."""
        lines = (self.folder / "SHA256SUMS").read_text("ascii").splitlines()
        for line in lines:
            digest, name = line.split(maxsplit=1)
            if hashlib.sha256((self.folder / name).read_bytes()).hexdigest() != digest:
                raise Absent(f"`{self.folder / name}` is not the given baseline: its digest differs")
        return len(lines)

    def module(self, name: str) -> ModuleType:
        """A module of the folder. The modules import one another by bare name, which holds while one loads."""
        spec = importlib.util.spec_from_file_location(f"given_{name}", self.folder / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        written = sys.dont_write_bytecode
        sys.path.insert(0, str(self.folder))
        sys.dont_write_bytecode = True      # the folder is not ours to write into
        try:
            spec.loader.exec_module(module)
        finally:
            sys.dont_write_bytecode = written
            sys.path.remove(str(self.folder))
            sys.modules.pop("policy", None)
        return module

    def hand(self) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """The hand-written function, which is the oracle too."""
        decide: Callable[[dict[str, Any]], dict[str, Any]] = self.module("baseline_python").decide
        return decide
