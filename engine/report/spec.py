"""Reads what a report is to tell; names of columns are held against the data when these are open."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.diagnostics import Diagnostic, Problem, Span
from engine.records import Record
from engine.source.nodes import Mapping, Scalar, Sequence, load_file, normal
from engine.source.schema import validate

LEAST, DAYS = 30, 15


class SpecError(Problem):
    """A description that cannot be used; `diagnostics` say why, `sources` hold the text that they point into."""

    def __init__(self, diagnostics: list[Diagnostic], sources: dict[str, str]) -> None:
        super().__init__(*diagnostics)
        self.sources = sources


class Named(Record):
    """A name in the file with its place."""

    text: str
    at: Span


class Part(Record):
    """A part of the description: its keys' single values, and lists of values."""

    one: dict[str, Named]
    many: dict[str, tuple[Named, ...]]

    def name(self, key: str) -> str | None:
        found = self.one.get(key)
        return None if found is None else found.text

    def names(self, key: str) -> tuple[str, ...]:
        return tuple(n.text for n in self.many.get(key, ()))

    def number(self, key: str, usual: int) -> int:
        found = self.one.get(key)
        return usual if found is None else int(float(found.text))

    def is_number(self, key: str) -> bool:
        """Whether a number stands there, or nothing: what may be a column is none then."""
        found = self.one.get(key)
        return found is None or found.text.replace(".", "", 1).isdigit()

    def numbers(self, key: str) -> tuple[int, ...]:
        return tuple(int(float(n.text)) for n in self.many.get(key, ()))


class WhatIf(Record):
    """The results under another assumption, with columns that are called otherwise."""

    name: str
    results: Named
    columns: dict[str, str]


class Spec(Record):
    """A report's description. Paths are relative to its folder, those of what runs made to `made`."""

    path: Path
    made: Path
    text: str
    top: Part
    parts: dict[str, Part]
    what_ifs: tuple[WhatIf, ...]
    sections: tuple[tuple[str, Span, Mapping], ...]

    def file(self, place: Named) -> str:
        """The path that a name of the file stands for."""
        return str(self.path.parent / place.text)

    def result(self, place: Named) -> str:
        """The path that a name of results of a run stands for."""
        return str(self.made / place.text)

    def error(self, code: str, message: str, at: Span, help: str) -> SpecError:
        return SpecError([Diagnostic(code, message, at, help)], {at.file: self.text})


def read_spec(path: str, made: str | None = None) -> Spec:
    """The description at `path`, with results of runs in the folder `made` or beside it; raises SpecError with
    everything that is wrong with it by itself."""
    try:
        document = load_file(Path(path), path)
    except Problem as problem:
        raise SpecError(list(problem.diagnostics), {path: ""}) from None
    found = [*document.problems, *validate(document, "report")]
    if found:
        raise SpecError(found, {document.name: document.text})
    root = document.root
    assert isinstance(root, Mapping)
    apart = ("what if", "sections")
    parts = {normal(k.text): _part(v) for k, v in root.entries if isinstance(v, Mapping) and k.text not in apart}
    holder = root.get("what if")
    what_ifs = tuple(
        _what_if(k, v) for k, v in (holder.entries if isinstance(holder, Mapping) else ()) if isinstance(v, Mapping)
    )
    further = root.get("sections")
    sections = tuple(
        (normal(k.text), k.span, v) for k, v in (further.entries if isinstance(further, Mapping) else ())
        if isinstance(v, Mapping)
    )
    folder = Path(path).parent if made is None else Path(made)
    return Spec(Path(path), folder, document.text, _part(root), parts, what_ifs, sections)


def _part(node: Mapping) -> Part:
    one: dict[str, Named] = {}
    many: dict[str, tuple[Named, ...]] = {}
    for key, value in node.entries:
        if isinstance(value, Scalar):
            one[normal(key.text)] = _named(value)
        elif isinstance(value, Sequence):
            many[normal(key.text)] = tuple(_named(v) for v in value.items if isinstance(v, Scalar))
    return Part(one, many)


def _named(node: Scalar) -> Named:
    return Named(normal(node.text), node.span)


def _what_if(key: Scalar, node: Mapping) -> WhatIf:
    columns = node.get("columns")
    entries: Any = columns.entries if isinstance(columns, Mapping) else ()
    results = node.get("results")
    assert isinstance(results, Scalar)
    return WhatIf(
        normal(key.text), _named(results), {normal(k.text): normal(v.text) for k, v in entries if isinstance(v, Scalar)}
    )


