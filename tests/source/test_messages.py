"""What a faulty file says, as files: `messages/NAME.yaml` and, beside it, the text in `NAME.out`.

A new case is a new `.yaml`; TIERWISE_REGENERATE=1 writes the outputs anew, to be read before they are kept.
"""
from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.diagnostics import Diagnostic, Problem
from engine.render import render_text
from engine.source.nodes import load_file
from engine.source.schema import validate

FOLDER = Path(__file__).parent / "messages"
CASES = sorted(FOLDER.glob("*.yaml"))


def findings(path: Path) -> tuple[list[Diagnostic], str]:
    try:
        document = load_file(path, path.name)
    except Problem as problem:
        return list(problem.diagnostics), path.read_bytes().decode("utf-8", "replace")
    return [*document.problems, *validate(document, "policy")], document.text


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_message(path: Path) -> None:
    found, text = findings(path)
    shown = render_text(found, {path.name: text})
    expected = path.with_suffix(".out")
    if os.environ.get("TIERWISE_REGENERATE"):
        expected.write_text(shown, encoding="utf-8")
    assert found and shown == expected.read_text("utf-8")
    assert all(d.help for d in found if d.code < "E0030"), "a way out"
