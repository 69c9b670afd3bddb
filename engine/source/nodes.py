"""Loading a YAML file into nodes with spans.

`load_file` and `load_text` return a `Document`; what was wrong stands in its `problems`,
all of it in one run, and `Problem` is raised only where nothing can be loaded (the file
cannot be read, is too large or too deep, is not UTF-8 or not YAML). Nothing is resolved
or constructed: tags, anchors, aliases, merge keys and repeated keys are refused, and scalars
keep the text that was typed.

The events of libyaml are read one by one rather than composed, so that depth and size are
bounded before anything is built (its own composer recurses on the C stack).
"""
from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from engine.diagnostics import Diagnostic, Edit, Label, Problem, Span
from engine.semantics.lazy import Lazy
from engine.source.complaints import complain
from engine.source.encoding import decode
from engine.source.tree import Document, Mapping, Node, Scalar, Sequence, normal

__all__ = ["Document", "Mapping", "Node", "Scalar", "Sequence", "load_file", "load_text", "normal"]

#: libyaml's event parser, or None where PyYAML was built without it.
CParser: Any = getattr(getattr(yaml, "cyaml", None), "CParser", None)

MAX_BYTES = 4_000_000
MAX_SCALAR = 500_000
MAX_DEPTH = 100
MAX_NODES = 100_000
MAX_PROBLEMS = 100

#: A group of thousands that stands as a key, the number before it, and the whole.
_GROUP = Lazy(r"[0-9]{3}")
_BEFORE = Lazy(r"(?<![\w.,])([0-9]{1,3}(?:,[0-9]{3})*),$")
_GROUPED = Lazy(r"[0-9]{1,3}(?:,[0-9]{3})+")

_STYLES = {None: "plain", "": "plain", "'": "single", '"': "double", "|": "literal", ">": "folded"}


def load_file(
    path: str | Path, display_name: str | None = None, seen: Callable[[bytes], None] | None = None
) -> Document:
    """Load the file at `path`; `display_name` is the name in messages (the path as given), and `seen` is told
    the bytes that were read."""
    name = display_name if display_name is not None else str(path)
    place = Path(path)
    try:
        found = place.stat()
        if stat.S_ISDIR(found.st_mode):
            raise Problem(_unreadable(name, "it is a folder", "name the file in it"))
        if not stat.S_ISREG(found.st_mode):             # a pipe may never end, and cannot be read again
            raise Problem(_unreadable(name, "it is a pipe or device", "a policy is a file"))
        if found.st_size > MAX_BYTES:
            raise Problem(_too_large(name, found.st_size))
        with place.open("rb") as file:
            data = file.read(MAX_BYTES + 1)             # bounded again: it may grow meanwhile
    except FileNotFoundError:
        raise Problem(_unreadable(name, "there is no such file", "check the path, relative to where you are")) from None
    except PermissionError:
        raise Problem(_unreadable(name, "it may not be read", "check the permissions of the file")) from None
    except (OSError, ValueError) as error:              # ValueError: a null character in the path
        raise Problem(_unreadable(name, str(getattr(error, "strerror", None) or error).lower(), None)) from None
    if seen is not None:
        seen(data)
    return load_text(data, name)


def load_text(data: bytes | str, name: str = "<text>") -> Document:
    """Load YAML from bytes (UTF-8, a byte order mark is allowed) or text."""
    if len(data) > MAX_BYTES:
        raise Problem(_too_large(name, len(data)))
    document = decode(data, name)
    return _Builder(document).build()


def _too_large(name: str, size: int) -> Diagnostic:
    return Diagnostic("E0002", f"the file is too large: {size:,} bytes, where {MAX_BYTES:,} are allowed",
                      Span(name, 1, 1, 1, 1), help="keep data in CSV or Parquet files and name these in the policy")


def _unreadable(name: str, why: str, help_: str | None) -> Diagnostic:
    # At its first line, since code hosts take no finding without a place.
    return Diagnostic("E0001", f"cannot read `{name}`: {why}", Span(name, 1, 1, 1, 1), help=help_)


def parser_for(text: str) -> Any:
    """An event parser over `text`: libyaml's, or PyYAML's own where that is not built in."""
    return CParser(text) if CParser is not None else PurePythonParser(text)


class PurePythonParser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
    """The event parser without libyaml; some thirty times slower."""

    def __init__(self, text: str) -> None:
        yaml.reader.Reader.__init__(self, text)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)


class _Frame:
    """A mapping or sequence being read."""

    __slots__ = ("end", "entries", "flow", "index", "items", "key", "key_seen", "start")

    def __init__(self, start: int, end: int, flow: bool, is_mapping: bool) -> None:
        self.start = start
        self.end = end
        self.flow = flow
        self.items: list[Node] = []
        self.entries: list[tuple[Scalar, Node]] | None = [] if is_mapping else None
        self.index: dict[str, int] = {}
        self.key: Scalar | None = None                  # None with key_seen: a key that was refused
        self.key_seen = False


class _Builder:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Diagnostic] = list(document.problems)
        self.stack: list[_Frame] = []
        self.root: Node | None = None
        self.flow_depth = 0
        self.count = 0
        self.quoted: tuple[int, int] | None = None      # the last text in quotes that runs over lines

    def build(self) -> Document:
        document = self.document
        parser = parser_for(document.text)
        try:
            self._read(parser)
        except yaml.YAMLError as error:
            found = complain(document, error, self.quoted)
            if any(p.span and found.span and p.span.line == found.span.line for p in self.problems):
                raise Problem(*self.problems) from None     # what was refused on the line is why it does not parse
            raise Problem(*self.problems, found) from None
        finally:
            parser.dispose()
        document.problems = tuple(self.problems)
        if self.root is None or (isinstance(self.root, Scalar) and self.root.is_empty):
            way = "start with `policy: a name`, or run `tierwise new policy`"
            if document.name.endswith((".test.yaml", ".test.yml")):
                way = "start with `test:` and the name of the policy beside it"
            raise Problem(*self.problems, Diagnostic("E0015", "the file is empty", document.span(0, 0), help=way))
        document.root = self.root
        return document

    def _read(self, parser: Any) -> None:
        document = self.document
        next_event = parser.get_event
        documents = 0
        while True:
            event = next_event()
            kind = type(event)
            if kind is ScalarEvent:
                if event.tag is not None or event.anchor is not None:
                    self._decorated(event)
                if len(event.value) > MAX_SCALAR:
                    self._too_long(event)
                if event.start_mark.line != event.end_mark.line and event.style in ("'", '"'):
                    self.quoted = event.start_mark.index, event.end_mark.index
                node: Node = Scalar(document, event.value, _STYLES[event.style], event.start_mark.index,
                                    event.end_mark.index, self.flow_depth > 0)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                if event.tag is not None or event.anchor is not None:
                    self._decorated(event)
                self._open(event, kind is MappingStartEvent)
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                node = self._close(event)
            elif kind is AliasEvent:
                start, end = event.start_mark.index, event.end_mark.index
                self._problem(Diagnostic("E0012", f"the alias `*{event.anchor}` is not allowed in a policy",
                                         document.span(start, end), help=_NO_ALIAS))
                node = Scalar(document, "", "alias", start, end, self.flow_depth > 0)
            elif kind is DocumentStartEvent:
                documents += 1
                if documents > 1:
                    start = event.start_mark.index
                    self._problem(Diagnostic("E0014", "a second document starts here, and a file holds one",
                                             document.span(start, start + 3),
                                             help="delete the `---` line, or move what follows to a file of its own"))
                    return
                continue
            elif kind is StreamEndEvent:
                return
            else:
                continue
            self.count += 1
            if self.count > MAX_NODES:
                raise Problem(*self.problems, Diagnostic(
                    "E0002", f"the file holds more than {MAX_NODES:,} values", document.span(node.start, node.start),
                    help="keep data in CSV or Parquet files and name these in the policy"))
            self._attach(node)

    def _too_long(self, event: Any) -> None:
        start = event.start_mark.index
        raise Problem(*self.problems, Diagnostic(
            "E0002", f"a text of {len(event.value):,} characters is too long, where {MAX_SCALAR:,} are allowed",
            self.document.span(start, start + 1),
            help="keep data in CSV or Parquet files and name these in the policy"))

    def _open(self, event: Any, is_mapping: bool) -> None:
        start = event.start_mark.index
        if len(self.stack) >= MAX_DEPTH:
            raise Problem(*self.problems, Diagnostic(
                "E0016", f"values are nested more than {MAX_DEPTH} deep", self.document.span(start, start + 1),
                help="a policy needs fewer than ten levels; look for brackets or indentation gone wrong"))
        flow = bool(event.flow_style)
        self.flow_depth += flow
        self.stack.append(_Frame(start, event.end_mark.index, flow, is_mapping))

    def _close(self, event: Any) -> Node:
        frame = self.stack.pop()
        # A block ends where the next token begins, lines further down; its last child is its end.
        end = event.end_mark.index if frame.flow else frame.end
        inside = self.flow_depth > frame.flow
        self.flow_depth -= frame.flow
        if frame.entries is None:
            return Sequence(self.document, tuple(frame.items), frame.start, end, inside)
        return Mapping(self.document, tuple(frame.entries), frame.start, end, inside, frame.index)

    def _attach(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        frame = self.stack[-1]
        if node.end > frame.end:
            frame.end = node.end
        if frame.entries is None:
            frame.items.append(node)
        elif not frame.key_seen:
            frame.key_seen = True
            frame.key = self._key(node, frame)
        else:
            frame.key_seen = False
            if frame.key is not None:
                frame.index[normal(frame.key.text)] = len(frame.entries)
                frame.entries.append((frame.key, node))

    def _key(self, node: Node, frame: _Frame) -> Scalar | None:
        """The node as a key, or None where it cannot be one (its value is then left out)."""
        if not isinstance(node, Scalar):
            self._problem(Diagnostic("E0017", f"a {node.what} cannot be a key", node.span,
                                     help="keys are names; put `'` around a name that starts with `[` or `{`"))
            return None
        if node.style == "alias":
            return None
        if not node.text.strip():
            self._problem(Diagnostic("E0017", "a key is missing before the colon", node.span,
                                     help="write `key: value`"))
            return None
        if node.text == "<<" and node.style == "plain":
            self._problem(Diagnostic("E0013", "the merge key `<<` is not allowed in a policy", node.span,
                                     help="write the merged keys out here"))
            return None
        if frame.flow and _GROUP.fullmatch(node.text) and self._number(node):
            return None
        name = normal(node.text)
        at = frame.index.get(name)
        if at is not None:
            assert frame.entries is not None
            first = frame.entries[at][0]
            self._problem(Diagnostic("E0010", f"the key `{name}` is given twice", node.span,
                                     help="rename or delete one of the two; YAML would silently keep the last",
                                     labels=(Label(first.span, "first given here"),)))
            return None
        return node

    def _number(self, node: Scalar) -> bool:
        """Whether a key in `{...}` is what YAML cut from a number with thousands separators; it is reported once."""
        before = _BEFORE.compiled.search(self.document.text, max(0, node.start - 40), node.start)
        if before is None:
            return False
        whole = _GROUPED.match(self.document.text, before.start(1))
        assert whole is not None                        # it begins with what was found before the key
        bare = whole[0].replace(",", "")
        span = self.document.span(*whole.span())
        found = Diagnostic("E0009", "YAML cuts this number at its commas", span, edits=(Edit(span, bare),),
                           help=f"write it without thousands separators: `{bare}`")
        if found not in self.problems:
            self._problem(found)
        return True

    def _decorated(self, event: Any) -> None:
        """A tag or an anchor before a value."""
        document = self.document
        start = event.start_mark.index
        words = document.text[start:document.line_end(start)].split(maxsplit=2)
        at = start
        for word in words[:2]:
            at = document.text.index(word, at)
            span = document.span(at, at + len(word))
            if word.startswith("!"):
                self._problem(Diagnostic("E0011", f"the tag `{word}` is not allowed in a policy", span,
                                         help="delete it, or put `'` around the value if the `!` belongs to it"))
            elif word.startswith("&"):
                self._problem(Diagnostic("E0012", f"the anchor `{word}` is not allowed in a policy", span,
                                         help=_NO_ALIAS))
            at += len(word)

    def _problem(self, found: Diagnostic) -> None:
        self.problems.append(found)
        if len(self.problems) >= MAX_PROBLEMS:
            raise Problem(*self.problems)


_NO_ALIAS = ("write the value out, or name it once as a feature or parameter; "
             "put `'` around a text that starts with `*` or `&`")
