"""What an error page of plugins says to avoid gives its code, what it prefers gives none."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.hooks import Origin, Plugins

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted((ROOT / "docs" / "errors").glob("E100*.md"))
BLOCK = re.compile(r"```(?:yaml|python)\n# ([\w./]+)\n(.*?)```", re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_page(page: Path, tmp_path: Path) -> None:
    text = page.read_text("utf-8")
    assert re.match(rf"# {page.stem}: [a-z]", text)
    parts = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    assert list(parts) == ["What", "Avoid", "Prefer", "Why"]
    found = {}
    for name in ("Avoid", "Prefer"):
        for file, block in BLOCK.findall(parts[name]):
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.replace("import tierwise\n", "import engine as tierwise\n"), encoding="utf-8")
        folder = tmp_path / name
        named = (folder / "tierwise.yaml").exists()
        plugins = Plugins.beside(folder, () if named else sorted(folder.glob("*.py")))
        loaded = [p for p in plugins.all() if p.origin is not Origin.BUILT_IN]
        found[name] = ([d for problem in plugins.problems for d in problem.diagnostics], loaded)
    assert {d.code for d in found["Avoid"][0]} == {page.stem}
    assert all(d.help for d in found["Avoid"][0])
    assert found["Prefer"][0] == [] and found["Prefer"][1]
