"""The project file `tierwise.yaml`: the root of a folder of policies, and what all of them may use.

It may be empty, or hold comments alone. What reads YAML is imported where there is a file to read.
"""
from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from engine.diagnostics import Diagnostic, Problem, Span
from engine.records import Record

#: Marks the root of a folder of policies.
PROJECT_FILE = "tierwise.yaml"
#: Bytes of a project file; it names a handful of files.
MAX_BYTES = 1_000_000
_EMPTY = "E0015"


class Listed(Record):
    """An entry of the file: its text, where it stands, and the path that it means, None for a name."""

    text: str
    span: Span
    path: Path | None


class Project(Record):
    """A project file; `plugins` is None where it says nothing of them. `sources` holds its text by its shown name."""

    path: Path
    plugins: tuple[Listed, ...] | None = None
    deployment: Listed | None = None
    sources: tuple[tuple[str, str], ...] = ()

    @property
    def folder(self) -> Path:
        return self.path.parent


class ProjectProblem(Problem):
    """What is wrong with a project file, with the text that it points into."""

    def __init__(self, *diagnostics: Diagnostic, sources: dict[str, str]) -> None:
        super().__init__(*diagnostics)
        self.sources = sources


def real(path: Path) -> Path:
    """A path without links; `Path.resolve` raises where links go in a circle."""
    return Path(os.path.realpath(path))


def find_project(start: Path) -> Path | None:
    """The project file of the nearest folder at or above `start`, a file or folder."""
    place = real(start)
    for folder in (place, *place.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder / PROJECT_FILE
    return None


def read_project(path: Path) -> Project:
    """Read a project file; raises `ProjectProblem` where it is not one."""
    name = shown(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES)
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        message = f"cannot read `{name}`: {reason}"
        unread = Diagnostic("E0001", message, Span(name, 1, 1, 1, 1), "check the permissions of the file")
        raise ProjectProblem(unread, sources={}) from None
    sources = {name: data.decode("utf-8", "replace")}
    nodes = import_module("engine.source.nodes")
    try:
        document = nodes.load_text(data, name)
    except Problem as problem:
        if [d.code for d in problem.diagnostics] == [_EMPTY]:
            return Project(path, sources=tuple(sources.items()))
        raise ProjectProblem(*problem.diagnostics, sources=sources) from None
    root = document.root
    if isinstance(root, nodes.Mapping) and "policy" in root:    # a policy that is called like one
        return Project(path, sources=tuple(sources.items()))
    found = [*document.problems, *import_module("engine.source.schema").validate(document, "project")]
    project = Project(path, sources=tuple(sources.items()))
    if isinstance(root, nodes.Mapping):
        plugins, deployment = root.get("plugins"), root.get("deployment")
        if isinstance(plugins, nodes.Sequence):
            texts = [item for item in plugins.items if isinstance(item, nodes.Scalar)]
            listed = tuple(_listed(item, path.parent, found, _is_path(item.text)) for item in texts)
            project = project.replace(plugins=listed)
        if isinstance(deployment, nodes.Scalar):
            project = project.replace(deployment=_listed(deployment, path.parent, found, True))
    if any(d.is_error for d in found):
        raise ProjectProblem(*found, sources=sources)
    return project


def _is_path(text: str) -> bool:
    """Whether an entry is a path rather than a name: `ratings.py`, `./ratings`, `plugins/ratings`."""
    return text.endswith(".py") or "/" in text or "\\" in text or text.startswith((".", "~"))


def _listed(item: Any, folder: Path, found: list[Diagnostic], is_path: bool) -> Listed:
    if not is_path:
        return Listed(item.text, item.span, None)
    text = item.text
    if "\x00" in text or text.startswith(("~", "/", "\\")) or ":" in text:
        found.append(Diagnostic("E0702", f"`{text}` is not a relative path", item.span,
                                f"name it relative to `{PROJECT_FILE}`"))
        return Listed(text, item.span, None)
    place = real(folder / text)
    if not place.is_relative_to(real(folder)):
        found.append(Diagnostic("E0702", f"`{text}` leads out of the project's folder", item.span,
                                f"keep it below the folder of `{PROJECT_FILE}`, or install it as a package"))
    elif not place.exists():
        found.append(Diagnostic("E0701", f"there is no `{text}`", item.span,
                                f"check the path, which is relative to `{PROJECT_FILE}`"))
    return Listed(text, item.span, place)


def shown(path: Path) -> str:
    """A path as it is named to people: relative to the working folder where it lies below."""
    try:
        return str(real(path).relative_to(os.path.realpath(Path.cwd())))
    except (ValueError, OSError):
        return str(path)
