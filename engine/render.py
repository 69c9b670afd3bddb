"""Diagnostics as text for people, JSON for programs and SARIF for code hosts.

Text follows the habit of compilers: the message, the place, the line with what is wrong
underlined, further places with what they have to do with it, and the way out.

    error[E0203]: unknown name `anual revenue`
      --> policies/working-capital.yaml:31:15
    31 |         when: anual revenue >= 500万
       |               ^^^^^^^^^^^^^
       = help: did you mean `annual revenue`?
       = page: docs/errors/E0203.md

JSON, whose shape `schemas/diagnostics.schema.json` states and which only ever gains keys:

    {"version": 1, "errors": 1, "warnings": 0, "diagnostics": [{"code", "severity", "message", "help",
     "page", "span": {"file", "line", "column", "end_line", "end_column"} or null,
     "labels": [{"span", "text"}], "edits": [{"span", "replacement"}]}]}

Lines and columns count from 1 and in code points, ends exclusive. User text cannot reach the
terminal as control sequences: control and directional characters are shown as escapes.
"""
from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from engine.diagnostics import Diagnostic, Span
from engine.syntax.width import char_width, text_width

Json = dict[str, object]

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\U000e0000-\U000e007f]"
)
_TAB = "    "
#: Diagnostics that text shows one by one.
MAX_SHOWN = 100
#: Characters of a name or text that a message quotes.
MAX_QUOTED = 100
_QUOTED = re.compile(f"`([^`]{{{MAX_QUOTED}}})[^`]+`")
_URI_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/:@!$&'()*+,;=")

_BOLD = "1"
_RED = "1;31"
_YELLOW = "1;33"
_BLUE = "1;34"


def render_text(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], color: bool = False,
                width: int = 120) -> str:
    """The diagnostics one below the other, then a line that counts them; empty without any.

    `sources` maps file names to their texts; of a file that is not there only the place is named.
    Lines of a source that take more than `width` columns are cut to the part around the fault, quoted texts
    of more than `MAX_QUOTED` characters to their beginning, and of more than `MAX_SHOWN` diagnostics the rest
    is counted.
    """
    found = list(diagnostics)
    if not found:
        return ""
    writer = _Writer(sources, color, width)
    blocks = [writer.block(d) for d in found[:MAX_SHOWN]]
    if len(found) > MAX_SHOWN:
        blocks.append(f"... and {len(found) - MAX_SHOWN:,} more, which the JSON form lists\n")
    return "\n".join([*blocks, summary(found)]) + "\n"


def summary(diagnostics: Sequence[Diagnostic]) -> str:
    """`2 errors, 1 warning`; `no problems` where there are none."""
    errors = sum(d.is_error for d in diagnostics)
    warnings = len(diagnostics) - errors
    parts = [f"{n} {noun}{'' if n == 1 else 's'}" for n, noun in ((errors, "error"), (warnings, "warning")) if n]
    return ", ".join(parts) or "no problems"


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """The diagnostics as one JSON object; see the module for its shape."""
    found = list(diagnostics)
    errors = sum(d.is_error for d in found)
    return json.dumps({
        "version": 1,
        "errors": errors,
        "warnings": len(found) - errors,
        "diagnostics": [{
            "code": d.code,
            "severity": "error" if d.is_error else "warning",
            "message": d.message,
            "help": d.help,
            "page": d.page,
            "span": _span(d.span) if d.span else None,
            "labels": [{"span": _span(label.span), "text": label.text} for label in d.labels],
            "edits": [{"span": _span(edit.span), "replacement": edit.replacement} for edit in d.edits],
        } for d in found],
    }, ensure_ascii=False, indent=2) + "\n"


def render_sarif(diagnostics: Iterable[Diagnostic], version: str | None = None) -> str:
    """The diagnostics as a SARIF 2.1.0 log, which GitHub and GitLab show beside the code.

    `version` is the engine's own, for the log's tool entry.
    """
    found = list(diagnostics)
    codes = sorted({d.code for d in found})
    rules: list[Json] = [{
        "id": code,
        "help": {"text": f"see docs/errors/{code}.md"},
        "defaultConfiguration": {"level": "error" if code.startswith("E") else "warning"},
    } for code in codes]
    driver: Json = {"name": "tierwise", "rules": rules}
    if version is not None:
        driver["version"] = version
    return json.dumps({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": driver},
            "columnKind": "unicodeCodePoints",
            "results": [_result(d, codes.index(d.code)) for d in found],
        }],
    }, ensure_ascii=False, indent=2) + "\n"


def _span(span: Span) -> Json:
    return {"file": span.file, "line": span.line, "column": span.column,
            "end_line": span.end_line, "end_column": span.end_column}


def _result(found: Diagnostic, index: int) -> Json:
    text = found.message if found.help is None else f"{found.message}\nhelp: {found.help}"
    result: Json = {
        "ruleId": found.code,
        "ruleIndex": index,
        "level": "error" if found.is_error else "warning",
        "message": {"text": text},
        "locations": [{"physicalLocation": _location(found.span)}] if found.span else [],
    }
    if found.labels:
        result["relatedLocations"] = [
            {"id": n, "physicalLocation": _location(label.span), "message": {"text": label.text}}
            for n, label in enumerate(found.labels)]
    if found.edits:
        files = list(dict.fromkeys(edit.span.file for edit in found.edits))
        result["fixes"] = [{"description": {"text": found.help or "apply the edit"}, "artifactChanges": [{
            "artifactLocation": {"uri": _uri(file)},
            "replacements": [{"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.replacement}}
                             for edit in found.edits if edit.span.file == file],
        } for file in files]}]
    return result


def _location(span: Span) -> Json:
    return {"artifactLocation": {"uri": _uri(span.file)}, "region": _region(span)}


def _region(span: Span) -> Json:
    return {"startLine": span.line, "startColumn": span.column, "endLine": span.end_line, "endColumn": span.end_column}


def _uri(file: str) -> str:
    """A file name as a relative reference; separators are slashes on every system."""
    data = file.replace("\\", "/").encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if byte in _URI_SAFE else f"%{byte:02X}" for byte in data)


def _told(text: str) -> str:
    """A message's text as a terminal may have it: what it quotes cut short, nothing hidden."""
    return visible(_QUOTED.sub(r"`\1…`", text))


def visible(text: str) -> str:
    """Text with control and directional characters written as escapes."""
    return _UNSEEN.sub(lambda m: f"\\u{{{ord(m[0]):x}}}", text)


class _Mark:
    """A stretch of one line to underline: columns [start, end) in code points from 0."""

    def __init__(self, span: Span, text: str, primary: bool, line: str) -> None:
        self.text = text
        self.primary = primary
        self.start = min(span.column - 1, len(line))
        stop = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
        self.end = max(min(stop, len(line)), self.start)


class _Writer:
    def __init__(self, sources: Mapping[str, str], color: bool, width: int) -> None:
        self.sources = sources
        self.color = color
        self.width = max(width, 40)
        self.lines: dict[str, list[str]] = {}

    def paint(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self.color and text else text

    def source(self, file: str) -> list[str]:
        if file not in self.lines:
            text = self.sources.get(file)
            self.lines[file] = _LINE_BREAK.split(text.removeprefix("\ufeff")) if text is not None else []
        return self.lines[file]

    def block(self, found: Diagnostic) -> str:
        severity, style = ("error", _RED) if found.is_error else ("warning", _YELLOW)
        out = [self.paint(f"{severity}[{found.code}]", style) + self.paint(f": {_told(found.message)}", _BOLD)]
        spans = ([found.span] if found.span else []) + [label.span for label in found.labels]
        gutter = max((len(str(span.line)) for span in spans if self.has(span)), default=1)
        pad = " " * gutter
        if found.span:
            out.append(f"{pad}{self.paint('-->', _BLUE)} {self.place(found.span)}")
            out += self.snippet(found, found.span.file, gutter, style)
        for file in dict.fromkeys(label.span.file for label in found.labels):
            if found.span is None or file != found.span.file:
                first = next(label.span for label in found.labels if label.span.file == file)
                out.append(f"{pad}{self.paint(':::', _BLUE)} {self.place(first)}")
                out += self.snippet(found, file, gutter, style)
        note = self.paint("=", _BLUE)
        if found.help:
            head, *more = _LINE_BREAK.split(found.help)
            out.append(f"{pad} {note} help: {_told(head)}")
            out += [f"{pad}         {_told(line)}" for line in more]
        out.append(f"{pad} {note} page: {found.page}")
        return "\n".join(out) + "\n"

    def has(self, span: Span) -> bool:
        return 1 <= span.line <= len(self.source(span.file))

    def place(self, span: Span) -> str:
        return f"{visible(span.file)}:{span.line}:{span.column}"

    def snippet(self, found: Diagnostic, file: str, gutter: int, style: str) -> list[str]:
        """The lines of `file` that the diagnostic is about, in the order of the file."""
        marks: dict[int, list[_Mark]] = {}
        source = self.source(file)
        parts = [(found.span, "", True)] if found.span else []
        for span, text, primary in [*parts, *((label.span, label.text, False) for label in found.labels)]:
            if span.file == file and self.has(span):
                marks.setdefault(span.line, []).append(_Mark(span, text, primary, source[span.line - 1]))
        out: list[str] = []
        before = None
        bar = self.paint("|", _BLUE)
        for line in sorted(marks):
            if before is not None and line > before + 1:
                out.append(self.paint("...", _BLUE))
            before = line
            cut = self.window(source[line - 1], marks[line])
            shown, columns = _drawn(source[line - 1], *cut)
            out.append(f"{self.paint(str(line).rjust(gutter), _BLUE)} {bar} {shown}".rstrip())
            for mark in marks[line]:
                at, to = columns[min(mark.start, cut[1]) - cut[0]], columns[min(mark.end, cut[1]) - cut[0]]
                sign = "^" if mark.primary else "-"
                under = self.paint(sign * max(to - at, 1) + (f" {_told(mark.text)}" if mark.text else ""),
                                   style if mark.primary else _BLUE)
                out.append(f"{' ' * gutter} {bar} {' ' * at}{under}")
        return out

    def window(self, line: str, marks: list[_Mark]) -> tuple[int, int]:
        """The code points [start, end) of the line to show: all, or some room around its marks."""
        if len(line) * 2 <= self.width or text_width(line.replace("\t", _TAB)) <= self.width:
            return 0, len(line)
        room = self.width // 2                          # each may take two columns
        first = min(mark.start for mark in marks)
        start = max(first - room // 2, 0)
        if max(mark.start for mark in marks) >= start + room:
            start = first                               # marks far apart: show from the first on
        return start, min(start + room, len(line))


def _drawn(line: str, start: int, end: int) -> tuple[str, list[int]]:
    """The part [start, end) of a line as drawn, and the column at which each code point (and the end) stands."""
    out = ["…"] if start else []
    column = len(out)
    columns = []
    for char in line[start:end]:
        columns.append(column)
        shown = _TAB if char == "\t" else "\ufffd" if _UNSEEN.match(char) else char
        out.append(shown)
        column += len(shown) if char == "\t" else char_width(shown)
    columns.append(column)
    if end < len(line):
        out.append("…")
    return "".join(out), columns
