"""`tierwise check --fix`: the edits that findings carry, made in the files that were named."""
from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path

import click

from engine.cache import Remembered
from engine.commands.common import INVALID, Failure, talk
from engine.commands.fmt import write
from engine.format.fixing import Mended, mended
from engine.portfolio.problems import reason
from engine.render import visible

#: A mend may bring the next fault to light; after this many rounds what is left is for a person.
ROUNDS = 5


def fix(file: str, check: Callable[[str], Remembered]) -> int:
    """Mend a policy, a folder of versions or a test file, and tell what was done; how many mends."""
    count = 0
    for _ in range(ROUNDS):
        changed = False
        for path, name, old, new in _mends(file, check(file)):
            write(path, new.text)
            changed = True
            for mend in new.mends:
                line = f":{mend.span.line}" if mend.span is not None else ""
                now = f"; now `{mend.now}`" if mend.now is not None else ""
                talk(visible(f"fixed {name}{line}: {mend.message}{now}"))
            count += len(new.mends)
            assert old != new.text
        if not changed:
            break
    return count


def show_fixes(file: str, check: Callable[[str], Remembered]) -> int:
    """Show what the first round of mends would change; how many mends."""
    count = 0
    for _, name, old, new in _mends(file, check(file)):
        lines = difflib.unified_diff(
            old.splitlines(keepends=True), new.text.splitlines(keepends=True), name, f"{name} (fixed)")
        click.echo("".join(line if line.endswith("\n") else f"{line}\n" for line in lines), nl=False)
        count += len(new.mends)
    return count


def _mends(file: str, found: Remembered) -> list[tuple[str, str, str, Mended]]:
    """Files that change: path, shown name, former text and the mended one."""
    own = {os.path.realpath(path): path for path in _files(file)}
    result = []
    errors = any(d.is_error for d in found.diagnostics)
    for name in found.sources:
        path = own.get(os.path.realpath(name))
        if path is None or not (errors or any(d.edits for d in found.diagnostics)):
            continue
        try:
            text = Path(path).read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError:
            continue                                    # its finding says so
        except OSError as problem:
            raise Failure(f"`{path}` cannot be read: {reason(problem)}", code=INVALID) from None
        new = mended(text, name, found.diagnostics)
        if new.mends and new.text != text:
            result.append((path, name, text, new))
    return result


def _files(file: str) -> list[str]:
    if not os.path.isdir(file):
        return [file]
    return [os.path.join(file, name) for name in sorted(os.listdir(file)) if name.endswith((".yaml", ".yml"))]
