"""Plugins written in tests, and packages that look installed."""
from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

#: A plugin that gives a scorer, and says on standard error that it was imported.
SCORER = """\
import sys
import engine as tierwise

tierwise_hooks = 1
print("imported NAME", file=sys.stderr)


def open_scorer(settings):
    raise tierwise.PluginFailure("not in this test")


@tierwise.hookimpl
def register_scorers():
    settings = {"file": tierwise.Setting("path", required=True)}
    return [tierwise.ScorerKind("NAME", open_scorer, settings, help="Of NAME.")]
"""


def scorer(name: str) -> str:
    return SCORER.replace("NAME", name)


Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a module among the installed ones, with an entry point of the plugins' group."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    made: list[str] = []

    def put(name: str, text: str, *, version: str = "1.2", entry: str | None = None) -> Path:
        module = f"site_{name}"
        made.append(module)
        (site / f"{module}.py").write_text(text, encoding="utf-8")
        info = site / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: site-{name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[tierwise]\n{entry or name} = {module}\n")
        importlib.invalidate_caches()
        return site / f"{module}.py"

    yield put
    for module in made:
        sys.modules.pop(module, None)


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a plugin file."""
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write
