"""The page about scorers: its example runs, and each kind and setting is told."""
from __future__ import annotations

from pathlib import Path

from plugins import scorers
from tests.docs.pages import hold, replay

PAGE = Path(__file__).resolve().parents[2] / "docs" / "plugins" / "scorers.md"


def test_the_example(tmp_path: Path) -> None:
    hold(PAGE, replay(PAGE.read_text("utf-8"), tmp_path))


def test_each_kind_and_setting_is_told() -> None:
    text = PAGE.read_text("utf-8")
    for kind in scorers.register_scorers():
        assert f"| `{kind.name}` |" in text
        for name in kind.settings:
            assert f"`{name}" in text or f"{name}:" in text, (kind.name, name)
