"""What the real command does about a planted fault: `check`, `check --fix`, and `check` again."""
from __future__ import annotations

import contextlib
import io
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from engine.commands import run
from engine.policy import PolicyError
from tests.policies.meaning import meaning
from tests.policies.planting import Fault

#: `fixed`: sound again, and the policy means what it meant. `named`: what is left points at the line. `harmless`: it
#: never meant anything else. The others are faults of the product: `damaged` is sound and means something else,
#: `unnamed` points elsewhere, `unseen` was told by no word.
FIXED, NAMED, HARMLESS, DAMAGED, UNNAMED, UNSEEN = "fixed", "named", "harmless", "damaged", "unnamed", "unseen"
GOOD = (FIXED, NAMED, HARMLESS)


class Outcome(NamedTuple):
    what: str
    found: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        return self.what in GOOD


class Trial:
    """A copy of the shipped policies, in which faults take their turn."""

    def __init__(self, root: Path, work: Path) -> None:
        self.source = root / "policies"
        self.folder = work / "policies"
        shutil.copytree(self.source, self.folder)
        self._meanings: dict[Path, list[Any]] = {}

    def outcome(self, path: Path, fault: Fault) -> Outcome:
        """What becomes of a shipped policy with a fault in it."""
        copy = self.folder / path.relative_to(self.source)
        kept = copy.read_bytes()
        if copy not in self._meanings:
            self._meanings[copy] = meaning(copy)
        copy.write_text(fault.text, "utf-8")
        try:
            return self._tried(copy, fault, self._meanings[copy])
        finally:
            copy.write_bytes(kept)

    def _tried(self, copy: Path, fault: Fault, meant: list[Any]) -> Outcome:
        found = findings(copy)
        if not found:
            return Outcome(HARMLESS if meaning(copy) == meant else UNSEEN, ())
        told = tuple(f"{d['code']} at {place(d)}: {d['message']}" for d in found)
        if not any(touches(d, copy, fault.first, fault.last) for d in found):
            return Outcome(UNNAMED, told)
        command("check", "--fix", "--no-warnings", str(copy))
        after = copy.read_text("utf-8")
        left = findings(copy) if after != fault.text else found
        if not left:
            return Outcome(FIXED if meaning(copy) == meant else DAMAGED, told)
        if after == fault.text:
            return Outcome(NAMED, told)
        told += tuple(f"left {d['code']} at {place(d)}: {d['message']}" for d in left)
        if not any(d["severity"] == "error" for d in left):
            try:
                changed = meaning(copy) != meant
            except PolicyError:
                changed = True
            if changed:
                return Outcome(DAMAGED, told)
        more = max(0, after.count("\n") - fault.text.count("\n"))
        near = any(touches(d, copy, fault.first - more, fault.last + more) for d in left)
        return Outcome(NAMED if near else UNNAMED, told)


def findings(path: Path) -> list[dict[str, Any]]:
    """What `check` finds, warnings too."""
    found: list[dict[str, Any]] = json.loads(command("check", "--format", "json", str(path)))["diagnostics"]
    return found


def command(*arguments: str) -> str:
    """What the command prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        run(list(arguments))
    return out.getvalue()


def spoken(*arguments: str) -> str:
    """What the command prints and tells."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        run(list(arguments))
    return out.getvalue()


def place(found: dict[str, Any]) -> str:
    span = found["span"]
    return "no place" if span is None else f"{span['line']}:{span['column']}"


def touches(found: dict[str, Any], file: Path, first: int, last: int) -> bool:
    """Whether a finding, or a label of it, points at one of the lines of a file."""
    spans = [found["span"], *(label["span"] for label in found.get("labels", ()))]
    return any(s is not None and Path(s["file"]).name == file.name and s["line"] <= last and s["end_line"] >= first
               for s in spans)
