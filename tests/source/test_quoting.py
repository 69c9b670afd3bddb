"""Expressions in forms that YAML would misread, and the safe form that the edit writes."""
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.diagnostics import Diagnostic, Edit
from engine.source.nodes import Mapping, Node, Scalar, load_text
from engine.source.quoting import expression_text, safe_form


def at(source: str, *path: str) -> Scalar:
    node: Node | None = load_text(source, "f").root
    for key in path:
        assert isinstance(node, Mapping)
        node = node.get(key)
    assert isinstance(node, Scalar)
    return node


def apply(source: str, edits: tuple[Edit, ...]) -> str:
    """The source with the edits made; it must have line feeds only."""
    lines = source.split("\n")
    starts = [sum(len(line) + 1 for line in lines[:n]) for n in range(len(lines) + 1)]
    places = [(starts[e.span.line - 1] + e.span.column - 1, starts[e.span.end_line - 1] + e.span.end_column - 1, e)
              for e in edits]
    for start, end, edit in sorted(places, key=lambda p: p[0], reverse=True):
        source = source[:start] + edit.replacement + source[end:]
    return source


def one(scalar: Scalar) -> Diagnostic:
    (found,) = expression_text(scalar)
    assert found.help
    return found


@pytest.mark.parametrize("source", [
    "k: a > 5\n", "k: 'a > 5'\n", "k: |-\n  a > 5\n", "k: |\n  a // c\n  + 5\n", "k: tier = \"A\"\n",
    "k: a > 5 // note\n", "k: a\n  + b\n", "k: >-\n  a\n  + b\n",
    "k: x = \"//\"\n  and y\n", "k: |-\n  a # no\n", "k: a#b\n",
])
def test_safe_forms(source: str) -> None:
    assert expression_text(at(source, "k")) == []


def test_double_quotes() -> None:
    source = 'k: "tier = \\"it\'s\\""\n'
    found = one(at(source, "k"))
    assert found.code == "E0020"
    mended = apply(source, found.edits)
    assert mended == "k: 'tier = \"it''s\"'\n"
    assert at(mended, "k").text == at(source, "k").text


def test_double_quotes_over_lines_become_a_block() -> None:
    source = 'f:\n  - k: "a\\n  + b"\n'
    document = load_text(source, "f").root
    assert isinstance(document, Mapping)
    rules = document.get("f")
    scalar = rules.items[0].get("k")  # type: ignore[union-attr]
    mended = apply(source, one(scalar).edits)
    assert mended == "f:\n  - k: |-\n      a\n        + b\n"


def test_plain_in_braces() -> None:
    source = "f: {value: a + b, type: number}\n"
    found = one(at(source, "f", "value"))
    assert found.code == "E0021" and found.span is not None and (found.span.column, found.span.end_column) == (12, 17)
    assert apply(source, found.edits) == "f: {value: 'a + b', type: number}\n"


@pytest.mark.parametrize("source", ["f: {value: min(a, b)}\n", 'f: {value: x = "a, b"}\n'])
def test_plain_in_braces_that_was_cut_has_no_edit(source: str) -> None:
    found = one(at(source, "f", "value"))
    assert found.code == "E0021" and found.edits == ()


def test_cut_inside_a_string() -> None:
    source = 'k: code = "A #1" and b\n'
    found = one(at(source, "k"))
    assert found.code == "E0022"
    assert apply(source, found.edits) == "k: 'code = \"A #1\" and b'\n"


def test_comment_behind_an_expression() -> None:
    source = "f:\n  k: a > 5   # since 2024\n  z: 1\n"
    found = one(at(source, "f", "k"))
    assert found.code == "E0022" and found.span is not None
    assert (found.span.line, found.span.column, found.span.end_column) == (2, 14, 26)
    assert apply(source, found.edits) == "f:\n  # since 2024\n  k: a > 5\n  z: 1\n"


@pytest.mark.parametrize("source", [
    "k: a // first\n  + b\n", "k: 'a // first\n  + b'\n", "k: >-\n  a // first\n  + b\n",
])
def test_comment_that_swallows_the_next_line(source: str) -> None:
    assert one(at(source, "k")).code == "E0023"


@pytest.mark.parametrize("source", ["k: a\n  + b // last\n", "k: >\n  a\n  + b // last\n", "k: >\n  a // x\n\n  + b\n"])
def test_comment_on_the_last_of_wrapped_lines(source: str) -> None:
    assert expression_text(at(source, "k")) == []


@given(st.text(st.sampled_from("ab \"'\\#:,[]{}%@|>-?!&*年\t\n"), min_size=1), st.integers(0, 6))
def test_the_safe_form_reads_back(text: str, indent: int) -> None:
    safe = safe_form(text, indent)
    assert safe is not None
    source = f"{' ' * indent}k: {safe}\n"
    if text.endswith("\n"):
        return                                          # `|-` drops line ends at the end; no expression needs them
    assert at(source, "k").text == text
