"""How a fault is planted: where in a policy, and which lines a message must name."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

FAMILIES = ("features", "segmentation", "risk", "service")
_TOP = re.compile(r"([a-z][a-z ]*):")
_BLOCK = re.compile(r"( *)(?:- )?[^#]*: [|>]-?\s*(?:#.*)?$")


class Fault(NamedTuple):
    """A faulty text, and the first and last line (from 1) that a message about it may point at."""

    text: str
    first: int
    last: int


class Line(NamedTuple):
    """A line with where it stands: the top-level key above it, the decision, whether in a block of text, and
    which row of a grid it is (0 the header, None no grid)."""

    number: int
    text: str
    section: str
    decision: str
    in_block: bool
    row: int | None


Plant = Callable[[str], Iterator[Fault]]
#: What a line becomes, one text for each way to spoil it.
Change = Callable[[Line], Iterator[str]]


def lines(text: str) -> list[Line]:
    """The lines of a sound policy, comments and blank lines left out."""
    found: list[Line] = []
    section = decision = ""
    block: int | None = None
    row: int | None = None
    for number, line in enumerate(text.split("\n")):
        if not line.strip():
            continue
        indent = len(line) - len(line.lstrip(" "))
        if block is not None and indent <= block:
            block = row = None
        if block is None:
            if line.lstrip().startswith("#"):
                continue
            if top := _TOP.match(line):
                section, decision = top[1], ""
            elif indent == 2 and (key := re.match(r"  ([^:#]+):", line)):
                decision = key[1]
            found.append(Line(number, line, section, decision, False, None))
            if opens := _BLOCK.match(line):
                block, row = len(opens[1]), -1
            continue
        if " | " in line or "||" in line:
            row = 0 if row is None else row + 1
            found.append(Line(number, line, section, decision, True, row))
        else:
            found.append(Line(number, line, section, decision, True, None))
    return found


def each(change: Change, *sections: str) -> Plant:
    """A fault for each line of some sections (all, if none are named) and each way that `change` spoils it."""
    def plant(text: str) -> Iterator[Fault]:
        whole = text.split("\n")
        for line in lines(text):
            if sections and line.section not in sections:
                continue
            for new in change(line):
                if new != line.text:
                    spoilt = "\n".join([*whole[:line.number], new, *whole[line.number + 1:]])
                    yield Fault(spoilt, line.number + 1, line.number + 1 + new.count("\n"))

    return plant


def replaced(pattern: str, new: str | Callable[[re.Match[str]], str], *sections: str) -> Plant:
    """Each match of a pattern, replaced, outside descriptions and comments."""
    seek = re.compile(pattern)

    def change(line: Line) -> Iterator[str]:
        if line.text.lstrip().startswith(("description:", "text:", "zh:")):
            return
        body, comment = cut(line.text)
        body = body.partition(", description:")[0]
        rest = line.text[len(body):]
        del comment
        for found in seek.finditer(body):
            made = new(found) if callable(new) else found.expand(new)
            yield body[:found.start()] + made + body[found.end():] + rest

    return each(change, *sections)


def cut(line: str) -> tuple[str, str]:
    """A line without its comment, and the comment."""
    at = line.find(" #")
    return (line, "") if at < 0 else (line[:at], line[at:])


def in_cells(change: Callable[[str], str | None], *, results: bool, header: bool = False) -> Plant:
    """Each cell of a grid's rows that `change` spoils (None: it does not), tests or results; ids stay."""
    def spoil(line: Line) -> Iterator[str]:
        if line.row is None or (line.row == 0) != header:
            return
        split = line.text.find("||")
        for place, (start, end) in enumerate(cells(line.text)):
            is_result = start > split >= 0
            if place == 0 and split >= 0 or is_result != results or start == end:
                continue
            new = change(line.text[start:end])
            if new is not None:
                yield line.text[:start] + new + line.text[end:]

    return each(spoil)


def cells(line: str) -> list[tuple[int, int]]:
    """Where the cells of a row begin and end, without the blanks around them."""
    found, start = [], 0
    for mark in re.finditer(r"\|\|?|$", line):
        cell = line[start:mark.start()]
        left = start + len(cell) - len(cell.lstrip())
        found.append((left, left + len(cell.strip())))
        start = mark.end()
    return found


def without(text: str, first: int, last: int) -> str:
    """The text without some lines (from 0, both included)."""
    whole = text.split("\n")
    return "\n".join([*whole[:first], *whole[last + 1:]])


def to_block_end(plant: Plant) -> Plant:
    """The same faults, where a message may also point further down in the same text of several lines."""
    def wider(text: str) -> Iterator[Fault]:
        inside = {line.number + 1 for line in lines(text) if line.in_block and line.row is None}
        for fault in plant(text):
            last = fault.last
            while fault.last in inside and last + 1 in inside:
                last += 1
            yield fault._replace(last=last)

    return wider
