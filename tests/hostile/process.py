"""A command of the command line in a process of its own, with what it took.

Starting Python and importing the engine is most of what a command costs, so one server a test run imports it and
forks a child for each command. The memory is the child's largest resident set, the time its processor time, since
machines are busy. The system ends a child that takes `MAX_ADDRESSES` bytes of addresses or `MAX_SECONDS` of
processor time, so that a fault here never takes the machine along.
"""
from __future__ import annotations

import atexit
import gc
import json
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, NoReturn

from engine.records import Record

ROOT = Path(__file__).resolve().parents[2]
MAX_ADDRESSES = 2_000_000_000
MAX_SECONDS = 20
#: Wall time after which a child that waits for something is ended.
PATIENCE = 60


CommandLine = Callable[[list[str]], int]


class Ran(Record):
    """What a command came to: exit code, both streams as bytes, processor seconds and megabytes."""

    code: int
    out: bytes
    err: bytes
    seconds: float
    megabytes: float

    @property
    def said(self) -> str:
        """Both streams as text."""
        return (self.out + self.err).decode("utf-8", "replace")


def held(ran: Ran, large: bool = False) -> None:
    """Assert the bounds: two seconds and 300 MB, with room since machines are busy; one screen or so of talk,
    and no trace. `large` files are sound, and may take longer."""
    assert "Traceback" not in ran.said, ran.said[-3000:]
    assert ran.code in (0, 1, 2, 3), ran.code
    assert ran.seconds < (20 if large else 5), ran.seconds
    assert ran.megabytes < 300, ran.megabytes
    assert large or len(ran.said) < 50_000, len(ran.said)


_server: list[subprocess.Popen[bytes]] = []


def run(args: Sequence[str], folder: Path, stdin: bytes | Path = b"") -> Ran:
    """Run `tierwise ARGS` with `folder` as working folder."""
    place = folder / ".streams"
    place.mkdir(exist_ok=True)
    names = [place / name for name in ("in", "out", "err")]
    if isinstance(stdin, bytes):
        names[0].write_bytes(stdin)
    else:
        names[0] = stdin
    if not _server:
        environment = {**os.environ, "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
        _server.append(subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.process"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=environment))
        atexit.register(_server[0].kill)
    asked, told = _server[0].stdin, _server[0].stdout
    assert asked is not None and told is not None
    asked.write(json.dumps([list(args), str(folder), [str(name) for name in names]]).encode() + b"\n")
    asked.flush()
    code, seconds, megabytes = json.loads(told.readline())
    return Ran(code, names[1].read_bytes(), names[2].read_bytes(), seconds, megabytes)


def serve(command_line: CommandLine, asked: IO[bytes], told: IO[bytes]) -> None:
    """Run what is asked for, one command a line."""
    for line in asked:
        args, folder, names = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _child(command_line, args, folder, names)
        code, used = _ended(pid)
        answer = [code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]
        told.write(json.dumps(answer).encode() + b"\n")
        told.flush()


def _child(command_line: CommandLine, args: list[str], folder: str, names: list[str]) -> NoReturn:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESSES, MAX_ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number, name in enumerate(names):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC if number else os.O_RDONLY), number)
    gc.set_threshold(100_000)                           # as `main` does
    code = 70
    try:
        os.chdir(folder)
        for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
            errors = "strict" if number < 2 else "backslashreplace"
            setattr(sys, name, open(number, mode, encoding="utf-8", errors=errors, closefd=False))
        code = command_line(args)
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 - what the interpreter would print and end with
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _ended(pid: int) -> tuple[int, resource.struct_rusage]:
    """Exit code (negative for a signal) and use of a child."""
    until = time.monotonic() + PATIENCE
    while True:
        found, status, used = os.wait4(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status), used
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


if __name__ == "__main__":
    # Before the module of the same name, which takes its place.
    from engine.commands import run as tierwise  # isort: skip
    import engine.commands.check
    import engine.commands.decide
    import engine.commands.feel
    import engine.commands.run
    import engine.commands.schema
    import engine.ir.findings  # noqa: F401

    serve(tierwise, sys.stdin.buffer, sys.stdout.buffer)
