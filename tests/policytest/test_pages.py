"""What an error page of test files says to avoid gives its code, what it prefers does not."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.policytest.session import run_suite
from engine.policytest.suite import read_suite

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [*sorted((ROOT / "docs" / "errors").glob("E090*.md")), ROOT / "docs" / "errors" / "E0913.md"]
NEEDED = 'policy: example\nversion: "1"\neffective: {from: 2026-01-01}\n'
BLOCK = re.compile(r"```(?:yaml|csv)\n# ([\w.]+)\n(.*?)```", re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_page(page: Path, tmp_path: Path) -> None:
    text = page.read_text("utf-8")
    assert re.match(rf"# {page.stem}: [a-z]", text)
    parts = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    assert list(parts) == ["What", "Avoid", "Prefer", "Why"]
    found = {}
    for name in ("Avoid", "Prefer"):
        for file, block in BLOCK.findall(parts[name]):
            (tmp_path / file).write_text(NEEDED + block if file == "main.yaml" else block, encoding="utf-8")
        found[name] = read_suite(tmp_path / "main.test.yaml")
    assert {d.code for d in found["Avoid"].diagnostics} == {page.stem}
    assert all(d.help and d.span for d in found["Avoid"].diagnostics)
    assert found["Prefer"].diagnostics == () and found["Prefer"].policy is not None
    done = run_suite(found["Prefer"], lambda _: True)
    assert done.all and not done.failed
