"""What an error page of test files says to avoid gives its code, what it prefers does not."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.policytest.running import run_case
from engine.policytest.suite import read_suite

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted((ROOT / "docs" / "errors").glob("E090*.md"))
NEEDED = 'policy: example\nversion: "1"\neffective: {from: 2026-01-01}\n'
BLOCK = re.compile(r"```yaml\n# ([\w.]+)\n(.*?)```", re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_page(page: Path, tmp_path: Path) -> None:
    text = page.read_text("utf-8")
    assert re.match(rf"# {page.stem}: [a-z]", text)
    parts = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    assert list(parts) == ["What", "Avoid", "Prefer", "Why"]
    found = {}
    for name in ("Avoid", "Prefer"):
        for file, block in BLOCK.findall(parts[name]):
            (tmp_path / file).write_text(block if ".test." in file else NEEDED + block, encoding="utf-8")
        found[name] = read_suite(tmp_path / "main.test.yaml")
    assert {d.code for d in found["Avoid"].diagnostics} == {page.stem}
    assert all(d.help and d.span for d in found["Avoid"].diagnostics)
    assert found["Prefer"].diagnostics == () and found["Prefer"].policy is not None
    assert found["Prefer"].cases
    assert all(run_case(found["Prefer"].policy, case).passed for case in found["Prefer"].cases)
