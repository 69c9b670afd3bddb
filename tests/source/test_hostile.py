"""Broken and hostile files end in a clear message, quickly and in little memory, and never otherwise."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.diagnostics import Diagnostic, Problem
from engine.source import nodes
from engine.source.nodes import MAX_BYTES, MAX_DEPTH, MAX_NODES, MAX_PROBLEMS, MAX_SCALAR, load_file, load_text
from engine.source.quoting import expression_text
from engine.source.schema import validate
from engine.source.tree import Mapping, Node, Scalar, Sequence


def refused(data: bytes | str) -> tuple[Diagnostic, ...]:
    with pytest.raises(Problem) as caught:
        load_text(data, "f")
    return caught.value.diagnostics


def walk(node: Node) -> list[Scalar]:
    """The scalars below a node, keys included."""
    if isinstance(node, Mapping):
        return [s for k, v in node.entries for s in (k, *walk(v))]
    if isinstance(node, Sequence):
        return [s for item in node.items for s in walk(item)]
    return [node] if isinstance(node, Scalar) else []


def exercise(data: bytes | str) -> None:
    """Everything that may be done with a file; a fault of the file is a Problem, anything else fails the test."""
    try:
        document = load_text(data, "f")
    except Problem as problem:
        assert problem.diagnostics and all(d.span for d in problem.diagnostics)
        return
    validate(document, "policy")
    for scalar in walk(document.root):
        expression_text(scalar)
        scalar.locate(0, len(scalar.text))


BOMB = "a: &a [x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(20))
#: Unit, times, and what stands before and behind.
LARGE: dict[str, tuple[str, int, str, str]] = {
    "aliases": (BOMB, 1, "", ""),
    "brackets": ("[", 100_000, "a: ", ""),
    "braces": ("{a: ", 100_000, "a: ", ""),
    "closed brackets": ("[]", 100_000, "a: " + "[" * 100_000, "]" * 100_000),
    "dashes": ("- ", 100_000, "", "x"),
    "question marks": ("? ", 100_000, "", ""),
    "many values": ("- x\n", 990_000, "a:\n", ""),
    "many pairs": ("- {a: b}\n", 440_000, "a:\n", ""),
    "one key": ("k:\n", 1_300_000, "", ""),
    "anchors": ("- &x y\n", 500_000, "a:\n", ""),
    "one long line": ("x ", 1_900_000, "a: ", ""),
    "a text at the limit": ("x ", 249_990, "a: ", ""),
    "doubled quotes at the limit": ("''", 249_990, "a: '", "'"),
    "long quoted": ("\\n", 1_900_000, 'a: "', '"'),
    "escapes at the limit": ("\\n", 499_990, 'a: "', '"'),
    "long unclosed": ("x\n", 1_900_000, "a: '", ""),
    "long block": ("  x\n", 990_000, "a: |\n", ""),
    "block at the limit": ("  x\n", 249_990, "a: |\n", ""),
    "folded at the limit": ("  x\n", 249_990, "a: >\n", ""),
    "blank lines": ("\n", 3_900_000, "a: >\n", "  x\n"),
    "blank lines at the limit": ("\n", 499_990, "a: >\n", "  x\n"),
    "flow entries": ("b, ", 1_300_000, "a: {", "}"),
    "colons": (": ", 1_900_000, "a: ", ""),
    "spaces": (" ", 3_900_000, "", "a: b"),
    "comments": ("# x\n", 900_000, "", "a: b\n"),
    "null characters": ("\0", 3_900_000, "a: b", ""),
    "quotes": ("'", 3_900_001, "a: ", ""),
    "a long key": ("x", 3_900_000, "", ": 1"),
}

# A process of its own: the memory of other tests does not count, so the mark is read off the process itself
# (`ru_maxrss` keeps that of the process it was forked from). Times are processor times, as machines are busy.
CHILD = """
import re, time
from pathlib import Path
from tests.source.test_hostile import LARGE, exercise
for name, (unit, times, before, behind) in LARGE.items():
    text = before + unit * times + behind
    start = time.process_time()
    exercise(text)
    del text
    spent = time.process_time() - start
    peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024
    print(name, spent, peak, sep="\\t")
"""


def test_large_files_are_settled_within_their_budget(root: Path) -> None:
    """Two seconds a file, and 300 MB with all that the tests themselves hold."""
    done = subprocess.run([sys.executable, "-c", CHILD], cwd=root, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[0] for row in rows] == list(LARGE)
    assert {name: time for name, time, _ in rows if float(time) > 2} == {}
    assert max(int(memory) for *_, memory in rows) < 300


def test_mappings_may_not_nest_without_end() -> None:
    source = "".join(" " * i + f"k{i}:\n" for i in range(2_000))
    assert [d.code for d in refused(source)] == ["E0016"]
    fits = "".join(" " * i + f"k{i}:\n" for i in range(MAX_DEPTH))
    assert load_text(fits).problems == ()


def test_limits_name_themselves() -> None:
    assert [d.code for d in refused("a: " + "x" * 50_000_000)] == ["E0002"]
    assert [d.code for d in refused("a: " + "x" * (MAX_SCALAR + 1))] == ["E0002"]
    assert [d.code for d in refused("x" * (MAX_BYTES + 1))] == ["E0002"]
    assert f"{MAX_NODES:,}" in refused("a:\n" + "- x\n" * (MAX_NODES + 1))[-1].message


def test_problems_are_bounded() -> None:
    assert len(refused("a:\n" + "- *x\n" * 10_000)) == MAX_PROBLEMS


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 40)                          # sparse: it takes no room
    with pytest.raises(Problem) as caught:
        load_file(path, "large.yaml")
    assert [d.code for d in caught.value.diagnostics] == ["E0002"]


@pytest.mark.parametrize("name", ["absent.yaml", ".", "a\0b"])
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(Problem) as caught:
        load_file(str(tmp_path / name) if name != "a\0b" else name, name)
    assert [d.code for d in caught.value.diagnostics] == ["E0001"]


PIECES = [
    "a", "b: ", "\n", "  ", "    ", "- ", ": ", "[", "]", "{", "}", ", ", "'", '"', "|\n", ">-\n", "# c", "&x ", "*x",
    "!t ", "<<: ", "---\n", "? ", "\t", "%", "@", "\r\n", "\r", "\\", "\0", "\u2028", "\ufeff", "年：",
    "policy: ", "inputs:\n", "rules:\n", "value: ", "when: ", "...\n", "\x85",
]


@settings(max_examples=400)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
@example("a: \"\\")
@example("a: |2\n   x\n")
def test_any_text_is_a_file_or_a_problem(text: str) -> None:
    exercise(text)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_file_or_a_problem(data: bytes) -> None:
    exercise(data)


@settings(max_examples=200)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_the_parser_without_libyaml_reads_the_same(text: str) -> None:
    """Where both read a text they see the same nodes; they may differ in what they refuse."""
    native = outline(text)
    kept = nodes.CParser
    nodes.CParser = None
    try:
        fallback = outline(text)
    finally:
        nodes.CParser = kept
    if native is not None and fallback is not None:
        assert native == fallback


def outline(text: str) -> object:
    try:
        return shape(load_text(text, "f").root)
    except Problem:
        return None


def shape(node: Node) -> object:
    if isinstance(node, Mapping):
        return [(k.text, shape(v)) for k, v in node.entries]
    if isinstance(node, Sequence):
        return [shape(item) for item in node.items]
    return (node.text, node.style) if isinstance(node, Scalar) else None
