"""Where plugins are found: beside the engine, among installed packages, at a path. Nothing is imported here."""
from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

from engine import bundled
from engine.diagnostics import Span
from engine.hooks.problems import near, problem
from engine.records import Record
from engine.source.project import real, shown

GROUP = "tierwise"


class Origin(Enum):
    """How a plugin came to be asked."""

    BUILT_IN = "built-in"
    INSTALLED = "installed"
    PROJECT = "project"
    OPTION = "option"
    GIVEN = "given"


class Candidate(Record):
    """A plugin that may be loaded.

    `file` is what is loaded by its place, `entry` an entry point of an installed package, `module` what was given
    loaded. `folder` holds the plugin's own files, None where that is not known before it is imported.
    """

    name: str
    origin: Origin
    place: str
    file: Path | None = None
    entry: Any = None
    module: Any = None
    folder: Path | None = None
    span: Span | None = None
    version: str | None = None

    @property
    def id(self) -> str:
        """The name that no other plugin may have; built-in ones stand apart, so that a bank's may be called alike."""
        return f"{self.origin.value}/{self.name}" if self.origin is Origin.BUILT_IN else self.name


def built_in(module: str, version: str) -> Candidate:
    """A built-in plugin, a module or package of `plugins/`."""
    folder = bundled.folder("plugins")
    package = folder / module / "__init__.py"
    file = package if package.is_file() else folder / f"{module}.py"
    return Candidate(module, Origin.BUILT_IN, f"plugins/{module}", file, folder=folder, version=version)


def at_path(path: Path, origin: Origin, span: Span | None = None) -> Candidate:
    """The plugin at a path, a Python file or the folder of a package; raises `PluginProblem` where there is none."""
    place = real(path)
    name = shown(path)
    if not place.exists():
        raise problem("E1001", f"there is no plugin at `{name}`", span, _beside(place))
    if place.is_dir():
        if not (place / "__init__.py").is_file():
            raise problem("E1001", f"the folder `{name}` is no Python package", span, _package_in(place, name))
        return Candidate(place.name, origin, name, place / "__init__.py", folder=place, span=span)
    if place.suffix != ".py":
        way = "name a file that ends in `.py`, or the folder of a package"
        raise problem("E1001", f"`{name}` is no Python file", span, way)
    if place.name == "__init__.py":
        return Candidate(place.parent.name, origin, shown(place.parent), place, folder=place.parent, span=span)
    return Candidate(place.stem, origin, name, place, folder=place.parent, span=span)


def _beside(place: Path) -> str:
    """The way out where nothing is at a path: what lies beside it."""
    try:
        names = [p.name for p in place.parent.iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()]
    except OSError:
        names = []
    close = near(place.name, names)
    if close is not None:
        return f"did you mean `{close}`?"
    return "name a file that ends in `.py`, or the folder of a package; an installed plugin needs no path"


def _package_in(place: Path, name: str) -> str:
    """The way out for a folder without `__init__.py`: the package in a project's folder, where there is one."""
    found = sorted((*place.glob("src/*/__init__.py"), *place.glob("*/__init__.py")))
    packages = [file.parent for file in found if file.parent.name not in ("tests", "test")]
    if packages:
        return f"name the package in it: `{name}/{packages[0].relative_to(place).as_posix()}`"
    return "name a Python file, or a folder that holds `__init__.py`"


def installed() -> list[Candidate]:
    """The plugins of installed packages, by their metadata alone."""
    from importlib import metadata  # noqa: PLC0415 - slow to import, and most commands need no installed plugin

    found = []
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda e: (e.name, e.value)):
        package = entry.dist
        place = entry.value if package is None else f"{package.name} {package.version}"
        version = None if package is None else package.version
        found.append(Candidate(entry.name, Origin.INSTALLED, place, entry=entry, version=version))
    return found
