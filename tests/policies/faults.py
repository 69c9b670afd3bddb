"""Faults as people make them, planted one at a time into the shipped policies."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

#: A faulty text, and the line (from 1) that was changed.
Fault = tuple[str, int]

FAMILIES = re.compile(r"^(features|segmentation|risk|service):", re.M)
LITERAL = re.compile(r'"([a-z_]{4,})"')
COMPARED = re.compile(r"(<=|>=|<|>) (\d[\d.]*)(?![\d.]*[%万亿\w])")


def rules(text: str) -> tuple[list[str], int]:
    """The lines, and the index of the first that belongs to a family of decisions."""
    found = FAMILIES.search(text)
    assert found is not None
    return text.split("\n"), text.count("\n", 0, found.start())


def changed(text: str, accept: Callable[[str], str | None]) -> Fault | None:
    """The first line of a decision that `accept` changes."""
    lines, start = rules(text)
    for index in range(start, len(lines)):
        line = lines[index]
        if line.lstrip().startswith(("#", "description:")):
            continue
        new = accept(line)
        if new is not None and new != line:
            return "\n".join([*lines[:index], new, *lines[index + 1:]]), index + 1
    return None


def misspelt_name(text: str) -> Fault | None:
    names = re.findall(r"^  ([a-z][a-z_ ]{5,}):", text[: FAMILIES.search(text).start()], re.M)  # type: ignore[union-attr]

    def accept(line: str) -> str | None:
        for name in names:
            if re.search(rf"(?<![\w ]){re.escape(name)} (<|>|=|\*|/|and|or)", line):
                return line.replace(name, name[:2] + name[3:], 1)
        return None

    return changed(text, accept)


def misspelt_value(text: str) -> Fault | None:
    def accept(line: str) -> str | None:
        found = LITERAL.search(line)
        return None if found is None else line.replace(found[1], found[1][:-2] + found[1][-1], 1)

    return changed(text, accept)


def replaced(pattern: str, new: str) -> Callable[[str], Fault | None]:
    def plant(text: str) -> Fault | None:
        return changed(text, lambda line: re.sub(pattern, new, line, count=1))

    return plant


def anywhere(pattern: str, new: str) -> Callable[[str], Fault | None]:
    """The same, in the declarations too."""
    def plant(text: str) -> Fault | None:
        found = re.search(pattern, text, re.M)
        if found is None:
            return None
        line = text.count("\n", 0, found.start() + len(found[0]) - len(found[0].lstrip("\n"))) + 1
        return text[: found.start()] + found.expand(new) + text[found.end():], line

    return plant


def text_for_number(text: str) -> Fault | None:
    return changed(text, lambda line: COMPARED.sub(r'\1 "\2"', line, count=1))


def thousands(text: str) -> Fault | None:
    def accept(line: str) -> str | None:
        return re.sub(r"(<=|>=|<|>) (\d+)000000(?!\d)", r"\1 \g<2>,000,000", line, count=1)

    return changed(text, accept)


def lost_separator(text: str) -> Fault | None:
    def accept(line: str) -> str | None:
        return line.replace(" | ", "   ", 1) if "||" in line and " | " in line.split("||")[0] else None

    return changed(text, accept)


def circle(text: str) -> Fault | None:
    lines = text.rstrip("\n").split("\n")
    added = ["  ring one:", "    value: ring two", "  ring two:", "    value: ring one"]
    return "\n".join([*lines, *added, ""]), len(lines) + 1


def repeated_key(text: str) -> Fault | None:
    lines = text.split("\n")
    index = next(i for i, line in enumerate(lines) if line.startswith("owner:"))
    return "\n".join([*lines[: index + 1], lines[index], *lines[index + 1:]]), index + 2


def tab(text: str) -> Fault | None:
    lines, start = rules(text)
    index = next(i for i in range(start + 1, len(lines)) if re.match(r"    \w", lines[i]))
    return "\n".join([*lines[:index], "\t" + lines[index].lstrip(), *lines[index + 1:]]), index + 1


KINDS: dict[str, Callable[[str], Fault | None]] = {
    "misspelt name": misspelt_name,
    "misspelt value": misspelt_value,
    "two equals signs": replaced(r'(\w) = "', r'\1 == "'),
    "full-width comparison": replaced(r"<= (?=\d)", "≤ "),
    "ampersands": replaced(r" and (?=\w)", " && "),
    "text for a number": text_for_number,
    "thousands separators": thousands,
    "smart quotes": replaced(r'"([a-z_]{4,})"', r"“\1”"),
    "double-quoted expression": replaced(r"^(    value: )([^|'\"=>]+)$", r'\1"\2"'),
    "comment behind an expression": replaced(r"^(    value: [^|'\"#]+)$", r"\1 # see the manual"),
    "misspelt key": anywhere(r"^inputs:", "inptus:"),
    "misspelt type": anywhere(r"type: number", "type: numbr"),
    "wrong boolean": anywhere(r"optional: true", "optional: yes"),
    "lost separator": lost_separator,
    "circle": circle,
    "repeated key": repeated_key,
    "tab": tab,
}


def planted(root: Path) -> Iterator[tuple[str, Path, Fault]]:
    """Every kind of fault in every shipped policy that has a place for it."""
    for path in [root / "policies" / "working-capital.yaml", *sorted((root / "policies" / "standards").glob("*.yaml"))]:
        if path.name.endswith(".test.yaml"):
            continue
        text = path.read_text("utf-8")
        for kind, plant in KINDS.items():
            fault = plant(text)
            if fault is not None:
                yield kind, path, fault
