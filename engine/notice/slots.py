"""Texts with slots: `{name}` stands for a value of that name, and for nothing else.

A slot names a value; it is no expression, so whoever edits letters can neither compute nor run anything in them.
"""
from __future__ import annotations

import re
from collections.abc import Iterator

from engine.records import Record
from engine.source.nodes import Scalar, normal
from engine.syntax.width import char_width

_SLOT = re.compile(r"\{([^{}]*)\}")
_BRACE = re.compile("[{}]")

#: Slots that stand alone on a line, and become lists.
LISTS = ("reasons", "documents")


class Slot(Record):
    """A slot with the offsets of its name in the text that it stands in."""

    name: str
    start: int
    end: int


def slots(text: Scalar) -> list[Slot]:
    """The slots of a text, in order."""
    return [Slot(normal(m[1]), m.start(1), m.end(1)) for m in _SLOT.finditer(text.text)]


def alone(text: Scalar, slot: Slot) -> bool:
    """Whether a slot has a line of its own."""
    before, after = text.text[:slot.start - 1].rpartition("\n")[2], text.text[slot.end + 1:].partition("\n")[0]
    return not before.strip() and not after.strip()


def lone_braces(text: Scalar) -> Iterator[int]:
    """Offsets of braces that belong to no slot."""
    blanked = _SLOT.sub(lambda m: " " * len(m[0]), text.text)
    return (m.start() for m in _BRACE.finditer(blanked))


def parts(text: str) -> list[tuple[bool, str]]:
    """Text and slots in turn, as (is a slot, text or name)."""
    found: list[tuple[bool, str]] = []
    done = 0
    for match in _SLOT.finditer(text):
        if match.start() > done:
            found.append((False, text[done:match.start()]))
        found.append((True, normal(match[1])))
        done = match.end()
    if done < len(text):
        found.append((False, text[done:]))
    return found


class Passage(Record):
    """A part of a body before it is filled: a "paragraph" or an "item" with its text, or a "list" with its slot."""

    kind: str
    text: str


def passages(body: str) -> list[tuple[Passage, ...]]:
    """A body's passages, grouped as empty lines separate them. Lines of one paragraph or item are joined."""
    groups: list[tuple[Passage, ...]] = []
    for stretch in re.split(r"\n[ \t]*(?:\n[ \t]*)+", body.strip("\n")):
        found: list[Passage] = []
        for line in stretch.split("\n"):
            bare = line.strip()
            alone = _SLOT.fullmatch(bare)
            if alone is not None and normal(alone[1]) in LISTS:
                found.append(Passage("list", normal(alone[1])))
            elif bare.startswith("- "):
                found.append(Passage("item", bare[2:].strip()))
            elif found and (found[-1].kind == "paragraph" or found[-1].kind == "item" and line[:1] in " \t"):
                found[-1] = Passage(found[-1].kind, joined(found[-1].text, bare))
            elif bare:
                found.append(Passage("paragraph", bare))
        if found:
            groups.append(tuple(found))
    return groups


def joined(first: str, second: str) -> str:
    """Two lines as one: Chinese needs no space where a line was broken."""
    if not first or not second or char_width(first[-1]) == char_width(second[0]) == 2:
        return first + second
    return f"{first} {second}"
