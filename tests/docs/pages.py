"""Pages of documentation as scripts: files are written, commands run, what they print is compared.

A fenced block is one of
- ```` ```yaml policy.yaml ````: a file, by the path behind the language. A policy must be without findings
  when the next command runs, unless the word `wrong` stands behind the path. `version` there says that the
  policy is the folder, `part` that the block shows lines of a file that is there.
- ```` ```console ````: lines that start with `$ ` are commands (`tierwise ...` alone), the lines beneath one are
  what it prints on standard output and standard error. A line `...` stands for any lines, `...` within a line
  for any text.
- anything else is not looked at.

Each page has a folder of its own, and its blocks are taken in order.
"""
from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from engine.commands import run
from engine.policy import check_policy
from engine.render import render_text

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block; `start` and `end` are offsets of its text in the page, `line` counts from 1."""

    language: str
    words: tuple[str, ...]
    text: str
    start: int
    end: int
    line: int


class Step(NamedTuple):
    """A command of a console block and what the page says it prints."""

    command: str
    shown: str


def blocks(page: str) -> Iterator[Block]:
    for match in _FENCE.finditer(page):
        language, *words = match[1].split() or [""]
        line = page.count("\n", 0, match.start()) + 1
        yield Block(language, tuple(words), match[2], match.start(2), match.end(2), line)


def is_policy(block: Block) -> bool:
    if block.language != "yaml" or any(word.endswith(".test.yaml") for word in block.words):
        return False
    named = re.search("^(policy|report):", block.text, re.MULTILINE)     # a report names a policy, too
    return named is not None and named[1] == "policy"


def steps(console: str) -> list[Step]:
    """The commands of a console block; a command goes on where its line ends in a backslash."""
    found: list[Step] = []
    lines = iter(console.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command += "\n" + next(lines)
            found.append(Step(command, ""))
        else:
            assert found, f"a console block starts with `$ `, not `{line}`"
            found[-1] = Step(found[-1].command, f"{found[-1].shown}{line}\n")
    return found


def agree(shown: str, printed: str) -> bool:
    """Whether a page shows what was printed, `...` left open; empty lines at the end do not count."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else ".*".join(map(re.escape, line.split("..."))) + r"\n"
        for line in shown.rstrip("\n").splitlines()
    )
    return re.fullmatch(pattern, printed.rstrip("\n") + "\n" if printed.strip() else "") is not None


def replayed(console: str, execute: Callable[[str], str]) -> str:
    """A console block as its commands print it now; what agrees is kept as it stands."""
    parts: list[str] = []
    for step in steps(console):
        printed = execute(step.command)
        shown = step.shown if agree(step.shown, printed) else printed.rstrip("\n") + "\n" if printed.strip() else ""
        parts.append(f"$ {step.command}\n{shown}")
    return "".join(parts)


def tierwise(command: str) -> str:
    """What a command prints, in this process: both streams as a terminal mixes them."""
    name, *arguments = shlex.split(command.replace("\\\n", " "))
    assert name == "tierwise", f"a page runs `tierwise`, not `{name}`"
    screen = io.StringIO()
    with contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen):
        before, sys.stdin = sys.stdin, io.StringIO()
        try:
            run(arguments)
        finally:
            sys.stdin = before
    assert "Traceback" not in screen.getvalue()
    return screen.getvalue()


def replay(page: str, folder: Path) -> str:
    """The page as it ought to be, its blocks carried out in `folder`; fails where a policy has findings."""
    unchecked: list[Path] = []
    parts: list[str] = []
    done = 0
    with contextlib.chdir(folder):
        for block in blocks(page):
            if block.language == "console":
                _check(unchecked)
                parts += (page[done:block.start], replayed(block.text, tierwise))
                done = block.end
            elif "part" in block.words:
                shown = f"\n{block.text}"
                assert shown in f"\n{Path(block.words[0]).read_text('utf-8')}", f"{block.words[0]} has no such lines"
            elif block.words and block.language != "text":
                path = Path(block.words[0])
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text, encoding="utf-8")
                if is_policy(block) and "wrong" not in block.words:
                    unchecked.append(path.parent if "version" in block.words else path)
        _check(unchecked)
    return "".join(parts) + page[done:]


def _check(paths: list[Path]) -> None:
    for path in paths:
        checked = check_policy(path)
        assert not checked.diagnostics, render_text(checked.diagnostics, checked.sources)
    paths.clear()


def hold(path: Path, replayed_page: str) -> None:
    """Compare a page with its replay; TIERWISE_UPDATE=1 writes it anew, to be read before it is kept."""
    if os.environ.get("TIERWISE_UPDATE"):
        path.write_text(replayed_page, encoding="utf-8")
    assert path.read_text("utf-8") == replayed_page
