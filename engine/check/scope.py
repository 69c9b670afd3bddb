"""What names mean where an expression stands, and where findings go."""
from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.diagnostics import Diagnostic, Edit, Label, Span
from engine.records import Record
from engine.semantics.dtypes import Type
from engine.source.nodes import Scalar
from engine.syntax import ast

INPUT = "input"
PARAMETER = "parameter"
DECISION = "decision"
HISTORY = "history"
USE = "use"
LOCAL = "local"
FIELD = "field"
AS_OF = "as of"
PREVIOUS = "previous"


class Restriction(Record):
    """Why an expression may not read a name: a protected or monitor-only input."""

    code: str
    message: str
    help: str


class Binding(Record):
    """A name's meaning: `kind` is one of the constants above, `target` its qualified name in the program.

    For a `field` the target is the row variable, and `row` the row's type. `declared` is where it was declared."""

    kind: str
    target: str
    type: Type
    declared: Span | None = None
    restriction: Restriction | None = None
    row: Type | None = None


class Scope:
    """Names in scope, innermost first. `facts` are the names and paths known not to be null here."""

    def __init__(self, names: Mapping[str, Binding], outer: Scope | None = None) -> None:
        self.names = dict(names)
        self.outer = outer
        self.facts: frozenset[str] = outer.facts if outer is not None else frozenset()

    def find(self, name: str) -> Binding | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return None

    def inner(self, names: Mapping[str, Binding]) -> Scope:
        """A scope with further names; facts about names it hides are dropped."""
        child = Scope(names, self)
        child.facts = frozenset(f for f in self.facts if f.split(".", 1)[0] not in names)
        return child

    def knowing(self, facts: Iterable[str]) -> Scope:
        child = Scope({}, self)
        child.facts = self.facts | frozenset(facts)
        return child

    def all_names(self) -> list[str]:
        found: list[str] = []
        scope: Scope | None = self
        while scope is not None:
            found.extend(n for n in scope.names if n not in found)
            scope = scope.outer
        return found


class Slice:
    """A stretch of a scalar's text that is parsed by itself, such as a cell of a grid."""

    __slots__ = ("offset", "scalar", "text")

    def __init__(self, scalar: Scalar, offset: int, text: str) -> None:
        self.scalar = scalar
        self.offset = offset
        self.text = text

    def locate(self, start: int, end: int) -> Span:
        return self.scalar.locate(self.offset + start, self.offset + end)

    def verbatim(self, start: int, end: int) -> bool:
        """Whether the file holds this stretch as the text does, so that an edit can replace it."""
        first, last = self.scalar.indexes(self.offset + start, self.offset + end)
        return self.scalar.document.text[first:last] == self.text[start:end]


def whole(scalar: Scalar) -> Slice:
    """All of a scalar's text."""
    return Slice(scalar, 0, scalar.text)


class Report:
    """Collects findings, each once a place and code."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._seen: set[tuple[str, str, Span | None]] = set()

    def add(self, diagnostic: Diagnostic) -> None:
        key = (diagnostic.code, diagnostic.message, diagnostic.span)
        if key not in self._seen:
            self._seen.add(key)
            self.diagnostics.append(diagnostic)

    def at(
        self,
        code: str,
        message: str,
        span: Span | None,
        help: str | None = None,
        labels: tuple[Label, ...] = (),
        edits: tuple[Edit, ...] = (),
    ) -> None:
        self.add(Diagnostic(code, message, span, help, labels, edits))

    def on(
        self,
        code: str,
        message: str,
        place: Slice,
        node: ast.Node,
        help: str | None = None,
        labels: tuple[Label, ...] = (),
        replacement: str | None = None,
    ) -> None:
        """A finding on a syntax node of the text at `place`; `replacement` is a mechanical mend."""
        span = place.locate(node.start, node.end)
        mendable = replacement is not None and place.verbatim(node.start, node.end)
        edits = (Edit(span, replacement),) if replacement is not None and mendable else ()
        self.add(Diagnostic(code, message, span, help, labels, edits))

    @property
    def has_errors(self) -> bool:
        return any(d.is_error for d in self.diagnostics)


def _one_slip(one: str, two: str) -> bool:
    """Whether words of three letters or more differ by one letter changed, or two swapped."""
    if len(one) != len(two) or len(one) < 3:
        return False
    differing = [i for i, (a, b) in enumerate(zip(one, two, strict=True)) if a != b]
    if len(differing) == 2:
        i, j = differing
        return j == i + 1 and one[i] == two[j] and one[j] == two[i]
    return len(differing) == 1


def instead(span: Span | None, name: str | None) -> tuple[Edit, ...]:
    """The edit that puts the name that seems meant at `span`; none where no name does."""
    return () if span is None or name is None else (Edit(span, name),)


def closest(name: str, names: Iterable[str]) -> str | None:
    """The declared name that a person most likely meant, None where none is near."""
    candidates = list(names)
    folded = {c.casefold().replace("_", " "): c for c in candidates}
    found = folded.get(name.casefold().replace("_", " "))
    if found is not None:
        return found
    import difflib  # noqa: PLC0415 - wanted only where something is misspelt

    near = difflib.get_close_matches(name, candidates, n=1, cutoff=0.7)
    if near:
        return near[0]
    slipped = next((c for c in candidates if _one_slip(name, c)), None)
    if slipped is not None:
        return slipped
    if not name.isascii():                              # an ideograph says as much as many letters
        alike = [c for c in candidates if len(c) == len(name) == 2 and (c[0] == name[0]) != (c[1] == name[1])]
        if len(alike) == 1:
            return alike[0]
    near = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.7)
    return folded[near[0]] if near else None
