"""FEEL by example: files of `expression => value`, a case a line, grouped by what they ask about.

A value is written as FEEL writes it, `syntax error` stands for a text that is not FEEL, `⏎` in an
expression for a line break, and a line that starts with `//` is a comment. `cells.txt` holds the
tests of table cells as `value | tests => result`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import feel
from engine.semantics.text import to_string

FOLDER = Path(__file__).parent
FILES = sorted((FOLDER / "cases").glob("*.txt"))
NAMES = {"x": 5, "lst": [1, 2], "rng": feel.Range(1, 5), "b": True}


def lines(path: Path) -> list[tuple[str, str]]:
    """What each line asks and the answer it wants."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("//"):
            asked, arrow, wanted = line.rpartition(" => ")
            assert arrow, f"{path.name}: a case is `expression => value`: {line}"
            found.append((asked.replace("⏎", "\n"), wanted))
    return found


def written(value: object) -> str:
    return to_string([value])[1:-1]


def value_of(text: str) -> str:
    try:
        return written(feel.evaluate(text, {}))
    except feel.FeelSyntaxError:
        return "syntax error"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_expressions(path: Path) -> None:
    cases = lines(path)
    assert cases
    missed = [f"{text} => {got}, not {wanted}" for text, wanted in cases if (got := value_of(text)) != wanted]
    assert not missed, "\n".join(missed)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_case_stands_twice_in_a_file(path: Path) -> None:
    texts = [text for text, _ in lines(path)]
    assert len(texts) == len(set(texts)), sorted({t for t in texts if texts.count(t) > 1})


def test_cells() -> None:
    missed = []
    for asked, wanted in lines(FOLDER / "cells.txt"):
        value, _, tests = asked.partition(" | ")
        try:
            got = written(feel.unary_test(tests, feel.evaluate(value), NAMES))
        except feel.FeelSyntaxError:
            got = "syntax error"
        if got != wanted:
            missed.append(f"{asked} => {got}, not {wanted}")
    assert not missed, "\n".join(missed)
