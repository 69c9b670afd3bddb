"""What `tierwise new` writes: the files of `engine/beginnings`.

A file there is called as it will be, with `.in` behind; PACKAGE in a path stands for the Python package of a plugin.
In a text `$name` is what the command was given, `$$` a dollar.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template

_FOLDER = Path(__file__).resolve().parent.parent / "beginnings"
_ENDING = ".in"


def names(folder: str) -> tuple[str, ...]:
    """What a folder has to choose from, without endings, in order: languages of `policy`, places of `ci`."""
    return tuple(sorted(path.name.split(".")[0] for path in (_FOLDER / folder).glob(f"*{_ENDING}")))


def text(file: str, words: Mapping[str, str]) -> str:
    """One file filled in, as `policy/en.yaml`."""
    return Template((_FOLDER / f"{file}{_ENDING}").read_text("utf-8")).substitute(words)


def package(kind: str, words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The files of a plugin's package, by their place in it: those of every plugin and those of its kind."""
    words = {**words, "usage": text(f"plugin/{kind}.md", words)}
    for folder in (_FOLDER / "plugin" / "every", _FOLDER / "plugin" / kind):
        for path in sorted(p for p in folder.rglob(f"*{_ENDING}") if p.is_file()):
            place = path.relative_to(folder).as_posix().removesuffix(_ENDING).replace("PACKAGE", words["package"])
            yield place, Template(path.read_text("utf-8")).substitute(words)
