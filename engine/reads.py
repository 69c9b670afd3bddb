"""What was asked of the file system, so that it can be asked again.

A check hangs on more than the bytes it reads: on which of two spellings of an import exists,
on a project file that is not there, on where a link leads, on what a folder holds. Whoever
reads files for a check asks through `Reads`, which notes each question with its answer; where
all answers are still the same, so is the check.

Paths are kept absolute. `os.path` serves rather than pathlib, since this runs before anything
else of a command.
"""
from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable

#: Beyond it a file is read again rather than remembered, in bytes; no file of a policy is larger.
MAX_BYTES = 64_000_000


def _content(path: str) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        return "unreadable"
    return digest(data)


def _listing(path: str) -> str:
    """The names in a folder, each with whether it is a folder itself."""
    try:
        with os.scandir(path) as entries:
            names = sorted(f"{entry.name}{'/' if entry.is_dir() else ''}" for entry in entries)
    except OSError:
        return "unreadable"
    return digest("\0".join(names).encode("utf-8", "surrogateescape"))


def _yes(holds: Callable[[str], bool]) -> Callable[[str], str]:
    return lambda path: "yes" if holds(path) else "no"


_QUESTIONS: dict[str, Callable[[str], str]] = {
    "content": _content,
    "exists": _yes(os.path.exists),
    "file": _yes(os.path.isfile),
    "folder": _yes(os.path.isdir),
    "listing": _listing,
    "place": os.path.realpath,
}


def digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=20).hexdigest()


class Reads:
    """Questions about files, and the answers that a check hung on.

    `whole` is False where something was read that cannot be asked again, or where one question had
    two answers because a file changed meanwhile: then nothing may be remembered.
    """

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], str] = {}
        self.whole = True

    def _note(self, question: str, path: str, answer: str) -> str:
        if self.answers.setdefault((question, path), answer) != answer:
            self.whole = False
        return answer

    def content(self, path: str | os.PathLike[str], data: bytes) -> None:
        """Note the bytes that were read of a file."""
        if len(data) > MAX_BYTES:
            self.whole = False
        self._note("content", os.path.abspath(path), digest(data))

    def ask(self, question: str, path: str | os.PathLike[str]) -> str:
        """Ask whether a path "exists", is a "file" or "folder" (yes or no), its real "place", or a digest
        of a folder's "listing"."""
        absolute = os.path.abspath(path)
        return self._note(question, absolute, _QUESTIONS[question](absolute))

    def holds(self, question: str, path: str | os.PathLike[str]) -> bool:
        """`ask`, for the questions that are answered by yes or no."""
        return self.ask(question, path) == "yes"

    def listed(self) -> list[list[str]]:
        """As plain data: question, path and answer."""
        return [[question, path, answer] for (question, path), answer in self.answers.items()]


def unchanged(listed: Iterable[list[str]]) -> bool:
    """Whether each question still has its answer; False for a question that nobody asks."""
    return all(question in _QUESTIONS and _QUESTIONS[question](path) == answer for question, path, answer in listed)
