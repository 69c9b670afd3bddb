"""Every single change to the thresholds, tests and outcomes of a policy, as text.

Changed are: numbers by one unit of the last place shown, dates by a day, comparisons and ends of ranges between
strict and not, equality to inequality, texts to the next value of their list, conditions of a cell to `-`, outcomes
to each other value, `and` to `or` and back, `not` left out, what stands for a missing value, and `on missing`.
"""
from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

FAMILIES = ("features", "segmentation", "risk", "service")
_NUMBER = re.compile(r"(?<!\w)(?<!\d\.)\d+(?:\.\d+)?(?!\w)")
_TEXT = re.compile(r'"([^"]*)"')
_COMPARE = re.compile(r"<=|>=|<|>")
_STRICT = {"<=": "<", "<": "<=", ">=": ">", ">": ">="}
_EQUAL = re.compile(r"(?<![<>!=])=(?!=)")
_OPENS = re.compile(r"[\[(](?=\s*[\w.]+\s*\.\.)")
_CLOSES = re.compile(r"(?<=\.\.)(\s*[\w.]+\s*)([\])])")
_CONNECTIVE = re.compile(r"\b(?:and|or)\b(?! else)")
_NOT = re.compile(r"\bnot(?=\()")
_DEFAULT = re.compile(r"(?<=, )(?:false|true)(?=\))")
_RANGE = re.compile(r"range: '([^']*)'")
_KEY = re.compile(r"^(\s*)(?:- )?([\w ]+):(?: (.*))?$")
_NO_EXPRESSION = ("description", "type", "values", "order", "rule", "on missing", "table", "worst", "rules", "where")


class Mutant(NamedTuple):
    """One change: `text` is the whole policy with `before` at `line`:`column` (from 1) replaced by `after`."""

    policy: str
    line: int
    column: int
    kind: str
    before: str
    after: str
    text: str

    def __str__(self) -> str:
        return f"{self.policy}:{self.line}:{self.column}: `{self.before}` -> `{self.after}` ({self.kind})"


class Change(NamedTuple):
    start: int
    end: int
    kind: str
    after: str


def mutants(path: Path) -> Iterator[Mutant]:
    """All mutants of the policy at `path`, from top to bottom."""
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    for number, changes in _Reader(yaml.safe_load(text), path).changes(lines):
        line = lines[number]
        for start, end, kind, after in changes:
            changed = [*lines[:number], line[:start] + after + line[end:], *lines[number + 1:]]
            yield Mutant(path.stem, number + 1, start + 1, kind, line[start:end], after, "\n".join(changed))


class _Reader:
    def __init__(self, policy: dict[str, Any], path: Path) -> None:
        self.lists: list[list[str]] = []
        self.outcomes: dict[str, list[str]] = {}
        for decl in policy["inputs"].values():
            self._values(decl, policy, path)
        for family in FAMILIES:
            for name, decl in policy.get(family, {}).items():
                self.outcomes[name] = self._values(decl, policy, path)

    def _values(self, decl: dict[str, Any], policy: dict[str, Any], path: Path) -> list[str]:
        values = decl.get("values")
        if isinstance(values, str):
            values = policy["vocabularies"][values]
            if isinstance(values, str):
                values = yaml.safe_load((path.parent / values).read_text(encoding="utf-8"))
        if values is None:
            return ["true", "false"] if decl.get("type") == "boolean" else []
        found = [str(v) for v in values]
        self.lists.append(found)
        return found

    def changes(self, lines: list[str]) -> Iterator[tuple[int, list[Change]]]:
        """Line numbers from 0, with what can be changed there."""
        family = decision = ""
        header: list[str] = []
        for number, line in enumerate(lines):
            body = line.split(" #")[0]
            if not body.strip() or body.strip().startswith(("#", "//")):
                continue
            key = _KEY.match(body)
            if key and not key[1]:
                family = key[2]
                if family == "on missing":
                    yield number, _swap(body, key.start(3), ["refer", "skip"], "missing")
                continue
            if family == "inputs":
                yield number, _input(body)
            if family not in FAMILIES:
                continue
            if key and key[1] == "  ":
                decision, header = key[2], []
                continue
            if "||" in body:
                cells = _cells(body)
                if header:
                    yield number, [c for at, name in zip(cells, header, strict=True)
                                   for c in self._cell(body, at, name, decision)]
                else:
                    header = _names(body, cells)
            elif key and key[2] in ("then", "otherwise"):
                yield number, _swap(body, key.start(3), self.outcomes[decision], "outcome")
            elif not key:
                yield number, self._expression(body, 0, len(body))
            elif key[2] not in _NO_EXPRESSION and key[3]:
                yield number, self._expression(body, key.start(3), len(body))

    def _cell(self, line: str, at: tuple[int, int], name: str, decision: str) -> list[Change]:
        start, end = at
        if name == "id" or line[start:end] in ("-", "otherwise"):
            return []
        if name == "result":
            return _swap(line, start, self.outcomes[decision], "outcome")
        dropped = [Change(start, end, "cell", "-")] if name == "test" else []
        return [*self._expression(line, start, end), *dropped]

    def _expression(self, line: str, start: int, end: int) -> list[Change]:
        found: list[Change] = []
        plain = line
        for m in _TEXT.finditer(line, start, end):
            found.extend(Change(*m.span(), kind, f'"{other}"') for kind, other in self._other(m[1]))
            plain = plain[:m.start()] + "?" * len(m[0]) + plain[m.end():]
        for m in _NUMBER.finditer(plain, start, end):
            found.extend(Change(*m.span(), "number", other) for other in _beside(m[0]))
        found.extend(Change(*m.span(), "comparison", _STRICT[m[0]]) for m in _COMPARE.finditer(plain, start, end))
        found.extend(Change(*m.span(), "equality", "!=") for m in _EQUAL.finditer(plain, start, end))
        found.extend(
            Change(*m.span(), "comparison", "(" if m[0] == "[" else "[") for m in _OPENS.finditer(plain, start, end)
        )
        found.extend(
            Change(*m.span(2), "comparison", ")" if m[2] == "]" else "]") for m in _CLOSES.finditer(plain, start, end)
        )
        found.extend(
            Change(*m.span(), "connective", "or" if m[0] == "and" else "and")
            for m in _CONNECTIVE.finditer(plain, start, end) if not plain[:m.start()].endswith("get ")
        )
        found.extend(Change(*m.span(), "connective", "") for m in _NOT.finditer(plain, start, end))
        found.extend(
            Change(*m.span(), "default", "true" if m[0] == "false" else "false")
            for m in _DEFAULT.finditer(plain, start, end)
        )
        return found

    def _other(self, text: str) -> list[tuple[str, str]]:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            day = datetime.date.fromisoformat(text)
            return [("number", str(day + datetime.timedelta(step))) for step in (-1, 1)]
        values = next((v for v in self.lists if text in v), None)
        return [] if values is None else [("text", values[(values.index(text) + 1) % len(values)])]


def _input(line: str) -> list[Change]:
    found: list[Change] = []
    if m := _RANGE.search(line):
        start, end = m.span(1)
        found.extend(Change(*n.span(), "number", o) for n in _NUMBER.finditer(line, start, end) for o in _beside(n[0]))
        found.extend(Change(*n.span(), "comparison", _STRICT[n[0]]) for n in _COMPARE.finditer(line, start, end))
        if line[start] in "[(":
            found.append(Change(start, start + 1, "comparison", "(" if line[start] == "[" else "["))
            found.append(Change(end - 1, end, "comparison", ")" if line[end - 1] == "]" else "]"))
    if (at := line.find("optional: true")) >= 0:
        found.append(Change(at, at + len("optional: true"), "missing", "optional: false"))
    return found


def _beside(number: str) -> list[str]:
    """A unit less and a unit more, of the last place shown."""
    places = len(number.partition(".")[2])
    whole = int(number.replace(".", ""))
    return [f"{(whole + step) / 10**places:.{places}f}" for step in (-1, 1)]


def _swap(line: str, start: int, values: list[str], kind: str) -> list[Change]:
    """The outcome that begins at `start`, by each of the other values."""
    written = line[start:].split("|")[0].strip()
    assert written in values, line
    end = start + len(written)
    return [Change(start, end, kind, v) for v in values if v != written]


def _cells(line: str) -> list[tuple[int, int]]:
    found, start = [], 0
    for m in re.finditer(r"\|\|?|$", line):
        cell = line[start:m.start()]
        left = start + len(cell) - len(cell.lstrip())
        found.append((left, left + len(cell.strip())))
        start = m.end()
    return found


def _names(line: str, cells: list[tuple[int, int]]) -> list[str]:
    """What each column holds: an `id`, a `test` of a cell, a whole `guard`, or a `result`."""
    split = line.index("||")
    guards = line.strip().startswith("id")
    return ["id", *("result" if at > split else "guard" if guards else "test" for at, _ in cells[1:])]
