"""Pages for policy teams, followed literally from an empty folder by a shell.

Blocks are taken in order. ```` ```console ```` runs commands and compares what they print. ```` ```yaml NAME ````
(or csv, json) is a file to save; `shown` behind the name says that a command wrote it, `gb18030` that it is saved
in that encoding. ```` ```diff NAME ```` is an edit: lines that start with `-` are taken out, those with `+` typed,
the rest shows where. What an edit shows must stand in the file exactly once.
"""
from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import blocks, replayed

ROOT = Path(__file__).resolve().parents[2]


def edited(text: str, edit: str) -> str:
    """A file after an edit, whose lines start with ` `, `-` or `+`."""
    lines = edit.splitlines()
    assert all(line[:1] in ("", " ", "-", "+") for line in lines), edit
    before = [line[1:] for line in lines if line[:1] != "+"]
    after = [line[1:] for line in lines if line[:1] != "-"]
    whole = text.splitlines()
    places = [at for at in range(len(whole)) if whole[at:at + len(before)] == before]
    assert before != after and len(places) == 1, "not exactly once in the file:\n" + "\n".join(before)
    whole[places[0]:places[0] + len(before)] = after
    return "".join(f"{line}\n" for line in whole)


def follow(page: str, folder: Path, path: str) -> str:
    """The page as it ought to be, every step carried out in `folder`."""
    def shell(command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
            timeout=60, check=False, env={**os.environ, "PATH": path, "PYTHONUTF8": "1"},
        )
        assert "Traceback" not in done.stdout
        return done.stdout

    parts: list[str] = []
    done = 0
    for block in blocks(page):
        if block.language == "console":
            parts += (page[done:block.start], replayed(block.text, shell))
            done = block.end
        elif block.language == "diff":
            file = folder / block.words[0]
            file.write_text(edited(file.read_text("utf-8"), block.text), encoding="utf-8")
        elif "shown" in block.words:
            parts += (page[done:block.start], (folder / block.words[0]).read_text("utf-8"))
            done = block.end
        elif block.words:
            (folder / block.words[0]).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.words[0]).write_text(
                block.text, encoding="gb18030" if "gb18030" in block.words else "utf-8")
    return "".join(parts) + page[done:]


def command(folder: Path) -> str:
    """What PATH must hold so that `tierwise` is the one of this checkout; `folder` takes it."""
    path = folder / "bin" / "tierwise"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "cli.py"}" "$@"\n')
    path.chmod(0o755)
    return f"{path.parent}:/usr/bin:/bin"


def commands(path: Path) -> list[str]:
    """The first command of each console block, as `tierwise check` or `cp`."""
    return [re.findall(r"^\$ (tierwise \w+|\w+)", b.text, re.MULTILINE)[0]
            for b in blocks(path.read_text("utf-8")) if b.language == "console"]
