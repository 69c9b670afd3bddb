"""YAML's syntax errors in words that a policy author can act on.

The parser's own texts name indicators, tokens and contexts. What went wrong is mostly one of
a few things (a value that needs quotes, an unclosed quote, indentation), and which one it
was shows in the line itself.
"""
from __future__ import annotations

import re
from typing import Any

from engine.diagnostics import Diagnostic, Edit, Label
from engine.semantics.lazy import Lazy
from engine.source.quoting import quoted
from engine.source.tree import Document

# Indentation, list dashes, key and colon; then the value.
_ENTRY = re.compile(r"(?P<lead>\s*(?:-\s+)*)(?P<key>[^\s#].*?:(?:\s+|$))?(?P<value>.*)")
#: A key of up to four words, a colon without its space, and a value that is no address.
_KEY_AND_VALUE = Lazy(r"\s*(?:- )?[^\W\d][\w-]*(?: [\w-]+){0,3}(?P<colon>:(?=[^\s/:])|：\s*)(?:(?!: |：).)*")
_BLOCK = Lazy(r":\s+[|>][-+\d]*\s*(?:#.*)?$")
_FULL_WIDTH = {"：": ":", "，": ",", "“": '"', "”": '"', "‘": "'", "’": "'", "｛": "{", "｝": "}", "［": "[", "］": "]",
               "－": "-", "＃": "#", "\u3000": " "}


class _Place:
    """The line that an index stands on."""

    def __init__(self, document: Document, index: int) -> None:
        self.document = document
        self.index = min(index, len(document.text))
        self.line, self.column = document.position(self.index)
        self.start = document.starts[self.line - 1]
        self.stop = document.line_end(self.start)
        self.text = document.text[self.start:self.stop]
        entry = _ENTRY.match(self.text)
        assert entry is not None                        # every part of the pattern may be empty
        self.value_start = self.start + entry.start("value")
        self.value = entry["value"].rstrip()
        self.has_key = entry["key"] is not None
        self.key = (entry["key"] or "").rstrip().removesuffix(":")

    @property
    def value_end(self) -> int:
        return self.value_start + len(self.value)

    @property
    def content(self) -> tuple[int, int]:
        """The line without its indentation and trailing blanks."""
        stripped = self.text.strip()
        start = self.start + len(self.text) - len(self.text.lstrip())
        return start, start + len(stripped)


def complain(document: Document, error: Any, quoted_lines: tuple[int, int] | None = None) -> Diagnostic:
    """The diagnostic for an error of the YAML parser; `quoted_lines` is where the last text in quotes starts and
    ends that runs over several lines."""
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    context = str(getattr(error, "context", None) or "")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    context_mark = getattr(error, "context_mark", None) or mark
    at = _Place(document, mark.index if mark is not None else 0)
    opened = _Place(document, context_mark.index if context_mark is not None else at.index)
    if "exceed" in problem:                             # libyaml's own bound, met where it looks ahead
        return Diagnostic("E0016", "values are nested too deep", document.span(at.index, at.index + 1),
                          help="a policy needs fewer than ten levels; look for brackets or indentation gone wrong")
    found = (_run_on(document, at, quoted_lines) or _tab(document, at, problem)
             or _in_quotes(document, at, opened, problem, context) or _block_header(at, opened, context)
             or _needs_quotes(document, at, opened, problem, context)
             or _brackets(document, at, opened, context) or _text_behind(document, at, problem)
             or _structure(document, at, opened, problem))
    if found is None:
        found = Diagnostic("E0005", "this line is not well-formed YAML", document.span(*at.content),
                           help="look at the quotes, colons and indentation of this line and the one above")
    return _with_full_width_hint(found, at, opened)


def _run_on(document: Document, at: _Place, quoted_lines: tuple[int, int] | None) -> Diagnostic | None:
    """Text behind a quote that closed lines further down: the one that opens the next text, most likely."""
    if quoted_lines is None:
        return None
    start, end = quoted_lines
    last = _Place(document, end - 1)
    if last.line != at.line or at.index < end:
        return None
    quote = document.text[start]
    return Diagnostic("E0008", f"the quote `{quote}` that opens here is not closed on its line",
                      document.span(start, document.line_end(start)),
                      labels=(Label(document.span(end - 1, end), "so that this one closes it"),),
                      help=f"close it with `{quote}` at the end of the text"
                           + ("; inside single quotes write `''` for one" if quote == "'" else ""))


def _tab(document: Document, at: _Place, problem: str) -> Diagnostic | None:
    blank = at.text[:len(at.text) - len(at.text.lstrip())]
    if "\t" not in blank:
        return None
    start = at.start + blank.index("\t")
    if not ("tab" in problem or "cannot start any token" in problem or start <= at.index <= at.start + len(blank)):
        return None
    return Diagnostic("E0006", "a tab may not indent a line", document.span(start, at.start + len(blank)),
                      help="indent with spaces, two for each level; most editors can convert tabs")


def _in_quotes(document: Document, at: _Place, opened: _Place, problem: str, context: str) -> Diagnostic | None:
    if "quoted scalar" not in context:
        return None
    quote = document.text[opened.index:opened.index + 1]
    if "escape" in problem or "hex" in problem:
        slash = document.text.rfind("\\", opened.index, at.index + 1)
        slash = slash if slash >= 0 else at.index
        escape = document.text[slash:slash + 2]
        return Diagnostic("E0018", f"`{escape}` is no escape that double quotes know", document.span(slash, slash + 2),
                          help="use single quotes, in which `\\` is an ordinary character")
    return Diagnostic("E0008", f"the quote `{quote}` that opens here is never closed",
                      document.span(opened.index, max(opened.stop, opened.index + 1)),
                      help=f"close it with `{quote}` at the end of the text"
                           + ("; inside single quotes write `''` for one" if quote == "'" else ""))


def _block_header(at: _Place, opened: _Place, context: str) -> Diagnostic | None:
    if "block scalar" not in context:
        return None
    sign = at.document.text[opened.index:opened.index + 1]
    if sign == ">" or (sign == "|" and opened.value.strip()):
        return _quote_value(opened, opened.index, f"a value that starts with `{sign}` must be quoted",
                            f"YAML takes `{sign}` there for the start of a block of text")
    return None


def _needs_quotes(document: Document, at: _Place, opened: _Place, problem: str, context: str) -> Diagnostic | None:
    char = document.text[at.index:at.index + 1]
    if "cannot start any token" in problem:
        return _quote_value(at, at.index, f"a value that starts with `{char}` must be quoted",
                            f"YAML keeps `{char}` for itself")
    if "anchor" in context or "alias" in context or "scanning a tag" in context or "parsing a tag" in context:
        sign = document.text[opened.index:opened.index + 1]
        return _quote_value(opened, opened.index, f"a value that starts with `{sign}` must be quoted",
                            f"YAML keeps `{sign}` for itself")
    if "mapping values are not allowed" in problem:
        before = document.text[at.value_start:at.index]
        if at.has_key and at.value_start < at.index and before[:1] not in ("'", '"'):
            return _quote_value(at, at.value_start, "a value with `: ` in it must be quoted",
                                "YAML takes the second colon for another key")
        return None
    if "node content" in problem and char in ("]", "}", ","):
        return _quote_value(at, at.value_start if at.value_start <= at.index else at.index,
                            f"a value that starts with `{char}` must be quoted", f"YAML keeps `{char}` for itself")
    if "mapping keys are not allowed" in problem:
        return _quote_value(at, at.index, "a value that starts with `? ` must be quoted", "YAML keeps `?` for itself")
    return None


def _text_behind(document: Document, at: _Place, problem: str) -> Diagnostic | None:
    """A value that starts with a quote or bracket and goes on behind the closing one."""
    started = at.value[:1]
    ended = at.value_start < at.index < at.value_end and document.text[at.start:at.index].strip()
    if ended and started in ("'", '"', "[", "{") and ("expected" in problem):
        if started in ("'", '"'):
            message = "text follows the closing quote"
            why = "YAML ends the value at the second quote"
        else:
            message = "text follows the closing bracket"
            why = f"YAML takes `{started}` for the start of a {'list' if started == '[' else 'mapping'}"
        if started == "'":
            return Diagnostic("E0009", message, document.span(at.index, at.value_end),
                              help="inside single quotes write `''` for one quote")
        return _quote_value(at, at.value_start, message, why, document.span(at.index, at.value_end))
    return None


def _quote_value(at: _Place, start: int, message: str, why: str, span: Any = None) -> Diagnostic:
    """The value from `start` to the end of its line wants quotes."""
    document = at.document
    before = document.text[at.start:start]
    in_flow = before.count("{") + before.count("[") > before.count("}") + before.count("]")
    value = document.text[start:at.value_end]
    if in_flow:
        value = re.split(r"[,}\]]", value, maxsplit=1)[0].rstrip()
    end = start + len(value)
    edits: tuple[Edit, ...] = ()
    help_ = f"{why}; put the value in single quotes"
    if value and " #" not in value:
        edits = (Edit(document.span(start, end), quoted(value)),)
        if len(value) <= 80:
            help_ += f": `{quoted(value)}`"
    return Diagnostic("E0009", message, span or document.span(start, max(end, start + 1)), help=help_, edits=edits)


def _brackets(document: Document, at: _Place, opened: _Place, context: str) -> Diagnostic | None:
    if "flow" not in context:
        return None
    text = document.text
    opener = text[opened.index:opened.index + 1]
    if opener not in ("[", "{"):                        # nothing follows a bracket, up to the end of the file
        back = max(text.rfind("[", 0, opened.index), text.rfind("{", 0, opened.index))
        opened = _Place(document, max(back, 0))
        opener = text[opened.index:opened.index + 1]
    closer = {"[": "]", "{": "}"}.get(opener, "]")
    what = {"[": "list", "{": "mapping"}.get(opener, "list")
    rest = text[opened.index:opened.stop]
    if opener == "[" and rest.rstrip().endswith(")") and ".." in rest:
        return _quote_value(opened, opened.index, "a value that starts with `[` must be quoted",
                            "YAML takes `[` for the start of a list")
    labels: tuple[Label, ...] = ()
    if at.line == opened.line and at.index < len(text):
        return Diagnostic("E0008", f"expected `,` or `{closer}` in the {what} that opens on this line",
                          document.span(at.index, at.index + 1), labels=(Label(document.span(
                              opened.index, opened.index + 1), f"the {what} opens here"),),
                          help="put quotes around a text that holds commas, colons or brackets")
    if at.index < len(text):
        labels = (Label(document.span(*at.content), "still inside it here"),)
    return Diagnostic("E0008", f"the `{opener}` that opens here is never closed",
                      document.span(opened.index, opened.index + 1), labels=labels,
                      help=f"close it with `{closer}`, or put quotes around a text that starts with `{opener}`")


def _structure(document: Document, at: _Place, opened: _Place, problem: str) -> Diagnostic | None:
    line = document.span(*at.content)
    if at.text.lstrip().startswith((": ", ":\t")) or at.text.strip() == ":":
        return Diagnostic("E0017", "a key is missing before the colon", line, help="write `key: value`")
    if "sequence entries are not allowed" in problem:
        if at.has_key:
            return Diagnostic("E0007", "a list may not start on the line of its key",
                              document.span(at.index, max(at.value_end, at.index + 1)),
                              help="put each `- ` on a line of its own below, or quote a text that starts with `- `")
        return Diagnostic("E0007", "this `- ` does not line up with anything", line, help=_LINE_UP)
    if "could not find expected ':'" in problem:
        place = opened if opened.text.strip() else at
        return Diagnostic("E0005", "expected `key: value` on this line", document.span(*place.content),
                          help=_colon_help(place), edits=_spaced_colon(place))
    if "mapping values are not allowed" in problem:
        above = _line_above(document, at)
        if above is not None and (edits := _spaced_colon(above)):
            return Diagnostic("E0005", "expected `key: value` on this line", document.span(*above.content),
                              help=_colon_help(above), edits=edits)
        labels: tuple[Label, ...] = ()
        if above is not None:
            labels = (Label(document.span(*above.content), "this line already has a value"),)
        return Diagnostic("E0007", "this line is indented as if it belonged to the value above", line, labels=labels,
                          help="a key with a value of its own can hold no further keys; line up keys of one level")
    if "expected" in problem:
        if at.index >= len(document.text):
            return Diagnostic("E0005", "the file ends before this is complete", document.span(*opened.content))
        above = _line_above(document, at)
        if above is not None and (edits := _spaced_colon(above)):
            return Diagnostic("E0005", "expected `key: value` on this line", document.span(*above.content),
                              help=_colon_help(above), edits=edits)
        labels = _deeper(document, at)
        if not labels and opened.line != at.line:
            labels = (Label(document.span(*opened.content), "in the block that starts here"),)
        return Diagnostic("E0007", "this line does not line up with the lines above", line, labels=labels,
                          help=_LINE_UP)
    return None


_LINE_UP = "keys of one level start in the same column, and so do the dashes of one list"


def _deeper(document: Document, at: _Place) -> tuple[Label, ...]:
    """The first line above that begins the same block further in, where one does."""
    own = at.content[0] - at.start
    first: _Place | None = None
    above = _line_above(document, at)
    while above is not None and above.content[0] - above.start > own:
        first = above
        above = _line_above(document, above)
    if first is None or above is None or above.content[0] - above.start == own or _BLOCK.compiled.search(above.text):
        return ()
    if (above.content[0] - above.start) % 2 and own % 2 == 0:      # levels are two spaces: that line lacks one
        first = above
    column = first.content[0] - first.start + 1
    return (Label(document.span(*first.content), f"this line starts in column {column}, that one in {own + 1}"),)


def _spaced_colon(place: _Place) -> tuple[Edit, ...]:
    """`key:value` and `key：value`, where nothing else can be meant."""
    found = _KEY_AND_VALUE.fullmatch(place.text.partition(" #")[0].rstrip())
    if found is None:
        return ()
    start = place.start + found.start("colon")
    return (Edit(place.document.span(start, start + len(found["colon"])), ": "),)


def _colon_help(place: _Place) -> str:
    text = place.text.strip()
    if "\t" in text:
        return "rows pasted from a spreadsheet become a grid by `tierwise fmt`, or by `tierwise check --fix`"
    if "：" in text:
        return "the full-width `：` is no colon to YAML; write `: `"
    if re.search(r"\S:\S", text):
        return "a space belongs after the colon"
    return "write a colon and a space after the key, or indent the line if it continues the text above"


def _line_above(document: Document, at: _Place) -> _Place | None:
    for line in range(at.line - 2, -1, -1):
        above = _Place(document, document.starts[line])
        if above.text.strip() and not above.text.lstrip().startswith("#"):
            return above
    return None


def _with_full_width_hint(found: Diagnostic, *places: _Place) -> Diagnostic:
    """A hint where full-width punctuation stands in the line, a frequent slip with Chinese input methods."""
    for place in places:
        for wide, narrow in _FULL_WIDTH.items():
            if wide in place.text and (found.help is None or wide not in found.help):
                name = "a full-width space" if wide == "\u3000" else f"the full-width `{wide}`"
                hint = f"{name} means nothing to YAML; type `{narrow}`" if narrow != " " else f"{name} does not count"
                return found.replace(help=f"{found.help}; {hint}" if found.help else hint)
    return found
