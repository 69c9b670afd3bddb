"""Where the files of a policy lie: imports relative to the importer, inside one root.

The root is the nearest folder above the first policy that holds a `tierwise.yaml`
project file, else that policy's own folder. No reference leaves it, through `..`,
an absolute path or a link.
"""
from __future__ import annotations

import csv
import io
import itertools
import os
from pathlib import Path

from engine.diagnostics import Diagnostic, Problem, Span
from engine.reads import Reads
from engine.source.declare import PolicyFile, declare
from engine.source.nodes import Document, Mapping, load_file
from engine.source.project import PROJECT_FILE, real
from engine.source.schema import validate

__all__ = ["PROJECT_FILE", "Files", "real"]

#: Bytes and rows of a lookup table; a larger one belongs in the data.
MAX_TABLE_BYTES = 20_000_000
MAX_TABLE_ROWS = 200_000


class Files:
    """Loads the files of one policy, each once, under names relative to where a person stands."""

    def __init__(self, first: Path) -> None:
        self.first = first
        self.reads = Reads()
        start = first if self.is_folder(first) else first.parent
        self.root = self._root(self._place(start))
        self.documents: dict[Path, Document] = {}
        self._policies: dict[Path, tuple[PolicyFile | None, tuple[Diagnostic, ...]]] = {}

    def _root(self, start: Path) -> Path:
        for folder in (start, *start.parents):
            if self.reads.holds("file", folder / PROJECT_FILE):
                return folder
        return start

    def _place(self, path: Path) -> Path:
        return Path(self.reads.ask("place", path))

    def is_folder(self, path: Path) -> bool:
        return self.reads.holds("folder", path)

    def versions(self, folder: Path) -> list[Path]:
        """The policy files of a folder of versions, tests left out."""
        self.reads.ask("listing", folder)
        return sorted(p for p in folder.glob("*.yaml") if not p.name.endswith(".test.yaml") and p.name != PROJECT_FILE)

    @property
    def sources(self) -> dict[str, str]:
        """The text of every file read, by its shown name."""
        return {d.name: d.text for d in self.documents.values()}

    def shown(self, path: Path) -> str:
        """A path as it is named to people: relative to the working folder where it lies below."""
        try:
            return str(real(path).relative_to(Path.cwd()))
        except ValueError:
            return str(path)

    def policy(self, path: Path) -> tuple[PolicyFile | None, tuple[Diagnostic, ...]]:
        """The declared policy file at `path`, None where nothing can be made of it, and its findings."""
        key = self._place(path)
        if key not in self._policies:
            self._policies[key] = self._load(path)
        return self._policies[key]

    def _load(self, path: Path) -> tuple[PolicyFile | None, tuple[Diagnostic, ...]]:
        try:
            document = self._document(path)
        except Problem as problem:
            self._remember(path)
            return None, problem.diagnostics
        self.documents[real(path)] = document
        findings = (*document.problems, *validate(document, "policy"))
        if not isinstance(document.root, Mapping):
            return None, findings
        return declare(document), findings

    def _document(self, path: Path) -> Document:
        """A YAML file; raises Problem. What could not be read at all is not to be remembered."""
        read: list[bytes] = []
        try:
            return load_file(path, self.shown(path), read.append)
        finally:
            for data in read:
                self.reads.content(path, data)
            if not read:
                self.reads.whole = False

    def _remember(self, path: Path) -> None:
        """Keep a broken file's text, so that its findings can be shown with their lines."""
        if not os.path.isfile(path):
            return
        try:
            with path.open("rb") as file:
                data = file.read(1_000_000)
        except OSError:
            return
        name = self.shown(path)
        self.documents[real(path)] = Document(data.decode("utf-8", "replace"), name)

    def resolve(self, importer: PolicyFile, reference: str, span: Span, endings: tuple[str, ...]) -> Path:
        """The file or folder a reference names; raises Problem where there is none inside the root."""
        base = self._path_of(importer).parent
        if "\x00" in reference or reference.startswith(("~", "/", "\\")) or ":" in reference:
            raise Problem(
                Diagnostic("E0702", f"`{reference}` is not a relative path", span, "name the file relative to this one")
            )
        for ending in endings:
            candidate = self._place(base / f"{reference}{ending}")
            if not candidate.is_relative_to(self.root):
                raise Problem(
                    Diagnostic(
                        "E0702",
                        f"`{reference}` leads out of the policy's folder",
                        span,
                        f"keep it under `{self.shown(self.root)}`, or put a `{PROJECT_FILE}` in a folder above both",
                    )
                )
            if self.reads.holds("exists", candidate):
                return candidate
        way = f"a list stands in brackets: `[{reference}]`" if "," in reference else self._near(base, reference)
        raise Problem(Diagnostic("E0701", f"there is no `{reference}`", span, way))

    def _near(self, base: Path, reference: str) -> str:
        folder = (base / reference).parent
        self.reads.ask("listing", folder)
        try:
            names = sorted(p.stem for p in folder.iterdir() if p.suffix == ".yaml" or p.is_dir())
        except OSError:
            return "check the path, which is relative to this file"
        shown = ", ".join(f"`{n}`" for n in names[:8])
        return f"in that folder are {shown}" if shown else "check the path, which is relative to this file"

    def _path_of(self, file: PolicyFile) -> Path:
        return next(p for p, d in self.documents.items() if d is file.document)

    def yaml(self, path: Path) -> Document:
        """A YAML file other than a policy; raises Problem."""
        document = self._document(path)
        self.documents[real(path)] = document
        return document

    def table(self, path: Path, span: Span) -> list[list[str]]:
        """The rows of a CSV table, its header first; raises Problem."""
        name = self.shown(path)
        try:
            if not os.path.isfile(path):
                raise Problem(Diagnostic("E0708", f"`{name}` is not a file", span, "name a CSV file"))
            size = path.stat().st_size
            if size > MAX_TABLE_BYTES:
                self.reads.whole = False
                message = f"`{name}` is too large for a lookup: {size:,} bytes, where {MAX_TABLE_BYTES:,} are allowed"
                raise Problem(Diagnostic("E0708", message, span, "bind it as a history"))
            data = path.read_bytes()
            self.reads.content(path, data)
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Problem(Diagnostic("E0708", f"`{name}` is not UTF-8 text", span, "save it as CSV UTF-8")) from None
        except OSError as error:
            self.reads.whole = False
            reason = (error.strerror or "it cannot be read").lower()
            raise Problem(Diagnostic("E0708", f"cannot read `{name}`: {reason}", span)) from None
        if "\0" in text:
            raise Problem(Diagnostic("E0708", f"`{name}` holds a NUL character", span, "save it as CSV UTF-8"))
        try:
            lines = csv.reader(io.StringIO(text, newline=""), strict=True)
            rows = list(itertools.islice((row for row in lines if row), MAX_TABLE_ROWS + 2))
        except csv.Error as error:
            raise Problem(Diagnostic("E0708", f"`{name}` is not a CSV file: {error}", span)) from None
        if len(rows) > MAX_TABLE_ROWS + 1:
            message = f"`{name}` has more than {MAX_TABLE_ROWS:,} rows, too many for a lookup"
            raise Problem(Diagnostic("E0708", message, span, "bind it as a history"))
        if len(rows) < 2:
            raise Problem(Diagnostic("E0708", f"`{name}` has no rows", span, "its first line names the columns"))
        ragged = next((i for i, row in enumerate(rows, 1) if len(row) != len(rows[0])), None)
        if ragged is not None:
            found, wanted = len(rows[ragged - 1]), len(rows[0])
            raise Problem(
                Diagnostic("E0708", f"line {ragged} of `{name}` has {found} cells, where the header has {wanted}", span,
                           "mend the line; a cell that holds a comma stands in double quotes")
            )
        return rows
