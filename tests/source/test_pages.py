"""Each error page of this layer shows its error under Avoid, and none under Prefer."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.diagnostics import Problem
from engine.source.nodes import load_text
from engine.source.quoting import expression_text, grid_text
from engine.source.schema import validate
from engine.source.tree import Mapping, Node, Scalar, Sequence
from engine.syntax.cards import parse_scorecard
from engine.syntax.grid import parse_grid

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = re.compile(r"\"(E00[0-3]\d|E01[23]\d)\"")
SOURCES = [*(ROOT / "engine" / "source").glob("*.py"), ROOT / "engine" / "syntax" / "grid.py"]
CODES = sorted({code for path in SOURCES for code in OURS.findall(path.read_text("utf-8"))})
#: Pages whose example is no small YAML file.
IN_WORDS = {"E0001", "E0002", "E0003", "E0004", "E0015", "E0016"}

NEEDED = {"policy": "p", "version": "1", "effective": "{from: 2026-01-01}"}


def codes(node: Node, key: str = "") -> set[str]:
    """The codes that expressions and grids below a node give."""
    if isinstance(node, Mapping):
        return {code for k, v in node.entries for code in codes(v, k.text)}
    if isinstance(node, Sequence):
        return {code for item in node.items for code in codes(item)}
    assert isinstance(node, Scalar)
    if key in ("table", "rules") and (joined := grid_text(node)):
        return {d.code for d in joined}
    if key == "table":
        return {f.code for f in parse_grid(node.text).findings}
    if key == "scorecard":
        return {f.code for f in parse_scorecard(node.text).findings}
    return {d.code for d in expression_text(node)} if key in ("value", "when") else set()


def found(text: str) -> set[str]:
    """The codes of an example, which is a part of a policy: what every policy needs is put behind it."""
    text += "".join(f"{key}: {value}\n" for key, value in NEEDED.items() if f"{key}:" not in text)
    try:
        document = load_text(text)
    except Problem as problem:
        return {d.code for d in problem.diagnostics}
    return {d.code for d in [*document.problems, *validate(document, "policy")]} | codes(document.root)


def test_there_are_codes() -> None:
    assert len(CODES) > 35


@pytest.mark.parametrize("code", CODES)
def test_page(code: str) -> None:
    text = (ROOT / "docs" / "errors" / f"{code}.md").read_text("utf-8")
    assert text.startswith(f"# {code}: ")
    parts = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    assert list(parts) == ["What", "Avoid", "Prefer", "Why"]
    if code in IN_WORDS:
        return
    avoid, prefer = (re.findall(r"```yaml\n(.*?)```", parts[name], re.S) for name in ("Avoid", "Prefer"))
    assert len(avoid) == len(prefer) == 1
    assert code in found(avoid[0])
    assert found(prefer[0]) <= ({"E0030"} if code == "E0017" else set())
