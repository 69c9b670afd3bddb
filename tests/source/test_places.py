"""Every character of a scalar's text is found where it stands in the file, in every style."""
from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.diagnostics import Problem
from engine.source.nodes import Document, Mapping, Scalar, load_text

ENDS = st.sampled_from(["\n", "\r\n", "\r"])
WORDS = ["a", "bc", "年", "👍", ",", "]", "x:y", "a#b", "é", "7"]


def scalar_of(source: str) -> Scalar | None:
    """The value under `k`, or None where the source is no such file."""
    try:
        document = load_text(source, "f")
    except Problem:
        return None
    root = document.root
    value = root.get("k") if isinstance(root, Mapping) else None
    return value if isinstance(value, Scalar) and not document.problems else None


def meaning(slice_: str, style: str) -> str:
    """The text that a piece of source stands for, by PyYAML where it is an escape."""
    if style == "double" and slice_.startswith("\\"):
        return str(yaml.safe_load(f'"{slice_}"'))
    return "'" if style == "single" and slice_ == "''" else slice_


def check(scalar: Scalar) -> None:
    """Each character's place reads as that character, places run forward, and nothing visible is skipped."""
    document, text = scalar.document, scalar.text
    at = scalar.start
    for offset, char in enumerate(text):
        start, end = scalar.indexes(offset, offset + 1)
        piece = document.text[start:end]
        assert scalar.start <= start < end <= scalar.end + 2
        if start < at:                                  # several ends of lines come from one stretch
            assert char == "\n" and not piece.strip(" \t\r\n\\")
            continue
        skipped = document.text[at:start]
        if offset:
            assert not skipped.strip(" \t\r\n\\"), (skipped, offset)
        if char in " \n" and (piece[0] != "\\" or piece[1] in "\r\n"):
            assert piece.isspace() or not piece.strip(" \t\r\n\\")
        else:
            assert meaning(piece, scalar.style) == char
        at = end
    if len(text) > 1:
        whole = scalar.indexes(0, len(text))
        assert whole == (scalar.indexes(0, 1)[0], scalar.indexes(len(text) - 1, len(text))[1])
    assert scalar.locate(len(text), len(text) + 5) == scalar.locate(len(text), len(text))


@given(st.lists(st.sampled_from([*WORDS, "''", '"', "\\", " ", "  ", "\t", "¶  ", "¶ ¶  "]), max_size=12), ENDS)
def test_single_quotes(pieces: list[str], end: str) -> None:
    scalar = scalar_of("k: '" + "".join(pieces).replace("¶", end) + f"' # c{end}z: 1{end}")
    assert scalar is not None
    check(scalar)


@given(st.lists(st.sampled_from([*WORDS, "'", "\\n", "\\t", "\\\\", '\\"', "\\u5E74", "\\x41", "\\U0001F44D", "\\/",
                                 "\\ ", " ", "  ", "\t", "¶  ", "¶¶  ", "\\¶  "]), max_size=12), ENDS)
def test_double_quotes(pieces: list[str], end: str) -> None:
    scalar = scalar_of('k: "' + "".join(pieces).replace("¶", end) + f'"{end}z: 1{end}')
    assert scalar is not None
    check(scalar)


@given(st.lists(st.sampled_from([*WORDS, " ", "  ", "¶  ", "¶¶    ", "'", '"']), min_size=1, max_size=12), ENDS)
def test_plain(pieces: list[str], end: str) -> None:
    scalar = scalar_of("k: a" + "".join(pieces).replace("¶", end) + f"  # c{end}z: 1{end}")
    assert scalar is not None
    check(scalar)


@settings(max_examples=300)
@given(st.sampled_from("|>"), st.sampled_from(["", "-", "+"]), st.integers(1, 4), st.booleans(),
       st.lists(st.tuples(st.sampled_from(["", "", " ", "   ", "\t"]),
                          st.lists(st.sampled_from([*WORDS, " ", "# no", "'", '"', ": "]), max_size=4)), max_size=7),
       ENDS, st.booleans(), st.booleans())
def test_blocks(style: str, chomp: str, indent: int, stated: bool, lines: list[tuple[str, list[str]]],
                end: str, more: bool, nested: bool) -> None:
    base = "  " if nested else ""
    margin = base + " " * indent
    body = "".join(f"{margin}{lead}{''.join(words)}{end}" if words or lead else end for lead, words in lines)
    source = f"{base}k: {style}{indent if stated else ''}{chomp}  # c{end}{body}" + (f"{base}z: 1{end}" if more else "")
    if nested:
        source = f"top:{end}{source}"
    try:
        root = load_text(source, "f").root
    except Problem:                                     # a first line deeper than a later one, without stated indent
        assert not stated
        return
    assert isinstance(root, Mapping)
    inner = root.get("top") if nested else root
    value = inner.get("k") if isinstance(inner, Mapping) else None
    assert isinstance(value, Scalar)
    check(value)


def test_a_place_inside_a_block() -> None:
    document = load_text("a:\n  when: |-\n    x > 5 and\n      年 < 3\n", "f")
    assert isinstance(document.root, Mapping)
    inner = document.root.get("a")
    assert isinstance(inner, Mapping)
    scalar = inner.get("when")
    assert isinstance(scalar, Scalar)
    offset = scalar.text.index("年")
    span = scalar.locate(offset, offset + 1)
    assert (span.line, span.column, span.end_line, span.end_column) == (4, 7, 4, 8)


def test_spans_of_collections_end_with_their_last_value() -> None:
    document = load_text("a:\n  b: 1\n  c: [1, 2]  # x\n\n\nd: 2\n", "f")
    assert isinstance(document.root, Mapping)
    inner = document.root.get("a")
    assert inner is not None
    assert (inner.span.line, inner.span.column, inner.span.end_line, inner.span.end_column) == (2, 3, 3, 12)
    assert isinstance(inner, Mapping)
    listed = inner.get("c")
    assert listed is not None and listed.span.column == 6 and listed.span.end_column == 12


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_and_columns_under_every_line_end(end: str) -> None:
    document = load_text(end.join(["a: 1", "", "年: x", ""]).encode(), "f")
    assert isinstance(document.root, Mapping)
    key, value = document.root.key("年"), document.root.get("年")
    assert key is not None and value is not None
    assert (key.span.line, key.span.column, key.span.end_column) == (3, 1, 2)
    assert (value.span.line, value.span.column) == (3, 4)
    assert document.lines == ["a: 1", "", "年: x", ""]


def test_a_byte_order_mark_does_not_count() -> None:
    document = load_text(b"\xef\xbb\xbfa: 1\n", "f")
    assert isinstance(document.root, Mapping) and not document.problems
    key = document.root.key("a")
    assert key is not None and key.span.column == 1


def test_raw_text_is_kept() -> None:
    document = load_text("a: no\nb: 010\nc: 12:30\nd: 3.10\ne: ~\nf:\ng: 'no'\n", "f")
    root = document.root
    assert isinstance(root, Mapping)
    texts = {k.text: v.text for k, v in root.entries if isinstance(v, Scalar)}
    assert texts == {"a": "no", "b": "010", "c": "12:30", "d": "3.10", "e": "~", "f": "", "g": "no"}


def test_keys_are_found_by_their_normal_form() -> None:
    document: Document = load_text("on   missing: refer\n", "f")
    assert isinstance(document.root, Mapping)
    assert document.root.get("on missing") is not None and "on missing" in document.root
