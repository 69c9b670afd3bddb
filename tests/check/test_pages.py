"""Each code has a page, each page a code; what a page says to avoid gives the code, what it prefers does not.

An example is a part of a policy: what every policy needs is put behind it. A block that starts with a line
`# NAME` is the file of that name beside it; blocks of which none is `main.yaml` are versions of one policy.
"""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.policy import check_policy

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = ROOT / "docs" / "errors"
CODE = re.compile(r'"([EW]\d{4})"')
NEEDED = {"policy": "example", "version": '"1"', "effective": "{from: 2026-01-01}"}
#: Codes of other layers, whose pages are tested with those.
ELSEWHERE = re.compile(r"E0[01]\d\d|E0[89]\d\d|E1\d{3}")


def _codes() -> set[str]:
    return {c for path in (ROOT / "engine").rglob("*.py") for c in CODE.findall(path.read_text("utf-8"))}


OURS = sorted(c for c in _codes() if not ELSEWHERE.fullmatch(c))


def test_codes_and_pages_are_the_same() -> None:
    assert sorted(_codes()) == sorted(p.stem for p in PAGES.glob("*.md") if re.fullmatch(r"[EW]\d{4}", p.stem))


def codes(blocks: list[str], folder: Path) -> set[str]:
    """The codes that an example gives."""
    folder.mkdir()
    named = False
    for block in blocks:
        first = re.match(r"# ([\w.-]+)\n", block)
        name = first[1] if first is not None else "main.yaml"
        named = named or name == "main.yaml"
        text = block[first.end():] if first is not None else block
        policy = name.endswith(".yaml") and re.search(r"^(inputs|risk|segmentation|service):", text, re.M)
        if policy:
            text += "".join(f"{k}: {v}\n" for k, v in NEEDED.items() if not re.search(rf"^{k}:", text, re.M))
        (folder / name).write_text(text, encoding="utf-8")
    return {d.code for d in check_policy(folder / "main.yaml" if named else folder).diagnostics}


@pytest.mark.parametrize("code", OURS)
def test_page(code: str, tmp_path: Path) -> None:
    text = (PAGES / f"{code}.md").read_text("utf-8")
    assert re.match(rf"# {code}: [a-z]", text)
    parts = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    assert list(parts) == ["What", "Avoid", "Prefer", "Why"]
    if code == "W0611":
        return  # its example would be a thousand rows
    avoid, prefer = (re.findall(r"```yaml\n(.*?)```", parts[name], re.S) for name in ("Avoid", "Prefer"))
    assert avoid and prefer
    assert codes(avoid, tmp_path / "avoid") == {code}
    assert codes(prefer, tmp_path / "prefer") == set()
