"""What earlier checks found, kept between processes for files that have not changed.

One entry is of one kind (findings, or a loaded policy) and one path as it was named from one
working folder, by one build of the engine. It holds every question that was asked of the file
system with its answer (`engine.reads`), the findings, and the texts that these point into; a
changed byte in any file read, or an import that appeared, makes it void. Entries are JSON under
a digest of their bytes, so that a damaged one is ignored; they hold data, never code, and a
folder that others may write into is not used.

The folder is `tierwise` in the user's cache folder. TIERWISE_CACHE names another, or turns
remembering off with `0`. Whatever goes wrong here means a check anew, never an error.
"""
from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from engine import __version__
from engine.diagnostics import Diagnostic, Edit, Label, Span
from engine.reads import Reads, digest, unchanged
from engine.records import Record

_FORMAT = 2
FINDINGS = "findings"
#: Bounds of an entry in bytes, and of the folder in entries; the oldest go first.
MAX_ENTRY = 8_000_000
MAX_ENTRIES = 200
_OFF = "0"


class Remembered(Record):
    """What a check found: its findings, the texts of the files that they name, and what else was kept."""

    diagnostics: tuple[Diagnostic, ...]
    sources: dict[str, str]
    more: Any = None


def recall(path: str, kind: str = FINDINGS) -> Remembered | None:
    """What was found about `path` last time, None where that is not known or no longer holds."""
    place = _entry(path, kind)
    if place is None:
        return None
    try:
        with open(place, "rb") as file:
            mark, data = file.readline(100), file.read(MAX_ENTRY + 1)
        if len(data) > MAX_ENTRY or mark.decode("ascii").strip() != digest(data):
            return None
        entry = json.loads(data)
        if entry["format"] != _FORMAT or not unchanged(entry["reads"]):
            return None
        found = tuple(_diagnostic(d) for d in entry["diagnostics"])
        return Remembered(found, {str(name): str(text) for name, text in entry["sources"].items()}, entry["more"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def remember(
    path: str, reads: Reads, diagnostics: Sequence[Diagnostic], sources: Mapping[str, str], kind: str = FINDINGS,
    more: object = None,
) -> None:
    """Keep what was found about `path`, and `more` of it as JSON values."""
    place = _entry(path, kind) if reads.whole else None
    if place is None:
        return
    named = {span.file for d in diagnostics for span in _spans(d)}
    entry = {
        "format": _FORMAT, "reads": reads.listed(), "diagnostics": [_plain(d) for d in diagnostics],
        "sources": {name: text for name, text in sources.items() if name in named}, "more": more,
    }
    try:
        data = json.dumps(entry).encode("ascii")
        if len(data) <= MAX_ENTRY:
            _write(place, b"%b\n%b" % (digest(data).encode("ascii"), data))
    except (OSError, ValueError):
        return


def _write(place: str, data: bytes) -> None:
    """Write a file whole or not at all, and drop the oldest ones where there are too many."""
    folder = os.path.dirname(place)
    draft = f"{place}.{os.getpid()}"
    try:
        with open(draft, "wb") as file:
            file.write(data)
        os.replace(draft, place)
    except OSError:
        if os.path.exists(draft):
            os.unlink(draft)
        raise
    with os.scandir(folder) as entries:
        files = sorted((entry.stat().st_mtime, entry.path) for entry in entries if entry.is_file())
    for _, old in files[:-MAX_ENTRIES]:
        os.unlink(old)


def _entry(path: str, kind: str) -> str | None:
    """Where the entry of `path` lies; None where nothing is to be remembered."""
    folder = _folder()
    if folder is None:
        return None
    try:
        key = "\0".join((kind, _engine(), os.getcwd(), path))
    except OSError:
        return None
    return os.path.join(folder, f"{digest(key.encode('utf-8', 'surrogateescape'))}.json")


def _folder() -> str | None:
    """The folder of entries, made where it is not there; None where it is off, not ours alone, or cannot be made."""
    named = os.environ.get("TIERWISE_CACHE", "")
    if named == _OFF:
        return None
    home = os.path.expanduser("~")
    if named:
        base = named
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches", "tierwise")
    elif os.name == "nt":
        base = os.path.join(os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local"), "tierwise")
    else:
        base = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "tierwise")
    folder = os.path.join(base, "checks")
    if not os.path.isabs(folder):
        return None
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        state = os.stat(folder)
    except OSError:
        return None
    if os.name == "posix" and (state.st_uid != os.geteuid() or state.st_mode & 0o022):
        return None
    return folder


@cache
def _engine() -> str:
    """What this engine is: its version and Python's, and the size and time of each of its files."""
    root = os.path.dirname(os.path.abspath(__file__))
    parts = [__version__, sys.version]
    folders = [root]
    beside = os.path.dirname(root)
    if os.path.isfile(os.path.join(beside, "pyproject.toml")):
        # a wheel keeps them under the engine
        folders += [os.path.join(beside, name) for name in ("schemas", "plugins")]
    while folders:
        with os.scandir(folders.pop()) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
        for entry in listed:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    folders.append(entry.path)
            else:
                state = entry.stat()
                parts.append(f"{entry.path} {state.st_size} {state.st_mtime_ns}")
    return digest("\n".join(parts).encode("utf-8", "surrogateescape"))


def _spans(diagnostic: Diagnostic) -> list[Span]:
    spans = [label.span for label in diagnostic.labels] + [edit.span for edit in diagnostic.edits]
    return spans if diagnostic.span is None else [diagnostic.span, *spans]


def _plain(d: Diagnostic) -> list[Any]:
    return [
        d.code, d.message, None if d.span is None else _span(d.span), d.help,
        [[_span(label.span), label.text] for label in d.labels], [[_span(e.span), e.replacement] for e in d.edits],
    ]


def _span(span: Span) -> list[Any]:
    return [span.file, span.line, span.column, span.end_line, span.end_column]


def _diagnostic(plain: list[Any]) -> Diagnostic:
    code, message, span, help_, labels, edits = plain
    return Diagnostic(
        code, message, None if span is None else Span(*span), help_,
        tuple(Label(Span(*place), text) for place, text in labels),
        tuple(Edit(Span(*place), text) for place, text in edits),
    )


def recall_text(key: str) -> str | None:
    """A text that was kept under `key`, which says all that it was made from."""
    place = _entry(key, "text")
    if place is None:
        return None
    try:
        with open(place, "rb") as file:
            mark, data = file.readline(100), file.read(MAX_ENTRY + 1)
        if len(data) > MAX_ENTRY or mark.decode("ascii").strip() != digest(data):
            return None
        return data.decode("utf-8")
    except (OSError, ValueError):
        return None


def remember_text(key: str, text: str) -> None:
    """Keep a text that hangs on nothing but `key`."""
    place = _entry(key, "text")
    data = text.encode("utf-8", "surrogatepass")
    if place is None or len(data) > MAX_ENTRY:
        return
    try:
        _write(place, b"%b\n%b" % (digest(data).encode("ascii"), data))
    except OSError:
        return
