"""The page of bounds tells those of the code."""
from __future__ import annotations

from pathlib import Path

from engine.check.declarations import MAX_NAME
from engine.check.rules import LIMIT
from engine.commands.reading import MAX_TEXT as READ_WHOLE
from engine.portfolio.tables import MAX_LINE
from engine.semantics.patterns import MAX_PATTERN, TIMEOUT
from engine.semantics.values import MAX_ITEMS, MAX_TEXT
from engine.semantics.work import MAX_STEPS
from engine.source import files, nodes
from engine.syntax.lexer import MAX_LENGTH
from engine.syntax.reading import MAX_DEPTH


def test_the_page_tells_the_bounds(root: Path) -> None:
    text = (root / "docs" / "bad-input.md").read_text("utf-8")
    rows = [row.split(" | ")[1].rstrip(" |") for row in text.splitlines() if row.startswith("| ") and "---" not in row]
    assert rows[1:] == [
        f"{nodes.MAX_BYTES:,} bytes, {nodes.MAX_NODES:,} values, {nodes.MAX_DEPTH} levels, "
        f"{nodes.MAX_SCALAR:,} characters in one text",
        f"{MAX_NAME} characters, none of them hidden",
        f"{MAX_LENGTH:,} characters, {MAX_DEPTH} brackets and {2 * MAX_DEPTH} operations deep",
        f"{files.MAX_TABLE_BYTES:,} bytes, {files.MAX_TABLE_ROWS:,} rows",
        f"{MAX_ITEMS:,} items, {MAX_TEXT:,} characters",
        f"{TIMEOUT} seconds of the processor, {MAX_PATTERN:,} characters of pattern",
        f"{MAX_STEPS:,} steps: loops cost one or more an item, by what they do with it",
        f"{MAX_LINE:,} characters",
        f"{LIMIT:g} either way".replace("e+", "e"),
        f"{READ_WHOLE:,} characters",
    ]
