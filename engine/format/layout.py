"""The layout of a YAML file: written anew from its nodes, with its comments, blank lines and scalars as typed.

Nothing is resolved or dumped. Keys, plain and quoted texts and flow collections are copied from the source; what
stands between them (indentation, dashes, blanks around colons) is written in one way, and the comments and blank
lines found there are kept. A comment on a line of its own stands at the indentation of the block that it stood in;
one behind a value stays in its column where there is room.
"""
from __future__ import annotations

import re

from engine.format.grids import aligned_text
from engine.format.roles import FEEL, Roles
from engine.records import Record
from engine.source.tree import Document, Mapping, Node, Scalar, Sequence
from engine.syntax.width import text_width

_TRIVIA = re.compile(r"(?:[ \t\n]+|#[^\n]*)*+")
_HEADER = re.compile(r"([|>])(?:([1-9])([+-]?)|([+-]?)([1-9]?))[ \t]*")
_QUOTE = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_MARKERS = re.compile(r"(---|\.\.\.|%YAML[^\n]*)[ \t]*\n?")


class Unsettled(Exception):
    """The file holds YAML that the layout does not cover; `index` is where."""

    def __init__(self, index: int) -> None:
        super().__init__("unsettled layout")
        self.index = index


class _Level(Record):
    """A block that is open: its column in the source, and the one it is written at."""

    old: int
    new: int


def laid_out(document: Document, roles: Roles) -> str:
    """The document in its canonical layout; line ends must be LF. Raises `Unsettled`."""
    writer = _Writer(document, roles)
    return writer.run()


class _Writer:
    def __init__(self, document: Document, roles: Roles) -> None:
        self.document = document
        self.text = document.text
        self.kinds = roles.kinds
        self.lines: list[str] = []
        self.at = 0                                     # what stands before is written
        self.stack: list[_Level] = []
        self.tail: list[_Level] = []                    # the blocks that were open at the last value

    def run(self) -> str:
        root = self.document.root
        begin = self.skip(0)
        if begin != root.start:                         # a document marker
            found = _MARKERS.match(self.text, begin)
            if found is None or self.skip(found.end()) != root.start:
                raise Unsettled(begin)
            self.text = self.text[:begin] + re.sub(r"[^\n]", " ", found[0]) + self.text[found.end():]
        self.stack = [_Level(self.column(root.start), 0)]
        if self.is_block(root):
            self.block(root)
        else:
            self.gap(root.start)
            self.lines.append("")
            self.inline(root)
        self.stack = [_Level(0, 0)]
        if self.skip(self.at) != len(self.text):
            raise Unsettled(self.skip(self.at))
        self.gap(len(self.text))
        while self.lines and not self.lines[-1]:
            self.lines.pop()
        return "\n".join(line.rstrip(" \t") if line.isspace() else line for line in self.lines) + "\n"

    # --- what stands between -----------------------------------------------------------

    def skip(self, at: int) -> int:
        """The index of the next character that is neither blank nor of a comment."""
        found = _TRIVIA.match(self.text, at)
        assert found is not None                        # the pattern matches anywhere
        return found.end()

    def column(self, index: int) -> int:
        return self.document.position(index)[1] - 1

    def gap(self, end: int) -> bool:
        """Write the comments and blank lines up to `end`; whether there was a comment."""
        if self.skip(self.at) < end:
            raise Unsettled(self.skip(self.at))
        gap = self.text[self.at:end]
        start, self.at = self.at, end
        if "\n" not in gap and "#" not in gap:
            return False
        head, *rest = gap.split("\n")
        commented = "#" in gap
        if "#" in head:
            mark = start + head.index("#")
            if start == 0 or not self.lines:
                self.lines.append(head.strip())
            else:
                self.trail(head.strip(), mark)
        elif start == 0 and rest and self.lines == [] and head.strip():
            raise Unsettled(start)
        at = start + len(head) + 1
        whole = rest[:-1] if end < len(self.text) else rest
        for line in whole:
            typed = line.strip()
            if typed:
                self.lines.append(" " * self.indentation(len(line) - len(line.lstrip())) + typed)
            elif self.lines and self.lines[-1].strip():
                self.lines.append("")
            at += len(line) + 1
        return commented

    def trail(self, comment: str, mark: int) -> None:
        """A comment behind the last line written, in the column of the source where there is room."""
        line = self.document.position(mark)[0]
        before = self.text[self.document.starts[line - 1]:mark]
        last = self.lines[-1].rstrip()
        gap = max(2, text_width(before) - text_width(last)) if last else 0
        self.lines[-1] = last + " " * gap + comment

    def indentation(self, column: int) -> int:
        """Where a comment that stood at `column` goes: to the block it stood in, not above the next value's."""
        depth = len(self.stack)
        best = self.stack[-1]
        if column > best.old and self.tail[:depth] == self.stack:
            for level in self.tail[depth:]:
                if level.old <= column:
                    best = level
        return best.new

    # --- blocks ------------------------------------------------------------------------

    def is_block(self, node: Node) -> bool:
        return not isinstance(node, Scalar) and self.text[node.start] not in "{["

    def block(self, node: Node, begun: bool = False) -> None:
        """A block collection at the top of the stack; `begun` says that its first line is open already."""
        level = self.stack[-1]
        if isinstance(node, Mapping):
            for key, value in node.entries:
                self.token(key.start, level.new, begun)
                begun = False
                self.lines[-1] += self.text[key.start:key.end]
                self.at = key.end
                colon = key.end
                while self.text[colon:colon + 1] in (" ", "\t"):
                    colon += 1
                if self.text[colon:colon + 1] != ":":
                    raise Unsettled(colon)
                self.lines[-1] += ":"
                self.at = colon + 1
                self.value(value, level)
        elif isinstance(node, Sequence):
            for item in node.items:
                dash = self.skip(self.at)
                if self.text[dash:dash + 1] != "-":
                    raise Unsettled(dash)
                self.token(dash, level.new, begun)
                begun = False
                self.lines[-1] += "-"
                self.at = dash + 1
                self.value(item, level, dash=True)

    def token(self, index: int, indent: int, begun: bool) -> None:
        """Come to a key or dash, on a line of its own unless one is begun."""
        commented = self.gap(index)
        if begun and not commented:
            return
        self.lines.append(" " * indent)

    def value(self, node: Node, level: _Level, dash: bool = False) -> None:
        if isinstance(node, Scalar) and node.is_empty:
            self.tail = list(self.stack)
            return
        inner = level.new + 2
        if self.is_block(node):
            self.stack.append(_Level(self.column(node.start), inner))
            if dash:
                self.lines[-1] += " "
            self.block(node, begun=dash)
            self.stack.pop()
            return
        before = len(self.lines)
        start = node.start
        own = "\n" in self.text[self.at:start]
        if own and "#" in self.text[self.at:start]:
            self.stack.append(_Level(self.column(start), inner))
            self.gap(start)
            self.stack.pop()
            self.lines.append(" " * inner)
        else:
            if self.skip(self.at) != start:
                raise Unsettled(self.skip(self.at))
            self.at = start
            self.lines[-1] += " "
        assert len(self.lines) >= before
        self.inline(node)

    # --- values ------------------------------------------------------------------------

    def inline(self, node: Node) -> None:
        self.tail = list(self.stack)
        level = self.stack[-1]
        if isinstance(node, Scalar) and node.style in ("literal", "folded"):
            self.block_scalar(node, level)
            return
        raw = self.text[node.start:node.end]
        self.at = node.end
        if not isinstance(node, Scalar):
            self.flow(node, raw, level)
            return
        head, *rest = raw.split("\n")
        self.lines[-1] += head.rstrip(" \t") if rest else head
        for line in rest:
            typed = line.strip(" \t")
            self.lines.append(" " * (level.new + 2) + typed if typed else "")

    def flow(self, node: Node, raw: str, level: _Level) -> None:
        head, *rest = raw.split("\n")
        if not rest:
            self.lines[-1] += self.spaced(node)
            return
        self.lines[-1] += head.rstrip(" \t")
        shift = level.new - level.old
        for line in rest:
            typed = line.strip(" \t")
            least = level.new + (0 if typed[:1] in ("}", "]") else 2)
            indent = max(len(line) - len(line.lstrip(" \t")) + shift, least)
            self.lines.append(" " * indent + typed if typed else "")

    def spaced(self, node: Node) -> str:
        """A flow collection of one line, a blank behind each comma and colon."""
        raw = self.text[node.start:node.end]
        if isinstance(node, Mapping):
            if not raw.startswith("{") or any(isinstance(v, Scalar) and v.is_empty for _, v in node.entries):
                return raw
            return "{" + ", ".join(
                f"{self.text[k.start:k.end]}: {self.spaced(v)}" for k, v in node.entries) + "}"
        if isinstance(node, Sequence):
            if not raw.startswith("["):
                return raw
            return "[" + ", ".join(self.spaced(item) for item in node.items) + "]"
        return raw

    def block_scalar(self, node: Scalar, level: _Level) -> None:
        found = _HEADER.match(self.text, node.start)
        assert found is not None                        # the style says so
        digit, chomp = found[2] or found[5], found[3] or found[4] or ""
        line_end = self.text.find("\n", found.end())
        if line_end < 0:
            line_end = len(self.text)
        comment = self.text[found.end():line_end].strip()
        raw, self.at = self.content(line_end, int(digit) + level.old if digit else None, level.old, chomp == "+")
        kind = self.kinds.get(node.start)
        lines: list[str] | None = None
        if kind is not None and kind != FEEL and not chomp == "+":
            lines = aligned_text("\n".join(raw), kind)
        if lines is not None:
            digit = ""
        else:
            lines = raw
            if kind == FEEL and chomp != "+":
                lines = _bare(raw)
        self.lines[-1] += found[1] + ("2" if digit else "") + chomp
        if comment:
            self.trail(comment, self.text.index("#", found.end()))
        pad = " " * (level.new + 2)
        self.lines += [pad + line if line else "" for line in lines]

    def content(self, at: int, indent: int | None, parent: int, keep: bool) -> tuple[list[str], int]:
        """The lines of a block scalar behind the line end `at`, without indentation, and where the last one ends."""
        lines: list[str] = []
        end, count = at, 0
        while at < len(self.text):
            stop = self.text.find("\n", at + 1)
            stop = len(self.text) if stop < 0 else stop
            line = self.text[at + 1:stop]
            blanks = len(line) - len(line.lstrip(" "))
            if line.strip(" "):
                if indent is None:
                    indent = max(blanks, parent + 1)
                if blanks < indent:
                    break
            if at + 1 >= len(self.text):
                break
            lines.append(line[indent:] if indent is not None else "")
            if line.strip(" ") or keep or (indent is not None and len(line) > indent):
                end, count = stop, len(lines)
            at = stop
        return lines[:count], end


def _bare(lines: list[str]) -> list[str]:
    """The lines of an expression without blanks at their ends, unless a string seems to run over a line end."""
    if any('"' in _QUOTE.sub("", line) for line in lines):
        return lines
    return [line.rstrip() for line in lines]
