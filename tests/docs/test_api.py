"""The Python examples of the README and the page on the API, run as sessions of a person who imports `tierwise`."""
from __future__ import annotations

import doctest
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def alias(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`tierwise` as an installation has it; in a checkout it lies in engine/_alias."""
    place = ROOT / "engine" / "_alias"
    spec = importlib.util.spec_from_file_location(
        "tierwise", place / "__init__.py", submodule_search_locations=[str(place)])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "tierwise", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", [ROOT / "docs" / "api.md", ROOT / "README.md"], ids=lambda p: p.stem)
def test_examples(path: Path, alias: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policies").symlink_to(ROOT / "policies")
    monkeypatch.chdir(tmp_path)
    # A fence would be taken for output.
    text = path.read_text("utf-8").replace("\n```\n", "\n\n")
    session = doctest.DocTestParser().get_doctest(text, {}, path.name, str(path), 0)
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(session, out=told.append)
    assert runner.tries > 5
    assert not runner.failures, "".join(told)
