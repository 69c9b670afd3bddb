"""Reading a deployment file: names, references and settings, each with its place."""
from __future__ import annotations

import re
from collections.abc import Mapping as Map
from collections.abc import Sequence as Seq
from pathlib import Path
from typing import Any

from engine.check.scope import closest
from engine.diagnostics import Diagnostic, Edit, Label, Problem, Span
from engine.records import Record
from engine.semantics.temporal import parse_duration
from engine.source.nodes import Document, Mapping, Node, Scalar, Sequence, load_file, normal
from engine.source.schema import validate

#: Seconds that a source or model may take for one customer, and until the next rows of a portfolio.
TIMEOUT, BATCH_TIMEOUT = 10.0, 600.0
#: The settings that every kind has; the engine keeps them.
COMMON = ("kind", "timeout", "batch timeout")

_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_TIME = re.compile(r"(\d+(?:\.\d+)?|\.\d+) ?(ms|s|min|m|h|d)?", re.ASCII)


class DeploymentError(Problem):
    """A deployment that cannot be used; `diagnostics` say why, `sources` hold the texts that they point into."""

    def __init__(self, diagnostics: Seq[Diagnostic], sources: Map[str, str]) -> None:
        super().__init__(*diagnostics)
        self.sources = dict(sources)


class Entry(Record):
    """A source, model or output: its kind, and its settings as they stand in the file."""

    name: str
    kind: str
    kind_at: Span
    at: Span
    settings: Mapping
    timeout: float = TIMEOUT
    batch_timeout: float = BATCH_TIMEOUT


class Reference(Record):
    """`core.firms.revenue`: a source, and behind it a table and, of an input, a field. `rest` is not yet told apart,
    since a table's name may hold dots too."""

    text: str
    source: str
    rest: str
    node: Scalar

    @property
    def at(self) -> Span:
        return self.node.span


class InputBinding(Record):
    """Where an input is taken from, the preferred first. `stale_after` is a duration, None for any age."""

    name: str
    at: Span
    references: tuple[Reference, ...]
    stale_after: Any = None
    stale_at: Span | None = None


class HistoryBinding(Record):
    """Where a history is taken from; `fields` are columns by the history's field, with their places."""

    name: str
    at: Span
    reference: Reference
    fields: Map[str, tuple[str, Span]]


class Deployment(Record):
    """A deployment file as read. Nothing is opened, and no secret is looked up."""

    name: str
    path: Path
    document: Document
    sources: Map[str, Entry]
    customers: Reference | None
    inputs: Map[str, InputBinding]
    histories: Map[str, HistoryBinding]
    models: Map[str, Entry]
    output: Entry | None

    @property
    def folder(self) -> Path:
        return self.path.parent

    def error(self, diagnostics: Seq[Diagnostic]) -> DeploymentError:
        """What is wrong with it, with its text."""
        return DeploymentError(diagnostics, {self.document.name: self.document.text})


def read_deployment(path: str | Path) -> Deployment:
    """Read the file at `path`; raises DeploymentError with everything that is wrong with it by itself."""
    place = Path(path)
    try:
        document = load_file(place, str(path))
    except Problem as problem:
        raise DeploymentError(problem.diagnostics, {str(path): _text(place)}) from None
    found = [*document.problems, *validate(document, "deployment")]
    if any(d.is_error for d in found):
        raise DeploymentError(found, {document.name: document.text})
    root = document.root
    assert isinstance(root, Mapping)
    reader = _Reader(place, document, found)
    deployment = reader.read(root)
    if found:
        raise DeploymentError(found, {document.name: document.text})
    return deployment


def _text(path: Path) -> str:
    """The text of a file that could not be loaded, for the lines that messages show."""
    try:
        with path.open("rb") as file:
            return file.read(1_000_000).decode("utf-8", "replace")
    except OSError:
        return ""


class _Reader:
    def __init__(self, path: Path, document: Document, found: list[Diagnostic]) -> None:
        self.path = path
        self.document = document
        self.found = found
        self.sources: dict[str, Entry] = {}

    def read(self, root: Mapping) -> Deployment:
        self.sources = self.entries(root.get("sources"))
        models = self.entries(root.get("models"))
        output = root.get("output")
        customers = root.get("customers")
        inputs, histories = root.get("inputs"), root.get("history")
        return Deployment(
            _scalar(root.get("deployment")), self.path, self.document, self.sources,
            None if customers is None else self.reference(customers),
            {normal(k.text): self.input(k, v) for k, v in _entries(inputs)},
            {normal(k.text): self.history(k, v) for k, v in _entries(histories)},
            models, None if output is None else self.entry("output", root.key("output"), output),
        )

    def entries(self, node: Node | None) -> dict[str, Entry]:
        found = {}
        for key, value in _entries(node):
            name = normal(key.text)
            if "." in name:
                self.add("E0954", f"the name `{name}` holds a dot", key.span,
                         "name it without one: references have the form `source.table.field`")
            found[name] = self.entry(name, key, value)
        return found

    def entry(self, name: str, key: Scalar | None, value: Node) -> Entry:
        assert isinstance(value, Mapping) and key is not None
        kind = value.get("kind")
        assert kind is not None
        return Entry(
            name, _scalar(kind), kind.span, key.span, value, self.time(value, "timeout", TIMEOUT),
            self.time(value, "batch timeout", BATCH_TIMEOUT),
        )

    def time(self, entry: Mapping, key: str, usual: float) -> float:
        node = entry.get(key)
        if not isinstance(node, Scalar):
            return usual
        found = seconds(node.text)
        if found is None or found <= 0:
            self.add("E0952", f"`{node.text}` is no time for `{key}`", node.span, "write a number and a unit, as `2s`, "
                     "`500ms` or `5min`")
            return usual
        return found

    def reference(self, node: Node) -> Reference:
        text = _scalar(node)
        assert isinstance(node, Scalar)
        source, _, rest = text.partition(".")
        source = source.strip()
        if source not in self.sources:
            self.unknown(node, source)
        return Reference(text, source, rest.strip(), node)

    def unknown(self, node: Scalar, source: str) -> None:
        near = closest(source, self.sources)
        start = node.text.find(source)
        at = node.locate(start, start + len(source))
        listed = ", ".join(f"`{name}`" for name in self.sources) or "none"
        help = f"did you mean `{near}`?" if near else f"the deployment has the sources {listed}"
        edits = (Edit(at, near),) if near else ()
        self.found.append(Diagnostic("E0954", f"there is no source `{source}`", at, help, edits=edits))

    def input(self, key: Scalar, value: Node) -> InputBinding:
        stale, stale_at = None, None
        taken: Node | None = value
        if isinstance(value, Mapping):
            taken = value.get("from")
            node = value.get("stale after")
            if isinstance(node, Scalar):
                stale, stale_at = parse_duration(node.text), node.span
                if stale is None:
                    self.add("E0952", f"`{node.text}` is no duration", node.span, "write one such as `P30D` or `P6M`")
        listed = taken.items if isinstance(taken, Sequence) else [taken]
        references = tuple(self.reference(node) for node in listed if node is not None)
        seen: dict[str, Reference] = {}
        for reference in references:
            if reference.text in seen:
                first = Label(seen[reference.text].at, "first named here")
                self.found.append(Diagnostic(
                    "E0954", f"`{reference.text}` is named twice for `{normal(key.text)}`", reference.at,
                    "name each field once", (first,)
                ))
            seen.setdefault(reference.text, reference)
        return InputBinding(normal(key.text), key.span, references, stale, stale_at)

    def history(self, key: Scalar, value: Node) -> HistoryBinding:
        fields: dict[str, tuple[str, Span]] = {}
        table: Node | None = value
        if isinstance(value, Mapping):
            table = value.get("table")
            fields = {normal(k.text): (_scalar(v), v.span) for k, v in _entries(value.get("fields"))}
        assert table is not None
        return HistoryBinding(normal(key.text), key.span, self.reference(table), fields)

    def add(self, code: str, message: str, at: Span, help: str) -> None:
        self.found.append(Diagnostic(code, message, at, help))


def seconds(text: str) -> float | None:
    """A time such as `2s`, `500ms`, `5min` or `PT2S` in seconds, a number alone in seconds; None where it is none."""
    found = _TIME.fullmatch(text.strip())
    if found is not None:
        return float(found[1]) * _SECONDS[found[2] or "s"]
    duration = parse_duration(text.strip()) if text.strip()[:1] == "P" else None
    total = getattr(duration, "total_seconds", None)
    return None if total is None else float(total())


def _entries(node: Node | None) -> Seq[tuple[Scalar, Node]]:
    return node.entries if isinstance(node, Mapping) else ()


def _scalar(node: Node | None) -> str:
    assert isinstance(node, Scalar)
    return node.text.strip()
