"""What opening a model has in common: its file, its library, and the settings that name its inputs."""
from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from tierwise import PluginFailure, Setting, Settings

#: Bytes of a model file that are read at most.
LARGEST = 1 << 30
#: Characters of a digest that tell one model from another.
_DIGITS = 12
_SHOWN = 120

FILE: Mapping[str, Setting] = {
    "file": Setting("path", required=True, help="the model's file"),
    "version": Setting("text", help="what decisions record; the first twelve digits of the file's SHA-256 otherwise"),
    "sha256": Setting("text", help="the digest that the file must have; another file is refused"),
}
INPUTS: Mapping[str, Setting] = {
    "inputs": Setting("any", help="names for the model's columns: a list in their order, or `name: column`"),
}
THREADS: Mapping[str, Setting] = {
    "threads": Setting("number", default=1, help="threads that the library may use"),
}


@dataclass(frozen=True)
class ModelFile:
    """A model's file as it was when it was opened; later changes on disk do nothing."""

    #: As the deployment file names it.
    name: str
    content: bytes
    version: str

    def text(self) -> str:
        try:
            return self.content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise self.refused("is no text in UTF-8") from None

    def refused(self, what: str, way: str = "") -> PluginFailure:
        """A failure whose sentence begins with the file's name."""
        return PluginFailure(f"`{self.name}` {what}" + (f"; {way}" if way else ""))


def model_file(settings: Settings) -> ModelFile:
    """Read the file that `settings` name; raises `PluginFailure` where it is absent, too large or another one."""
    path: Path = settings["file"]
    name = path.relative_to(settings.folder.resolve()).as_posix() \
        if path.is_relative_to(settings.folder.resolve()) else path.name
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "is no file" if path.exists() else "does not exist"
            raise PluginFailure(f"the model's file `{name}` {what}; paths begin at the deployment file's folder")
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as problem:
        why = (problem.strerror or "unknown trouble").lower()
        raise PluginFailure(f"the model's file `{name}` cannot be read: {why}") from None
    if len(content) > LARGEST:
        raise PluginFailure(f"the model's file `{name}` is larger than {LARGEST >> 20} MiB")
    if not content.strip():
        raise PluginFailure(f"the model's file `{name}` is empty; copy it anew")
    digest = hashlib.sha256(content).hexdigest()
    wanted = settings["sha256"]
    if wanted is not None and str(wanted).strip().lower() != digest:
        raise PluginFailure(
            f"the model's file `{name}` is not the one that `sha256` names: its digest is {digest}; "
            "put the approved file there, or approve this one")
    return ModelFile(name, content, settings["version"] or digest[:_DIGITS])


def library(name: str, extra: str) -> Any:
    """The library that reads a model; raises `PluginFailure` where it is not there or does not start."""
    way = f'pip install "tierwise[{extra}]"'
    try:
        return import_module(name)
    except ModuleNotFoundError as problem:
        missing = (problem.name or name).partition(".")[0]
        raise PluginFailure(f"models of kind `{extra}` need {missing}: {way}") from None
    except (ImportError, OSError) as problem:
        raise PluginFailure(f"{name} does not start ({said(problem)}); {way}") from None


def said(problem: BaseException) -> str:
    """The first sentence of a library's own complaint about a model."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    line = lines[0] if lines else type(problem).__name__
    return line if len(line) <= _SHOWN else line[:_SHOWN] + "…"


@contextmanager
def loading(file: ModelFile, what: str, problems: tuple[type[BaseException], ...], way: str) -> Iterator[None]:
    """Turn what a library raises over a file into a failure that says what the file should have been."""
    try:
        yield
    except problems as problem:
        raise file.refused(f"is not {what} that can be read ({said(problem)})", way) from None


def threads(settings: Settings) -> int:
    number = settings["threads"]
    if number != int(number) or not 1 <= number <= 256:
        raise PluginFailure(f"`threads` is {number:g}; it may be a whole number from 1 to 256")
    return int(number)


def whole(settings: Settings, name: str, most: int) -> int:
    """A setting that is a whole number of 0 or more."""
    number = settings[name]
    if number != int(number) or not 0 <= number <= most:
        raise PluginFailure(f"`{name}` is {number:g}; it may be a whole number from 0 to {most}")
    return int(number)


def named(stated: Any, columns: Sequence[str] | None, count: int, file: ModelFile) -> list[tuple[str, int]]:
    """The names of inputs with the position of the model's column that each is for.

    `stated` is the setting `inputs`; `columns` are names that the model knows, None where it knows none.
    """
    if stated is None:
        if columns is None:
            raise file.refused(
                f"does not name its {count} columns", "name them in the model's order: `inputs: [first, second, ...]`")
        return _distinct([(name, at) for at, name in enumerate(columns)], file)
    if isinstance(stated, Sequence) and not isinstance(stated, str):
        if len(stated) != count:
            raise file.refused(f"takes {count} inputs, and `inputs` names {len(stated)}",
                               f"name all, in the model's order{_listed(columns)}")
        return _distinct([(str(name), at) for at, name in enumerate(stated)], file)
    if not isinstance(stated, Mapping):
        raise PluginFailure("`inputs` is neither a list of names nor `name: column` of the model")
    places = {column: at for at, column in enumerate(columns or [])}
    found = []
    for name, column in stated.items():
        at = places.get(str(column), column if isinstance(column, int) and not isinstance(column, bool) else None)
        if at is None or not 0 <= at < count:
            known = _listed(columns) or f"; its columns are numbered from 0 to {count - 1}"
            raise file.refused(f"has no column `{column}`, which `inputs` names for `{name}`{known}")
        found.append((str(name), at))
    pairs = _distinct(sorted(found, key=lambda pair: pair[1]), file)
    if left := sorted(set(range(count)) - {at for _, at in found}):
        which = ", ".join(f"`{columns[at] if columns else at}`" for at in left[:5])
        raise file.refused(f"has columns that `inputs` leaves out: {which}", "give each a name")
    return pairs


def _distinct(pairs: list[tuple[str, int]], file: ModelFile) -> list[tuple[str, int]]:
    if len({at for _, at in pairs}) < len(pairs):
        raise PluginFailure("`inputs` names one column of the model twice")
    names = [name for name, _ in pairs]
    if twice := [name for name in names if names.count(name) > 1]:
        raise file.refused(f"names two columns `{twice[0]}`", "give each a name of its own with `inputs`")
    if any(not name.strip() for name in names):
        raise file.refused("has a column without a name", "name its columns with `inputs`")
    return pairs


def _listed(columns: Sequence[str] | None) -> str:
    if not columns:
        return ""
    shown = ", ".join(f"`{name}`" for name in columns[:8])
    return f": {shown}" + (", ..." if len(columns) > 8 else "")


def missing_setting(default: str) -> Mapping[str, Setting]:
    what = "`model` asks the model about customers with a missing input, `none` gives them no score"
    return {"missing": Setting("text", default=default, values=("model", "none"), help=what)}
