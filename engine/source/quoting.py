"""Text put into a form that YAML leaves alone, and expressions that stand in one that it does not.

YAML takes quotes, commas, `#` and line ends for itself. An expression therefore stands plain
in block style on one line, in single quotes, or in a `|-` block; the checks here find the
other forms, which YAML would misread silently, and carry the safe form as an edit.
"""
from __future__ import annotations

import re

from engine.diagnostics import Diagnostic, Edit
from engine.semantics.lazy import Lazy
from engine.source.tree import Scalar

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def quoted(text: str) -> str:
    """`text` (one line) as a single-quoted YAML scalar."""
    return "'" + text.replace("'", "''") + "'"


def safe_form(text: str, indent: int, *, in_flow: bool = False) -> str | None:
    """`text` as YAML that reads back as exactly `text`: single-quoted, or a `|-` block if it has several lines.

    `indent` is the column (from 0) of the key that the block belongs to. None where a flow
    collection would have to hold several lines.
    """
    if "\n" not in text:
        return quoted(text)
    if in_flow:
        return None
    pad = " " * (indent + 2)
    lines = text.split("\n")
    head = "|2-" if not lines[0].strip() or lines[0][0].isspace() else "|-"
    return "\n".join([head, *((pad + line) if line else "" for line in lines)])


def expression_text(scalar: Scalar) -> list[Diagnostic]:
    """What makes this scalar unfit to hold an expression; empty where it is safe.

    E0020 double quotes, E0021 plain inside `{...}` or `[...]`, E0022 cut at ` #`,
    E0023 a `//` comment in text whose lines YAML joins.
    """
    if scalar.style == "double":
        return [_finding(scalar, "E0020", "an expression may not stand in double quotes",
                         "YAML takes `\"` and `\\` for itself; put it in single quotes", scalar.text)]
    if scalar.style == "plain" and scalar.in_flow:
        return [_finding(scalar, "E0021", "an expression inside `{...}` or `[...]` must be quoted",
                         "YAML cuts plain text at commas and brackets; put it in single quotes",
                         _whole_expression(scalar))]
    comment = scalar.comment
    if comment is not None:
        return [_cut(scalar)]
    if scalar.style in ("plain", "single", "folded") and _joined_comment(scalar):
        return [_finding(scalar, "E0023", "a `//` comment in wrapped text swallows the lines after it",
                         "YAML joins these lines into one; use a `|-` block, which keeps them", None)]
    return []


_KEY_LINE = Lazy(r"(:)[ \t]*(?:#[^\n]*)?\s*\Z")


def grid_text(scalar: Scalar) -> list[Diagnostic]:
    """E0024 for a grid whose lines YAML joins into one; empty where it stands in a block of its own."""
    if scalar.style == "literal" or "\n" not in scalar.raw.strip():
        return []
    document = scalar.document
    edits: tuple[Edit, ...] = ()
    if scalar.style == "folded":
        edits = (Edit(document.span(scalar.start, scalar.start + 1), "|"),)
    elif scalar.style == "plain" and (found := _KEY_LINE.compiled.search(document.text[:scalar.start])) is not None:
        if "\n" in document.text[found.end(1):scalar.start]:
            edits = (Edit(document.span(found.end(1), found.end(1)), " |"),)
    return [Diagnostic("E0024", "YAML joins the lines of this grid into one", scalar.document.span(
        scalar.start, max(document.line_end(scalar.start), scalar.start + 1)),
        help="put `|` behind the key, and the grid below it, indented", edits=edits)]


def _finding(scalar: Scalar, code: str, message: str, help_: str, text: str | None) -> Diagnostic:
    edits: tuple[Edit, ...] = ()
    safe = safe_form(text, _key_column(scalar), in_flow=scalar.in_flow) if text is not None else None
    if safe is not None:
        edits = (Edit(scalar.span, safe),)
        if "\n" not in safe and len(safe) <= 80:
            help_ = f"{help_}: `{safe}`"
    return Diagnostic(code, message, scalar.span, help=help_, edits=edits)


def _cut(scalar: Scalar) -> Diagnostic:
    """A plain scalar with ` #` behind it: part of the expression, or a comment on it."""
    document = scalar.document
    line_end = document.line_end(scalar.end)
    rest = document.text[scalar.end:line_end]
    whole = scalar.raw + rest
    if _open_string(scalar.text) and not _open_string(whole) and "\n" not in scalar.raw:
        span = document.span(scalar.start, line_end)
        return Diagnostic("E0022", "YAML cuts this expression at ` #`", span,
                          help=f"put it in single quotes: `{quoted(whole.rstrip())}`",
                          edits=(Edit(span, quoted(whole.rstrip())),))
    comment = document.span(scalar.end + len(rest) - len(rest.lstrip()), line_end)
    line, _ = document.position(scalar.start)
    start = document.starts[line - 1]
    above = document.span(start, start)
    text = document.text[start:line_end]
    pad = text[:len(text) - len(text.lstrip())]
    return Diagnostic("E0022", "a comment may not follow an expression on its line", comment,
                      help="YAML cuts text at ` #`, so put the comment on a line above, or the whole in single quotes",
                      edits=(Edit(above, f"{pad}{rest.strip()}\n"), Edit(document.span(scalar.end, line_end), "")))


def _whole_expression(scalar: Scalar) -> str | None:
    """The text of a plain scalar in a flow collection, or None where YAML seems to have cut it."""
    text = scalar.text
    balanced = all(text.count(a) <= text.count(b) for a, b in ("()", "[]")) and not _open_string(text)
    return text if balanced and not scalar.comment else None


def _open_string(text: str) -> bool:
    """Whether a string literal begins and does not end in `text`."""
    return '"' in _STRING.sub("", text)


def _joined_comment(scalar: Scalar) -> bool:
    """Whether a `//` outside strings stands in a line that YAML joins with a following one."""
    if "//" not in scalar.text or "\n" not in scalar.raw.strip():
        return False
    start, lines = 0, [m.start() for m in re.finditer("//", _STRING.sub(lambda m: " " * len(m[0]), scalar.text))]
    for start in lines:
        line_end = scalar.text.find("\n", start)
        stop = line_end if line_end >= 0 else len(scalar.text.rstrip())
        if scalar.locate(start, start).line != scalar.locate(stop, stop).line:
            return True
    return False


def _key_column(scalar: Scalar) -> int:
    """The indentation (from 0) of the line that the scalar starts on, list dashes included."""
    document = scalar.document
    line, _ = document.position(scalar.start)
    start = document.starts[line - 1]
    text = document.text[start:scalar.start]
    return len(text) - len(text.lstrip(" -"))
